package realname

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Deps is what the module needs.
type Deps struct {
	DB          *db.DB
	Clock       clock.Clock
	Queue       *job.Queue
	Log         *slog.Logger
	Audit       *audit.Service
	Vault       *vault.Vault
	Checker     Checker
	Consent     Consent
	Ages        Ages
	Cases       Cases       // nil: nothing verified can be corrected
	Corrections Corrections // nil: nobody is told (tests)
	Needs       Needs       // nil: nothing ends by itself (tests)
	Profile     string      // "mainland" keeps the values; "hongkong" only the result, values at most 24 h
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	queue   *job.Queue
	log     *slog.Logger
	audit   *audit.Service
	vault   *vault.Vault
	checker Checker
	consent Consent
	ages    Ages
	profile string

	cases       Cases
	corrections Corrections
	needs       Needs
}

// purpose is the consent module's name of what this module does.
const purpose = consent.RealName

// Retention classes of the values and of the result.
const classValue = "realname_value"

// New makes the service and registers its jobs.
func New(d Deps) *Service {
	s := &Service{
		db: d.DB, clock: d.Clock, queue: d.Queue, log: d.Log, audit: d.Audit, vault: d.Vault,
		checker: d.Checker, consent: d.Consent, ages: d.Ages, profile: d.Profile,
		cases: d.Cases, corrections: d.Corrections, needs: d.Needs,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	job.On(s.queue, CheckJob, s.runCheck)
	s.queue.Every("realname.hourly", time.Hour, s.hourly)
	return s
}

// Require returns the proof that an account is verified and that its owner's
// consent stands, or ErrRequired. An error of the database or of the gate is
// not a proof either.
func (s *Service) Require(ctx context.Context, owner account.ID) (Verified, error) {
	if mutant.Off("LT-1.1b") {
		return Verified{account: owner}, nil
	}
	v, err := effective(ctx, s.db, owner)
	if errors.Is(err, ErrNotFound) {
		err = ErrRequired
	}
	if err != nil {
		return Verified{}, err
	}
	if err := s.consent.Gate(ctx, v.Subject, purpose); err != nil {
		return Verified{}, err
	}
	return Verified{account: v.Account, id: v.ID, at: v.DecidedAt}, nil
}

// Submit takes a submission: local checks, limits, the consent act, then the
// question to the source as a job. What it refuses before the consent act
// leaves nothing behind but, of a minor, the band. Errors: ErrName, ErrNumber,
// those of the module age, ErrState, the limits, ErrNumberInUse, and those of the
// consent token.
func (s *Service) Submit(ctx context.Context, p account.Principal, in Submission) (Verification, error) {
	now := s.clock.Now()
	who, err := check(in.Name, in.Number, now)
	if err != nil {
		return Verification{}, err
	}
	v := Verification{ID: id.New("rnv"), Account: p.Account, Subject: p.Subject, State: Verifying, SubmittedAt: now}
	if v.Band, err = s.ages.Learn(ctx, p.Subject, string(p.Account), who.birth); err != nil {
		return Verification{}, err
	}
	if err := s.ages.Gate(ctx, p.Subject); err != nil {
		return Verification{}, err
	}
	ip, err := s.index(ctx, &v, who, in.SourceIP)
	if err != nil {
		return Verification{}, err
	}
	act := consent.Act{
		Subject: p.Subject, Session: p.Session, Purpose: purpose, Kind: consent.SeparateSensitive, Decision: consent.Grant,
		Locale: in.Locale, Channel: "console", Token: in.ConsentToken,
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.admitTx(ctx, tx, v, ip); err != nil {
			return err
		}
		if err := s.consent.GrantTx(ctx, tx, act); err != nil {
			return err
		}
		return s.enterTx(ctx, tx, first(p, v), &v, who, ip, audit.Actor{Class: vault.Self, Handle: v.Subject})
	})
	fault.Point("realname-after-submit")
	return v, err
}

// index fills the blind index of the number and returns that of the address.
func (s *Service) index(ctx context.Context, v *Verification, who person, sourceIP string) (ip string, err error) {
	if v.index, err = s.vault.Blind(ctx, "realname.number", who.number); err != nil {
		return "", err
	}
	if sourceIP == "" {
		return "", nil
	}
	return s.vault.Blind(ctx, "realname.address", sourceIP)
}

// admitTx holds a submission to the state of the account and to the limits.
func (s *Service) admitTx(ctx context.Context, tx *db.Tx, v Verification, ip string) error {
	last, err := latest(ctx, tx, v.Account)
	if err != nil && !errs.IsNotFound(err) {
		return err
	}
	state := None
	if err == nil {
		state = last.State
	}
	if _, err := state.On(EventSubmit); err != nil || state == ChangeRequested {
		return ErrState.With("state", string(state))
	}
	if err := s.limitTx(ctx, tx, v, ip); err != nil {
		return err
	}
	return inUse(ctx, tx, v)
}

// enterTx counts the attempt, seals the values and enqueues the question. The
// attempt commits before the source is asked.
func (s *Service) enterTx(ctx context.Context, tx *db.Tx, g grant, v *Verification, who person, ip string, by audit.Actor) error {
	var err error
	if v.name, err = s.vault.Seal(ctx, v.ref("name"), []byte(who.name)); err != nil {
		return err
	}
	if v.number, err = s.vault.Seal(ctx, v.ref("number"), []byte(who.number)); err != nil {
		return err
	}
	if err := s.writeTx(ctx, tx, g, *v); err != nil {
		return err
	}
	if err := countAttempt(ctx, tx, *v, ip); err != nil {
		return err
	}
	err = s.audit.AppendTx(ctx, tx, audit.Event{
		Type: "realname.submitted", Subject: v.Subject, Account: string(v.Account),
		Actor: by, Detail: map[string]string{"verification": v.ID, "grant": g.kind, "case": g.caseID},
	})
	if err != nil {
		return err
	}
	return s.queue.EnqueueTx(ctx, tx, job.Job{Kind: CheckJob, Payload: checkJob{v.ID}, Key: "realname.check/" + v.ID})
}

func (v Verification) ref(column string) vault.Ref {
	return vault.Ref{Table: "realname_verification", Column: column, Row: v.ID, Subject: v.Subject, Class: classValue}
}

// Current returns the account's latest verification, or ErrNotFound. It opens
// no value, so that a page may ask again and again.
func (s *Service) Current(ctx context.Context, owner account.ID) (Verification, error) {
	return latest(ctx, s.db, owner)
}

// AskManual hands the account's latest failed submission to a person, while its
// values are still there; no document is uploaded (a member of staff compares
// the typed values with the document shown). Errors: ErrNotFound, ErrState.
func (s *Service) AskManual(ctx context.Context, p account.Principal, verification string) (Verification, error) {
	v, err := latest(ctx, s.db, p.Account)
	if err != nil {
		return v, err
	}
	if v.ID != verification || v.Subject != p.Subject {
		return Verification{}, ErrNotFound
	}
	if v.name == nil {
		return v, ErrState.With("state", string(v.State)).With("event", string(EventAskManual))
	}
	by := decider{actor: audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session}}
	if err := s.decide(ctx, v, by, EventAskManual); err != nil {
		return v, err
	}
	return latest(ctx, s.db, p.Account)
}

// List returns the account's verifications, newest first, with the values
// masked; that is one read event of the person.
func (s *Service) List(ctx context.Context, p account.Principal) ([]View, error) {
	all, err := db.Select(ctx, s.db, scanVerification, "SELECT "+columns+
		" FROM realname_verification WHERE account = $1 ORDER BY submitted_at DESC, id DESC LIMIT 50", p.Account)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(all))
	var ticket vault.Ticket
	for i, v := range all {
		views[i].Verification = v
		if v.name == nil || v.Subject != p.Subject {
			continue
		}
		if ticket.Event() == "" {
			if ticket, err = s.ticket(ctx, v, vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, "rights", ""); err != nil {
				return nil, err
			}
		}
		name, number, err := s.values(ctx, ticket, v)
		if err != nil {
			return nil, err
		}
		views[i].MaskedName, views[i].MaskedNumber = MaskName(name), MaskNumber(number)
	}
	return views, nil
}

func (s *Service) ticket(ctx context.Context, v Verification, r vault.Reader, why, reason string) (vault.Ticket, error) {
	return s.vault.Begin(ctx, vault.Read{
		Reader: r, Subject: v.Subject, Purpose: why, Reason: reason,
		Fields: []string{v.ref("name").Field(), v.ref("number").Field()},
	})
}

func (s *Service) values(ctx context.Context, t vault.Ticket, v Verification) (name, number string, err error) {
	n, err := s.vault.Open(ctx, t, v.ref("name"), v.name)
	if err != nil {
		return "", "", fmt.Errorf("opening verification %s: %w", v.ID, err)
	}
	m, err := s.vault.Open(ctx, t, v.ref("number"), v.number)
	if err != nil {
		return "", "", fmt.Errorf("opening verification %s: %w", v.ID, err)
	}
	return string(n), string(m), nil
}
