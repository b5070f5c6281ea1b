package window

import (
	"image"
	"image/color"

	"gioui.org/f32"
	"gioui.org/io/semantic"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// points are as many seconds as the chart shows.
const points = 60

// chart draws the rates of the last minute, newest at the right.
func (u *UI) chart(in, out []float64, height unit.Dp) W {
	return func(gtx C) D {
		size := image.Pt(gtx.Constraints.Max.X, gtx.Dp(height))
		top := ceiling(max(highest(in), highest(out)))
		defer clip.Rect{Max: size}.Push(gtx.Ops).Pop()
		semantic.DescriptionOp(u.say("chart.about", "in", rate(last(in)), "out", rate(last(out)))).Add(gtx.Ops)
		for i := range 3 {
			y := i * (size.Y - gtx.Dp(1)) / 2
			paint.FillShape(gtx.Ops, u.look.line, clip.Rect(image.Rect(0, y, size.X, y+max(1, gtx.Dp(1)))).Op())
		}
		u.curve(gtx, in, top, size, u.look.incoming)
		u.curve(gtx, out, top, size, u.look.outgoing)
		return D{Size: size}
	}
}

// curve fills below a line faintly and draws the line.
func (u *UI) curve(gtx C, rates []float64, top float64, size image.Point, c color.NRGBA) {
	rates = rates[max(0, len(rates)-points):]
	if len(rates) < 2 {
		return
	}
	step := float32(size.X) / (points - 1)
	from := float32(size.X) - step*float32(len(rates)-1)
	pad := float32(gtx.Dp(2))
	place := func(i int) f32.Point {
		part := float32(min(max(rates[i]/top, 0), 1))
		return f32.Pt(from+step*float32(i), float32(size.Y)-pad-part*(float32(size.Y)-2*pad))
	}
	var ground clip.Path
	ground.Begin(gtx.Ops)
	ground.MoveTo(f32.Pt(from, float32(size.Y)))
	for i := range rates {
		ground.LineTo(place(i))
	}
	ground.LineTo(f32.Pt(float32(size.X), float32(size.Y)))
	ground.Close()
	paint.FillShape(gtx.Ops, fade(c, .12), clip.Outline{Path: ground.End()}.Op())

	var line clip.Path
	line.Begin(gtx.Ops)
	line.MoveTo(place(0))
	for i := 1; i < len(rates); i++ {
		line.LineTo(place(i))
	}
	paint.FillShape(gtx.Ops, c, clip.Stroke{Path: line.End(), Width: float32(gtx.Dp(2))}.Op())
}

func highest(all []float64) (top float64) {
	for _, r := range all[max(0, len(all)-points):] {
		top = max(top, r)
	}
	return top
}

func last(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]
}

// ceiling is the next of 1, 2 and 5 times a power of ten, so that the axis has a
// round end and does not move with every point.
func ceiling(top float64) float64 {
	for scale := 1000.0; ; scale *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if top <= m*scale {
				return m * scale
			}
		}
	}
}
