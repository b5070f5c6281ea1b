package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of payments: they are vouchers of the books.
const class = "accounting"

// Stocks are of years that are over: differences that are closed, bills, and decisions
// about money in suspense; refunds that are done with; payments of which no
// refund is kept, with what was received for them; what was received for no payment of
// ours; and grants that are decided and of which nothing is left.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{
		{Class: class, Tables: []string{"payment_difference", "payment_difference_step"}, Items: s.overDifferences, End: s.endDifference},
		{Class: class, Tables: []string{"payment_bill"}, Items: s.overBills, End: s.endBill},
		{Class: class, Tables: []string{"payment_suspense"}, Items: s.overSuspense, End: s.endSuspense},
		{Class: class, Tables: []string{"payment_refund", "payment_refund_step"}, Items: s.overRefunds, End: s.endRefund},
		{Class: class, Tables: []string{"payment_attempt", "payment_event", "payment_receipt", "payment_transfer"}, Items: s.over, End: s.endPayment},
		{Class: class, Tables: []string{"payment_event", "payment_receipt"}, Items: s.overStray, End: s.endStray},
		{Class: class, Tables: []string{"payment_grant", "payment_gift_use"}, Items: s.overGrants, End: s.endGrant},
	}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

// yearEnd is the last day of the year, in the zone of the books.
func yearEnd(at time.Time) civil.Day {
	return civil.Day{Year: civil.DayOf(at).Year, Month: time.December, Day: 31}
}

// inYears keeps what belongs to a year that ended on a day or before.
func inYears(all []retention.Item, until civil.Day) (items []retention.Item) {
	for _, i := range all {
		if !until.Before(i.From) {
			items = append(items, i)
		}
	}
	return items
}

func scanOver(r db.Row) (i retention.Item, err error) {
	var at int64
	err = r.Scan(&i.ID, &i.Subject, &at)
	i.From = yearEnd(db.FromMicros(at))
	return i, err
}

// The year is that of the last thing that happened: a payment may arrive in the new
// year.
func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, `SELECT attempt_no, subject, CASE WHEN paid_at > created_at THEN paid_at ELSE created_at END
		FROM payment_attempt a WHERE created_at < $1 AND state IN ('succeeded', 'succeeded_late', 'closed', 'failed')
		AND NOT EXISTS (SELECT 1 FROM payment_refund r WHERE r.attempt_no = a.attempt_no) ORDER BY created_at, attempt_no`,
		db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endPayment(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM payment_event WHERE attempt_no = $1",
			"DELETE FROM payment_receipt WHERE attempt_no = $1",
			"DELETE FROM payment_transfer WHERE attempt_no = $1",
			"DELETE FROM payment_attempt WHERE attempt_no = $1",
		} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// A refund is over when its money and its services are settled; one that came to
// nothing before anything was suspended ends no service.
func (s *Service) overRefunds(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, `SELECT refund_no, subject, CASE WHEN ended_at > settled_at THEN ended_at ELSE settled_at END
		FROM payment_refund WHERE settled_at > 0 AND settled_at < $1 AND phase IN ('succeeded', 'rejected', 'cancelled') AND (ended_at > 0 OR held_at = 0)
		ORDER BY settled_at, refund_no`, db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endRefund(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM payment_refund_step WHERE refund_no = $1", i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM payment_refund WHERE refund_no = $1", i.ID)
		return err
	})
}

// overStray finds what names a payment that is not there, by the number that the
// provider gave.
func (s *Service) overStray(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, `SELECT attempt_no, '', MAX(received_at) FROM (
		SELECT attempt_no, received_at FROM payment_event UNION ALL SELECT attempt_no, received_at FROM payment_receipt) taken
		WHERE NOT EXISTS (SELECT 1 FROM payment_attempt a WHERE a.attempt_no = taken.attempt_no)
		GROUP BY attempt_no HAVING MAX(received_at) < $1 ORDER BY attempt_no`, db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endStray(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM payment_event WHERE attempt_no = $1 AND NOT EXISTS (SELECT 1 FROM payment_attempt a WHERE a.attempt_no = $1)",
			"DELETE FROM payment_receipt WHERE attempt_no = $1 AND NOT EXISTS (SELECT 1 FROM payment_attempt a WHERE a.attempt_no = $1)",
		} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// A gift is spent before it is over, so its year is that of the last of its times. A
// grant names no handle: a hold on anybody keeps it.
func (s *Service) overGrants(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, `SELECT id, '', CASE WHEN expires_at > asked_at AND expires_at > decided_at THEN expires_at
		WHEN decided_at > asked_at THEN decided_at ELSE asked_at END
		FROM payment_grant WHERE asked_at < $1 AND state <> $2 AND left_minor = 0 ORDER BY asked_at, id`, db.Micros(until.End()), string(Waiting))
	return inYears(all, until), err
}

func (s *Service) endGrant(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM payment_gift_use WHERE grant_id = $1", i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM payment_grant WHERE id = $1", i.ID)
		return err
	})
}

// ofAttempt is the handle of whose attempt a number names, or nothing.
const ofAttempt = "COALESCE((SELECT a.subject FROM payment_attempt a WHERE a.attempt_no = %s), '')"

func (s *Service) overDifferences(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, fmt.Sprintf("SELECT d.id, "+ofAttempt+`, d.closed_at FROM payment_difference d
		WHERE d.state = 'closed' AND d.closed_at < $1 ORDER BY d.closed_at, d.id`, "d.attempt_no"), db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endDifference(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM payment_difference_step WHERE difference_id = $1", i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM payment_difference WHERE id = $1", i.ID)
		return err
	})
}

func (s *Service) overBills(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, "SELECT id, '', day FROM payment_bill WHERE day < $1 ORDER BY day, id", db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endBill(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM payment_bill WHERE id = $1", i.ID)
		return err
	})
}

func (s *Service) overSuspense(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, scanOver, fmt.Sprintf("SELECT p.id, "+ofAttempt+`, p.decided_at FROM payment_suspense p
		LEFT JOIN payment_receipt r ON r.id = p.receipt_id WHERE p.state <> 'waiting' AND p.decided_at < $1 ORDER BY p.decided_at, p.id`, "r.attempt_no"), db.Micros(until.End()))
	return inYears(all, until), err
}

func (s *Service) endSuspense(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM payment_suspense WHERE id = $1", i.ID)
		return err
	})
}
