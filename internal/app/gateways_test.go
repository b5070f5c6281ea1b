package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// tillsOf starts the simulated Alipay and WeChat Pay of a demonstration.
func tillsOf(t *testing.T) (*rig, config.Config) {
	t.Helper()
	servers := []*httptest.Server{httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)}
	in := install(t, func(c *config.Config) {
		c.Alipay.Types = []string{"page", "qr", "wap"}
		c.Demo.Alipay, c.Demo.WechatPay = servers[0].Listener.Addr().String(), servers[1].Listener.Addr().String()
	})
	handlers := map[string]http.Handler{}
	must(t, tills(in.cfg, slog.New(slog.DiscardHandler), handlers))
	for _, s := range servers {
		s.Config.Handler = handlers[s.Listener.Addr().String()]
		s.Start()
		t.Cleanup(s.Close)
	}
	return in, in.cfg
}

// A customer pays at Alipay and at WeChat Pay, by each method that the API lists,
// from the consent to what was bought.
func TestPayingByAlipayAndWeChatPay(t *testing.T) {
	t.Parallel()
	in, cfg := tillsOf(t)
	p := in.verified("alice", 1)
	var ways []string
	for _, m := range p.do(200, "GET", "/payment-methods", nil).json["items"].([]any) {
		method := m.(map[string]any)
		way := method["id"].(string)
		if strings.HasPrefix(way, "epay") || method["kind"] == "manual" {
			continue
		}
		ways = append(ways, way)
		p.name = "alice-" + method["type"].(string) // what is bought has a name of its own
		p.ids["orders"] = p.order()
		at := "/orders/" + p.ids["orders"] + "/payments"
		if !slices.ContainsFunc(ways[:len(ways)-1], func(w string) bool { return strings.HasPrefix(w, method["kind"].(string)) }) {
			p.do(403, "POST", at, object{"method": way}) // nothing goes there before the person agrees
			p.consent(method["purpose"].(string))
		}
		start := p.do(201, "POST", at, object{"method": way})
		host, address := cfg.Demo.Alipay, start.str("instruction.url")
		if code := start.str("instruction.qr"); code != "" {
			if method["kind"] == "wechatpay" {
				host = cfg.Demo.WechatPay
			}
			address = "http://" + host + "/cashier?code=" + url.QueryEscape(code)
		}
		in.telephone(host, address)
		p.paid()
		in.drain()
		in.report()
		if got := p.orderState(); got != "completed" {
			t.Errorf("%s: the order is %s, want completed", way, got)
		}
	}
	if want := "alipay-demo.page alipay-demo.qr alipay-demo.wap wechatpay-demo.native"; strings.Join(ways, " ") != want {
		t.Errorf("got %v, want %s", ways, want)
	}
	for _, secret := range []string{"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "payer@example.com", "2088000000000001"} {
		if strings.Contains(in.log.String(), secret) {
			t.Errorf("%s is logged", secret)
		}
	}
}

// telephone opens an address of a simulated provider and pays what is there.
func (in *rig) telephone(host, address string) {
	in.t.Helper()
	page, err := in.client.Get(address)
	must(in.t, err)
	text, err := io.ReadAll(page.Body)
	must(in.t, err)
	must(in.t, page.Body.Close())
	found := trade.FindSubmatch(text)
	if found == nil {
		in.t.Fatalf("%s answered %d without a trade", host, page.StatusCode)
	}
	paid, err := in.client.PostForm("http://"+host+"/cashier/pay", url.Values{"trade": {string(found[1])}})
	must(in.t, err)
	must(in.t, paid.Body.Close())
}

// What an operator configured and what cannot work is told before the first sale.
func TestTheDoctorLooksAtPaymentAccounts(t *testing.T) {
	t.Parallel()
	demo := config.Default()
	demo.Data = t.TempDir()
	demo.Demo = config.Demo{Enabled: true, Alipay: "127.0.0.1:1"}
	private, public, err := demoPair(demo, "alipay")
	must(t, err)
	dir := t.TempDir()
	file := func(name, text string) string {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return filepath.Join(dir, name)
	}
	good := config.Alipay{AppID: "2014", SellerID: "2088", PrivateKeyFile: file("a", private), PublicKeyFile: file("b", public), Endpoint: "https://openapi.alipay.com", Types: []string{"page"}}
	wechat := config.WechatPay{AppID: "wx1", MchID: "1", SerialNo: "AB", PrivateKeyFile: file("c", private), APIv3KeyFile: file("d", "short")}
	found := paymentAccounts(config.Config{Alipay: good, WechatPay: wechat, Console: config.Console{URL: "https://shop.example.org"}})
	if len(found) != 2 || !found[0].ok || found[1].ok || !found[1].needed || !strings.Contains(found[1].remedy, "32 characters") {
		t.Errorf("got %+v", found)
	}
	if got := paymentAccounts(config.Config{}); len(got) != 1 || got[0].ok || got[0].needed {
		t.Errorf("without an account: got %+v", got)
	}
	good.SellerID = ""
	if got := paymentAccounts(config.Config{Alipay: good}); len(got) == 0 || got[0].ok {
		t.Errorf("without a seller: got %+v", got)
	}
	public0 := config.Config{Alipay: config.Alipay{AppID: "2014", SellerID: "2088", PrivateKeyFile: file("e", private), PublicKeyFile: file("f", public), Types: []string{"page"}}, Console: config.Console{URL: "https://127.0.0.1:8443"}}
	if got := paymentAccounts(public0); len(got) != 2 || got[1].ok || !strings.Contains(got[1].what, "notices") {
		t.Errorf("an address that no provider reaches: got %+v", got)
	}
}
