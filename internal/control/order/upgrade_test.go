package order_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

const gateway = "vpngw-one"

// bought is a gateway of 5 Mbit/s and 5 connections in Hong Kong for a month of
// 30 days (354.00), delivered now.
func bought(t *testing.T, s *ordertest.Shop, p account.Principal) {
	t.Helper()
	o := s.Place(p)
	if err := s.DB.InTx(bg, func(tx *db.Tx) error {
		if _, err := s.Orders.MarkPaidTx(bg, tx, o.ID, order.Receipt{ID: "rcp_1", Amount: o.Total, At: s.Clock.Now()}); err != nil {
			return err
		}
		return s.Orders.MarkFulfilledTx(bg, tx, o.ID, o.Lines[0].ID, "svc_one", "")
	}); err != nil {
		t.Fatal(err)
	}
	s.Has[gateway] = service.Item{
		ID: "svc_one", Account: p.Account, Order: o.ID, Line: o.Lines[0].ID, Product: catalog.VPNGateway, Region: "hk-1", Months: 1,
		Options: o.Lines[0].Options, Resource: gateway, State: service.Active,
		DeliveredAt: ordertest.Start, PaidThrough: ordertest.Start.AddDate(0, 0, 30),
	}
}

func upgrade(p account.Principal, bandwidth string) order.QuoteRequest {
	return order.QuoteRequest{
		Kind: order.KindUpgrade, Owner: p.Account, Resource: gateway, Options: map[string]string{catalog.OptionSSLBandwidth: bandwidth},
	}
}

func placeUpgrade(s *ordertest.Shop, p account.Principal, bandwidth string) (order.Order, error) {
	r := s.PlaceRequest(upgrade(p, bandwidth))
	r.Configuration, r.Owner = nil, ""
	return s.Orders.Place(bg, p, r)
}

// pay pays an order and has it delivered.
func pay(t *testing.T, s *ordertest.Shop, o order.Order) {
	t.Helper()
	err := s.DB.InTx(bg, func(tx *db.Tx) error {
		if o.State == order.PendingPayment {
			if _, err := s.Orders.MarkPaidTx(bg, tx, o.ID, order.Receipt{ID: "rcp_" + o.ID, Amount: o.Total, At: s.Clock.Now()}); err != nil {
				return err
			}
		}
		return s.Orders.MarkFulfilledTx(bg, tx, o.ID, o.Lines[0].ID, o.Lines[0].Service, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	item := s.Has[gateway]
	item.Options = o.Lines[0].Options
	s.Has[gateway] = item
}

func TestAnUpgradeIsPricedForTheRestOfThePeriod(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		name           string
		after          time.Duration
		bandwidth      string
		charge, credit int64
	}{
		{"at once", 0, "10", 50400, 35400},                      // 129 + 300 + 75 and 129 + 150 + 75
		{"half way", 15 * day, "10", 25200, 17700},              // exact
		{"the last second", 30*day - time.Second, "1000", 1, 0}, // 3020400 and 35400 / 2592000 = 1.165, 0.01
		{"the same again", day, "5", 0, 0},
		{"a third", 20 * day, "20", 26800, 11800},
	} {
		s, p := shop(t), ordertest.Customer()
		bought(t, s, p)
		s.Clock.Advance(c.after)
		q, err := s.Orders.Quote(bg, upgrade(p, c.bandwidth))
		if c.bandwidth == "5" {
			if !errors.Is(err, order.ErrNoChange) {
				t.Errorf("the same again: got %v", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		items := q.Lines[0].Items
		if items[0].Amount.Minor != c.charge || items[1].Amount.Minor != -c.credit || q.Total != money.New(c.charge-c.credit, money.CNY) {
			t.Errorf("%s: got %v less %v, total %v, want %d less %d", c.name, items[0].Amount, items[1].Amount, q.Total, c.charge, c.credit)
		}
		if !q.Rest.From.Equal(s.Clock.Now()) || !q.Rest.Until.Equal(ordertest.Start.Add(30*day)) {
			t.Errorf("%s: for %v to %v", c.name, q.Rest.From, q.Rest.Until)
		}
	}
}

func TestUpgradesInStepsCostWhatOneCosts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		bought(t, s, p)
		s.Clock.Advance(10 * 24 * time.Hour)
		one, err := s.Orders.Quote(bg, upgrade(p, "100"))
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, step := range []string{"10", "20", "100"} {
			o, err := placeUpgrade(s, p, step)
			if err != nil {
				t.Fatal(err)
			}
			pay(t, s, o)
			if got := s.Order(o.ID); got.State != order.Completed || got.Lines[0].Resource != gateway || got.Lines[0].Service != "svc_one" {
				t.Errorf("step %s: got %+v", step, got)
			}
			sum += o.Total.Minor
		}
		if sum != one.Total.Minor {
			t.Errorf("in steps: got %d, want %d", sum, one.Total.Minor)
		}
		// Later the rest of what all of them paid is credit.
		s.Clock.Advance(10 * 24 * time.Hour)
		q, err := s.Orders.Quote(bg, upgrade(p, "200"))
		if want := int64(12900+300000+7500) / 3; err != nil || q.Lines[0].Items[1].Amount.Minor != -want {
			t.Errorf("credit: got %v, %v, want -%d", q.Lines, err, want)
		}
	})
}

func TestWhatIsNoUpgradeIsRefused(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	bought(t, s, p)
	item := s.Has[gateway]
	for _, c := range []struct {
		name   string
		change func(*order.QuoteRequest, *service.Item)
		want   error
	}{
		{"less", func(_ *order.QuoteRequest, i *service.Item) {
			i.Options = map[string]string{"ssl_bandwidth": "20", "ssl_connections": "5"}
		}, order.ErrDowngrade},
		{"less of the other", func(r *order.QuoteRequest, i *service.Item) {
			r.Options["ssl_connections"] = "5"
			i.Options = map[string]string{"ssl_bandwidth": "5", "ssl_connections": "10"}
		}, order.ErrDowngrade},
		{"another's", func(r *order.QuoteRequest, _ *service.Item) { r.Owner = "acc_other" }, service.ErrNotFound},
		{"nobody's", func(r *order.QuoteRequest, _ *service.Item) { r.Owner = "" }, service.ErrNotFound},
		{"a value that is not sold", func(r *order.QuoteRequest, _ *service.Item) { r.Options["ssl_bandwidth"] = "11" }, catalog.ErrOption},
		{"no number", func(r *order.QuoteRequest, _ *service.Item) { r.Options["ssl_bandwidth"] = "ten" }, catalog.ErrOption},
		{"a price among the options", func(r *order.QuoteRequest, _ *service.Item) { r.Options["price"] = "0" }, catalog.ErrOption},
		{"suspended", func(_ *order.QuoteRequest, i *service.Item) { i.State = service.Suspended }, order.ErrNotRunning},
		{"overdue", func(_ *order.QuoteRequest, i *service.Item) { i.PaidThrough = ordertest.Start }, order.ErrNotRunning},
	} {
		r, i := upgrade(p, "10"), item
		c.change(&r, &i)
		s.Has[gateway] = i
		if _, err := s.Orders.Quote(bg, r); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestAnUpgradeOfAnotherAccountIsNotPlaced(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	bought(t, s, p)
	r := s.PlaceRequest(upgrade(p, "10")) // with the owner's name in it
	r.Configuration = nil
	if _, err := s.Orders.Place(bg, ordertest.Customer(), r); !errors.Is(err, service.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	s.Goods.Refused = gateway
	if _, err := s.Orders.Place(bg, p, r); !errors.Is(err, ordertest.ErrName) {
		t.Errorf("what the provider refuses: got %v", err)
	}
}

func TestOneUpgradeOfAServiceAtATime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		bought(t, s, p)
		var wg sync.WaitGroup
		results := make([]error, 4)
		orders := make([]order.Order, len(results))
		for i := range results {
			wg.Go(func() { orders[i], results[i] = placeUpgrade(s, p, "10") })
		}
		wg.Wait()
		var placed []order.Order
		for i, err := range results {
			switch {
			case err == nil:
				placed = append(placed, orders[i])
			case !errors.Is(err, order.ErrUpgradePending):
				t.Errorf("got %v", err)
			}
		}
		if len(placed) != 1 {
			t.Fatalf("%d were placed, want 1", len(placed))
		}
		if _, err := s.Orders.Cancel(bg, p, placed[0].ID); err != nil {
			t.Fatal(err)
		}
		o, err := placeUpgrade(s, p, "10")
		if err != nil {
			t.Fatalf("after the cancellation: %v", err)
		}
		pay(t, s, o)
		if _, err := placeUpgrade(s, p, "20"); err != nil {
			t.Errorf("after the delivery: %v", err)
		}
	})
}
