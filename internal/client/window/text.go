package window

import (
	"image"
	"image/color"

	"gioui.org/font"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/paint"
	"gioui.org/text"
	"gioui.org/unit"
	"gioui.org/widget"
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

// text draws s, wrapped to the width there is; nothing is ever cut short.
func (u *UI) text(gtx C, st style, s string) D {
	if st.size == 0 {
		st.size = sizeBody
	}
	if st.color.A == 0 {
		st.color = u.look.text
	}
	l := widget.Label{Alignment: st.align, LineHeightScale: 1.42}
	if st.mono {
		l.WrapPolicy = text.WrapGraphemes
	}
	return l.Layout(gtx, u.shaper, st.font(), st.size, s, material(gtx.Ops, st.color))
}

func (u *UI) body(s string) W    { return u.label(style{}, s) }
func (u *UI) soft(s string) W    { return u.label(style{color: u.look.soft}, s) }
func (u *UI) caption(s string) W { return u.label(style{size: sizeCaption, color: u.look.faint}, s) }
func (u *UI) strong(s string) W  { return u.label(style{bold: true}, s) }
func (u *UI) mono(s string) W    { return u.label(style{mono: true, size: 13}, s) }

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
