package vault

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// cacheLife is how long a plain key may stay in memory.
const cacheLife = 60 * time.Second

type cachedKey struct {
	key   []byte
	until time.Time
}

// dataKey is a row of keystore_key.
type dataKey struct {
	id      string // 16 random bytes in hex
	handle  id.Handle
	class   string
	suite   int64
	wrapped []byte
	live    bool
}

const keyColumns = "id, handle, class, suite, wrapped, state"

func scanKey(r db.Row) (k dataKey, err error) {
	var state string
	err = r.Scan(&k.id, &k.handle, &k.class, &k.suite, &k.wrapped, &state)
	k.live = state == "live"
	return k, err
}

var errNoKey = errs.New(errs.NotFound, "vault.no_key")

// keyFor returns the live data key of (subject, class), made if there is none.
func (v *Vault) keyFor(ctx context.Context, subject id.Handle, class string) (dataKey, []byte, error) {
	if subject == "" || class == "" {
		return dataKey{}, nil, fmt.Errorf("sealing without subject or class")
	}
	k, err := v.liveKey(ctx, v.db, subject, class)
	if errs.IsNotFound(err) {
		k, err = v.makeKey(ctx, subject, class)
	}
	if err != nil {
		return dataKey{}, nil, away(err)
	}
	plain, err := v.plain(ctx, k)
	return k, plain, err
}

func (v *Vault) liveKey(ctx context.Context, q db.Q, subject id.Handle, class string) (dataKey, error) {
	return db.Get(ctx, q, errNoKey, scanKey, "SELECT "+keyColumns+
		" FROM keystore_key WHERE handle = $1 AND class = $2 AND state = 'live' ORDER BY epoch DESC LIMIT 1", subject, class)
}

func (v *Vault) keyByID(ctx context.Context, keyID []byte) (dataKey, error) {
	k, err := db.Get(ctx, v.db, errNoKey, scanKey,
		"SELECT "+keyColumns+" FROM keystore_key WHERE id = $1", hex.EncodeToString(keyID))
	if errs.IsNotFound(err) {
		return k, ErrIntegrity
	}
	return k, away(err)
}

// makeKey makes a data key with an id and an epoch never used before. Two
// makers at once end with the same key.
func (v *Vault) makeKey(ctx context.Context, subject id.Handle, class string) (dataKey, error) {
	root, err := v.root(ctx, subject)
	if err != nil {
		return dataKey{}, err
	}
	k := dataKey{id: hex.EncodeToString(random(idSize)), handle: subject, class: class, suite: suiteStd, live: true}
	if k.wrapped, err = lock(root, random(keySize), k.aad()); err != nil {
		return dataKey{}, err
	}
	var got dataKey
	err = v.db.InTx(ctx, func(tx *db.Tx) error {
		got, err = v.liveKey(ctx, tx, subject, class)
		if !errs.IsNotFound(err) {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO keystore_key (id, handle, class, epoch, suite, wrapped, state, created_at, destroyed_at)
			SELECT $1, $2, $3, coalesce(max(epoch), 0) + 1, $4, $5, 'live', $6, 0 FROM keystore_key WHERE handle = $2 AND class = $3
			ON CONFLICT DO NOTHING`,
			k.id, subject, class, k.suite, k.wrapped, db.Micros(v.clock.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return db.ErrRetry
		}
		got = k
		return nil
	})
	return got, err
}

func (k dataKey) aad() []byte { return bound("key", string(k.handle), k.class, k.id) }

// plain unwraps a data key whose row was just read.
func (v *Vault) plain(ctx context.Context, k dataKey) ([]byte, error) {
	if !k.live {
		return nil, ErrErased
	}
	return v.cached("key:"+k.id, func() ([]byte, error) {
		root, err := v.root(ctx, k.handle)
		if err != nil {
			return nil, err
		}
		return unlock(root, k.wrapped, k.aad())
	})
}

// root returns the plain root key of a subject, made if there is none.
func (v *Vault) root(ctx context.Context, subject id.Handle) ([]byte, error) {
	return v.cached("root:"+string(subject), func() ([]byte, error) {
		wrapped, err := v.rootRow(ctx, subject)
		if errs.IsNotFound(err) {
			wrapped, err = v.makeRoot(ctx, subject)
		}
		if err != nil {
			return nil, away(err)
		}
		plain, err := v.held().Unwrap(ctx, wrapped, bound("root", string(subject)))
		return plain, away(err)
	})
}

func (v *Vault) rootRow(ctx context.Context, subject id.Handle) ([]byte, error) {
	type row struct {
		wrapped []byte
		state   string
	}
	r, err := db.Get(ctx, v.db, errNoKey, func(s db.Row) (r row, err error) {
		return r, s.Scan(&r.wrapped, &r.state)
	}, "SELECT wrapped, state FROM keystore_root WHERE handle = $1", subject)
	if err != nil {
		return nil, err
	}
	if r.state != "live" {
		return nil, ErrErased
	}
	return r.wrapped, nil
}

func (v *Vault) makeRoot(ctx context.Context, subject id.Handle) ([]byte, error) {
	wrapped, err := v.held().Wrap(ctx, random(keySize), bound("root", string(subject)))
	if err != nil {
		return nil, err
	}
	err = v.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO keystore_root (handle, wrapped, kek, state, created_at, destroyed_at)
			VALUES ($1, $2, $3, 'live', $4, 0) ON CONFLICT (handle) DO NOTHING`,
			subject, wrapped, v.held().ID(), db.Micros(v.clock.Now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.rootRow(ctx, subject) // the one that was first
}

// cached returns a plain key from memory, or makes and keeps it.
func (v *Vault) cached(name string, make func() ([]byte, error)) ([]byte, error) {
	now := v.clock.Now()
	if key, ok := v.remembered(name, now); ok {
		return key, nil
	}
	key, err := make()
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !now.Before(v.sweepAt) {
		v.sweepLocked(now)
	}
	v.cache[name] = cachedKey{key: slices.Clone(key), until: now.Add(cacheLife)}
	return key, nil
}

// sweepLocked forgets the keys whose time is over, at most once a second.
func (v *Vault) sweepLocked(now time.Time) {
	for n, old := range v.cache {
		if !now.Before(old.until) {
			clear(old.key)
			delete(v.cache, n)
		}
	}
	v.sweepAt = now.Add(time.Second)
}

// remembered returns a copy, because purge zeroes what the cache holds.
func (v *Vault) remembered(name string, now time.Time) ([]byte, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c, ok := v.cache[name]
	if !ok || !now.Before(c.until) {
		return nil, false
	}
	return slices.Clone(c.key), true
}

// away turns failures that are not ours into ErrUnavailable: whoever cannot
// reach the keys has no plaintext.
func away(err error) error {
	if err == nil || errs.KindOf(err) != errs.Internal {
		return err
	}
	return errs.Wrap(errs.Unavailable, ErrUnavailable.Code, err)
}
