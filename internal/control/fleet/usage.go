package fleet

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Usage is what an SSL client moved in the present day and month, both
// directions together. Traffic belongs to the day on which control heard of it.
type Usage struct {
	Client     string
	Day, Month uint64 // bytes
}

// usageRow is what is kept: the day says which month, too.
type usageRow struct {
	client     string
	day        string
	dayBytes   int64
	monthBytes int64
}

func scanUsage(r db.Row) (u usageRow, err error) {
	return u, r.Scan(&u.client, &u.day, &u.dayBytes, &u.monthBytes)
}

const usageColumns = "SELECT client, day, day_bytes, month_bytes FROM fleet_usage"

// at is the row as it counts at a time: a day or month that is over counts
// nothing.
func (u usageRow) at(now time.Time) Usage {
	today := dayOf(now)
	got := Usage{Client: u.client}
	if u.day == today {
		got.Day = uint64(u.dayBytes)
	}
	if u.day[:6] == today[:6] {
		got.Month = uint64(u.monthBytes)
	}
	return got
}

// PeriodEnds returns when the day and the month of a time end.
func PeriodEnds(now time.Time) (day, month time.Time) {
	y, m, d := now.In(civil.Zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, civil.Zone), time.Date(y, m+1, 1, 0, 0, 0, 0, civil.Zone)
}

// UsageTx returns what an SSL client has moved, within the caller's
// transaction; nothing if it never connected.
func (s *Service) UsageTx(ctx context.Context, tx *db.Tx, client string) (Usage, error) {
	return usageOf(ctx, tx, client, s.clock.Now())
}

// Usage returns what an SSL client has moved.
func (s *Service) Usage(ctx context.Context, client string) (Usage, error) {
	return usageOf(ctx, s.db, client, s.clock.Now())
}

func usageOf(ctx context.Context, q db.Q, client string, now time.Time) (Usage, error) {
	u, err := db.Get(ctx, q, nil, scanUsage, usageColumns+" WHERE client = $1", client)
	if errs.IsNotFound(err) {
		return Usage{Client: client}, nil
	}
	if err != nil {
		return Usage{}, err
	}
	return u.at(now), nil
}

// UsedSince returns the usage of all SSL clients that moved something since a
// time.
func (s *Service) UsedSince(ctx context.Context, since time.Time) ([]Usage, error) {
	rows, err := db.Select(ctx, s.db, scanUsage, usageColumns+" WHERE changed_at >= $1 ORDER BY client", db.Micros(since))
	now, all := s.clock.Now(), make([]Usage, 0, len(rows))
	for _, u := range rows {
		all = append(all, u.at(now))
	}
	return all, err
}

// ForgetUsageTx forgets what an SSL client that is deleted has moved.
func (s *Service) ForgetUsageTx(ctx context.Context, tx *db.Tx, client string) error {
	_, err := tx.Exec(ctx, "DELETE FROM fleet_usage WHERE client = $1", client)
	return err
}

// use adds traffic of a session to its SSL client's.
func (in intake) use(ctx context.Context, session string, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	client, err := db.Get(ctx, in.tx, nil, db.One[string], "SELECT client FROM fleet_session WHERE id = $1 AND started_at <> 0", session)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = in.tx.Exec(ctx, `INSERT INTO fleet_usage (client, day, day_bytes, month_bytes, changed_at) VALUES ($1, $2, $3, $3, $4)
		ON CONFLICT (client) DO UPDATE SET
			day_bytes = CASE WHEN fleet_usage.day = excluded.day THEN fleet_usage.day_bytes ELSE 0 END + excluded.day_bytes,
			month_bytes = CASE WHEN substr(fleet_usage.day, 1, 6) = substr(excluded.day, 1, 6) THEN fleet_usage.month_bytes ELSE 0 END + excluded.month_bytes,
			day = excluded.day, changed_at = excluded.changed_at`,
		client, dayOf(in.now), bytes, db.Micros(in.now))
	return err
}

// dropUsage forgets what was moved in months that are over.
func dropUsage(ctx context.Context, tx *db.Tx, now time.Time) error {
	y, m, _ := now.In(civil.Zone).Date()
	_, err := tx.Exec(ctx, "DELETE FROM fleet_usage WHERE changed_at < $1", db.Micros(time.Date(y, m, 1, 0, 0, 0, 0, civil.Zone)))
	return err
}
