package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/app"
)

func (o *options) prove() *cobra.Command {
	var person string
	var all bool
	var since int64
	c := &cobra.Command{Use: "prove FILE", Short: "Write a proof pack that skybridge-verify checks offline", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&person, "person", "", "handle of the person whose pack it is")
	c.Flags().BoolVar(&all, "all", false, "of everybody, for an auditor: handles and no detail")
	c.Flags().Int64Var(&since, "since", 0, "size of a checkpoint that was kept, to prove that the log continues it")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if (person != "") == all {
			return errors.New("choose --person HANDLE or --all")
		}
		cfg, log, err := o.load()
		if err != nil {
			return err
		}
		f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(app.Prove(cmd.Context(), cfg, person, since, f, log), f.Close())
	}
	return c
}
