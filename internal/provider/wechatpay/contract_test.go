package wechatpay_test

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
	"github.com/skybridge-cloud/skybridge/internal/provider/wechatpay"
	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/wechatpay"
)

const (
	appID    = "wxd678efh567hg6787"
	mchID    = "1230000109"
	serial   = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	apiKey   = "0123456789abcdefghijklmnopqrstuv"
	pubKeyID = "PUB_KEY_ID_0112300001092026112200000000000000"
)

// keys are made once: the merchant's and the platform's.
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

func TestContractWithAPublicKey(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, func(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
		p, _ := connect(t, s, "")
		return p
	})
}

// A merchant with platform certificates alone fetches them.
func TestContractWithCertificates(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, func(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
		p, _ := connect(t, s, "second")
		return p
	})
}

// During a change both sign, in turn.
func TestContractWhileKeysChange(t *testing.T) {
	t.Parallel()
	paymenttest.Contract(t, func(t *testing.T, s *paymenttest.Site) paymenttest.Provider {
		p, _ := connect(t, s, "grey")
		return p
	})
}

func connect(t testing.TB, s *paymenttest.Site, signs string) (paymenttest.Provider, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{
		AppID: appID, MchID: mchID, SerialNo: serial, Merchant: &keys()[0].PublicKey, APIv3Key: apiKey, PublicKeyID: pubKeyID, Key: keys()[1],
		Client: s.Notices, Retries: []time.Duration{0, 0}, Now: s.Clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	sim.SetFaults(till.Faults{Key: signs})
	server := httptest.NewTLSServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	door := s.Door(t, server.Certificate(), map[string]egress.Override{wechatpay.Recipient: {Endpoint: server.URL}})
	c := wechatpay.Config{AppID: appID, MchID: mchID, SerialNo: serial, PrivateKey: private(keys()[0]), APIv3Key: apiKey}
	if signs != "second" {
		c.PublicKeyID, c.PublicKey = pubKeyID, public(t, keys()[1])
	}
	g, err := wechatpay.New(c, s.Clock, door)
	if err != nil {
		t.Fatal(err)
	}
	return paymenttest.Provider{
		Gateway: g, MerchantID: g.MerchantID(), Methods: []string{wechatpay.Native}, Secrets: []string{private(keys()[0]), apiKey},
		Payer: []string{"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
		Follow: func(t testing.TB, in payment.Instruction) {
			resp, err := server.Client().Get(server.URL + "/cashier?code=" + url.QueryEscape(in.QR))
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
		Misbehave: func(f paymenttest.Fault) bool { return misbehave(sim.Till, f, signs) },
	}, sim
}

func misbehave(to *till.Till, f paymenttest.Fault, signs string) bool {
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
		faults.Key = signs
		to.SetFaults(faults)
	}
	return known
}
