package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const (
	maxRounds    = 12
	maxRedirects = 3
	maxDenied    = 3  // times that a login begins again
	maxCookies   = 16 // of a login
	maxCookieLen = 4096
)

// Answerer fills in a form. It may ask a person, and take any time. What it
// returns is wiped after it was sent. Its error ends the login.
type Answerer func(openconnect.AuthRequest) (openconnect.Answers, error)

// Login authenticates on connections of its own and returns the cookie, which is
// the session: Connect and Link use it, Logout ends it.
//
// A choice of another group brings the form of that group, so that the same
// fields may be asked for again. Wrong credentials bring the form again with its
// Error, also from servers that answer them with 401 and close.
func Login(ctx context.Context, cfg Config, answer Answerer) (openconnect.Secret, error) {
	l := &login{cfg: cfg, path: cfg.path(), cookies: map[string]string{}}
	defer l.drop()
	a, err := l.begin(ctx)
	for range maxRounds {
		if err != nil {
			return openconnect.Secret{}, err
		}
		if a.Done {
			return l.session(a)
		}
		a, err = l.round(ctx, a, answer)
	}
	if err == nil {
		err = ErrRounds
	}
	return openconnect.Secret{}, err
}

// login is one under way. Its state is in the cookies and in the forms, never in
// the connection, which the server may close between two rounds.
type login struct {
	cfg     Config
	c       *connection // nil = none
	path    string
	cookies map[string]string
	group   string // that was asked for
	denied  int
	certain bool // a document asked for the certificate
	asked   bool // a TLS handshake did
}

// session is the cookie of a login that is done.
func (l *login) session(a openconnect.Answer) (openconnect.Secret, error) {
	if a.Token.Len() > 0 {
		return a.Token, nil
	}
	if c := l.cookies["webvpn"]; c != "" {
		return openconnect.NewSecret([]byte(c)), nil
	}
	return openconnect.Secret{}, fmt.Errorf("%w: it gives no session", openconnect.ErrAnswer)
}

// begin asks for the first form.
func (l *login) begin(ctx context.Context) (openconnect.Answer, error) {
	a, err := l.init(ctx, openconnect.Answer{}, false)
	if err != nil && l.cfg.Certificate == nil && l.asked && wordless(err) {
		return a, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if err != nil || !a.WantsCertificate {
		return a, err
	}
	l.certain = true
	if l.cfg.Certificate != nil { // some servers ask for it on the connection after
		l.drop()
	}
	a, err = l.init(ctx, a, l.cfg.Certificate == nil)
	if err == nil && a.WantsCertificate {
		err = ErrCertificate
	}
	return a, err
}

// wordless tells whether the server has refused the first request as stock ones
// do that want a certificate: by 401, or by closing.
func wordless(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Status == http.StatusUnauthorized || closed(err)
}

func (l *login) init(ctx context.Context, to openconnect.Answer, noCertificate bool) (openconnect.Answer, error) {
	return l.post(ctx, openconnect.Init{
		Version: version, Device: device, URL: "https://" + l.cfg.host() + l.cfg.path(), Group: l.group, NoCertificate: noCertificate,
	}.AppendTo(nil, to))
}

// round has a form filled in and sends it.
func (l *login) round(ctx context.Context, a openconnect.Answer, answer Answerer) (openconnect.Answer, error) {
	if len(a.Form.Inputs) == 0 {
		why := ErrRefused
		if l.certain {
			why = ErrCertificate
		}
		return a, refusedForm(a.Form, why)
	}
	if err := modest(a.Form); err != nil {
		return a, err
	}
	fields, err := answer(a.Form)
	defer fields.Zero()
	if err != nil {
		return a, err
	}
	if err := l.follow(a.Form.Action); err != nil {
		return a, err
	}
	if g := string(fields[openconnect.FieldGroup].Reveal()); g != "" && g != l.group && g != selected(a.Form) {
		l.group = g
		return l.init(ctx, a, false)
	}
	next, err := l.post(ctx, openconnect.AppendReply(nil, version, device, a, fields))
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized && l.denied < maxDenied {
		return l.again(ctx, refused)
	}
	return next, err
}

// modest refuses a form that wants more of the person than a login takes: account,
// password and codes; the certificate is TLS's (clause TY-2.2a). What is typed
// unseen is a password, whatever the server calls it.
func modest(f openconnect.AuthRequest) error {
	for _, in := range f.Inputs {
		account := in.Name == openconnect.FieldUsername || in.Name == openconnect.FieldSecondaryUsername
		if in.Type == openconnect.InputText && !account && !ForCode(f, in) && !mutant.Off("TY-2.2a") {
			return fmt.Errorf("%w: %s", ErrMore, openconnect.Printable(in.Name+" "+in.Label))
		}
	}
	return nil
}

// selected is the group that a form is for.
func selected(f openconnect.AuthRequest) string {
	for _, in := range f.Inputs {
		if in.Name == openconnect.FieldGroup {
			return in.Value
		}
	}
	return ""
}

// again begins anew after wrong credentials that the server answered with 401.
func (l *login) again(ctx context.Context, why *RefusedError) (openconnect.Answer, error) {
	l.denied++
	l.drop()
	clear(l.cookies)
	l.path = l.cfg.path()
	a, err := l.begin(ctx)
	if err == nil && !a.Done {
		text := why.Reason
		if text == "" {
			text = "Login failed."
		}
		a.Form.Error = &openconnect.FormError{ID: openconnect.ErrorLoginFailed, Text: text}
	}
	return a, err
}

// hear passes on what a server of ours says about seeds.
func (l *login) hear(head http.Header) {
	if keep, said := openconnect.HeardSeedRule(head); said && l.cfg.Seeds != nil {
		l.cfg.Seeds(keep)
	}
}

// follow moves to the target of a form or of a redirect, which is on this server.
func (l *login) follow(target string) error {
	if target == "" {
		return nil
	}
	base := &url.URL{Scheme: "https", Host: l.cfg.host(), Path: "/"}
	u, err := base.Parse(target)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return openconnect.ErrAnswer
	}
	if !strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), base.Host) {
		return fmt.Errorf("%w: to %s", ErrRedirected, openconnect.Printable(u.Host))
	}
	l.path = u.RequestURI()
	return nil
}

// post sends a document, which it wipes, and follows redirects.
func (l *login) post(ctx context.Context, body []byte) (openconnect.Answer, error) {
	defer clear(body)
	for range maxRedirects + 1 {
		r, err := l.send(ctx, body)
		if err != nil {
			return openconnect.Answer{}, err
		}
		if r.status == http.StatusOK {
			l.hear(r.head)
			return openconnect.ParseAnswer(r.body)
		}
		where := r.head.Get("Location")
		if r.status/100 != 3 || where == "" {
			return openconnect.Answer{}, refusal(r.status, r.head)
		}
		if err := l.follow(where); err != nil {
			return openconnect.Answer{}, err
		}
	}
	return openconnect.Answer{}, fmt.Errorf("%w: again and again", ErrRedirected)
}

// send sends a document on the connection that there is, or on a new one if the
// server has closed that.
func (l *login) send(ctx context.Context, body []byte) (reply, error) {
	used := l.c != nil
	for {
		if l.c == nil {
			c, err := dial(ctx, l.cfg, netip.AddrPort{})
			if err != nil {
				return reply{}, err
			}
			l.c, l.asked = c, c.asked
		}
		r, err := l.try(ctx, body)
		if err == nil {
			return r, nil
		}
		l.drop()
		if !used || ctx.Err() != nil || !closed(err) {
			return reply{}, err
		}
		used = false
	}
}

// closed tells whether the server has closed a connection that waited.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// reply is a whole answer.
type reply struct {
	status int
	head   http.Header
	body   []byte
}

func (l *login) try(ctx context.Context, body []byte) (reply, error) {
	r, err := l.c.exchange(ctx, l.request(body), http.MethodPost)
	if err != nil {
		return reply{}, fmt.Errorf("asking the server: %w", err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(r.Body, openconnect.MaxDocument+1))
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer: %w", err)
	}
	l.keep(r)
	if r.Close || len(text) > openconnect.MaxDocument {
		l.drop()
	}
	return reply{r.StatusCode, r.Header, text}, nil
}

// request is a whole request in memory of its own.
func (l *login) request(body []byte) []byte {
	var cookies []string
	for name, value := range l.cookies {
		cookies = append(cookies, name+"="+value)
	}
	head := "POST " + l.path + " HTTP/1.1\r\nHost: " + l.cfg.host() + "\r\nUser-Agent: " + l.cfg.agent() + "\r\n" +
		"Accept: */*\r\nAccept-Encoding: identity\r\nX-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n"
	if l.cfg.Seeds != nil {
		head += "X-Skybridge-Ext: " + openconnect.ExtSeed + "\r\n"
	}
	if len(cookies) > 0 {
		head += "Cookie: " + strings.Join(cookies, "; ") + "\r\n"
	}
	head += fmt.Sprintf("Content-Type: application/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n", len(body))
	return append(append(make([]byte, 0, len(head)+len(body)), head...), body...)
}

// keep takes the answer's cookies for the rounds to come: those by which the
// protocol finds its conversation and its session again, and no others (clause
// TY-2.5).
func (l *login) keep(r *http.Response) {
	for _, k := range r.Cookies() {
		switch _, known := l.cookies[k.Name]; {
		case !strings.HasPrefix(k.Name, openconnect.CookiePrefix) && !mutant.Off("TY-2.5"):
		case k.MaxAge < 0 || k.Value == "":
			delete(l.cookies, k.Name)
		case len(k.Value) <= maxCookieLen && (known || len(l.cookies) < maxCookies):
			l.cookies[k.Name] = k.Value
		}
	}
}

// drop closes the connection.
func (l *login) drop() {
	if l.c != nil {
		l.c.close()
		l.c = nil
	}
}
