package window

import (
	"os"
	"runtime"
	"strings"

	"gioui.org/font"
	"gioui.org/font/opentype"
	"gioui.org/text"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

// The two families of the window. Behind each stand several faces; a character
// takes the first that has it.
const (
	faceSans font.Typeface = "sky latin, sky han"
	faceMono font.Typeface = "sky mono, sky han"
)

// source is a file of the system and, in a collection, the family to take from it.
type source struct{ path, family string }

// faces are where a system keeps its fonts, the better first. They are named and
// not searched for: a search reads the whole disk's fonts and leaves an index in
// the person's cache, before they have agreed to anything.
type faces struct{ latin, latinBold, han, hanBold, mono []source }

var systems = map[string]faces{
	"linux": {
		han: []source{
			{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "WenQuanYi Micro Hei"},
			{"/usr/share/fonts/wqy-microhei/wqy-microhei.ttc", "WenQuanYi Micro Hei"},
			{"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", ""},
		},
		hanBold: []source{
			{"/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"},
			{"/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"},
		},
		mono: []source{
			{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"},
			{"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"},
		},
	},
	"windows": {
		latin:     []source{{`C:\Windows\Fonts\segoeui.ttf`, ""}},
		latinBold: []source{{`C:\Windows\Fonts\segoeuib.ttf`, ""}},
		han:       []source{{`C:\Windows\Fonts\msyh.ttc`, "Microsoft YaHei"}, {`C:\Windows\Fonts\simsun.ttc`, "SimSun"}},
		hanBold:   []source{{`C:\Windows\Fonts\msyhbd.ttc`, "Microsoft YaHei"}},
		mono:      []source{{`C:\Windows\Fonts\CascadiaMono.ttf`, ""}, {`C:\Windows\Fonts\consola.ttf`, ""}},
	},
	"darwin": {
		latin: []source{{"/System/Library/Fonts/Helvetica.ttc", "Helvetica"}},
		han:   []source{{"/System/Library/Fonts/PingFang.ttc", "PingFang SC"}, {"/System/Library/Fonts/Hiragino Sans GB.ttc", "Hiragino Sans GB"}},
		mono:  []source{{"/System/Library/Fonts/Menlo.ttc", "Menlo"}},
	},
}

// Shaper makes text of the system's fonts. Where none is known, letters come from
// fonts of the program's own and the window says nothing in Chinese.
func Shaper() (shaper *text.Shaper, chinese bool) {
	f, l := systems[runtime.GOOS], library{}
	chinese = l.add("sky han", font.Normal, f.han, nil)
	l.add("sky han", font.Bold, f.hanBold, nil)
	// Where there are none, the Latin letters of the han face go with it.
	if len(f.latin) > 0 || !chinese {
		l.add("sky latin", font.Normal, f.latin, goregular.TTF)
		l.add("sky latin", font.Bold, f.latinBold, gobold.TTF)
	}
	l.add("sky mono", font.Normal, f.mono, gomono.TTF)
	return text.NewShaper(text.NoSystemFonts(), text.WithCollection(l.all)), chinese
}

// library gathers faces, each file read once.
type library struct {
	all  []font.FontFace
	read map[string][]font.FontFace
}

// add takes the first of from that there is, else own, and tells whether it has one.
func (l *library) add(family font.Typeface, weight font.Weight, from []source, own []byte) bool {
	face := l.first(from)
	if face == nil && own != nil {
		face = pick(parse(own), "")
	}
	if face == nil {
		return false
	}
	l.all = append(l.all, font.FontFace{Font: font.Font{Typeface: family, Weight: weight}, Face: face})
	return true
}

func (l *library) first(from []source) font.Face {
	for _, s := range from {
		faces, ok := l.read[s.path]
		if !ok {
			if src, err := os.ReadFile(s.path); err == nil {
				faces = parse(src)
			}
			if l.read == nil {
				l.read = map[string][]font.FontFace{}
			}
			l.read[s.path] = faces
		}
		if face := pick(faces, s.family); face != nil {
			return face
		}
	}
	return nil
}

// parse takes a file apart; one that is broken has no faces.
func parse(src []byte) []font.FontFace {
	all, err := opentype.ParseCollection(src)
	if err != nil {
		return nil
	}
	return all
}

// pick is the face of a family, or with "" the first; nil when there is none.
func pick(all []font.FontFace, family string) font.Face {
	for _, f := range all {
		if family == "" || strings.EqualFold(string(f.Font.Typeface), family) {
			return f.Face
		}
	}
	return nil
}
