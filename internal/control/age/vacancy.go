package age

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// A minor whose guardian is gone has namingDays to name another one; then the
// account is restricted, and after restrictedDays more what is held is erased.
const (
	namingDays     = 30
	restrictedDays = 60

	// codeLife is how long a code for another guardian opens the account to them.
	codeLife = 24 * time.Hour
)

// Causes: why a guardian is gone.
const (
	GuardianErased   = "erased"   // the guardian's account is closed
	GuardianWithdrew = "withdrew" // the consent was taken back
	GuardianMinor    = "minor"    // an identity number says that the guardian is one
	GuardianUnknown  = "unknown"  // a child was found without one
)

// Topics that are published in the transaction of the fact. The payload is
// Unguarded.
const (
	TopicGuardianLeft = "age.guardian_left"
	TopicRestricted   = "age.restricted"
)

// Unguarded tells of a minor whose guardian is gone.
type Unguarded struct {
	Account string
	Subject id.Handle
	Date    string // last day before what follows, YYYY-MM-DD in China
	At      int64  // since when, in microseconds: one vacancy of several
}

// Errors of guardians who leave and come.
var (
	ErrLeft    = errs.New(errs.Forbidden, "age.guardian_left").ByClause("TY-7.1") // the guardian is gone; another one has to consent
	ErrGuarded = errs.New(errs.Conflict, "age.guarded")                           // there is a guardian
	ErrCode    = errs.New(errs.Unprocessable, "age.guardian_code")                // unknown, used or too old
)

// Vacancy is a minor without a guardian.
type Vacancy struct {
	Subject      id.Handle
	Account      string
	Cause        string
	Since        time.Time
	RestrictedAt time.Time // zero: the term to name another one runs
	code         string    // SHA-256 in hex; empty: none was made
	codeUntil    time.Time
}

// RestrictAt is when the account is restricted unless another guardian consents.
func (v Vacancy) RestrictAt() time.Time {
	return civil.DayOf(v.Since).AddDays(namingDays + 1).Start()
}

// EraseAt is when what is held is erased.
func (v Vacancy) EraseAt() time.Time {
	return civil.DayOf(v.Since).AddDays(namingDays + restrictedDays + 1).Start()
}

const vacancyColumns = "subject, account, cause, since, restricted_at, code, code_until"

func scanVacancy(r db.Row) (v Vacancy, err error) {
	var since, restricted, until int64
	err = r.Scan(&v.Subject, &v.Account, &v.Cause, &since, &restricted, &v.code, &until)
	v.Since, v.RestrictedAt, v.codeUntil = db.FromMicros(since), db.FromMicros(restricted), db.FromMicros(until)
	return v, err
}

// vacancy finds that of a minor; ErrNotFound if there is a guardian.
func vacancy(ctx context.Context, q db.Q, subject id.Handle) (Vacancy, error) {
	return db.Get(ctx, q, ErrNotFound, scanVacancy, "SELECT "+vacancyColumns+" FROM age_vacancy WHERE subject = $1", string(subject))
}

// Vacancies lists minors without a guardian, the longest first.
func (s *Service) Vacancies(ctx context.Context) ([]Vacancy, error) {
	return db.Select(ctx, s.d.DB, scanVacancy, "SELECT "+vacancyColumns+" FROM age_vacancy ORDER BY since, subject")
}

// LeaveTx shuts the accounts of the children of a guardian who goes, when the
// transaction commits, and begins their term. Who guards nobody is no error.
func (s *Service) LeaveTx(ctx context.Context, tx *db.Tx, of id.Handle, cause string) error {
	all, err := db.Select(ctx, tx, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE guardian = $1 ORDER BY subject", string(of))
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := s.vacateTx(ctx, tx, c.Subject, c.Account, cause, audit.Actor{Class: "self", Handle: of}); err != nil {
			return err
		}
	}
	return nil
}

// vacateTx begins the term of a minor; one that runs goes on.
func (s *Service) vacateTx(ctx context.Context, tx *db.Tx, subject id.Handle, account, cause string, by audit.Actor) error {
	v := Vacancy{Subject: subject, Account: account, Cause: cause, Since: s.d.Clock.Now()}
	n, err := tx.Exec(ctx, "INSERT INTO age_vacancy ("+vacancyColumns+") VALUES ($1, $2, $3, $4, 0, '', 0) ON CONFLICT DO NOTHING",
		string(subject), account, cause, db.Micros(v.Since))
	if err != nil || n == 0 {
		return err
	}
	if err := s.leafTx(ctx, tx, TopicGuardianLeft, subject, by, map[string]string{"cause": cause}); err != nil {
		return err
	}
	return s.tellTx(ctx, tx, TopicGuardianLeft, v, v.RestrictAt())
}

// tellTx publishes what became of a minor, and the last day before what follows.
func (s *Service) tellTx(ctx context.Context, tx *db.Tx, topic string, v Vacancy, next time.Time) error {
	if s.d.Queue == nil {
		return nil
	}
	return s.d.Queue.PublishTx(ctx, tx, topic, Unguarded{
		Account: v.Account, Subject: v.Subject, Date: civil.DayOf(next.Add(-time.Second)).String(), At: db.Micros(v.Since),
	})
}

// WithdrawTx takes back the consent that a guardian gave from an account: it
// returns the child. ErrNotFound for who is no guardian of it.
func (s *Service) WithdrawTx(ctx context.Context, tx *db.Tx, by By, account string) (id.Handle, error) {
	c, err := db.Get(ctx, tx, ErrNotFound, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE guardian = $1 AND account = $2", string(by.Handle), account)
	if err != nil {
		return "", err
	}
	return c.Subject, s.vacateTx(ctx, tx, c.Subject, account, GuardianWithdrew, audit.Actor{Class: "self", Handle: by.Handle, Session: by.Session})
}

// WithdrawWritten notes that a guardian took a written consent back. One member
// of the staff is enough: it shuts, and opens nothing. document is the SHA-256 of
// the letter. Errors: ErrDigest, ErrNotFound.
func (s *Service) WithdrawWritten(ctx context.Context, by By, account, document string) error {
	if !GoodDigest(document) {
		return ErrDigest
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		c, err := db.Get(ctx, tx, ErrNotFound, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE account = $1 AND kind = $2 AND confirmed_at > 0", account, string(Written))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM age_guardian WHERE subject = $1", string(c.Subject)); err != nil {
			return err
		}
		if err := s.leafTx(ctx, tx, "age.guardian_withdrew", c.Subject, by.staff(), map[string]string{"document_sha256": document}); err != nil {
			return err
		}
		return s.vacateTx(ctx, tx, c.Subject, account, GuardianWithdrew, by.staff())
	})
}

// GuardianCode makes a code with which another guardian takes over from the own
// account within a day; one that was made before opens nothing any more. The
// digest alone is kept. Errors: ErrGuarded, and ErrProfile where a guardian
// consents on paper.
func (s *Service) GuardianCode(ctx context.Context, by By) (code string, until time.Time, err error) {
	if RuleFor(s.d.Profile, Child) != Guardian {
		return "", until, ErrProfile
	}
	code, until = id.Random(16), s.d.Clock.Now().Add(codeLife)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		err := tx.ExecOne(ctx, ErrGuarded, "UPDATE age_vacancy SET code = $1, code_until = $2 WHERE subject = $3", codeDigest(code), db.Micros(until), string(by.Handle))
		if err != nil {
			return err
		}
		return s.leafTx(ctx, tx, "age.guardian_code", by.Handle, audit.Actor{Class: "self", Handle: by.Handle, Session: by.Session}, nil)
	})
	return code, until, err
}

func codeDigest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// SucceedTx makes the holder of a child's code its guardian, in the transaction of
// the acts for the child. The guardian is an adult by AdultGuardian. Errors:
// ErrCode, and ErrSame for the child.
func (s *Service) SucceedTx(ctx context.Context, tx *db.Tx, by By, code string) (Vacancy, error) {
	now := s.d.Clock.Now()
	v, err := db.Get(ctx, tx, ErrCode, scanVacancy, "SELECT "+vacancyColumns+" FROM age_vacancy WHERE code = $1 AND code_until > $2", codeDigest(code), db.Micros(now))
	switch {
	case err != nil:
		return v, err
	case v.Subject == by.Handle:
		return v, ErrSame
	}
	if _, err := tx.Exec(ctx, "DELETE FROM age_guardian WHERE subject = $1", string(v.Subject)); err != nil {
		return v, err
	}
	err = insertConsent(ctx, tx, Consent{
		Subject: v.Subject, Account: v.Account, Kind: Guardian, Guardian: by.Handle, SeenBy: by.Handle, SeenAt: now, ConfirmedBy: by.Handle, ConfirmedAt: now,
	})
	if err != nil {
		return v, err
	}
	if err := fillTx(ctx, tx, v.Subject); err != nil {
		return v, err
	}
	if err := s.countTx(ctx, tx, "guardian_consent"); err != nil {
		return v, err
	}
	actor := audit.Actor{Class: "self", Handle: by.Handle, Session: by.Session}
	return v, s.leafTx(ctx, tx, "age.guardian_consented", v.Subject, actor, map[string]string{"kind": string(Guardian)})
}

// fillTx ends a vacancy.
func fillTx(ctx context.Context, tx *db.Tx, subject id.Handle) error {
	_, err := tx.Exec(ctx, "DELETE FROM age_vacancy WHERE subject = $1", string(subject))
	return err
}

// watchVacancies begins the term of children who were found without a guardian,
// restricts accounts whose term is over, and erases what was restricted long
// enough.
func (s *Service) watchVacancies(ctx context.Context) error {
	if err := s.findUnguarded(ctx); err != nil {
		return err
	}
	all, err := s.Vacancies(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.stepTx(ctx, tx, v.Subject) }); err != nil {
			return fmt.Errorf("an account without a guardian: %w", err)
		}
	}
	return nil
}

// stepTx does with one vacancy what its day asks for.
func (s *Service) stepTx(ctx context.Context, tx *db.Tx, subject id.Handle) error {
	v, err := vacancy(ctx, tx, subject)
	if errs.IsNotFound(err) {
		return nil // somebody consented meanwhile
	}
	if err != nil {
		return err
	}
	all, err := s.events(ctx, tx, subject)
	if err != nil {
		return err
	}
	_, band := known(all, s.today())
	now, rule := s.d.Clock.Now(), RuleFor(s.d.Profile, band)
	switch {
	case rule == Free || rule == Screen:
		return fillTx(ctx, tx, subject) // needs no guardian any more
	case !now.Before(v.EraseAt()):
		return s.eraseTx(ctx, tx, v.Subject, v.Account)
	case v.RestrictedAt.IsZero() && !now.Before(v.RestrictAt()):
		return s.restrictTx(ctx, tx, v)
	}
	return nil
}

func (s *Service) restrictTx(ctx context.Context, tx *db.Tx, v Vacancy) error {
	if err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE age_vacancy SET restricted_at = $1 WHERE subject = $2 AND restricted_at = 0",
		db.Micros(s.d.Clock.Now()), string(v.Subject)); err != nil {
		return err
	}
	if err := s.d.Eraser.RestrictMinorTx(ctx, tx, v.Subject, v.Account); err != nil {
		return err
	}
	if err := s.leafTx(ctx, tx, TopicRestricted, v.Subject, audit.Actor{Class: "system"}, nil); err != nil {
		return err
	}
	return s.tellTx(ctx, tx, TopicRestricted, v, v.EraseAt())
}

// findUnguarded finds children whose guardian's consent is not there and whose
// term never began, as after an old backup was restored.
func (s *Service) findUnguarded(ctx context.Context) error {
	if RuleFor(s.d.Profile, Child) != Guardian {
		return nil
	}
	all, err := db.Select(ctx, s.d.DB, scanEvent, `SELECT `+eventColumns+` FROM age_event WHERE band = $1 AND source = $2
		AND NOT EXISTS (SELECT 1 FROM age_guardian g WHERE g.subject = age_event.subject AND g.confirmed_at > 0)
		AND NOT EXISTS (SELECT 1 FROM age_vacancy v WHERE v.subject = age_event.subject) ORDER BY at, id`, string(Child), string(Declared))
	if err != nil {
		return err
	}
	for _, e := range all {
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			return s.vacateTx(ctx, tx, e.Subject, e.Account, GuardianUnknown, audit.Actor{Class: "system"})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// OverdueVacancies counts minors without a guardian, and those whose account is
// open or held past its day. The daily run has a day to come.
func (s *Service) OverdueVacancies(ctx context.Context) (examined, found int64, err error) {
	all, err := s.Vacancies(ctx)
	now := s.d.Clock.Now().Add(-25 * time.Hour)
	for _, v := range all {
		examined++
		if v.RestrictedAt.IsZero() && now.After(v.RestrictAt()) || now.After(v.EraseAt()) {
			found++
		}
	}
	return examined, found, err
}
