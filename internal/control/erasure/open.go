package erasure

import (
	"context"
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// workingDays in which an erasure is done (LT-4.4, TY-6.3).
const workingDays = 15

// Plan is what an erasure would do with a person, before it is asked for.
type Plan struct {
	Open  []Unsettled // what would be ended, and what is owed
	Goes  []string    // tables whose rows are deleted
	Stays []Outcome   // tables whose rows a law keeps, restricted
}

// Plan tells a person what cancelling the account does.
func (s *Service) Plan(ctx context.Context, p account.Principal) (Plan, error) {
	open, err := s.d.Settler.Open(ctx, p.Account)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Open: open}
	owner := holding.Person{Handle: p.Subject, Account: string(p.Account)}
	for _, h := range s.d.Held {
		n, err := h.Visible(ctx, s.d.DB, owner, holding.View{Now: s.d.Clock.Now()})
		if err != nil {
			return Plan{}, err
		}
		switch {
		case n == 0:
		case h.Keeps == nil:
			plan.Goes = append(plan.Goes, h.Table)
		default:
			plan.Stays = append(plan.Stays, outcome(h))
		}
	}
	return plan, nil
}

// Ask opens the case of the owner of an account, on their own word: with their
// user name typed and their password just given again (clause LT-4.4). It asks
// for nothing that is not held. One that is open already is returned. Errors:
// ErrStaff, account.ErrStepUp, ErrConfirm.
func (s *Service) Ask(ctx context.Context, p account.Principal, typed string) (Case, error) {
	switch {
	case p.Staff:
		return Case{}, ErrStaff
	case typed != p.UserName:
		return Case{}, ErrConfirm
	case !p.StepUpUntil.After(s.d.Clock.Now()):
		return Case{}, account.ErrStepUp
	}
	if mutant.Off("LT-4.4") { // whoever has something open could not leave
		if open, err := s.d.Settler.Open(ctx, p.Account); err != nil || len(open) > 0 {
			return Case{}, errors.Join(err, ErrSettled)
		}
	}
	var c Case
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		actor := audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session}
		c, err = s.OpenTx(ctx, tx, Case{Subject: p.Subject, Account: p.Account, Trigger: Asked}, actor)
		return err
	})
	return c, err
}

// OpenTx opens a case for a person, or returns the one that they have, and has it
// run as soon as the transaction commits. Subject, Trigger, Account or Client and
// Request of c are the caller's.
func (s *Service) OpenTx(ctx context.Context, tx *db.Tx, c Case, by audit.Actor) (Case, error) {
	now := s.d.Clock.Now()
	c.ID, c.Step, c.AskedAt = id.New("ers"), Freeze, now
	due, err := s.d.Calendar.WorkingDays(now, now, workingDays)
	if err != nil {
		due = civil.Deadline{Due: civil.DayOf(now).AddDays(workingDays).End()}
	}
	if c.DueAt = due.Due; c.Trigger == Minor {
		c.DueAt = civil.DayOf(now).End() // at once (TY-7.2)
	}
	have, fresh, err := insert(ctx, tx, c)
	if err != nil {
		return Case{}, err
	}
	if !fresh && !mutant.Off("LT-4.5") {
		return have, nil
	}
	if err := s.d.Guardians.LeaveTx(ctx, tx, c.Subject, age.GuardianErased); err != nil {
		return Case{}, err
	}
	if err := s.leaf(ctx, tx, "erasure.opened", have, by, map[string]string{"cause": string(c.Trigger), "request": c.Request}); err != nil {
		return Case{}, err
	}
	return have, s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobRun, Payload: named{have.ID}, Key: jobRun + ":" + have.ID})
}

func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, c Case, by audit.Actor, more map[string]string) error {
	detail := map[string]string{"case": c.ID}
	for k, v := range more {
		detail[k] = v
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: c.Subject, Account: string(c.Account), Actor: by, Object: c.ID, Detail: detail})
}

// topicClientGone is of the module vpn.
const topicClientGone = "vpn.client_gone"

type clientGone struct {
	Client  string
	Subject id.Handle
}

// onClientGone erases the user of a login account that its administrator deleted:
// what it was kept for is over, so that nobody has to ask (clause LT-4.5).
func (s *Service) onClientGone(ctx context.Context, e clientGone) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := s.OpenTx(ctx, tx, Case{Subject: e.Subject, Client: e.Client, Trigger: PurposeOver}, audit.Actor{Class: vault.Job})
		return err
	})
}

// Restricted fills the part of the gate that erased people's data stand behind:
// what a law keeps of them is stored and protected, and opened for the law only
// (PIPL 47, NDR 24).
func (s *Service) Restricted(ctx context.Context, subject id.Handle, purpose string) error {
	if purpose == "rights" || purpose == "legal_order" || mutant.Off("LT-4.5") {
		return nil
	}
	c, err := bySubject(ctx, s.d.DB, subject)
	if errs.IsNotFound(err) || err == nil && !c.Step.after(Bury) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrRestricted
}

// Case returns a case by its number; ErrNotFound.
func (s *Service) Case(ctx context.Context, caseID string) (Case, error) {
	return byID(ctx, s.d.DB, caseID)
}

// Of returns the case of a person; ErrNotFound.
func (s *Service) Of(ctx context.Context, subject id.Handle) (Case, error) {
	return bySubject(ctx, s.d.DB, subject)
}

// Detail is a case with what it did and whom it told.
type Detail struct {
	Case
	Outcomes   []Outcome
	Recipients []Recipient
	Unsettled  []Unsettled // while it waits for them
}

// Detail returns a case with everything.
func (s *Service) Detail(ctx context.Context, caseID string) (d Detail, err error) {
	if d.Case, err = byID(ctx, s.d.DB, caseID); err != nil {
		return d, err
	}
	if d.Outcomes, err = outcomesOf(ctx, s.d.DB, caseID); err != nil {
		return d, err
	}
	if d.Recipients, err = recipientsOf(ctx, s.d.DB, caseID); err != nil {
		return d, err
	}
	if d.Step == Settle && d.Account != "" {
		d.Unsettled, err = s.d.Settler.Open(ctx, d.Account)
	}
	return d, err
}

// List lists cases for staff, those that are under way first, by due date; at
// most 500.
func (s *Service) List(ctx context.Context) ([]Case, error) {
	return db.Select(ctx, s.d.DB, scanCase, columns+" ORDER BY CASE WHEN step = 'done' THEN 1 ELSE 0 END, due_at, id LIMIT 500")
}

// Settled notes that a member of staff settled by hand what an account was owed,
// by which paper; the case goes on. Errors: ErrPaper, ErrSettled.
func (s *Service) Settled(ctx context.Context, p account.Principal, caseID, paper string) error {
	if n := len([]rune(paper)); n < 3 || n > 200 {
		return ErrPaper
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		c, err := byID(ctx, tx, caseID)
		if err != nil {
			return err
		}
		if c.Step != Settle || c.Account == "" {
			return ErrSettled
		}
		c.settledBy, c.settlement = p.Subject, paper
		if err := save(ctx, tx, c); err != nil {
			return err
		}
		if err := s.leaf(ctx, tx, "erasure.settled", c, staff(p), map[string]string{"paper": paper}); err != nil {
			return err
		}
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobRun, Payload: named{c.ID}, Key: jobRun + ":" + c.ID})
	})
}

// Acknowledged notes that a recipient confirmed that it erased too.
func (s *Service) Acknowledged(ctx context.Context, p account.Principal, caseID, recipient string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		c, err := byID(ctx, tx, caseID)
		if err != nil {
			return err
		}
		err = tx.ExecOne(ctx, ErrRecipient, `UPDATE erasure_recipient SET acknowledged_at = CASE WHEN acknowledged_at = 0 THEN $1 ELSE acknowledged_at END
			WHERE case_id = $2 AND recipient = $3`, db.Micros(s.d.Clock.Now()), caseID, recipient)
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, "erasure.acknowledged", c, staff(p), map[string]string{"recipient": recipient})
	})
}

func staff(p account.Principal) audit.Actor {
	return audit.Actor{Class: vault.Staff, Handle: p.Subject, Session: p.Session}
}
