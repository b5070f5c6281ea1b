package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// minorAge is below which a person reads with a guardian (TY-0b).
const minorAge = 18

// Policy is the client's own text.
func (d *Desk) Policy(_ context.Context, language string) (window.Policy, error) {
	st, err := d.home.Policy.Standing(policy.BuiltIn)
	if err != nil {
		return window.Policy{}, d.problem(err)
	}
	return d.policyOf(st, languageOf(language, d.cfg.Language)), nil
}

func (d *Desk) policyOf(st policy.Standing, lang i18n.Language) window.Policy {
	t := st.InForce
	p := window.Policy{Version: t.Version, Text: markdown(t.In(string(lang)).Body), Effective: t.Effective.Format(time.DateOnly), MinorAge: minorAge}
	p.Changes = changes(d.home.Policy.Changes(st, string(lang)), lang)
	if t.Scope == policy.BuiltIn { // it came with the program
		p.Effective = d.say("policy.from_start")
	}
	return p
}

// changes are what a text says otherwise than the one that was accepted.
func changes(c policy.Changes, lang i18n.Language) string {
	var out strings.Builder
	for _, part := range []struct {
		title string
		all   []string
	}{{"window.policy_new", c.New}, {"window.policy_gone", c.Gone}} {
		if len(part.all) > 0 {
			out.WriteString("## " + user.Say(lang, part.title) + "\n\n" + markdown(strings.Join(part.all, "\n\n")))
		}
	}
	return out.String()
}

// markdown is a canonical text without the ids of its clauses.
func markdown(body string) string {
	var out strings.Builder
	for _, b := range policy.Blocks(body) {
		if b.Heading > 0 {
			out.WriteString(strings.Repeat("#", b.Heading) + " ")
		}
		for _, s := range b.Spans {
			if s.Bold && b.Heading == 0 {
				out.WriteString("**" + s.Text + "**")
			} else {
				out.WriteString(s.Text)
			}
		}
		out.WriteString("\n\n")
	}
	return out.String()
}

// Accept records the act on the client's own text. A version that is not in force
// any more is refused: the person read another one.
func (d *Desk) Accept(_ context.Context, a window.Acceptance) error {
	_, err := d.home.Decide(policy.Accept, policy.BuiltIn, a.Version, string(d.lang()))
	d.change()
	return d.problem(err)
}

// Withdraw withdraws every consent that stands, and takes all connections down.
func (d *Desk) Withdraw(ctx context.Context) error {
	defer d.change()
	for _, id := range d.underWay() {
		d.abandon(id)
	}
	scopes, err := d.scopes()
	if err != nil {
		return d.problem(err)
	}
	for _, scope := range scopes {
		st, err := d.home.Policy.Standing(scope)
		if err != nil {
			return d.problem(err)
		}
		if st.Last == nil || st.Last.Act != policy.Accept {
			continue
		}
		if _, err := d.home.Withdraw(ctx, scope, string(d.lang())); err != nil {
			return d.problem(err)
		}
	}
	return nil
}

// scopes are all policies that govern something, the client's own first.
func (d *Desk) scopes() ([]string, error) {
	all := []string{policy.BuiltIn}
	profiles, _, err := d.home.Profiles.All()
	for _, p := range profiles {
		for _, scope := range d.home.Scope(p) {
			if !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
	}
	return all, err
}

func (d *Desk) underWay() (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.attempts {
		ids = append(ids, id)
	}
	return ids
}

// Receipts lists the acts, the newest first.
func (d *Desk) Receipts(context.Context) ([]window.Receipt, error) {
	acts, _, err := d.home.Policy.Receipts()
	if err != nil {
		return nil, d.problem(err)
	}
	words := map[policy.Decision]string{policy.Accept: "accepted", policy.Refuse: "refused", policy.Withdraw: "withdrawn"}
	all := make([]window.Receipt, 0, len(acts))
	for _, r := range slices.Backward(acts) {
		all = append(all, window.Receipt{At: r.At, Version: r.Version, Act: words[r.Act], Digest: r.SHA256})
	}
	return all, nil
}

// Permissions lists what the client ever asks of the device.
func (d *Desk) Permissions(context.Context) ([]window.Permission, error) {
	answers, err := d.home.Policy.Answers()
	if err != nil {
		return nil, d.problem(err)
	}
	var all []window.Permission
	for _, p := range policy.Permissions() {
		all = append(all, permissionOf(p, d.lang(), answers[p.ID].Granted))
	}
	return all, nil
}

func permissionOf(p policy.Permission, lang i18n.Language, allowed bool) window.Permission {
	l := string(lang)
	return window.Permission{ID: p.ID, Name: p.Name.In(l), Purpose: p.Purpose.In(l), Refused: p.Refused.In(l), Allowed: allowed}
}

// SetPermission records an answer.
func (d *Desk) SetPermission(_ context.Context, id string, allowed bool) error {
	return d.problem(d.home.Policy.Answer(id, allowed))
}

// Components is the table of what this program is made of.
func (d *Desk) Components(context.Context) ([]window.Component, error) {
	l := string(d.lang())
	var all []window.Component
	for _, c := range policy.Components(policy.Linked()) {
		link := c.Link
		if c.Policy != "" {
			link += "\n" + c.Policy
		}
		all = append(all, window.Component{Name: strings.TrimSpace(c.Name + " " + c.Version), Purpose: c.Purpose.In(l), Fields: c.Access.In(l), Developer: c.Developer, Link: link})
	}
	return all, nil
}
