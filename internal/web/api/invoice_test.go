package api_test

import (
	"encoding/csv"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// fetch gets a file.
func (s *shopAPI) fetch(who, path string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest("GET", "/api/v1"+path, nil)
	r.Header.Set("Authorization", "Bearer "+who)
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// invoiced is an order of alice's that her wallet has paid, with its invoice.
func (s *shopAPI) invoiced(key string) (api.Order, api.Invoice) {
	s.t.Helper()
	s.paidIn("alice", "500.00")
	o := s.placed("alice", key)
	if got := s.call("alice", "POST", "/orders/"+o.ID+"/wallet-payment", nil, nil); got != 200 {
		s.t.Fatalf("paying: status %d", got)
	}
	var all api.List[api.Invoice]
	if got := s.call("alice", "GET", "/invoices?order="+o.ID, nil, &all); got != 200 || len(all.Items) != 1 {
		s.t.Fatalf("got %d, %+v", got, all)
	}
	return o, all.Items[0]
}

func TestDocumentsAreTheirBuyersAndStaffs(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	o, first := s.invoiced("key-00001")
	if first.Number != "INV-2026-000001" || first.Total != o.Total || first.TaxPercent != "6%" || first.State != "issued" {
		t.Errorf("got %+v", first)
	}
	s.invoiced("key-00002")
	for _, path := range []string{"/invoices/" + first.ID, "/invoices/" + first.ID + "/pdf", "/invoices?cursor=" + first.ID} {
		if got := s.call("bob", "GET", path, nil, nil); got != 404 {
			t.Errorf("another's %s: got %d, want 404", path, got)
		}
	}
	for _, path := range []string{"/admin/invoices", "/admin/invoices/" + first.ID, "/admin/invoices/" + first.ID + "/pdf"} {
		if got := s.call("alice", "GET", path, nil, nil); got != 403 {
			t.Errorf("a customer at %s: got %d, want 403", path, got)
		}
		if got := s.fetch("staff", path).Code; got != 200 {
			t.Errorf("staff at %s: got %d", path, got)
		}
	}
	var d api.InvoiceDetail
	if got := s.call("alice", "GET", "/invoices/"+first.ID+"?language=en", nil, &d); got != 200 || len(d.Lines) != 1 || d.Seller.LegalName != "示例云" {
		t.Fatalf("got %d, %+v", got, d)
	}
	if l := d.Lines[0]; l.ProductName == l.Product || !strings.Contains(l.Chosen, "5 SSL connections") || l.RegionName == l.Region {
		t.Errorf("a line without names: %+v", l)
	}
	pdf := s.fetch("alice", "/invoices/"+first.ID+"/pdf?language=zh-CN")
	if pdf.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(pdf.Body.String(), "%PDF-") ||
		!strings.Contains(pdf.Header().Get("Content-Disposition"), first.Number+".pdf") || pdf.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", pdf.Header())
	}
	for query, want := range map[string]int{
		"": 2, "kind=invoice": 2, "kind=credit_note": 0, "number=inv-2026-000002": 1, "number=INV-2026-000099": 0, "order=" + o.ID: 1,
		"account=" + d.Account: 2, "account=acc_x": 0, "from=2026-11-22&to=2026-11-22": 2, "from=2026-11-23": 0, "to=2026-11-21": 0, "limit=1": 1,
	} {
		var all api.List[api.StaffInvoice]
		if got := s.call("staff", "GET", "/admin/invoices?"+query, nil, &all); got != 200 || len(all.Items) != want {
			t.Errorf("%s: got %d with %d, want %d", query, got, len(all.Items), want)
		}
	}
	for _, query := range []string{"number=17", "number=INV-x-1", "from=yesterday", "kind=fapiao"} {
		if got := s.call("staff", "GET", "/admin/invoices?"+query, nil, nil); got < 400 || got >= 500 {
			t.Errorf("%s: got %d", query, got)
		}
	}
}

func TestABillIsReadAndSaved(t *testing.T) {
	t.Parallel()
	s := newShopAPI(t)
	o, _ := s.invoiced("key-00001")
	s.invoiced("key-00002")
	var months api.List[api.BillSum]
	if got := s.call("alice", "GET", "/bills", nil, &months); got != 200 || len(months.Items) != 1 || months.Items[0].Month != "2026-11" || months.Items[0].Count != 2 {
		t.Fatalf("got %d, %+v", got, months)
	}
	var b api.Bill
	if got := s.call("alice", "GET", "/bills/month?month=2026-11&language=en", nil, &b); got != 200 || b.Total != months.Items[0].Total || len(b.Orders) != 2 || b.Orders[0].Order != o.ID || len(b.Resources) != 1 {
		t.Errorf("got %d, %+v", got, b)
	}
	if got := s.call("bob", "GET", "/bills/month?month=2026-11", nil, &b); got != 200 || len(b.Lines) != 0 || b.Total.Amount != "0.00" {
		t.Errorf("another's: got %d, %+v", got, b)
	}
	if got := s.call("alice", "GET", "/bills/month?month=2026-13", nil, nil); got != 400 {
		t.Errorf("no month: got %d", got)
	}
	saved := s.fetch("alice", "/bills/export?month=2026-11&language=en")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(saved.Body.String(), "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][6] != "Product" || rows[1][4] != o.ID || saved.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got %v, %v, %v", rows, err, saved.Header())
	}
}
