package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// currentVersion returns 0 when nothing is published.
func currentVersion(ctx context.Context, q db.Q) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT COALESCE(max(version), 0) FROM catalog_version")
}

func published(ctx context.Context, q db.Q) (int64, error) {
	v, err := currentVersion(ctx, q)
	if err == nil && v == 0 {
		err = ErrEmpty
	}
	return v, err
}

func insert(ctx context.Context, tx *db.Tx, version int64, f File, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO catalog_version (version, digest, published_at) VALUES ($1, $2, $3)",
		version, f.digest, db.Micros(now))
	if err != nil {
		return fmt.Errorf("publishing catalogue %d: %w", version, err)
	}
	for i, r := range f.Regions {
		_, err := tx.Exec(ctx, "INSERT INTO catalog_region (version, id, location, name_zh, name_en, position) VALUES ($1, $2, $3, $4, $5, $6)",
			version, r.ID, string(r.Location), r.Name["zh-CN"], r.Name["en"], int64(i))
		if err != nil {
			return err
		}
	}
	for i, p := range f.Products {
		_, err := tx.Exec(ctx, "INSERT INTO catalog_product (version, id, name_zh, name_en, max_cycle, position) VALUES ($1, $2, $3, $4, $5, $6)",
			version, p.ID, p.Name["zh-CN"], p.Name["en"], int64(p.MaxCycle), int64(i))
		if err != nil {
			return err
		}
		if err := insertPrices(ctx, tx, version, p); err != nil {
			return fmt.Errorf("publishing prices of %s: %w", p.ID, err)
		}
	}
	return nil
}

func insertPrices(ctx context.Context, tx *db.Tx, version int64, p FileProduct) error {
	for _, price := range p.Prices {
		for _, region := range price.Regions {
			position := int64(0)
			add := func(option, value string, minor Minor) error {
				position++
				_, err := tx.Exec(ctx, `INSERT INTO catalog_price (version, product, region, option_id, option_value, currency, monthly_minor, position)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, version, p.ID, region, option, value, string(price.Currency), int64(minor), position)
				return err
			}
			if err := add("", "", price.Base); err != nil {
				return err
			}
			for _, o := range price.Options {
				for _, v := range o.Values {
					if err := add(o.ID, v.Value, v.Price); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func selectRegions(ctx context.Context, q db.Q, version int64) ([]Region, error) {
	return db.Select(ctx, q, scanRegion,
		"SELECT id, location, name_zh, name_en FROM catalog_region WHERE version = $1 ORDER BY position", version)
}

func getRegion(ctx context.Context, q db.Q, version int64, id string) (Region, error) {
	return db.Get(ctx, q, ErrNoRegion, scanRegion,
		"SELECT id, location, name_zh, name_en FROM catalog_region WHERE version = $1 AND id = $2", version, id)
}

func scanRegion(row db.Row) (r Region, err error) {
	var zh, en string
	err = row.Scan(&r.ID, &r.Location, &zh, &en)
	r.Name = Text{"zh-CN": zh, "en": en}
	return r, err
}

func selectProducts(ctx context.Context, q db.Q, version int64) ([]Product, error) {
	return db.Select(ctx, q, scanProduct,
		"SELECT id, name_zh, name_en, max_cycle FROM catalog_product WHERE version = $1 ORDER BY position", version)
}

func getProduct(ctx context.Context, q db.Q, version int64, id string) (Product, error) {
	return db.Get(ctx, q, ErrNoProduct, scanProduct,
		"SELECT id, name_zh, name_en, max_cycle FROM catalog_product WHERE version = $1 AND id = $2", version, id)
}

func scanProduct(row db.Row) (p Product, err error) {
	var zh, en string
	err = row.Scan(&p.ID, &zh, &en, &p.MaxCycle)
	p.Name = Text{"zh-CN": zh, "en": en}
	return p, err
}

type priceRow struct {
	option, value string
	currency      money.Currency
	minor         int64
}

func prices(ctx context.Context, q db.Q, version int64, p Product, r Region) (PriceList, error) {
	rows, err := db.Select(ctx, q, func(row db.Row) (v priceRow, err error) {
		return v, row.Scan(&v.option, &v.value, &v.currency, &v.minor)
	}, `SELECT option_id, option_value, currency, monthly_minor FROM catalog_price
		WHERE version = $1 AND product = $2 AND region = $3 ORDER BY position`, version, p.ID, r.ID)
	if err != nil {
		return PriceList{}, err
	}
	if len(rows) == 0 {
		return PriceList{}, ErrNotSold
	}
	list := PriceList{Version: version, Product: p.ID, Region: r.ID, Location: r.Location, Currency: rows[0].currency, MaxCycle: p.MaxCycle}
	for _, v := range rows {
		if v.option == "" {
			list.Base = v.minor
			continue
		}
		if n := len(list.Options); n == 0 || list.Options[n-1].ID != v.option {
			list.Options = append(list.Options, Option{ID: v.option})
		}
		last := &list.Options[len(list.Options)-1]
		last.Values = append(last.Values, Value{v.value, v.minor})
	}
	return list, nil
}
