package window

import (
	"image"
	"image/color"
	"strconv"
	"strings"

	"gioui.org/f32"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// icon is a drawing in lines on a field of 24 by 24: M and L take a point, Q two,
// C three, Z closes.
type icon string

// The icons.
const (
	iconLinks   icon = "M4 8 L20 8 M4 8 Q4 5 7 5 L17 5 Q20 5 20 8 L20 16 Q20 19 17 19 L7 19 Q4 19 4 16 Z M8 13.5 L12 13.5"
	iconBell    icon = "M6 16.5 L6 11 Q6 5 12 5 Q18 5 18 11 L18 16.5 L19.5 18 L4.5 18 Z M10.5 20.5 Q12 21.6 13.5 20.5"
	iconLog     icon = "M6 4 L15 4 L19 8 L19 20 L6 20 Z M9 11 L15.5 11 M9 15 L15.5 15"
	iconPulse   icon = "M3 13 L7.5 13 L10 6 L14 19 L16.5 13 L21 13"
	iconPerson  icon = "M12 12 Q8.4 12 8.4 8 Q8.4 4 12 4 Q15.6 4 15.6 8 Q15.6 12 12 12 Z M4.5 20 Q4.5 15 12 15 Q19.5 15 19.5 20"
	iconShield  icon = "M12 3.5 L19 6 L19 11.5 Q19 17.5 12 20.5 Q5 17.5 5 11.5 L5 6 Z M9 11.8 L11.3 14.2 L15.3 9.6"
	iconGear    icon = "M4 7 L13 7 M17 7 L20 7 M15 5 L15 9 M4 12 L7 12 M11 12 L20 12 M9 10 L9 14 M4 17 L12 17 M16 17 L20 17 M14 15 L14 19"
	iconInfo    icon = "M12 3.5 Q20.5 3.5 20.5 12 Q20.5 20.5 12 20.5 Q3.5 20.5 3.5 12 Q3.5 3.5 12 3.5 Z M12 11 L12 16.5 M12 7.4 L12 7.8"
	iconPolicy  icon = "M6 3.5 L18 3.5 L18 20.5 L6 20.5 Z M9 8 L15 8 M9 12 L15 12 M9 16 L12.5 16"
	iconMenu    icon = "M4 7 L20 7 M4 12 L20 12 M4 17 L20 17"
	iconBack    icon = "M14.5 5.5 L8 12 L14.5 18.5"
	iconForward icon = "M9.5 5.5 L16 12 L9.5 18.5"
	iconClose   icon = "M6 6 L18 18 M18 6 L6 18"
	iconCopy    icon = "M9 9 L19 9 L19 20 L9 20 Z M15 9 L15 4 L5 4 L5 15 L9 15"
	iconCheck   icon = "M5 12.5 L10 17.5 L19 7"
	iconPlus    icon = "M12 5 L12 19 M5 12 L19 12"
	iconDown    icon = "M12 5 L12 18 M6.5 12.8 L12 18.3 L17.5 12.8"
	iconUp      icon = "M12 19 L12 6 M6.5 11.2 L12 5.7 L17.5 11.2"
	iconFolder  icon = "M3.5 19 L3.5 6 L10 6 L12 8.5 L20.5 8.5 L20.5 19 Z"
	iconFile    icon = "M6 3.5 L14 3.5 L18.5 8 L18.5 20.5 L6 20.5 Z M14 3.5 L14 8 L18.5 8"
	iconPower   icon = "M12 4 L12 12 M8 6.2 Q4.5 8.2 4.5 12.4 Q4.8 19.6 12 19.8 Q19.2 19.6 19.5 12.4 Q19.5 8.2 16 6.2"
	iconEye     icon = "M3 12 Q7 6 12 6 Q17 6 21 12 Q17 18 12 18 Q7 18 3 12 Z M12 14.6 Q9.4 14.6 9.4 12 Q9.4 9.4 12 9.4 Q14.6 9.4 14.6 12 Q14.6 14.6 12 14.6 Z"
	iconOut     icon = "M13 5 L19 5 L19 11 M19 5 L11 13 M17 14 L17 19 L5 19 L5 7 L10 7"
	iconWarning icon = "M12 4.5 L21 19.5 L3 19.5 Z M12 10 L12 14.5 M12 16.8 L12 17.2"
	iconTrash   icon = "M5 7 L19 7 M9.5 7 L9.5 4.5 L14.5 4.5 L14.5 7 M7 7 L7.8 20 L16.2 20 L17 7"
	iconRefresh icon = "M19 5 L19 10 L14 10 M18.6 10 Q16.5 5.5 12 5.5 Q5.5 5.5 5.5 12 Q5.5 18.5 12 18.5 Q16.4 18.5 18.4 14.8"
)

// spaced parts letters from their numbers.
var spaced = strings.NewReplacer("M", " M ", "L", " L ", "Q", " Q ", "C", " C ", "Z", " Z ")

// path draws ic, scaled to unit pixels for each of the field's.
func (ic icon) path(ops *op.Ops, scale float32) clip.PathSpec {
	var b clip.Path
	b.Begin(ops)
	words := strings.Fields(spaced.Replace(string(ic)))
	for i := 0; i < len(words); {
		n := map[string]int{"M": 1, "L": 1, "Q": 2, "C": 3}[words[i]]
		var p [3]f32.Point
		for j := range n {
			p[j] = f32.Pt(number(words[i+1+2*j]), number(words[i+2+2*j])).Mul(scale)
		}
		switch words[i] {
		case "M":
			b.MoveTo(p[0])
		case "L":
			b.LineTo(p[0])
		case "Q":
			b.QuadTo(p[0], p[1])
		case "C":
			b.CubeTo(p[0], p[1], p[2])
		case "Z":
			b.Close()
		}
		i += 1 + 2*n
	}
	return b.End()
}

func number(s string) float32 {
	f, err := strconv.ParseFloat(s, 32)
	if err != nil {
		panic(err) // the icons are part of the program; a test draws them all
	}
	return float32(f)
}

func (ic icon) draw(size unit.Dp, c color.NRGBA) W { return ic.stroke(size, 1.7, c) }

func (ic icon) stroke(size unit.Dp, width float32, c color.NRGBA) W {
	return func(gtx C) D {
		px := gtx.Dp(size)
		scale := float32(px) / 24
		shape := clip.Stroke{Path: ic.path(gtx.Ops, scale), Width: width * scale}.Op()
		paint.FillShape(gtx.Ops, c, shape)
		return D{Size: image.Pt(px, px)}
	}
}

// The mark: two piers and one arc, as console/public/mark.svg has it on a field
// of 32 by 32, and its rounded ground.
const markLines icon = "M5 21.5 C9.5 9 22.5 9 27 21.5 M11 13.6 L11 25.6 M21 13.6 L21 25.6"

// mark draws the mark of the product.
func (u *UI) mark(size unit.Dp) W {
	return func(gtx C) D {
		px := gtx.Dp(size)
		scale := float32(px) / 32
		field := image.Rectangle{Max: image.Pt(px, px)}
		paint.FillShape(gtx.Ops, u.look.mark, clip.UniformRRect(field, int(7*scale)).Op(gtx.Ops))
		lines := clip.Stroke{Path: markLines.path(gtx.Ops, scale), Width: 2.6 * scale}.Op()
		paint.FillShape(gtx.Ops, rgb(0xffffff), lines)
		return D{Size: field.Max}
	}
}

// brand is the mark and the name beside it.
func (u *UI) brand() W {
	return row(10, u.mark(28), u.label(style{size: sizeLead, bold: true}, u.say("brand")))
}
