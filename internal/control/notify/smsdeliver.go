package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// SMSJob is the kind of the job that sends an SMS.
const SMSJob = "notify.sms"

const (
	smsFresh    = 24 * time.Hour // an older SMS is not worth sending
	receiptWait = time.Minute    // before receipts are read of one whose outcome is unknown
	smsADay     = 10             // to one person, beside codes
)

// Outcomes of an attempt at an SMS, beside the states.
const (
	smsStarted = "started" // nothing was heard of it: it may be on its way
	smsUnheard = "unknown"
	smsRetry   = "retry"
)

var (
	errStale   = errs.New(errs.Gone, "notify.sms_stale")
	errEnough  = errs.New(errs.Limited, "notify.sms_enough")  // of a person
	errCeiling = errs.New(errs.Limited, "notify.sms_ceiling") // of the installation
)

// deliverSMS sends one message's SMS, once. A carrier does not know a message again, so
// each attempt is committed before it is made, and after one whose outcome nobody
// heard the carrier's receipts are read first. A code is not worth that: its person
// asks for another.
func (s *Service) deliverSMS(ctx context.Context, d delivery) error {
	r, err := db.Get(ctx, s.d.DB, ErrNotFound, scanRow, "SELECT "+rowColumns+" FROM notify_message WHERE id = $1", d.Message)
	if errs.IsNotFound(err) {
		return nil // erased
	}
	if err != nil || r.sms != MailPending {
		return err
	}
	k, ok := kinds()[r.event]
	if !ok || k.SMS == "" {
		return fmt.Errorf("no SMS for event %s", r.event)
	}
	last, err := s.lastSMS(ctx, r.id)
	if err != nil {
		return err
	}
	now := s.d.Clock.Now()
	if last.open() {
		return s.resolve(ctx, r, k, last, now)
	}
	if k.waits() {
		q, err := s.quiet(ctx, r.subject)
		if err != nil {
			return err
		}
		if until := q.until(now); until.After(now) {
			return s.again(ctx, r.id, until)
		}
	}
	if err := s.allowed(ctx, r, k, now); err != nil {
		return s.settleSMS(ctx, r, 0, MailSkipped, errs.CodeOf(err))
	}
	m, err := s.composeSMS(ctx, r, k)
	switch {
	case errs.IsNotFound(err), errs.KindOf(err) == errs.Gone, errs.KindOf(err) == errs.Forbidden:
		return s.settleSMS(ctx, r, 0, MailSkipped, errs.CodeOf(err)) // no number, or the act for it is over
	case err != nil:
		return err
	}
	return s.transmit(ctx, r, k, m)
}

// transmit commits the attempt and makes it.
func (s *Service) transmit(ctx context.Context, r row, k kind, m SMS) error {
	number, err := s.begin(ctx, r.id)
	if err != nil {
		return err
	}
	fault.Point("notify-before-sms")
	err = s.d.Carrier.SendSMS(ctx, m)
	fault.Point("notify-after-sms")
	switch {
	case err == nil:
		return s.settleSMS(ctx, r, number, MailSent, "")
	case errors.Is(err, ErrSMSRefused):
		s.d.Log.Warn("an SMS was refused", "row", r.id, "error", err)
		return s.settleSMS(ctx, r, number, MailFailed, errs.CodeOf(err))
	case errs.CodeOf(err) == "consent.gate_closed":
		return s.settleSMS(ctx, r, number, MailSkipped, errs.CodeOf(err))
	case errors.Is(err, ErrSMSLater), errs.KindOf(err) == errs.Forbidden:
		return errors.Join(fmt.Errorf("sending SMS %s: %w", r.id, err), s.note(ctx, r.id, number, smsRetry, errs.CodeOf(err)))
	case k.Token == tokenPhone:
		s.d.Log.Warn("whether an SMS was taken is not known", "row", r.id, "error", err)
		return s.settleSMS(ctx, r, number, MailFailed, ErrSMSUnknown.Code)
	}
	s.d.Log.Warn("whether an SMS was taken is not known", "row", r.id, "error", err)
	return errors.Join(s.note(ctx, r.id, number, smsUnheard, ErrSMSUnknown.Code), s.again(ctx, r.id, s.d.Clock.Now().Add(receiptWait)))
}

// resolve finds out what became of an attempt that nobody heard of.
func (s *Service) resolve(ctx context.Context, r row, k kind, last attempt, now time.Time) error {
	if k.Token == tokenPhone {
		return s.settleSMS(ctx, r, last.number, MailFailed, ErrSMSUnknown.Code)
	}
	if due := last.at.Add(receiptWait); due.After(now) {
		return s.again(ctx, r.id, due)
	}
	purpose := textOf(k.SMS).Purpose
	number, err := s.d.Contact.Number(ctx, r.subject, purpose, SMSJob)
	switch {
	case errs.IsNotFound(err), errs.KindOf(err) == errs.Gone, errs.KindOf(err) == errs.Forbidden:
		return s.settleSMS(ctx, r, last.number, MailFailed, ErrSMSUnknown.Code) // whom to ask about is gone
	case err != nil:
		return err
	}
	sent, err := s.d.Carrier.SentSMS(ctx, SMS{Reference: r.id, Subject: r.subject, Purpose: purpose, To: number, Template: k.SMS}, last.at)
	if err != nil {
		return fmt.Errorf("reading the receipts of SMS %s: %w", r.id, err)
	}
	if sent {
		return s.settleSMS(ctx, r, last.number, MailSent, "")
	}
	return errors.Join(s.note(ctx, r.id, last.number, smsRetry, ErrSMSUnknown.Code), s.again(ctx, r.id, now))
}

// allowed refuses what is too old, and more than the limits let through: a person
// is not flooded by whoever signs in as them, and the operator pays for each.
func (s *Service) allowed(ctx context.Context, r row, k kind, now time.Time) error {
	if now.Sub(db.FromMicros(r.at)) > smsFresh {
		return errStale
	}
	since := db.Micros(now.Add(-24 * time.Hour))
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], `SELECT count(*) FROM notify_attempt a JOIN notify_message m ON m.id = a.message
		WHERE a.channel = 'sms' AND a.at > $1 AND a.outcome IN ('sent', 'started', 'unknown') AND m.subject = $2`, since, string(r.subject))
	if err == nil && n >= smsADay && k.Token != tokenPhone {
		return errEnough
	}
	if err != nil || s.d.SMSADay <= 0 {
		return err
	}
	n, err = db.Get(ctx, s.d.DB, nil, db.One[int64],
		"SELECT count(*) FROM notify_attempt WHERE channel = 'sms' AND at > $1 AND outcome IN ('sent', 'started', 'unknown')", since)
	if err == nil && n >= s.d.SMSADay {
		s.d.Log.Error("no more SMS today: the ceiling is reached", "count", n)
		return errCeiling
	}
	return err
}

// composeSMS opens the number, makes the code and fills the places.
func (s *Service) composeSMS(ctx context.Context, r row, k kind) (SMS, error) {
	t := textOf(k.SMS)
	m := SMS{Reference: r.id, Subject: r.subject, Purpose: t.Purpose, Template: k.SMS, Params: map[string]string{}}
	var code string
	var err error
	if k.Token == tokenPhone {
		m.To, code, err = s.d.Contact.IssueCode(ctx, r.subject, SMSJob)
	} else {
		m.To, err = s.d.Contact.Number(ctx, r.subject, t.Purpose, SMSJob)
	}
	if err != nil {
		return m, err
	}
	d := data{Brand: s.d.Brand}
	if d.P, err = r.decoded(); err != nil {
		return m, err
	}
	locale := "en"
	if contact.Mainland(m.To) {
		locale = "zh-CN"
	}
	for _, name := range t.params() {
		switch name {
		case smsCode:
			m.Params[name] = code
		case smsEvent:
			if m.Params[name], err = fill(k.words(locale).Title, d); err != nil {
				return m, err
			}
		default:
			m.Params[name] = d.P[name]
		}
	}
	return m, nil
}

// attempt is one at an SMS.
type attempt struct {
	number  int64 // 0: there was none
	at      time.Time
	outcome string
}

func (a attempt) open() bool { return a.outcome == smsStarted || a.outcome == smsUnheard }

// lastSMS is the newest attempt at a message's SMS.
func (s *Service) lastSMS(ctx context.Context, message string) (attempt, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (a attempt, err error) {
		var at int64
		err = r.Scan(&a.number, &at, &a.outcome)
		a.at = db.FromMicros(at)
		return a, err
	}, "SELECT number, at, outcome FROM notify_attempt WHERE message = $1 AND channel = 'sms' ORDER BY number DESC LIMIT 1", message)
	if err != nil || len(all) == 0 {
		return attempt{}, err
	}
	return all[0], nil
}

// begin commits that an attempt is about to be made.
func (s *Service) begin(ctx context.Context, message string) (number int64, err error) {
	return number, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		number, err = s.addTx(ctx, tx, message, smsStarted, "")
		return err
	})
}

func (s *Service) addTx(ctx context.Context, tx *db.Tx, message, outcome, code string) (int64, error) {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT COUNT(*) FROM notify_attempt WHERE message = $1", message)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO notify_attempt (message, number, at, outcome, code, channel) VALUES ($1, $2, $3, $4, $5, 'sms')",
		message, n+1, db.Micros(s.d.Clock.Now()), outcome, code)
	return n + 1, err
}

// note says what became of an attempt.
func (s *Service) note(ctx context.Context, message string, number int64, outcome, code string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return noteTx(ctx, tx, message, number, outcome, code) })
}

func noteTx(ctx context.Context, tx *db.Tx, message string, number int64, outcome, code string) error {
	_, err := tx.Exec(ctx, "UPDATE notify_attempt SET outcome = $1, code = $2 WHERE message = $3 AND number = $4", outcome, code, message, number)
	return err
}

// settleSMS ends a message's SMS with an attempt that was made, or with why none was.
func (s *Service) settleSMS(ctx context.Context, r row, number int64, state, code string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if number == 0 {
			_, err = s.addTx(ctx, tx, r.id, state, code)
		} else {
			err = noteTx(ctx, tx, r.id, number, state, code)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE notify_message SET sms = $1 WHERE id = $2 AND sms = 'pending'", state, r.id)
		return err
	})
}

// again has a message's SMS looked at later.
func (s *Service) again(ctx context.Context, message string, at time.Time) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: SMSJob, Payload: delivery{message}, RunAt: at})
	})
}
