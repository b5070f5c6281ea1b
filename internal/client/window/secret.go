package window

import (
	"image"
	"io"
	"unicode/utf8"

	"gioui.org/io/clipboard"
	"gioui.org/io/event"
	"gioui.org/io/key"
	"gioui.org/io/pointer"
	"gioui.org/io/semantic"
	"gioui.org/io/transfer"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
)

// maxSecret is as long as a password may be, in bytes.
const maxSecret = 256

// secret is an input for a password. Unlike a usual editor it keeps no history,
// gives the input method no context, can be pasted into but not copied from, and
// what was typed lies in one place that Zero overwrites.
type secret struct {
	typed [maxSecret]byte
	n     int
	// emptied: something was typed, and is overwritten; see scrubs.
	emptied bool
}

// take returns a copy of what was typed and overwrites it.
func (s *secret) take() []byte {
	out := append([]byte(nil), s.typed[:s.n]...)
	s.zero()
	return out
}

func (s *secret) zero() {
	clear(s.typed[:])
	s.emptied = s.emptied || s.n > 0
	s.n = 0
}

func (s *secret) insert(t string) {
	for _, r := range t {
		if r < ' ' || s.n+utf8.RuneLen(r) > maxSecret {
			continue
		}
		s.n += utf8.EncodeRune(s.typed[s.n:], r)
	}
}

func (s *secret) backspace() {
	if s.n == 0 {
		return
	}
	_, size := utf8.DecodeLastRune(s.typed[:s.n])
	clear(s.typed[s.n-size : s.n])
	s.n -= size
}

// paste inserts what the clipboard has, up to the first line's end.
func (s *secret) paste(from io.ReadCloser) {
	defer from.Close()
	buf := make([]byte, maxSecret)
	defer clear(buf)
	n, _ := io.ReadFull(from, buf) // a short read is what most passwords are
	for i, b := range buf[:n] {
		if b == '\r' || b == '\n' {
			n = i
			break
		}
	}
	for b := buf[:n]; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		if r != utf8.RuneError && r >= ' ' && s.n+size <= maxSecret {
			s.n += copy(s.typed[s.n:], b[:size])
		}
		b = b[size:]
	}
}

// update takes what was typed since the last frame and says whether Enter was.
func (s *secret) update(gtx C) (submitted bool) {
	for {
		ev, ok := gtx.Event(
			key.FocusFilter{Target: s},
			transfer.TargetFilter{Target: s, Type: "application/text"},
			pointer.Filter{Target: s, Kinds: pointer.Press},
			key.Filter{Focus: s, Name: key.NameReturn}, key.Filter{Focus: s, Name: key.NameEnter},
			key.Filter{Focus: s, Name: key.NameDeleteBackward, Optional: key.ModShortcutAlt | key.ModShift},
			key.Filter{Focus: s, Name: "V", Required: key.ModShortcut},
			key.Filter{Focus: s, Name: "U", Required: key.ModCtrl},
		)
		if !ok {
			return submitted
		}
		switch ev := ev.(type) {
		case key.EditEvent:
			s.insert(ev.Text)
		case transfer.DataEvent:
			s.paste(ev.Open())
		case pointer.Event:
			gtx.Execute(key.FocusCmd{Tag: s})
		case key.Event:
			submitted = s.key(gtx, ev) || submitted
		}
	}
}

func (s *secret) key(gtx C, ev key.Event) (submitted bool) {
	if ev.State != key.Press {
		return false
	}
	switch ev.Name {
	case key.NameReturn, key.NameEnter:
		return true
	case key.NameDeleteBackward:
		s.backspace()
	case "V":
		gtx.Execute(clipboard.ReadCmd{Tag: s})
	case "U":
		s.zero()
	}
	return false
}

// secret is the input for a password with that name.
func (u *UI) secret(key string) *secret {
	s, ok := u.secrets[key]
	if !ok {
		s = new(secret)
		u.secrets[key] = s
	}
	return s
}

// password is a labelled secret; done runs on Enter.
func (u *UI) password(name, label string, done func()) W {
	s := u.secret(name)
	return func(gtx C) D {
		if s.update(gtx) && done != nil {
			done()
			gtx.Execute(op.InvalidateCmd{})
		}
		focused := gtx.Focused(s)
		return column(6, u.label(style{size: 13, bold: true}, label), u.frame(label, focused, func(gtx C) D {
			return u.dots(gtx, s, label, focused)
		}))(gtx)
	}
}

// dots draws one for each character typed, the caret behind them.
func (u *UI) dots(gtx C, s *secret, label string, focused bool) D {
	line := measure(gtx, gtx.Constraints.Max.X, u.body("0")).Y
	size := image.Pt(gtx.Constraints.Max.X, line)
	defer clip.Rect{Max: size}.Push(gtx.Ops).Pop()
	semantic.Editor.Add(gtx.Ops)
	semantic.DescriptionOp(label).Add(gtx.Ops)
	event.Op(gtx.Ops, s)
	key.InputHintOp{Tag: s, Hint: key.HintPassword}.Add(gtx.Ops)
	step, x := gtx.Dp(11), 0
	for range utf8.RuneCount(s.typed[:s.n]) {
		at(gtx, image.Pt(x, (line-gtx.Dp(7))/2), dot(7, u.look.text))
		x += step
	}
	if focused {
		caret := image.Rect(x, line/8, x+max(1, gtx.Dp(1)), line*7/8)
		paint.FillShape(gtx.Ops, u.look.accent, clip.Rect(caret).Op())
	}
	return D{Size: size}
}
