package account

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// ReadablePasswords counts the stored passwords, and those that are no argon2id
// hash (LT-1.1a).
func (s *Service) ReadablePasswords(ctx context.Context) (examined, found int64, err error) {
	if examined, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT COUNT(*) FROM account_person WHERE password <> ''"); err != nil {
		return 0, 0, err
	}
	found, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT COUNT(*) FROM account_person WHERE password <> '' AND password NOT LIKE '$argon2id$%'")
	return examined, found, err
}
