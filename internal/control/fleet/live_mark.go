package fleet

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// LiveMark is a fingerprint of a gateway's live sessions: another one once any
// began or ended. It is read from an index.
func (s *Service) LiveMark(ctx context.Context, gateway string) (string, error) {
	return db.Get(ctx, s.db, nil, func(r db.Row) (string, error) {
		var live, ended int64
		var newest string
		err := r.Scan(&live, &newest, &ended)
		return fmt.Sprint(live, newest, ended), err
	}, `SELECT (SELECT count(*) FROM fleet_session WHERE gateway = $1 AND ended_at = 0),
		(SELECT COALESCE(max(id), '') FROM fleet_session WHERE gateway = $1 AND ended_at = 0),
		(SELECT COALESCE(max(ended_at), 0) FROM fleet_session WHERE gateway = $1)`, gateway)
}

// Live returns the ids of a gateway's sessions that have not ended.
func (s *Service) Live(ctx context.Context, gateway string) ([]string, error) {
	return db.Select(ctx, s.db, db.One[string], "SELECT id FROM fleet_session WHERE gateway = $1 AND ended_at = 0", gateway)
}
