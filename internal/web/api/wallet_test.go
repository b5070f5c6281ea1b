package api_test

import (
	"encoding/csv"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// paidIn tops up a customer's wallet by a notice of the provider.
func (s *shopAPI) paidIn(who, amount string) {
	s.t.Helper()
	var p api.PaymentStart
	if got := s.call(who, "POST", "/wallet/top-ups", object{"method": paymenttest.Method, "amount": amount}, &p); got != 201 {
		s.t.Fatalf("top-up: status %d", got)
	}
	a, err := s.Pay.Get(s.t.Context(), s.people[who].Account, p.Payment.Number)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Pay.HandleNotify(s.t.Context(), paymenttest.Token, paymenttest.Raw(paymenttest.Paid(a, "T-"+a.No))); err != nil {
		s.t.Fatal(err)
	}
}

func TestAWalletIsPaidInAndSpentOverTheAPI(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	for _, bad := range []any{"0", "0.99", "-5", "1e3", "50000.01", "1.001", 100, object{"amount": "5.00", "currency": "CNY"}} {
		if got := s.call("alice", "POST", "/wallet/top-ups", object{"method": paymenttest.Method, "amount": bad}, nil); got != 400 && got != 422 {
			t.Errorf("a top-up of %v: got %d", bad, got)
		}
	}
	o := s.placed("alice", "key-00001")
	s.paidIn("alice", "500.00")
	var w api.Wallet
	if got := s.call("alice", "GET", "/wallet", nil, &w); got != 200 || w.Balance.Amount != "500.00" || len(w.Lines) != 1 || !w.TopUp.Open {
		t.Fatalf("got %d, %+v", got, w)
	}
	for _, body := range []any{object{"amount": "0.01"}, object{"gift": "1"}} {
		if got := s.call("alice", "POST", "/orders/"+o.ID+"/wallet-payment", body, nil); got == 200 && s.Order(o.ID).PaidAt.IsZero() {
			t.Errorf("a field decided something: %v", body)
		}
	}
	if got := s.call("bob", "POST", "/orders/"+o.ID+"/wallet-payment", nil, nil); got != 404 {
		t.Errorf("another's order: got %d, want 404", got)
	}
	var paid api.Order
	if got := s.call("alice", "POST", "/orders/"+o.ID+"/wallet-payment", nil, &paid); got != 200 || paid.State == "pending_payment" {
		t.Errorf("got %d, %s", got, paid.State)
	}
	again := s.placed("alice", "key-00002")
	var start api.PaymentStart
	for s.call("alice", "GET", "/wallet", nil, &w); w.Balance.Amount != "0.00"; s.call("alice", "GET", "/wallet", nil, &w) {
		if got := s.call("alice", "POST", "/orders/"+again.ID+"/payments", object{"method": paymenttest.Method, "mixed": true}, &start); got == 422 { // covered
			s.call("alice", "POST", "/orders/"+again.ID+"/wallet-payment", nil, nil)
			again = s.placed("alice", "key-"+again.ID)
		} else if got != 201 || start.Payment.Held == nil {
			t.Fatalf("mixed: got %d, %+v", got, start)
		}
	}
	if s.call("alice", "GET", "/wallet", nil, &w); w.Held != *start.Payment.Held || w.Held.Amount == "0.00" {
		t.Errorf("held: got %+v, want %+v", w.Held, start.Payment.Held)
	}
}

func TestStaffBookOverTheAPI(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	o := s.placed("alice", "key-00001")
	var start api.PaymentStart
	if got := s.call("alice", "POST", "/orders/"+o.ID+"/payments", object{"method": "bank.transfer"}, &start); got != 201 {
		t.Fatalf("got %d", got)
	}
	seen := object{
		"payment": start.Payment.Number, "bank_reference": "=HYPERLINK(1)", "amount": o.Total.Amount, "received_on": "2026-11-22",
		"proof": "statement", "reason": "seen",
	}
	for _, who := range []string{"alice", "staff"} {
		if got := s.call(who, "POST", "/admin/bank-transfers", seen, nil); got != 403 {
			t.Errorf("%s: got %d, want 403", who, got)
		}
	}
	var waiting api.List[api.AwaitedTransfer]
	if got := s.call("staff", "GET", "/admin/awaited-transfers", nil, &waiting); got != 200 || len(waiting.Items) != 1 || len(waiting.Items[0].BankReference) != 10 {
		t.Errorf("got %d, %+v", got, waiting)
	}
	var done api.BankTransfer
	if got := s.call("clerk", "POST", "/admin/bank-transfers", seen, &done); got != 201 || done.State != "booked" || done.Result != "applied" || done.ReceivedOn != "2026-11-22" {
		t.Errorf("got %d, %+v", got, done)
	}
	gift := object{"kind": "gift", "account": string(s.people["bob"].Account), "amount": "800.00", "expires_on": "2026-12-31", "reason": "autumn"}
	var g api.Grant
	if got := s.call("clerk", "POST", "/admin/grants", gift, &g); got != 201 || g.State != "waiting" {
		t.Errorf("got %d, %+v", got, g)
	}
	if got := s.call("clerk", "POST", "/admin/grants/"+g.ID+"/decision", object{"verdict": "book"}, nil); got != 403 {
		t.Errorf("by the same person: got %d, want 403", got)
	}
	var trial api.List[api.BookAccount]
	if got := s.call("clerk", "GET", "/admin/books/trial-balance?day=2026-11-22", nil, &trial); got != 200 || len(trial.Items) != 2 {
		t.Errorf("got %d, %+v", got, trial)
	}
	var days api.List[api.BookDay]
	if got := s.call("clerk", "GET", "/admin/books/days?from=2026-11-01&to=2026-11-30", nil, &days); got != 200 || len(days.Items) != 1 || days.Items[0].Sold != o.Total {
		t.Errorf("got %d, %+v", got, days)
	}
	for _, span := range []string{"from=2026-11-30&to=2026-11-01", "from=2020-01-01&to=2026-11-01", "from=x&to=2026-11-01"} {
		if got := s.call("clerk", "GET", "/admin/books/days?"+span, nil, nil); got != 422 && got != 400 {
			t.Errorf("%s: got %d", span, got)
		}
	}
	s.exported(string(s.people["alice"].Account))
}

// exported reads the export: no cell is a formula, nobody is named.
func (s *shopAPI) exported(person string) {
	s.t.Helper()
	r := httptest.NewRequest("GET", "/api/v1/admin/books/export?from=2026-11-01&to=2026-11-30", nil)
	r.Header.Set("Authorization", "Bearer clerk")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\uFEFF"))).ReadAll()
	if err != nil || w.Code != 200 || len(rows) != 3 {
		s.t.Fatalf("export: %d, %v, %v", w.Code, rows, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") || strings.Contains(cell, person) {
				s.t.Errorf("a cell of the export: %q", cell)
			}
		}
	}
}
