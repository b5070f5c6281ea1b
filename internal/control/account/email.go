package account

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// kindChange is the kind of a token that confirms a new address.
const kindChange = "email_change"

// Corrections is told, in the transaction of the change, that columns of a person
// hold something else now; it tells whoever was sent the old value (clause
// TY-6.2). The rights desk fills it.
type Corrections interface {
	CorrectedTx(ctx context.Context, tx *db.Tx, subject id.Handle, columns ...string) error
}

// Errors of a change of address.
var (
	ErrSameEmail = errs.New(errs.Unprocessable, "account.email_same")
	errNoChange  = errs.New(errs.NotFound, "account.email_change_over")
)

// ChangeEmail has a new address confirmed by a mail to it; the old one is told at
// once, and stands until then. Errors: ErrStepUp, ErrEmail, ErrSameEmail,
// ErrTooMany.
func (s *Service) ChangeEmail(ctx context.Context, p Principal, email string, src Source) error {
	now := s.d.Clock.Now()
	if err := p.RequireStepUp(now); err != nil {
		return err
	}
	address, err := normalEmail(email)
	if err != nil {
		return err
	}
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return err
	}
	blind, err := s.d.Vault.Blind(ctx, "account.email", address)
	if err != nil {
		return err
	}
	if blind == who.emailBlind {
		return ErrSameEmail
	}
	o, err := s.origin(ctx, who.nameKey, src)
	if err != nil {
		return err
	}
	if _, err := s.perHour(ctx, "verify_mail", o, 30, s.d.Limits.VerifyPerHour); err != nil {
		return err
	}
	// Sealed for the place where it will stand, so that nobody has to read it then.
	sealed, err := s.d.Vault.Seal(ctx, emailRef(p.Subject), []byte(norm.NFC.String(strings.TrimSpace(email))))
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO account_email_change (subject, email, blind, at, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (subject) DO UPDATE SET email = excluded.email, blind = excluded.blind, at = excluded.at, expires_at = excluded.expires_at`,
			string(p.Subject), sealed, blind, db.Micros(now), db.Micros(now.Add(VerifyLife)))
		if err != nil {
			return err
		}
		if err := s.leaf(ctx, tx, "account.email_change_asked", who, p.Session, nil); err != nil {
			return err
		}
		return s.publish(ctx, tx, TopicEmailChange, who, p.Session)
	})
}

type emailChange struct {
	email []byte
	blind string
}

func (s *Service) pendingEmail(ctx context.Context, q db.Q, subject id.Handle) (emailChange, error) {
	return db.Get(ctx, q, errNoChange, func(r db.Row) (c emailChange, err error) { return c, r.Scan(&c.email, &c.blind) },
		"SELECT email, blind FROM account_email_change WHERE subject = $1 AND expires_at > $2", string(subject), db.Micros(s.d.Clock.Now()))
}

// NextContact is Contact, at the address that waits for its confirmation.
func (s *Service) NextContact(ctx context.Context, subject id.Handle, job string) (Contact, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(subject))
	if err != nil {
		return Contact{}, err
	}
	next, err := s.pendingEmail(ctx, s.d.DB, subject)
	if err != nil {
		return Contact{}, err
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Job, Session: job}, Subject: subject, Fields: []string{"account_person.email"}, Purpose: "verify",
	})
	if err != nil {
		return Contact{}, err
	}
	email, err := s.d.Vault.Open(ctx, ticket, emailRef(subject), next.email)
	return Contact{Name: who.name, Email: string(email), Locale: who.locale}, err
}

// IssueEmailChange makes a token that confirms the address that waits.
func (s *Service) IssueEmailChange(ctx context.Context, subject id.Handle) (string, error) {
	return s.issue(ctx, subject, kindChange, VerifyLife)
}

// changeEmailTx puts a confirmed address in the place of the old one. Whoever was
// sent the old one is told by what commits with it.
func (s *Service) changeEmailTx(ctx context.Context, tx *db.Tx, t mailToken) error {
	subject, now := string(t.subject), db.Micros(s.d.Clock.Now())
	next, err := s.pendingEmail(ctx, tx, t.subject)
	if errs.IsNotFound(err) || (err == nil && next.blind != t.blind) {
		return ErrToken // another address was entered since, or none waits
	}
	if err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM account_email WHERE subject = $1", "DELETE FROM account_email_change WHERE subject = $1", "DELETE FROM account_token WHERE subject = $1 AND used_at = 0"} {
		if _, err := tx.Exec(ctx, q, subject); err != nil {
			return err
		}
	}
	err = tx.ExecOne(ctx, errs.New(errs.Conflict, "account.email_in_use"),
		"INSERT INTO account_email (blind, subject, verified_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", next.blind, subject, now)
	if err != nil {
		return err
	}
	err = tx.ExecOne(ctx, ErrNotFound, "UPDATE account_person SET email = $1, email_blind = $2, email_verified_at = $3 WHERE subject = $4", next.email, next.blind, now, subject)
	if err != nil {
		return err
	}
	p, err := personBy(ctx, tx, "subject", subject)
	if err != nil {
		return err
	}
	if err := s.leaf(ctx, tx, "account.email_changed", p, "", nil); err != nil {
		return err
	}
	fault.Point("account-before-correction")
	return s.d.Corrections.CorrectedTx(ctx, tx, p.subject, "account_person.email")
}
