package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/skybridge-cloud/skybridge/internal/platform/subcommand"
)

//go:generate go test -run TestTheManPageIsOfTheseCommands -update .

var renewed = flag.Bool("update", false, "write the man page anew")

const manPage = "../../packaging/man/skyconnect.1"

// exits are the exit codes with their meaning, for the man page.
var exits = []struct {
	code int
	text string
}{
	{exitOK, "done"},
	{exitFailed, "failed, for a reason without a code of its own"},
	{exitUsage, "the command line makes no sense"},
	{exitPolicy, "the policy or a permission is not given"},
	{exitDaemon, "the service does not run, or not for this user"},
	{exitRefused, "the server refuses the login"},
	{exitUnreachable, "the server is not reached"},
	{exitTrust, "the server does not prove that it is the right one"},
	{exitConflict, "connected already, or routes overlap"},
	{exitNotUp, "status: nothing is connected"},
	{exitTrusted, "up: in a trusted network, where the VPN is not needed"},
	{exitGivenUp, "ended by Ctrl-C or SIGTERM"},
}

func TestTheManPageIsOfTheseCommands(t *testing.T) {
	c := root(&terminal{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	c.InitDefaultHelpFlag()
	got := page(c)
	if *renewed {
		if err := os.WriteFile(manPage, got, 0o644); err != nil { //nolint:gosec // everybody reads it
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(manPage)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is of other commands than these: go generate ./cmd/skyconnect (%v)", manPage, err)
	}
}

// page writes the commands in man's macros (man(7)).
func page(c *cobra.Command) []byte {
	var out bytes.Buffer
	out.WriteString(".TH SKYCONNECT 1 \"\" skyconnect \"User commands\"\n.SH NAME\nskyconnect \\- " + roff(c.Short) + "\n")
	out.WriteString(".SH SYNOPSIS\n.B skyconnect\n.I COMMAND\n[\\fIOPTION\\fR]...\n.SH COMMANDS\n")
	describe(&out, c)
	out.WriteString(".SH OPTIONS OF EVERY COMMAND\n")
	flags(&out, c.PersistentFlags())
	out.WriteString(".SH EXIT STATUS\n")
	for _, e := range exits {
		fmt.Fprintf(&out, ".TP\n%d\n%s\n", e.code, roff(e.text))
	}
	out.WriteString(".SH FILES\n.TP\n$XDG_CONFIG_HOME/skyconnect\nprofiles, consent and log; \\fBskyconnect data\\fR lists all of it\n" +
		".TP\n/run/skyconnect/daemon.sock\nsocket of the service, for root and the group skyconnect\n" +
		".TP\n/var/lib/skyconnect\nwhat the service changed in the network, to be undone\n" +
		".SH ENVIRONMENT\n.TP\nSKYCONNECT_DIR, SKYCONNECT_SOCKET\ninstead of \\-\\-dir and \\-\\-socket\n.TP\nNO_COLOR\nno colours\n.TP\nPAGER\nshows the policy\n")
	return out.Bytes()
}

func describe(out *bytes.Buffer, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if !subcommand.Group(sub) {
			use := strings.TrimPrefix(sub.UseLine(), "skyconnect ")
			fmt.Fprintf(out, ".TP\n\\fB%s\\fR\n%s\n", roff(use), roff(sub.Short+"."))
			if sub.Long != "" {
				fmt.Fprintf(out, ".br\n%s\n", roff(strings.ReplaceAll(sub.Long, "\n", " ")))
			}
			out.WriteString(".RS\n")
			flags(out, sub.LocalNonPersistentFlags())
			out.WriteString(".RE\n")
		}
		describe(out, sub)
	}
}

func flags(out *bytes.Buffer, f *pflag.FlagSet) {
	f.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(out, ".TP\n\\fB%s\\fR %s\n%s\n", roff(name), roff(kind), roff(usage))
	})
}

// roff quotes what man would read as a command.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s says nothing of itself", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root(&terminal{in: strings.NewReader(""), out: io.Discard, err: io.Discard}))
}
