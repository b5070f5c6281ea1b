package alipay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/alipay"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/alipay"
	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

const (
	appID    = "2014072300007148"
	sellerID = "2088102146225135"
)

// keys are made once: the application's and Alipay's.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var all [2]*rsa.PrivateKey
	for i := range all {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all[i] = key
	}
	return all
})

func private(key *rsa.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key))
}

func public(t testing.TB, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestContractWithAKey(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, func(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
		p, _ := connect(t, s, false)
		return p
	})
}

func TestContractWithCertificates(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, func(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
		p, _ := connect(t, s, true)
		return p
	})
}

func connect(t testing.TB, s *paymenttest.Site, certificates bool) (paymenttest.Provider, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{
		AppID: appID, SellerID: sellerID, Merchant: &keys()[0].PublicKey, Key: keys()[1], Certificates: certificates,
		Client: s.Notices, Retries: []time.Duration{0, 0}, Now: s.Clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	door := s.Door(t, server.Certificate(), map[string]egress.Override{alipay.Recipient: {Endpoint: server.URL}, alipay.BillRecipient: {Endpoint: server.URL}})
	c := alipay.Config{AppID: appID, SellerID: sellerID, PrivateKey: private(keys()[0])}
	if certificates {
		c.AppCert, c.AlipayCert, c.RootCert = sim.App, sim.First+sim.SecondPEM+sim.Root, sim.Root
	} else {
		c.PublicKey = public(t, keys()[1])
	}
	g, err := alipay.New(c, s.Clock, door)
	if err != nil {
		t.Fatal(err)
	}
	return paymenttest.Provider{
		Gateway: g, MerchantID: g.MerchantID(), Methods: alipay.Methods(), Secrets: []string{private(keys()[0])},
		Payer: []string{"2088000000000001", "payer@example.com", "pay***@example.com", "seller@example.com"},
		Follow: func(t testing.TB, in payment.Instruction) {
			address := in.URL
			if in.Kind == payment.QRCode {
				address = server.URL + "/cashier?code=" + url.QueryEscape(in.QR)
			}
			resp, err := server.Client().Get(address)
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("the cashier: %v, %v", resp, err)
			}
			_ = resp.Body.Close()
		},
		Pay: func(t testing.TB, no string) {
			if _, err := sim.Pay(no); err != nil {
				t.Fatal(err)
			}
			sim.Wait()
		},
		Notify:    func(no string) { sim.Notify(no); sim.Wait() },
		End:       func(no string) { _ = sim.End(no) },
		PaidBack:  func(no string) int64 { tr, _ := sim.Get(no); sim.Wait(); return tr.Refunded() },
		Misbehave: func(f paymenttest.Fault) bool { return misbehave(sim.Till, f) },
	}, sim
}

func misbehave(to *till.Till, f paymenttest.Fault) bool {
	faults, known := map[paymenttest.Fault]till.Faults{
		paymenttest.Honest: {}, paymenttest.WrongAmount: {WrongAmount: true}, paymenttest.Foreign: {ForeignMerchant: true},
		paymenttest.Forged: {BadSignature: true}, paymenttest.Twice: {Duplicates: 49}, paymenttest.Lost: {LostNotice: true},
		paymenttest.Broken: {Fail500: true}, paymenttest.HangsUp: {TimeoutAfterCommit: true}, paymenttest.Unsigned: {Unsigned: true},
		paymenttest.Misanswered: {BadAnswer: true}, paymenttest.Slow: {RefundState: "processing"},
		paymenttest.BillMissing: {Bill: "missing"}, paymenttest.BillDouble: {Bill: "double"}, paymenttest.BillAmount: {Bill: "amount"},
		paymenttest.BillNoBack: {Bill: "no_refund"}, paymenttest.BillDamaged: {Bill: "damaged"}, paymenttest.BillCut: {Bill: "truncated"},
		paymenttest.BillLate: {Bill: "late"},
	}[f]
	if known {
		to.SetFaults(faults)
	}
	return known
}
