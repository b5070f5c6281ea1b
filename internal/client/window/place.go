package window

import (
	"image"
	"image/color"

	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// column puts ws below each other, gap apart, each as wide as it wants. A nil
// widget, and one without height, takes no room.
func column(gap unit.Dp, ws ...W) W {
	return func(gtx C) D {
		space, y, width := gtx.Dp(gap), 0, gtx.Constraints.Min.X
		first := true
		for _, w := range ws {
			if w == nil {
				continue
			}
			if !first {
				y += space
			}
			d := at(gtx, image.Pt(0, y), func(gtx C) D {
				gtx.Constraints.Min = image.Point{}
				gtx.Constraints.Max.Y = max(gtx.Constraints.Max.Y-y, 0)
				return w(gtx)
			})
			if d.Size.Y == 0 && !first {
				y -= space
			}
			if d.Size.Y > 0 {
				first = false
			}
			y += d.Size.Y
			width = max(width, d.Size.X)
		}
		return D{Size: image.Pt(width, y)}
	}
}

// at draws w at a place of its own.
func at(gtx C, p image.Point, w W) D {
	defer op.Offset(p).Push(gtx.Ops).Pop()
	return w(gtx)
}

// row puts ws beside each other, as wide as they are, in the middle of its height.
func row(gap unit.Dp, ws ...W) W {
	return func(gtx C) D {
		children := make([]layout.FlexChild, 0, 2*len(ws))
		for _, w := range ws {
			if w == nil {
				continue
			}
			if len(children) > 0 {
				children = append(children, layout.Rigid(layout.Spacer{Width: gap}.Layout))
			}
			children = append(children, layout.Rigid(w))
		}
		gtx.Constraints.Min = image.Point{}
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx, children...)
	}
}

// spread gives left what right leaves, or a line of its own where that is less
// than a third.
func spread(gap unit.Dp, left, right W) W {
	return func(gtx C) D {
		width := gtx.Constraints.Max.X
		r := measure(gtx, width, right)
		l := measure(gtx, width, left)
		free := width - r.X - gtx.Dp(gap)
		if l.X > free && free < width/2 {
			gtx.Constraints.Min.X = 0
			return column(gap, left, right)(gtx)
		}
		gtx.Constraints.Min = image.Pt(width, 0)
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
			rest(left),
			layout.Rigid(layout.Spacer{Width: gap}.Layout),
			layout.Rigid(func(gtx C) D {
				gtx.Constraints.Min = image.Point{}
				return right(gtx)
			}),
		)
	}
}

// wrap puts ws beside each other and goes on below where the width ends.
func wrap(gap unit.Dp, ws ...W) W {
	return func(gtx C) D {
		var p image.Point
		space, width, high := gtx.Dp(gap), gtx.Constraints.Max.X, 0
		used := 0
		for _, w := range ws {
			if w == nil {
				continue
			}
			gtx := gtx
			gtx.Constraints.Min = image.Point{}
			m := op.Record(gtx.Ops)
			d := w(gtx)
			call := m.Stop()
			if p.X > 0 && p.X+d.Size.X > width {
				p = image.Pt(0, p.Y+high+space)
				high = 0
			}
			at(gtx, p, func(gtx C) D { call.Add(gtx.Ops); return d })
			p.X += d.Size.X
			used = max(used, p.X)
			p.X += space
			high = max(high, d.Size.Y)
		}
		return D{Size: image.Pt(used, p.Y+high)}
	}
}

// grid puts ws into as many equal columns as are at least least wide.
func grid(gap, least unit.Dp, ws ...W) W {
	return func(gtx C) D {
		space, width := gtx.Dp(gap), gtx.Constraints.Max.X
		columns := max(1, (width+space)/(gtx.Dp(least)+space))
		columns = min(columns, max(1, len(ws)))
		each := (width - (columns-1)*space) / columns
		y := 0
		for i := 0; i < len(ws); i += columns {
			high := 0
			for j := i; j < min(i+columns, len(ws)); j++ {
				d := at(gtx, image.Pt((j-i)*(each+space), y), func(gtx C) D {
					gtx.Constraints = layout.Constraints{Min: image.Pt(each, 0), Max: image.Pt(each, gtx.Constraints.Max.Y)}
					return ws[j](gtx)
				})
				high = max(high, d.Size.Y)
			}
			y += high + space
		}
		return D{Size: image.Pt(width, max(0, y-space))}
	}
}

// rest is what a Flex has left over, all of it taken by w.
func rest(w W) layout.FlexChild {
	return layout.Flexed(1, func(gtx C) D {
		width := gtx.Constraints.Max.X
		gtx.Constraints.Min = image.Point{}
		d := w(gtx)
		d.Size.X = max(d.Size.X, width)
		return d
	})
}

func inset(v, h unit.Dp, w W) W {
	return func(gtx C) D { return layout.Inset{Top: v, Bottom: v, Left: h, Right: h}.Layout(gtx, w) }
}

// most keeps w from growing wider than width.
func most(width unit.Dp, w W) W {
	return func(gtx C) D {
		gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(width))
		gtx.Constraints.Min.X = min(gtx.Constraints.Min.X, gtx.Constraints.Max.X)
		return w(gtx)
	}
}

// wide makes w as wide as it can be.
func wide(w W) W {
	return func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		return w(gtx)
	}
}

// middle centres w in the width there is.
func middle(w W) W {
	return func(gtx C) D {
		full := gtx.Constraints.Max.X
		gtx.Constraints.Min = image.Point{}
		m := op.Record(gtx.Ops)
		d := w(gtx)
		call := m.Stop()
		at(gtx, image.Pt((full-d.Size.X)/2, 0), func(gtx C) D { call.Add(gtx.Ops); return d })
		return D{Size: image.Pt(full, d.Size.Y)}
	}
}

// surface is a ground for w.
type surface struct {
	fill, border color.NRGBA
	radius       unit.Dp
	v, h         unit.Dp // padding
}

func (s surface) around(w W) W {
	return func(gtx C) D {
		m := op.Record(gtx.Ops)
		d := layout.Inset{Top: s.v, Bottom: s.v, Left: s.h, Right: s.h}.Layout(gtx, w)
		call := m.Stop()
		s.paint(gtx, d.Size)
		call.Add(gtx.Ops)
		return d
	}
}

func (s surface) paint(gtx C, size image.Point) {
	r := gtx.Dp(s.radius)
	shape := clip.UniformRRect(image.Rectangle{Max: size}, r)
	if s.fill.A > 0 {
		paint.FillShape(gtx.Ops, s.fill, shape.Op(gtx.Ops))
	}
	if s.border.A > 0 {
		edge := float32(gtx.Dp(1))
		inner := clip.UniformRRect(image.Rectangle{Max: size}.Inset(0), r)
		paint.FillShape(gtx.Ops, s.border, clip.Stroke{Path: inner.Path(gtx.Ops), Width: edge}.Op())
	}
}

func (u *UI) card(w W) W {
	return wide(surface{fill: u.look.panel, border: u.look.line, radius: 8, v: 16, h: 16}.around(w))
}

// rule is a line across.
func (u *UI) rule(gtx C) D {
	size := image.Pt(gtx.Constraints.Max.X, gtx.Dp(1))
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect{Max: size}.Op())
	return D{Size: size}
}

// dot is a filled circle: the shape beside the word of a state.
func dot(size unit.Dp, c color.NRGBA) W {
	return func(gtx C) D {
		p := image.Pt(gtx.Dp(size), gtx.Dp(size))
		paint.FillShape(gtx.Ops, c, clip.Ellipse{Max: p}.Op(gtx.Ops))
		return D{Size: p}
	}
}

func space(height unit.Dp) W { return layout.Spacer{Height: height}.Layout }
