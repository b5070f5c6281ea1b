package user

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Form is what a server wants to know.
type Form struct {
	Message, Banner, Error string
	Fields                 []Field
}

// Field is one question. Its answer is bytes that are wiped after use.
type Field struct {
	Name, Label string
	Secret      bool     // typed without being seen
	Code        bool     // of the second factor
	Choices     []Choice // one of these
	Value       string   // proposed
}

// Choice is a value to choose and what it is called.
type Choice struct{ Value, Label string }

// ErrNobody says that a server asks something, and nobody is there to answer.
var ErrNobody = errors.New("user: the server asks, and nobody can answer")

// Given is what the person said beforehand.
type Given struct {
	Password []byte // wiped by Login
	Code     string // one-time, for the first challenge
	Group    string
	// Signer shows the person a server that nobody known vouches for, of a profile
	// that says nothing of it. Yes is remembered in the profile. Nil where nobody
	// can be asked: then it is refused.
	Signer func(trust.Shown) (yes bool, _ error)
	Anyway bool // connect in a trusted network too
	// Form asks the person what the server wants to know beyond that; nil where
	// nobody can be asked. Login wipes the answers.
	Form func(Form) (map[string][]byte, error)
	// Without is told why something that the profile asks for is left out: its
	// permission is not given. nil: nobody is.
	Without func(error)
}

// Login authenticates and returns what the daemon needs for the connection. A
// server that is a stranger is told nothing of the person before they confirmed it.
func (h *Home) Login(ctx context.Context, p profile.Profile, g Given) (ipc.Up, error) {
	defer wipe(g.Password)
	up, err := h.login(ctx, p, g)
	var unknown *trust.StrangerError
	if !errors.As(err, &unknown) || g.Signer == nil || p.CA != "" {
		return up, err
	}
	if p, err = h.confirm(p, unknown, g.Signer); err != nil {
		return ipc.Up{}, err
	}
	return h.login(ctx, p, g)
}

// confirm puts a stranger's pin into a profile if the person says so.
func (h *Home) confirm(p profile.Profile, unknown *trust.StrangerError, ask func(trust.Shown) (bool, error)) (profile.Profile, error) {
	yes, err := ask(unknown.Shown)
	if err != nil {
		return p, err
	}
	if !yes {
		return p, unknown
	}
	p, err = h.Profiles.Change(p.ID, func(b *bundle.Profile) { b.Pins = []string{unknown.Pin} })
	if err == nil {
		h.Tell(Trusted, p.ID, "")
	}
	return p, err
}

func (h *Home) login(ctx context.Context, p profile.Profile, g Given) (ipc.Up, error) {
	permit, digest, err := h.Permit(p)
	if err != nil {
		return ipc.Up{}, err
	}
	up, err := h.request(ctx, p)
	if err != nil {
		return ipc.Up{}, err
	}
	up.Policy, up.At = digest, h.reached(ctx, p)
	if !g.Anyway {
		up.Trusted = p.Options.TrustedNetworks
	}
	cfg, err := up.Config()
	if err != nil {
		return ipc.Up{}, err
	}
	cfg.Permit = permit
	cfg.Seeds = func(keep bool) { h.heardSeed(ctx, p.ID, keep) }
	up.LANPermitted = h.mayReachLAN(p, g)
	up.LocalLAN = p.Options.LocalLAN && up.LANPermitted
	answer, release := h.answerer(ctx, p, g)
	defer release()
	cookie, err := client.Login(ctx, cfg, answer)
	if err != nil {
		return ipc.Up{}, err
	}
	up.Cookie = ipc.NewSecret(cookie.Reveal())
	return up, nil
}

// wipe overwrites what a person typed.
func wipe(secret []byte) {
	if !mutant.Off("TY-2.2c") {
		clear(secret)
	}
}

// request is what the daemon will be asked for, before the login. The private key is
// in it: a cookie may be bound to the certificate of its login.
func (h *Home) request(ctx context.Context, p profile.Profile) (ipc.Up, error) {
	up := ipc.Up{
		Profile: p.ID, Name: p.Name, Server: p.Server, Path: p.Group, Pins: p.Pins, Roots: p.CA, Certificate: p.Certificate,
		DTLS: p.Options.DTLS, KillSwitch: p.Options.KillSwitch,
	}
	proxy, err := proxyOf(p)
	if err != nil {
		return up, err
	}
	if proxy != nil {
		up.Proxy = proxy.String()
	}
	if p.Certificate == "" {
		return up, nil
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return up, err
	}
	der, err := keys.PrivateKey(ctx, p.ID)
	if err != nil {
		return up, err
	}
	defer clear(der)
	up.Key = ipc.NewSecret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return up, nil
}

// proxyOf is the profile's proxy, else that of the environment (HTTPS_PROXY,
// NO_PROXY), which may have a password that stays in memory; nil for none.
func proxyOf(p profile.Profile) (*url.URL, error) {
	if p.Options.Proxy == "" {
		to := &url.URL{Scheme: "https", Host: p.Server}
		u, err := http.ProxyFromEnvironment(&http.Request{URL: to})
		if err != nil {
			return nil, client.ErrProxy // the cause may quote a password
		}
		return u, nil
	}
	u, err := url.Parse(p.Options.Proxy)
	if err != nil {
		return nil, fmt.Errorf("the profile's proxy: %w", err)
	}
	return u, nil
}

// answerer fills in what is known and asks the person for the rest. Until release,
// which wipes what was typed, no line of the log has it; what was given beforehand
// its giver wipes.
func (h *Home) answerer(ctx context.Context, p profile.Profile, g Given) (answer client.Answerer, release func()) {
	var typed [][]byte
	free := []func(){h.Journal.Guard(g.Password)}
	k := &client.Known{Name: p.Account, Password: openconnect.NewSecret(g.Password), Group: g.Group, Token: func() *client.Token { return h.token(ctx, p.ID, g.Code) }}
	if g.Form != nil {
		k.Ask = func(f openconnect.AuthRequest) (openconnect.Answers, error) {
			said, err := g.Form(formOf(f, p.Account))
			answers := openconnect.Answers{}
			for name, value := range said {
				answers[name] = openconnect.NewSecret(value)
				typed, free = append(typed, value), append(free, h.Journal.Guard(value))
			}
			return answers, err
		}
	}
	return k.Answer, func() {
		for _, b := range typed {
			wipe(b)
		}
		for _, f := range free {
			f()
		}
	}
}

// token is the code that was given, else that of a seed which is kept and may be.
func (h *Home) token(ctx context.Context, id, code string) *client.Token {
	if code != "" {
		return client.Code(code)
	}
	t, err := h.Token(ctx, id)
	if err != nil {
		return nil // the person types the code
	}
	return t
}

// mayReachLAN tells whether the person lets the local network be reached while
// connected. It is asked where the profile wants it, and a refusal stops that alone.
func (h *Home) mayReachLAN(p profile.Profile, g Given) bool {
	if !p.Options.LocalLAN { // a server may propose it: then what was answered before counts
		return h.Policy.Use(policy.LocalNetwork, policy.BuiltIn, nil) == nil
	}
	err := h.Permitted(policy.LocalNetwork)
	if err != nil && g.Without != nil {
		g.Without(err)
	}
	return err == nil
}

// formOf is a server's form for the person. The account is proposed where the server
// proposes none: what a person types without looking is the password.
func formOf(f openconnect.AuthRequest, account string) Form {
	out := Form{Message: openconnect.Printable(f.Message), Banner: openconnect.Printable(f.Banner)}
	if f.Error != nil {
		out.Error = openconnect.Printable(f.Error.Text)
	}
	for _, in := range f.Inputs {
		field := Field{
			Name: in.Name, Label: openconnect.Printable(in.Label), Value: openconnect.Printable(in.Value), Secret: in.Type == openconnect.InputPassword,
			Code: client.ForCode(f, in),
		}
		if in.Name == openconnect.FieldUsername && field.Value == "" {
			field.Value = account
		}
		for _, o := range in.Options {
			field.Choices = append(field.Choices, Choice{o.Value, openconnect.Printable(o.Label)})
		}
		out.Fields = append(out.Fields, field)
	}
	return out
}

// Up logs in and has the daemon connect. A connection that is up is left alone
// with ipc.ErrBusy: a second login could end it. on is told how it comes up.
func (h *Home) Up(ctx context.Context, p profile.Profile, g Given, on func(ipc.Connection)) (err error) {
	defer clear(g.Password)
	defer func() { h.tried(p.ID, err) }()
	now, err := h.Daemon.Status(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(now.Connections, func(c ipc.Connection) bool { return c.Profile == p.ID && !c.State.Over() }) {
		return ipc.ErrBusy
	}
	if err := h.needed(ctx, p, g); err != nil {
		return err
	}
	up, err := h.Login(ctx, p, g)
	if err != nil {
		return err
	}
	return h.Connect(ctx, up, on)
}

// Connect hands a login to the daemon and waits until the connection is up or
// over.
func (h *Home) Connect(ctx context.Context, up ipc.Up, on func(ipc.Connection)) error {
	defer up.Key.Clear()
	defer up.Cookie.Clear()
	var last ipc.Connection
	err := h.Daemon.Call(ctx, ipc.Request{Op: ipc.OpUp, Up: &up}, func(a ipc.Answer) error {
		if a.Connection != nil {
			last = *a.Connection
			on(last)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if last.State != ipc.Connected && last.State != ipc.Paused {
		return &FailedError{last}
	}
	return nil
}

// TrustedError says that the machine stands in a network of the operator, where
// the VPN is not needed. Nobody was asked for a password.
type TrustedError struct{ Domain string }

func (e *TrustedError) Error() string { return e.Domain }

// Is makes every TrustedError an ErrTrusted.
func (e *TrustedError) Is(target error) bool { return target == ErrTrusted }

// ErrTrusted is every TrustedError.
var ErrTrusted = errors.New("user: in a trusted network")

// needed returns a TrustedError where a connection is not. A kill switch wants one
// everywhere.
func (h *Home) needed(ctx context.Context, p profile.Profile, g Given) error {
	if g.Anyway || p.Options.KillSwitch || len(p.Options.TrustedNetworks) == 0 {
		return nil
	}
	if _, _, err := h.Permit(p); err != nil { // asking sends a packet
		return err
	}
	if at := h.Detector.At(ctx, p.Options.TrustedNetworks); at != "" {
		return &TrustedError{at}
	}
	return nil
}

// FailedError is a connection that did not come up.
type FailedError struct{ Connection ipc.Connection }

func (e *FailedError) Error() string {
	if e.Connection.Text != "" {
		return e.Connection.Cause + ": " + e.Connection.Text
	}
	return e.Connection.Cause
}
