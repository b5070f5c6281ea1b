package callback_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/web/callback"
)

func newServer(t *testing.T) (*paymenttest.Shop, http.Handler) {
	t.Helper()
	s := paymenttest.New(t, dbtest.SQLite(t, paymenttest.Sets()...))
	mux := http.NewServeMux()
	callback.Payments(mux, s.Pay, slog.New(slog.DiscardHandler))
	return s, mux
}

func do(h http.Handler, method, path, kind string, body io.Reader) *http.Response {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestANoticeIsAnsweredInTheProvidersWords(t *testing.T) {
	t.Parallel()
	s, h := newServer(t)
	o, a := s.Started(ordertest.Customer())
	notice := paymenttest.Raw(paymenttest.Paid(a, "T1"))
	forged := do(h, "POST", "/pay/notify/"+paymenttest.Token, "forged", strings.NewReader(string(notice.Body)))
	if got := text(t, forged); forged.StatusCode != 500 || got != "again" {
		t.Errorf("forged: got %d %q", forged.StatusCode, got)
	}
	for range 2 {
		good := do(h, "POST", "/pay/notify/"+paymenttest.Token, notice.ContentType, strings.NewReader(string(notice.Body)))
		if got := text(t, good); good.StatusCode != 200 || got != "thanks" {
			t.Errorf("good: got %d %q", good.StatusCode, got)
		}
	}
	if got := s.Order(o.ID).State; got != order.Paid {
		t.Errorf("got order %s", got)
	}
}

func TestNoticesThatAreNotRead(t *testing.T) {
	t.Parallel()
	_, h := newServer(t)
	if got := do(h, "GET", "/pay/notify/unknown", "", nil).StatusCode; got != 404 {
		t.Errorf("an unknown token: got %d, want 404", got)
	}
	if got := do(h, "POST", "/pay/notify/"+paymenttest.Token, "signed", strings.NewReader(strings.Repeat("x", 64<<10+1))).StatusCode; got != 413 {
		t.Errorf("a notice that is too large: got %d, want 413", got)
	}
	refused := 0
	for range 400 {
		if do(h, "GET", "/pay/notify/unknown", "", nil).StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("400 notices at once from one source were all read")
	}
}

func TestAReturnLeadsToACleanPageAndPaysNothing(t *testing.T) {
	t.Parallel()
	s, h := newServer(t)
	o, a := s.Started(ordertest.Customer())
	signed := "?trade_status=TRADE_SUCCESS&money=" + a.Amount.String() + "&sign=0123456789abcdef"
	for _, method := range []string{"GET", "POST"} {
		got := do(h, method, "/pay/return/"+a.No+signed, "", nil)
		if to := got.Header.Get("Location"); got.StatusCode != http.StatusSeeOther || to != "/orders/"+o.ID {
			t.Errorf("%s: got %d to %q, want 303 to the order", method, got.StatusCode, to)
		}
	}
	s.Settle()
	if got := s.Order(o.ID).State; got != order.PendingPayment || s.Till.Asked() != 1 {
		t.Errorf("got order %s after %d questions, want it waiting after 1", got, s.Till.Asked())
	}
	if to := do(h, "GET", "/pay/return/S0", "", nil).Header.Get("Location"); to != "/orders" {
		t.Errorf("an unknown number: got %q, want /orders", to)
	}
	s.Till.Know(paymenttest.Paid(a, "T1"))
	s.Clock.Advance(10e9)
	do(h, "GET", "/pay/return/"+a.No, "", nil)
	s.Settle()
	got, err := s.Pay.Get(context.Background(), o.Account, a.No)
	if err != nil || got.State != payment.Succeeded {
		t.Errorf("asked after the return: got %s, %v", got.State, err)
	}
}
