package main

import (
	"errors"
	"net"
	"syscall"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// sentences are the codes of errors that have none of package errs, the more
// special first.
var sentences = []struct {
	err  error
	code string
}{
	{client.ErrNoConsent, "no_consent"},
	{client.ErrPin, "pin"},
	{client.ErrUntrusted, "not_trusted"},
	{client.ErrCertificate, "certificate"},
	{client.ErrRefused, "refused"},
	{client.ErrRedirected, "redirected"},
	{client.ErrRounds, "rounds"},
	{client.ErrUnanswered, "unanswered"},
	{client.ErrProxy, "proxy"},
	{client.ErrEnded, "ended"},
	{ipc.ErrNoDaemon, "daemon_away"},
	{ipc.ErrNotAllowed, "daemon_closed"},
	{ipc.ErrCut, "daemon_cut"},
	{ipc.ErrVersion, "daemon_version"},
	{ipc.ErrForbidden, "daemon_closed"},
	{ipc.ErrPolicy, "no_consent"},
	{ipc.ErrBusy, "busy"},
	{ipc.ErrConflict, "conflict"},
	{ipc.ErrUnknown, "not_up"},
	{ipc.ErrTooMany, "too_many"},
	{ipc.ErrDevice, "device"},
	{ipc.ErrSystem, "system"},
	{ipc.ErrRequest, "request"},
	{update.ErrNotPermitted, "update_not_permitted"},
	{update.ErrNone, "update_none"},
	{update.ErrTrust, "update_trust"},
	{update.ErrServer, "update_server"},
	{errNobody, "nobody"},
	{errNoWindow, "no_window"},
	{user.ErrNobody, "nobody"},
}

// sentence is what went wrong in the person's language, with the words of servers
// and systems behind it.
func (t *terminal) sentence(err error) string {
	var failed *user.FailedError
	if errors.As(err, &failed) {
		return t.failed(failed.Connection)
	}
	var own *errs.Error
	if errors.As(err, &own) {
		return i18n.Text(t.lang, own.Code, own.Params)
	}
	var refused *client.RefusedError
	if errors.As(err, &refused) && refused.Reason != "" {
		return t.say("cause.refused") + " " + clean(refused.Reason)
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			text := t.say("cause." + s.code)
			if err.Error() != s.err.Error() {
				text += " (" + clean(err.Error()) + ")"
			}
			return text
		}
	}
	if isNetwork(err) {
		return t.say("cause.unreachable") + " (" + clean(err.Error()) + ")"
	}
	return clean(err.Error())
}

// help is what the person can do about it.
func (t *terminal) help(err error) string {
	for _, s := range sentences {
		if errors.Is(err, s.err) && t.has("remedy."+s.code) {
			return t.say("remedy." + s.code)
		}
	}
	var pending *user.PendingError
	switch {
	case errors.As(err, &pending):
		return t.say("remedy.no_consent")
	case isNetwork(err):
		return t.say("remedy.unreachable")
	}
	return ""
}

func (t *terminal) failed(c ipc.Connection) string {
	text := t.say("cause." + c.Cause)
	if c.Text != "" {
		text += " (" + clean(c.Text) + ")"
	}
	return text
}

func isNetwork(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED)
}
