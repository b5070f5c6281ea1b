package account

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// People lists everybody with an account by handle, from after on: at most
// limit.
func (s *Service) People(ctx context.Context, after id.Handle, limit int) ([]id.Handle, error) {
	return db.Select(ctx, s.d.DB, db.One[id.Handle], "SELECT subject FROM account_person WHERE subject > $1 ORDER BY subject LIMIT $2", string(after), limit)
}

// SeenBetween lists who stands in the login or access log of a span (its end not
// included) by handle, from after on: at most limit.
func (s *Service) SeenBetween(ctx context.Context, from, to time.Time, after id.Handle, limit int) ([]id.Handle, error) {
	return db.Select(ctx, s.d.DB, db.One[id.Handle], `SELECT subject FROM account_login WHERE at >= $1 AND at < $2 AND subject > $3
		UNION SELECT subject FROM account_access WHERE at >= $1 AND at < $2 AND subject > $3 ORDER BY subject LIMIT $4`,
		db.Micros(from), db.Micros(to), string(after), limit)
}
