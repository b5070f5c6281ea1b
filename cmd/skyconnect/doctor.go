package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/doctor"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

func (o *options) doctor() *cobra.Command {
	repair, report, state := false, "", ""
	c := &cobra.Command{
		Use: "doctor [PROFILE]", Short: "Why does it not work? Checks this machine and, for a profile, the way to its server", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: o.profileNames,
		Long: "Why does it not work? Without a profile nothing leaves this machine. With one its server is reached, if the policy is accepted.\n" +
			"--report writes the findings without names and addresses, to be shown to others. --repair (root) takes down kill switches that outlived their connection,\n" +
			"and all that a killed daemon changed when none runs.",
		RunE: func(c *cobra.Command, args []string) error {
			h, err := o.home(user.Person{})
			if err != nil {
				return err
			}
			if repair {
				return o.repair(c, h, state)
			}
			var p *profile.Profile
			if len(args) > 0 {
				found, err := h.Profiles.Find(args[0])
				if err != nil {
					return err
				}
				p = &found
			}
			return o.examine(c, h, p, report)
		},
	}
	c.Flags().BoolVar(&repair, "repair", false, "give the network back that a killed daemon left changed")
	c.Flags().StringVar(&state, "state", stateDir(), "with --repair: the daemon's directory of what it changed")
	c.Flags().StringVar(&report, "report", "", "file to write a report to that names nobody")
	return c
}

func (o *options) examine(c *cobra.Command, h *user.Home, p *profile.Profile, report string) error {
	target, private, err := h.Target(c.Context(), p)
	if err != nil {
		return err
	}
	var found []doctor.Check
	bad := false
	doctor.Run(c.Context(), target, nil, func(one doctor.Check) {
		found = append(found, one)
		bad = bad || one.State == doctor.Fail
		if !o.json {
			o.finding(one)
		}
	})
	if o.json {
		if err := o.printJSON(o.findings(found)); err != nil {
			return err
		}
	}
	if report != "" {
		if err := os.WriteFile(report, []byte(doctor.Report(version, o.lang, found, private...)), 0o600); err != nil {
			return err
		}
	}
	if bad {
		return quiet(exitFailed)
	}
	return nil
}

// finding is a check with its sentences.
type finding struct {
	doctor.Check
	Title  string `json:"title"`
	Text   string `json:"text,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

func (o *options) findings(found []doctor.Check) []finding {
	out := make([]finding, len(found))
	for i, c := range found {
		out[i] = finding{Check: c}
		out[i].Title, out[i].Text, out[i].Remedy = c.Sentences(o.lang)
	}
	return out
}

func (o *options) finding(c doctor.Check) {
	mark := map[doctor.State]string{
		doctor.OK: o.paint(green, "✓"), doctor.Warn: o.paint(yellow, "!"), doctor.Fail: o.paint(red, "✗"), doctor.Skipped: o.paint(dim, "–"),
	}[c.State]
	title, cause, remedy := c.Sentences(o.lang)
	fmt.Fprintf(o.out, "%s %s\n", mark, title)
	for _, line := range []string{cause, remedy} {
		if line != "" {
			fmt.Fprintln(o.out, "    "+user.Clean(line))
		}
	}
	if c.Detail != "" {
		fmt.Fprintln(o.out, "    "+o.paint(dim, user.Clean(c.Detail)))
	}
}

func (o *options) repair(c *cobra.Command, h *user.Home, state string) error {
	var undone []string
	err := h.Daemon.Call(c.Context(), ipc.Request{Op: ipc.OpRepair}, func(a ipc.Answer) error { undone = append(undone, a.Undone...); return nil })
	if errors.Is(err, ipc.ErrNoDaemon) { // then it is ours to do
		undone, err = repairWithout(c.Context(), state)
	}
	if err != nil {
		return err
	}
	if o.json {
		return o.printJSON(undone)
	}
	if len(undone) == 0 {
		fmt.Fprintln(o.out, o.say("repair.nothing"))
	}
	for _, device := range undone {
		fmt.Fprintln(o.out, o.say("repair.undone", "device", device))
	}
	return nil
}
