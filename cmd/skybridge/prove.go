package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/app"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

func (o *options) prove() *cobra.Command {
	var in app.Proving
	var all bool
	c := &cobra.Command{Use: "prove FILE", Short: "Write a proof pack that skybridge-verify checks offline", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&in.Handle, "person", "", "handle of the person whose pack it is")
	c.Flags().BoolVar(&all, "all", false, "of everybody, for an auditor: handles and no detail")
	c.Flags().Int64Var(&in.Since, "since", 0, "size of a checkpoint that was kept, to prove that the log continues it")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if (in.Handle != "") == all {
			return errors.New("choose --person HANDLE or --all")
		}
		if _, err := os.Lstat(args[0]); err == nil { // told before the work; CreateBy refuses it anyway
			return fmt.Errorf("%s: %w", args[0], fs.ErrExist)
		}
		cfg, log, err := o.load()
		if err != nil {
			return err
		}
		bar := percents(cmd.ErrOrStderr())
		in.Progress = bar.show
		defer bar.end()
		return durable.CreateBy(args[0], func(out io.Writer) error { return app.Prove(cmd.Context(), cfg, in, out, log) })
	}
	return c
}

// progress writes how much of a work is done over the same line of a terminal.
type progress struct {
	out   io.Writer // nil: not a terminal
	shown bool
}

// percents is a progress for out, which shows nothing where nobody watches.
func percents(out io.Writer) *progress {
	f, ok := out.(*os.File)
	if !ok {
		return &progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{out: out}
}

func (p *progress) show(percent int64) error {
	if p.out == nil {
		return nil
	}
	p.shown = true
	_, err := fmt.Fprintf(p.out, "\r%3d %%", percent)
	return err
}

// end clears the line.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.out, "\r     \r")
	}
}
