package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

func (o *options) restart() *cobra.Command {
	return &cobra.Command{
		Use: "restart", Short: "Have the service run the program that is installed now", Args: cobra.NoArgs,
		Long: "Have the service run the program that is installed now, after an update. Connections come back by themselves within seconds, without a\n" +
			"password; kill switches stay on meanwhile, and what belongs into a tunnel waits. Where nothing newer is installed, only an administrator\n" +
			"restarts the service.",
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			now, err := h.Restart(c.Context())
			switch {
			case err != nil:
				return err
			case o.json:
				return o.printJSON(now)
			}
			fmt.Fprintln(o.out, o.say("restart.done", "version", now.Version))
			return nil
		},
	}
}
