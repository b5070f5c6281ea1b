package window

import (
	"errors"
	"testing"

	"gioui.org/io/key"
)

// A permission, an operator's policy and an unknown server are asked for by themselves; who closes the
// dialog has said nothing (TY-2.6, TY-8.1).
func TestAPermissionAPolicyAndAServerAreDecided(t *testing.T) {
	stranger := &Confirmation{Title: "Is this the server?", About: "Nobody vouches for it.", Act: "It is the same; trust it", Facts: []Fact{
		{"Fingerprint", "pin-sha256:AAAA"}, {"Names", "vpn.example.org"}, {"Signed by", "CN=x"},
	}}
	for _, c := range []struct {
		form        Form
		shown, name string
		want        string
	}{
		{Form{Permission: &Permission{ID: "network", Name: "network access", Purpose: "to connect", Refused: "no connection"}}, "to connect", "Allow", Yes},
		{Form{Permission: &Permission{ID: "network", Name: "network access", Purpose: "to connect", Refused: "no connection"}}, "no connection", "Refuse", No},
		{Form{Policy: &Policy{Version: "2.0.0", Effective: "2026-01-01", Text: "# Policy\n\nRead this first."}}, "Read this first.", "Accept and go on", Yes},
		{Form{Confirm: stranger}, "pin-sha256:AAAA", "It is the same; trust it", Yes},
		{Form{Confirm: stranger}, "vpn.example.org", "Cancel", No},
		{Form{Confirm: stranger}, "CN=x", "", ""},
		{Form{Policy: &Policy{Version: "2.0.0", Effective: "2026-01-01", Text: "# Policy\n\nRead this first."}}, "Version 2.0.0", "", ""},
	} {
		r := newRig(t, english, newDemo(t, English))
		home(r)
		type said struct {
			a   Answers
			err error
		}
		answered := make(chan said, 1)
		r.ui.start(func() {
			a, err := r.ui.ask(r.ui.ctx, r.ui.chosen, c.form)
			answered <- said{a, err}
		})
		r.see(c.shown)
		if c.name == "" {
			r.key(key.NameEscape)
		} else {
			r.press(c.name)
		}
		var got said
		r.until("the answer", func() bool {
			select {
			case got = <-answered:
				return true
			default:
				return false
			}
		})
		if c.want == "" && !errors.Is(got.err, ErrDeclined) || string(got.a[Decision]) != c.want {
			t.Errorf("%s: got %q, %v", c.shown, got.a[Decision], got.err)
		}
	}
}
