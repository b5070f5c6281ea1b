package window

import (
	"image"

	"gioui.org/io/event"
	"gioui.org/io/key"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// dialog asks one thing above the window; what is below sleeps meanwhile.
type dialog struct {
	key    string
	width  unit.Dp
	title  func() string
	blocks func() []W
	acts   func() []W
	focus  func() event.Tag // what is typed into first; nil for none
	closed func()           // when it is closed unanswered
	frames int              // drawn since the focus was to be set
	from   event.Tag        // what was pressed for it has the focus afterwards
	shade  int              // its address takes the pointer from what is below
}

// dialogName begins what a dialog is called for those who do not see it.
const dialogName = "dialog: "

func (u *UI) show(d *dialog) {
	d.from = u.pressed
	u.dialogs = append(u.dialogs, d)
}

// close takes a dialog away unanswered.
func (u *UI) close(d *dialog) {
	u.drop(d)
	if d.closed != nil {
		d.closed()
	}
}

// drop takes a dialog away that was answered.
func (u *UI) drop(d *dialog) {
	for i, o := range u.dialogs {
		if o == d {
			u.giveBack = d.from
			u.dialogs = append(u.dialogs[:i:i], u.dialogs[i+1:]...)
			return
		}
	}
}

// dialog draws d over everything.
func (u *UI) dialog(gtx C, d *dialog) {
	size := gtx.Constraints.Max
	paint.FillShape(gtx.Ops, u.look.shade, clip.Rect{Max: size}.Op())
	area(gtx, &d.shade, d.title(), size)
	u.focus(gtx, d)
	width := d.width
	if width == 0 {
		width = 440
	}
	margin := gtx.Dp(16)
	gtx.Constraints = layout.Constraints{Max: image.Pt(min(size.X-2*margin, gtx.Dp(width)), size.Y-2*margin)}
	m := op.Record(gtx.Ops)
	sheet := surface{fill: u.look.raised, border: u.look.line, radius: 12}.around(func(gtx C) D { return u.dialogBody(gtx, d) })(gtx)
	call := m.Stop()
	at(gtx, size.Sub(sheet.Size).Div(2), func(gtx C) D {
		defer clip.Rect{Max: sheet.Size}.Push(gtx.Ops).Pop()
		semantic.DescriptionOp(dialogName + d.title()).Add(gtx.Ops)
		call.Add(gtx.Ops)
		return sheet
	})
}

// focus moves into a new dialog: away from what is below at once, and to its input
// when that was drawn once, since before nobody knows it.
func (u *UI) focus(gtx C, d *dialog) {
	if d.frames >= 2 {
		return
	}
	d.frames++
	var tag event.Tag
	if d.frames == 2 && d.focus != nil {
		tag = d.focus()
	}
	gtx.Execute(key.FocusCmd{Tag: tag})
	gtx.Execute(op.InvalidateCmd{})
}

// dialogBody keeps the title and the acts in sight and moves what is between.
func (u *UI) dialogBody(gtx C, d *dialog) D {
	gtx.Constraints.Min.X = gtx.Constraints.Max.X
	pad := unit.Dp(20)
	head := layout.Inset{Top: 18, Left: pad, Right: 12, Bottom: 6}
	foot := layout.Inset{Top: 14, Left: pad, Right: pad, Bottom: 18}
	list, ok := u.lists[d.key]
	if !ok {
		list = &layout.List{Axis: layout.Vertical}
		u.lists[d.key] = list
	}
	var blocks []W
	for _, b := range d.blocks() {
		if b != nil {
			blocks = append(blocks, b)
		}
	}
	return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
		layout.Rigid(func(gtx C) D {
			return head.Layout(gtx, func(gtx C) D {
				return layout.Flex{Alignment: layout.Start}.Layout(gtx,
					rest(inset(3, 0, u.heading(d.title()))),
					layout.Rigid(u.sign(d.key+":close", iconClose, u.say("close"), func() { u.close(d) })),
				)
			})
		}),
		layout.Flexed(1, func(gtx C) D {
			gtx.Constraints.Min.Y = 0
			u.keys(gtx, list)
			return list.Layout(gtx, len(blocks), func(gtx C, i int) D {
				return layout.Inset{Left: pad, Right: pad, Top: 4, Bottom: 8}.Layout(gtx, func(gtx C) D {
					gtx.Constraints.Min = image.Point{}
					return blocks[i](gtx)
				})
			})
		}),
		layout.Rigid(func(gtx C) D {
			return foot.Layout(gtx, func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Constraints.Max.X
				return layout.E.Layout(gtx, wrap(8, d.acts()...))
			})
		}),
	)
}

// confirm asks before something is lost. With word it cannot be undone, and the
// person types that word first.
type confirm struct {
	key, title, about, act string
	word                   string
	kind                   kind
	do                     func()
}

func (u *UI) confirm(c confirm) {
	input := "confirm:" + c.key
	u.editor(input).SetText("")
	var d *dialog
	sure := func() bool { return c.word == "" || u.editor(input).Text() == c.word }
	act := func() {
		if sure() {
			u.drop(d)
			c.do()
		}
	}
	d = &dialog{
		key:   "confirm:" + c.key,
		title: func() string { return c.title },
		blocks: func() []W {
			ws := []W{u.label(style{color: u.look.soft}, c.about)}
			if c.word != "" {
				ws = append(ws, u.input(input, u.say("confirm.type", "word", c.word), "", act))
			}
			return ws
		},
		acts: func() []W {
			do := u.button("confirm:"+c.key+":act", c.kind, "", c.act, act)
			if !sure() {
				ready := do
				do = func(gtx C) D { return ready(gtx.Disabled()) }
			}
			return []W{u.button("confirm:"+c.key+":cancel", plain, "", u.say("cancel"), func() { u.close(d) }), do}
		},
	}
	d.focus = func() event.Tag { return u.clickable("confirm:" + c.key + ":cancel") }
	if c.word != "" {
		d.focus = func() event.Tag { return u.editor(input) }
	}
	u.show(d)
}
