package window

import (
	"image"
	"image/color"

	"gioui.org/f32"
	"gioui.org/font"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/text"
	"gioui.org/unit"
	"golang.org/x/image/math/fixed"
)

// Aliases that keep layouts readable.
type (
	C = layout.Context
	D = layout.Dimensions
	W = layout.Widget
)

// The type scale, in scaled pixels.
const (
	sizeCaption unit.Sp = 12
	sizeBody    unit.Sp = 14
	sizeLead    unit.Sp = 16
	sizeTitle   unit.Sp = 20
	sizeDisplay unit.Sp = 26
)

// style is how a text looks. Its zero is body text.
type style struct {
	size  unit.Sp
	bold  bool
	mono  bool // addresses, keys and ids; breaks anywhere
	color color.NRGBA
	align text.Alignment
}

func (s style) font() font.Font {
	f := font.Font{Typeface: faceSans}
	if s.mono {
		f.Typeface = faceMono
	}
	if s.bold {
		f.Weight = font.Bold
	}
	return f
}

// lineScale is the distance of two lines, in sizes of the letters.
const lineScale = 1.42

// overhang is how far glyphs may reach out of their text.
const overhang unit.Dp = 3

// text draws s, wrapped to the width there is; nothing is ever cut short. It is
// told to those who do not see it as one label, exactly where it stands.
func (u *UI) text(gtx C, st style, s string) D {
	st = st.whole(u.look)
	policy := text.WrapHeuristically
	if st.mono {
		policy = text.WrapGraphemes
	}
	u.shaper.LayoutString(text.Parameters{
		Font: st.font(), PxPerEm: fixed.I(gtx.Sp(st.size)), Alignment: st.align, WrapPolicy: policy, Locale: gtx.Locale,
		MinWidth: gtx.Constraints.Min.X, MaxWidth: gtx.Constraints.Max.X, LineHeightScale: lineScale,
	}, s)
	m := op.Record(gtx.Ops)
	paint.ColorOp{Color: st.color}.Add(gtx.Ops)
	size := u.glyphs(gtx.Ops)
	call := m.Stop()
	size.X = max(size.X, gtx.Constraints.Min.X)
	frame := image.Rectangle{Max: size}.Inset(-gtx.Dp(overhang))
	defer clip.Rect(frame).Push(gtx.Ops).Pop()
	semantic.LabelOp(s).Add(gtx.Ops)
	call.Add(gtx.Ops)
	return D{Size: size}
}

// whole fills in what a style leaves to the usual.
func (s style) whole(look *palette) style {
	if s.size == 0 {
		s.size = sizeBody
	}
	if s.color.A == 0 {
		s.color = look.text
	}
	return s
}

// glyphs draws what the shaper has laid out, line by line, and returns its size.
func (u *UI) glyphs(ops *op.Ops) (size image.Point) {
	var line []text.Glyph
	for g, ok := u.shaper.NextGlyph(); ok; g, ok = u.shaper.NextGlyph() {
		line = append(line, g)
		size.X = max(size.X, (g.X + g.Advance).Ceil())
		size.Y = max(size.Y, int(g.Y)+g.Descent.Ceil())
		if g.Flags&text.FlagLineBreak != 0 {
			u.shape(ops, line)
			line = line[:0]
		}
	}
	if len(line) > 0 {
		u.shape(ops, line)
	}
	return size
}

func (u *UI) shape(ops *op.Ops, line []text.Glyph) {
	at := f32.Pt(float32(line[0].X)/64, float32(line[0].Y))
	defer op.Affine(f32.AffineId().Offset(at)).Push(ops).Pop()
	defer clip.Outline{Path: u.shaper.Shape(line)}.Op().Push(ops).Pop()
	paint.PaintOp{}.Add(ops)
}

func (u *UI) body(s string) W    { return u.label(style{}, s) }
func (u *UI) soft(s string) W    { return u.label(style{color: u.look.soft}, s) }
func (u *UI) caption(s string) W { return u.label(style{size: sizeCaption, color: u.look.faint}, s) }
func (u *UI) strong(s string) W  { return u.label(style{bold: true}, s) }

func (u *UI) heading(s string) W { return u.label(style{size: sizeLead, bold: true}, s) }
func (u *UI) title(s string) W   { return u.label(style{size: sizeTitle, bold: true}, s) }

func (u *UI) label(st style, s string) W {
	return func(gtx C) D { return u.text(gtx, st, s) }
}

func material(ops *op.Ops, c color.NRGBA) op.CallOp {
	m := op.Record(ops)
	paint.ColorOp{Color: c}.Add(ops)
	return m.Stop()
}

// measure is how large w is where width pixels are free, without drawing it.
func measure(gtx C, width int, w W) image.Point {
	m := op.Record(gtx.Ops)
	gtx.Constraints = layout.Constraints{Max: image.Pt(width, 1e6)}
	d := w(gtx.Disabled())
	m.Stop()
	return d.Size
}
