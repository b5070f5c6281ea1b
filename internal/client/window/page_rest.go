package window

import (
	"context"
	"errors"
	"io"
	"strings"

	"gioui.org/io/clipboard"
	"gioui.org/layout"
)

// noticesPage lists what the person should know: incidents, ends of certificates.
func (u *UI) noticesPage(gtx C) D {
	var blocks []W
	for _, n := range u.view.Notices {
		blocks = append(blocks, u.notice(n))
	}
	if len(blocks) == 0 {
		blocks = append(blocks, u.hint(iconBell, u.say("notices.none"), u.say("notices.none.about")))
	}
	return u.sheet(gtx, u.say("nav.notices"), u.say("notices.about"), nil, blocks...)
}

func (u *UI) notice(n Notice) W {
	ic, ink := iconInfo, u.look.accentText
	switch n.Level {
	case Warning:
		ic, ink = iconWarning, u.look.warn
	case Severe:
		ic, ink = iconWarning, u.look.bad
	}
	_, word := u.levelLook(n.Level)
	return u.card(func(gtx C) D {
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(ic.draw(20, ink)),
			layout.Rigid(layout.Spacer{Width: 12}.Layout),
			rest(column(4, u.strong(n.Title), u.caption(minute(n.At)+word), u.soft(n.Text))),
		)
	})
}

// settingsPage is the person's choices; each takes effect at once.
func (u *UI) settingsPage(gtx C) D {
	tongues := []Option{{Chinese, "中文"}, {English, "English"}}
	if !u.chinese {
		tongues = tongues[1:]
	}
	themes := []Option{{string(ThemeSystem), u.say("theme.system")}, {string(ThemeLight), u.say("theme.light")}, {string(ThemeDark), u.say("theme.dark")}}
	look := u.card(column(14,
		u.heading(u.say("settings.look")),
		u.choice(u.say("settings.language"), u.segments("settings:language", tongues, u.language(), func(v string) {
			s := u.settings
			s.Language = v
			u.change(s)
		})),
		u.choice(u.say("settings.theme"), u.segments("settings:theme", themes, string(u.settings.Theme), func(v string) {
			s := u.settings
			s.Theme = Theme(v)
			u.change(s)
		})),
	))
	net := u.card(column(14,
		u.heading(u.say("settings.network")),
		u.toggle("settings:dtls", u.say("settings.dtls"), u.say("settings.dtls.about"), u.settings.DTLS, func(on bool) {
			s := u.settings
			s.DTLS = on
			u.change(s)
		}),
		u.rule,
		u.toggle("settings:lan", u.say("settings.lan"), u.say("settings.lan.about"), u.settings.LocalLAN, func(on bool) {
			s := u.settings
			s.LocalLAN = on
			u.change(s)
		}),
	))
	blocks := []W{look, net}
	if len(u.view.Profiles) > 0 {
		blocks = append(blocks, u.killCard())
	}
	return u.sheet(gtx, u.say("nav.settings"), u.say("settings.about"), nil, blocks...)
}

func (u *UI) choice(label string, w W) W { return column(6, u.body(label), w) }

// killCard is the kill switch of each profile.
func (u *UI) killCard() W {
	ws := []W{column(2, u.heading(u.say("kill.title")), u.captionOrNil(u.say("kill.about")))}
	for _, c := range u.view.Profiles {
		ws = append(ws, u.toggle("kill:"+c.ID, c.Name, "", u.settings.KillSwitch[c.ID], u.setKill(c.ID)))
	}
	return u.card(column(14, ws...))
}

func (u *UI) setKill(id string) func(bool) {
	return func(on bool) {
		s := u.settings
		s.KillSwitch = map[string]bool{id: on}
		for k, v := range u.settings.KillSwitch {
			if k != id {
				s.KillSwitch[k] = v
			}
		}
		u.change(s)
	}
}

// change stores settings. What is shown follows at once and goes back when they
// could not be stored.
func (u *UI) change(s Settings) {
	before := u.settings
	if before.Language != s.Language {
		u.policy = loaded[Policy]{}
	}
	u.settings = s
	u.act(func(ctx context.Context) error { return u.backend.SetSettings(ctx, s) }, func(err error) {
		if err != nil {
			u.settings = before
		}
		if !errors.Is(err, ErrDeclined) {
			u.failed = err
		}
		u.refresh() // sentences of the backend come in the language of the settings
	})
}

// aboutPage is the program, and what it does not do and who does (TY-2.3, TY-6.3).
func (u *UI) aboutPage(gtx C) D {
	blocks := []W{
		u.card(column(14, u.brand(), u.facts("about", fact{name: u.say("about.version"), value: u.view.Version, mono: true, copy: true}))),
		u.updateCard(),
	}
	account := column(10,
		u.heading(u.say("about.account")),
		u.item(passage{marker: "•", depth: 1}, u.body(u.say("about.register"))),
		u.item(passage{marker: "•", depth: 1}, u.body(u.say("about.password"))),
		u.item(passage{marker: "•", depth: 1}, u.body(u.say("about.cancel"))),
		u.consoleLink(),
	)
	return u.sheet(gtx, u.say("nav.about"), "", nil, append(blocks, u.card(account))...)
}

// consoleLink leads to the console in the browser of the system: the window itself
// shows no pages.
func (u *UI) consoleLink() W {
	address := u.view.Console
	if address == "" {
		return nil
	}
	var open W
	if u.opt.Open != nil {
		open = u.button("console:open", plain, iconOut, u.say("about.open"), func() { u.opt.Open(address) })
	}
	label := u.say("about.copy")
	if u.copied == "console" {
		label = u.say("copied")
	}
	return column(8,
		u.facts("console", fact{name: u.say("about.console"), value: address, mono: true}),
		wrap(8, open, func(gtx C) D {
			return u.button("console:copy", plain, iconCopy, label, func() {
				gtx.Execute(clipboard.WriteCmd{Type: "application/text", Data: io.NopCloser(strings.NewReader(address))})
				u.copied = "console"
			})(gtx)
		}),
	)
}
