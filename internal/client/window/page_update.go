package window

import (
	"context"
	"errors"
	"image"

	"gioui.org/op/clip"
	"gioui.org/op/paint"
)

// renewal is an update that is looked for or installed.
type renewal struct {
	busy        bool
	done, whole int64 // bytes; 0 before any came
	said        string
	failed      error
}

// updateCard looks for a newer release when the person wants it, installs it when
// they say so, and then has the service run it: nothing is fetched by itself.
func (u *UI) updateCard() W {
	r, n := &u.renewal, u.view.Update
	ws := []W{u.heading(u.say("about.update"))}
	switch {
	case u.view.Renewed:
		ws = append(ws, u.body(u.say("about.renewed")), u.captionOrNil(u.say("update.restart.about")))
	case n == nil:
		ws = append(ws, u.soft(u.say("update.about")))
	default:
		ws = append(ws, u.body(u.say("about.newer", "version", n.Version)), u.soft(n.Notes), u.captionOrNil(u.say("update.checked")))
	}
	switch {
	case r.failed != nil:
		ws = append(ws, u.problem(r.failed))
	case r.said != "":
		ws = append(ws, u.banner(Info, r.said, ""))
	}
	if r.busy && r.whole > 0 {
		ws = append(ws, u.progress(r.done, r.whole))
	}
	return u.card(column(10, append(ws, u.updateButton())...))
}

func (u *UI) updateButton() W {
	r := &u.renewal
	label, k, act := u.say("update.find"), plain, u.findUpdate
	switch {
	case u.view.Renewed:
		label, k, act = u.say("update.restart"), primary, u.restartService
	case u.view.Update != nil:
		label, k, act = u.say("update.install"), primary, u.installUpdate
	}
	if r.busy {
		label = u.say("update.busy")
	}
	press := u.button("update", k, iconRefresh, label, act)
	if !r.busy {
		return press
	}
	return func(gtx C) D { return press(gtx.Disabled()) }
}

func (u *UI) findUpdate() {
	u.renew(func(ctx context.Context) (string, error) {
		found, err := u.backend.FindUpdate(ctx)
		if err == nil && !found {
			return u.say("update.none"), nil
		}
		return "", err
	})
}

func (u *UI) installUpdate() {
	u.renew(func(ctx context.Context) (string, error) {
		return u.backend.InstallUpdate(ctx, func(done, whole int64) {
			u.post(func() { u.renewal.done, u.renewal.whole = done, whole })
		})
	})
}

func (u *UI) restartService() { u.renew(u.backend.Restart) }

func (u *UI) renew(do func(context.Context) (string, error)) {
	u.renewal = renewal{busy: true}
	u.start(func() {
		said, err := do(u.ctx)
		if errors.Is(err, ErrDeclined) {
			err = nil
		}
		u.post(func() { u.renewal = renewal{said: said, failed: err} })
	})
}

// progress is how much has come.
func (u *UI) progress(done, whole int64) W {
	return column(4, func(gtx C) D {
		size := image.Pt(gtx.Constraints.Max.X, gtx.Dp(6))
		part := image.Pt(int(int64(size.X)*min(done, whole)/whole), size.Y)
		paint.FillShape(gtx.Ops, u.look.line, clip.UniformRRect(image.Rectangle{Max: size}, size.Y/2).Op(gtx.Ops))
		paint.FillShape(gtx.Ops, u.look.accent, clip.UniformRRect(image.Rectangle{Max: part}, size.Y/2).Op(gtx.Ops))
		return D{Size: size}
	}, u.caption(bytesOf(float64(done))+" / "+bytesOf(float64(whole))))
}
