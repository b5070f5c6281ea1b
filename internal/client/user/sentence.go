package user

import (
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// sentences are the codes of errors that have none of package errs, the more
// special first.
var sentences = []struct {
	err  error
	code string
}{
	{client.ErrNoConsent, "no_consent"},
	{client.ErrCertificate, "certificate"},
	{client.ErrRefused, "refused"},
	{client.ErrRedirected, "redirected"},
	{client.ErrRounds, "rounds"},
	{client.ErrUnanswered, "unanswered"},
	{client.ErrMore, "more"},
	{client.ErrProxy, "proxy"},
	{openconnect.ErrAnswer, "answer"},
	{openconnect.ErrTunnel, "answer"},
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
	{ipc.ErrRestarting, "restarting"},
	{ipc.ErrNotRenewed, "not_renewed"},
	{ipc.ErrSuccessor, "successor"},
	{ipc.ErrManager, "manager"},
	{ErrNobody, "nobody"},
	{ErrTrusted, "trusted"},
}

// Say is the sentence of a code below "client."; pairs are names and values of its
// parameters.
func Say(lang i18n.Language, code string, pairs ...string) string {
	params := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	return i18n.Text(lang, "client."+code, params)
}

// Has tells whether there is such a sentence.
func Has(lang i18n.Language, code string) bool { return i18n.Codes(lang)["client."+code] != "" }

// CodeOf is what an error is called in a log and to an administrator; it is one of
// a closed list and holds nothing of the person. Other errors are "other".
func CodeOf(err error) string {
	var failed *FailedError
	var own *errs.Error
	switch {
	case errors.As(err, &failed):
		return failed.Connection.Cause
	case errors.As(err, &own):
		return own.Code
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return s.code
		}
	}
	if IsNetwork(err) {
		return "unreachable"
	}
	return "other"
}

// Sentence is what went wrong in the person's language, with the words of servers
// and systems behind it.
func Sentence(lang i18n.Language, err error) string {
	var failed *FailedError
	var own *errs.Error
	var refused *client.RefusedError
	switch {
	case errors.As(err, &failed):
		return Cause(lang, failed.Connection)
	case errors.As(err, &own):
		return i18n.Text(lang, own.Code, own.Params)
	case errors.As(err, &refused) && refused.Reason != "":
		return Say(lang, "cause.refused") + " " + Clean(refused.Reason)
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			text := Say(lang, "cause."+s.code)
			if err.Error() != s.err.Error() {
				text += " (" + Clean(err.Error()) + ")"
			}
			return text
		}
	}
	if IsNetwork(err) {
		return Say(lang, "cause.unreachable") + " (" + Clean(err.Error()) + ")"
	}
	return Clean(err.Error())
}

// Cause is why a connection is not up, with the server's or system's own words.
func Cause(lang i18n.Language, c ipc.Connection) string {
	text := Say(lang, "cause."+c.Cause)
	if trust.Remedy(c.Cause) != "" {
		params := map[string]any{}
		for name, v := range c.With {
			params[name] = Clean(v)
		}
		text = i18n.Text(lang, c.Cause, params)
	}
	if c.Text != "" {
		text += " (" + Clean(c.Text) + ")"
	}
	return text
}

// Remedy is what the person can do about an error; empty where nothing helps.
func Remedy(lang i18n.Language, err error) string {
	code := CodeOf(err)
	var pending *PendingError
	if errors.As(err, &pending) {
		code = "no_consent"
	}
	switch {
	case pending != nil && pending.Profile != "":
		return Say(lang, "remedy.no_consent_of", "profile", pending.Profile)
	case trust.Remedy(code) != "":
		return i18n.Text(lang, trust.Remedy(code), nil)
	case Has(lang, "remedy."+code):
		return Say(lang, "remedy."+code)
	}
	return ""
}

// IsNetwork tells whether an error is of the way to the server.
func IsNetwork(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED)
}

// Clean takes out what would move a terminal's cursor or turn a line around: names
// and texts come from servers.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, text)
}
