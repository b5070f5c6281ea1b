package vpn

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Lock is a source from which a client may not sign in for a while.
type Lock struct {
	Source netip.Addr // an IPv6 source stands for its /64
	Until  time.Time
}

// lockRef names the sealed source of a lock, a digest of which is the row's key.
func lockRef(c SSLClient, pair string) vault.Ref {
	return vault.Ref{Table: "vpn_attempt", Column: "source_sealed", Row: pair, Subject: c.Subject, Class: retentionClass}
}

// noteLock keeps whose lock it is and from where, once a pair of account and
// source is locked, so that it can be shown and lifted. Below that nothing but
// the digest is kept.
func (l login) noteLock(ctx context.Context, c SSLClient, o origin) error {
	sealed, err := l.s.vault.Seal(ctx, lockRef(c, o.pair), []byte(sourceText(l.request.SourceIP)))
	if err != nil {
		return err
	}
	return l.s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE vpn_attempt SET client = $1, source_sealed = $2 WHERE origin = $3", c.ID, sealed, o.pair)
		return err
	})
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
		"SELECT origin, source_sealed, until FROM vpn_attempt WHERE client = $1 AND until > $2 AND count >= $3 ORDER BY until, origin",
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
		all = append(all, Lock{source, db.FromMicros(row.until)})
	}
	return all, nil
}

// Unlock lifts all locks of a client. Failures of other accounts from the same
// source stay counted.
func (s *Service) Unlock(ctx context.Context, p account.Principal, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM vpn_attempt WHERE client = $1", c.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.client_unlocked", map[string]string{"client": c.ID})
	})
}
