package user

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
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
	// Form asks the person what the server wants to know beyond that; nil where
	// nobody can be asked. Login wipes the answers.
	Form func(Form) (map[string][]byte, error)
}

// Login authenticates and returns what the daemon needs for the connection.
func (h *Home) Login(ctx context.Context, p profile.Profile, g Given) (ipc.Up, error) {
	defer clear(g.Password)
	permit, digest, err := h.Permit(p)
	if err != nil {
		return ipc.Up{}, err
	}
	up := ipc.Up{
		Profile: p.ID, Name: p.Name, Server: p.Server, Path: p.Group, Pins: p.Pins, Roots: p.CA, Certificate: p.Certificate,
		DTLS: p.Options.DTLS, Proxy: p.Options.Proxy, KillSwitch: p.Options.KillSwitch, LocalLAN: p.Options.LocalLAN, Policy: digest,
	}
	cfg, err := h.config(ctx, p, &up)
	if err != nil {
		return ipc.Up{}, err
	}
	cfg.Permit = permit
	up.At = h.reached(ctx, p)
	cfg.At = up.At
	answer, release := h.answerer(ctx, p, g)
	defer release()
	cookie, err := client.Login(ctx, cfg, answer)
	if err != nil {
		return ipc.Up{}, err
	}
	up.Cookie = ipc.NewSecret(cookie.Reveal())
	return up, nil
}

// config is the engine's, and puts the private key into up too: a cookie may be
// bound to the certificate of its login.
func (h *Home) config(ctx context.Context, p profile.Profile, up *ipc.Up) (client.Config, error) {
	cfg := client.Config{Server: p.Server, Path: p.Group, Pins: p.Pins, DTLS: p.Options.DTLS}
	if p.CA != "" {
		cfg.Roots = x509.NewCertPool()
		cfg.Roots.AppendCertsFromPEM([]byte(p.CA))
	}
	if p.Options.Proxy != "" {
		u, err := url.Parse(p.Options.Proxy)
		if err != nil {
			return cfg, fmt.Errorf("the profile's proxy: %w", err)
		}
		cfg.Proxy = u
	}
	if p.Certificate == "" {
		return cfg, nil
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return cfg, err
	}
	der, err := keys.PrivateKey(ctx, p.ID)
	if err != nil {
		return cfg, err
	}
	defer clear(der)
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	pair, err := tls.X509KeyPair([]byte(p.Certificate), key)
	if err != nil {
		return cfg, errors.New("the profile's certificate and its key do not fit") // the cause may quote the key
	}
	cfg.Certificate, up.Key = &pair, ipc.NewSecret(key)
	return cfg, nil
}

// answerer fills in what is known and asks the person for the rest. Until release,
// which wipes what was typed, no line of the log has it.
func (h *Home) answerer(ctx context.Context, p profile.Profile, g Given) (answer client.Answerer, release func()) {
	typed := [][]byte{g.Password}
	free := []func(){h.Journal.Guard(g.Password)}
	k := &client.Known{Name: p.Account, Password: openconnect.NewSecret(g.Password), Group: g.Group, Token: h.token(ctx, p, g.Code)}
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
			clear(b)
		}
		for _, f := range free {
			f()
		}
	}
}

// token is the code that was given, else that of a seed which is kept.
func (h *Home) token(ctx context.Context, p profile.Profile, code string) *client.Token {
	if code != "" {
		return client.Code(code)
	}
	if p.Options.Token == bundle.TokenNone || !p.Options.KeepSeed {
		return nil
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return nil // the person types the code
	}
	seed, err := keys.Seed(ctx, p.ID)
	if err != nil || len(seed) == 0 {
		return nil
	}
	defer clear(seed)
	if p.Options.Token == bundle.TokenTOTP {
		return client.TOTP(string(seed))
	}
	t, err := client.SoftToken(string(seed), "")
	if err != nil {
		return nil
	}
	return t
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
	if last.State != ipc.Connected {
		return &FailedError{last}
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
