package realname

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// CheckJob is the kind of the job that asks the source.
const CheckJob = "realname.check"

// checkJob is the payload of the job that asks the source.
type checkJob struct{ Verification string }

// runCheck asks the source about one verification, once. A second run finds
// either a decision, or the mark of a call whose outcome nobody knows.
func (s *Service) runCheck(ctx context.Context, j checkJob) error {
	v, err := byID(ctx, s.db, j.Verification)
	if errs.IsNotFound(err) {
		return job.Final(err)
	}
	if err != nil {
		return err
	}
	if v.State != Verifying {
		return nil
	}
	if !v.calledAt.IsZero() {
		return s.decide(ctx, v, bySystem, EventTimeout, EventNoQuery)
	}
	name, number, err := s.read(ctx, v)
	if kind := errs.KindOf(err); kind == errs.Forbidden || kind == errs.Gone {
		return s.decide(ctx, v, bySystem, EventDropped) // consent withdrawn, or the values erased meanwhile
	}
	if err != nil {
		return err
	}
	fault.Point("realname-after-read")
	if err := s.markCalled(ctx, v); err != nil {
		return err
	}
	fault.Point("realname-after-mark")
	result, err := s.checker.Check(ctx, CheckRequest{Reference: v.ID, Subject: v.Subject, Name: name, Number: number})
	fault.Point("realname-after-call")
	// The answer is kept even when the process is asked to end.
	return s.decide(context.WithoutCancel(ctx), v, bySystem, s.eventsOf(ctx, v, result, err)...)
}

func (s *Service) read(ctx context.Context, v Verification) (name, number string, err error) {
	ticket, err := s.ticket(ctx, v, vault.Reader{Class: vault.Job, Session: CheckJob}, purpose, "")
	if err != nil {
		return "", "", err
	}
	return s.values(ctx, ticket, v)
}

// markCalled commits that the source is about to be asked.
func (s *Service) markCalled(ctx context.Context, v Verification) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrState, "UPDATE realname_verification SET called_at = $1 WHERE id = $2 AND state = $3 AND called_at = 0",
			db.Micros(s.clock.Now()), v.ID, Verifying)
	})
}

// eventsOf turns what the source said into events. What is not understood is an
// unknown outcome; this source cannot be asked about it, so that the attempt is
// over and stays counted.
func (s *Service) eventsOf(ctx context.Context, v Verification, r Result, err error) []Event {
	switch {
	case errors.Is(err, ErrProviderLimit):
		return []Event{EventProviderLimit}
	case errors.Is(err, ErrRefused):
		s.log.ErrorContext(ctx, "identity source does not take the request", "case", v.ID, "error", err)
		return []Event{EventRefused}
	case errs.KindOf(err) == errs.Forbidden:
		return []Event{EventDropped}
	case errors.Is(err, ErrSource):
		s.log.WarnContext(ctx, "identity source refused", "case", v.ID, "error", err)
		return []Event{EventSourceError}
	case err != nil:
		s.log.WarnContext(ctx, "identity check has no known outcome", "case", v.ID, "error", err)
		return []Event{EventTimeout, EventNoQuery}
	}
	switch r {
	case Match:
		return []Event{EventMatch}
	case Mismatch:
		return []Event{EventMismatch}
	case NoRecord:
		return []Event{EventNoRecord}
	}
	return []Event{EventSourceError}
}

// reasons are the codes that a state shows, by the last event.
var reasons = map[Event]string{
	EventMismatch: "realname.mismatch", EventNoRecord: "realname.no_record",
	EventSourceError: "realname.source_error", EventProviderLimit: "realname.provider_limit", EventNoQuery: "realname.outcome_unknown",
	EventInUse: "realname.number_in_use", EventDropped: "realname.dropped",
	EventRefused: "realname.refused", EventReject: "realname.rejected", EventRevoke: "realname.revoked",
}

// decider is who decides: a job, or a member of staff with a reason code.
type decider struct {
	actor  audit.Actor
	reason string
}

var bySystem = decider{actor: audit.Actor{Class: vault.Job, Session: CheckJob}}

// decide applies events and commits the new state, its log entry and what it
// tells others. The row must still be in the state that v has.
func (s *Service) decide(ctx context.Context, v Verification, by decider, events ...Event) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		applied, err := s.heldTx(ctx, tx, v, events)
		if err != nil {
			return err
		}
		to := v.State
		for _, e := range applied {
			if to, err = to.On(e); err != nil {
				return err
			}
		}
		return s.moveTx(ctx, tx, v, by, to, applied[len(applied)-1])
	})
}

// heldTx turns a match of a number that verifies enough accounts into EventInUse.
func (s *Service) heldTx(ctx context.Context, tx *db.Tx, v Verification, events []Event) ([]Event, error) {
	if events[0] != EventMatch {
		return events, nil
	}
	err := inUse(ctx, tx, v)
	if errors.Is(err, ErrNumberInUse) {
		return []Event{EventInUse}, nil
	}
	return events, err
}

func (s *Service) moveTx(ctx context.Context, tx *db.Tx, v Verification, by decider, to State, last Event) error {
	now := s.clock.Now()
	err := tx.ExecOne(ctx, ErrState, `UPDATE realname_verification SET state = $1, reason = $2, decided_at = $3, decided_by = $4, erase_at = $5
		WHERE id = $6 AND state = $7`, to, reasons[last], db.Micros(now), by.actor.Handle, db.Micros(s.eraseAt(to, now)), v.ID, v.State)
	if err != nil {
		return err
	}
	err = s.audit.AppendTx(ctx, tx, audit.Event{
		Type: "realname.decided", Subject: v.Subject, Account: string(v.Account), Actor: by.actor,
		Detail: map[string]string{"verification": v.ID, "from": string(v.State), "to": string(to), "event": string(last), "reason": by.reason},
	})
	if err != nil {
		return err
	}
	if to == Approved {
		if err := s.correctedTx(ctx, tx, v, by); err != nil {
			return err
		}
	}
	e := DecidedEvent{string(v.Account), string(v.Subject), v.ID, string(to), reasons[last]}
	if err := s.queue.PublishTx(ctx, tx, TopicDecided, e); err != nil {
		return err
	}
	if to == Approved && !v.State.effective() {
		return s.queue.PublishTx(ctx, tx, TopicVerified, VerifiedEvent{string(v.Account), string(v.Subject)})
	}
	return nil
}

// eraseAt is when the values must be gone; zero while a duty holds them.
func (s *Service) eraseAt(to State, now time.Time) time.Time {
	switch {
	case to == ManualReview:
		return time.Time{} // a person needs them to decide
	case s.profile == "hongkong":
		return now.Add(23 * time.Hour) // result only; the job runs hourly, at most 24 h
	case to.effective():
		return time.Time{} // as long as mainland resources live
	}
	return now.AddDate(0, 0, 14) // within the 15 working days of the class
}

// stuck is how long a submission may wait for its answer. Its job repeats for
// about this long before it is given up.
const stuck = 24 * time.Hour

// hourly settles submissions whose job was given up, and erases what is due.
func (s *Service) hourly(ctx context.Context) error {
	old, err := db.Select(ctx, s.db, scanVerification, "SELECT "+columns+
		" FROM realname_verification WHERE state = 'verifying' AND submitted_at < $1 LIMIT 100", db.Micros(s.clock.Now().Add(-stuck)))
	if err != nil {
		return err
	}
	for _, v := range old {
		events := []Event{EventDropped}
		if !v.calledAt.IsZero() {
			events = []Event{EventTimeout, EventNoQuery}
		}
		if err := s.decide(ctx, v, bySystem, events...); err != nil && !errors.Is(err, ErrState) {
			return err
		}
	}
	return s.eraseDue(ctx)
}

// eraseDue deletes the values whose time is over, and the indexes of attempts
// that no limit counts any more.
func (s *Service) eraseDue(ctx context.Context) error {
	now := s.clock.Now()
	due, err := db.Select(ctx, s.db, scanVerification, "SELECT "+columns+
		" FROM realname_verification WHERE erase_at > 0 AND erase_at <= $1 ORDER BY erase_at LIMIT 100", db.Micros(now))
	if err != nil {
		return err
	}
	for _, v := range due {
		if err := s.erase(ctx, v); err != nil {
			return err
		}
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE realname_attempt SET number_index = '', ip_index = '' WHERE at < $1 AND number_index <> ''",
			db.Micros(now.Add(-48*time.Hour)))
		return err
	})
}

// erase deletes the values of one verification and, when no other one of the
// person has any, the key that sealed them.
func (s *Service) erase(ctx context.Context, v Verification) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		err := tx.ExecOne(ctx, ErrState, `UPDATE realname_verification SET name = NULL, number = NULL, number_index = '', erase_at = 0
			WHERE id = $1 AND name IS NOT NULL`, v.ID)
		if err != nil {
			return err
		}
		err = s.audit.AppendTx(ctx, tx, audit.Event{
			Type: "realname.erased", Subject: v.Subject, Account: string(v.Account),
			Actor: audit.Actor{Class: vault.Job, Session: "realname.erase"}, Detail: map[string]string{"verification": v.ID},
		})
		if err != nil {
			return err
		}
		left, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM realname_verification WHERE subject = $1 AND name IS NOT NULL", v.Subject)
		if err != nil || left > 0 {
			return err
		}
		// Inside, so that a crash leaves the row to be found again.
		return s.vault.DestroyClass(ctx, v.Subject, classValue)
	})
}
