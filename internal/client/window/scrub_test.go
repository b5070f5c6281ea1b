package window

import (
	"testing"

	"gioui.org/io/key"
)

// TestWhatTheToolkitKeptIsScrubbed: an input for secrets that was emptied, whatever
// emptied it, has memory overwritten two frames later, and not without end.
func TestWhatTheToolkitKeptIsScrubbed(t *testing.T) {
	d := newDemo(t, English)
	d.password = "tr0mbone"
	r := newRig(t, english, d)
	home(r)
	r.login()
	r.write("tr0mbone")
	if r.ui.scrubIn != 0 {
		t.Error("scrubbed before it is empty")
	}
	r.key(key.NameReturn)
	r.see("Six digits")
	r.settle()
	if r.ui.scrubIn != 0 {
		t.Errorf("%d frames are still to come", r.ui.scrubIn)
	}
	for _, s := range r.ui.secrets {
		if s.emptied {
			t.Error("nobody saw that the input was emptied")
		}
	}
}
