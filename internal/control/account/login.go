package account

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Outcomes in the login log.
const (
	outcomeOK        = "ok"
	outcomePassword  = "wrong_password"
	outcomeCode      = "wrong_code"
	outcomeThrottled = "throttled"
)

// Login checks password and second factor and makes a session.
//
// Errors: ErrCredentials for an unknown name or a wrong password, with the
// same work; ErrSecondFactor when the password is right and a code is missing;
// ErrCode; ErrTooMany with the seconds to wait.
func (s *Service) Login(ctx context.Context, r LoginRequest) (Grant, error) {
	if len(r.Password) > maxPassword {
		return Grant{}, ErrPasswordLong
	}
	name := nameKey(r.Name)
	o, err := s.origin(ctx, name, r.Source)
	if err != nil {
		return Grant{}, err
	}
	row, err := s.enter(ctx, "login", o)
	if err != nil {
		return Grant{}, errors.Join(err, s.noteRefusal(ctx, name, r.Source, outcomeThrottled, err))
	}
	p, err := s.checkPerson(ctx, name, r)
	if err != nil {
		return Grant{}, err
	}
	method, err := s.secondFactor(ctx, p, r.Code)
	if errors.Is(err, ErrSecondFactor) {
		return Grant{}, errors.Join(err, s.forget(ctx, row)) // the password was right
	}
	if err != nil {
		outcome := outcomeCode
		if errors.Is(err, ErrTooMany) {
			outcome = outcomeThrottled
		}
		return Grant{}, errors.Join(err, s.noteLogin(ctx, p, r.Source, "", method, outcome))
	}
	family := ""
	if r.Remember && !p.staff {
		family = id.New("fam")
	}
	return s.open(ctx, p, opening{method: method, mfa: method != "password", family: family, src: r.Source, attempt: o.pair})
}

// checkPerson finds the person and compares the password.
func (s *Service) checkPerson(ctx context.Context, name string, r LoginRequest) (person, error) {
	p, err := personBy(ctx, s.d.DB, "name_key", name)
	if err != nil && !errs.IsNotFound(err) {
		return p, err
	}
	absent := err != nil
	ok, err := s.verify(ctx, p.password, r.Password) // an empty hash costs the same
	switch {
	case err != nil:
		return p, err
	case absent:
		return p, ErrCredentials
	case !ok:
		return p, errors.Join(ErrCredentials, s.noteLogin(ctx, p, r.Source, "", "password", outcomePassword))
	}
	return p, s.rehash(ctx, p, r.Password)
}

// rehash replaces a hash that was made with other costs, unless the password
// changes at the same time.
func (s *Service) rehash(ctx context.Context, p person, pw string) error {
	if !s.d.Hasher.Stale(p.password) {
		return nil
	}
	fresh, err := s.hash(ctx, pw)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE account_person SET password = $1 WHERE subject = $2 AND password = $3", fresh, string(p.subject), p.password)
		return err
	})
}

// noteRefusal writes a throttled try of an existing person into the login log.
func (s *Service) noteRefusal(ctx context.Context, name string, src Source, outcome string, cause error) error {
	if !errors.Is(cause, ErrTooMany) {
		return nil
	}
	p, err := personBy(ctx, s.d.DB, "name_key", name)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.noteLogin(ctx, p, src, "", "password", outcome)
}

// opening is what a new session is made from.
type opening struct {
	method  string
	mfa     bool
	family  string    // remember-me family; empty: none
	until   time.Time // when a remembered one ends; zero: asked for just now
	src     Source
	attempt string // pair whose failures are forgotten
}

// open makes a session with a new token. No token that the caller had before
// lives on in it.
func (s *Service) open(ctx context.Context, p person, op opening) (Grant, error) {
	now := s.d.Clock.Now()
	idle, life := UserIdle, UserLife
	if p.staff {
		idle, life = StaffIdle, StaffLife
	}
	ses := session{id: id.New("ses"), family: op.family, mfa: op.mfa, idle: idle, createdAt: now, lastSeen: now, expiresAt: now.Add(life), person: p}
	if op.method != "remember" {
		ses.stepUp = now.Add(StepUpLife)
	}
	seen := observe(op.src)
	var err error
	if ses.device, err = s.sealSession(ctx, ses, seen); err != nil {
		return Grant{}, err
	}
	entry, err := s.loginEntry(ctx, p, ses.id, op.method, outcomeOK, seen)
	if err != nil {
		return Grant{}, err
	}
	device, err := s.d.Vault.Blind(ctx, "account.device", string(p.subject)+"\n"+seen.Browser+"\n"+seen.OS)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{Token: id.Random(32), ExpiresAt: ses.expiresAt}
	if op.family != "" {
		if op.until.IsZero() {
			op.until = now.Add(RememberLife)
		}
		g.RememberToken, g.RememberFor = id.Random(32), op.until.Sub(now)
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.openTx(ctx, tx, ses, g, op, entry, device) })
	if err != nil {
		return Grant{}, err
	}
	if g.Principal, err = s.principal(ctx, ses); err != nil {
		return g, err
	}
	g.EnrolTOTP = p.staff && !op.mfa
	return g, nil
}

func (s *Service) openTx(ctx context.Context, tx *db.Tx, ses session, g Grant, op opening, entry loginRow, device string) error {
	if err := insertSession(ctx, tx, ses, g.Token); err != nil {
		return err
	}
	if g.RememberToken != "" {
		if err := insertRemember(ctx, tx, ses.person.subject, op.family, g.RememberToken, ses.createdAt, op.until); err != nil {
			return err
		}
	}
	if op.attempt != "" {
		if _, err := tx.Exec(ctx, "DELETE FROM account_attempt WHERE scope = 'login' AND pair = $1", op.attempt); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM account_attempt WHERE scope = 'code' AND name = $1", string(ses.person.subject)); err != nil {
			return err
		}
	}
	if err := insertLogin(ctx, tx, entry); err != nil {
		return err
	}
	if err := s.noteDevice(ctx, tx, ses, device); err != nil {
		return err
	}
	return s.leaf(ctx, tx, "account.login", ses.person, ses.id, map[string]string{"method": op.method})
}

// noteDevice tells the person about a sign-in from a browser that was not seen
// before, except the first one ever.
func (s *Service) noteDevice(ctx context.Context, tx *db.Tx, ses session, device string) error {
	subject := string(ses.person.subject)
	known, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT COUNT(*) FROM account_device WHERE subject = $1", subject)
	if err != nil {
		return err
	}
	fresh, err := tx.Exec(ctx, "INSERT INTO account_device (subject, device, seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		subject, device, db.Micros(ses.createdAt))
	if err != nil || fresh == 0 || known == 0 {
		return err
	}
	return s.publish(ctx, tx, TopicNewLogin, ses.person, ses.id)
}

func (s *Service) principal(ctx context.Context, ses session) (p Principal, err error) {
	p = Principal{
		Account: ses.person.account, Subject: ses.person.subject, Session: ses.id, UserName: ses.person.name,
		Staff: ses.person.staff, EmailVerified: !ses.person.verifiedAt.IsZero(), MFA: ses.mfa, StepUpUntil: ses.stepUp,
	}
	if ses.person.staff && ses.mfa { // without a second factor staff may only enrol one
		held, err := s.powered(ctx, p.Subject, ses.person.permissions)
		if err != nil {
			return p, err
		}
		p.Permissions, err = s.taught(ctx, p.Subject, held)
		return p, err
	}
	return p, nil
}

// StepUpRequired is Principal.RequireStepUp at this moment, for a module that
// stands before this one.
func (s *Service) StepUpRequired(p Principal) error { return p.RequireStepUp(s.d.Clock.Now()) }

// RequireStepUp returns ErrStepUp unless the session proved itself within the
// last ten minutes.
func (p Principal) RequireStepUp(now time.Time) error {
	if now.Before(p.StepUpUntil) {
		return nil
	}
	return ErrStepUp
}
