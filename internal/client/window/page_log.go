package window

import (
	"context"
	"image/color"
	"strings"

	"gioui.org/layout"
	"gioui.org/unit"
)

// logPage is what is shown of the log.
type logPage struct {
	lines loaded[[]LogLine]
	level string // least level; "" for all
}

// shownLines are as many lines as are drawn; the export has all.
const shownLines = 500

func (u *UI) logPage(gtx C) D {
	load(u, &u.log.lines, u.backend.Log)
	acts := wrap(8,
		u.button("log:again", plain, iconRefresh, u.say("refresh"), func() { u.log.lines = loaded[[]LogLine]{} }),
		u.button("log:export", plain, iconOut, u.say("export"), func() { u.export(u.backend.ExportLog) }),
	)
	filter := wrap(12,
		most(280, u.input("log:search", u.say("log.search"), u.say("log.search.hint"), nil)),
		column(6, u.label(style{size: 13, bold: true}, u.say("log.level")), u.segments("log:level", []Option{
			{"", u.say("log.all")}, {"warning", u.say("level.warning")}, {"severe", u.say("level.severe")},
		}, u.log.level, func(v string) { u.log.level = v })),
	)
	blocks := listed(u, "log", &u.log.lines, func(all []LogLine) []W {
		found := u.filtered(all)
		if len(found) == 0 {
			return []W{u.hint(iconLog, u.say("log.none"), u.say("log.none.about"))}
		}
		ws := make([]W, len(found))
		for i, l := range found {
			ws[i] = u.logLine(l)
		}
		return []W{u.card(column(10, ws...))}
	})
	return u.sheet(gtx, u.say("nav.log"), u.say("log.about"), acts, append([]W{filter}, blocks...)...)
}

// filtered are the newest lines that are asked for, the newest first.
func (u *UI) filtered(all []LogLine) (found []LogLine) {
	least := map[string]Level{"warning": Warning, "severe": Severe}[u.log.level]
	word := strings.ToLower(strings.TrimSpace(u.editor("log:search").Text()))
	for i := len(all) - 1; i >= 0 && len(found) < shownLines; i-- {
		l := all[i]
		if l.Level >= least && strings.Contains(strings.ToLower(l.Text+" "+l.Profile), word) {
			found = append(found, l)
		}
	}
	return found
}

func (u *UI) logLine(l LogLine) W {
	c, word := u.levelLook(l.Level)
	head := l.At.Format("01-02 15:04:05")
	if l.Profile != "" {
		head += "  " + l.Profile
	}
	return func(gtx C) D {
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(layout.Spacer{Width: 2}.Layout),
			layout.Rigid(inset(6, 0, dot(7, c))),
			layout.Rigid(layout.Spacer{Width: unit.Dp(10)}.Layout),
			rest(column(1, u.caption(head+word), u.label(style{size: 13}, l.Text))),
		)
	}
}

// levelLook is a colour and the word that goes with it; what only informs has none.
func (u *UI) levelLook(l Level) (color.NRGBA, string) {
	switch l {
	case Warning:
		return u.look.warn, "  " + u.say("level.warning")
	case Severe:
		return u.look.bad, "  " + u.say("level.severe")
	default:
		return u.look.idle, ""
	}
}

// export writes a file and says where it is.
func (u *UI) export(do func(context.Context, string) (string, error)) {
	var path string
	dir := u.opt.Home
	u.act(func(ctx context.Context) (err error) {
		path, err = do(ctx, dir)
		return err
	}, func(err error) {
		u.failed = err
		if err == nil {
			u.said = u.say("exported", "path", path)
		}
	})
}
