package service

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Period is time that an order line has paid: [Start, End).
type Period struct {
	Service string
	Start   time.Time
	End     time.Time
	Months  int
	Order   string
	Line    string
}

// firstPeriod is the one that the service's own line pays, from delivery on.
func (v Item) firstPeriod() Period {
	return Period{Service: v.ID, Start: v.Anchor, End: v.PaidThrough, Months: v.Months, Order: v.Order, Line: v.Line}
}

// renewed is the service after a paid renewal, and the period that was paid. It
// goes on from the end of the paid time if it was paid by latest, else from the
// payment, which becomes the new anchor. Paying takes away only the reason
// overdue. A zero latest means that it always goes on.
func (v Item) renewed(l Line, latest, now time.Time) (Item, Period, error) {
	to, err := v.State.next(RenewPaid)
	if err != nil {
		return v, Period{}, err
	}
	v.State = to
	start := v.PaidThrough
	if !latest.IsZero() && l.PaidAt.After(latest) {
		start = l.PaidAt.Truncate(time.Second)
		v.Anchor, v.AnchorMonths = start, 0
	}
	v.AnchorMonths += l.Months
	v.PaidThrough = addMonths(v.Anchor, v.AnchorMonths)
	v.OverdueSince, v.OverdueStop, v.FinalNotice, v.CancelAtEnd = time.Time{}, time.Time{}, time.Time{}, false
	v.LookedAt, v.NextDue = now, now
	if v, err = v.resume(Overdue); err != nil {
		return v, Period{}, err
	}
	return v, Period{Service: v.ID, Start: start, End: v.PaidThrough, Months: l.Months, Order: l.Order, Line: l.ID}, nil
}

// Periods lists the paid periods of a service, read by q, oldest first.
func (s *Service) Periods(ctx context.Context, q db.Q, service string) ([]Period, error) {
	return db.Select(ctx, q, scanPeriod, periodColumns+" WHERE service = $1 ORDER BY period_start", service)
}

// openPeriodTx keeps a paid period and what is to be earned in it.
func (s *Service) openPeriodTx(ctx context.Context, tx *db.Tx, p Period, paid money.Money) error {
	fresh, err := insertPeriod(ctx, tx, p)
	if err != nil {
		return err
	}
	if !fresh {
		return ErrPeriod.With("service", p.Service)
	}
	return insertEarning(ctx, tx, earning{
		service: p.Service, order: p.Order, line: p.Line, start: p.Start, end: p.End, value: paid,
	})
}

const periodColumns = "SELECT service, period_start, period_end, months, order_id, line FROM service_period"

func scanPeriod(r db.Row) (p Period, err error) {
	var start, end, months int64
	err = r.Scan(&p.Service, &start, &end, &months, &p.Order, &p.Line)
	p.Start, p.End, p.Months = db.FromMicros(start), db.FromMicros(end), int(months)
	return p, err
}

// insertPeriod reports false if the line has paid a period, or something else
// has paid this one.
func insertPeriod(ctx context.Context, tx *db.Tx, p Period) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO service_period (service, period_start, period_end, months, order_id, line)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		p.Service, db.Micros(p.Start), db.Micros(p.End), int64(p.Months), p.Order, p.Line)
	return n == 1, err
}

func periodOfLine(ctx context.Context, q db.Q, line string) (Period, error) {
	return db.Get(ctx, q, ErrNotFound, scanPeriod, periodColumns+" WHERE line = $1", line)
}
