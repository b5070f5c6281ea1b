package vpn

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Lock is a source from which a client may not sign in for a while.
type Lock struct {
	Source netip.Addr // an IPv6 source stands for its /64
	Until  time.Time
	// BannedUntil is until when nobody signs in from the source, which failures of
	// the client have had a part in; zero if it is not banned.
	BannedUntil time.Time
}

// lockRef names the sealed source of a lock, a digest of which is the row's key.
func lockRef(c SSLClient, pair string) vault.Ref {
	return vault.Ref{Table: "vpn_attempt", Column: "source_sealed", Row: pair, Subject: c.Subject, Class: retentionClass}
}

// blame notes whose failures a pair of account and source counts, so that they
// can be lifted; "" of no client, which costs as much. The address is kept,
// sealed, once the pair is locked, and the lock is told of. Below that nothing but its digest is.
func (l login) blame(ctx context.Context, c SSLClient, o origin, locked bool) (err error) {
	var sealed []byte
	if locked {
		if sealed, err = l.sealSource(ctx, c, o); err != nil {
			return err
		}
	}
	return l.s.db.InTx(ctx, func(tx *db.Tx) error {
		// The failure before the one that locks may come here after it.
		_, err := tx.Exec(ctx, `UPDATE vpn_attempt SET client = $1, throttle = $2,
			source_sealed = CASE WHEN count >= $3 THEN COALESCE($4, source_sealed) END WHERE origin = $5`,
			c.ID, o.source, int64(attemptsAllowed), blob(sealed), o.pair)
		if err != nil || !locked {
			return err
		}
		return l.s.queue.EnqueueTx(ctx, tx, job.Job{Kind: "vpn.locked", Payload: lockedJob{c.ID, db.Micros(l.now)}})
	})
}

// sealSource is nothing for no client, but takes as long.
func (l login) sealSource(ctx context.Context, c SSLClient, o origin) ([]byte, error) {
	whose := c
	if c.ID == "" {
		whose = nobody
	}
	sealed, err := l.s.vault.Seal(ctx, lockRef(whose, o.pair), []byte(sourceText(l.request.SourceIP)))
	if c.ID == "" {
		sealed = nil
	}
	return sealed, err
}

type lockRow struct {
	pair   string
	sealed []byte
	until  int64
}

// Locks lists the sources from which a client is locked now. The reading of
// their addresses is recorded.
func (s *Service) Locks(ctx context.Context, p account.Principal, client string) ([]Lock, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return nil, err
	}
	rows, err := db.Select(ctx, s.db, func(r db.Row) (v lockRow, err error) { return v, r.Scan(&v.pair, &v.sealed, &v.until) },
		`SELECT origin, source_sealed, until FROM vpn_attempt WHERE client = $1 AND until > $2 AND count >= $3
		AND source_sealed IS NOT NULL ORDER BY until, origin`,
		c.ID, db.Micros(s.clock.Now()), int64(attemptsAllowed))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ticket, err := s.vault.Begin(ctx, vault.Read{
		Reader: readerOf(p), Subject: c.Subject, Fields: []string{"vpn_attempt.source_sealed"}, Purpose: accessPurpose, Reason: "vpn",
	})
	if err != nil {
		return nil, err
	}
	all := make([]Lock, 0, len(rows))
	for _, row := range rows {
		plain, err := s.vault.Open(ctx, ticket, lockRef(c, row.pair), row.sealed)
		if err != nil {
			return nil, err
		}
		source, err := netip.ParseAddr(string(plain))
		if err != nil {
			return nil, fmt.Errorf("reading a lock of %s: %w", c.ID, err)
		}
		lock := Lock{Source: source, Until: db.FromMicros(row.until)}
		if err := s.readBan(ctx, &lock); err != nil {
			return nil, err
		}
		all = append(all, lock)
	}
	return all, nil
}

// readBan fills in whether the source of a lock is banned.
func (s *Service) readBan(ctx context.Context, l *Lock) error {
	if s.config.MaxBanScore <= 0 {
		return nil
	}
	source, err := s.digest(ctx, "ban", l.Source.String())
	if err != nil {
		return err
	}
	until, err := db.Select(ctx, s.db, db.One[int64], "SELECT until FROM vpn_ban WHERE source = $1 AND until > $2 AND score >= $3",
		source, db.Micros(s.clock.Now()), int64(s.config.MaxBanScore))
	if len(until) > 0 {
		l.BannedUntil = db.FromMicros(until[0])
	}
	return err
}

// Unlock lifts all locks of a client, and takes what its failures earned their
// sources from these: at once here, and at the node as soon as it hears of it.
// Failures of other accounts from the same source stay counted, and what they
// made of it ends by itself.
func (s *Service) Unlock(ctx context.Context, p account.Principal, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		if err := liftBansTx(ctx, tx, c); err != nil {
			return err
		}
		if err := liftAttemptsTx(ctx, tx, c, now); err != nil {
			return err
		}
		// The next lock is news.
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_told WHERE client = $1 AND kind = $2", c.ID, TopicClientLocked); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE vpn_client SET pardoned_at = $1 WHERE id = $2", db.Micros(now), c.ID); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, c.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.client_unlocked", map[string]string{"client": c.ID})
	})
}

// liftBansTx takes a client's failures from the scores of their sources.
func liftBansTx(ctx context.Context, tx *db.Tx, c SSLClient) error {
	_, err := tx.Exec(ctx, `UPDATE vpn_ban SET score = score - (SELECT h.score FROM vpn_ban_share h WHERE h.source = vpn_ban.source AND h.client = $1)
		WHERE source IN (SELECT source FROM vpn_ban_share WHERE client = $1)`, c.ID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM vpn_ban_share WHERE client = $1", c.ID)
	return err
}

// liftAttemptsTx forgets the tries of a client's pairs, also where they slow
// the source for all accounts of the server.
func liftAttemptsTx(ctx context.Context, tx *db.Tx, c SSLClient, now time.Time) error {
	type tries struct {
		throttle string
		count    int64
	}
	all, err := db.Select(ctx, tx, func(r db.Row) (v tries, err error) { return v, r.Scan(&v.throttle, &v.count) },
		"DELETE FROM vpn_attempt WHERE client = $1 AND until > $2 RETURNING throttle, count", c.ID, db.Micros(now))
	if err != nil {
		return err
	}
	for _, v := range all {
		_, err := tx.Exec(ctx, "UPDATE vpn_attempt SET count = CASE WHEN count > $1 THEN count - $1 ELSE 0 END WHERE origin = $2", v.count, v.throttle)
		if err != nil {
			return err
		}
	}
	return nil
}
