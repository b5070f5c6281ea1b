package order_test

import (
	"errors"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// sellWithout publishes a catalogue that also sells gateways without SSL.
func sellWithout(t *testing.T, s *ordertest.Shop) {
	t.Helper()
	f := ordertest.Demo(t)
	for i := range f.Products[0].Prices {
		options := f.Products[0].Prices[i].Options
		for j := range options {
			options[j].Values = append([]catalog.FileValue{{Value: catalog.Without}}, options[j].Values...)
		}
	}
	if _, err := s.Catalog.Publish(bg, f); err != nil {
		t.Fatal(err)
	}
}

// TestAMissingServiceIsAddedByAPricedOrder to a gateway that was bought without.
func TestAMissingServiceIsAddedByAPricedOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *ordertest.Shop) {
		sellWithout(t, s)
		p := ordertest.Customer()
		none := map[string]string{catalog.OptionSSLBandwidth: catalog.Without, catalog.OptionSSLConnections: catalog.Without}
		r := ordertest.Request("hk-1")
		r.Options = none
		o, err := s.Orders.Place(bg, p, s.PlaceRequest(r))
		if err != nil || o.Total != money.New(12900, money.CNY) {
			t.Fatalf("without SSL: got %v, %v, want the base price", o.Total, err)
		}
		s.Has[gateway] = service.Item{
			ID: "svc_one", Account: p.Account, Order: o.ID, Line: o.Lines[0].ID, Product: catalog.VPNGateway, Region: "hk-1", Months: 1,
			Options: none, Resource: gateway, State: service.Active, DeliveredAt: ordertest.Start, PaidThrough: ordertest.Start.AddDate(0, 0, 30),
		}
		s.Clock.Advance(15 * 24 * time.Hour)
		ask := order.EnableRequest{Resource: gateway, Service: catalog.ServiceSSL, Bandwidth: 10, Connections: 5}
		q, err := s.Orders.QuoteEnable(bg, p.Account, ask)
		if want := int64(30000+7500) / 2; err != nil || q.Total.Minor != want { // half of the month
			t.Fatalf("got %v, %v, want %d", q.Total, err, want)
		}
		o, err = s.Orders.Place(bg, p, order.PlaceRequest{
			QuoteRequest: order.QuoteRequest{Kind: order.KindUpgrade, Resource: gateway, Options: q.Request.Options}, QuoteHash: q.Hash, IdempotencyKey: "enable-ssl-1",
		})
		if err != nil || o.Kind != order.KindUpgrade || o.Total != q.Total {
			t.Fatalf("got %+v, %v", o, err)
		}
		pay(t, s, o)
		if got := s.Has[gateway].Options; got[catalog.OptionSSLBandwidth] != "10" || got[catalog.OptionSSLConnections] != "5" {
			t.Errorf("delivered: got %v", got)
		}
		if _, err := s.Orders.QuoteEnable(bg, p.Account, ask); !errors.Is(err, order.ErrServiceThere) {
			t.Errorf("once more: got %v", err)
		}
	})
}

func TestAServiceThatCannotBeEnabled(t *testing.T) {
	t.Parallel()
	s, p := shop(t), ordertest.Customer()
	sellWithout(t, s)
	bought(t, s, p)
	item := s.Has[gateway]
	item.Options = map[string]string{catalog.OptionSSLBandwidth: catalog.Without, catalog.OptionSSLConnections: catalog.Without}
	s.Has[gateway] = item
	for name, c := range map[string]struct {
		service                string
		bandwidth, connections int
		want                   error
	}{
		"IPsec, which nobody offers yet": {catalog.ServiceIPsec, 10, 10, order.ErrServiceNotOffered},
		"no bandwidth":                   {catalog.ServiceSSL, 0, 10, catalog.ErrOption},
		"no connections":                 {catalog.ServiceSSL, 10, 0, catalog.ErrOption},
		"what is not sold":               {catalog.ServiceSSL, 11, 10, catalog.ErrOption},
	} {
		if _, err := s.Orders.QuoteEnable(bg, p.Account, order.EnableRequest{Resource: gateway, Service: c.service, Bandwidth: c.bandwidth, Connections: c.connections}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := s.Orders.QuoteEnable(bg, ordertest.Customer().Account, order.EnableRequest{Resource: gateway, Service: catalog.ServiceSSL, Bandwidth: 10, Connections: 5}); !errors.Is(err, service.ErrNotFound) {
		t.Errorf("another's: got %v", err)
	}
}
