package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

func (o *options) log() *cobra.Command {
	export := ""
	c := &cobra.Command{
		Use: "log", Short: "What happened in the last seven days", Args: cobra.NoArgs,
		Long: "What happened in the last seven days, by the command line and the window. It is kept on this machine and sent nowhere.\n" +
			"--export writes it without names, to be shown to others.",
		RunE: func(*cobra.Command, []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			if export != "" {
				return exportLog(h, export)
			}
			all, err := h.Diary(o.lang)
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(all)
			}
			for _, e := range all {
				o.entry(e)
			}
			return nil
		},
	}
	c.Flags().StringVar(&export, "export", "", "file to write it to")
	return c
}

func (o *options) entry(e user.Entry) {
	text := e.Text
	switch {
	case e.Level >= slog.LevelError:
		text = o.paint(red, text)
	case e.Level >= slog.LevelWarn:
		text = o.paint(yellow, text)
	}
	fmt.Fprintf(o.out, "%s  %s %s\n", e.At.Local().Format(time.DateTime), pad(user.Clean(e.Profile), 16), text)
}

func exportLog(h *user.Home, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = h.Journal.Export(f)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
