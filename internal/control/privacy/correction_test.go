package privacy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// recipientAdapter tells, or answers what it is told to.
type recipientAdapter struct {
	told []string
	err  error
}

func (a *recipientAdapter) Tell(_ context.Context, t Task) (string, error) {
	if a.err != nil {
		return "", a.err
	}
	a.told = append(a.told, t.Correction)
	return "ack_" + t.Correction, nil
}

// sent notes in the register that fields went to somebody.
func (r *rig) sent(t *testing.T, subject id.Handle, recipient string, outcome egress.Outcome, fields ...string) {
	t.Helper()
	receipt, err := r.audit.BeginDisclosure(ctx, egress.Intent{
		Subject: subject, Recipient: recipient, LegalName: "The " + recipient, Role: "processor", Region: "CN-mainland",
		Op: "send", Purpose: "account", Basis: "contract", Fields: fields,
	})
	must(t, err)
	if outcome != "" {
		must(t, r.audit.FinishDisclosure(ctx, receipt, outcome))
	}
}

func (r *rig) correct(subject id.Handle, columns ...string) error {
	return r.db.InTx(ctx, func(tx *db.Tx) error { return r.s.CorrectedTx(ctx, tx, subject, columns...) })
}

// recipients tells of each task of the newest correction whether it is done.
func (r *rig) recipients(t *testing.T, subject id.Handle) string {
	t.Helper()
	all, err := r.s.CorrectionsOf(ctx, subject)
	must(t, err)
	if len(all) == 0 {
		return "no correction"
	}
	var out []string
	for _, task := range all[0].Tasks {
		state := task.Via
		if !task.ToldAt.IsZero() {
			state += ":" + task.Receipt
		}
		out = append(out, task.Recipient+" "+strings.Join(task.Fields, "+")+" "+strings.ReplaceAll(state, all[0].ID, "C"))
	}
	return strings.Join(out, ", ")
}

// Mutant TY-6.2 forgets who was sent the old value.
func TestWhoWasSentTheOldValueIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		a := &recipientAdapter{}
		r.s.d.Tellers = map[string]Teller{"partner": a}
		r.sent(t, alice.Subject, "partner", egress.Done, "email", "message")
		r.sent(t, alice.Subject, "partner", egress.Done, "email")
		r.sent(t, alice.Subject, "mail", egress.Unknown, "email")
		r.sent(t, alice.Subject, "heir", "", "account_person.email") // it may have been sent
		r.sent(t, alice.Subject, "never", egress.Failed, "email")
		r.sent(t, alice.Subject, "pay", egress.Done, "order_no")
		r.sent(t, mallo.Subject, "other", egress.Done, "email")
		must(t, r.correct(alice.Subject, "account_person.email"))
		if got, want := r.recipients(t, alice.Subject), "heir account_person.email staff, mail email staff, partner email adapter"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		must(t, r.s.d.Queue.Drain(ctx))
		if got, want := r.recipients(t, alice.Subject), "heir account_person.email staff, mail email staff, partner email adapter:ack_C"; got != want {
			t.Errorf("after the adapter: got %s, want %s", got, want)
		}
		if len(a.told) != 1 {
			t.Errorf("the adapter was asked %d times", len(a.told))
		}
		untold, err := r.s.Untold(ctx)
		must(t, err)
		if len(untold) != 2 {
			t.Fatalf("got %d tasks of staff, want 2", len(untold))
		}
		task := untold[0].ID
		for why, got := range map[error]error{
			ErrReceipt:  r.s.Told(ctx, desk, task, " "),
			ErrPersonal: r.s.Told(ctx, desk, task, "told ann@example.org"),
			ErrOwn:      r.s.Told(ctx, alice, task, "letter 7"),
			ErrNoTask:   r.s.Told(ctx, desk, "ctk_x", "letter 7"),
		} {
			if !errors.Is(got, why) {
				t.Errorf("got %v, want %v", got, why)
			}
		}
		if examined, found, err := r.s.UntoldCorrections(ctx); examined != 3 || found != 0 || err != nil {
			t.Errorf("in time: got %d of %d, %v", found, examined, err)
		}
		r.clock.Advance(tellLife)
		if _, found, _ := r.s.UntoldCorrections(ctx); found != 2 {
			t.Errorf("a week later: found %d untold, want 2", found)
		}
		for _, x := range untold {
			must(t, r.s.Told(ctx, desk, x.ID, "letter 7"))
		}
		if err := r.s.Told(ctx, desk, task, "letter 8"); !errors.Is(err, ErrNoTask) {
			t.Errorf("twice: got %v", err)
		}
		if _, found, _ := r.s.UntoldCorrections(ctx); found != 0 {
			t.Errorf("at the end: found %d", found)
		}
		report, err := r.audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	})
}

func TestACorrectionCommitsWithItsTasksOrNotAtAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.sent(t, alice.Subject, "mail", egress.Done, "email")
		cut := errors.New("the process ended")
		err := r.db.InTx(ctx, func(tx *db.Tx) error {
			if err := r.s.CorrectedTx(ctx, tx, alice.Subject, "account_person.email"); err != nil {
				return err
			}
			return cut
		})
		if !errors.Is(err, cut) || r.recipients(t, alice.Subject) != "no correction" {
			t.Errorf("got %v and %s", err, r.recipients(t, alice.Subject))
		}
		must(t, r.correct(alice.Subject, "account_person.email"))
		if got := r.recipients(t, alice.Subject); got != "mail email staff" {
			t.Errorf("got %s", got)
		}
	})
}

// An recipientAdapter may be cut off after it told, be away for long, or say that a person
// has to.
func TestWhatAnAdapterDoesNotTellIsNotLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		a := &recipientAdapter{err: errors.New("connection refused")}
		r.s.d.Tellers = map[string]Teller{"partner": a}
		r.sent(t, alice.Subject, "partner", egress.Done, "email")
		must(t, r.correct(alice.Subject, "account_person.email"))
		for range 40 { // more often than a job is tried
			_ = r.s.d.Queue.Drain(ctx)
			r.clock.Advance(time.Hour)
		}
		a.err = nil
		must(t, r.s.tellAgain(ctx))
		must(t, r.s.d.Queue.Drain(ctx))
		if got := r.recipients(t, alice.Subject); got != "partner email adapter:ack_C" {
			t.Errorf("once it is back: got %s", got)
		}
		task := mustTask(t, r)
		must(t, r.s.tell(ctx, tellPayload{task}))
		if len(a.told) != 1 {
			t.Errorf("a told recipient was told again: %v", a.told)
		}
		a.err = ErrByHand
		must(t, r.correct(alice.Subject, "account_person.email"))
		must(t, r.s.d.Queue.Drain(ctx))
		if got := r.recipients(t, alice.Subject); got != "partner email staff" {
			t.Errorf("by hand: got %s", got)
		}
	})
}

func mustTask(t *testing.T, r *rig) string {
	t.Helper()
	task, err := db.Get(ctx, r.db, ErrNoTask, db.One[string], "SELECT id FROM privacy_correction_task")
	must(t, err)
	return task
}

func TestACorrectionTellsNobodyOfAHiddenOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.sent(t, alice.Subject, "authority", egress.Done, "account_person.email")
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE audit_disclosure SET shown_from = $1 WHERE recipient = 'authority'", db.Micros(r.clock.Now().Add(time.Hour)))
			return err
		}))
		must(t, r.correct(alice.Subject, "account_person.email"))
		if got := r.recipients(t, alice.Subject); got != "" {
			t.Errorf("got %q, want nothing while it is hidden", got)
		}
		if untold, err := r.s.Untold(ctx); err != nil || len(untold) != 1 {
			t.Errorf("the staff see %v, %v", untold, err)
		}
		r.clock.Advance(time.Hour)
		if got := r.recipients(t, alice.Subject); got != "authority account_person.email staff" {
			t.Errorf("afterwards: got %q", got)
		}
	})
}

func TestACaseAsksForACorrectionOnceItIsKnownWhoAsks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		subject := func(request string) (who id.Handle) {
			must(t, r.db.InTx(ctx, func(tx *db.Tx) (err error) {
				who, err = r.s.CorrectingTx(ctx, tx, request)
				if errors.Is(err, ErrNotFound) {
					err = nil
				}
				return err
			}))
			return who
		}
		q := r.open(t, Correct)
		if got := subject(q.ID); got != alice.Subject {
			t.Errorf("got %q", got)
		}
		if subject(r.open(t, Question).ID) != "" || subject("dsr_x") != "" {
			t.Error("another kind of case, or none, asks for a correction")
		}
		must(t, r.s.AskIdentity(ctx, desk, q.ID))
		if subject(q.ID) != "" {
			t.Error("it is not known who asks")
		}
		must(t, r.s.Identified(ctx, desk, q.ID))
		must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted, Words: "done"}))
		if subject(q.ID) != "" {
			t.Error("the case is closed")
		}
	})
}
