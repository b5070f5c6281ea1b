package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

type queryJob struct{ Attempt string }

const (
	nudgeEvery   = 5 * time.Second
	rematchEvery = 10 * time.Minute
	rematchFor   = 48 * time.Hour
)

// queryOne asks the provider about an attempt, applies the answer and plans
// the next question. Running it twice is harmless.
func (s *Service) queryOne(ctx context.Context, no string) error {
	a, err := getAttempt(ctx, s.d.DB, no)
	if errs.IsNotFound(err) {
		return job.Final(err)
	}
	if err != nil || a.State.Paid() {
		return err
	}
	class, err := s.ask(ctx, a)
	if err != nil {
		return err
	}
	fault.Point("payment-after-query")
	shut := class == string(FactClosed)
	if a.ending(class, s.d.Clock.Now()) {
		if class, shut, err = s.end(ctx, a, class); err != nil {
			return err
		}
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.askedTx(ctx, tx, a, class, shut) })
}

// ask returns the class of the answer; an error only where the answer could
// not be applied.
func (s *Service) ask(ctx context.Context, a Attempt) (string, error) {
	q, ok := s.byID[a.Gateway].Gateway.(Querier)
	if !ok {
		return ErrUnsupported.Code, nil
	}
	f, err := q.Query(ctx, AttemptRef{AttemptNo: a.No, Subject: a.Subject, Amount: a.Amount})
	if err != nil {
		return errs.CodeOf(err), nil
	}
	if f.State == FactPaid || f.State == FactClosed || f.State == FactFailed {
		result, err := s.ApplyFact(ctx, a.Gateway, f, FromQuery, factDigest(f))
		if result == Foreign { // an answer about somebody else's trade ends nothing here
			return string(Foreign), err
		}
		return string(f.State), err
	}
	return string(f.State), nil
}

// askedTx notes the answer, ends what has run out and plans the next query. shut
// says that the provider takes no money for the attempt any more.
func (s *Service) askedTx(ctx context.Context, tx *db.Tx, asked Attempt, class string, shut bool) error {
	a, err := lockAttempt(ctx, tx, asked.Gateway, asked.No)
	if err != nil {
		return err
	}
	now, next := s.d.Clock.Now(), a
	if class == ErrTradeNotFound.Code && a.State == Unknown && a.LastQuery == class && now.Sub(a.LastQueryAt) >= time.Minute {
		next, err = next.Apply(QueryNotFound)
	} else if class == string(FactPending) && a.State == Unknown {
		next, err = next.Apply(QueryPending)
	}
	if err != nil {
		return err
	}
	if next.State.Open() && !now.Before(a.ExpireAt) {
		if next, err = next.Apply(ExpiredEvent); err != nil {
			return err
		}
	}
	if shut && next.State == Closed {
		next.CloseConfirmed = true
	}
	next.LastQueryAt, next.LastQuery = now, class
	next.NextQueryAt = next.nextQuery(now)
	if next, err = s.saveTx(ctx, tx, a, next); err != nil {
		return err
	}
	return s.planTx(ctx, tx, next)
}

// Returned is called when a browser comes back from a provider: it proves
// nothing and marks nothing paid, it causes a query, at most one in 5 seconds
// for an attempt. It returns the order to show; ErrNotFound.
func (s *Service) Returned(ctx context.Context, no string) (orderID string, err error) {
	a, err := getAttempt(ctx, s.d.DB, no)
	if err != nil {
		return "", err
	}
	return a.Order, s.nudge(ctx, a)
}

// QueryNow makes the provider be asked at once, for staff with payment.read.
func (s *Service) QueryNow(ctx context.Context, p account.Principal, no string) error {
	if !p.Can("payment.read") {
		return ErrStaffOnly
	}
	a, err := getAttempt(ctx, s.d.DB, no)
	if err != nil {
		return err
	}
	return s.nudge(ctx, a)
}

func (s *Service) nudge(ctx context.Context, a Attempt) error {
	if a.State.Paid() {
		return nil
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now := s.d.Clock.Now()
		n, err := tx.Exec(ctx, "UPDATE payment_attempt SET nudged_at = $1 WHERE attempt_no = $2 AND nudged_at <= $3",
			db.Micros(now), a.No, db.Micros(now.Add(-nudgeEvery)))
		if err != nil || n == 0 {
			return err
		}
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{
			Kind: jobQuery, Payload: queryJob{a.No},
			Key: fmt.Sprintf("%s:%s:%d", jobQuery, a.No, db.Micros(now)),
		})
	})
}

// rematch tries orphans again: a restored database may learn of an attempt
// later than the provider did.
func (s *Service) rematch(ctx context.Context) error {
	orphans, err := selectOrphans(ctx, s.d.DB, s.d.Clock.Now().Add(-rematchFor))
	if err != nil {
		return err
	}
	var all []error
	for _, o := range orphans {
		if _, ok := s.byID[o.gateway]; !ok {
			continue
		}
		_, err := getAttempt(ctx, s.d.DB, o.attempt)
		if errs.IsNotFound(err) {
			continue
		}
		if err == nil {
			// What the orphan said may be stale: the provider is asked again.
			err = s.queryOne(ctx, o.attempt)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

func factDigest(f Fact) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q %q %q %q %s %q", f.AttemptNo, f.TradeNo, f.MerchantID, f.Amount, f.Amount.Cur, f.State)))
	return hex.EncodeToString(sum[:])
}
