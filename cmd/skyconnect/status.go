package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

func (o *options) status() *cobra.Command {
	watch := false
	c := &cobra.Command{
		Use: "status [PROFILE]", Short: "What is connected, and how", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		Long: "What is connected, and how. The exit code is 9 when nothing is.",
		RunE: func(c *cobra.Command, args []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			if watch {
				return o.watch(c, h)
			}
			all, err := h.Status(c.Context())
			if err != nil && !errors.Is(err, ipc.ErrNoDaemon) {
				return err
			}
			if len(args) > 0 {
				p, err := h.Profiles.Find(args[0])
				if err != nil {
					return err
				}
				all = only(all, p.ID)
			}
			return o.print(all)
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on, with every change")
	return c
}

func only(all []user.Status, id string) []user.Status {
	for _, s := range all {
		if s.ID == id {
			return []user.Status{s}
		}
	}
	return []user.Status{}
}

// print shows all profiles; the exit code says whether one is connected.
func (o *options) print(all []user.Status) error {
	up := false
	for _, s := range all {
		up = up || s.Connection.State == ipc.Connected
	}
	if o.json {
		if err := o.printJSON(all); err != nil {
			return err
		}
	} else {
		for i, s := range all {
			if i > 0 {
				fmt.Fprintln(o.out)
			}
			o.connection(s.Connection, time.Now())
		}
		if len(all) == 0 {
			fmt.Fprintln(o.out, o.say("profiles.none"))
		}
	}
	if !up {
		return quiet(exitNotUp)
	}
	return nil
}

func (o *options) watch(c *cobra.Command, h *user.Home) error {
	return h.Daemon.Call(c.Context(), ipc.Request{Op: ipc.OpWatch}, func(a ipc.Answer) error {
		if a.Status == nil {
			return nil
		}
		if o.json {
			return o.printJSON(a.Status)
		}
		if o.fancy {
			fmt.Fprint(o.out, "\x1b[H\x1b[2J")
		}
		for _, one := range a.Status.Connections {
			o.connection(one, time.Now())
			fmt.Fprintln(o.out)
		}
		return nil
	})
}
