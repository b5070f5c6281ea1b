package epay_test

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/epay"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/epay"
)

func TestContract(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, connect)
}

func connect(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
	sim := simulator.New(simulator.Config{PID: "1001", Key: key, Client: s.Notices, Retries: []time.Duration{0, 0}, Now: s.Clock.Now})
	server := httptest.NewTLSServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	door := s.Door(t, server.Certificate(), map[string]egress.Override{epay.Recipient: {Endpoint: server.URL, LegalName: "Simulated gateway"}})
	g, err := epay.New(epay.Dialect{PID: "1001", Key: key}, epay.Recipient, door)
	if err != nil {
		t.Fatal(err)
	}
	return paymenttest.Provider{
		Gateway: g, MerchantID: "1001", Methods: []string{"alipay", "wxpay"}, Secrets: []string{key}, Payer: []string{"buyer@example.com"},
		Follow: func(t testing.TB, in payment.Instruction) {
			form := url.Values{}
			for k, v := range in.Fields {
				form.Set(k, v)
			}
			resp, err := server.Client().PostForm(in.URL, form)
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("the cashier: %v, %v", resp, err)
			}
			_ = resp.Body.Close()
		},
		Pay: func(t testing.TB, no string) {
			if _, ok := sim.Pay(no); !ok {
				t.Fatal("the trade is not there")
			}
			sim.Wait()
		},
		Notify: func(no string) { sim.Notify(no); sim.Wait() },
		PaidBack: func(no string) int64 {
			for _, tr := range sim.Trades() {
				if tr.OutTradeNo == no && tr.Refunded == "1.00" {
					return 100
				}
			}
			return 0
		},
		Misbehave: func(f paymenttest.Fault) bool {
			faults, known := map[paymenttest.Fault]simulator.Faults{
				paymenttest.Honest: {}, paymenttest.WrongAmount: {WrongAmount: true}, paymenttest.Foreign: {ForeignPID: true},
				paymenttest.Forged: {BadSignature: true}, paymenttest.Twice: {Duplicates: 49}, paymenttest.Lost: {LostNotice: true},
				paymenttest.Broken: {Fail500: true}, paymenttest.HangsUp: {TimeoutAfterCommit: true},
				paymenttest.BillMissing: {Bill: "missing"}, paymenttest.BillDouble: {Bill: "double"}, paymenttest.BillAmount: {Bill: "amount"},
				paymenttest.BillCut: {Bill: "truncated"},
			}[f]
			if known {
				sim.SetFaults(faults)
			}
			return known
		},
	}
}
