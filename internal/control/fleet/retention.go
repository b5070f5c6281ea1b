package fleet

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// sweep deletes samples of yesterday and sessions whose six calendar months
// are over, and destroys the keys of those days.
func (s *Service) sweep(ctx context.Context) error {
	now := s.clock.Now()
	last := lastEndedDay(now)
	var days []string
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fleet_sample WHERE at < $1", db.Micros(now.Add(-SampleLife))); err != nil {
			return err
		}
		if err := dropUsage(ctx, tx, now); err != nil {
			return err
		}
		until := db.Micros(last.AddDate(0, 0, 1))
		old, err := db.Select(ctx, tx, db.One[int64], "SELECT DISTINCT started_at FROM fleet_session WHERE started_at <> 0 AND started_at < $1 AND ended_at <> 0", until)
		if err != nil {
			return err
		}
		days = distinctDays(old)
		_, err = tx.Exec(ctx, "DELETE FROM fleet_session WHERE ended_at <> 0 AND ended_at < $1 OR (started_at <> 0 AND started_at < $1 AND ended_at <> 0)", until)
		if err != nil {
			return err
		}
		for _, d := range days {
			if _, err := tx.Exec(ctx, "INSERT INTO fleet_day (day, destroyed_at) VALUES ($1, 0) ON CONFLICT (day) DO NOTHING", d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.destroyDays(ctx)
}

func distinctDays(starts []int64) []string {
	seen, days := map[string]bool{}, []string{}
	for _, at := range starts {
		if d := dayOf(db.FromMicros(at)); !seen[d] {
			seen[d] = true
			days = append(days, d)
		}
	}
	return days
}

// destroyDays destroys the keys of days that no session row needs any more.
func (s *Service) destroyDays(ctx context.Context) error {
	due, err := db.Select(ctx, s.db, db.One[string], "SELECT day FROM fleet_day WHERE destroyed_at = 0 ORDER BY day")
	if err != nil {
		return err
	}
	for _, d := range due {
		start, err := time.ParseInLocation("20060102", d, time.FixedZone("", 8*3600))
		if err != nil {
			return err
		}
		left, err := db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM fleet_session WHERE started_at >= $1 AND started_at < $2",
			db.Micros(start), db.Micros(start.AddDate(0, 0, 1)))
		if err != nil {
			return err
		}
		if left > 0 {
			continue
		}
		if err := s.vault.DestroyClass(ctx, id.Handle("day_"+d), retentionClass); err != nil {
			return err
		}
		err = s.db.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE fleet_day SET destroyed_at = $1 WHERE day = $2", db.Micros(s.clock.Now()), d)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lastEndedDay returns the last day (+08:00) whose six calendar months are
// over: the greatest day d with d + 6 months before today. A month without
// such a day ends it at its last one, so that nothing goes early.
func lastEndedDay(now time.Time) time.Time {
	zone := time.FixedZone("", 8*3600)
	y, m, d := now.In(zone).Date()
	month := time.Date(y, m-6, 1, 0, 0, 0, 0, zone)
	days := month.AddDate(0, 1, -1).Day()
	return month.AddDate(0, 0, min(d, days)-2)
}
