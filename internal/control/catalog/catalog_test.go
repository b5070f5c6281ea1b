package catalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func newService(d *db.DB) *catalog.Service {
	return catalog.New(catalog.Deps{DB: d, Clock: clock.NewFake(start)})
}

func TestSeedingHappensOnceAndPublishingMakesVersions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := context.Background(), newService(d)
		if _, err := s.Regions(ctx); !errors.Is(err, catalog.ErrEmpty) {
			t.Errorf("before seeding: got %v, want ErrEmpty", err)
		}
		for range 2 {
			if err := s.Seed(ctx, demo(t)); err != nil {
				t.Fatal(err)
			}
		}
		before := current(t, s, d)
		if before.Version != 1 {
			t.Errorf("seeded twice: got version %d, want 1", before.Version)
		}
		dearer := demo(t)
		dearer.Products[0].Prices[1].Base++
		if v, err := s.Publish(ctx, dearer); err != nil || v != 2 {
			t.Fatalf("publishing: got version %d, %v, want 2", v, err)
		}
		if err := s.Seed(ctx, demo(t)); err != nil {
			t.Fatal(err)
		}
		after := current(t, s, d)
		if after.Version != 2 || after.Base != before.Base+1 {
			t.Errorf("got version %d, base %d, want 2, %d", after.Version, after.Base, before.Base+1)
		}
	}, catalog.Migrations())
}

func demo(t *testing.T) catalog.File {
	t.Helper()
	f, err := catalog.Demo()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func current(t *testing.T, s *catalog.Service, q db.Q) catalog.PriceList {
	t.Helper()
	list, err := s.Current(context.Background(), q, catalog.VPNGateway, "hk-1")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheDemoCatalogueOffersWhatItPromises(t *testing.T) {
	t.Parallel()
	ctx, d := context.Background(), dbtest.SQLite(t, catalog.Migrations())
	s := newService(d)
	if err := s.Seed(ctx, demo(t)); err != nil {
		t.Fatal(err)
	}
	products, err := s.Products(ctx)
	if err != nil || len(products) != 1 || products[0].MaxCycle != 36 || len(products[0].Offers) != 2 {
		t.Fatalf("got %+v, %v", products, err)
	}
	want := map[string][]string{
		catalog.OptionSSLBandwidth:   {"5", "10", "20", "50", "100", "200", "500", "1000"},
		catalog.OptionSSLConnections: {"5", "10", "20", "50", "100", "200", "500", "1000"},
	}
	for _, offer := range products[0].Offers {
		got := map[string][]string{}
		for _, o := range offer.Options {
			for _, v := range o.Values {
				got[o.ID] = append(got[o.ID], v.Value)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: options (-want +got):\n%s", offer.Region, diff)
		}
	}
	for region, want := range map[string]bool{"cn-east-1": true, "hk-1": false} {
		if got, err := s.RequiresRealName(ctx, region); err != nil || got != want {
			t.Errorf("%s: got real name %v, %v, want %v", region, got, err, want)
		}
	}
	if got, err := s.RequiresRealName(ctx, "mars-1"); !got || !errors.Is(err, catalog.ErrNoRegion) {
		t.Errorf("an unknown region: got %v, %v, want true and ErrNoRegion", got, err)
	}
}

func TestAPriceNeedsEveryOptionAndNothingElse(t *testing.T) {
	t.Parallel()
	list := catalog.PriceList{Currency: "CNY", Base: 100, MaxCycle: 36, Options: []catalog.Option{
		{ID: "a", Values: []catalog.Value{{Value: "1", Monthly: 10}, {Value: "2", Monthly: 20}}},
		{ID: "b", Values: []catalog.Value{{Value: "1", Monthly: 1}}},
	}}
	cases := []struct {
		options map[string]string
		want    int64
		ok      bool
	}{
		{map[string]string{"a": "1", "b": "1"}, 111, true},
		{map[string]string{"a": "2", "b": "1"}, 121, true},
		{map[string]string{"a": "1"}, 0, false},
		{map[string]string{"a": "3", "b": "1"}, 0, false},
		{map[string]string{"a": "1", "b": "1", "price": "0"}, 0, false},
		{nil, 0, false},
	}
	for _, c := range cases {
		got, err := list.Monthly(c.options)
		if (err == nil) != c.ok || got.Minor != c.want {
			t.Errorf("%v: got %d, %v, want %d, ok %v", c.options, got.Minor, err, c.want, c.ok)
		}
		if err != nil && !errors.Is(err, catalog.ErrOption) {
			t.Errorf("%v: got %v, want ErrOption", c.options, err)
		}
	}
	for months, ok := range map[int]bool{0: false, 1: true, 36: true, 37: false, -1: false} {
		if err := list.CheckCycle(months); (err == nil) != ok {
			t.Errorf("%d months: got %v, want ok %v", months, err, ok)
		}
	}
}

func TestACatalogueFileIsReadStrictly(t *testing.T) {
	t.Parallel()
	good := "regions: [{id: r, location: HK, name: {zh-CN: 甲, en: A}}]\nproducts: [{id: p, name: {zh-CN: 乙, en: B}, max_cycle: 1, prices: [{regions: [r], currency: CNY, base: 1}]}]\n"
	if _, err := catalog.ParseFile([]byte(good)); err != nil {
		t.Fatalf("the model: %v", err)
	}
	for _, swap := range [][2]string{
		{"base: 1", "base: -1"},
		{"base: 1", "base: 1.5"},
		{"base: 1", "discount: 1"},
		{"regions: [r]", "regions: [x]"},
		{"currency: CNY", "currency: XYZ"},
		{"location: HK", "location: US"},
		{"max_cycle: 1", "max_cycle: 0"},
		{"zh-CN: 甲, ", ""},
		{"base: 1", "base: 1, options: [{id: o, values: []}]"},
		{"base: 1", "base: 1, options: [{id: o, values: [{value: x, price: -1}]}]"},
	} {
		if _, err := catalog.ParseFile([]byte(strings.Replace(good, swap[0], swap[1], 1))); !errors.Is(err, catalog.ErrFile) {
			t.Errorf("%q for %q: got %v, want ErrFile", swap[1], swap[0], err)
		}
	}
}
