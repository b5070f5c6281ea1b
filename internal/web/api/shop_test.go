package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// shopAPI is the API of a shop with three people: the tokens are alice, bob and
// staff.
type shopAPI struct {
	t *testing.T
	*paymenttest.Shop
	mux    *http.ServeMux
	people map[string]account.Principal
}

func (s *shopAPI) Authenticate(_ context.Context, token string) (account.Principal, error) {
	p, ok := s.people[token]
	if !ok {
		return p, errs.New(errs.Unauthenticated, "api.unauthenticated")
	}
	return p, nil
}

func newShopAPI(t *testing.T) *shopAPI {
	t.Helper()
	s := &shopAPI{t: t, Shop: paymenttest.New(t, dbtest.SQLite(t, append(paymenttest.Sets(), invoice.Migrations())...)), mux: http.NewServeMux()}
	s.people = map[string]account.Principal{
		"alice": ordertest.Customer(), "bob": ordertest.Customer(),
		"staff": {Staff: true, Permissions: []string{"order.read", "payment.read"}},
		"clerk": {
			Account: "acc_clerk", Subject: "clerk", Staff: true, Permissions: []string{"payment.read", "payment.book", "ledger.read"},
			StepUpUntil: ordertest.Start.Add(10 * time.Minute),
		},
	}
	a := api.New(api.Options{Mux: s.mux, Version: "test", Sessions: s, Gate: s.Consent, Log: slog.New(slog.DiscardHandler)})
	api.Catalog(a, s.Catalog)
	api.Orders(a, s.Orders)
	api.Payments(a, s.Pay)
	api.Wallets(a, s.Pay, s.Books)
	api.Books(a, s.Books)
	docs, err := invoice.New(invoice.Deps{
		DB: s.DB, Clock: s.Clock, Queue: s.Queue, Log: slog.New(slog.DiscardHandler), Audit: s.Log, Catalog: s.Catalog, Ledger: s.Books, Orders: s.Orders,
		Payments: s.Pay, Settings: invoice.Settings{Seller: invoice.Seller{Name: "示例云"}, TaxRate: 6_00},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.OnPaid, s.OnRefunded = docs.OrderPaidTx, docs.RefundedTx
	api.Invoices(a, docs)
	return s
}

// call sends a request and decodes the answer into out, if that is not nil.
func (s *shopAPI) call(who, method, path string, body, out any, header ...string) int {
	s.t.Helper()
	var text bytes.Buffer
	if body != nil {
		if raw, ok := body.(string); ok {
			text.WriteString(raw)
		} else if err := json.NewEncoder(&text).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, "/api/v1"+path, &text)
	r.Header.Set("Content-Type", "application/json")
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			s.t.Fatalf("%s %s answered %d %s: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w.Code
}

type object = map[string]any

func smallGateway() object {
	return object{"product": "vpn-gateway", "region": "hk-1", "cycle": 1, "options": object{"ssl_bandwidth": "5", "ssl_connections": "5"}}
}

func (s *shopAPI) quoted() object {
	s.t.Helper()
	var q api.Quote
	if got := s.call("", "POST", "/quotes", smallGateway(), &q); got != 200 {
		s.t.Fatalf("quote: status %d", got)
	}
	body := smallGateway()
	body["quote_hash"], body["configuration"] = q.QuoteHash, object{"name": "office", "network": "net-1"}
	return body
}

func (s *shopAPI) placed(who, key string) api.Order {
	s.t.Helper()
	var o api.Order
	if got := s.call(who, "POST", "/orders", s.quoted(), &o, "Idempotency-Key", key); got != 201 {
		s.t.Fatalf("order: status %d", got)
	}
	return o
}

func TestTheCatalogueIsPublic(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	var regions api.List[api.Region]
	if got := s.call("", "GET", "/regions", nil, &regions, "Accept-Language", "en"); got != 200 || len(regions.Items) != 2 {
		t.Fatalf("got %d, %+v", got, regions)
	}
	if r := regions.Items[0]; r.ID != "cn-east-1" || !r.RequiresRealName || r.Location != "CN-mainland" || regions.Items[1].RequiresRealName {
		t.Errorf("got %+v", regions.Items)
	}
	var products api.List[api.Product]
	if got := s.call("", "GET", "/products", nil, &products); got != 200 || len(products.Items[0].Offers) != 2 {
		t.Errorf("got %d, %+v", got, products)
	}
	if o := products.Items[0].Offers[1]; o.Region != "hk-1" || o.Base != (api.Money{Amount: "129.00", Currency: "CNY"}) || len(o.Options) != 2 {
		t.Errorf("got %+v", o)
	}
}

func TestNothingThatAClientSendsIsAPrice(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	for _, field := range []string{"price", "discount", "percent", "ratio", "amount", "total", "unit_price", "currency", "coupon"} {
		for _, value := range []any{0, "0.01", object{"amount": "0.01", "currency": "CNY"}} {
			quote, place, deep := smallGateway(), s.quoted(), s.quoted()
			quote[field], place[field] = value, value
			deep["configuration"] = object{"name": "office", field: value}
			if got := s.call("", "POST", "/quotes", quote, nil); got != 422 {
				t.Errorf("quote with %s %v: got %d, want 422", field, value, got)
			}
			for where, body := range map[string]object{"order": place, "configuration": deep} {
				if got := s.call("alice", "POST", "/orders", body, nil, "Idempotency-Key", "key-0000001"); got != 422 {
					t.Errorf("%s with %s %v: got %d, want 422", where, field, value, got)
				}
			}
		}
	}
	options := smallGateway()
	options["options"] = object{"ssl_bandwidth": "5", "ssl_connections": "5", "price": "0"}
	if got := s.call("", "POST", "/quotes", options, nil); got != 422 {
		t.Errorf("an option called price: got %d, want 422", got)
	}
	var o api.Order
	if got := s.call("alice", "POST", "/orders", s.quoted(), &o, "Idempotency-Key", "key-0000001"); got != 201 || o.Total.Amount != "354.00" {
		t.Fatalf("the plain order: got %d, %+v", got, o.Total)
	}
	for _, body := range []object{{"method": "till.card", "amount": "0.01"}, {"method": "till.card", "money": "0.01"}} {
		if got := s.call("alice", "POST", "/orders/"+o.ID+"/payments", body, nil); got != 422 {
			t.Errorf("payment %v: got %d, want 422", body, got)
		}
	}
}

func TestAnOrderFromQuoteToPayment(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	o := s.placed("alice", "key-0000001")
	if o.State != "pending_payment" || o.PaidAt != nil || o.Lines[0].Configuration != (api.Configuration{Name: "office", Network: "net-1"}) {
		t.Errorf("got %+v", o)
	}
	var methods api.List[api.PaymentMethod]
	if got := s.call("alice", "GET", "/payment-methods", nil, &methods); got != 200 || methods.Items[0].ID != "till.card" || methods.Items[0].Purpose != "payment.till" {
		t.Errorf("methods: got %d, %+v", got, methods)
	}
	var p api.PaymentStart
	if got := s.call("alice", "POST", "/orders/"+o.ID+"/payments", object{"method": "till.card"}, &p); got != 201 || p.Instruction.Kind != "redirect" ||
		p.Payment.Amount != o.Total {
		t.Errorf("payment: got %d, %+v", got, p)
	}
	attempt, err := s.Pay.Get(context.Background(), s.people["alice"].Account, p.Payment.Number)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pay.HandleNotify(context.Background(), paymenttest.Token, paymenttest.Raw(paymenttest.Paid(attempt, "T1"))); err != nil {
		t.Fatal(err)
	}
	var after api.Order
	if got := s.call("alice", "GET", "/orders/"+o.ID, nil, &after); got != 200 || after.State != "paid" || after.PaidAt == nil {
		t.Errorf("after the notice: got %d, %+v", got, after)
	}
	var payments api.List[api.Payment]
	if got := s.call("alice", "GET", "/orders/"+o.ID+"/payments", nil, &payments); got != 200 || payments.Items[0].State != "succeeded" {
		t.Errorf("payments: got %d, %+v", got, payments)
	}
	// A second trade goes to suspense, the trade of a cancelled order to the wallet.
	late := s.placed("alice", "key-0000002")
	if got := s.call("alice", "POST", "/orders/"+late.ID+"/payments", object{"method": "till.cash"}, &p); got != 201 {
		t.Fatalf("second payment: %d", got)
	}
	if got := s.call("alice", "POST", "/orders/"+late.ID+"/cancel", nil, &after); got != 200 || after.State != "cancelled" {
		t.Errorf("cancel: got %d, %s", got, after.State)
	}
	if attempt, err = s.Pay.Get(context.Background(), s.people["alice"].Account, p.Payment.Number); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pay.HandleNotify(context.Background(), paymenttest.Token, paymenttest.Raw(paymenttest.Paid(attempt, "T2"))); err != nil {
		t.Fatal(err)
	}
	var wallet api.Wallet
	if got := s.call("alice", "GET", "/wallet", nil, &wallet); got != 200 || wallet.Balance != late.Total || len(wallet.Lines) != 1 {
		t.Errorf("wallet: got %d, %+v", got, wallet)
	}
}

func TestAStaleQuoteBringsTheNewOne(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	body := s.quoted()
	dearer := ordertest.Demo(t)
	dearer.Products[0].Prices[1].Base += 100
	if _, err := s.Catalog.Publish(context.Background(), dearer); err != nil {
		t.Fatal(err)
	}
	var p struct {
		Code   string
		Title  string
		Params struct{ Quote api.Quote }
	}
	if got := s.call("alice", "POST", "/orders", body, &p, "Idempotency-Key", "key-0000001"); got != 409 || p.Code != "order.price_changed" ||
		p.Params.Quote.Total.Amount != "355.00" || p.Title == p.Code {
		t.Fatalf("got %d, %+v", got, p)
	}
	body["quote_hash"] = p.Params.Quote.QuoteHash
	if got := s.call("alice", "POST", "/orders", body, nil, "Idempotency-Key", "key-0000001"); got != 201 {
		t.Errorf("with the new hash: got %d", got)
	}
}

func TestIdempotencyOfOrders(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	body := s.quoted()
	if got := s.call("alice", "POST", "/orders", body, nil); got != 422 && got != 400 {
		t.Errorf("without a key: got %d, want a refusal", got)
	}
	var first, again api.Order
	if a, b := s.call("alice", "POST", "/orders", body, &first, "Idempotency-Key", "key-0000001"),
		s.call("alice", "POST", "/orders", body, &again, "Idempotency-Key", "key-0000001"); a != 201 || b != 201 || first.ID != again.ID {
		t.Errorf("got %d %s and %d %s, want one order", a, first.ID, b, again.ID)
	}
	body["configuration"] = object{"name": "another"}
	var p struct{ Code string }
	if got := s.call("alice", "POST", "/orders", body, &p, "Idempotency-Key", "key-0000001"); got != 409 || p.Code != "order.idempotency_key_reused" {
		t.Errorf("another body: got %d %s", got, p.Code)
	}
}

func TestForeignOrdersAndDoors(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	o := s.placed("alice", "key-0000001")
	for _, c := range []struct{ method, path string }{
		{"GET", "/orders/" + o.ID},
		{"POST", "/orders/" + o.ID + "/cancel"},
		{"GET", "/orders/" + o.ID + "/payments"},
		{"POST", "/orders/" + o.ID + "/payments"},
	} {
		var body any
		if c.method == "POST" && strings.HasSuffix(c.path, "/payments") {
			body = object{"method": "till.card"}
		}
		if got := s.call("bob", c.method, c.path, body, nil); got != 404 {
			t.Errorf("bob, %s %s: got %d, want 404", c.method, c.path, got)
		}
		if got := s.call("", c.method, c.path, body, nil); got != 401 {
			t.Errorf("nobody, %s %s: got %d, want 401", c.method, c.path, got)
		}
	}
	for _, path := range []string{"/admin/orders", "/admin/payments"} {
		if got := s.call("alice", "GET", path, nil, nil); got != 403 {
			t.Errorf("alice, %s: got %d, want 403", path, got)
		}
		var list api.List[object]
		if got := s.call("staff", "GET", path, nil, &list); got != 200 {
			t.Errorf("staff, %s: got %d", path, got)
		}
	}
	s.Consent.Shut(errs.New(errs.Forbidden, "consent.renewal_needed"))
	if got := s.call("alice", "POST", "/orders", s.quoted(), nil, "Idempotency-Key", "key-0000002"); got != 403 {
		t.Errorf("without consent: got %d, want 403", got)
	}
	s.Consent.Shut(nil)
	mainland := s.quoted()
	mainland["region"] = "cn-east-1"
	var p struct{ Code string }
	if got := s.call("alice", "POST", "/orders", mainland, &p, "Idempotency-Key", "key-0000003"); got != 403 || p.Code != "realname.required" {
		t.Errorf("mainland without verification: got %d %s", got, p.Code)
	}
}

func TestOrdersArePaged(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	for _, key := range []string{"key-0000001", "key-0000002", "key-0000003"} {
		s.placed("alice", key)
	}
	seen, cursor := map[string]bool{}, ""
	for range 3 {
		var page api.List[api.Order]
		if got := s.call("alice", "GET", "/orders?limit=2&cursor="+cursor, nil, &page); got != 200 {
			t.Fatalf("status %d", got)
		}
		for _, o := range page.Items {
			seen[o.ID] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(seen) != 3 || cursor != "" {
		t.Errorf("got %d orders, cursor %q", len(seen), cursor)
	}
	if got := s.call("alice", "GET", "/orders?limit=0", nil, nil); got != 422 {
		t.Errorf("limit 0: got %d, want 422", got)
	}
}

// TestAMissingServiceIsQuotedOverHTTP: one that is not sold is said to be.
func TestAMissingServiceIsQuotedOverHTTP(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	f := ordertest.Demo(t)
	for i := range f.Products[0].Prices {
		for j, o := range f.Products[0].Prices[i].Options {
			f.Products[0].Prices[i].Options[j].Values = append([]catalog.FileValue{{Value: catalog.Without}}, o.Values...)
		}
	}
	if _, err := s.Catalog.Publish(context.Background(), f); err != nil {
		t.Fatal(err)
	}
	none := map[string]string{"ssl_bandwidth": "0", "ssl_connections": "0"}
	r := ordertest.Request("hk-1")
	r.Options = none
	p := s.people["alice"]
	o, err := s.Orders.Place(context.Background(), p, s.PlaceRequest(r))
	if err != nil {
		t.Fatal(err)
	}
	s.Has["vpngw-one"] = service.Item{
		ID: "svc_one", Account: p.Account, Order: o.ID, Line: o.Lines[0].ID, Product: "vpn-gateway", Region: "hk-1", Months: 1,
		Options: none, Resource: "vpngw-one", State: service.Active, DeliveredAt: ordertest.Start, PaidThrough: ordertest.Start.AddDate(0, 0, 30),
	}
	const path = "/vpn-gateways/vpngw-one/enable-service"
	var q api.ServiceQuote
	if got := s.call("alice", "POST", path, object{"service": "ssl", "bandwidth": 10, "connections": 5}, &q); got != 200 || q.Total.Amount != "375.00" || q.Options["ssl_bandwidth"] != "10" {
		t.Errorf("got %d, %+v", got, q)
	}
	for who, want := range map[string]int{"alice": 422, "bob": 404} {
		var p struct{ Code string }
		if got := s.call(who, "POST", path, object{"service": "ipsec", "bandwidth": 10, "connections": 10}, &p); got != want || want == 422 && p.Code != "order.service_not_offered" {
			t.Errorf("%s: got %d %s, want %d", who, got, p.Code, want)
		}
	}
	order := object{"kind": "upgrade", "resource": "vpngw-one", "options": q.Options, "quote_hash": q.QuoteHash}
	if got := s.call("alice", "POST", "/orders", order, nil, "Idempotency-Key", "enable-ssl-1"); got != 201 {
		t.Errorf("the order: got %d", got)
	}
}
