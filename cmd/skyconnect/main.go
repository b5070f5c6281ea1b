// Command skyconnect is the VPN client of Skybridge: the command line, and the
// privileged daemon that it asks.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/platform/subcommand"
)

// version is set when a release is built.
var version = "v0.0.0-dev"

// Exit codes, which scripts may rely on.
const (
	exitOK          = 0
	exitFailed      = 1 // what has no code of its own
	exitUsage       = 2
	exitPolicy      = 3 // the policy is not accepted
	exitDaemon      = 4 // the daemon does not run, or not for this user
	exitRefused     = 5 // the server refuses the login, or the session is over
	exitUnreachable = 6
	exitTrust       = 7   // the server is not the one that it should be
	exitConflict    = 8   // connected already, or with routes that overlap
	exitNotUp       = 9   // status: not connected
	exitTrusted     = 10  // in a trusted network, where no VPN is needed
	exitGivenUp     = 130 // by Ctrl-C, as shells have it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, fancy: isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "", lang: environment(), over: ctx.Done()}
	context.AfterFunc(ctx, stop) // a second signal ends what the first one does not
	err := root(t).ExecuteContext(ctx)
	stop()
	os.Exit(t.fate(err))
}

// options are the flags of every command.
type options struct {
	*terminal
	dir, socket, keys, language string
}

func root(t *terminal) *cobra.Command {
	o := &options{terminal: t}
	c := &cobra.Command{
		Use: "skyconnect", Short: "The VPN client of Skybridge", Version: version,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.speak() },
	}
	c.SetOut(t.out)
	c.SetErr(t.err)
	f := c.PersistentFlags()
	f.StringVar(&o.dir, "dir", os.Getenv("SKYCONNECT_DIR"), "directory of profiles and consent (default: the system's place for settings)")
	f.StringVar(&o.socket, "socket", user.Socket(), "socket of the daemon")
	f.StringVar(&o.keys, "keys", "", "where keys are kept: secret-service, sealed-file or plain-file; chosen once")
	f.StringVar(&o.language, "lang", "", "en or zh-CN (default: by the environment)")
	f.BoolVar(&t.json, "json", false, "print JSON")
	c.AddCommand(o.login(), o.up(), o.down(), o.status(), o.profiles(), o.token(), o.policy(), o.permissions(), o.components(), o.data(), o.log(), o.doctor(), o.update(), o.restart(), o.daemon(), o.window())
	subcommand.Require(c, o.unknownCommand)
	t.marks(c)
	return c
}

// marks notes when a command begins: what fails before that is the command line.
func (t *terminal) marks(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			t.began = true
			return run(c, args)
		}
	}
	for _, sub := range c.Commands() {
		t.marks(sub)
	}
}

// unknownCommand says what there is instead.
func (o *options) unknownCommand(c *cobra.Command, word string, near []string) error {
	if err := o.speak(); err != nil { // cobra has not come to it yet
		return err
	}
	text := o.say("usage.unknown", "command", c.CommandPath(), "word", strconv.Quote(user.Clean(word)))
	if len(near) > 0 {
		text += " " + o.say("usage.near", "near", strings.Join(near, ", "))
	}
	return usagef("%s", text)
}

func (o *options) speak() error {
	switch l := i18n.Language(o.language); l {
	case "":
	case i18n.English, i18n.Chinese:
		o.lang = l
	default:
		return usagef("--lang: choose en or zh-CN")
	}
	return nil
}

// home opens the person's directory.
func (o *options) home(p user.Person) (*user.Home, error) {
	dir, err := user.Root(o.dir)
	if err != nil {
		return nil, err
	}
	if p.Passphrase == nil {
		p.Passphrase = o.passphrase
	}
	if isTerminal(o.in) { // else nobody can be asked
		p.Permission = o.permission
	}
	return user.Open(dir, o.socket, keystore.Place(o.keys), p)
}

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// quiet is an error that was told already, with its exit code.
type quiet int

func (quiet) Error() string { return "" }

// fate tells an error and returns the exit code.
func (t *terminal) fate(err error) int {
	var done quiet
	if err == nil || errors.As(err, &done) {
		return int(done)
	}
	if !t.began {
		err = usageError{err.Error()}
	}
	code := exitCode(err)
	if code == exitGivenUp && !t.json {
		return code // by the person, who knows
	}
	text := t.sentence(err)
	if t.json {
		_ = t.printJSON(map[string]any{"error": map[string]any{"exit": code, "text": text}})
	} else {
		fmt.Fprintln(t.err, t.paint(red, "skyconnect:"), text)
		if help := t.help(err); help != "" {
			fmt.Fprintln(t.err, help)
		}
	}
	return code
}

func exitCode(err error) int {
	var usage usageError
	var pending *user.PendingError
	var failed *user.FailedError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &pending), errors.Is(err, client.ErrNoConsent), errors.Is(err, ipc.ErrPolicy), errors.Is(err, policy.ErrPermissionRefused), errors.Is(err, policy.ErrPermissionUnasked), errors.Is(err, policy.ErrPermissionUnnamed):
		return exitPolicy
	case errors.Is(err, ipc.ErrNoDaemon), errors.Is(err, ipc.ErrNotAllowed), errors.Is(err, ipc.ErrVersion), errors.Is(err, ipc.ErrCut):
		return exitDaemon
	case errors.Is(err, ipc.ErrBusy), errors.Is(err, ipc.ErrConflict):
		return exitConflict
	case errors.As(err, &failed):
		return exitOf(failed.Connection)
	case trust.Refused(err) != nil:
		return exitTrust
	case errors.Is(err, client.ErrRefused), errors.Is(err, client.ErrCertificate), errors.Is(err, client.ErrRounds):
		return exitRefused
	case errors.Is(err, user.ErrTrusted):
		return exitTrusted
	case errors.Is(err, context.Canceled):
		return exitGivenUp
	case user.IsNetwork(err):
		return exitUnreachable
	}
	return exitFailed
}

// exitOf is the code of a connection that did not come up.
func exitOf(c ipc.Connection) int {
	if trust.Remedy(c.Cause) != "" {
		return exitTrust
	}
	switch c.Cause {
	case ipc.ErrConflict.Code, ipc.ErrBusy.Code:
		return exitConflict
	case string(client.CauseCookie), string(client.CauseServer), string(client.CauseCertificate):
		return exitRefused
	case string(client.CauseUnreachable):
		return exitUnreachable
	}
	return exitFailed
}
