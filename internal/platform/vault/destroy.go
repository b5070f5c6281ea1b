package vault

import (
	"context"
	"fmt"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const destroyKeys = "UPDATE keystore_key SET state = 'destroyed', wrapped = NULL, destroyed_at = $1 WHERE handle = $2 AND state = 'live'"

// DestroyClass destroys the data keys of one class of a person: what they
// sealed is ErrErased from now on, in every process. A later Seal of the same
// class gets a new key. Destroying twice is not an error. The caller deletes
// the rows as well: key destruction never stands alone.
func (v *Vault) DestroyClass(ctx context.Context, subject id.Handle, class string) error {
	err := v.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, destroyKeys+" AND class = $3", db.Micros(v.clock.Now()), subject, class)
		return err
	})
	v.purge("key:") // which ids belonged to the class is not worth a query
	return away(wrap(err, "destroying the keys of a class"))
}

// DestroySystem destroys the keys of a system secret: what they sealed under
// name is ErrErased from now on. Destroying twice is not an error.
func (v *Vault) DestroySystem(ctx context.Context, name string) error {
	return v.DestroyClass(ctx, systemHandle, systemRef(name).Class)
}

// DestroySubject destroys the root and every data key of a person. The handle
// never gets a key again.
func (v *Vault) DestroySubject(ctx context.Context, subject id.Handle) error {
	err := v.db.InTx(ctx, func(tx *db.Tx) error {
		now := db.Micros(v.clock.Now())
		if _, err := tx.Exec(ctx, destroyKeys, now, subject); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO keystore_root (handle, wrapped, kek, state, created_at, destroyed_at)
			VALUES ($1, NULL, '', 'destroyed', $2, $2)
			ON CONFLICT (handle) DO UPDATE SET wrapped = NULL, state = 'destroyed', destroyed_at = $2`, subject, now)
		return err
	})
	v.purge("key:")
	v.purge("root:" + string(subject))
	return away(wrap(err, "destroying the keys of a person"))
}

func (v *Vault) purge(prefix string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, c := range v.cache {
		if strings.HasPrefix(name, prefix) {
			clear(c.key)
			delete(v.cache, name)
		}
	}
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Destroyed reports whether keys of a class of a person were ever destroyed.
func (v *Vault) Destroyed(ctx context.Context, subject id.Handle, class string) (bool, error) {
	n, err := db.Get(ctx, v.db, nil, db.One[int64],
		"SELECT count(*) FROM keystore_key WHERE handle = $1 AND class = $2 AND state = 'destroyed'", subject, class)
	return n > 0, away(err)
}

// Ended reports whether keys of a class of a person were destroyed and none lives:
// nothing that was sealed for it opens.
func (v *Vault) Ended(ctx context.Context, subject id.Handle, class string) (bool, error) {
	n, err := db.Get(ctx, v.db, nil, db.One[int64], `SELECT count(*) FROM keystore_key k WHERE handle = $1 AND class = $2 AND state = 'destroyed'
		AND NOT EXISTS (SELECT 1 FROM keystore_key l WHERE l.handle = k.handle AND l.class = k.class AND l.state = 'live')`, subject, class)
	return n > 0, away(err)
}

// Classes lists the classes of a person that have a live key.
func (v *Vault) Classes(ctx context.Context, subject id.Handle) ([]string, error) {
	all, err := db.Select(ctx, v.db, db.One[string], "SELECT DISTINCT class FROM keystore_key WHERE handle = $1 AND state = 'live' ORDER BY class", subject)
	return all, away(err)
}
