package account

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Kinds of mailed tokens.
const (
	kindVerify      = "verify"
	kindReset       = "reset"
	kindResetLookup = "account.reset_lookup"
)

type mailToken struct {
	subject id.Handle
	blind   string
}

// IssueVerification makes a token for a verification mail. It is made when the
// mail is made, so that it rests nowhere but in the mail; only its hash stays.
func (s *Service) IssueVerification(ctx context.Context, subject id.Handle) (string, error) {
	return s.issue(ctx, subject, kindVerify, VerifyLife)
}

// IssueReset makes a token for a password reset mail.
func (s *Service) IssueReset(ctx context.Context, subject id.Handle) (string, error) {
	return s.issue(ctx, subject, kindReset, ResetLife)
}

func (s *Service) issue(ctx context.Context, subject id.Handle, kind string, life time.Duration) (string, error) {
	token, now := id.Random(32), s.d.Clock.Now()
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		p, err := personBy(ctx, tx, "subject", string(subject))
		if err != nil {
			return err
		}
		if kind == kindChange {
			next, err := s.pendingEmail(ctx, tx, subject)
			if err != nil {
				return err
			}
			p.emailBlind = next.blind
		}
		_, err = tx.Exec(ctx, "INSERT INTO account_token (token_hash, subject, kind, blind, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, 0)",
			hashToken(token), string(subject), kind, p.emailBlind, db.Micros(now), db.Micros(now.Add(life)))
		return err
	})
	return token, err
}

// consumeToken uses a mailed token up; ErrToken if it is unknown, used or over.
func (s *Service) consumeToken(ctx context.Context, tx *db.Tx, token, kind string) (mailToken, error) {
	now := db.Micros(s.d.Clock.Now())
	t, err := db.Get(ctx, tx, ErrToken, func(r db.Row) (t mailToken, err error) { return t, r.Scan(&t.subject, &t.blind) },
		"SELECT subject, blind FROM account_token WHERE token_hash = $1 AND kind = $2 AND used_at = 0 AND expires_at > $3", hashToken(token), kind, now)
	if err != nil {
		return t, err
	}
	return t, tx.ExecOne(ctx, ErrToken, "UPDATE account_token SET used_at = $1 WHERE token_hash = $2 AND used_at = 0", now, hashToken(token))
}

// VerifyEmail consumes the token of a verification mail, of the first address or
// of a new one. The holder of an address that another account has verified gets
// account.email_in_use.
func (s *Service) VerifyEmail(ctx context.Context, token string, src Source) error {
	o, err := s.origin(ctx, "", src)
	if err != nil {
		return err
	}
	if _, err := s.perHour(ctx, "mail_token", o, 60, 0); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := s.consumeToken(ctx, tx, token, kindChange)
		if err == nil {
			return s.changeEmailTx(ctx, tx, t)
		}
		if !errors.Is(err, ErrToken) {
			return err
		}
		if t, err = s.consumeToken(ctx, tx, token, kindVerify); err != nil {
			return err
		}
		p, err := personBy(ctx, tx, "subject", string(t.subject))
		if err != nil {
			return err
		}
		if p.emailBlind != t.blind {
			return ErrToken // the address changed since the mail
		}
		return s.verifiedTx(ctx, tx, p)
	})
}

func (s *Service) verifiedTx(ctx context.Context, tx *db.Tx, p person) error {
	if !p.verifiedAt.IsZero() {
		return nil
	}
	now := db.Micros(s.d.Clock.Now())
	err := tx.ExecOne(ctx, errs.New(errs.Conflict, "account.email_in_use"),
		"INSERT INTO account_email (blind, subject, verified_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", p.emailBlind, string(p.subject), now)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE account_person SET email_verified_at = $1 WHERE subject = $2", now, string(p.subject)); err != nil {
		return err
	}
	if err := s.leaf(ctx, tx, "account.email_verified", p, "", nil); err != nil {
		return err
	}
	return s.publish(ctx, tx, TopicEmailVerified, p, "")
}

// AskVerification has another verification mail sent; at most three an hour.
func (s *Service) AskVerification(ctx context.Context, p Principal, src Source) error {
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return err
	}
	if !who.verifiedAt.IsZero() {
		return errs.New(errs.Conflict, "account.email_already_verified")
	}
	o, err := s.origin(ctx, who.nameKey, src)
	if err != nil {
		return err
	}
	if _, err := s.perHour(ctx, "verify_mail", o, 30, s.d.Limits.VerifyPerHour); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.publish(ctx, tx, TopicVerifyAsked, who, "") })
}

type resetAsked struct{ Attempt string }

// AskReset has a reset mail sent if a person has verified the address. Answer
// and work are the same whether it exists: the look-up is a job's.
func (s *Service) AskReset(ctx context.Context, email string, src Source) error {
	address, err := normalEmail(email)
	if err != nil {
		return err
	}
	o, err := s.origin(ctx, "", src)
	if err != nil {
		return err
	}
	if o.name, err = s.d.Vault.Blind(ctx, "account.email", address); err != nil {
		return err
	}
	row, err := s.perHour(ctx, "reset", o, s.d.Limits.ResetsSource, s.d.Limits.ResetsAddress)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: kindResetLookup, Payload: resetAsked{row}})
	})
}

func (s *Service) resetLookup(ctx context.Context, r resetAsked) error {
	blind, err := db.Get(ctx, s.d.DB, ErrNotFound, db.One[string], "SELECT name FROM account_attempt WHERE id = $1", r.Attempt)
	if errs.IsNotFound(err) {
		return nil // too old: purged
	}
	if err != nil {
		return err
	}
	p, err := personBy(ctx, s.d.DB, "verified_email", blind)
	if errs.IsNotFound(err) {
		return nil // nobody has verified this address
	}
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.d.Queue.PublishTx(ctx, tx, TopicResetAsked, Event{ID: "evt_" + r.Attempt, Account: p.account, Subject: p.subject})
	})
}

// ConfirmReset sets a new password by a mailed token and ends all sessions. A
// second factor stays on.
func (s *Service) ConfirmReset(ctx context.Context, token, fresh string, src Source) error {
	o, err := s.origin(ctx, "", src)
	if err != nil {
		return err
	}
	if _, err := s.perHour(ctx, "mail_token", o, 60, 0); err != nil {
		return err
	}
	p, err := s.tokenOwner(ctx, token)
	if err != nil {
		return err
	}
	if err := checkPassword(fresh, p.name); err != nil {
		return err
	}
	hash, err := s.hash(ctx, fresh)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := s.consumeToken(ctx, tx, token, kindReset); err != nil {
			return err
		}
		return s.setPasswordTx(ctx, tx, p, hash, "", "account.password_reset")
	})
}

// tokenOwner looks before the costly hash, without using the token up.
func (s *Service) tokenOwner(ctx context.Context, token string) (person, error) {
	subject, err := db.Get(ctx, s.d.DB, ErrToken, db.One[string],
		"SELECT subject FROM account_token WHERE token_hash = $1 AND kind = 'reset' AND used_at = 0 AND expires_at > $2", hashToken(token), db.Micros(s.d.Clock.Now()))
	if err != nil {
		return person{}, err
	}
	return personBy(ctx, s.d.DB, "subject", subject)
}
