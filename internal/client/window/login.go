package window

import (
	"context"
	"strings"

	"gioui.org/io/event"
)

// login is the dialog of one form of one connect.
type login struct {
	*dialog
	id     string
	form   Form
	answer chan<- Answers // of one; closed unanswered
	values map[string]string
}

// ask shows a form and waits for the person; it runs in the goroutine of Connect.
func (u *UI) ask(ctx context.Context, id string, f Form) (Answers, error) {
	answer := make(chan Answers, 1)
	u.post(func() { u.showLogin(id, f, answer) })
	select {
	case a, ok := <-answer:
		if !ok {
			return nil, ErrDeclined
		}
		return a, nil
	case <-ctx.Done():
		u.post(func() { u.closeLogin(id) })
		return nil, ctx.Err()
	}
}

// attend asks what no login of a connection does; the window's end ends it too.
func (u *UI) attend(ctx context.Context, f Form) (Answers, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(u.ctx, cancel)()
	return u.ask(ctx, "", f)
}

func (u *UI) showLogin(id string, f Form, answer chan<- Answers) {
	u.closeLogin(id)
	if f.Permission != nil || f.Policy != nil || f.Confirm != nil {
		u.showDecision(id, f, answer)
		return
	}
	l := &login{id: id, form: f, answer: answer, values: map[string]string{}}
	for _, field := range f.Fields {
		switch field.Kind {
		case Password:
			u.secret(l.input(field)).zero()
		case Choice:
			l.values[field.Name] = field.Value
			if field.Value == "" && len(field.Options) > 0 {
				l.values[field.Name] = field.Options[0].Value
			}
		default:
			u.editor(l.input(field)).SetText(field.Value)
		}
	}
	title, verb := f.Title, u.say("go.on")
	if title == "" {
		title, verb = u.say("login.title", "name", u.nameOf(id)), u.say("login.go")
	}
	l.dialog = &dialog{
		key:    "login:" + id,
		title:  func() string { return title },
		blocks: func() []W { return u.loginBlocks(l) },
		acts: func() []W {
			return []W{
				u.button("login:cancel", plain, "", u.say("cancel"), func() { u.close(l.dialog) }),
				u.button("login:go", primary, "", verb, func() { u.submit(l) }),
			}
		},
		focus:  func() event.Tag { return u.firstEmpty(l) },
		closed: func() { u.wipe(l); close(answer) },
	}
	u.show(l.dialog)
}

// showDecision asks for one yes or no: neither is taken for the person, and who
// closes the dialog said nothing.
func (u *UI) showDecision(id string, f Form, answer chan<- Answers) {
	d := &dialog{key: "login:" + id, closed: func() { close(answer) }}
	say := func(what string) func() {
		return func() {
			u.drop(d)
			answer <- Answers{Decision: []byte(what)}
		}
	}
	no, yes, weight := u.say("ask.refuse"), u.say("ask.allow"), primary
	switch {
	case f.Policy != nil:
		no, yes, d.width = u.say("decline"), u.say("accept"), reading
		d.title = func() string { return u.say("ask.policy", "name", u.nameOf(id)) }
		d.blocks = func() []W { return u.policyAsked(f.Policy) }
	case f.Confirm != nil:
		no, yes, weight, d.width = u.say("cancel"), f.Confirm.Act, danger, 520
		if len(f.Confirm.Facts) == 0 {
			weight = primary
		}
		d.title = func() string { return f.Confirm.Title }
		d.blocks = func() []W { return u.confirmAsked(f.Confirm) }
	default:
		p := f.Permission
		d.title = func() string { return u.say("ask.permission", "name", p.Name) }
		d.blocks = func() []W {
			return []W{u.facts("ask:"+p.ID, fact{name: u.say("rights.purpose"), value: p.Purpose}, fact{name: u.say("rights.without"), value: p.Refused})}
		}
	}
	d.focus = func() event.Tag { return u.clickable("ask:no") }
	d.acts = func() []W {
		return []W{u.button("ask:no", plain, "", no, say(No)), u.button("ask:yes", weight, "", yes, say(Yes))}
	}
	u.show(d)
}

// policyAsked is an operator's policy: what is new in it first, then all of it.
func (u *UI) policyAsked(p *Policy) []W {
	ws := []W{u.soft(u.say("policy.line", "version", p.Version, "effective", p.Effective))}
	if p.Changes != "" {
		ws = append(ws, u.banner(Warning, u.say("renewal.title"), ""))
		ws = append(ws, u.document(read(p.Changes))...)
		ws = append(ws, u.rule)
	}
	return append(ws, u.document(read(p.Text))...)
}

func (u *UI) confirmAsked(c *Confirmation) []W {
	facts := make([]fact, len(c.Facts))
	for i, f := range c.Facts {
		facts[i] = fact{name: f.Name, value: f.Value, mono: true, copy: true}
	}
	if len(facts) == 0 {
		return []W{u.soft(c.About)}
	}
	return []W{u.banner(Warning, u.say("confirm.compare"), c.About), u.facts("ask:confirm", facts...)}
}

func (u *UI) nameOf(id string) string {
	for _, c := range u.view.Profiles {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

// closeLogin takes away a form whose connect has ended otherwise.
func (u *UI) closeLogin(id string) {
	for _, d := range u.dialogs {
		if d.key == "login:"+id {
			u.close(d)
			return
		}
	}
}

func (l *login) input(f FormField) string { return "login:" + l.id + ":" + f.Name }

func (u *UI) firstEmpty(l *login) event.Tag {
	for _, f := range l.form.Fields {
		switch {
		case f.Kind == Password:
			return u.secret(l.input(f))
		case f.Kind != Choice && u.editor(l.input(f)).Len() == 0:
			return u.editor(l.input(f))
		}
	}
	return u.clickable("login:go")
}

func (u *UI) loginBlocks(l *login) []W {
	var ws []W
	if l.form.Error != "" {
		ws = append(ws, u.banner(Severe, l.form.Error, ""))
	}
	if l.form.Message != "" {
		ws = append(ws, u.label(style{color: u.look.soft}, l.form.Message))
	}
	for _, f := range l.form.Fields {
		ws = append(ws, u.loginField(l, f))
	}
	return append(ws, u.forgotten(l))
}

func (u *UI) loginField(l *login, f FormField) W {
	enter := func() { u.submit(l) }
	switch f.Kind {
	case Password:
		return u.password(l.input(f), orElse(f.Label, u.say("login.password")), enter)
	case Code:
		return column(4,
			u.input(l.input(f), orElse(f.Label, u.say("login.code")), "000000", enter),
			u.label(style{size: 13, color: u.look.soft}, u.say("login.code.about")))
	case Choice:
		return column(6, u.label(style{size: 13, bold: true}, orElse(f.Label, u.say("login.group"))),
			u.segments(l.input(f), f.Options, l.values[f.Name], func(v string) { l.values[f.Name] = v }))
	default:
		return u.input(l.input(f), orElse(f.Label, u.say("login.account")), "", enter)
	}
}

// forgotten says who can help: nobody here can (TY-2.3).
func (u *UI) forgotten(l *login) W {
	for _, f := range l.form.Fields {
		if f.Kind == Password && l.form.Title == "" {
			said := u.label(style{size: 13, color: u.look.soft}, u.say("login.forgotten"))
			var open W
			if address := u.view.Console; address != "" && u.opt.Open != nil {
				open = u.button("login:console", link, iconOut, u.say("about.open"), func() { u.opt.Open(address) })
			}
			return inset(2, 0, column(4, said, open))
		}
	}
	return nil
}

func orElse(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}

// submit hands the answers to the connect that waits, which overwrites them.
func (u *UI) submit(l *login) {
	a := Answers{}
	for _, f := range l.form.Fields {
		switch f.Kind {
		case Password:
			a[f.Name] = u.secret(l.input(f)).take()
		case Choice:
			a[f.Name] = []byte(l.values[f.Name])
		default:
			a[f.Name] = []byte(strings.TrimSpace(u.editor(l.input(f)).Text()))
		}
	}
	u.wipe(l)
	u.drop(l.dialog)
	l.answer <- a
}

// wipe forgets what was typed into a form; codes are worth nothing twice, but
// they are nobody's business either.
func (u *UI) wipe(l *login) {
	for _, f := range l.form.Fields {
		name := l.input(f)
		if s, ok := u.secrets[name]; ok {
			s.zero()
			if s.emptied {
				u.scrubIn = 2
			}
		}
		delete(u.secrets, name)
		delete(u.editors, name)
	}
}
