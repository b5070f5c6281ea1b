package fleet

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// sweep deletes samples of yesterday, and usage of a month that is over.
func (s *Service) sweep(ctx context.Context) error {
	now := s.clock.Now()
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM fleet_sample WHERE at < $1", db.Micros(now.Add(-SampleLife))); err != nil {
			return err
		}
		return dropUsage(ctx, tx, now)
	})
}

// Retain deletes the session log of days whose floor is over and destroys the
// keys of those days (SUP-6). It fills retention.Keeper. The keys are of days
// and a row names a client, not a person: a hold on anybody's sessions keeps all.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	got := retention.Result{Class: retentionClass}
	until := db.Micros(retention.LastPast(retentionClass, run.Today()).End())
	over, err := db.Select(ctx, s.db, db.One[int64], "SELECT started_at FROM fleet_session WHERE started_at <> 0 AND started_at < $1 AND ended_at <> 0", until)
	if err != nil {
		return nil, err
	}
	got.Examined = int64(len(over))
	for _, at := range over {
		if run.Overdue(retentionClass, civil.DayOf(db.FromMicros(at))) {
			got.Overdue++
		}
	}
	if run.Held(retentionClass, "") {
		got.Held = got.Examined
		return []retention.Result{got}, nil
	}
	if got.Destroyed, err = s.deleteUntil(ctx, until, distinctDays(over)); err != nil {
		return nil, err
	}
	return []retention.Result{got}, s.destroyDays(ctx)
}

// deleteUntil deletes sessions and notes the days whose keys are to go.
func (s *Service) deleteUntil(ctx context.Context, until int64, days []string) (deleted int64, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		deleted, err = tx.Exec(ctx, "DELETE FROM fleet_session WHERE ended_at <> 0 AND ended_at < $1 OR (started_at <> 0 AND started_at < $1 AND ended_at <> 0)", until)
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
	return deleted, err
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
		start, err := time.ParseInLocation("20060102", d, civil.Zone)
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
