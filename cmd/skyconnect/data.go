package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

func (o *options) data() *cobra.Command {
	c := &cobra.Command{
		Use: "data", Short: "Everything that is stored on this machine", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			all, err := h.Held(c.Context())
			if err != nil { // what was found is shown all the same
				fmt.Fprintln(o.err, o.paint(yellow, o.sentence(err)))
			}
			if o.json {
				return o.printJSON(all)
			}
			for _, i := range all {
				fmt.Fprintf(o.out, "%s %s %s\n  %s\n", pad(i.Where, 16), pad(sizeOf(i.Size), 10), i.At.Local().Format(time.DateTime), i.Name)
				fmt.Fprintln(o.out, "  "+i18n.Text(o.lang, "local.for_"+i.Purpose, nil))
			}
			fmt.Fprintln(o.out, o.say("data.nothing_else", "dir", h.Dir.Root()))
			return o.consoles(h)
		},
	}
	sure := false
	erase := &cobra.Command{
		Use: "erase", Short: "Disconnect and delete all of it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			if err := o.consoles(h); err != nil { // once erased nothing knows them
				return err
			}
			if err := o.confirm(sure, o.say("data.erase")); err != nil {
				return err
			}
			if err := h.Erase(c.Context()); err != nil {
				return err
			}
			fmt.Fprintln(o.out, o.say("data.erased"))
			return nil
		},
	}
	erase.Flags().BoolVarP(&sure, "yes", "y", false, "do not ask")
	c.AddCommand(erase)
	return c
}

// consoles tells where accounts are cancelled.
func (o *options) consoles(h *user.Home) error {
	all, _, err := h.Profiles.All()
	for _, c := range user.Consoles(all) {
		fmt.Fprintln(o.out, o.say("data.console", "console", c))
	}
	return err
}

func sizeOf(n int64) string {
	if n < 0 {
		return "?"
	}
	return size(uint64(n))
}
