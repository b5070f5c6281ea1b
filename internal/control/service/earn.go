package service

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// earning is what an order line has paid for a period. It lies in the line's
// deferred account until the period is over.
type earning struct {
	service, order, line string
	start, end           time.Time
	value                money.Money // an empty currency: not known, to be asked of the order
}

// earnMost is how many periods one run closes; the next goes on.
const earnMost = 500

// earn recognises what periods that are over have paid: one journal for each
// (business spec 5.3).
func (s *Service) earn(ctx context.Context) error {
	if s.d.Books == nil {
		return nil
	}
	due, err := duePeriods(ctx, s.d.DB, s.d.Clock.Now())
	if err != nil {
		return err
	}
	for _, p := range due {
		if err := s.earnPeriod(ctx, p); err != nil {
			s.d.Log.WarnContext(ctx, "recognising a period", "service", p.Service, "error", err)
		}
	}
	return nil
}

// earnPeriod closes one period in one transaction.
func (s *Service) earnPeriod(ctx context.Context, p Period) error {
	if err := s.value(ctx, p.Service); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		open, err := earningsOf(ctx, tx, p.Service, p.Start)
		if err != nil || len(open) == 0 {
			return err
		}
		key, err := earningKey(ctx, tx, p, open)
		if err != nil {
			return err
		}
		e := ledger.Entry{
			Key: key, Kind: "recognition", OccurredAt: open[0].end, RefType: "service", RefID: p.Service, Actor: "system", Memo: "period",
		}
		sum := money.New(0, open[0].value.Cur)
		for _, o := range open {
			left, err := s.d.Books.BalanceIn(ctx, tx, ledger.Deferred(o.line), o.value.Cur)
			if err != nil {
				return err
			}
			earned := money.New(min(o.value.Minor, left.Minor), o.value.Cur) // what was given back is not earned
			if err := moveEarning(ctx, tx, o, s.d.Clock.Now()); err != nil {
				return err
			}
			if earned.Minor <= 0 {
				continue
			}
			if sum, err = sum.Add(earned); err != nil {
				return err
			}
			e.Postings = append(e.Postings, ledger.Debit(ledger.Deferred(o.line), earned))
		}
		if sum.IsZero() {
			return nil
		}
		e.Postings = append(e.Postings, ledger.Credit(ledger.Sales, sum))
		_, err = s.d.Books.PostTx(ctx, tx, e)
		return err
	})
}

// earningKey is the key of a period's journal. An upgrade that came into force
// after the period was closed has a journal of its own.
func earningKey(ctx context.Context, tx *db.Tx, p Period, open []earning) (string, error) {
	closed, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM service_earning WHERE service = $1 AND period_start = $2 AND earned_at > 0",
		p.Service, db.Micros(p.Start))
	key := "rec:" + p.Service + ":" + strconv.FormatInt(p.Start.Unix(), 10)
	if closed > 0 {
		key += ":" + open[0].line
	}
	return key, err
}

// value asks the orders what lines have paid that was not written down.
func (s *Service) value(ctx context.Context, service string) error {
	unknown, err := db.Select(ctx, s.d.DB, scanEarning, earningColumns+" WHERE service = $1 AND currency = ''", service)
	if err != nil {
		return err
	}
	for _, e := range unknown {
		lines, err := s.d.Orders.OrderLines(ctx, e.order)
		if errs.IsNotFound(err) { // given back, all of it
			lines = nil
		} else if err != nil {
			return err
		}
		paid := money.New(0, money.CNY)
		for _, l := range lines {
			if l.ID == e.line {
				paid = l.Amount
			}
		}
		err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE service_earning SET currency = $1, value_minor = $2 WHERE line = $3 AND period_start = $4 AND currency = ''",
				string(paid.Cur), paid.Minor, e.line, db.Micros(e.start))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// GiveBackTx takes what a refund gives back of a line from what is to be earned,
// the latest period first. It joins the transaction of the refund's journal, so
// that the books agree with what is to be earned.
func (s *Service) GiveBackTx(ctx context.Context, tx *db.Tx, line string, amount money.Money) error {
	open, err := db.Select(ctx, tx, scanEarning, earningColumns+" WHERE line = $1 AND earned_at = 0 AND currency = $2 ORDER BY period_start DESC",
		line, string(amount.Cur))
	if err != nil {
		return err
	}
	left := amount.Minor
	for _, e := range open {
		take := min(left, e.value.Minor)
		if _, err := tx.Exec(ctx, "UPDATE service_earning SET value_minor = value_minor - $1 WHERE line = $2 AND period_start = $3",
			take, e.line, db.Micros(e.start)); err != nil {
			return err
		}
		left -= take
	}
	return nil
}

// KeepTx is the way back of GiveBackTx, for a refund that was given up: the amount
// is to be earned again, in the latest period of the line. It returns what cannot
// be, because all of the line's periods are over.
func (s *Service) KeepTx(ctx context.Context, tx *db.Tx, line string, amount money.Money) (over money.Money, err error) {
	n, err := tx.Exec(ctx, `UPDATE service_earning SET value_minor = value_minor + $1 WHERE line = $2 AND earned_at = 0 AND currency = $3
		AND period_start = (SELECT MAX(period_start) FROM service_earning WHERE line = $2 AND earned_at = 0)`, amount.Minor, line, string(amount.Cur))
	if err != nil || n == 0 {
		return amount, err
	}
	return money.New(0, amount.Cur), nil
}

// Difference is a service whose deferred money is not what is to be earned of it.
type Difference struct {
	Service string
	Open    money.Money // to be earned
	Held    money.Money // in the deferred accounts of its lines
}

// Prove compares, of every service, what is to be earned with what the books
// hold for it.
func (s *Service) Prove(ctx context.Context) (all []Difference, err error) {
	services, err := db.Select(ctx, s.d.DB, db.One[string], "SELECT DISTINCT service FROM service_earning WHERE earned_at = 0 ORDER BY service")
	if err != nil {
		return nil, err
	}
	for _, v := range services {
		if err := s.value(ctx, v); err != nil {
			return nil, err
		}
		d, err := s.difference(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("proving %s: %w", v, err)
		}
		if d.Open != d.Held {
			all = append(all, d)
		}
	}
	return all, nil
}

func (s *Service) difference(ctx context.Context, service string) (d Difference, err error) {
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		open, err := db.Select(ctx, tx, scanEarning, earningColumns+" WHERE service = $1 AND earned_at = 0 ORDER BY line", service)
		if err != nil || len(open) == 0 {
			return err
		}
		d = Difference{service, money.New(0, open[0].value.Cur), money.New(0, open[0].value.Cur)}
		line := ""
		for _, e := range open {
			if d.Open, err = d.Open.Add(e.value); err != nil {
				return err
			}
			if e.line == line {
				continue
			}
			line = e.line
			held, err := s.d.Books.BalanceIn(ctx, tx, ledger.Deferred(line), e.value.Cur)
			if err != nil {
				return err
			}
			if d.Held, err = d.Held.Add(held); err != nil {
				return err
			}
		}
		return nil
	})
	return d, err
}

// nightly tells operators when what is deferred is not what is to be earned.
func (s *Service) nightly(ctx context.Context) error {
	if s.d.Books == nil {
		return nil
	}
	all, err := s.Prove(ctx)
	for _, d := range all[:min(len(all), 20)] {
		s.d.Log.ErrorContext(ctx, "what is deferred is not what is to be earned", "service", d.Service, "problem", d.Open.String()+" is to be earned, "+d.Held.String()+" is deferred")
	}
	return err
}

const earningColumns = "SELECT service, line, period_start, period_end, order_id, currency, value_minor FROM service_earning"

func scanEarning(r db.Row) (e earning, err error) {
	var start, end int64
	err = r.Scan(&e.service, &e.line, &start, &end, &e.order, &e.value.Cur, &e.value.Minor)
	e.start, e.end = db.FromMicros(start), db.FromMicros(end)
	return e, err
}

func insertEarning(ctx context.Context, tx *db.Tx, e earning) error {
	_, err := tx.Exec(ctx, `INSERT INTO service_earning (service, line, period_start, period_end, order_id, currency, value_minor, earned_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT DO NOTHING`,
		e.service, e.line, db.Micros(e.start), db.Micros(e.end), e.order, string(e.value.Cur), e.value.Minor)
	return err
}

func earningsOf(ctx context.Context, q db.Q, service string, start time.Time) ([]earning, error) {
	return db.Select(ctx, q, scanEarning, earningColumns+" WHERE service = $1 AND period_start = $2 AND earned_at = 0 AND currency <> '' ORDER BY line",
		service, db.Micros(start))
}

func moveEarning(ctx context.Context, tx *db.Tx, e earning, at time.Time) error {
	return tx.ExecOne(ctx, db.ErrRetry, "UPDATE service_earning SET earned_at = $1 WHERE line = $2 AND period_start = $3 AND earned_at = 0",
		db.Micros(at), e.line, db.Micros(e.start))
}

// duePeriods are those that are over and not closed. What is being changed is
// closed when the change has ended.
func duePeriods(ctx context.Context, q db.Q, now time.Time) ([]Period, error) {
	return db.Select(ctx, q, func(r db.Row) (p Period, err error) {
		var start int64
		err = r.Scan(&p.Service, &start)
		p.Start = db.FromMicros(start)
		return p, err
	}, `SELECT service, period_start FROM service_earning WHERE earned_at = 0 AND period_end <= $1
		GROUP BY service, period_start ORDER BY min(period_end), service LIMIT $2`, db.Micros(now), int64(earnMost))
}

// cutEarningsTx ends the periods of a terminated service: nothing is owed any
// more for what was paid and not given back.
func cutEarningsTx(ctx context.Context, tx *db.Tx, service string, at time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE service_earning SET period_end = $1 WHERE service = $2 AND earned_at = 0 AND period_end > $1", db.Micros(at), service)
	return err
}

func dropEarningsTx(ctx context.Context, tx *db.Tx, line string) error {
	_, err := tx.Exec(ctx, "DELETE FROM service_earning WHERE line = $1 AND earned_at = 0", line)
	return err
}
