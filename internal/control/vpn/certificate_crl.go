package vpn

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Times of revocation lists. A list is made anew when something was revoked,
// and daily, long before it ends: who fetches it seldom still has a valid one.
const (
	crlLife  = 7 * 24 * time.Hour
	crlFresh = 24 * time.Hour
)

// RevocationList is what an SSL server's CA has revoked, signed by it.
type RevocationList struct {
	DER        []byte // RFC 5280 section 5
	Number     int64
	ThisUpdate time.Time
	NextUpdate time.Time
}

type crlRow struct {
	RevocationList
	revision, madeFor int64 // madeFor: the revision that DER holds
}

// CRL returns the revocation list of a server's CA. It is public: whoever
// holds a certificate of that CA is told in it where to ask.
func (s *Service) CRL(ctx context.Context, server string) (RevocationList, error) {
	srv, err := serverByID(ctx, s.db, server)
	if err != nil {
		return RevocationList{}, err
	}
	now := s.clock.Now()
	row, err := crlOf(ctx, s.db, server)
	if err != nil || row.fresh(now) {
		return row.RevocationList, err
	}
	// The revision was read before what is revoked: a revocation in between is
	// in this list, and makes it anew once more.
	next, err := s.makeCRL(ctx, srv, row.Number+1, now)
	if err != nil {
		return RevocationList{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error { return keepCRL(ctx, tx, server, row.revision, next) })
	return next, err
}

func (r crlRow) fresh(now time.Time) bool {
	return len(r.DER) > 0 && r.madeFor == r.revision && now.Before(r.ThisUpdate.Add(crlFresh))
}

func (s *Service) makeCRL(ctx context.Context, srv SSLServer, number int64, now time.Time) (RevocationList, error) {
	gone, err := db.Select(ctx, s.db, scanRevoked, "SELECT serial, revoked_at FROM vpn_revoked WHERE server = $1 AND not_after > $2 ORDER BY serial",
		srv.ID, db.Micros(now))
	if err != nil {
		return RevocationList{}, err
	}
	ca, key, err := s.signer(ctx, srv.ID, srv.CA)
	if err != nil {
		return RevocationList{}, err
	}
	r := RevocationList{Number: number, ThisUpdate: now.Truncate(time.Second), NextUpdate: now.Add(crlLife).Truncate(time.Second)}
	r.DER, err = x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate, RevokedCertificateEntries: gone,
	}, ca, key)
	if err != nil {
		return RevocationList{}, fmt.Errorf("signing the revocation list of %s: %w", srv.ID, err)
	}
	return r, nil
}

func scanRevoked(r db.Row) (e x509.RevocationListEntry, err error) {
	var serial string
	var at int64
	if err := r.Scan(&serial, &at); err != nil {
		return e, err
	}
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		return e, fmt.Errorf("serial %q is no number", serial)
	}
	return x509.RevocationListEntry{SerialNumber: n, RevocationTime: db.FromMicros(at)}, nil
}

// crlOf returns the kept list, an empty one if none was made yet.
func crlOf(ctx context.Context, q db.Q, server string) (crlRow, error) {
	all, err := db.Select(ctx, q, func(r db.Row) (c crlRow, err error) {
		var this, next int64
		err = r.Scan(&c.revision, &c.madeFor, &c.Number, &c.DER, &this, &next)
		c.ThisUpdate, c.NextUpdate = db.FromMicros(this), db.FromMicros(next)
		return c, err
	}, "SELECT revision, made_for, number, der, this_update, next_update FROM vpn_crl WHERE server = $1", server)
	if err != nil || len(all) == 0 {
		return crlRow{}, err
	}
	return all[0], nil
}

// keepCRL keeps a list unless another process has kept one meanwhile: the
// next to ask gets that one, or a newer.
func keepCRL(ctx context.Context, tx *db.Tx, server string, revision int64, r RevocationList) error {
	_, err := tx.Exec(ctx, `INSERT INTO vpn_crl (server, revision, made_for, number, der, this_update, next_update) VALUES ($1, $2, $2, $3, $4, $5, $6)
		ON CONFLICT (server) DO UPDATE SET made_for = excluded.made_for, number = excluded.number, der = excluded.der,
			this_update = excluded.this_update, next_update = excluded.next_update
		WHERE vpn_crl.number < excluded.number`,
		server, revision, r.Number, r.DER, db.Micros(r.ThisUpdate), db.Micros(r.NextUpdate))
	return err
}

// staleCRL has the list of a server made anew when it is next asked for.
func staleCRL(ctx context.Context, tx *db.Tx, server string) error {
	_, err := tx.Exec(ctx, `INSERT INTO vpn_crl (server, revision, made_for, number, der, this_update, next_update) VALUES ($1, 1, 0, 0, NULL, 0, 0)
		ON CONFLICT (server) DO UPDATE SET revision = vpn_crl.revision + 1`, server)
	return err
}

// distributionPoint is where a server's list is, for the certificates that its
// CA issues; nothing while the installation's address is not known.
func (s *Service) distributionPoint(server string) []string {
	if s.config.URL == "" {
		return nil
	}
	return []string{s.config.URL + CRLPath(server)}
}

// CRLPath is where the web server answers for a server's list.
func CRLPath(server string) string { return "/crl/" + server + ".crl" }
