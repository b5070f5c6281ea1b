// Package catalog is what is for sale: regions, products, their options and
// versioned prices.
//
// A catalogue is published whole under the next version number and never
// changed afterwards; an edit is another version. Orders name the version that
// they were priced with, so an old order can always be explained. Files only
// seed the first version.
//
// It is not for what a purchase costs after discounts (order), nor for what was
// bought (service).
//
//	demo.yaml ── Seed (empty table only) ──┐
//	staff edit ── Publish ─────────────────┴─▶ version n+1, read by Current
//
// Invariants: rows are inserted, never updated or deleted; the highest version
// is the current one; every option of a product in a region has at least one
// value; prices are not negative.
package catalog

import (
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// VPNGateway is the product that the first catalogue sells.
const VPNGateway = "vpn-gateway"

// Options of VPNGateway: Mbit/s, and clients connected at once. A list that sells
// gateways without the service has the value Without of
// both.
const (
	OptionSSLBandwidth   = "ssl_bandwidth"
	OptionSSLConnections = "ssl_connections"
)

// Without is the value of the options of a service that is not bought.
const Without = "0"

// Services of VPNGateway. Each is two options: SERVICE_bandwidth and
// SERVICE_connections. Which are sold is said by the price list.
const (
	ServiceSSL   = "ssl"
	ServiceIPsec = "ipsec"
)

// Errors.
var (
	ErrNoRegion  = errs.New(errs.NotFound, "catalog.region_not_found")
	ErrNoProduct = errs.New(errs.NotFound, "catalog.product_not_found")
	ErrNotSold   = errs.New(errs.Unprocessable, "catalog.not_sold_in_region")
	ErrOption    = errs.New(errs.Unprocessable, "catalog.option_invalid")
	ErrCycle     = errs.New(errs.Unprocessable, "catalog.cycle_invalid")
	ErrEmpty     = errs.New(errs.Unavailable, "catalog.empty")
	ErrFile      = errs.New(errs.Invalid, "catalog.file_invalid")
)

// Location is the jurisdiction in which a region's machines stand. It is the
// place of a product: not that of a data store, nor that of one gateway node.
type Location string

// Locations.
const (
	Mainland Location = "CN-mainland"
	HongKong Location = "HK"
)

// RequiresRealName reports whether using machines at the location needs a
// verified identity first (platform policy LT-1.1b; CSL 26).
func (l Location) RequiresRealName() bool { return l != HongKong }

// Text is a text by language tag: "zh-CN" and "en".
type Text map[string]string

// Region is a place in which products are sold.
type Region struct {
	ID       string
	Location Location
	Name     Text
}

// RequiresRealName is Location.RequiresRealName.
func (r Region) RequiresRealName() bool { return r.Location.RequiresRealName() }

// Product is something sold by the month.
type Product struct {
	ID       string
	Name     Text
	MaxCycle int         // months, at least 1
	Offers   []PriceList // one for each region in which it is sold
}

// PriceList is what a product costs in one region.
type PriceList struct {
	Version  int64
	Product  string
	Region   string
	Location Location
	Currency money.Currency
	Base     int64 // minor units a month
	MaxCycle int
	Options  []Option
}

// Option is a choice that the buyer has to make.
type Option struct {
	ID     string
	Values []Value
}

// Value is one choice and what it adds to the price of a month.
type Value struct {
	Value   string
	Monthly int64 // minor units
}

// Item is one part of a price.
type Item struct {
	Option  string // empty for the base price
	Value   string
	Monthly money.Money
}

// Items returns the parts of the price of one month. Every option must be
// chosen once, and nothing else: ErrOption.
func (p PriceList) Items(options map[string]string) ([]Item, error) {
	items := []Item{{Monthly: money.New(p.Base, p.Currency)}}
	for _, o := range p.Options {
		i := slices.IndexFunc(o.Values, func(v Value) bool { return v.Value == options[o.ID] })
		if i < 0 {
			return nil, ErrOption.With("option", o.ID)
		}
		items = append(items, Item{o.ID, o.Values[i].Value, money.New(o.Values[i].Monthly, p.Currency)})
	}
	if len(options) != len(p.Options) {
		return nil, ErrOption.With("option", "?")
	}
	return items, nil
}

// Monthly returns the price of one month with the given options.
func (p PriceList) Monthly(options map[string]string) (money.Money, error) {
	items, err := p.Items(options)
	sum := money.New(0, p.Currency)
	for _, i := range items {
		if sum, err = sum.Add(i.Monthly); err != nil {
			return money.Money{}, err
		}
	}
	return sum, err
}

// Has reports whether the list has an option.
func (p PriceList) Has(option string) bool {
	return slices.ContainsFunc(p.Options, func(o Option) bool { return o.ID == option })
}

// CheckCycle returns ErrCycle unless months is 1..MaxCycle.
func (p PriceList) CheckCycle(months int) error {
	if months < 1 || months > p.MaxCycle {
		return ErrCycle.With("max", p.MaxCycle)
	}
	return nil
}
