package realname

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Minor tells whether the newest identity check of a person found one under age.
// Who was never checked is not known to be.
func (s *Service) Minor(ctx context.Context, subject id.Handle) (bool, error) {
	bands, err := db.Select(ctx, s.db, db.One[string],
		"SELECT band FROM realname_verification WHERE subject = $1 ORDER BY submitted_at DESC, id DESC LIMIT 1", string(subject))
	return err == nil && len(bands) == 1 && bands[0] == bandMinor, err
}
