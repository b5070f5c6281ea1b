package window

import (
	"context"

	"gioui.org/layout"
)

// dataPage is all that the client stores, and the rights that go with it.
func (u *UI) dataPage(gtx C) D {
	load(u, &u.held, u.backend.Held)
	load(u, &u.receipts, u.backend.Receipts)
	acts := wrap(8, u.button("data:export", plain, iconOut, u.say("data.export"), func() { u.export(u.backend.Export) }))
	blocks := []W{u.banner(Info, u.say("data.never"), u.say("data.never.about"))}
	blocks = append(blocks, u.heading(u.say("data.held")))
	blocks = append(blocks, listed(u, "held", &u.held, func(all []HeldItem) (ws []W) {
		if len(all) == 0 {
			return []W{u.soft(u.say("data.nothing"))}
		}
		for _, h := range all {
			ws = append(ws, u.heldCard(h))
		}
		return ws
	})...)
	blocks = append(blocks, u.heading(u.say("data.receipts")))
	blocks = append(blocks, listed(u, "receipts", &u.receipts, u.receiptCards)...)
	blocks = append(blocks, u.endings())
	return u.sheet(gtx, u.say("nav.data"), u.say("data.about"), acts, blocks...)
}

// dataAlone is the page while the policy is not accepted: rights do not wait.
func (u *UI) dataAlone(gtx C) D {
	return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
		layout.Rigid(inset(10, 12, u.button("data:back", quiet, iconBack, u.say("back"), func() { u.turn(pageList) }))),
		layout.Flexed(1, u.dataPage),
	)
}

func (u *UI) heldCard(h HeldItem) W {
	value := fact{name: u.say("held.value"), value: h.Value, mono: !h.Secret}
	if h.Secret {
		value.value = u.say("held.secret")
	}
	return u.card(column(10, u.strong(h.What), u.facts("held:"+h.What,
		value,
		fact{name: u.say("held.place"), value: h.Place, mono: true},
		fact{name: u.say("held.why"), value: h.Why},
		fact{name: u.say("held.until"), value: h.Until},
	)))
}

func (u *UI) receiptCards(all []Receipt) (ws []W) {
	if len(all) == 0 {
		return []W{u.soft(u.say("data.noreceipts"))}
	}
	for _, r := range all {
		ws = append(ws, u.card(column(10,
			u.strong(u.say("receipt."+r.Act, "version", r.Version)),
			u.facts("receipt:"+r.Act+r.At.String(),
				fact{name: u.say("receipt.at"), value: minute(r.At)},
				fact{name: u.say("receipt.digest"), value: r.Digest, mono: true, copy: true},
			))))
	}
	return ws
}

// endings are the two acts that end something, last on the page.
func (u *UI) endings() W {
	withdraw := u.ending(u.say("withdraw.title"), u.say("withdraw.about"), u.button("data:withdraw", plain, "", u.say("withdraw"), u.askWithdraw))
	if u.view.Policy == PolicyWithdrawn {
		withdraw = nil
	}
	erase := u.ending(u.say("erase.title"), u.say("erase.about"), u.button("data:erase", danger, iconTrash, u.say("erase"), u.askErase))
	var line W
	if withdraw != nil {
		line = u.rule
	}
	return u.card(column(14, withdraw, line, erase))
}

func (u *UI) ending(title, about string, act W) W {
	return column(8, u.strong(title), u.label(style{size: 13, color: u.look.soft}, about), act)
}

func (u *UI) askErase() {
	u.confirm(confirm{
		key: "erase", title: u.say("erase.title"), about: u.say("erase.about"), act: u.say("erase"), kind: danger, word: u.say("erase.word"),
		do: func() {
			u.act(func(ctx context.Context) error { return u.backend.EraseAll(ctx) }, func(err error) {
				u.failed = err
				u.refresh()
				if err == nil {
					u.said = u.say("erased")
				}
			})
		},
	})
}
