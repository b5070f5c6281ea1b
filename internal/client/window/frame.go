package window

import (
	"image"
	"strconv"

	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/text"
	"gioui.org/unit"
)

// place is an entry of the navigation.
type place struct {
	page page
	key  string
	icon icon
}

var places = []place{
	{pageList, "nav.connections", iconLinks},
	{pageNotices, "nav.notices", iconBell},
	{pageLog, "nav.log", iconLog},
	{pageDoctor, "nav.doctor", iconPulse},
	{pageData, "nav.data", iconPerson},
	{pageRights, "nav.rights", iconShield},
	{pageSettings, "nav.settings", iconGear},
	{pageAbout, "nav.about", iconInfo},
	{pagePolicy, "nav.policy", iconPolicy},
}

// broad has the side bar, and beside the list the connection.
func (u *UI) broad(gtx C) D {
	side := gtx.Dp(232)
	size := gtx.Constraints.Max
	paint.FillShape(gtx.Ops, u.look.panel, clip.Rect{Max: image.Pt(side, size.Y)}.Op())
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect(image.Rect(side, 0, side+gtx.Dp(1), size.Y)).Op())
	within(gtx, image.Rect(0, 0, side, size.Y), u.sideBar)
	within(gtx, image.Rect(side+gtx.Dp(1), 0, size.X, size.Y), u.content)
	return D{Size: size}
}

// within draws w into a rectangle and nowhere else.
func within(gtx C, r image.Rectangle, w W) {
	at(gtx, r.Min, func(gtx C) D {
		defer clip.Rect{Max: r.Size()}.Push(gtx.Ops).Pop()
		gtx.Constraints = layout.Exact(r.Size())
		return w(gtx)
	})
}

func (u *UI) sideBar(gtx C) D {
	ws := []W{inset(6, 8, u.brand()), space(8)}
	for _, p := range places {
		ws = append(ws, u.entry(p))
	}
	d := inset(14, 10, func(gtx C) D {
		gtx.Constraints.Min.Y = 0
		return column(2, ws...)(gtx)
	})(gtx)
	return D{Size: image.Pt(gtx.Constraints.Max.X, d.Size.Y)}
}

// entry is one place in the navigation; what is open is tinted and in bold.
func (u *UI) entry(p place) W {
	label := u.say(p.key)
	on := u.page == p.page || p.page == pageList && u.page == pageConnection
	return func(gtx C) D {
		st, s := style{color: u.look.soft}, surface{radius: 6, v: 7, h: 10}
		ink := u.look.soft
		switch {
		case on:
			s.fill, st.color, st.bold, ink = u.look.accentSoft, u.look.accentText, true, u.look.accentText
		case u.clickable(p.key).Hovered():
			s.fill = u.look.hover
		}
		var count W
		if n := len(u.view.Notices); p.page == pageNotices && n > 0 {
			count = u.badge(n)
		}
		return u.press(p.key, label, 6, semantic.Button, func() { u.open(p.page) }, func(gtx C) D {
			semantic.SelectedOp(on).Add(gtx.Ops)
			gtx.Constraints.Min.X = gtx.Constraints.Max.X
			return s.around(func(gtx C) D {
				return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
					layout.Rigid(p.icon.draw(18, ink)),
					layout.Rigid(layout.Spacer{Width: 10}.Layout),
					rest(u.label(st, label)),
					layout.Rigid(func(gtx C) D {
						if count == nil {
							return D{}
						}
						return count(gtx)
					}),
				)
			})(gtx)
		})(gtx)
	}
}

func (u *UI) badge(n int) W {
	st := style{size: sizeCaption, bold: true, color: u.look.onAccent}
	return surface{fill: u.look.badSolid, radius: 9, v: 0, h: 6}.around(u.label(st, strconv.Itoa(n)))
}

// tall has a bar above and a menu that covers the page.
func (u *UI) tall(gtx C) D {
	size, top := gtx.Constraints.Max, gtx.Dp(52)
	paint.FillShape(gtx.Ops, u.look.panel, clip.Rect{Max: image.Pt(size.X, top)}.Op())
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect(image.Rect(0, top, size.X, top+gtx.Dp(1))).Op())
	within(gtx, image.Rect(0, 0, size.X, top), u.topBar)
	below := image.Rect(0, top+gtx.Dp(1), size.X, size.Y)
	if u.menu {
		within(gtx, below, u.menuSheet)
	} else {
		within(gtx, below, u.content)
	}
	return D{Size: size}
}

func (u *UI) topBar(gtx C) D {
	left := row(10, u.mark(26), u.label(style{size: sizeLead, bold: true}, u.here()))
	if len(u.before) > 0 && !u.menu {
		left = row(6, u.sign("back", iconBack, u.say("back"), u.back), u.label(style{size: sizeLead, bold: true}, u.here()))
	}
	ic, name := iconMenu, u.say("menu.open")
	if u.menu {
		ic, name = iconClose, u.say("menu.close")
	}
	return layout.Inset{Left: 14, Right: 10}.Layout(gtx, func(gtx C) D {
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
			rest(left),
			layout.Rigid(u.sign("menu", ic, name, func() { u.menu = !u.menu })),
		)
	})
}

// here names the open page.
func (u *UI) here() string {
	if u.page == pageConnection {
		if c := u.connection(); c != nil {
			return c.Name
		}
	}
	if u.page == pageList || u.menu {
		return u.say("brand")
	}
	for _, p := range places {
		if p.page == u.page {
			return u.say(p.key)
		}
	}
	return u.say("brand")
}

func (u *UI) menuSheet(gtx C) D {
	ws := make([]W, 0, len(places))
	for _, p := range places {
		ws = append(ws, u.entry(p))
	}
	return u.scroll("menu", 560, 2, ws...)(gtx)
}

// content is the open page.
func (u *UI) content(gtx C) D {
	switch u.page {
	case pageConnection:
		if c := u.connection(); c != nil && gtx.Constraints.Max.X < gtx.Dp(narrow-234) {
			return u.connectionPage(gtx, c)
		}
		return u.home(gtx)
	case pageNotices:
		return u.noticesPage(gtx)
	case pageLog:
		return u.logPage(gtx)
	case pageDoctor:
		return u.doctorPage(gtx)
	case pageData:
		return u.dataPage(gtx)
	case pageRights:
		return u.rightsPage(gtx)
	case pageSettings:
		return u.settingsPage(gtx)
	case pageAbout:
		return u.aboutPage(gtx)
	case pagePolicy:
		return u.policyPage(gtx)
	default:
		return u.home(gtx)
	}
}

// reading is how wide a page of text grows.
const reading unit.Dp = 760

// sheet is a page: what it is for, what may be done there, and blocks.
func (u *UI) sheet(gtx C, title, about string, acts W, blocks ...W) D {
	head := u.title(title)
	if gtx.Constraints.Max.X < gtx.Dp(480) {
		head = nil // the bar above has it
	}
	top := column(4, head, u.captionOrNil(about))
	if acts != nil {
		top = spread(16, top, acts)
		if gtx.Constraints.Max.X < gtx.Dp(600) {
			top = column(12, column(4, head, u.captionOrNil(about)), acts)
		}
	}
	all := []W{top}
	if head == nil && about == "" && acts == nil {
		all = nil
	}
	if u.failed != nil {
		all = append(all, u.problem(u.failed))
	}
	if u.said != "" {
		all = append(all, u.banner(Info, u.said, ""))
	}
	return u.scroll("page", reading, 14, append(all, blocks...)...)(gtx)
}

// hint is a designed absence: what is not there, and what to do.
func (u *UI) hint(ic icon, title, about string, acts ...W) W {
	var below W
	if len(acts) > 0 {
		below = func(gtx C) D { return middle(wrap(8, acts...))(gtx) }
	}
	centred := style{color: u.look.soft}
	centred.align = text.Middle
	head := style{size: sizeLead, bold: true, align: text.Middle}
	return inset(36, 12, column(10,
		middle(ic.stroke(44, 1.2, u.look.faint)),
		middle(most(400, u.label(head, title))),
		middle(most(400, u.label(centred, about))),
		space(2),
		below,
	))
}

// listed shows what was loaded: nothing yet, an error with a way to try again, or it.
func listed[T any](u *UI, key string, l *loaded[T], show func(T) []W) []W {
	switch {
	case l.state != ready:
		return []W{u.soft(u.say("loading"))}
	case l.err != nil:
		return []W{u.problem(l.err, u.button(key+":again", plain, iconRefresh, u.say("again"), func() { *l = loaded[T]{} }))}
	default:
		return show(l.value)
	}
}
