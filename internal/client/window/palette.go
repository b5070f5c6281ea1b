package window

import "image/color"

// palette is the console's: one accent, neutrals, and green, amber and red for
// states alone, always with a word beside them.
type palette struct {
	dark                   bool
	ground, panel, raised  color.NRGBA
	line, strong           color.NRGBA // of borders, and of those of inputs
	text, soft, faint      color.NRGBA
	accent, accentSoft     color.NRGBA
	accentText, onAccent   color.NRGBA
	good, warn, bad, idle  color.NRGBA
	goodSoft, warnSoft     color.NRGBA
	badSoft, hover, shade  color.NRGBA
	incoming, outgoing     color.NRGBA // traffic, as in the console's charts
	selection, badSolid    color.NRGBA
	heroFrom, heroTo, mark color.NRGBA
	heroMark               color.NRGBA // the ground of the mark there
}

func rgb(c uint32) color.NRGBA { return rgba(c<<8 | 0xff) }

func rgba(c uint32) color.NRGBA {
	return color.NRGBA{R: uint8(c >> 24), G: uint8(c >> 16), B: uint8(c >> 8), A: uint8(c)}
}

// fade is c with a part of its opacity.
func fade(c color.NRGBA, part float32) color.NRGBA {
	c.A = uint8(float32(c.A) * part)
	return c
}

var light = palette{
	ground: rgb(0xf4f6f9), panel: rgb(0xffffff), raised: rgb(0xffffff),
	line: rgb(0xe4e8ee), strong: rgb(0x868e9a),
	text: rgb(0x14181f), soft: rgb(0x424954), faint: rgb(0x596270),
	accent: rgb(0x1668dc), accentSoft: rgb(0xeaf2fd), accentText: rgb(0x1259c3), onAccent: rgb(0xffffff),
	good: rgb(0x237804), warn: rgb(0xad6800), bad: rgb(0xcf1322), idle: rgb(0x6b7280),
	goodSoft: rgb(0xeaf6e4), warnSoft: rgb(0xfff7db), badSoft: rgb(0xfdeeee),
	hover: rgba(0x0b2f6b0f), shade: rgba(0x0b152573),
	incoming: rgb(0x1668dc), outgoing: rgb(0x0e8a7d),
	selection: rgba(0x1668dc40), badSolid: rgb(0xcf1322),
	heroFrom: rgb(0x0b2f6b), heroTo: rgb(0x1668dc), mark: rgb(0x1668dc), heroMark: rgb(0x3672c9),
}

var dark = palette{
	dark:   true,
	ground: rgb(0x0f1318), panel: rgb(0x171c23), raised: rgb(0x1d232b),
	line: rgb(0x2a313b), strong: rgb(0x6f7885),
	text: rgb(0xe6e9ee), soft: rgb(0xb4bbc6), faint: rgb(0x9aa3af),
	accent: rgb(0x3c89e8), accentSoft: rgb(0x16263c), accentText: rgb(0x9cc4f7), onAccent: rgb(0xffffff),
	good: rgb(0x6abe39), warn: rgb(0xe8b339), bad: rgb(0xff6b6b), idle: rgb(0x9aa3af),
	goodSoft: rgb(0x172818), warnSoft: rgb(0x2f2a17), badSoft: rgb(0x331b1e),
	hover: rgba(0xffffff14), shade: rgba(0x000000a6),
	incoming: rgb(0x5b9ff0), outgoing: rgb(0x3fc3b1),
	selection: rgba(0x3c89e859), badSolid: rgb(0xc9353a),
	heroFrom: rgb(0x0c2348), heroTo: rgb(0x1554ad), mark: rgb(0x1668dc), heroMark: rgb(0x2a5ba6),
}
