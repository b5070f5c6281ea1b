package window

import (
	"image"
	"image/color"
	"io"
	"strings"

	"gioui.org/io/clipboard"
	"gioui.org/io/event"
	"gioui.org/io/key"
	"gioui.org/io/pointer"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
	"gioui.org/widget"
)

// kind is the weight of a button.
type kind int

const (
	plain kind = iota
	primary
	quiet  // no border: in rows and beside titles
	danger // what destroys
	link   // text in the accent colour
)

// clickable is the state of the button with that name; it lives as long as the window.
func (u *UI) clickable(key string) *widget.Clickable {
	c, ok := u.clicks[key]
	if !ok {
		c = new(widget.Clickable)
		u.clicks[key] = c
	}
	return c
}

// press draws w as something to press, named for those who do not see it, with
// the focus around it; act runs when it was pressed.
func (u *UI) press(key, name string, radius unit.Dp, class semantic.ClassOp, act func(), w W) W {
	c := u.clickable(key)
	return func(gtx C) D {
		for c.Clicked(gtx) {
			if len(u.dialogs) == 0 {
				u.pressed = c
			}
			act()
			gtx.Execute(op.InvalidateCmd{})
		}
		focused := gtx.Focused(c)
		d := c.Layout(gtx, func(gtx C) D {
			class.Add(gtx.Ops)
			semantic.DescriptionOp(name).Add(gtx.Ops)
			if gtx.Enabled() {
				pointer.CursorPointer.Add(gtx.Ops)
			}
			return w(gtx)
		})
		if focused {
			u.ring(gtx, d.Size, radius)
		}
		return d
	}
}

// ring is the visible focus, a little outside of what has it.
func (u *UI) ring(gtx C, size image.Point, radius unit.Dp) {
	out := gtx.Dp(2)
	r := image.Rectangle{Max: size}.Inset(-out)
	shape := clip.UniformRRect(r, gtx.Dp(radius)+out)
	paint.FillShape(gtx.Ops, u.look.accent, clip.Stroke{Path: shape.Path(gtx.Ops), Width: float32(gtx.Dp(2))}.Op())
}

// button is a verb; ic may be "".
func (u *UI) button(key string, k kind, ic icon, label string, act func()) W {
	return func(gtx C) D {
		ink, ground, edge := u.colors(k)
		if u.off(gtx) {
			ink, ground, edge = u.look.faint, u.look.ground, u.look.line
		}
		c := u.clickable(key)
		if c.Hovered() && gtx.Enabled() {
			ground = over(ground, u.look.hover)
		}
		var sign W
		if ic != "" {
			sign = ic.draw(16, ink)
		}
		st := style{color: ink, bold: k == primary || k == danger}
		pad := unit.Dp(14)
		if k == link {
			pad = 4
		}
		face := row(6, sign, u.label(st, label))
		return u.press(key, label, 6, semantic.Button, act, func(gtx C) D {
			gtx.Constraints.Min.Y = max(gtx.Constraints.Min.Y, gtx.Dp(34))
			return block(surface{fill: ground, border: edge, radius: 6, v: 5, h: pad}, k == quiet, face)(gtx)
		})(gtx)
	}
}

// off tells whether what is drawn is to look as if it cannot be pressed. What
// sleeps below a dialog keeps its looks.
func (u *UI) off(gtx C) bool { return !gtx.Enabled() && !u.below }

// block is a surface at least as large as it must be, with w in its middle or at
// its left.
func block(s surface, left bool, w W) W {
	return func(gtx C) D {
		least := gtx.Constraints.Min
		m := op.Record(gtx.Ops)
		gtx.Constraints.Min = image.Point{}
		d := layout.Inset{Top: s.v, Bottom: s.v, Left: s.h, Right: s.h}.Layout(gtx, w)
		call := m.Stop()
		size := image.Pt(max(least.X, d.Size.X), max(least.Y, d.Size.Y))
		s.paint(gtx, size)
		p := size.Sub(d.Size).Div(2)
		if left {
			p.X = 0
		}
		return at(gtx, p, func(gtx C) D {
			call.Add(gtx.Ops)
			return D{Size: size}
		})
	}
}

func (u *UI) colors(k kind) (ink, ground, edge color.NRGBA) {
	l := u.look
	switch k {
	case primary:
		return l.onAccent, u.look.mark, color.NRGBA{}
	case danger:
		return rgb(0xffffff), l.badSolid, color.NRGBA{}
	case quiet:
		return l.text, color.NRGBA{}, color.NRGBA{}
	case link:
		return l.accentText, color.NRGBA{}, color.NRGBA{}
	default:
		return l.text, l.panel, fade(l.strong, .55)
	}
}

// over lays a translucent colour on another.
func over(under, c color.NRGBA) color.NRGBA {
	if under.A == 0 {
		return c
	}
	a := uint32(c.A)
	mix := func(x, y uint8) uint8 { return uint8((uint32(x)*(255-a) + uint32(y)*a) / 255) }
	return color.NRGBA{R: mix(under.R, c.R), G: mix(under.G, c.G), B: mix(under.B, c.B), A: under.A}
}

// sign is a button that is an icon alone.
func (u *UI) sign(key string, ic icon, name string, act func()) W {
	return func(gtx C) D {
		ground := color.NRGBA{}
		if u.clickable(key).Hovered() {
			ground = u.look.hover
		}
		return u.press(key, name, 6, semantic.Button, act, func(gtx C) D {
			return surface{fill: ground, radius: 6, v: 7, h: 7}.around(ic.draw(18, u.look.soft))(gtx)
		})(gtx)
	}
}

// copier puts a text on the clipboard and says that it did.
func (u *UI) copier(key, name, value string) W {
	return func(gtx C) D {
		ic, c := iconCopy, u.look.faint
		if u.copied == key {
			ic, c = iconCheck, u.look.good
		}
		return u.press(key, u.say("copy.what", "what", name), 4, semantic.Button, func() {
			gtx.Execute(clipboard.WriteCmd{Type: "application/text", Data: io.NopCloser(strings.NewReader(value))})
			u.copied = key
		}, inset(2, 4, ic.draw(16, c)))(gtx)
	}
}

// toggle is a switch with its name and what it does.
func (u *UI) toggle(key, label, about string, on bool, act func(bool)) W {
	knob := u.press(key, label, 11, semantic.Switch, func() { act(!on) }, func(gtx C) D {
		semantic.SelectedOp(on).Add(gtx.Ops)
		return u.knob(gtx, on)
	})
	return func(gtx C) D {
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
			rest(column(2, u.body(label), u.captionOrNil(about))),
			layout.Rigid(layout.Spacer{Width: 16}.Layout),
			layout.Rigid(knob),
		)
	}
}

func (u *UI) knob(gtx C, on bool) D {
	size := image.Pt(gtx.Dp(40), gtx.Dp(22))
	ground := u.look.strong
	x := gtx.Dp(3)
	if on {
		ground, x = u.look.mark, size.X-gtx.Dp(19)
	}
	if u.off(gtx) {
		ground = fade(ground, .45)
	}
	paint.FillShape(gtx.Ops, ground, clip.UniformRRect(image.Rectangle{Max: size}, size.Y/2).Op(gtx.Ops))
	at(gtx, image.Pt(x, gtx.Dp(3)), dot(16, rgb(0xffffff)))
	return D{Size: size}
}

func (u *UI) captionOrNil(s string) W {
	if s == "" {
		return nil
	}
	return u.label(style{size: 13, color: u.look.soft}, s)
}

// tick is a box to tick, with its sentence.
func (u *UI) tick(key, label string, on bool, act func(bool)) W {
	return u.press(key, label, 4, semantic.CheckBox, func() { act(!on) }, func(gtx C) D {
		semantic.SelectedOp(on).Add(gtx.Ops)
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(inset(2, 0, u.box(on))),
			layout.Rigid(layout.Spacer{Width: 10}.Layout),
			rest(u.body(label)),
		)
	})
}

func (u *UI) box(on bool) W {
	return func(gtx C) D {
		s := surface{border: u.look.strong, radius: 4}
		if on {
			s = surface{fill: u.look.mark, radius: 4}
		}
		size := image.Pt(gtx.Dp(18), gtx.Dp(18))
		s.paint(gtx, size)
		if on {
			at(gtx, image.Pt(gtx.Dp(2), gtx.Dp(2)), iconCheck.stroke(14, 3, rgb(0xffffff)))
		}
		return D{Size: size}
	}
}

// segments is a choice of one among few.
func (u *UI) segments(key string, options []Option, current string, act func(string)) W {
	ws := make([]W, len(options))
	for i, o := range options {
		ws[i] = u.segment(key+":"+o.Value, o, o.Value == current, act)
	}
	return func(gtx C) D {
		return surface{fill: u.look.ground, border: u.look.line, radius: 8, v: 3, h: 3}.around(wrap(2, ws...))(gtx)
	}
}

func (u *UI) segment(key string, o Option, on bool, act func(string)) W {
	return u.press(key, o.Label, 6, semantic.RadioButton, func() { act(o.Value) }, func(gtx C) D {
		semantic.SelectedOp(on).Add(gtx.Ops)
		s, st := surface{radius: 6, v: 5, h: 12}, style{color: u.look.soft, size: 13}
		if on {
			s.fill, s.border = u.look.raised, u.look.line
			st.color, st.bold = u.look.accentText, true
		}
		return s.around(u.label(st, o.Label))(gtx)
	})
}

// editor is the state of the input with that name.
func (u *UI) editor(key string) *widget.Editor {
	e, ok := u.editors[key]
	if !ok {
		e = &widget.Editor{SingleLine: true, Submit: true}
		u.editors[key] = e
	}
	return e
}

// input is a line of text to fill in; done runs on Enter.
func (u *UI) input(key, label, hint string, done func()) W {
	e := u.editor(key)
	return func(gtx C) D {
		for {
			ev, ok := e.Update(gtx)
			if !ok {
				break
			}
			if _, ok := ev.(widget.SubmitEvent); ok && done != nil {
				done()
				gtx.Execute(op.InvalidateCmd{})
			}
		}
		return column(6, u.label(style{size: 13, bold: true}, label), u.frame(label, gtx.Focused(e), func(gtx C) D {
			return u.editing(gtx, e, hint)
		}))(gtx)
	}
}

func (u *UI) editing(gtx C, e *widget.Editor, hint string) D {
	gtx.Constraints.Min.X = gtx.Constraints.Max.X
	if e.Len() == 0 && hint != "" {
		m := op.Record(gtx.Ops)
		d := widget.Label{MaxLines: 1}.Layout(gtx, u.shaper, style{}.font(), sizeBody, hint, material(gtx.Ops, u.look.faint))
		call := m.Stop()
		call.Add(gtx.Ops)
		gtx.Constraints.Min.Y = d.Size.Y
	}
	return e.Layout(gtx, u.shaper, style{}.font(), sizeBody, material(gtx.Ops, u.look.text), material(gtx.Ops, u.look.selection))
}

// frame is the border of an input.
func (u *UI) frame(name string, focused bool, w W) W {
	return func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		m := op.Record(gtx.Ops)
		d := layout.Inset{Top: 8, Bottom: 8, Left: 12, Right: 12}.Layout(gtx, w)
		call := m.Stop()
		surface{fill: u.look.panel, border: u.look.strong, radius: 6}.paint(gtx, d.Size)
		area := clip.Rect{Max: d.Size}.Push(gtx.Ops)
		semantic.DescriptionOp(name).Add(gtx.Ops)
		pointer.CursorText.Add(gtx.Ops)
		call.Add(gtx.Ops)
		area.Pop()
		if focused {
			u.ring(gtx, d.Size, 6)
		}
		return d
	}
}

// pill is a state: a shape and a word.
func (u *UI) pill(c color.NRGBA, word string) W {
	return row(6, dot(8, c), u.label(style{size: 13, color: c, bold: true}, word))
}

// banner says something above a page.
func (u *UI) banner(level Level, title, about string, acts ...W) W {
	ic, ink, ground := iconInfo, u.look.accentText, u.look.accentSoft
	switch level {
	case Warning:
		ic, ink, ground = iconWarning, u.look.warn, u.look.warnSoft
	case Severe:
		ic, ink, ground = iconWarning, u.look.bad, u.look.badSoft
	}
	var more W
	if about != "" {
		more = u.label(style{size: 13, color: u.look.soft}, about)
	}
	var below W
	if len(acts) > 0 {
		below = wrap(8, acts...)
	}
	return wide(surface{fill: ground, border: fade(ink, .25), radius: 8, v: 12, h: 14}.around(func(gtx C) D {
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(ic.draw(20, ink)),
			layout.Rigid(layout.Spacer{Width: 10}.Layout),
			rest(column(6, u.label(style{bold: true}, title), more, below)),
		)
	}))
}

// problem shows an error to a person.
func (u *UI) problem(err error, acts ...W) W {
	p := u.explain(err)
	about := p.Remedy
	if p.Code != "" {
		about = strings.TrimSpace(about + "\n" + u.say("error.code", "code", p.Code))
	}
	return u.banner(Severe, p.Cause, about, acts...)
}

// facts are names and values beside each other, or below where it is narrow.
type fact struct {
	name  string
	value string
	mono  bool
	copy  bool
}

func (u *UI) facts(key string, all ...fact) W {
	ws := make([]W, 0, len(all))
	for _, f := range all {
		if f.value == "" {
			continue
		}
		ws = append(ws, u.fact(key+":"+f.name, f))
	}
	return column(10, ws...)
}

func (u *UI) fact(key string, f fact) W {
	st := style{mono: f.mono}
	if f.mono {
		st.size = 13
	}
	var act W
	if f.copy {
		act = u.copier(key, f.name, f.value)
	}
	value := func(gtx C) D {
		if act == nil {
			return u.text(gtx, st, f.value)
		}
		beside := gtx.Dp(24)
		return layout.Flex{Alignment: layout.Start}.Layout(gtx,
			layout.Rigid(func(gtx C) D {
				gtx.Constraints.Max.X = max(0, gtx.Constraints.Max.X-beside)
				return u.text(gtx, st, f.value)
			}),
			layout.Rigid(act),
		)
	}
	name := u.label(style{size: 13, color: u.look.soft}, f.name)
	return func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		if gtx.Constraints.Max.X < gtx.Dp(320) {
			return column(1, name, value)(gtx)
		}
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Dp(132)
				gtx.Constraints.Max.X = gtx.Dp(132)
				return name(gtx)
			}),
			layout.Rigid(layout.Spacer{Width: 12}.Layout),
			rest(value),
		)
	}
}

// scroll is a page that may be longer than the window: blocks below each other,
// moved by wheel, by touch, and by the keys that move pages.
func (u *UI) scroll(key string, width unit.Dp, gap unit.Dp, blocks ...W) W {
	return u.scrolled(key, true, width, gap, blocks...)
}

// scrolled is scroll that leaves the keys to another page beside it.
func (u *UI) scrolled(key string, keys bool, width unit.Dp, gap unit.Dp, blocks ...W) W {
	list, ok := u.lists[key]
	if !ok {
		list = &layout.List{Axis: layout.Vertical}
		u.lists[key] = list
	}
	kept := blocks[:0:0]
	for _, b := range blocks {
		if b != nil {
			kept = append(kept, b)
		}
	}
	return func(gtx C) D {
		if keys {
			u.keys(gtx, list)
		}
		gtx.Constraints.Min = gtx.Constraints.Max
		pad := u.margin(gtx)
		d := list.Layout(gtx, len(kept), func(gtx C, i int) D {
			top, bottom := unit.Dp(0), gap
			if i == 0 {
				top = pad
			}
			if i == len(kept)-1 {
				bottom = pad + 8
			}
			return layout.Inset{Top: top, Bottom: bottom, Left: pad, Right: pad}.Layout(gtx, centred(width, kept[i]))
		})
		u.bar(gtx, list, len(kept), d.Size)
		return d
	}
}

// centred gives w the middle of the page, at most width wide.
func centred(width unit.Dp, w W) W {
	return func(gtx C) D {
		full := gtx.Constraints.Max.X
		own := min(full, gtx.Dp(width))
		d := at(gtx, image.Pt((full-own)/2, 0), func(gtx C) D {
			gtx.Constraints = layout.Constraints{Max: image.Pt(own, gtx.Constraints.Max.Y)}
			return w(gtx)
		})
		return D{Size: image.Pt(full, d.Size.Y)}
	}
}

func (u *UI) margin(gtx C) unit.Dp {
	if gtx.Constraints.Max.X < gtx.Dp(480) {
		return 16
	}
	return 24
}

// keys moves the page where no input takes the key.
func (u *UI) keys(gtx C, list *layout.List) {
	if u.typing(gtx) {
		return
	}
	page := gtx.Constraints.Max.Y * 9 / 10
	line := gtx.Dp(48)
	for {
		ev, ok := gtx.Event(
			key.Filter{Name: key.NameUpArrow}, key.Filter{Name: key.NameDownArrow},
			key.Filter{Name: key.NamePageUp}, key.Filter{Name: key.NamePageDown},
			key.Filter{Name: key.NameHome}, key.Filter{Name: key.NameEnd},
		)
		if !ok {
			return
		}
		k, ok := ev.(key.Event)
		if !ok || k.State != key.Press {
			continue
		}
		switch k.Name {
		case key.NameUpArrow:
			list.Position.Offset -= line
		case key.NameDownArrow:
			list.Position.Offset += line
		case key.NamePageUp:
			list.Position.Offset -= page
		case key.NamePageDown:
			list.Position.Offset += page
		case key.NameHome:
			list.Position = layout.Position{}
		case key.NameEnd:
			list.Position.First, list.Position.Offset = 1<<30, 0
		}
		list.Position.BeforeEnd = true
	}
}

// typing tells whether an input has the focus.
func (u *UI) typing(gtx C) bool {
	for _, e := range u.editors {
		if gtx.Focused(e) {
			return true
		}
	}
	for _, s := range u.secrets {
		if gtx.Focused(s) {
			return true
		}
	}
	return false
}

// bar shows how far a page of n blocks was moved; it is not for dragging.
func (u *UI) bar(gtx C, list *layout.List, n int, size image.Point) {
	p := list.Position
	if p.Length <= size.Y || n == 0 {
		return
	}
	shown := float32(size.Y) / float32(p.Length)
	from := (float32(p.First)*float32(p.Length)/float32(n) + float32(p.Offset)) / float32(p.Length-size.Y)
	if !p.BeforeEnd {
		from = 1
	}
	high := max(gtx.Dp(28), int(shown*float32(size.Y)))
	y := int(min(max(from, 0), 1) * float32(size.Y-high))
	r := image.Rect(size.X-gtx.Dp(7), y+gtx.Dp(2), size.X-gtx.Dp(3), y+high-gtx.Dp(2))
	paint.FillShape(gtx.Ops, fade(u.look.strong, .6), clip.UniformRRect(r, gtx.Dp(2)).Op(gtx.Ops))
}

// area takes all pointer events of a region, so that what is below gets none.
func area(gtx C, tag event.Tag, name string, size image.Point) {
	defer clip.Rect{Max: size}.Push(gtx.Ops).Pop()
	semantic.DescriptionOp(name).Add(gtx.Ops)
	event.Op(gtx.Ops, tag)
	for {
		if _, ok := gtx.Event(pointer.Filter{Target: tag, Kinds: pointer.Press | pointer.Release | pointer.Scroll}); !ok {
			return
		}
	}
}
