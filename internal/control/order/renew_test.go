package order_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func renew(p account.Principal, months int) order.QuoteRequest {
	return order.QuoteRequest{Kind: order.KindRenew, Owner: p.Account, Resource: gateway, Cycle: months}
}

func placeRenewal(s *ordertest.Shop, p account.Principal, months int) (order.Order, error) {
	r := s.PlaceRequest(renew(p, months))
	r.Configuration, r.Owner = nil, ""
	return s.Orders.Place(bg, p, r)
}

// due tells that something of the gateway is due at the end of its paid time.
func due(t *testing.T, s *ordertest.Shop, topic string) {
	t.Helper()
	v := s.Has[gateway]
	publish(t, s, topic, service.Changed{Service: v.ID, Account: string(v.Account), Resource: v.Resource, Ends: v.PaidThrough.UnixMicro()})
}

func TestARenewalCostsWhatIsBoughtAndSumsItsMonths(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	bought(t, s, p)
	for months, want := range map[int]int64{0: 35400, 1: 35400, 12: 12 * 35400} {
		q, err := s.Orders.Quote(bg, renew(p, months))
		if err != nil || q.Total != money.New(want, money.CNY) || len(q.Lines) != 1 {
			t.Errorf("%d months: got %v in %d lines, %v, want %d", months, q.Total, len(q.Lines), err, want)
		}
	}
	if _, err := s.Orders.Quote(bg, renew(p, 36)); !errors.Is(err, order.ErrTooFar) {
		t.Errorf("more than is sold ahead: got %v", err)
	}
	if _, err := s.Orders.Quote(bg, renew(ordertest.Customer(), 1)); !errors.Is(err, service.ErrNotFound) {
		t.Errorf("another's: got %v", err)
	}
	inquiry := ordertest.Request("hk-1")
	inquiry.Kind = order.KindRenew
	if q, err := s.Orders.Quote(bg, inquiry); err != nil || q.Total.Minor != 35400 || q.Request.Kind != order.KindRenew {
		t.Errorf("without an account: got %v, %v", q.Total, err)
	}
	v := s.Has[gateway]
	for state, want := range map[service.State]error{service.Suspended: nil, service.Terminating: order.ErrNotRenewable} {
		v.State = state
		s.Has[gateway] = v
		if _, err := s.Orders.Quote(bg, renew(p, 1)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", state, err, want)
		}
	}
}

func TestARenewalWaitsSevenDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		bought(t, s, p)
		s.Settle()
		first, err := placeRenewal(s, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := placeRenewal(s, p, 3)
		if err != nil || s.Order(first.ID).State != order.Cancelled {
			t.Fatalf("another renewal: got %v, the first is %s", err, s.Order(first.ID).State)
		}
		up, err := placeUpgrade(s, p, "10")
		if err != nil || s.Order(second.ID).State != order.Cancelled {
			t.Fatalf("an upgrade: got %v, the renewal is %s", err, s.Order(second.ID).State)
		}
		s.Clock.Advance(order.RenewalTime - time.Second)
		s.Settle()
		if got := s.Order(up.ID).State; got != order.PendingPayment {
			t.Errorf("within seven days: got %s", got)
		}
		s.Clock.Advance(time.Second)
		s.Settle()
		if got := s.Order(up.ID).State; got != order.Expired {
			t.Errorf("after seven days: got %s", got)
		}
	})
}

func TestTheMachinePlacesOneRenewalAndPaysItFromTheWallet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		p := ordertest.Customer()
		bought(t, s, p)
		s.Settle()
		for range 3 {
			due(t, s, service.TopicRenewalDue)
			s.Settle()
		}
		all, err := s.Orders.List(bg, p.Account, "", 10)
		if err != nil || len(all) != 2 || all[0].Kind != order.KindRenew || all[0].Total.Minor != 35400 || all[0].State != order.PendingPayment {
			t.Fatalf("got %+v, %v", all, err)
		}
		paid := 0
		s.Wallet.Err = ledger.ErrBelowMin
		due(t, s, service.TopicPaymentDue)
		s.Settle()
		s.Wallet.Err, s.Wallet.Pay = nil, func(o order.Order) error {
			paid++
			return s.DB.InTx(bg, func(tx *db.Tx) error {
				_, err := s.Orders.MarkPaidTx(bg, tx, o.ID, order.Receipt{ID: "rcp_w", Amount: o.Total, At: s.Clock.Now()})
				return err
			})
		}
		for range 3 {
			due(t, s, service.TopicPaymentDue)
			s.Settle()
		}
		if o := s.Order(all[0].ID); paid != 1 || (o.State != order.Paid && o.State != order.Fulfilling) {
			t.Errorf("paid %d times, the order is %s", paid, o.State)
		}
		lines, err := s.Orders.OrderLines(bg, all[0].ID)
		if err != nil || len(lines) != 1 || lines[0].Kind != "renew" || lines[0].Service != "svc_one" || lines[0].Months != 1 || lines[0].Amount.Minor != 35400 {
			t.Errorf("got %+v, %v", lines, err)
		}
		// What was renewed is not renewed for the same end again.
		v := s.Has[gateway]
		was := v.PaidThrough
		v.PaidThrough = was.AddDate(0, 1, 0)
		s.Has[gateway] = v
		publish(t, s, service.TopicPaymentDue, service.Changed{Service: v.ID, Account: string(v.Account), Resource: v.Resource, Ends: was.UnixMicro()})
		s.Settle()
		if all, err := s.Orders.List(bg, p.Account, "", 10); err != nil || len(all) != 2 || paid != 1 {
			t.Errorf("got %d orders, paid %d times, %v", len(all), paid, err)
		}
	})
}

func TestWhatEndsIsNotDunned(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	bought(t, s, p)
	o, err := placeRenewal(s, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, service.TopicTerminating, service.Changed{Service: "svc_one"})
	s.Settle()
	if got := s.Order(o.ID).State; got != order.Cancelled {
		t.Errorf("got %s", got)
	}
}

func TestAnUpgradeAfterARenewalPaysForAllThatIsPaid(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	bought(t, s, p)
	o, err := placeRenewal(s, p, 2)
	if err != nil {
		t.Fatal(err)
	}
	pay(t, s, o)
	v := s.Has[gateway]
	first := service.Period{Service: v.ID, Start: v.DeliveredAt, End: v.PaidThrough, Months: 1, Order: v.Order, Line: v.Line}
	v.PaidThrough = v.PaidThrough.AddDate(0, 0, 60)
	s.Has[gateway] = v
	s.Paid[v.ID] = []service.Period{first, {Service: v.ID, Start: first.End, End: v.PaidThrough, Months: 2, Order: o.ID, Line: o.Lines[0].ID}}
	s.Clock.Advance(15 * 24 * time.Hour)
	q, err := s.Orders.Quote(bg, upgrade(p, "10"))
	if err != nil {
		t.Fatal(err)
	}
	if items := q.Lines[0].Items; items[0].Amount.Minor != 50400/2+2*50400 || items[1].Amount.Minor != -(35400/2+2*35400) {
		t.Errorf("got %+v", items)
	}
	up, err := placeUpgrade(s, p, "10")
	if err != nil {
		t.Fatal(err)
	}
	pay(t, s, up)
	var sum int64
	for _, part := range s.Order(up.ID).Lines[0].Shares {
		sum += part.Minor
	}
	if sum != up.Total.Minor || up.Total != q.Total {
		t.Errorf("shares are %d of %v", sum, up.Total)
	}
	// At the same instant the next step has all of it as credit.
	again, err := s.Orders.Quote(bg, upgrade(p, "20"))
	if err != nil || again.Lines[0].Items[1].Amount.Minor != -(50400/2+2*50400) {
		t.Errorf("credit: got %+v, %v", again.Lines, err)
	}
}

// TestAChangeAndItsReverseCostNothing is the property of the business
// specification's section 4.3, and that the days of a period add up to it.
func TestAChangeAndItsReverseCostNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		months := rapid.IntRange(1, 12).Draw(t, "months")
		length := time.Duration(rapid.Int64Range(28*86400, 366*86400).Draw(t, "seconds")) * time.Second
		monthly := rapid.Int64Range(1, 10_000_000).Draw(t, "monthly")
		dearer := monthly + rapid.Int64Range(1, 10_000_000).Draw(t, "more")
		at := time.Duration(rapid.Int64Range(0, int64(length/time.Second)-1).Draw(t, "at")) * time.Second
		due := order.Prorate(monthly, dearer, months, length, at)
		back := order.ProrateBack(monthly, dearer, months, length, at)
		if due+back != 0 {
			t.Fatalf("a change of %d and its reverse of %d", due, back)
		}
		if due < 0 {
			t.Fatalf("more costs %d", due)
		}
	})
}
