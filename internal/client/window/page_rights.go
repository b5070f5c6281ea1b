package window

import (
	"context"

	"gioui.org/layout"
)

// rightsPage is what the client may do on the device, and of whose parts it is
// made (TY-2.4, TY-2.6).
func (u *UI) rightsPage(gtx C) D {
	load(u, &u.rights, u.backend.Permissions)
	load(u, &u.parts, u.backend.Components)
	blocks := []W{u.heading(u.say("rights.permissions"))}
	blocks = append(blocks, listed(u, "rights", &u.rights, func(all []Permission) (ws []W) {
		for _, p := range all {
			ws = append(ws, u.permission(p))
		}
		return ws
	})...)
	blocks = append(blocks, column(4, space(6), u.heading(u.say("rights.components")), u.captionOrNil(u.say("rights.components.about"))))
	blocks = append(blocks, listed(u, "parts", &u.parts, func(all []Component) []W { return []W{u.components(all)} })...)
	return u.sheet(gtx, u.say("nav.rights"), u.say("rights.about"), nil, blocks...)
}

func (u *UI) permission(p Permission) W {
	id := p.ID
	var head W
	if p.Fixed {
		word, c := u.say("rights.given"), u.look.good
		if !p.Allowed {
			word, c = u.say("rights.refused"), u.look.idle
		}
		head = spread(12, u.strong(p.Name), u.pill(c, word))
	} else {
		head = u.toggle("right:"+id, p.Name, "", p.Allowed, func(on bool) {
			u.act(func(ctx context.Context) error { return u.backend.SetPermission(ctx, id, on) }, func(err error) {
				u.failed = err
				u.rights = loaded[[]Permission]{}
			})
		})
	}
	return u.card(column(10, head, u.facts("right:"+id,
		fact{name: u.say("rights.purpose"), value: p.Purpose},
		fact{name: u.say("rights.without"), value: p.Refused},
	)))
}

// The table of components has five columns, as wide as their parts of a row.
var componentColumns = []struct {
	key  string
	part float32
}{
	{"component.name", 3},
	{"component.purpose", 4},
	{"component.fields", 3},
	{"component.developer", 3},
	{"component.link", 4},
}

// components is a table, or where that would not fit a card for each row.
func (u *UI) components(all []Component) W {
	return func(gtx C) D {
		if gtx.Constraints.Max.X < gtx.Dp(600) {
			return u.componentCards(all)(gtx)
		}
		head := style{size: 13, bold: true, color: u.look.soft}
		rows := []W{u.tableRow(func(i int) (style, string) { return head, u.say(componentColumns[i].key) })}
		for _, c := range all {
			cells := c.cells()
			rows = append(rows, u.rule, u.tableRow(func(i int) (style, string) {
				st := style{size: 13}
				if i == 0 {
					st.bold = true
				}
				return st, cells[i]
			}))
		}
		return u.card(column(10, rows...))(gtx)
	}
}

func (c Component) cells() [5]string {
	return [5]string{c.Name, c.Purpose, c.Fields, c.Developer, c.Link}
}

func (u *UI) tableRow(cell func(int) (style, string)) W {
	return func(gtx C) D {
		children := make([]layout.FlexChild, 0, 2*len(componentColumns))
		for i, col := range componentColumns {
			if i > 0 {
				children = append(children, layout.Rigid(layout.Spacer{Width: 12}.Layout))
			}
			st, s := cell(i)
			children = append(children, layout.Flexed(col.part, u.label(st, s)))
		}
		return layout.Flex{}.Layout(gtx, children...)
	}
}

func (u *UI) componentCards(all []Component) W {
	ws := make([]W, len(all))
	for i, c := range all {
		facts := make([]fact, 0, 4)
		for j, v := range c.cells() {
			if j > 0 {
				facts = append(facts, fact{name: u.say(componentColumns[j].key), value: v})
			}
		}
		ws[i] = u.card(column(10, u.strong(c.Name), u.facts("component:"+c.Name, facts...)))
	}
	return column(10, ws...)
}
