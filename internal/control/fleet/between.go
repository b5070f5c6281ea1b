package fleet

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// ClientsBetween lists clients that had a VPN session in a span (its end not
// included), from after on: at most limit.
func (s *Service) ClientsBetween(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error) {
	return db.Select(ctx, s.db, db.One[string], `SELECT DISTINCT client FROM fleet_session WHERE started_at < $1 AND (ended_at = 0 OR ended_at >= $2)
		AND client > $3 ORDER BY client LIMIT $4`, db.Micros(to), db.Micros(from), after, limit)
}
