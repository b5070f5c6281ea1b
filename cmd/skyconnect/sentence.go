package main

import (
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

// sentences are the codes of errors that only the command line meets.
var sentences = []struct {
	err  error
	code string
}{
	{update.ErrNotPermitted, "update_not_permitted"},
	{update.ErrNone, "update_none"},
	{update.ErrTrust, "update_trust"},
	{update.ErrServer, "update_server"},
	{errNobody, "nobody"},
	{errNoWindow, "no_window"},
}

// sentence is what went wrong in the person's language.
func (t *terminal) sentence(err error) string {
	for _, s := range sentences {
		if !errors.Is(err, s.err) {
			continue
		}
		text := t.say("cause." + s.code)
		if err.Error() != s.err.Error() {
			text += " (" + user.Clean(err.Error()) + ")"
		}
		return text
	}
	return user.Sentence(t.lang, err)
}

// help is what the person can do about it.
func (t *terminal) help(err error) string {
	for _, s := range sentences {
		if errors.Is(err, s.err) && t.has("remedy."+s.code) {
			return t.say("remedy." + s.code)
		}
	}
	return user.Remedy(t.lang, err)
}
