package age

import (
	"context"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Eraser opens an erasure of what was collected of a minor without its basis: a
// case with a clock of no days, and what is open of the person freezes in the
// same transaction. fresh is false if one is open already. The module privacy
// fills it.
type Eraser interface {
	EraseMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string) (fresh bool, err error)
	// RestrictMinorTx ends the sessions of a minor and locks the VPN clients of the
	// account; signing in for the rights page stays open.
	RestrictMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string) error
}

// Statements answers whether a person stated adulthood in an act of acceptance.
// The module consent fills it.
type Statements interface {
	StatedAdult(ctx context.Context, subject id.Handle) (bool, error)
}

// Deps is what the module needs.
type Deps struct {
	DB         *db.DB
	Clock      clock.Clock
	Queue      *job.Queue // nil: no daily run (tests)
	Log        *slog.Logger
	Audit      *audit.Service
	Statements Statements
	Eraser     Eraser
	Profile    string // mainland or hongkong
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the module and registers its daily run.
func New(d Deps) *Service {
	s := &Service{d}
	if d.Queue != nil {
		d.Queue.Every("age.daily", 24*time.Hour, s.Daily)
	}
	return s
}

// Profile returns mainland or hongkong.
func (s *Service) Profile() string { return s.d.Profile }

func (s *Service) today() civil.Day { return civil.DayOf(s.d.Clock.Now()) }

// Gate returns nil if a person's age lets processing that rests on an act be
// open. ErrUnstated, ErrScreen, ErrGuardian, ErrLeft and ErrShut say what is missing; any
// other error keeps it shut too. It fills consent.Age.
func (s *Service) Gate(ctx context.Context, subject id.Handle) error {
	all, err := s.events(ctx, s.d.DB, subject)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		adult, err := s.d.Statements.StatedAdult(ctx, subject)
		if err == nil && !adult && !mutant.Off("TY-0b") {
			err = ErrUnstated
		}
		return err
	}
	declared, band := known(all, s.today())
	return s.gate(ctx, subject, RuleFor(s.d.Profile, band), declared)
}

func (s *Service) gate(ctx context.Context, subject id.Handle, rule Rule, declared Band) error {
	switch rule {
	case Free:
		return nil
	case Screen:
		if !declared.Minor() && !mutant.Off("TY-0b") {
			return ErrScreen // an identity number told of the age; the screen was not shown
		}
		return nil
	case Guardian, Written:
		if mutant.Off("TY-7.1") && rule == Guardian || mutant.Off("LT-7a") && rule == Written {
			return nil
		}
		if _, err := vacancy(ctx, s.d.DB, subject); err == nil && !mutant.Off("LT-7a") {
			return ErrLeft
		} else if err != nil && !errs.IsNotFound(err) {
			return err
		}
		g, err := guardian(ctx, s.d.DB, subject)
		if errs.IsNotFound(err) || (err == nil && g.ConfirmedAt.IsZero()) {
			return ErrGuardian
		}
		return err
	}
	return ErrShut
}

// Admit refuses an age that may not register by itself, before anything is
// stored: ErrTooYoung, or ErrChild where a guardian opens the account.
func (s *Service) Admit(ctx context.Context, b Band) error {
	if !b.Minor() {
		return ErrBand
	}
	switch RuleFor(s.d.Profile, b) {
	case Guardian:
		if mutant.Off("TY-7.1") {
			return nil
		}
		return s.refuse(ctx, ErrChild)
	case Refused:
		return s.refuse(ctx, ErrTooYoung)
	}
	return nil
}

// refuse counts a refusal, which names nobody.
func (s *Service) refuse(ctx context.Context, why error) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.countTx(ctx, tx, "refused") })
	if err != nil {
		return err
	}
	return why
}

// DeclareTx keeps the band that a minor stated, in the transaction of the act.
func (s *Service) DeclareTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string, b Band) error {
	if !b.Minor() {
		return ErrBand
	}
	return s.learnTx(ctx, tx, subject, account, b, Declared)
}

// State keeps the statement of a signed-in minor who read the minors' screen
// with a guardian. ErrProfile: this profile wants more than a screen.
func (s *Service) State(ctx context.Context, by By, account string, b Band) error {
	if !b.Minor() {
		return ErrBand
	}
	if RuleFor(s.d.Profile, b) != Screen {
		return ErrProfile
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.learnTx(ctx, tx, by.Handle, account, b, Declared) })
}

// StatedTx judges the statement inside an act of acceptance: an adult states it,
// a minor has a band already. It fills consent.Age.
func (s *Service) StatedTx(ctx context.Context, tx *db.Tx, subject id.Handle, adult bool) error {
	if adult {
		return nil // a band that is stored stays: the stricter wins
	}
	all, err := s.events(ctx, tx, subject)
	if err == nil && len(all) == 0 {
		err = consent.ErrAdult
	}
	return err
}

// Learn judges the birth that an identity number tells, before anything of the
// number is stored. Of a minor it keeps the band and returns it; an adult has none.
// Below the profile's age it opens the erasure of what is held and returns
// ErrTooYoung; the band shuts the account until the erasure is done.
func (s *Service) Learn(ctx context.Context, subject id.Handle, account string, birth civil.Day) (Band, error) {
	years, err := At(birth, s.today())
	if err != nil {
		return "", err
	}
	b, shut := BandOf(years), error(nil)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if shut, err = s.tooYoungTx(ctx, tx, subject, b); err != nil {
			return err
		}
		if err := s.fromIDTx(ctx, tx, subject, account, b, birth); err != nil || shut == nil {
			return err
		}
		return s.eraseTx(ctx, tx, subject, account)
	})
	if err == nil {
		err = shut
	}
	if b == Adult {
		b = ""
	}
	return b, err
}

// tooYoungTx tells whether a band that a number told is one that nothing may be
// held of.
func (s *Service) tooYoungTx(ctx context.Context, tx *db.Tx, subject id.Handle, b Band) (shut, err error) {
	switch RuleFor(s.d.Profile, b) {
	case Refused:
		if mutant.Off("LT-7b") {
			return nil, nil
		}
		return ErrTooYoung, nil
	case Guardian:
		_, err := guardian(ctx, tx, subject)
		if errs.IsNotFound(err) && !mutant.Off("TY-7.1") {
			return ErrTooYoung, nil
		}
		if errs.IsNotFound(err) {
			err = nil
		}
		return nil, err
	}
	return nil, nil
}

// fromIDTx keeps what a number told of a minor, or of somebody who was one. What
// was declared grows with it where both agree on the day of the declaration.
func (s *Service) fromIDTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string, b Band, birth civil.Day) error {
	all, err := s.events(ctx, tx, subject)
	if err != nil || (len(all) == 0 && b == Adult) {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		if e.Source == FromID {
			continue
		}
		years, err := At(birth, civil.DayOf(e.At))
		if err == nil && BandOf(years) == e.Band && e.Band != b {
			if err := s.learnTx(ctx, tx, subject, account, b, Grown); err != nil {
				return err
			}
		}
		break
	}
	if err := s.learnTx(ctx, tx, subject, account, b, FromID); err != nil || !b.Minor() {
		return err
	}
	return s.LeaveTx(ctx, tx, subject, GuardianMinor) // who is a minor guards nobody
}

// learnTx adds an event unless it says what the last one of its source says.
func (s *Service) learnTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string, b Band, from Source) error {
	all, err := s.events(ctx, tx, subject)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Source == from {
			if all[i].Band == b {
				return nil
			}
			break
		}
	}
	e := Event{ID: id.New("age"), Subject: subject, Account: account, Band: b, Source: from, At: s.d.Clock.Now()}
	_, err = tx.Exec(ctx, "INSERT INTO age_event (id, subject, account, band, source, at) VALUES ($1, $2, $3, $4, $5, $6)",
		e.ID, string(subject), account, string(b), string(from), db.Micros(e.At))
	if err != nil {
		return err
	}
	return s.leafTx(ctx, tx, "age.learned", subject, audit.Actor{Class: "self", Handle: subject}, map[string]string{"event": e.ID, "source": string(from)})
}

// eraseTx opens the erasure of what was collected without its basis (TY-7.2).
func (s *Service) eraseTx(ctx context.Context, tx *db.Tx, subject id.Handle, account string) error {
	if mutant.Off("TY-7.2") {
		return nil
	}
	fresh, err := s.d.Eraser.EraseMinorTx(ctx, tx, subject, account)
	if err != nil || !fresh {
		return err
	}
	return s.countTx(ctx, tx, "erasure")
}

// Standing is where a person stands.
type Standing struct {
	Band  Band   // of a minor; empty for adults
	Needs string // code of what is missing, of this module's errors; empty: nothing
}

// StandingOf tells a person what is known of the own age and what is missing.
func (s *Service) StandingOf(ctx context.Context, subject id.Handle) (Standing, error) {
	all, err := s.events(ctx, s.d.DB, subject)
	if err != nil || len(all) == 0 {
		return Standing{}, err
	}
	declared, band := known(all, s.today())
	if band == Adult {
		return Standing{}, nil
	}
	err = s.gate(ctx, subject, RuleFor(s.d.Profile, band), declared)
	switch {
	case err == nil:
		return Standing{Band: band}, nil
	case errs.KindOf(err) == errs.Forbidden:
		return Standing{Band: band, Needs: errs.CodeOf(err)}, nil
	}
	return Standing{}, err
}

func (s *Service) leafTx(ctx context.Context, tx *db.Tx, kind string, subject id.Handle, by audit.Actor, detail map[string]string) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: subject, Actor: by, Detail: detail})
}
