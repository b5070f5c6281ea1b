package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// How long a link to a bundle is good for, unless it is made for less or more,
// and the most.
const (
	BundleLinkLife    = 24 * time.Hour
	BundleLinkLongest = 72 * time.Hour
)

// BundleLinkPath is the console's page that a link leads to.
const BundleLinkPath = "/bundle"

// BundleLink is a link by which the person behind a client, who has no account,
// fetches the client's bundle once (docs/decisions/0020-enrolment-links.md).
type BundleLink struct {
	URL   string    // told when it is made only; as Invitation.URL
	Until time.Time // zero where there is none
	Key   time.Time // until when the bundle has the private key in it
}

// InviteBundle makes a link to a client's bundle, in place of one of before.
// life is BundleLinkLife if 0. Another password, another token, another
// certificate, disabling and deleting the client end it.
func (s *Service) InviteBundle(ctx context.Context, p account.Principal, client string, life time.Duration) (BundleLink, error) {
	if life == 0 {
		life = BundleLinkLife
	}
	if life < time.Hour || life > BundleLinkLongest {
		return BundleLink{}, ErrBundleLinkLife
	}
	token := id.Random(32)
	hash, err := s.digest(ctx, "bundle", token)
	if err != nil {
		return BundleLink{}, err
	}
	link := BundleLink{URL: s.config.URL + BundleLinkPath + "#token=" + token, Until: s.clock.Now().Add(life)}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		link.Key = c.Readable.Key
		_, err = tx.Exec(ctx, `INSERT INTO vpn_bundle_link (client, token_hash, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (client) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
			c.ID, hash, db.Micros(link.Until))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.bundle_link_made", map[string]string{"client": c.ID})
	})
	if err != nil {
		return BundleLink{}, err
	}
	return link, nil
}

// OpenBundleLink is the link of a client that may still be used, without its
// URL; its Until is zero where there is none.
func (s *Service) OpenBundleLink(ctx context.Context, owner account.ID, client string) (BundleLink, error) {
	c, err := clientFor(ctx, s.db, owner, client)
	if err != nil {
		return BundleLink{}, err
	}
	link := BundleLink{Key: c.Readable.Key}
	until, err := db.Get(ctx, s.db, ErrBundleLink, db.One[int64],
		"SELECT expires_at FROM vpn_bundle_link WHERE client = $1 AND expires_at > $2", c.ID, db.Micros(s.clock.Now()))
	if err == nil {
		link.Until = db.FromMicros(until)
	}
	if errs.IsNotFound(err) {
		err = nil
	}
	return link, err
}

// RevokeBundleLink ends the link of a client, if it has one.
func (s *Service) RevokeBundleLink(ctx context.Context, p account.Principal, client string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "DELETE FROM vpn_bundle_link WHERE client = $1", c.ID)
		if err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, p, "vpn.bundle_link_revoked", map[string]string{"client": c.ID})
	})
}

// FetchBundle is Bundle for whoever holds a link, which is used up by it: of
// two that ask at once, one gets the bundle.
func (s *Service) FetchBundle(ctx context.Context, token string) (Bundle, error) {
	hash, err := s.digest(ctx, "bundle", token)
	if err != nil {
		return Bundle{}, err
	}
	now := s.clock.Now()
	client, err := db.Get(ctx, s.db, ErrBundleLink, db.One[string],
		"SELECT client FROM vpn_bundle_link WHERE token_hash = $1 AND expires_at > $2", hash, db.Micros(now))
	if err != nil {
		return Bundle{}, err
	}
	c, err := clientByID(ctx, s.db, client)
	if err != nil {
		return Bundle{}, err
	}
	if !c.able(now) {
		return Bundle{}, ErrBundleLink
	}
	out, err := s.bundleOf(ctx, vault.Reader{Class: vault.System, Session: "vpn.bundle"}, c)
	if err != nil {
		return Bundle{}, err
	}
	return out, s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.ExecOne(ctx, ErrBundleLink, "DELETE FROM vpn_bundle_link WHERE token_hash = $1", hash); err != nil {
			return err
		}
		return s.record(ctx, tx, account.Principal{Account: c.Account, Subject: c.Subject}, "vpn.bundle_fetched", map[string]string{"client": c.ID})
	})
}

// endLinksTx ends the links of a client, if it has any.
func endLinksTx(ctx context.Context, tx *db.Tx, client string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_enrolment WHERE client = $1", client); err != nil {
		return err
	}
	return endBundleLinkTx(ctx, tx, client)
}

func endBundleLinkTx(ctx context.Context, tx *db.Tx, client string) error {
	_, err := tx.Exec(ctx, "DELETE FROM vpn_bundle_link WHERE client = $1", client)
	return err
}
