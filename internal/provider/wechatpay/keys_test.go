package wechatpay_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/wechatpay"
	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

func site(t *testing.T) *paymenttest.Site {
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	return &paymenttest.Site{Clock: clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)), Notices: server.Client(), Register: &paymenttest.Register{}}
}

// A new platform certificate is fetched when an answer names it, at most once a
// minute, and what names a key of nobody is never believed.
func TestPlatformCertificatesChange(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), site(t)
	p, sim := connect(t, s, "second")
	g := p.Gateway.(*wechatpay.Gateway)
	ask := func() error {
		_, err := g.Create(ctx, payment.CreateRequest{
			AttemptNo: "S" + id.Random(15)[:23], Subject: "sub_a", Method: wechatpay.Native, Amount: money.New(100, money.CNY), Title: "x",
			NotifyURL: paymenttest.BaseURL + "/pay/notify/x", ExpireAt: s.Clock.Now().Add(time.Hour),
		})
		return err
	}
	if err := ask(); err != nil { // the first certificate is fetched
		t.Fatal(err)
	}
	if err := sim.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("a new key within a minute: got %v", err)
	}
	if err := g.RefreshKeys(ctx); !errors.Is(err, payment.ErrTemporary) {
		t.Errorf("fetched twice within a minute: %v", err)
	}
	s.Clock.Advance(time.Minute)
	if err := ask(); err != nil {
		t.Errorf("after a minute: got %v", err)
	}
	sim.Foreign(true)
	s.Clock.Advance(time.Minute)
	if err := ask(); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("a key of nobody: got %v", err)
	}
	sim.Foreign(false)
	sim.SetFaults(till.Faults{Key: "second", Stale: true})
	if err := ask(); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("an old answer: got %v", err)
	}
}

// Certificates that are signed by nobody, or encrypted with another key, are not
// taken.
func TestForgedCertificatesAreNotTaken(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), site(t)
	p, sim := connect(t, s, "second")
	g := p.Gateway.(*wechatpay.Gateway)
	for _, f := range []till.Faults{{Unsigned: true}, {BadAnswer: true}, {Stale: true}} {
		s.Clock.Advance(time.Minute)
		sim.SetFaults(f)
		if err := g.RefreshKeys(ctx); err == nil {
			t.Errorf("%+v: taken", f)
		}
	}
	s.Clock.Advance(time.Minute)
	sim.SetFaults(till.Faults{Key: "second"})
	if err := g.RefreshKeys(ctx); err != nil {
		t.Error(err)
	}
}

// A file that is not the one announced is not believed.
func TestASpoiledBill(t *testing.T) {
	t.Parallel()
	s := site(t)
	p, sim := connect(t, s, "")
	sim.SetFaults(till.Faults{Bill: "damaged"})
	err := p.Gateway.(payment.Biller).Bill(context.Background(), s.Clock.Now().Add(-24*time.Hour), func(payment.BillRow) error { return nil })
	if err == nil || errors.Is(err, payment.ErrTradeNotFound) {
		t.Errorf("got %v, want that it is not believed", err)
	}
}
