package account

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/totp"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

type factorRow struct {
	secret      []byte // sealed
	createdAt   time.Time
	confirmedAt time.Time
	lastStep    int64
}

func scanFactor(r db.Row) (f factorRow, err error) {
	var created, confirmed int64
	err = r.Scan(&f.secret, &created, &confirmed, &f.lastStep)
	f.createdAt, f.confirmedAt = db.FromMicros(created), db.FromMicros(confirmed)
	return f, err
}

// factor returns the second factor of a person; ErrNotFound if there is none.
func factor(ctx context.Context, q db.Q, subject id.Handle) (factorRow, error) {
	return db.Get(ctx, q, ErrNotFound, scanFactor, "SELECT secret, created_at, confirmed_at, last_step FROM account_totp WHERE subject = $1", string(subject))
}

func putFactor(ctx context.Context, tx *db.Tx, subject id.Handle, f factorRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO account_totp (subject, secret, created_at, confirmed_at, last_step) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (subject) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, confirmed_at = excluded.confirmed_at, last_step = 0`,
		string(subject), f.secret, db.Micros(f.createdAt), db.Micros(f.confirmedAt))
	return err
}

func secretRef(subject id.Handle) vault.Ref {
	return vault.Ref{Table: "account_totp", Column: "secret", Row: string(subject), Subject: subject, Class: "account_core"}
}

func (s *Service) newFactor(ctx context.Context, subject id.Handle, name string) (*factorRow, *Enrolment, error) {
	seed := totp.NewSeed()
	sealed, err := s.d.Vault.Seal(ctx, secretRef(subject), []byte(seed))
	if err != nil {
		return nil, nil, err
	}
	return &factorRow{secret: sealed, createdAt: s.d.Clock.Now()}, &Enrolment{Secret: seed, URL: totp.URI(s.d.Issuer, name, seed)}, nil
}

// EnrolTOTP makes a new secret that waits for its first code. It replaces one
// that was never confirmed; a confirmed one has to be turned off first.
func (s *Service) EnrolTOTP(ctx context.Context, p Principal) (Enrolment, error) {
	if err := s.mayEnrol(p); err != nil {
		return Enrolment{}, err
	}
	f, e, err := s.newFactor(ctx, p.Subject, p.UserName)
	if err != nil {
		return Enrolment{}, err
	}
	return *e, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		have, err := factor(ctx, tx, p.Subject)
		if err != nil && !errs.IsNotFound(err) {
			return err
		}
		if err == nil && !have.confirmedAt.IsZero() {
			return ErrFactorOn
		}
		return putFactor(ctx, tx, p.Subject, *f)
	})
}

func (s *Service) mayEnrol(p Principal) error {
	if p.Staff && !s.d.Demo {
		return ErrStaffFactor
	}
	return p.RequireStepUp(s.d.Clock.Now())
}

// Confirmed is the result of turning the second factor on.
type Confirmed struct {
	RecoveryCodes []string // shown once
	Token         string   // new token of this session, which now counts as two-factor
}

// ConfirmTOTP turns the second factor on with its first code, ends all other
// sessions and gives ten recovery codes.
func (s *Service) ConfirmTOTP(ctx context.Context, p Principal, code string) (Confirmed, error) {
	if err := s.enterCode(ctx, p.Subject); err != nil {
		return Confirmed{}, err
	}
	f, err := factor(ctx, s.d.DB, p.Subject)
	if err != nil {
		return Confirmed{}, err
	}
	if !f.confirmedAt.IsZero() {
		return Confirmed{}, ErrFactorOn
	}
	step, err := s.matchCode(ctx, p.Subject, f, code)
	if err != nil {
		return Confirmed{}, err
	}
	c := Confirmed{Token: id.Random(32)}
	for range 10 {
		c.RecoveryCodes = append(c.RecoveryCodes, newRecoveryCode())
	}
	return c, s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.confirmTx(ctx, tx, p, f, step, c) })
}

func (s *Service) confirmTx(ctx context.Context, tx *db.Tx, p Principal, f factorRow, step int64, c Confirmed) error {
	now := s.d.Clock.Now()
	err := tx.ExecOne(ctx, ErrCode, "UPDATE account_totp SET confirmed_at = $1, last_step = $2 WHERE subject = $3 AND confirmed_at = 0 AND created_at = $4",
		db.Micros(now), step, string(p.Subject), db.Micros(f.createdAt))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM account_recovery WHERE subject = $1", string(p.Subject)); err != nil {
		return err
	}
	for _, code := range c.RecoveryCodes {
		if _, err := tx.Exec(ctx, "INSERT INTO account_recovery (subject, code_hash, used_at) VALUES ($1, $2, 0)", string(p.Subject), hashRecovery(p.Subject, code)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE account_session SET mfa = 1, step_up_until = $1 WHERE id = $2", db.Micros(now.Add(StepUpLife)), p.Session); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM account_attempt WHERE scope = 'code' AND name = $1", string(p.Subject)); err != nil {
		return err
	}
	return s.factorChangedTx(ctx, tx, p, "account.totp_enabled", c.Token)
}

// factorChangedTx ends the other sessions, tells, and rotates this session's token.
func (s *Service) factorChangedTx(ctx context.Context, tx *db.Tx, p Principal, kind, token string) error {
	who := person{subject: p.Subject, account: p.Account}
	if err := revokeSessions(ctx, tx, p.Subject, p.Session, kind, s.d.Clock.Now()); err != nil {
		return err
	}
	if err := rotate(ctx, tx, p.Session, token); err != nil {
		return err
	}
	if err := s.leaf(ctx, tx, kind, who, p.Session, nil); err != nil {
		return err
	}
	return s.publish(ctx, tx, TopicTOTPChanged, who, kind)
}

// DisableTOTP turns the second factor off; it needs password and code. Staff
// cannot. The session gets a new token, which is returned.
func (s *Service) DisableTOTP(ctx context.Context, p Principal, pw, code string, src Source) (string, error) {
	if p.Staff {
		return "", ErrStaffFactor
	}
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return "", err
	}
	if err := s.confirmPassword(ctx, who, pw, src); err != nil {
		return "", err
	}
	method, err := s.secondFactor(ctx, who, code)
	if err != nil {
		return "", err
	}
	if method == "password" {
		return "", errs.New(errs.Conflict, "account.totp_not_on")
	}
	token := id.Random(32)
	return token, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM account_totp WHERE subject = $1", string(p.Subject)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM account_recovery WHERE subject = $1", string(p.Subject)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE account_session SET mfa = 0 WHERE id = $1", p.Session); err != nil {
			return err
		}
		return s.factorChangedTx(ctx, tx, p, "account.totp_disabled", token)
	})
}

// secondFactor checks the code of a person who passed the password and returns
// the method: "password" if no second factor is on, "totp" or "recovery".
func (s *Service) secondFactor(ctx context.Context, p person, code string) (string, error) {
	f, err := factor(ctx, s.d.DB, p.subject)
	on := err == nil && !f.confirmedAt.IsZero()
	switch {
	case err != nil && !errs.IsNotFound(err):
		return "", err
	case !on && p.staff && !s.d.Demo:
		return "", ErrStaffFactor
	case !on:
		return "password", nil
	case code == "":
		return "", ErrSecondFactor
	}
	if err := s.enterCode(ctx, p.subject); err != nil {
		return "totp", err
	}
	if len(normalRecovery(code)) == recoveryLength {
		return "recovery", s.useRecovery(ctx, p.subject, code)
	}
	step, err := s.matchCode(ctx, p.subject, f, code)
	if err != nil {
		return "totp", err
	}
	return "totp", s.useStep(ctx, p.subject, step)
}

// useStep accepts each time step once: of two requests with one code, the
// second finds no row.
func (s *Service) useStep(ctx context.Context, subject id.Handle, step int64) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrCode, "UPDATE account_totp SET last_step = $1 WHERE subject = $2 AND last_step < $1", step, string(subject))
	})
}

// matchCode returns the time step that a code belongs to: the present one, the
// one before or after, and later than the last that was used.
func (s *Service) matchCode(ctx context.Context, subject id.Handle, f factorRow, code string) (int64, error) {
	code = strings.ReplaceAll(code, " ", "")
	if len(code) != 6 {
		return 0, ErrCode
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.System, Session: "login"}, Subject: subject,
		Fields: []string{"account_totp.secret"}, Purpose: "account",
	})
	if err != nil {
		return 0, err
	}
	secret, err := s.d.Vault.Open(ctx, ticket, secretRef(subject), f.secret)
	if err != nil {
		return 0, err
	}
	step, ok := totp.Step(string(secret), code, s.d.Clock.Now())
	if !ok || step <= f.lastStep {
		return 0, ErrCode
	}
	return step, nil
}

const recoveryLength = 16

func newRecoveryCode() string {
	c := id.Random(10) // 80 bits
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:]
}

func normalRecovery(code string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
}

func hashRecovery(subject id.Handle, code string) string {
	return hashToken("recovery\n" + string(subject) + "\n" + normalRecovery(code))
}

func (s *Service) useRecovery(ctx context.Context, subject id.Handle, code string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrCode, "UPDATE account_recovery SET used_at = $1 WHERE subject = $2 AND code_hash = $3 AND used_at = 0",
			db.Micros(s.d.Clock.Now()), string(subject), hashRecovery(subject, code))
	})
}
