package api

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Region is a region on the wire.
type Region struct {
	ID               string `json:"id" example:"cn-east-1"`
	Name             string `json:"name" doc:"In the caller's language"`
	Location         string `json:"location" enum:"CN-mainland,HK"`
	RequiresRealName bool   `json:"requires_real_name" doc:"Ordering here needs a verified identity"`
}

// Product is a product on the wire.
type Product struct {
	ID       string  `json:"id" example:"vpn-gateway"`
	Name     string  `json:"name"`
	MaxCycle int     `json:"max_cycle" doc:"Longest subscription in months"`
	Offers   []Offer `json:"offers" nullable:"false"`
}

// Offer is what a product costs a month in one region.
type Offer struct {
	Region           string        `json:"region"`
	CatalogueVersion int64         `json:"catalogue_version"`
	Base             Money         `json:"base"`
	Options          []OfferOption `json:"options" nullable:"false"`
}

// OfferOption is a choice to make.
type OfferOption struct {
	ID     string       `json:"id" example:"ssl_bandwidth"`
	Values []OfferValue `json:"values" nullable:"false"`
}

// OfferValue is one choice.
type OfferValue struct {
	Value   string `json:"value" example:"100"`
	Monthly Money  `json:"monthly"`
}

// Catalog registers the operations of the catalogue.
func Catalog(a *API, s *catalog.Service) {
	Get(a, "/regions", Operation{ID: "list-regions", Summary: "Regions in which products are sold", Tag: "Catalogue", Access: Public},
		func(ctx context.Context, _ *struct{}) (*Body[List[Region]], error) {
			all, err := s.Regions(ctx)
			if err != nil {
				return nil, err
			}
			return &Body[List[Region]]{List[Region]{Items: Items(all, toRegion(language(ctx)))}}, nil
		})
	Get(a, "/products", Operation{ID: "list-products", Summary: "Products and their prices", Tag: "Catalogue", Access: Public},
		func(ctx context.Context, _ *struct{}) (*Body[List[Product]], error) {
			all, err := s.Products(ctx)
			if err != nil {
				return nil, err
			}
			return &Body[List[Product]]{List[Product]{Items: Items(all, toProduct(language(ctx)))}}, nil
		})
}

func language(ctx context.Context) string { return string(request.From(ctx).Language) }

func toRegion(lang string) func(catalog.Region) Region {
	return func(r catalog.Region) Region {
		return Region{ID: r.ID, Name: r.Name[lang], Location: string(r.Location), RequiresRealName: r.RequiresRealName()}
	}
}

func toProduct(lang string) func(catalog.Product) Product {
	return func(p catalog.Product) Product {
		return Product{ID: p.ID, Name: p.Name[lang], MaxCycle: p.MaxCycle, Offers: Items(p.Offers, toOffer)}
	}
}

func toOffer(l catalog.PriceList) Offer {
	value := func(v catalog.Value) OfferValue {
		return OfferValue{v.Value, toMoney(money.New(v.Monthly, l.Currency))}
	}
	return Offer{
		Region: l.Region, CatalogueVersion: l.Version, Base: toMoney(money.New(l.Base, l.Currency)),
		Options: Items(l.Options, func(o catalog.Option) OfferOption { return OfferOption{o.ID, Items(o.Values, value)} }),
	}
}
