package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const (
	// attemptsAllowed is how often a pair of account and source may fail,
	// password and code together, before it is refused for attemptWindow.
	attemptsAllowed = 5
	attemptWindow   = 15 * time.Minute
	// sourceAllowed is how often one source may fail at a server, whatever the
	// account, in the same window: enough for an office behind one address, too
	// little for going through a list of names.
	sourceAllowed = 100
)

// countAttempt counts a try in a transaction of its own, before the comparison
// that it pays for, and returns how many there are in the window. The window
// runs from the last try that was allowed.
func (s *Service) countAttempt(ctx context.Context, o origin, now time.Time) (n int64, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		all, err := countOne(ctx, tx, o.source, sourceAllowed, now)
		if err != nil {
			return err
		}
		if n, err = countOne(ctx, tx, o.pair, attemptsAllowed, now); err != nil {
			return err
		}
		if all > sourceAllowed {
			n = attemptsAllowed + 1
		}
		return nil
	})
	return n, err
}

func countOne(ctx context.Context, tx *db.Tx, key string, allowed int, now time.Time) (int64, error) {
	return db.Get(ctx, tx, nil, db.One[int64], `INSERT INTO vpn_attempt (origin, count, until) VALUES ($1, 1, $2)
			ON CONFLICT (origin) DO UPDATE SET
				count = CASE WHEN vpn_attempt.until <= $3 THEN 1 ELSE vpn_attempt.count + 1 END,
				until = CASE WHEN vpn_attempt.until <= $3 OR vpn_attempt.count < $4 THEN excluded.until ELSE vpn_attempt.until END
			RETURNING count`, key, db.Micros(now.Add(attemptWindow)), db.Micros(now), int64(allowed))
}

// giveBack takes back a try that was right so far.
func giveBack(ctx context.Context, tx *db.Tx, o origin) error {
	_, err := tx.Exec(ctx, "UPDATE vpn_attempt SET count = count - 1 WHERE origin IN ($1, $2) AND count > 0", o.pair, o.source)
	return err
}

// excuse gives back a try that nothing was wrong with, but that ends here.
func (l login) excuse(ctx context.Context, o origin) error {
	return l.s.db.InTx(ctx, func(tx *db.Tx) error { return giveBack(ctx, tx, o) })
}

// forgive forgets the failures of the pair after a whole login, and takes back
// the try of the source, whose other failures stay.
func forgive(ctx context.Context, tx *db.Tx, o origin) error {
	if err := giveBack(ctx, tx, o); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM vpn_attempt WHERE origin = $1", o.pair)
	return err
}
