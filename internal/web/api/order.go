package api

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/order"
)

// QuoteRequest asks for a price. It has no field for one.
type QuoteRequest struct {
	Kind    string            `json:"kind,omitempty" enum:"new,renew" default:"new" doc:"renew: what a renewal of such a thing costs"`
	Product string            `json:"product" maxLength:"64" example:"vpn-gateway"`
	Region  string            `json:"region" maxLength:"64" example:"hk-1"`
	Options map[string]string `json:"options" doc:"Each option of the product, once"`
	Cycle   int               `json:"cycle" minimum:"1" maximum:"120" doc:"Months"`
	Count   int               `json:"count,omitempty" minimum:"1" maximum:"10" default:"1"`
}

// Quote is a price that holds until it expires.
type Quote struct {
	QuoteHash        string      `json:"quote_hash" doc:"Send it with the order"`
	CatalogueVersion int64       `json:"catalogue_version"`
	Lines            []QuoteLine `json:"lines" nullable:"false"`
	Total            Money       `json:"total"`
	ExpiresAt        time.Time   `json:"expires_at"`
	From             *time.Time  `json:"from,omitempty" doc:"Of an upgrade: the time that it is priced for"`
	Until            *time.Time  `json:"until,omitempty"`
}

// UpgradeQuoteRequest asks what more of something costs for the rest of its
// paid period. It has no field for a price or a time.
type UpgradeQuoteRequest struct {
	Resource string            `json:"resource" maxLength:"40" doc:"What to upgrade" example:"vpngw-..."`
	Options  map[string]string `json:"options" doc:"Options that get another value; each the same as now or more"`
}

// RenewalQuoteRequest asks what more time costs. It has no field for a price.
type RenewalQuoteRequest struct {
	Resource string `json:"resource" maxLength:"40" doc:"What to renew" example:"vpngw-..."`
	Cycle    int    `json:"cycle" minimum:"1" maximum:"120" doc:"Months"`
}

// EnableServiceRequest asks for a service that a VPN gateway lacks.
type EnableServiceRequest struct {
	Service     string `json:"service" enum:"ssl,ipsec"`
	Bandwidth   int    `json:"bandwidth" minimum:"1" doc:"Mbit/s; one that is sold"`
	Connections int    `json:"connections" minimum:"1" doc:"Likewise"`
}

// ServiceQuote is the price of a missing service, and the options to order it by.
type ServiceQuote struct {
	Quote
	Options map[string]string `json:"options"`
}

// QuoteLine is one line of a quote.
type QuoteLine struct {
	Number int         `json:"number"`
	Kind   string      `json:"kind" example:"recurring"`
	Items  []QuoteItem `json:"items" nullable:"false"`
	Amount Money       `json:"amount"`
}

// QuoteItem is a part of a line.
type QuoteItem struct {
	Option string `json:"option" doc:"Empty for the base price; of an upgrade charge and credit"`
	Value  string `json:"value"`
	Amount Money  `json:"amount"`
}

// OrderRequest places an order for a quote: the fields of the quote again and
// its hash; for something new, what it is to be like; for an upgrade, of what.
type OrderRequest struct {
	Kind          string            `json:"kind,omitempty" enum:"new,upgrade,renew" default:"new"`
	Product       string            `json:"product,omitempty" maxLength:"64" example:"vpn-gateway"`
	Region        string            `json:"region,omitempty" maxLength:"64" example:"hk-1"`
	Options       map[string]string `json:"options" doc:"As in the quote"`
	Cycle         int               `json:"cycle,omitempty" minimum:"0" maximum:"120" doc:"Months; of something new, or of a renewal"`
	Count         int               `json:"count,omitempty" minimum:"1" maximum:"10" default:"1"`
	Resource      string            `json:"resource,omitempty" maxLength:"40" doc:"What to upgrade or renew"`
	QuoteHash     string            `json:"quote_hash" maxLength:"100"`
	Configuration Configuration     `json:"configuration,omitempty" doc:"Of something new"`
}

// Configuration is what the customer chooses beside the price.
type Configuration struct {
	Name    string `json:"name,omitempty" maxLength:"64" doc:"Name of the VPN gateway"`
	Network string `json:"network,omitempty" maxLength:"64" doc:"Id of the private network that it joins"`
}

// Order is an order on the wire.
type Order struct {
	ID               string      `json:"id" example:"ord_..."`
	Kind             string      `json:"kind" enum:"new,renew,upgrade"`
	State            string      `json:"state" enum:"pending_payment,paid,awaiting_review,fulfilling,completed,partially_fulfilled,needs_attention,refunding,refunded,cancelled,expired"`
	Total            Money       `json:"total"`
	CatalogueVersion int64       `json:"catalogue_version"`
	Lines            []OrderLine `json:"lines" nullable:"false"`
	PlacedAt         time.Time   `json:"placed_at"`
	ExpiresAt        time.Time   `json:"expires_at" doc:"End of the time to pay"`
	PaidAt           *time.Time  `json:"paid_at,omitempty"`
	EndedAt          *time.Time  `json:"ended_at,omitempty"`
}

// OrderLine is one thing bought.
type OrderLine struct {
	ID            string            `json:"id"`
	Number        int               `json:"number"`
	Kind          string            `json:"kind"`
	Product       string            `json:"product"`
	Region        string            `json:"region"`
	Options       map[string]string `json:"options" nullable:"false"`
	Cycle         int               `json:"cycle"`
	Amount        Money             `json:"amount"`
	Configuration Configuration     `json:"configuration"`
	State         string            `json:"state" enum:"waiting,delivered,failed,refunded"`
	Service       string            `json:"service,omitempty"`
	Problem       string            `json:"problem,omitempty"`
	Resource      string            `json:"resource,omitempty" doc:"What an upgrade changes"`
}

// StaffOrder is an order as staff see it.
type StaffOrder struct {
	Order
	Account string `json:"account"`
}

type orderID struct {
	ID string `path:"id" maxLength:"40"`
}

// Orders registers the operations of quotes and orders.
func Orders(a *API, s *order.Service) {
	a.watched = append(a.watched, watched{"order", s.Mark, s.Versions})
	Post(a, "/quotes", Operation{ID: "quote", Summary: "Ask for a price", Tag: "Orders", Access: Public},
		func(ctx context.Context, in *struct{ Body QuoteRequest }) (*Body[Quote], error) {
			q, err := s.Quote(ctx, in.Body.request())
			if err != nil {
				return nil, err
			}
			return &Body[Quote]{toQuote(q)}, nil
		})
	Post(a, "/upgrade-quotes", Operation{
		ID: "quote-upgrade", Summary: "Ask what an upgrade costs", Tag: "Orders", Access: Customer,
		Detail: "The new price for the rest of the paid period, less what was paid for it, each rounded half to even. Less than you have is refused.",
	},
		func(ctx context.Context, in *struct{ Body UpgradeQuoteRequest }) (*Body[Quote], error) {
			q, err := s.Quote(ctx, order.QuoteRequest{
				Kind: order.KindUpgrade, Owner: Who(ctx).Account, Resource: in.Body.Resource, Options: in.Body.Options,
			})
			return &Body[Quote]{toQuote(q)}, err
		})
	Post(a, "/renewal-quotes", Operation{
		ID: "quote-renewal", Summary: "Ask what more time for what you have costs", Tag: "Orders", Access: Customer,
		Detail: "The present price of what is bought, for the months. Place an order of kind renew with the resource, the cycle and the quote_hash.",
	},
		func(ctx context.Context, in *struct{ Body RenewalQuoteRequest }) (*Body[Quote], error) {
			q, err := s.Quote(ctx, order.QuoteRequest{
				Kind: order.KindRenew, Owner: Who(ctx).Account, Resource: in.Body.Resource, Cycle: in.Body.Cycle,
			})
			return &Body[Quote]{toQuote(q)}, err
		})
	Post(a, "/vpn-gateways/{id}/enable-service", Operation{
		ID: "enable-vpn-gateway-service", Summary: "Ask what a missing service of a VPN gateway costs", Tag: "VPN gateways", Access: Customer,
		Detail: "For a gateway that was bought without it. The answer is the quote of an upgrade: place an order of kind upgrade with the options and the quote_hash to get the service.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body EnableServiceRequest
		},
		) (*Body[ServiceQuote], error) {
			q, err := s.QuoteEnable(ctx, Who(ctx).Account, order.EnableRequest{
				Resource: in.ID, Service: in.Body.Service, Bandwidth: in.Body.Bandwidth, Connections: in.Body.Connections,
			})
			return &Body[ServiceQuote]{ServiceQuote{toQuote(q), q.Request.Options}}, err
		})
	Post(a, "/orders", Operation{
		ID: "place-order", Summary: "Place an order", Tag: "Orders", Access: Customer, Status: 201,
		Detail: "Answers 409 order.price_changed with the new quote in params.quote when the price is not the quoted one any more.",
	},
		func(ctx context.Context, in *placeInput) (*Body[Order], error) { return place(ctx, s, in) })
	Get(a, "/orders", Operation{ID: "list-orders", Summary: "Your orders, newest first", Tag: "Orders", Access: Customer},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[Order]], error) {
			all, err := s.List(ctx, Who(ctx).Account, in.Cursor, min(in.Limit, 100))
			if err != nil {
				return nil, err
			}
			return &Body[List[Order]]{List[Order]{Items(all, toOrder), nextCursor(all, min(in.Limit, 100), numberOf)}}, nil
		})
	Get(a, "/orders/{id}", Operation{ID: "get-order", Summary: "One order", Tag: "Orders", Access: Customer},
		func(ctx context.Context, in *orderID) (*Body[Order], error) {
			o, err := s.Get(ctx, Who(ctx).Account, in.ID)
			return &Body[Order]{toOrder(o)}, err
		})
	Post(a, "/orders/{id}/cancel", Operation{ID: "cancel-order", Summary: "Cancel an order that waits for payment", Tag: "Orders", Access: Customer},
		func(ctx context.Context, in *orderID) (*Body[Order], error) {
			o, err := s.Cancel(ctx, Who(ctx), in.ID)
			return &Body[Order]{toOrder(o)}, err
		})
	Post(a, "/admin/orders/{id}/retry", Operation{
		ID: "admin-retry-order", Summary: "Make again what could not be delivered", Tag: "Staff", Access: Staff("order.retry"),
		Detail: "For an order that needs attention, after what was wrong is mended. It asks for no money.",
	},
		func(ctx context.Context, in *orderID) (*Body[StaffOrder], error) {
			o, err := s.RetryDelivery(ctx, Who(ctx), in.ID)
			return &Body[StaffOrder]{toStaffOrder(o)}, err
		})
	Get(a, "/admin/orders", Operation{ID: "admin-list-orders", Summary: "All orders, newest first", Tag: "Staff", Access: Staff("order.read")},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[StaffOrder]], error) {
			all, err := s.ListAll(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			if err != nil {
				return nil, err
			}
			return &Body[List[StaffOrder]]{List[StaffOrder]{Items(all, toStaffOrder), nextCursor(all, min(in.Limit, 100), numberOf)}}, nil
		})
}

type placeInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"64"`
	Body OrderRequest
}

func place(ctx context.Context, s *order.Service, in *placeInput) (*Body[Order], error) {
	o, err := s.Place(ctx, Who(ctx), order.PlaceRequest{
		QuoteRequest: in.Body.request(), QuoteHash: in.Body.QuoteHash,
		IdempotencyKey: in.Key, Configuration: in.Body.Configuration.values(),
	})
	var stale *order.StaleQuote
	if errors.As(err, &stale) {
		code := order.ErrPriceChanged
		if errors.Is(err, order.ErrQuoteExpired) {
			code = order.ErrQuoteExpired
		}
		return nil, code.With("quote", toQuote(stale.Now))
	}
	if err != nil {
		return nil, err
	}
	return &Body[Order]{toOrder(o)}, nil
}

func (r QuoteRequest) request() order.QuoteRequest {
	q := order.QuoteRequest{Kind: order.Kind(r.Kind), Product: r.Product, Region: r.Region, Options: r.Options, Cycle: r.Cycle, Count: r.Count}
	if q.Kind == "" {
		q.Kind = order.KindNew
	}
	if q.Count == 0 {
		q.Count = 1
	}
	return q
}

// request reads an order's. What an upgrade does not use is left out, so that it
// decides nothing.
func (r OrderRequest) request() order.QuoteRequest {
	if order.Kind(r.Kind) == order.KindUpgrade {
		return order.QuoteRequest{Kind: order.KindUpgrade, Resource: r.Resource, Options: r.Options}
	}
	if order.Kind(r.Kind) == order.KindRenew {
		return order.QuoteRequest{Kind: order.KindRenew, Resource: r.Resource, Cycle: r.Cycle}
	}
	return QuoteRequest{r.Kind, r.Product, r.Region, r.Options, r.Cycle, r.Count}.request()
}

func (c Configuration) values() map[string]string {
	v := map[string]string{}
	if c.Name != "" {
		v[order.ConfigName] = c.Name
	}
	if c.Network != "" {
		v[order.ConfigNetwork] = c.Network
	}
	return v
}

func toQuote(q order.Quote) Quote {
	item := func(i order.QuoteItem) QuoteItem { return QuoteItem{i.Option, i.Value, toMoney(i.Amount)} }
	line := func(l order.QuoteLine) QuoteLine {
		return QuoteLine{l.Number, string(l.Kind), Items(l.Items, item), toMoney(l.Amount)}
	}
	return Quote{QuoteHash: q.Hash, CatalogueVersion: q.Catalogue, Lines: Items(q.Lines, line), Total: toMoney(q.Total), ExpiresAt: q.ExpiresAt, From: toTime(q.Rest.From), Until: toTime(q.Rest.Until)}
}

func toOrder(o order.Order) Order {
	return Order{
		ID: o.ID, Kind: string(o.Kind), State: string(o.State), Total: toMoney(o.Total), CatalogueVersion: o.Catalogue,
		Lines: Items(o.Lines, toOrderLine), PlacedAt: o.PlacedAt, ExpiresAt: o.ExpiresAt, PaidAt: toTime(o.PaidAt), EndedAt: toTime(o.EndedAt),
	}
}

func toOrderLine(l order.Line) OrderLine {
	return OrderLine{
		ID: l.ID, Number: l.Number, Kind: string(l.Kind), Product: l.Product, Region: l.Region, Options: l.Options,
		Cycle: l.Months, Amount: toMoney(l.Amount), State: string(l.State), Service: l.Service, Problem: l.Problem, Resource: l.Resource,
		Configuration: Configuration{Name: l.Configuration[order.ConfigName], Network: l.Configuration[order.ConfigNetwork]},
	}
}

func toStaffOrder(o order.Order) StaffOrder { return StaffOrder{toOrder(o), string(o.Account)} }

func numberOf(o order.Order) string { return o.ID }
