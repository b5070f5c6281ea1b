package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// ClientOf returns the SSL client whose user has a handle, or ErrClientNotFound.
func (s *Service) ClientOf(ctx context.Context, user id.Handle) (string, error) {
	return db.Get(ctx, s.db, ErrClientNotFound, db.One[string], "SELECT id FROM vpn_client WHERE subject = $1", string(user))
}
