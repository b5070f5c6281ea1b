package window

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"time"

	"gioui.org/f32"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/text"
)

// home is the list of connections and, where there is room, the chosen one.
func (u *UI) home(gtx C) D {
	size := gtx.Constraints.Max
	if size.X < gtx.Dp(narrow-234) || len(u.view.Profiles) == 0 {
		return u.listPage(gtx)
	}
	left := gtx.Dp(280)
	if size.X < gtx.Dp(640) {
		left = gtx.Dp(236)
	}
	within(gtx, image.Rect(0, 0, left, size.Y), u.listPage)
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect(image.Rect(left, 0, left+gtx.Dp(1), size.Y)).Op())
	within(gtx, image.Rect(left+gtx.Dp(1), 0, size.X, size.Y), func(gtx C) D {
		if c := u.connection(); c != nil {
			return u.connectionPage(gtx, c)
		}
		return D{}
	})
	return D{Size: size}
}

func (u *UI) listPage(gtx C) D {
	if len(u.view.Profiles) == 0 {
		return u.emptyList(gtx)
	}
	alone := gtx.Constraints.Max.X > gtx.Dp(280) // else it stands beside a connection
	ws := []W{spread(8, u.heading(u.say("nav.connections")), u.sign("add", iconPlus, u.say("add"), u.askImport))}
	ws = append(ws, u.alerts()...)
	for i := range u.view.Profiles {
		c := &u.view.Profiles[i]
		ws = append(ws, u.connectionCard(c, alone))
	}
	return u.scrolled("list", alone, 640, 10, ws...)(gtx)
}

func (u *UI) emptyList(gtx C) D {
	ws := append(u.alerts(), u.hint(iconLinks, u.say("empty.title"), u.say("empty.about"),
		u.button("add", primary, iconPlus, u.say("add"), u.askImport)))
	ws = append(ws, middle(most(400, u.label(style{size: 13, color: u.look.faint, align: text.Middle}, u.say("empty.ask")))))
	return u.scroll("list", 640, 12, ws...)(gtx)
}

// alerts are what concerns all connections.
func (u *UI) alerts() (ws []W) {
	if p := u.view.Trouble; p != nil {
		ws = append(ws, u.problem(p))
	}
	if u.view.Renewed {
		ws = append(ws, u.banner(Info, u.say("about.renewed"), "",
			u.button("alert:renewed", link, "", u.say("update.restart"), func() { u.open(pageAbout); u.restartService() })))
	}
	if n := u.view.Update; n != nil && !u.view.Renewed {
		ws = append(ws, u.banner(Info, u.say("about.newer", "version", n.Version), "",
			u.button("alert:update", link, "", u.say("notices.read"), func() { u.open(pageAbout) })))
	}
	if n := u.view.Notices; len(n) > 0 && n[0].Level > Info {
		ws = append(ws, u.banner(n[0].Level, n[0].Title, "",
			u.button("alert:notices", link, "", u.say("notices.read"), func() { u.open(pageNotices) })))
	}
	return ws
}

// connectionCard is a row of the list. Alone it connects itself; beside the
// connection's own pane it only chooses it.
func (u *UI) connectionCard(c *Connection, alone bool) W {
	id := c.ID
	chosen := !alone && u.chosen == id
	name := column(3,
		u.strong(c.Name),
		u.label(style{size: 13, color: u.look.soft}, c.Server),
		u.pill(u.stateColor(c.State), u.stateWord(c)),
	)
	s := surface{fill: u.look.panel, border: u.look.line, radius: 8, v: 12, h: 14}
	if chosen {
		s.fill, s.border = u.look.accentSoft, fade(u.look.accent, .6)
	}
	face := func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
			rest(name),
			layout.Rigid(iconForward.draw(18, u.look.faint)),
		)
	}
	press := func(w W) W {
		return u.press("open:"+id, u.say("open.what", "what", c.Name), 8, semantic.Button, func() {
			u.chosen = id
			if alone {
				u.open(pageConnection)
			}
		}, w)
	}
	if !alone {
		return wide(press(s.around(face)))
	}
	return wide(s.around(column(12, press(face), wide(u.connector("list", c)))))
}

// connector is the one button of a connection: what it does next.
func (u *UI) connector(where string, c *Connection) W {
	id := c.ID
	key := "connect:" + where + ":" + id
	switch c.State {
	case Connected, Reconnecting, Paused:
		return u.button(key, plain, iconPower, u.say("disconnect"), func() { u.disconnect(id) })
	case Connecting:
		return u.button(key, plain, iconClose, u.say("cancel"), func() { u.abandon(id) })
	case Disconnecting:
		return func(gtx C) D {
			return u.button(key, plain, iconPower, u.say("disconnecting"), func() {})(gtx.Disabled())
		}
	default:
		label := u.say("connect")
		if c.State == Failed {
			label = u.say("connect.again")
		}
		return u.button(key, primary, iconPower, label, func() { u.connect(id) })
	}
}

// connect asks what the server asks, in dialogs, until the tunnel is up.
func (u *UI) connect(id string) {
	if u.attempts[id] != nil {
		return
	}
	ctx, cancel := context.WithCancel(u.ctx)
	u.attempts[id] = cancel
	delete(u.trouble, id)
	u.start(func() {
		defer cancel()
		err := u.backend.Connect(ctx, id, func(ctx context.Context, f Form) (Answers, error) {
			return u.ask(ctx, id, f)
		})
		u.post(func() {
			delete(u.attempts, id)
			u.closeLogin(id)
			if err != nil && !errors.Is(err, ErrDeclined) && !errors.Is(err, context.Canceled) {
				u.trouble[id] = err
			}
		})
	})
}

// abandon stops a connect that is under way.
func (u *UI) abandon(id string) {
	if cancel := u.attempts[id]; cancel != nil {
		cancel()
		return
	}
	u.disconnect(id)
}

func (u *UI) disconnect(id string) {
	delete(u.trouble, id)
	u.act(func(ctx context.Context) error { return u.backend.Disconnect(ctx, id) }, func(err error) {
		if err != nil {
			u.trouble[id] = err
		}
	})
}

func (u *UI) stateWord(c *Connection) string {
	return u.say(map[State]string{
		Disconnected: "state.disconnected", Connecting: "state.connecting", Connected: "state.connected",
		Reconnecting: "state.reconnecting", Paused: "state.paused", Disconnecting: "state.disconnecting", Failed: "state.failed",
	}[c.State])
}

func (u *UI) stateColor(s State) color.NRGBA {
	switch s {
	case Connected:
		return u.look.good
	case Connecting, Reconnecting, Paused, Disconnecting:
		return u.look.warn
	case Failed:
		return u.look.bad
	default:
		return u.look.idle
	}
}

// connectionPage is everything about one connection.
func (u *UI) connectionPage(gtx C, c *Connection) D {
	ws := []W{u.hero(c)}
	if err := u.trouble[c.ID]; err != nil {
		ws = append(ws, u.problem(err, u.toDoctor(c)))
	} else if c.Trouble != nil {
		ws = append(ws, u.problem(c.Trouble, u.toDoctor(c)))
	}
	if c.Banner != "" && c.State == Connected {
		ws = append(ws, u.banner(Info, u.say("banner"), c.Banner))
	}
	if c.State == Connected || c.State == Reconnecting || c.State == Paused {
		ws = append(ws, u.traffic(c), u.tunnel(c), u.network(c))
	}
	ws = append(ws, u.profileCard(c))
	return u.scroll("connection:"+c.ID, 640, 12, ws...)(gtx)
}

func (u *UI) toDoctor(c *Connection) W {
	id := c.ID
	return u.button("help:"+id, link, iconPulse, u.say("doctor.start"), func() {
		u.chosen = id
		u.open(pageDoctor)
	})
}

// hero says at a glance whether one is connected, and holds the one button.
func (u *UI) hero(c *Connection) W {
	up := c.State == Connected
	ink, soft := u.look.text, u.look.soft
	if up {
		ink, soft = rgb(0xffffff), rgba(0xffffffd9)
	}
	line := c.Server
	if c.Step != "" && c.State == Connecting {
		line = c.Step
	}
	if c.State == Paused {
		line = u.say("paused.about", "network", c.Trusted)
	}
	var clock W
	if up || c.State == Reconnecting {
		clock = func(gtx C) D {
			gtx.Execute(op.InvalidateCmd{At: gtx.Now.Add(time.Second)})
			return u.text(gtx, style{size: sizeDisplay, color: ink}, u.lasting(gtx.Now.Sub(c.Since)))
		}
	}
	words := column(4,
		u.label(style{size: sizeTitle, bold: true, color: ink}, c.Name),
		u.label(style{color: soft}, line),
	)
	body := column(16,
		row(14, u.ringMark(c.State), func(gtx C) D {
			return column(2, u.label(style{size: sizeLead, bold: true, color: u.heroInk(c.State)}, u.stateWord(c)), clock)(gtx)
		}),
		words,
		u.heroButton(c),
	)
	return func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		m := op.Record(gtx.Ops)
		d := inset(22, 22, body)(gtx)
		call := m.Stop()
		s := surface{fill: u.look.panel, border: u.look.line, radius: 12}
		if up {
			s.border = color.NRGBA{}
			u.gradient(gtx, d.Size)
			s.fill = color.NRGBA{}
		}
		s.paint(gtx, d.Size)
		call.Add(gtx.Ops)
		return d
	}
}

func (u *UI) heroInk(s State) color.NRGBA {
	if s == Connected {
		return rgb(0xffffff)
	}
	return u.stateColor(s)
}

// gradient is the ground of a connection that is up, as on the console's gate.
func (u *UI) gradient(gtx C, size image.Point) {
	defer clip.UniformRRect(image.Rectangle{Max: size}, gtx.Dp(12)).Push(gtx.Ops).Pop()
	paint.LinearGradientOp{
		Stop1: f32.Pt(0, 0), Color1: u.look.heroFrom,
		Stop2: f32.Pt(float32(size.X), float32(size.Y)), Color2: u.look.heroTo,
	}.Add(gtx.Ops)
	paint.PaintOp{}.Add(gtx.Ops)
}

// ringMark is the mark: filled when connected, an outline when idle.
func (u *UI) ringMark(s State) W {
	return func(gtx C) D {
		px := gtx.Dp(56)
		scale := float32(px) / 32
		field := clip.UniformRRect(image.Rectangle{Max: image.Pt(px, px)}, int(8*scale))
		ink := u.stateColor(s)
		if s == Connected {
			paint.FillShape(gtx.Ops, u.look.heroMark, field.Op(gtx.Ops))
			ink = rgb(0xffffff)
		} else {
			paint.FillShape(gtx.Ops, fade(ink, .12), field.Op(gtx.Ops))
		}
		paint.FillShape(gtx.Ops, ink, clip.Stroke{Path: markLines.path(gtx.Ops, scale), Width: 2.4 * scale}.Op())
		return D{Size: image.Pt(px, px)}
	}
}

// heroButton is large; on the gradient it is white.
func (u *UI) heroButton(c *Connection) W {
	if c.State != Connected {
		return func(gtx C) D {
			gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(320))
			gtx.Constraints.Min = image.Pt(gtx.Constraints.Max.X, gtx.Dp(48))
			return u.connector("hero", c)(gtx)
		}
	}
	id := c.ID
	label := u.say("disconnect")
	return func(gtx C) D {
		gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(320))
		gtx.Constraints.Min = image.Pt(gtx.Constraints.Max.X, gtx.Dp(48))
		ground := rgba(0xffffffff)
		if u.clickable("connect:hero:" + id).Hovered() {
			ground = rgb(0xe6eefb)
		}
		ink := rgb(0x0b3f91)
		return u.press("connect:hero:"+id, label, 6, semantic.Button, func() { u.disconnect(id) },
			block(surface{fill: ground, radius: 6, v: 5, h: 14}, false,
				row(8, iconPower.draw(18, ink), u.label(style{bold: true, color: ink}, label))))(gtx)
	}
}

// traffic is the live chart and what went through.
func (u *UI) traffic(c *Connection) W {
	top := ceiling(max(highest(c.RateIn), highest(c.RateOut)))
	legend := func(ink color.NRGBA, ic icon, word string, now float64, total uint64) W {
		return column(2,
			row(6, ic.stroke(16, 2, ink), u.label(style{size: 13, color: u.look.soft}, word)),
			u.label(style{size: sizeLead, bold: true}, rate(now)),
			u.caption(u.say("traffic.total", "n", bytesOf(float64(total)))),
		)
	}
	return u.card(column(12,
		grid(16, 130,
			legend(u.look.incoming, iconDown, u.say("traffic.in"), last(c.RateIn), c.BytesIn),
			legend(u.look.outgoing, iconUp, u.say("traffic.out"), last(c.RateOut), c.BytesOut),
		),
		column(4,
			u.caption(rate(top)),
			u.chart(c.RateIn, c.RateOut, 96),
			func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Constraints.Max.X
				return layout.Flex{Spacing: layout.SpaceBetween}.Layout(gtx,
					layout.Rigid(u.caption(u.say("traffic.minute"))),
					layout.Rigid(u.caption(u.say("traffic.now"))),
				)
			},
		),
	))
}

// tunnel is how packets travel.
func (u *UI) tunnel(c *Connection) W {
	channel := map[Channel]string{TLS: u.say("channel.tls"), DTLS: u.say("channel.dtls")}[c.Channel]
	mtu := ""
	if c.MTU > 0 {
		mtu = u.say("mtu.value", "n", fmt.Sprint(c.MTU))
	}
	return u.card(column(14, u.heading(u.say("tunnel.title")), u.facts("tunnel:"+c.ID,
		fact{name: u.say("fact.channel"), value: channel},
		fact{name: u.say("fact.rtt"), value: milliseconds(c.RTT)},
		fact{name: u.say("fact.cipher"), value: c.Cipher},
		fact{name: u.say("fact.mtu"), value: mtu},
		fact{name: u.say("fact.ends"), value: moment(c.SessionEnds)},
		fact{name: u.say("fact.gateway"), value: c.Gateway, mono: true, copy: true},
	)))
}

// network is what is reached through the tunnel.
func (u *UI) network(c *Connection) W {
	routes := fact{name: u.say("fact.routes"), value: lines(c.Routes), mono: true, copy: true}
	if len(c.Routes) == 0 {
		routes = fact{name: u.say("fact.routes"), value: u.say("routes.all")}
	}
	return u.card(column(14, u.heading(u.say("network.title")), u.facts("network:"+c.ID,
		fact{name: u.say("fact.addresses"), value: lines(c.Addresses), mono: true, copy: true},
		routes,
		fact{name: u.say("fact.excludes"), value: lines(c.Excludes), mono: true, copy: true},
		fact{name: u.say("fact.dns"), value: lines(c.DNS), mono: true, copy: true},
		fact{name: u.say("fact.domains"), value: lines(c.Domains), mono: true, copy: true},
	)))
}

// profileCard is what is stored of the connection (TY-6.1), and its removal.
func (u *UI) profileCard(c *Connection) W {
	id, name := c.ID, c.Name
	kill := u.toggle("kill:"+id, u.say("kill.title"), u.say("kill.about"), u.settings.KillSwitch[id], u.setKill(id))
	return u.card(column(14, u.heading(u.say("profile.title")),
		u.facts("profile:"+id,
			fact{name: u.say("fact.server"), value: c.Server, mono: true, copy: true},
			fact{name: u.say("fact.account"), value: c.Account, copy: true},
			fact{name: u.say("fact.certificate"), value: day(c.CertificateEnds)},
		),
		u.label(style{size: 13, color: u.look.soft}, u.say("profile.password")),
		u.rule, kill, u.rule,
		wrap(8,
			u.button("doctor:"+id, plain, iconPulse, u.say("nav.doctor"), func() { u.chosen = id; u.open(pageDoctor) }),
			u.button("remove:"+id, plain, iconTrash, u.say("remove"), func() { u.askRemove(id, name) }),
		),
	))
}
