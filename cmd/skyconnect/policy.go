package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

// agree shows what has to be accepted for a profile, and records what the person
// says. Where nobody can be asked it leaves the refusal to the permit.
func (o *options) agree(h *user.Home, p profile.Profile) error {
	for _, scope := range h.Scope(p) {
		st, err := h.Policy.Standing(scope)
		if err != nil {
			return err
		}
		if st.Refused == nil && st.Told {
			fmt.Fprintln(o.err, o.say("policy.newer", "version", st.InForce.Version))
		}
		if st.Refused == nil || !isTerminal(o.in) {
			continue
		}
		if err := o.read(st.InForce); err != nil {
			return err
		}
		ok, err := o.yes(o.say("policy.accept"))
		if err != nil {
			return err
		}
		act := policy.Refuse
		if ok {
			act = policy.Accept
		}
		if _, err := h.Decide(act, scope, st.InForce.Version, string(o.lang)); err != nil {
			return err
		}
	}
	return nil
}

// read shows a text, by the person's pager at a terminal.
func (o *options) read(t policy.Text) error {
	text := t.In(string(o.lang))
	body := policy.Plain(text.Body, func(s string) string {
		if o.fancy {
			return "\x1b[1;4m" + s + plain
		}
		return "**" + s + "**"
	})
	head := fmt.Sprintf("%s  %s\nSHA-256 %s\n\n", text.Title, t.Version, t.SHA256)
	pager := os.Getenv("PAGER")
	if pager == "" {
		pager = "less"
	}
	path, err := exec.LookPath(pager)
	if err != nil || !o.fancy || !isTerminal(o.in) {
		fmt.Fprint(o.out, head, body)
		return nil
	}
	c := exec.Command(path) //nolint:gosec // the person's own pager
	if strings.HasSuffix(path, "less") {
		c.Args = append(c.Args, "-R")
	}
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(head+body), os.Stdout, os.Stderr
	return c.Run()
}

func (o *options) policy() *cobra.Command {
	server := ""
	c := &cobra.Command{
		Use: "policy", Short: "Read the privacy policy, accept it, withdraw, and see what was accepted", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, scope, err := o.scope(server)
			if err != nil {
				return err
			}
			st, err := h.Policy.Standing(scope)
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(st)
			}
			if err := o.read(st.InForce); err != nil {
				return err
			}
			fmt.Fprintln(o.out, o.standing(st))
			return nil
		},
	}
	c.PersistentFlags().StringVar(&server, "profile", "", "the policy of this profile's operator instead of the client's own")
	_ = c.RegisterFlagCompletionFunc("profile", o.profileNames)
	act := func(use, short string, do func(*cobra.Command, *user.Home, string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			h, scope, err := o.scope(server)
			if err != nil {
				return err
			}
			return do(c, h, scope)
		}}
	}
	c.AddCommand(
		act("accept", "Accept it; the digest that was accepted is printed", func(_ *cobra.Command, h *user.Home, scope string) error {
			return o.record(h, scope, policy.Accept)
		}),
		act("refuse", "Refuse it", func(_ *cobra.Command, h *user.Home, scope string) error { return o.record(h, scope, policy.Refuse) }),
		act("withdraw", "Withdraw the consent, and disconnect what rests on it", func(c *cobra.Command, h *user.Home, scope string) error {
			r, err := h.Withdraw(c.Context(), scope, string(o.lang))
			if err != nil {
				return err
			}
			return o.receipt(r)
		}),
		act("receipts", "All acts so far, for export", func(_ *cobra.Command, h *user.Home, _ string) error {
			all, broken, err := h.Policy.Receipts()
			if err != nil {
				return err
			}
			if broken > 0 {
				fmt.Fprintln(o.err, o.paint(yellow, o.say("policy.broken")))
			}
			return o.printJSON(all)
		}),
	)
	return c
}

func (o *options) scope(name string) (*user.Home, string, error) {
	h, err := o.home(user.Person{})
	if err != nil || name == "" {
		return h, policy.BuiltIn, err
	}
	p, err := h.Profiles.Find(name)
	if err != nil {
		return nil, "", err
	}
	all := h.Scope(p)
	return h, all[len(all)-1], nil
}

func (o *options) record(h *user.Home, scope string, act policy.Decision) error {
	r, err := h.Decide(act, scope, "", string(o.lang))
	if err != nil {
		return err
	}
	return o.receipt(r)
}

func (o *options) receipt(r policy.Receipt) error {
	if o.json {
		return o.printJSON(r)
	}
	fmt.Fprintf(o.out, "%s  %s  SHA-256 %s\n", o.say("policy.act_"+string(r.Act)), r.Version, r.SHA256)
	return nil
}

func (o *options) standing(st policy.Standing) string {
	if st.Refused != nil {
		return o.paint(yellow, o.sentence(st.Refused))
	}
	return o.paint(green, o.say("policy.accepted", "at", st.Last.At.Local().Format("2006-01-02 15:04")))
}

func (o *options) permissions() *cobra.Command {
	c := &cobra.Command{
		Use: "permissions", Short: "What the client asks of this machine, and what was answered", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			answers, err := h.Policy.Answers()
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(map[string]any{"permissions": policy.Permissions(), "answers": answers})
			}
			lang := string(o.lang)
			for _, p := range policy.Permissions() {
				state := "unasked"
				if a, ok := answers[p.ID]; ok {
					state = map[bool]string{true: "granted", false: "refused"}[a.Granted]
				}
				fmt.Fprintf(o.out, "%s  %s: %s\n  %s\n  %s\n", pad(p.ID, 16), p.Name.In(lang), o.say("permission."+state), p.Purpose.In(lang),
					o.say("ask.if_refused", "what", p.Refused.In(lang)))
			}
			return nil
		},
	}
	answer := func(use, short string, granted bool) *cobra.Command {
		return &cobra.Command{Use: use + " ID", Short: short, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			return h.Policy.Answer(args[0], granted)
		}}
	}
	c.AddCommand(answer("grant", "Grant one", true), answer("refuse", "Refuse one; it is not asked for again", false))
	return c
}

func (o *options) components() *cobra.Command {
	return &cobra.Command{
		Use: "components", Short: "The third-party components in this program", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all := policy.Components(policy.Linked())
			if o.json {
				return o.printJSON(all)
			}
			fmt.Fprint(o.out, policy.Table(all, string(o.lang)))
			return nil
		},
	}
}
