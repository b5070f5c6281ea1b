package job

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Depth is how much work waits. All processes of a database see the same.
type Depth struct {
	Due     int           // may run now
	Later   int           // waits for its time
	Running int           // leased to a process
	Dead    int           // gave up; a person has to look
	Oldest  time.Duration // how long the oldest due job has waited
}

// Depth counts the jobs.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	now := q.clock.Now()
	return db.Get(ctx, q.db, nil, func(r db.Row) (d Depth, err error) {
		var due, later, running, dead, first int64
		err = r.Scan(&due, &later, &running, &dead, &first)
		d = Depth{Due: int(due), Later: int(later), Running: int(running), Dead: int(dead)}
		if due > 0 {
			d.Oldest = now.Sub(db.FromMicros(first))
		}
		return d, err
	}, `SELECT COALESCE(SUM(CASE WHEN state = 'pending' AND run_at <= $1 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'pending' AND run_at > $1 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'leased' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(CASE WHEN state = 'pending' THEN run_at END), 0) FROM job_item`, db.Micros(now))
}
