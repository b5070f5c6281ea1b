package catalog

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's tables.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "catalog", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
}

// Service answers what is sold and for how much.
type Service struct{ d Deps }

// New returns the module.
func New(d Deps) *Service { return &Service{d} }

// Seed publishes f as version 1 where nothing has been published yet; else it
// does nothing, because prices belong to the operator once there are any.
func (s *Service) Seed(ctx context.Context, f File) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := currentVersion(ctx, tx)
		if err != nil || v > 0 {
			return err
		}
		return insert(ctx, tx, 1, f, s.d.Clock.Now())
	})
}

// Publish makes f the current catalogue and returns its version. Open quotes
// become stale; placed orders keep their prices.
func (s *Service) Publish(ctx context.Context, f File) (int64, error) {
	var version int64
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := currentVersion(ctx, tx)
		if err != nil {
			return err
		}
		version = v + 1
		return insert(ctx, tx, version, f, s.d.Clock.Now())
	})
	return version, err
}

// Regions returns the regions of the current catalogue in their order.
func (s *Service) Regions(ctx context.Context) ([]Region, error) {
	v, err := published(ctx, s.d.DB)
	if err != nil {
		return nil, err
	}
	return selectRegions(ctx, s.d.DB, v)
}

// Region returns one region of the current catalogue; ErrNoRegion.
func (s *Service) Region(ctx context.Context, id string) (Region, error) {
	all, err := s.Regions(ctx)
	if err != nil {
		return Region{}, err
	}
	for _, r := range all {
		if r.ID == id {
			return r, nil
		}
	}
	return Region{}, ErrNoRegion
}

// Products returns the current catalogue's products with their prices.
func (s *Service) Products(ctx context.Context) ([]Product, error) {
	v, err := published(ctx, s.d.DB)
	if err != nil {
		return nil, err
	}
	all, err := selectProducts(ctx, s.d.DB, v)
	if err != nil {
		return nil, err
	}
	regions, err := selectRegions(ctx, s.d.DB, v)
	if err != nil {
		return nil, err
	}
	for i := range all {
		for _, r := range regions {
			list, err := prices(ctx, s.d.DB, v, all[i], r)
			if errors.Is(err, ErrNotSold) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all[i].Offers = append(all[i].Offers, list)
		}
	}
	return all, nil
}

// Current returns the current price list of a product in a region, read by q:
// a transaction that places an order reads in itself. ErrNoRegion,
// ErrNoProduct, ErrNotSold.
func (s *Service) Current(ctx context.Context, q db.Q, product, region string) (PriceList, error) {
	v, err := published(ctx, q)
	if err != nil {
		return PriceList{}, err
	}
	r, err := getRegion(ctx, q, v, region)
	if err != nil {
		return PriceList{}, err
	}
	p, err := getProduct(ctx, q, v, product)
	if err != nil {
		return PriceList{}, err
	}
	return prices(ctx, q, v, p, r)
}

// NamesIn returns the names of a product and a region as a version called them,
// read by q: what an old order bought has the name that it was bought by.
func (s *Service) NamesIn(ctx context.Context, q db.Q, version int64, product, region string) (productName, regionName Text, err error) {
	p, err := getProduct(ctx, q, version, product)
	if err != nil {
		return nil, nil, err
	}
	r, err := getRegion(ctx, q, version, region)
	return p.Name, r.Name, err
}

// RequiresRealName reports whether using a region needs a verified identity;
// ErrNoRegion for one that is not sold now.
func (s *Service) RequiresRealName(ctx context.Context, region string) (bool, error) {
	r, err := s.Region(ctx, region)
	if err != nil {
		return true, err
	}
	return r.RequiresRealName(), nil
}
