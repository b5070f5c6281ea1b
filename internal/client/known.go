package client

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Known answers the forms of one login from what is known of the person, and has
// the rest asked for. Its method Answer is the Answerer.
type Known struct {
	Name     string
	Password openconnect.Secret // whoever gives it wipes it after the login
	Group    string             // value, label or the label's beginning
	Token    func() *Token      // asked for when a code is wanted; nil, or of nil, = none

	// Ask is given what is not known or was refused; its form has only those
	// inputs. nil: ErrUnanswered or ErrRefused.
	Ask   Answerer
	Clock clock.Clock // nil = the system's

	told     bool // a password was given
	moved    bool // to Group, which brings the form once more
	token    *Token
	lastCode string
}

// Password is an Answerer for a name and a password. It gives up when they are
// refused. password may be wiped after the login.
func Password(name string, password []byte) Answerer {
	return (&Known{Name: name, Password: openconnect.NewSecret(password)}).Answer
}

// Answer fills in a form.
func (k *Known) Answer(f openconnect.AuthRequest) (openconnect.Answers, error) {
	if f.Error == nil && k.told && strings.Contains(strings.ToLower(f.Message), "failed") { // as ocserv says it
		f.Error = &openconnect.FormError{ID: openconnect.ErrorLoginFailed, Text: f.Message}
	}
	if f.Error != nil && k.told && !asksCode(f) {
		if k.Ask == nil {
			return nil, refusedForm(f, ErrRefused)
		}
		k.Password, k.told = openconnect.Secret{}, false // it was wrong
	}
	out, open := openconnect.Answers{}, f
	open.Inputs = nil
	for _, in := range f.Inputs {
		v, ok, err := k.value(f, in)
		if err != nil {
			out.Zero()
			return nil, err
		}
		if ok {
			out[in.Name] = v
		} else {
			open.Inputs = append(open.Inputs, in)
		}
	}
	if g := string(out[openconnect.FieldGroup].Reveal()); g != selected(f) && !k.moved {
		k.moved, k.told, k.lastCode = true, false, "" // the server will not look at the rest
	}
	if len(open.Inputs) == 0 {
		return out, nil
	}
	return k.ask(open, out)
}

// asksCode tells whether one of a form's inputs is for a code by its name.
func asksCode(f openconnect.AuthRequest) bool {
	return slices.ContainsFunc(f.Inputs, func(in openconnect.Input) bool { return ForCode(f, in) })
}

// ForCode tells whether an input is for a one-time code by its name or by that of
// the form.
func ForCode(f openconnect.AuthRequest, in openconnect.Input) bool {
	if in.Type != openconnect.InputText && in.Type != openconnect.InputPassword {
		return false
	}
	return in.Name == openconnect.FieldSecondaryPassword || in.Name == openconnect.FieldAnswer || f.ID == openconnect.FormChallenge
}

// ask has the open inputs filled in.
func (k *Known) ask(open openconnect.AuthRequest, known openconnect.Answers) (openconnect.Answers, error) {
	if k.Ask == nil {
		known.Zero()
		if open.Error != nil {
			return nil, refusedForm(open, ErrRefused)
		}
		in := open.Inputs[0]
		return nil, fmt.Errorf("%w: %s", ErrUnanswered, openconnect.Printable(in.Name+" "+in.Label))
	}
	said, err := k.Ask(open)
	if err != nil {
		known.Zero()
		said.Zero()
		return nil, err
	}
	for name, v := range said {
		known[name] = v
	}
	for _, in := range open.Inputs {
		k.told = k.told || in.Type == openconnect.InputPassword
	}
	return known, nil
}

// value is what is known for an input; ok is false when it has to be asked for.
func (k *Known) value(f openconnect.AuthRequest, in openconnect.Input) (v openconnect.Secret, ok bool, err error) {
	switch {
	case in.Type == openconnect.InputHidden:
		return text(in.Value), true, nil
	case in.Type == openconnect.InputSelect:
		return k.choice(in)
	case k.wantsCode(f, in):
		return k.code(f)
	case in.Type == openconnect.InputText:
		return text(k.Name), k.Name != "" && (f.Error == nil || k.Ask == nil || in.Value == k.Name), nil
	case k.told || k.Password.Len() == 0:
		return v, false, nil
	}
	k.told = true
	return openconnect.NewSecret(bytes.Clone(k.Password.Reveal())), true, nil
}

// choice is the group that was wished for, else what the server has selected.
func (k *Known) choice(in openconnect.Input) (openconnect.Secret, bool, error) {
	if in.Name != openconnect.FieldGroup || k.Group == "" {
		return text(in.Value), in.Name != openconnect.FieldGroup || k.Ask == nil || len(in.Options) == 1, nil
	}
	value := openconnect.MatchGroup(in.Options, k.Group)
	if value == "" && k.Ask == nil {
		return openconnect.Secret{}, false, fmt.Errorf("%w: there is no group %s", ErrUnanswered, k.Group)
	}
	return text(value), value != "", nil
}

// wantsCode tells whether an input is for a one-time code: by its name, or because
// the password was taken already and there is another one.
func (k *Known) wantsCode(f openconnect.AuthRequest, in openconnect.Input) bool {
	return ForCode(f, in) || in.Type == openconnect.InputPassword && k.told && f.Error == nil
}

// code makes a code that was not sent before, since a server takes each once.
func (k *Known) code(f openconnect.AuthRequest) (openconnect.Secret, bool, error) {
	if k.token == nil && k.Token != nil {
		k.token = k.Token()
	}
	if k.token == nil {
		return openconnect.Secret{}, false, nil
	}
	at := clock.Clock(clock.System{})
	if k.Clock != nil {
		at = k.Clock
	}
	now := at.Now()
	if strings.Contains(strings.ToLower(f.Message), "next tokencode") {
		now = now.Add(k.token.Step)
	}
	code, err := k.token.Code(now)
	if err != nil {
		return openconnect.Secret{}, false, fmt.Errorf("making a code: %w", err)
	}
	if code == k.lastCode {
		return openconnect.Secret{}, false, nil
	}
	k.lastCode = code
	return text(code), true, nil
}

func text(s string) openconnect.Secret { return openconnect.NewSecret([]byte(s)) }
