package order_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func each(t *testing.T, fn func(t *testing.T, s *ordertest.Shop)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, ordertest.New(t, d)) }, ordertest.Sets()...)
}

func shop(t *testing.T) *ordertest.Shop {
	return ordertest.New(t, dbtest.SQLite(t, ordertest.Sets()...))
}

var bg = context.Background()

func TestAQuoteIsTheSumOfItsParts(t *testing.T) {
	t.Parallel()
	s := shop(t)
	r := ordertest.Request("hk-1")
	r.Cycle, r.Count = 3, 2
	q, err := s.Orders.Quote(bg, r)
	if err != nil {
		t.Fatal(err)
	}
	// 129.00 + 150.00 + 75.00 a month, three months, two of them.
	if q.Total != money.New((12900+15000+7500)*3*2, money.CNY) || len(q.Lines) != 2 {
		t.Errorf("got %v in %d lines", q.Total, len(q.Lines))
	}
	want := []order.QuoteItem{
		{Amount: money.New(38700, money.CNY)},
		{Option: "ssl_bandwidth", Value: "5", Amount: money.New(45000, money.CNY)},
		{Option: "ssl_connections", Value: "5", Amount: money.New(22500, money.CNY)},
	}
	if diff := cmp.Diff(want, q.Lines[1].Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if !q.ExpiresAt.Equal(ordertest.Start.Add(order.QuoteLife)) {
		t.Errorf("expires at %v", q.ExpiresAt)
	}
}

func TestWhatIsNotSoldIsNotQuoted(t *testing.T) {
	t.Parallel()
	s := shop(t)
	cases := []struct {
		name   string
		change func(*order.QuoteRequest)
		want   error
	}{
		{"kind", func(r *order.QuoteRequest) { r.Kind = "gift" }, order.ErrKind},
		{"no kind", func(r *order.QuoteRequest) { r.Kind = "" }, order.ErrKind},
		{"product", func(r *order.QuoteRequest) { r.Product = "moon" }, catalog.ErrNoProduct},
		{"region", func(r *order.QuoteRequest) { r.Region = "mars-1" }, catalog.ErrNoRegion},
		{"no option", func(r *order.QuoteRequest) { r.Options = nil }, catalog.ErrOption},
		{"a price among the options", func(r *order.QuoteRequest) { r.Options["price"] = "0" }, catalog.ErrOption},
		{"value", func(r *order.QuoteRequest) { r.Options["ssl_bandwidth"] = "-5" }, catalog.ErrOption},
		{"cycle 0", func(r *order.QuoteRequest) { r.Cycle = 0 }, catalog.ErrCycle},
		{"cycle -1", func(r *order.QuoteRequest) { r.Cycle = -1 }, catalog.ErrCycle},
		{"cycle 37", func(r *order.QuoteRequest) { r.Cycle = 37 }, catalog.ErrCycle},
		{"count 0", func(r *order.QuoteRequest) { r.Count = 0 }, order.ErrCount},
		{"count -1", func(r *order.QuoteRequest) { r.Count = -1 }, order.ErrCount},
		{"count 11", func(r *order.QuoteRequest) { r.Count = 11 }, order.ErrCount},
	}
	for _, c := range cases {
		r := ordertest.Request("hk-1")
		c.change(&r)
		if _, err := s.Orders.Quote(bg, r); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestPlacingKeepsWhatWasChosen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		r := s.PlaceRequest(func() order.QuoteRequest { r := ordertest.Request("hk-1"); r.Count = 2; return r }())
		o, err := s.Orders.Place(bg, p, r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Orders.Get(bg, p.Account, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, again); diff != "" {
			t.Errorf("read back (-placed +read):\n%s", diff)
		}
		if again.State != order.PendingPayment || again.Total.Minor != 2*35400 || again.Catalogue != 1 || len(again.Lines) != 2 {
			t.Errorf("got %+v", again)
		}
		want := map[string]string{"name": "office-2", "network": "net-1"}
		if diff := cmp.Diff(want, again.Lines[1].Configuration); diff != "" {
			t.Errorf("configuration of the second line (-want +got):\n%s", diff)
		}
		if s.Log.Count("order.placed") != 1 {
			t.Errorf("got %d leaves, want 1", s.Log.Count("order.placed"))
		}
	})
}

func TestAStaleQuoteIsAnsweredWithTheNewOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		r := s.PlaceRequest(ordertest.Request("hk-1"))
		dearer := ordertest.Demo(t)
		dearer.Products[0].Prices[1].Base += 100
		if _, err := s.Catalog.Publish(bg, dearer); err != nil {
			t.Fatal(err)
		}
		_, err := s.Orders.Place(bg, p, r)
		var stale *order.StaleQuote
		if !errors.As(err, &stale) || !errors.Is(err, order.ErrPriceChanged) {
			t.Fatalf("got %v, want a stale quote", err)
		}
		if stale.Now.Total.Minor != 35500 || stale.Now.Catalogue != 2 {
			t.Errorf("new quote: got %v of version %d, want 355.00 of 2", stale.Now.Total, stale.Now.Catalogue)
		}
		r.QuoteHash = stale.Now.Hash
		if o, err := s.Orders.Place(bg, p, r); err != nil || o.Total.Minor != 35500 {
			t.Errorf("the new quote: got %v, %v", o.Total, err)
		}
	})
}

func TestAQuoteExpires(t *testing.T) {
	t.Parallel()
	s := shop(t)
	r := s.PlaceRequest(ordertest.Request("hk-1"))
	s.Clock.Advance(order.QuoteLife - time.Second)
	if _, err := s.Orders.Place(bg, ordertest.Customer(), r); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	s.Clock.Advance(time.Second)
	if _, err := s.Orders.Place(bg, ordertest.Customer(), r); !errors.Is(err, order.ErrQuoteExpired) {
		t.Errorf("at the end: got %v, want ErrQuoteExpired", err)
	}
}

func TestNoHashBuysForLess(t *testing.T) {
	t.Parallel()
	s := shop(t)
	cheap, dear := ordertest.Request("hk-1"), ordertest.Request("hk-1")
	dear.Options = map[string]string{"ssl_bandwidth": "1000", "ssl_connections": "1000"}
	dear.Count = 10
	r := s.PlaceRequest(cheap)
	r.QuoteRequest = dear // the hash of the cheap one
	if _, err := s.Orders.Place(bg, ordertest.Customer(), r); !errors.Is(err, order.ErrPriceChanged) {
		t.Errorf("another request's hash: got %v, want ErrPriceChanged", err)
	}
	valid := s.PlaceRequest(cheap)
	end, sum, _ := strings.Cut(valid.QuoteHash, ".")
	for _, forged := range []string{"", ".", end, end + "." + sum[1:], "x." + sum, end + "." + strings.Repeat("0", 64), "99999999999." + sum} {
		valid.QuoteHash = forged
		if _, err := s.Orders.Place(bg, ordertest.Customer(), valid); err == nil {
			t.Errorf("hash %q was accepted", forged)
		}
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	s := shop(t)
	p := ordertest.Customer()
	if _, err := s.Orders.Place(bg, p, s.PlaceRequest(ordertest.Request("cn-east-1"))); !errors.Is(err, realname.ErrRequired) {
		t.Errorf("mainland without verification: got %v, want realname.required", err)
	}
	asked := s.Real.Asked()
	if _, err := s.Orders.Place(bg, p, s.PlaceRequest(ordertest.Request("hk-1"))); err != nil || s.Real.Asked() != asked {
		t.Errorf("Hong Kong: got %v, asked for the real name %d times", err, s.Real.Asked()-asked)
	}
	s.Real.Verify(p.Account)
	if _, err := s.Orders.Place(bg, p, s.PlaceRequest(ordertest.Request("cn-east-1"))); err != nil {
		t.Errorf("mainland, verified: %v", err)
	}
	shut := errs.New(errs.Forbidden, "consent.gate_closed")
	for _, err := range []error{shut, errors.New("database is away")} {
		s.Consent.Shut(err)
		if _, got := s.Orders.Place(bg, p, s.PlaceRequest(ordertest.Request("hk-1"))); !errors.Is(got, err) {
			t.Errorf("gate answers %v: got %v", err, got)
		}
	}
}

func TestFiftyParallelRequestsUnderOneKeyAreOneOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		r := s.PlaceRequest(ordertest.Request("hk-1"))
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 50 {
			wg.Go(func() {
				for { // a client repeats what failed for reasons of ours
					o, err := s.Orders.Place(bg, p, r)
					if err != nil && errs.KindOf(err) == errs.Internal {
						continue
					}
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Errorf("placing: %v", err)
					}
					seen[o.ID]++
					return
				}
			})
		}
		wg.Wait()
		all, err := s.Orders.List(bg, p.Account, "", 100)
		if err != nil || len(all) != 1 || seen[all[0].ID] != 50 {
			t.Errorf("got %d orders, %v, answers %v", len(all), err, seen)
		}
		if n := s.Log.Count("order.placed"); n != 1 {
			t.Errorf("got %d leaves, want 1", n)
		}
		r.Configuration = map[string]string{"name": "another"}
		if _, err := s.Orders.Place(bg, p, r); !errors.Is(err, order.ErrKeyReused) {
			t.Errorf("another request: got %v, want ErrKeyReused", err)
		}
		if o, err := s.Orders.Place(bg, ordertest.Customer(), r); err != nil || seen[o.ID] != 0 {
			t.Errorf("another customer's same key: got %v, want an order of its own", err)
		}
	})
}

func TestAnotherCustomersOrderDoesNotExist(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		o, stranger := s.Place(ordertest.Customer()), ordertest.Customer()
		if _, err := s.Orders.Get(bg, stranger.Account, o.ID); !errs.IsNotFound(err) {
			t.Errorf("get: got %v, want NotFound", err)
		}
		if _, err := s.Orders.Cancel(bg, stranger, o.ID); !errs.IsNotFound(err) {
			t.Errorf("cancel: got %v, want NotFound", err)
		}
		if all, err := s.Orders.List(bg, stranger.Account, "", 100); err != nil || len(all) != 0 {
			t.Errorf("list: got %d orders, %v", len(all), err)
		}
		if _, err := s.Orders.ListAll(bg, stranger, "", 100); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("all orders: got %v, want Forbidden", err)
		}
		staff := account.Principal{Staff: true, Permissions: []string{"order.read"}}
		if all, err := s.Orders.ListAll(bg, staff, "", 100); err != nil || len(all) != 1 {
			t.Errorf("staff: got %d orders, %v", len(all), err)
		}
	})
}

func TestListsArePagedNewestFirst(t *testing.T) {
	t.Parallel()
	s := shop(t)
	p := ordertest.Customer()
	var want, got []string
	for range 5 {
		want = append([]string{s.Place(p).ID}, want...)
	}
	for before := ""; ; {
		page, err := s.Orders.List(bg, p.Account, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			got = append(got, o.ID)
		}
		before = got[len(got)-1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestCancelAndExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		cancelled, left := s.Place(p), s.Place(p)
		for range 2 {
			o, err := s.Orders.Cancel(bg, p, cancelled.ID)
			if err != nil || o.State != order.Cancelled {
				t.Fatalf("cancelling: got %s, %v", o.State, err)
			}
		}
		s.Clock.Advance(order.PaymentTime - time.Second)
		s.Settle()
		if got := s.Order(left.ID).State; got != order.PendingPayment {
			t.Errorf("a second early: got %s", got)
		}
		s.Clock.Advance(time.Second)
		s.Settle()
		if got := s.Order(left.ID); got.State != order.Expired || !got.EndedAt.Equal(s.Clock.Now()) {
			t.Errorf("at the end: got %s, ended %v", got.State, got.EndedAt)
		}
		if got := s.Order(cancelled.ID).State; got != order.Cancelled {
			t.Errorf("the cancelled one: got %s", got)
		}
		if _, err := s.Orders.Cancel(bg, p, left.ID); !errors.Is(err, order.ErrTransition) {
			t.Errorf("cancelling an expired order: got %v, want ErrTransition", err)
		}
	})
}

func TestOrdersThatWaitAreCounted(t *testing.T) {
	t.Parallel()
	s := shop(t)
	p := ordertest.Customer()
	for range order.MaxOpen {
		s.Place(p)
	}
	r := s.PlaceRequest(ordertest.Request("hk-1"))
	if _, err := s.Orders.Place(bg, p, r); !errors.Is(err, order.ErrTooMany) {
		t.Errorf("one too many: got %v, want ErrTooMany", err)
	}
	s.Place(ordertest.Customer())
	all, err := s.Orders.List(bg, p.Account, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Orders.Cancel(bg, p, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Orders.Place(bg, p, r); err != nil {
		t.Errorf("after a cancel: %v", err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	s := shop(t)
	for _, bad := range []map[string]string{{"price": "1"}, {"name": ""}, {"name": strings.Repeat("x", 65)}, {"name": "a\nb"}, {"name": "\xff"}} {
		r := s.PlaceRequest(ordertest.Request("hk-1"))
		r.Configuration = bad
		if _, err := s.Orders.Place(bg, ordertest.Customer(), r); !errors.Is(err, order.ErrConfiguration) {
			t.Errorf("%q: got %v, want ErrConfiguration", bad, err)
		}
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 65), "has a space", "tab\tinside", "ключключ"} {
		r := s.PlaceRequest(ordertest.Request("hk-1"))
		r.IdempotencyKey = bad
		if _, err := s.Orders.Place(bg, ordertest.Customer(), r); !errors.Is(err, order.ErrIdempotencyKey) {
			t.Errorf("key %q: got %v, want ErrIdempotencyKey", bad, err)
		}
	}
}

func TestWhatCannotBeMadeIsNotSold(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Goods.Refused = "office-2"
	r := ordertest.Request("hk-1")
	if _, err := s.Orders.Place(bg, ordertest.Customer(), s.PlaceRequest(r)); err != nil {
		t.Errorf("one: %v", err)
	}
	r.Count = 2 // named office-1 and office-2
	p := ordertest.Customer()
	if _, err := s.Orders.Place(bg, p, s.PlaceRequest(r)); !errors.Is(err, ordertest.ErrName) {
		t.Errorf("two: got %v, want the maker's refusal", err)
	}
	if all, err := s.Orders.List(bg, p.Account, "", 10); err != nil || len(all) != 0 {
		t.Errorf("got %d orders, %v, want none", len(all), err)
	}
}

func TestDeliveryFollowsTheServiceEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		o := s.Place(p)
		if _, err := s.Orders.OrderLines(bg, o.ID); !errs.IsNotFound(err) {
			t.Errorf("lines of an unpaid order: got %v, want NotFound", err)
		}
		err := s.DB.InTx(bg, func(tx *db.Tx) error {
			_, err := s.Orders.MarkPaidTx(bg, tx, o.ID, order.Receipt{ID: "rcp_1", Amount: o.Total, At: s.Clock.Now()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := s.Orders.OrderLines(bg, o.ID)
		if err != nil || len(lines) != 1 || lines[0].Account != p.Account || lines[0].Options["ssl_bandwidth"] != "5" {
			t.Fatalf("lines of a paid order: got %+v, %v", lines, err)
		}
		s.Settle()
		if got := s.Order(o.ID).State; got != order.Fulfilling {
			t.Errorf("after payment: got %s, want fulfilling", got)
		}
		for range 2 { // events come at least once
			publish(t, s, service.TopicActive, service.Changed{Service: "svc_1", Order: o.ID, Line: lines[0].ID})
			s.Settle()
		}
		got := s.Order(o.ID)
		if got.State != order.Completed || got.Lines[0].Service != "svc_1" || got.Lines[0].State != order.LineDelivered {
			t.Errorf("after delivery: got %s, line %+v", got.State, got.Lines[0])
		}
		if n := s.Log.Count("order.completed"); n != 1 {
			t.Errorf("got %d leaves of completion, want 1", n)
		}
	})
}

func TestAFailedDeliveryNeedsAttention(t *testing.T) {
	t.Parallel()
	s := shop(t)
	o := s.Place(ordertest.Customer())
	err := s.DB.InTx(bg, func(tx *db.Tx) error {
		_, err := s.Orders.MarkPaidTx(bg, tx, o.ID, order.Receipt{ID: "rcp_1", Amount: o.Total, At: s.Clock.Now()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, service.TopicProvisionFailed, service.Changed{Service: "svc_1", Order: o.ID, Line: o.Lines[0].ID, Problem: "vpn.no_node"})
	s.Settle()
	staff := account.Principal{Staff: true, Permissions: []string{account.PermOrderRetry}}
	if _, err := s.Orders.RetryDelivery(bg, ordertest.Customer(), o.ID); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("the customer has it made again: got %v, want Forbidden", err)
	}
	if _, err := s.Orders.RetryDelivery(bg, staff, o.ID); err != nil || len(s.Retried) != 1 || s.Retried[0] == "" {
		t.Errorf("staff has it made again: got %v, %v", s.Retried, err)
	}
	if got := s.Order(o.ID); got.State != order.NeedsAttention || got.Lines[0].Problem != "vpn.no_node" {
		t.Errorf("got %s, %+v", got.State, got.Lines[0])
	}
}

func publish(t *testing.T, s *ordertest.Shop, topic string, event any) {
	t.Helper()
	if err := s.DB.InTx(bg, func(tx *db.Tx) error { return s.Queue.PublishTx(bg, tx, topic, event) }); err != nil {
		t.Fatal(err)
	}
}
