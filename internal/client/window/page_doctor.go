package window

import (
	"context"
	"image/color"

	"gioui.org/layout"
)

// doctorPage is a run of the checks.
type doctorPage struct {
	checks  []Check
	running bool
	done    bool
	failed  error
	profile string
}

func (u *UI) doctorPage(gtx C) D {
	label := u.say("doctor.start")
	if u.doctor.running {
		label = u.say("doctor.running")
	}
	start := u.button("doctor:start", primary, iconPulse, label, u.diagnose)
	if u.doctor.running {
		ready := start
		start = func(gtx C) D { return ready(gtx.Disabled()) }
	}
	var export W
	if u.doctor.done {
		export = u.button("doctor:export", plain, iconOut, u.say("doctor.export"), func() { u.export(u.backend.ExportDoctor) })
	}
	var blocks []W
	if len(u.view.Profiles) > 1 {
		blocks = append(blocks, u.doctorChoice())
	}
	if u.doctor.failed != nil {
		blocks = append(blocks, u.problem(u.doctor.failed))
	}
	switch {
	case len(u.doctor.checks) > 0:
		blocks = append(blocks, u.findings())
	case !u.doctor.running:
		blocks = append(blocks, u.hint(iconPulse, u.say("doctor.empty"), u.say("doctor.empty.about")))
	}
	return u.sheet(gtx, u.say("nav.doctor"), u.say("doctor.about"), wrap(8, export, start), blocks...)
}

func (u *UI) doctorChoice() W {
	options := make([]Option, len(u.view.Profiles))
	for i, c := range u.view.Profiles {
		options[i] = Option{c.ID, c.Name}
	}
	return column(6, u.label(style{size: 13, bold: true}, u.say("doctor.which")),
		u.segments("doctor:which", options, u.chosen, func(id string) { u.chosen = id }))
}

// diagnose runs the checks for the chosen profile.
func (u *UI) diagnose() {
	if u.doctor.running {
		return
	}
	id := u.chosen
	u.doctor = doctorPage{running: true, profile: id}
	u.act(func(ctx context.Context) error {
		return u.backend.Doctor(ctx, id, func(c Check) { u.post(func() { u.doctor.take(c) }) })
	}, func(err error) {
		u.doctor.running, u.doctor.done, u.doctor.failed = false, err == nil, err
	})
}

// take puts a check in the place that it had, or at the end.
func (d *doctorPage) take(c Check) {
	for i := range d.checks {
		if d.checks[i].ID == c.ID {
			d.checks[i] = c
			return
		}
	}
	d.checks = append(d.checks, c)
}

func (u *UI) findings() W {
	ws := make([]W, 0, 2*len(u.doctor.checks))
	for i, c := range u.doctor.checks {
		if i > 0 {
			ws = append(ws, u.rule)
		}
		ws = append(ws, u.check(c))
	}
	return u.card(column(12, ws...))
}

func (u *UI) check(c Check) W {
	ic, ink, word := u.checkLook(c.State)
	var why, todo W
	if c.Cause != "" {
		why = u.label(style{size: 13}, c.Cause)
	}
	if c.Remedy != "" {
		todo = u.label(style{size: 13, color: u.look.soft}, u.say("doctor.remedy", "what", c.Remedy))
	}
	var result W
	if c.Result != "" {
		result = u.label(style{size: 13, color: u.look.soft}, c.Result)
	}
	return func(gtx C) D {
		return layout.Flex{}.Layout(gtx,
			layout.Rigid(inset(1, 0, ic.stroke(18, 2.2, ink))),
			layout.Rigid(layout.Spacer{Width: 10}.Layout),
			rest(column(3,
				spread(8, u.strong(c.Name), u.label(style{size: 13, bold: true, color: ink}, word)),
				result, why, todo,
			)),
		)
	}
}

func (u *UI) checkLook(s CheckState) (icon, color.NRGBA, string) {
	switch s {
	case CheckGood:
		return iconCheck, u.look.good, u.say("check.good")
	case CheckWarning:
		return iconWarning, u.look.warn, u.say("check.warning")
	case CheckBad:
		return iconClose, u.look.bad, u.say("check.bad")
	case CheckSkipped:
		return iconForward, u.look.idle, u.say("check.skipped")
	default:
		return iconRefresh, u.look.accentText, u.say("check.running")
	}
}
