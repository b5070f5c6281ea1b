package window

import (
	"image"
	"strings"
	"unicode"

	"gioui.org/layout"
	"gioui.org/text"
	"gioui.org/unit"
	"golang.org/x/image/math/fixed"
)

// item hangs a paragraph beside its bullet or number.
func (u *UI) item(p passage, w W) W {
	return func(gtx C) D {
		return layout.Inset{Left: unit.Dp(18 * (p.depth - 1))}.Layout(gtx, func(gtx C) D {
			return layout.Flex{}.Layout(gtx,
				layout.Rigid(func(gtx C) D {
					gtx.Constraints.Min.X = gtx.Dp(20)
					if p.marker == "" {
						return D{Size: gtx.Constraints.Min}
					}
					return u.text(gtx, style{color: u.look.soft}, p.marker)
				}),
				rest(w),
			)
		})
	}
}

// piece is what no line may be broken inside of.
type piece struct {
	text  string
	bold  bool
	width fixed.Int26_6
	blank bool // space, which a line may end with and does not begin with
}

// flow sets spans of different weight as one paragraph.
func (u *UI) flow(st style, spans []span) W {
	return func(gtx C) D {
		st := st.whole(u.look)
		var pieces []piece
		for _, s := range spans {
			pieces = append(pieces, u.pieces(gtx, st, s)...)
		}
		y := 0
		for _, line := range broken(pieces, fixed.I(gtx.Constraints.Max.X)) {
			y += u.line(gtx, st, line, y)
		}
		return D{Size: image.Pt(gtx.Constraints.Max.X, y)}
	}
}

// pieces measures a span once and cuts it where a line may end.
func (u *UI) pieces(gtx C, st style, s span) (all []piece) {
	st.bold = st.bold || s.bold
	u.shaper.LayoutString(text.Parameters{
		Font: st.font(), PxPerEm: fixed.I(gtx.Sp(st.size)), MaxWidth: 1e6, Locale: gtx.Locale,
	}, s.text)
	runes := []rune(s.text)
	var p piece
	from, next, width := 0, 0, fixed.Int26_6(0)
	for g, ok := u.shaper.NextGlyph(); ok; g, ok = u.shaper.NextGlyph() {
		width += g.Advance
		if g.Flags&text.FlagClusterBreak == 0 {
			continue
		}
		next = min(next+int(g.Runes), len(runes))
		p.width += width
		width = 0
		if next == 0 || next < len(runes) && !breakable(runes[next-1], runes[next]) {
			continue
		}
		p.text, p.bold = string(runes[from:next]), st.bold
		p.blank = strings.TrimSpace(p.text) == ""
		if p.text != "" {
			all = append(all, p)
		}
		p, from = piece{}, next
	}
	return all
}

// breakable tells whether a line may end between a and b: after a space, and
// around Han characters except before closing and after opening marks.
func breakable(a, b rune) bool {
	switch {
	case strings.ContainsRune("，。、；：？！）》」』”’…,.;:!?)%", b), strings.ContainsRune("（《「『“‘(", a):
		return false
	case unicode.IsSpace(b):
		return false
	case unicode.IsSpace(a):
		return true
	}
	return wideRune(a) || wideRune(b)
}

func wideRune(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x30ff || r >= 0xff00 && r <= 0xffef
}

// broken puts pieces into lines, each as full as width lets it be.
func broken(pieces []piece, width fixed.Int26_6) (all [][]piece) {
	var line []piece
	used := fixed.Int26_6(0)
	for _, p := range pieces {
		if used+p.width > width && len(line) > 0 {
			all = append(all, line)
			line, used = nil, 0
		}
		if p.blank && len(line) == 0 {
			continue
		}
		line = append(line, p)
		used += p.width
	}
	if len(line) > 0 {
		all = append(all, line)
	}
	return all
}

// line draws pieces of one line at y, runs of the same weight together, and
// returns its height.
func (u *UI) line(gtx C, st style, line []piece, y int) (height int) {
	x := fixed.Int26_6(0)
	for i := 0; i < len(line); {
		j, width := i, fixed.Int26_6(0)
		var s strings.Builder
		for ; j < len(line) && line[j].bold == line[i].bold; j++ {
			s.WriteString(line[j].text)
			width += line[j].width
		}
		run := st
		run.bold = line[i].bold
		d := at(gtx, image.Pt(x.Round(), y), func(gtx C) D {
			gtx.Constraints = layout.Constraints{Max: image.Pt(max(width.Ceil()+gtx.Dp(4), gtx.Constraints.Max.X-x.Round()), 1e6)}
			return u.text(gtx, run, strings.TrimRight(s.String(), " "))
		})
		height = max(height, d.Size.Y)
		x += width
		i = j
	}
	return height + gtx.Dp(2)
}
