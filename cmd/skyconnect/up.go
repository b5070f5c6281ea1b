package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

// given are the flags by which a script answers a server's questions.
type given struct {
	passwordFD, codeFD int
	group              string
	anyway             bool
}

func (g *given) flags(c *cobra.Command) {
	c.Flags().IntVar(&g.passwordFD, "password-fd", -1, "read the password from this file descriptor; it is never an argument and never kept")
	c.Flags().IntVar(&g.codeFD, "code-fd", -1, "read the one-time code from this file descriptor")
	c.Flags().StringVar(&g.group, "group", "", "group to choose, by its name or value")
	c.Flags().BoolVar(&g.anyway, "anyway", false, "connect in a trusted network too, and do not pause in one")
}

func (g *given) read(t *terminal) (user.Given, error) {
	out := user.Given{Group: g.group, Anyway: g.anyway}
	if g.passwordFD >= 0 {
		b, err := t.fromFD(g.passwordFD)
		if err != nil {
			return out, err
		}
		out.Password = b
	}
	if g.codeFD >= 0 {
		b, err := t.fromFD(g.codeFD)
		if err != nil {
			return out, err
		}
		out.Code = string(b)
	}
	return out, nil
}

// one is the profile that is named, or the only one.
func (o *options) one(h *user.Home, args []string) (profile.Profile, error) {
	if len(args) > 0 {
		return h.Profiles.Find(args[0])
	}
	all, broken, err := h.Profiles.All()
	if err == nil && len(broken) > 0 && len(all) == 0 {
		err = errors.Join(broken...)
	}
	switch {
	case err != nil:
		return profile.Profile{}, err
	case len(all) == 0:
		return profile.Profile{}, usagef("%s", o.say("profiles.none"))
	case len(all) > 1:
		return profile.Profile{}, usagef("%s", o.say("profiles.which"))
	}
	return all[0], nil
}

func (o *options) login() *cobra.Command {
	g := &given{}
	c := &cobra.Command{
		Use: "login [PROFILE]", Short: "Log in and connect, answering the server's questions here; the same as up", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: o.profileNames, RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error { return o.connect(c, h, p, g) })
		},
	}
	g.flags(c)
	return c
}

func (o *options) up() *cobra.Command {
	g := &given{}
	c := &cobra.Command{
		Use: "up [PROFILE]", Short: "Connect", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		Long: "Connect. The policy is shown first if it was not accepted yet; then the password and, where the server wants one, the code are asked for.\n" +
			"The daemon keeps the connection up from then on, over changes of network, sleep and restarts of the gateway.",
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(args, func(h *user.Home, p profile.Profile) error { return o.connect(c, h, p, g) })
		},
	}
	g.flags(c)
	return c
}

func (o *options) connect(c *cobra.Command, h *user.Home, p profile.Profile, g *given) error {
	said, err := g.read(o.terminal)
	if err != nil {
		return err
	}
	if isTerminal(o.in) { // else a refusal is the end of it
		said.Form, said.Signer = o.form, o.signer
	}
	said.Without = func(err error) { fmt.Fprintln(o.err, o.paint(yellow, o.sentence(err))) }
	if err := o.agree(h, p); err != nil {
		return err
	}
	began := time.Now()
	last := ipc.State("")
	var up ipc.Connection
	err = h.Up(c.Context(), p, said, func(now ipc.Connection) {
		up = now
		if now.State != last && !o.json && o.fancy {
			fmt.Fprintf(o.err, "%s  %s\n", user.Clean(p.Name), o.state(now.State))
		}
		last = now.State
	})
	switch {
	case err != nil:
		return err
	case o.json:
		return o.printJSON(up)
	}
	o.connection(up, time.Now())
	fmt.Fprintln(o.out, o.paint(dim, o.say("up.took", "time", time.Since(began).Round(10*time.Millisecond).String())))
	return nil
}

func (o *options) down() *cobra.Command {
	all := false
	c := &cobra.Command{
		Use: "down [PROFILE]", Short: "Disconnect, and give the network back as it was", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		RunE: func(c *cobra.Command, args []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			id := ""
			if len(args) > 0 {
				p, err := h.Profiles.Find(args[0])
				if err != nil {
					return err
				}
				id = p.ID
			} else if !all {
				now, err := h.Daemon.Status(c.Context())
				if err != nil {
					return err
				}
				if len(now.Connections) > 1 {
					return usagef("%s", o.say("down.which"))
				}
			}
			return h.Down(c.Context(), id)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all connections of this user")
	return c
}

// profileNames completes names of profiles.
// profileNames completes profiles. Their names come from others, and shells put them
// into the command line as they are: another one than a plain word is completed by
// its id, with the name beside it.
func (o *options) profileNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	h, err := o.home(user.Person{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, _, err := h.Profiles.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, p := range all {
		if p.Word() == p.Name {
			names = append(names, p.Name)
		} else {
			names = append(names, cobra.CompletionWithDesc(p.ID, user.Clean(p.Name)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
