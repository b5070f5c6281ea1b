package desk

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// attempt is one connect that is under way, and who answers for it.
type attempt struct {
	ctx    context.Context
	cancel context.CancelFunc
	mute   func() bool // lets questions be when the connect has ended otherwise
	answer window.Answerer
	done   chan struct{}
}

// begin registers a connect; a second one of the same profile is ipc.ErrBusy.
func (d *Desk) begin(ctx context.Context, id string, answer window.Answerer) (*attempt, error) {
	ctx, cancel := context.WithCancel(ctx)
	a := &attempt{ctx, cancel, context.AfterFunc(ctx, d.quiet), answer, make(chan struct{})}
	d.mu.Lock()
	busy := d.attempts[id] != nil
	if !busy {
		d.attempts[id] = a
	}
	d.mu.Unlock()
	if busy {
		a.mute()
		cancel()
		return nil, ipc.ErrBusy
	}
	d.change()
	return a, nil
}

func (d *Desk) end(id string, a *attempt) {
	a.mute()
	a.cancel()
	d.mu.Lock()
	delete(d.attempts, id)
	d.mu.Unlock()
	close(a.done)
	d.change()
}

// abandon ends a connect that is under way and waits for it.
func (d *Desk) abandon(id string) {
	d.mu.Lock()
	a := d.attempts[id]
	d.mu.Unlock()
	if a != nil {
		a.cancel()
		<-a.done
	}
}

// Connect logs in and has the daemon connect. The operator's policy, where it is
// not accepted, and the permission to use the network are asked for first.
func (d *Desk) Connect(ctx context.Context, profileID string, answer window.Answerer) error {
	a, err := d.begin(ctx, profileID, answer)
	if err != nil {
		return d.problem(err)
	}
	defer d.end(profileID, a)
	p, err := d.home.Profiles.Find(profileID)
	if err == nil {
		err = d.agree(a, p)
	}
	if err == nil {
		err = d.up(a, p, false)
	}
	if errors.Is(err, user.ErrTrusted) {
		err = d.anyway(a, p)
	}
	if a.ctx.Err() != nil {
		err = a.ctx.Err() // whatever a call says that was cut off
	}
	return d.problem(err)
}

// agree asks for what governs a profile beside the client's own policy, which the
// window asks for itself.
func (d *Desk) agree(a *attempt, p profile.Profile) error {
	for _, scope := range d.home.Scope(p)[1:] {
		st, err := d.home.Policy.Standing(scope)
		if err != nil {
			return err
		}
		if st.Refused == nil {
			continue
		}
		lang := d.lang()
		text := d.policyOf(st, lang)
		yes, err := decided(a.answer(a.ctx, window.Form{Policy: &text}))
		if err != nil {
			return err
		}
		act := policy.Refuse
		if yes {
			act = policy.Accept
		}
		if _, err := d.home.Decide(act, scope, st.InForce.Version, string(lang)); err != nil {
			return err
		}
		if !yes {
			return window.ErrDeclined
		}
	}
	return nil
}

func (d *Desk) up(a *attempt, p profile.Profile, anyway bool) error {
	return d.home.Up(a.ctx, p, user.Given{Form: a.form, Signer: d.stranger(a, p), Anyway: anyway}, func(ipc.Connection) {})
}

// anyway connects in a trusted network, if the person wants it.
func (d *Desk) anyway(a *attempt, p profile.Profile) error {
	yes, err := decided(a.answer(a.ctx, window.Form{Confirm: &window.Confirmation{
		Title: d.say("window.trusted_title"), About: d.say("window.trusted_about", "name", p.Name), Act: d.say("window.trusted_act"),
	}}))
	switch {
	case err != nil:
		return err
	case !yes:
		return window.ErrDeclined
	}
	return d.up(a, p, true)
}

// stranger has the person compare the key of a server that nobody known vouches for.
func (d *Desk) stranger(a *attempt, p profile.Profile) func(trust.Shown) (bool, error) {
	return func(s trust.Shown) (bool, error) {
		holds := s.From.Local().Format(time.DateOnly) + " – " + s.Until.Local().Format(time.DateOnly)
		return decided(a.answer(a.ctx, window.Form{Confirm: &window.Confirmation{
			Title: d.say("window.stranger_title", "name", p.Name), About: d.say("window.stranger_about"), Act: d.say("window.stranger_take"),
			Facts: []window.Fact{
				{Name: d.say("window.stranger_pin"), Value: s.Pin},
				{Name: d.say("window.stranger_names"), Value: user.Clean(s.Names)},
				{Name: d.say("window.stranger_issuer"), Value: user.Clean(s.Issuer)},
				{Name: d.say("window.stranger_holds"), Value: holds},
			},
		}}))
	}
}

// form has the person fill in a server's form.
func (a *attempt) form(f user.Form) (map[string][]byte, error) {
	out := window.Form{Message: f.Message, Error: f.Error}
	if f.Banner != "" {
		out.Message = f.Banner + "\n" + f.Message
	}
	for _, q := range f.Fields {
		field := window.FormField{Name: q.Name, Label: q.Label, Value: q.Value}
		switch {
		case len(q.Choices) > 0:
			field.Kind = window.Choice
		case q.Code:
			field.Kind, field.Value = window.Code, ""
		case q.Secret:
			field.Kind, field.Value = window.Password, ""
		}
		for _, c := range q.Choices {
			field.Options = append(field.Options, window.Option{Value: c.Value, Label: c.Label})
		}
		out.Fields = append(out.Fields, field)
	}
	return a.answer(a.ctx, out)
}

// Disconnect ends a connection, and a connect that is under way.
func (d *Desk) Disconnect(ctx context.Context, profileID string) error {
	d.mu.Lock()
	d.ending[profileID] = true
	d.mu.Unlock()
	d.change()
	d.abandon(profileID)
	err := d.home.Down(ctx, profileID)
	d.mu.Lock()
	delete(d.ending, profileID)
	d.mu.Unlock()
	d.change()
	if errors.Is(err, ipc.ErrUnknown) {
		return nil // it was down already
	}
	return d.problem(err)
}

// Import takes a bundle, or a link to one, into the profiles.
func (d *Desk) Import(ctx context.Context, text, passphrase []byte) (window.Imported, error) {
	b, err := user.ParseBundle(text)
	if err != nil {
		return window.Imported{}, d.problem(err)
	}
	if b.Key != nil && b.Key.PKCS12 != "" && passphrase == nil {
		return window.Imported{}, window.ErrPassphrase
	}
	confirm, err := d.signer(b)
	if err != nil {
		return window.Imported{}, d.problem(err)
	}
	p, err := d.home.Import(ctx, b, string(passphrase), confirm)
	if errors.Is(err, keystore.ErrUnavailable) && !keystore.Chosen(d.home.Dir) {
		if err = d.sealed(); err == nil {
			p, err = d.home.Import(ctx, b, string(passphrase), confirm)
		}
	}
	d.change()
	if errors.Is(err, bundle.ErrPhrase) {
		return window.Imported{}, window.ErrPassphrase
	}
	if err != nil {
		return window.Imported{}, d.problem(err)
	}
	return window.Imported{ID: p.ID, Name: p.Name}, nil
}

// Add makes a profile of what the person typed; the server's port is 443 unless
// they say another.
func (d *Desk) Add(_ context.Context, t window.Typed) (window.Imported, error) {
	if _, _, err := net.SplitHostPort(t.Server); err != nil {
		t.Server = net.JoinHostPort(strings.Trim(t.Server, "[]"), "443")
	}
	p, err := d.home.Profiles.Add(bundle.Profile{
		Name: t.Name, Server: t.Server, Account: t.Account, Group: strings.Trim(t.Group, "/"), Options: bundle.Options{DTLS: true},
	})
	if err != nil {
		return window.Imported{}, d.problem(err)
	}
	d.change()
	return window.Imported{ID: p.ID, Name: p.Name}, nil
}

// Remove disconnects a profile and deletes it with its keys.
func (d *Desk) Remove(ctx context.Context, profileID string) error {
	d.abandon(profileID)
	p, err := d.home.Profiles.Find(profileID)
	if err == nil {
		err = d.home.Remove(ctx, p)
	}
	d.change()
	return d.problem(err)
}
