package legalorder

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// The scan and the package have a key each, named after the order, so that the
// one can end before the other.
func scanName(order string) string    { return "legalorder:" + order + ":scan" }
func packageName(order string) string { return "legalorder:" + order + ":package" }

// Orders lists all orders, the newest first.
func (s *Service) Orders(ctx context.Context) ([]Order, error) {
	all, err := db.Select(ctx, s.d.DB, scan, "SELECT "+columns+" FROM legalorder_order ORDER BY id DESC LIMIT 500")
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i], err = with(ctx, s.d.DB, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Order returns one order, or ErrNotFound.
func (s *Service) Order(ctx context.Context, order string) (Order, error) {
	return load(ctx, s.d.DB, order)
}

// Scan opens the document for who has to judge it; the reading is in the log.
func (s *Service) Scan(ctx context.Context, p account.Principal, order string) ([]byte, error) {
	if err := s.opened(ctx, p, order, "legalorder.scan_read"); err != nil {
		return nil, err
	}
	return s.scan(ctx, order)
}

func (s *Service) scan(ctx context.Context, order string) ([]byte, error) {
	sealed, err := s.sealed(ctx, "SELECT scan FROM legalorder_order WHERE id = $1", order)
	if err != nil {
		return nil, err
	}
	return s.d.Vault.OpenSystem(ctx, scanName(order), sealed)
}

// Package returns the file for the authority, which opens with the authority's
// key alone; ErrNoPackage before the execution and after the order's end.
func (s *Service) Package(ctx context.Context, p account.Principal, order string) ([]byte, error) {
	o, err := load(ctx, s.d.DB, order)
	switch {
	case err != nil:
		return nil, err
	case o.State != Executed || !o.live(s.d.Clock.Now()):
		return nil, ErrNoPackage
	}
	if err := s.opened(ctx, p, order, "legalorder.package_read"); err != nil {
		return nil, err
	}
	sealed, err := s.sealed(ctx, "SELECT package FROM legalorder_order WHERE id = $1", order)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 {
		return nil, ErrNoPackage
	}
	return s.d.Vault.OpenSystem(ctx, packageName(order), sealed)
}

func (s *Service) sealed(ctx context.Context, query, order string) ([]byte, error) {
	return db.Get(ctx, s.d.DB, ErrNotFound, db.One[[]byte], query, order)
}

// opened commits that somebody opens a file of the order, before it is opened.
func (s *Service) opened(ctx context.Context, p account.Principal, order, kind string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err := load(ctx, tx, order)
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, kind, p, o)
	})
}

// Purge destroys the packages of orders that have ended. It runs daily; what it
// did not reach is not given out either.
func (s *Service) Purge(ctx context.Context) error {
	over, err := db.Select(ctx, s.d.DB, db.One[string],
		"SELECT id FROM legalorder_order WHERE expires_at <= $1 AND length(package) > 0", db.Micros(s.d.Clock.Now()))
	if err != nil {
		return err
	}
	for _, order := range over {
		if err := s.d.Vault.DestroySystem(ctx, packageName(order)); err != nil {
			return fmt.Errorf("destroying the package of %s: %w", order, err)
		}
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE legalorder_order SET package = $1 WHERE id = $2", []byte{}, order)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
