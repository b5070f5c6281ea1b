package order

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Mark is a fingerprint of an account's orders: another one once any was placed
// or changed. Orders are not deleted, and a change adds to a version.
func (s *Service) Mark(ctx context.Context, owner account.ID) (string, error) {
	return db.Get(ctx, s.d.DB, nil, func(r db.Row) (string, error) {
		var count, versions int64
		err := r.Scan(&count, &versions)
		return fmt.Sprint(count, versions), err
	}, "SELECT count(*), CAST(COALESCE(sum(version), 0) AS BIGINT) FROM order_order WHERE account_id = $1", string(owner))
}

// Versions returns the version of each of an account's orders, by number.
func (s *Service) Versions(ctx context.Context, owner account.ID) (map[string]int64, error) {
	return db.RowVersions(ctx, s.d.DB, "SELECT id, version FROM order_order WHERE account_id = $1", string(owner))
}
