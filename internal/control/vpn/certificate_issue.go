package vpn

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// retireAfter is how long the former certificate of a renewed one still opens:
// time to bring the new one to a machine that nobody sits at.
const retireAfter = 7 * 24 * time.Hour

// Reissue is what a customer asks for when an SSL client is to get a new
// certificate.
type Reissue struct {
	Key    string // of the request; the same key is the same certificate; empty: always another
	CSR    []byte // DER; empty = make a key
	Revoke bool   // the former certificate is revoked at once and its sessions end, instead of after retireAfter
}

// ReissueCertificate gives a client a new certificate under its server's
// built-in CA. The former one still opens for seven days, unless Revoke: then
// the sessions that it opened end within two seconds.
func (s *Service) ReissueCertificate(ctx context.Context, p account.Principal, client string, in Reissue) (SSLClient, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return SSLClient{}, err
	}
	certificate := newID("cert", p.Account, in.Key)
	made, err := certificateFor(ctx, s.db, p.Account, certificate)
	if !errs.IsNotFound(err) {
		return c, same(err, made.Client == c.ID)
	}
	srv, err := serverByID(ctx, s.db, c.Server)
	if err != nil {
		return SSLClient{}, err
	}
	public, sealed, err := s.newClientKey(ctx, c, in.CSR)
	if err != nil {
		return SSLClient{}, err
	}
	now := s.clock.Now()
	leaf, err := s.issueClient(ctx, srv, c.Name, public, now)
	if err != nil {
		return SSLClient{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.retireTx(ctx, tx, c, in.Revoke, now); err != nil {
			return err
		}
		if err := insertIssued(ctx, tx, certificate, c, leaf, now); err != nil {
			return err
		}
		if err := s.certifyClient(ctx, tx, c, leaf, sealed, now); err != nil {
			return err
		}
		if err := endBundleLinkTx(ctx, tx, c.ID); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, c.Gateway); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_reissued", map[string]string{"client": c.ID, "certificate": certificate})
	})
	if err != nil {
		return SSLClient{}, err
	}
	return s.Client(ctx, p.Account, c.ID)
}

// certifyClient writes a client's new certificate. A password whose time is over
// does not wait for the sweep.
func (s *Service) certifyClient(ctx context.Context, tx *db.Tx, c SSLClient, leaf *x509.Certificate, sealed []byte, now time.Time) error {
	until := c.Readable.Key
	if len(sealed) > 0 {
		until = s.secretUntil(now)
	}
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE vpn_client SET serial = $1, certificate = $2, not_after = $3, key_sealed = $4, key_until = $5,
		password_sealed = CASE WHEN password_until <= $6 THEN NULL ELSE password_sealed END, version = version + 1, updated_at = $6 WHERE id = $7 AND version = $8`,
		serialText(leaf.SerialNumber), leaf.Raw, db.Micros(leaf.NotAfter), blob(sealed), db.Micros(until), db.Micros(now), c.ID, c.Version)
}

// retireTx lets the client's present certificate end soon, or revokes it now.
// One that was retiring already makes room at once.
func (s *Service) retireTx(ctx context.Context, tx *db.Tx, c SSLClient, revoke bool, now time.Time) error {
	all, err := issuedTo(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, old := range all {
		if revoke || !old.RetireAt.IsZero() {
			if err := revokeIssued(ctx, tx, old, now); err != nil {
				return err
			}
			continue
		}
		_, err := tx.Exec(ctx, "UPDATE vpn_certificate SET retire_at = $1, version = version + 1, updated_at = $2 WHERE id = $3",
			db.Micros(now.Add(retireAfter)), db.Micros(now), old.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// RevokeCertificate revokes a certificate that was issued to an SSL client:
// the sessions that it opened end within two seconds, and it opens none from
// now on. Doing it twice changes nothing. ErrCertificateNotIssued for an
// uploaded one.
func (s *Service) RevokeCertificate(ctx context.Context, p account.Principal, certificate string) (Certificate, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := certificateFor(ctx, tx, p.Account, certificate)
		if err != nil {
			return err
		}
		if c.Kind != CertificateClient {
			return ErrCertificateNotIssued
		}
		if !c.RevokedAt.IsZero() {
			return nil
		}
		if err := s.revokeTx(ctx, tx, c); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_revoked", map[string]string{"certificate": c.ID, "client": c.Client})
	})
	if err != nil {
		return Certificate{}, err
	}
	return s.Certificate(ctx, p.Account, certificate)
}

// revokeTx revokes and tells the node. The client's version grows, so that a
// login which has just looked at the certificate fails.
func (s *Service) revokeTx(ctx context.Context, tx *db.Tx, c Certificate) error {
	if err := revokeIssued(ctx, tx, c, s.clock.Now()); err != nil {
		return err
	}
	client, err := clientByID(ctx, tx, c.Client)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE vpn_client SET version = version + 1 WHERE id = $1", client.ID); err != nil {
		return err
	}
	_, err = s.fleet.ChangedTx(ctx, tx, client.Gateway)
	return err
}

// retire revokes the certificates whose time after a renewal is over.
func (s *Service) retire(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		due, err := db.Select(ctx, tx, scanCertificate, certificateColumns+" WHERE retire_at > 0 AND retire_at <= $1 AND revoked_at = 0 AND client <> '' ORDER BY id LIMIT 200",
			db.Micros(s.clock.Now()))
		if err != nil {
			return err
		}
		for _, c := range due {
			if err := s.revokeTx(ctx, tx, c); err != nil {
				return err
			}
			if err := s.recordJob(ctx, tx, c.Account, "", "vpn.certificate_revoked", map[string]string{"certificate": c.ID, "client": c.Client}); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertIssued notes what was issued to a client.
func insertIssued(ctx context.Context, tx *db.Tx, id string, c SSLClient, leaf *x509.Certificate, now time.Time) error {
	return insertCertificate(ctx, tx, Certificate{
		ID: id, Account: c.Account, Kind: CertificateClient, Name: c.Name, Server: c.Server, Client: c.ID, Serial: serialText(leaf.SerialNumber),
		Chain: [][]byte{leaf.Raw}, NotAfter: leaf.NotAfter, CreatedAt: now,
	}, string(c.Subject), nil)
}

// forgetIssued revokes everything that was issued to a client that goes, and
// keeps of it what the revocation list needs.
func forgetIssued(ctx context.Context, tx *db.Tx, c SSLClient, now time.Time) error {
	all, err := issuedTo(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := revokeIssued(ctx, tx, one, now); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "UPDATE vpn_certificate SET name = '', client = '', subject = '', chain = NULL WHERE client = $1", c.ID)
	return err
}
