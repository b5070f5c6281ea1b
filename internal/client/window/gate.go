package window

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"

	"gioui.org/layout"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/text"
)

// ageGroup is what the person said of their age. It is kept for this screen only.
type ageGroup int

const (
	ageUnasked ageGroup = iota
	ageAdult
	ageMinor
	ageTooYoung
)

// gate is the first run and every return to the policy: nothing behind it runs
// until the person accepts (TY-0a, TY-8.1).
type gate struct {
	age      ageGroup
	guardian bool // a guardian reads along
	declined bool
	full     bool // a renewal shows the whole text, not the changes alone
	busy     bool
	failed   error
}

func (u *UI) gateScreen(gtx C) D {
	load(u, &u.policy, func(ctx context.Context) (Policy, error) { return u.backend.Policy(ctx, u.language()) })
	size, top := gtx.Constraints.Max, gtx.Dp(52)
	paint.FillShape(gtx.Ops, u.look.panel, clip.Rect{Max: image.Pt(size.X, top)}.Op())
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect(image.Rect(0, top, size.X, top+gtx.Dp(1))).Op())
	within(gtx, image.Rect(0, 0, size.X, top), u.gateBar)
	within(gtx, image.Rect(0, top+gtx.Dp(1), size.X, size.Y), u.gateBody)
	return D{Size: size}
}

// gateBar has the two things that may be changed before anything is accepted; they
// are kept in memory until then.
func (u *UI) gateBar(gtx C) D {
	other, name := English, "English"
	if u.language() == English {
		other, name = Chinese, "中文"
	}
	var tongue W = func(C) D { return D{} }
	if u.chinese {
		tongue = u.button("gate:language", quiet, "", name, func() {
			u.settings.Language = other
			u.policy = loaded[Policy]{}
		})
	}
	return layout.Inset{Left: 16, Right: 10}.Layout(gtx, func(gtx C) D {
		return layout.Flex{Alignment: layout.Middle}.Layout(gtx, rest(u.brand()), layout.Rigid(tongue))
	})
}

func (u *UI) gateBody(gtx C) D {
	if u.policy.state != ready || u.policy.err != nil {
		return u.scroll("gate", 640, 14, listed(u, "gate", &u.policy, func(Policy) []W { return nil })...)(gtx)
	}
	p := u.policy.value
	switch {
	case u.gate.declined:
		return u.declined(gtx)
	case u.gate.age == ageTooYoung:
		return u.tooYoung(gtx, p)
	case u.view.Policy == PolicyPending && p.MinorAge > 0 && u.gate.age == ageUnasked:
		return u.askAge(gtx, p)
	default:
		return u.askPolicy(gtx, p)
	}
}

// askAge comes first, so that a minor reads with a guardian from the first line (TY-0b).
func (u *UI) askAge(gtx C, p Policy) D {
	minor := fmt.Sprint(p.MinorAge)
	about := style{color: u.look.soft, align: text.Middle}
	ws := []W{
		space(16),
		middle(u.mark(64)),
		middle(u.title(u.say("welcome"))),
		middle(u.label(about, u.say("welcome.about"))),
		space(12),
		u.heading(u.say("age.title")),
		u.label(style{size: 13, color: u.look.soft}, u.say("age.why")),
		wide(u.tallButton("age:adult", primary, u.say("age.adult", "n", minor), func() { u.gate.age = ageAdult })),
	}
	label := u.say("age.minor", "n", minor)
	if p.LeastAge > 0 {
		label = u.say("age.between", "least", fmt.Sprint(p.LeastAge), "n", minor)
	}
	ws = append(ws, wide(u.tallButton("age:minor", plain, label, func() { u.gate.age = ageMinor })))
	if p.LeastAge > 0 {
		ws = append(ws, wide(u.tallButton("age:young", plain, u.say("age.minor", "n", fmt.Sprint(p.LeastAge)),
			func() { u.gate.age = ageTooYoung })))
	}
	return u.scroll("gate:age", 440, 12, ws...)(gtx)
}

func (u *UI) tallButton(key string, k kind, label string, act func()) W {
	return func(gtx C) D {
		gtx.Constraints.Min.Y = gtx.Dp(44)
		return u.button(key, k, "", label, act)(gtx)
	}
}

func (u *UI) tooYoung(gtx C, p Policy) D {
	return u.scroll("gate:young", 520, 14,
		u.hint(iconShield, u.say("age.young.title"), u.say("age.young.about", "n", fmt.Sprint(p.LeastAge)),
			u.button("age:again", plain, iconBack, u.say("back"), func() { u.gate.age = ageUnasked })))(gtx)
}

func (u *UI) declined(gtx C) D {
	return u.scroll("gate:declined", 520, 14,
		u.hint(iconPolicy, u.say("declined.title"), u.say("declined.about"),
			u.button("gate:again", primary, "", u.say("declined.again"), func() { u.gate.declined = false })))(gtx)
}

// askPolicy keeps the two acts in sight below the text, equal in size: neither is
// hidden, none is taken for the person.
func (u *UI) askPolicy(gtx C, p Policy) D {
	return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
		layout.Flexed(1, u.scroll("gate:policy", reading, 10, u.gateText(p)...)),
		layout.Rigid(func(gtx C) D { return u.gateFoot(gtx, p) }),
	)
}

func (u *UI) gateText(p Policy) []W {
	var ws []W
	if u.gate.failed != nil {
		ws = append(ws, u.problem(u.gate.failed))
	}
	switch u.view.Policy {
	case PolicyRenewal:
		ws = append(ws, u.banner(Warning, u.say("renewal.title"), u.say("renewal.about", "version", p.Version)))
		if p.Changes != "" && !u.gate.full {
			ws = append(ws, u.document(read(p.Changes))...)
			return append(ws, u.button("gate:full", link, iconPolicy, u.say("renewal.full"), func() { u.gate.full = true }))
		}
	case PolicyWithdrawn:
		ws = append(ws, u.banner(Info, u.say("withdrawn.title"), u.say("withdrawn.about")))
	}
	all := read(p.Text)
	if u.gate.age == ageMinor {
		ws = append(ws, u.banner(Warning, u.say("minor.title"), u.say("minor.about")))
		all = minorsFirst(all)
	}
	return append(ws, u.document(all)...)
}

// minorsFirst brings the part on minors to the top, where the policy tells them to
// begin; the whole text follows in its order.
func minorsFirst(all []passage) []passage {
	from := slices.IndexFunc(all, func(p passage) bool {
		return p.heading > 1 && (strings.Contains(p.plain(), "未成年") || strings.Contains(p.plain(), "Minor"))
	})
	if from < 0 {
		return all
	}
	to := from + 1
	for to < len(all) && (all[to].heading == 0 || all[to].heading > all[from].heading) {
		to++
	}
	return append(slices.Clone(all[from:to]), all...)
}

func (u *UI) gateFoot(gtx C, p Policy) D {
	pad := u.margin(gtx)
	var guardian W
	ready := !u.gate.busy
	if u.gate.age == ageMinor {
		ready = ready && u.gate.guardian
		guardian = u.tick("gate:guardian", u.say("minor.guardian"), u.gate.guardian, func(on bool) { u.gate.guardian = on })
	}
	accept := u.tallButton("gate:accept", primary, u.say("accept"), func() { u.accept(p) })
	if !ready {
		live := accept
		accept = func(gtx C) D { return live(gtx.Disabled()) }
	}
	acts := grid(10, 130, u.tallButton("gate:decline", plain, u.say("decline"), func() { u.gate.declined = true }), accept)
	var held W
	if u.view.Policy != PolicyPending {
		held = u.button("gate:data", link, iconPerson, u.say("gate.data"), func() { u.turn(pageData) })
	}
	m := measure(gtx, gtx.Constraints.Max.X, inset(14, pad, column(10, guardian, acts, held)))
	surface{fill: u.look.panel}.paint(gtx, image.Pt(gtx.Constraints.Max.X, m.Y))
	paint.FillShape(gtx.Ops, u.look.line, clip.Rect{Max: image.Pt(gtx.Constraints.Max.X, gtx.Dp(1))}.Op())
	return layout.Inset{Top: 14, Bottom: 14, Left: pad, Right: pad}.Layout(gtx, middle(most(reading, wide(column(10, guardian, acts, held)))))
}

// accept is the explicit act; only what the backend then says opens the window.
func (u *UI) accept(p Policy) {
	a := Acceptance{Version: p.Version, Guardian: u.gate.age == ageMinor}
	u.gate.busy, u.gate.failed = true, nil
	settings := u.settings
	u.start(func() {
		err := u.backend.Accept(u.ctx, a)
		if err == nil {
			err = u.backend.SetSettings(u.ctx, settings)
		}
		u.post(func() { u.gate.busy, u.gate.failed = false, err })
	})
}

// policyPage is the accepted policy, to read again and to withdraw from.
func (u *UI) policyPage(gtx C) D {
	load(u, &u.policy, func(ctx context.Context) (Policy, error) { return u.backend.Policy(ctx, u.language()) })
	acts := wrap(8,
		u.button("policy:data", plain, iconPerson, u.say("nav.data"), func() { u.open(pageData) }),
		u.button("policy:withdraw", plain, "", u.say("withdraw"), u.askWithdraw),
	)
	blocks := listed(u, "policy", &u.policy, func(p Policy) []W { return u.document(read(p.Text)) })
	return u.sheet(gtx, u.say("nav.policy"), u.policyLine(), acts, blocks...)
}

func (u *UI) policyLine() string {
	p := u.policy.value
	if p.Version == "" {
		return ""
	}
	return u.say("policy.line", "version", p.Version, "effective", p.Effective)
}

func (u *UI) askWithdraw() {
	u.confirm(confirm{
		key: "withdraw", title: u.say("withdraw.title"), about: u.say("withdraw.about"), act: u.say("withdraw"), kind: danger,
		do: func() {
			u.act(u.backend.Withdraw, func(err error) { u.failed = err })
		},
	})
}
