// Package smtp sends mail for notify through one mail server.
//
// It dials only through a permit of platform/egress, so that each mail has a
// committed intent in the register of disclosures, and it requires STARTTLS or
// TLS outside demo mode. It is not a queue: repeating is the job's work.
package smtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// Config is the mail server. Its address is that of the recipient in the
// registry.
type Config struct {
	Recipient string // id in the registry of recipients, "mail.smtp"
	TLS       string // "starttls" (default), "tls" for an smtps endpoint, "none" (demo only)
	User      string // empty: no authentication
	Password  string
	From      string // "Brand <no-reply@example.com>" or an address
	Demo      bool
}

// Sender fills notify.Sender. It is safe for concurrent use.
type Sender struct {
	c    Config
	from *mail.Address
	door *egress.Egress
}

// New checks the configuration.
func New(c Config, door *egress.Egress) (*Sender, error) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("mail.from: %q is not an address", c.From)
	}
	switch {
	case c.TLS == "":
		c.TLS = "starttls"
	case c.TLS == "none" && !c.Demo:
		return nil, errors.New("smtp: TLS none is for the demo only; use starttls or tls")
	case c.TLS != "starttls" && c.TLS != "tls" && c.TLS != "none":
		return nil, fmt.Errorf("smtp: TLS %q is neither starttls nor tls", c.TLS)
	}
	if c.Recipient == "" {
		c.Recipient = "mail.smtp"
	}
	return &Sender{c, from, door}, nil
}

// timeout of one mail, from the first byte to the server's last answer.
const timeout = 45 * time.Second

// Send sends one mail. It returns notify.ErrRefused for a final answer of the
// server (5xx to sender, recipient or message) and notify.ErrLater for
// everything else, including an answer that never came.
func (s *Sender) Send(ctx context.Context, m notify.Mail) error {
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("%w: %w", notify.ErrRefused, err)
	}
	permit, err := s.door.Begin(ctx, egress.Call{
		Recipient: s.c.Recipient, Op: "send", Subject: m.Subject, Purpose: m.Purpose,
		Fields: []string{"email", "message"},
	})
	if err != nil {
		return err
	}
	err = s.transmit(ctx, permit, msg)
	outcome := permit.OutcomeOf(err)
	if answered(err) {
		outcome = egress.Failed
	}
	if ferr := permit.Finish(ctx, outcome); ferr != nil {
		return errors.Join(err, ferr)
	}
	return classify(err)
}

func (s *Sender) message(m notify.Mail) (*gomail.Msg, error) {
	if strings.ContainsAny(m.Title+m.To+m.Reference, "\r\n") {
		return nil, errors.New("a header holds a line break")
	}
	msg := gomail.NewMsg()
	if err := msg.FromFormat(s.from.Name, s.from.Address); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, errors.New("the address cannot be mailed to") // the cause holds the address
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	msg.SetMessageIDWithValue(m.Reference + "@" + domain)
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(m.Title)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

func (s *Sender) transmit(ctx context.Context, p *egress.Permit, msg *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	options := []gomail.Option{
		gomail.WithTimeout(timeout), gomail.WithTLSConfig(p.TLS()), gomail.WithoutNoop(), gomail.WithTLSPolicy(s.policy(p)),
		gomail.WithDialContextFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) }),
	}
	if s.c.User != "" {
		kind := gomail.SMTPAuthPlain
		if s.c.TLS == "tls" { // the connection is TLS already, which the library cannot see
			kind = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(kind), gomail.WithUsername(s.c.User), gomail.WithPassword(s.c.Password))
	}
	client, err := gomail.NewClient(p.Host(), options...)
	if err != nil {
		return fmt.Errorf("preparing a mail: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if msg.IsDelivered() {
		return nil // the server took it; a goodbye that failed does not matter
	}
	return err
}

// policy is plain only where both the configuration and the permit, which
// knows the demo, allow it.
func (s *Sender) policy(p *egress.Permit) gomail.TLSPolicy {
	if s.c.TLS == "tls" || (s.c.TLS == "none" && p.Plain()) {
		return gomail.NoTLS
	}
	return gomail.TLSMandatory
}

// answered reports whether the server said no: then nothing was delivered.
func answered(err error) bool {
	var failed *gomail.SendError
	return errors.As(err, &failed) && failed.ErrorCode() >= 400
}

// classify keeps the server's words, which may name the address, out of the
// error: only its number goes on.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var failed *gomail.SendError
	if errors.As(err, &failed) {
		if code := failed.ErrorCode(); code >= 500 {
			return fmt.Errorf("%w: answer %d", notify.ErrRefused, code)
		} else if code >= 400 {
			return fmt.Errorf("%w: answer %d", notify.ErrLater, code)
		}
		return fmt.Errorf("%w: the connection ended early", notify.ErrLater)
	}
	return fmt.Errorf("%w: no mail server: %w", notify.ErrLater, err)
}
