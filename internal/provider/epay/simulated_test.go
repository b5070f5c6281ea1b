package epay_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/epay"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/epay"
)

const key = "simulated-key-0123456789"

// register keeps disclosures in memory.
type register struct {
	mu       sync.Mutex
	intents  []egress.Intent
	outcomes []egress.Outcome
}

func (r *register) BeginDisclosure(_ context.Context, i egress.Intent) (egress.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intents = append(r.intents, i)
	return egress.Receipt{ID: "dis_1"}, nil
}

func (r *register) FinishDisclosure(_ context.Context, _ egress.Receipt, o egress.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, o)
	return nil
}

func (r *register) last() (egress.Intent, egress.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.intents[len(r.intents)-1], r.outcomes[len(r.outcomes)-1]
}

type open struct{}

func (open) Gate(context.Context, id.Handle, string) error             { return nil }
func (open) Agreement(context.Context, string, string, []string) error { return nil }
func (open) Assessment(context.Context, string) error                  { return nil }

// bench is the adapter, the gateway, and a shop that keeps what it is told.
type bench struct {
	t       *testing.T
	gateway *epay.Gateway
	sim     *simulator.Simulator
	server  *httptest.Server
	shop    *httptest.Server
	log     *register
	notices chan payment.Notice
	refusal atomicBool
}

type atomicBool struct {
	mu sync.Mutex
	on bool
}

func (b *atomicBool) set(on bool) { b.mu.Lock(); defer b.mu.Unlock(); b.on = on }
func (b *atomicBool) get() bool   { b.mu.Lock(); defer b.mu.Unlock(); return b.on }

func newBench(t *testing.T, mode epay.KeyMode) *bench {
	t.Helper()
	b := &bench{t: t, log: &register{}, notices: make(chan payment.Notice, 100)}
	b.sim = simulator.New(simulator.Config{
		PID: "1001", Key: key, AmpKey: mode == epay.AmpKey, Client: http.DefaultClient,
		Retries: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond},
	})
	b.server = httptest.NewTLSServer(b.sim)
	roots := x509.NewCertPool()
	roots.AddCert(b.server.Certificate())
	registry, err := egress.Load("mainland", true, map[string]egress.Override{epay.Recipient: {Endpoint: b.server.URL, LegalName: "Simulated gateway"}})
	if err != nil {
		t.Fatal(err)
	}
	door := egress.New(egress.Deps{Registry: registry, Ledger: b.log, Gate: open{}, Papers: open{}, Clock: clock.System{}, Roots: roots})
	b.gateway, err = epay.New(epay.Dialect{PID: "1001", Key: key, KeyMode: mode}, epay.Recipient, door)
	if err != nil {
		t.Fatal(err)
	}
	b.shop = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(func() { b.sim.Close(); b.server.Close(); b.shop.Close() })
	return b
}

func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	n, err := b.gateway.ParseNotify(payment.RawRequest{Method: r.Method, Query: r.URL.RawQuery})
	if err == nil && b.refusal.get() {
		b.refusal.set(false)
		err = errors.New("database is away")
	}
	a := b.gateway.Ack(err)
	w.Header().Set("Content-Type", a.ContentType)
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
	if err == nil {
		b.notices <- n
	}
}

func (b *bench) request(no string) payment.CreateRequest {
	return payment.CreateRequest{
		AttemptNo: no, Subject: "sub_a", Method: "alipay", Amount: money.New(19900, money.CNY), Title: "Skybridge order",
		NotifyURL: b.shop.URL + "/pay/notify/token", ReturnURL: b.shop.URL + "/pay/return/" + no,
	}
}

// browse does what a browser does with an instruction, and returns the
// cashier's page.
func (b *bench) browse(in payment.Instruction) string {
	b.t.Helper()
	form := url.Values{}
	for k, v := range in.Fields {
		form.Set(k, v)
	}
	resp, err := b.server.Client().PostForm(in.URL, form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("cashier: status %d, %v, %s", resp.StatusCode, err, body)
	}
	return string(body)
}

// press presses a button of the cashier and returns where the browser is sent.
func (b *bench) press(button, trade string) string {
	b.t.Helper()
	c := *b.server.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.PostForm(b.server.URL+"/cashier/"+button, url.Values{"trade": {trade}})
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s: status %d", button, resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

func (b *bench) ref(no string) payment.AttemptRef {
	return payment.AttemptRef{AttemptNo: no, Subject: "sub_a", Amount: money.New(19900, money.CNY)}
}

var modes = []struct {
	name string
	mode epay.KeyMode
}{{"plain", epay.Plain}, {"amp_key", epay.AmpKey}}

func TestAPaymentAtTheGateway(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			b, ctx := newBench(t, m.mode), context.Background()
			in, err := b.gateway.Create(ctx, b.request("S1"))
			if err != nil {
				t.Fatal(err)
			}
			sent := []string{}
			for k := range in.Fields {
				sent = append(sent, k)
			}
			slices.Sort(sent)
			want := "money name notify_url out_trade_no pid return_url sign sign_type type"
			if got := strings.Join(sent, " "); got != want || in.Kind != payment.FormPost || in.URL != b.server.URL+"/submit.php" {
				t.Errorf("sent %q to %s, want %q", got, in.URL, want)
			}
			if i, o := b.log.last(); o != egress.Done || i.Subject != "sub_a" || strings.Join(i.Fields, " ") != "order_no amount" {
				t.Errorf("disclosure: got %+v, %s", i, o)
			}
			if _, err := b.gateway.Query(ctx, b.ref("S1")); !errors.Is(err, payment.ErrTradeNotFound) {
				t.Errorf("before the browser came: got %v, want ErrTradeNotFound", err)
			}
			if page := b.browse(in); !strings.Contains(page, "199.00") || !strings.Contains(page, `id="pay"`) {
				t.Errorf("cashier page: %s", page)
			}
			if f, err := b.gateway.Query(ctx, b.ref("S1")); err != nil || f.State != payment.FactPending {
				t.Errorf("before paying: got %s, %v", f.State, err)
			}
			trade := b.sim.Trades()[0].TradeNo
			b.refusal.set(true) // the first delivery fails, the gateway comes again
			back := b.press("pay", trade)
			if !strings.HasPrefix(back, b.shop.URL+"/pay/return/S1?") {
				t.Errorf("sent back to %s", back)
			}
			n := <-b.notices
			f, err := b.gateway.Query(ctx, b.ref("S1"))
			if err != nil || f.State != payment.FactPaid || f.TradeNo != trade || f.PaidAt.IsZero() {
				t.Errorf("query: got %+v, %v", f, err)
			}
			f.PaidAt = time.Time{}
			if n.Fact != f {
				t.Errorf("the notice says %+v, the query %+v", n.Fact, f)
			}
		})
	}
}

func TestCancellingAtTheCashierPaysNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, epay.Plain)
	in, err := b.gateway.Create(context.Background(), b.request("S1"))
	if err != nil {
		t.Fatal(err)
	}
	b.browse(in)
	if back := b.press("cancel", b.sim.Trades()[0].TradeNo); back != b.shop.URL+"/pay/return/S1" {
		t.Errorf("sent back to %s", back)
	}
	if tr := b.sim.Trades()[0]; tr.Paid || tr.Notices != 0 {
		t.Errorf("got %+v", tr)
	}
}

func TestAFormThatIsNotOursIsRefusedByTheGateway(t *testing.T) {
	t.Parallel()
	b := newBench(t, epay.Plain)
	for name, change := range map[string]func(map[string]string){
		"a lower price": func(f map[string]string) { f["money"] = "0.01" },
		"another pid":   func(f map[string]string) { f["pid"] = "1002" },
		"no signature":  func(f map[string]string) { delete(f, "sign") },
	} {
		in, err := b.gateway.Create(context.Background(), b.request("S1"))
		if err != nil {
			t.Fatal(err)
		}
		change(in.Fields)
		form := url.Values{}
		for k, v := range in.Fields {
			form.Set(k, v)
		}
		resp, err := b.server.Client().PostForm(in.URL, form)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || len(b.sim.Trades()) != 0 {
			t.Errorf("%s: got status %d, %d trades", name, resp.StatusCode, len(b.sim.Trades()))
		}
	}
}

func TestQuestionsToABrokenGateway(t *testing.T) {
	t.Parallel()
	b, ctx := newBench(t, epay.Plain), context.Background()
	for name, f := range map[string]simulator.Faults{"500": {Fail500: true}, "no answer": {TimeoutAfterCommit: true}} {
		b.sim.SetFaults(f)
		_, err := b.gateway.Query(ctx, b.ref("S1"))
		if !errors.Is(err, payment.ErrTemporary) {
			t.Errorf("%s: got %v, want ErrTemporary", name, err)
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error holds the key", name)
		}
		if _, o := b.log.last(); o != egress.Unknown {
			t.Errorf("%s: recorded as %s, want unknown", name, o)
		}
	}
}

func TestFaultsOfNotices(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		faults  simulator.Faults
		notices int // that verify
		check   func(payment.Fact) bool
	}{
		{"duplicates", simulator.Faults{Duplicates: 2}, 3, func(f payment.Fact) bool { return f.Amount.Minor == 19900 }},
		{"wrong amount", simulator.Faults{WrongAmount: true}, 1, func(f payment.Fact) bool { return f.Amount.Minor == 19901 }},
		{"foreign pid", simulator.Faults{ForeignPID: true}, 1, func(f payment.Fact) bool { return f.MerchantID == "10019" }},
		{"bad signature", simulator.Faults{BadSignature: true}, 0, nil},
		{"lost", simulator.Faults{LostNotice: true}, 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, epay.Plain)
			in, err := b.gateway.Create(context.Background(), b.request("S1"))
			if err != nil {
				t.Fatal(err)
			}
			b.browse(in)
			b.sim.SetFaults(c.faults)
			if _, ok := b.sim.Pay("S1"); !ok {
				t.Fatal("the trade is not there")
			}
			for range c.notices {
				if n := <-b.notices; !c.check(n.Fact) {
					t.Errorf("got %+v", n.Fact)
				}
			}
			b.sim.Wait()
			if len(b.notices) != 0 || b.sim.Trades()[0].Acked != (c.notices > 0) {
				t.Errorf("%d notices too many, acknowledged %v", len(b.notices), b.sim.Trades()[0].Acked)
			}
		})
	}
}

func TestReorderedNotices(t *testing.T) {
	t.Parallel()
	b := newBench(t, epay.Plain)
	for _, no := range []string{"S1", "S2"} {
		in, err := b.gateway.Create(context.Background(), b.request(no))
		if err != nil {
			t.Fatal(err)
		}
		b.browse(in)
	}
	b.sim.SetFaults(simulator.Faults{Reorder: true})
	b.sim.Pay("S1")
	b.sim.Pay("S2")
	if first, second := <-b.notices, <-b.notices; first.AttemptNo != "S2" || second.AttemptNo != "S1" {
		t.Errorf("got %s before %s, want S2 before S1", first.AttemptNo, second.AttemptNo)
	}
}

func TestTheControlEndpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, epay.Plain)
	post := func(path, body string) int {
		resp, err := b.server.Client().Post(b.server.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := post("/control/faults", `{"slow_ms":1,"lost_notice":true}`); got != 200 || b.sim.Faults() != (simulator.Faults{SlowMS: 1, LostNotice: true}) {
		t.Errorf("got %d, %+v", got, b.sim.Faults())
	}
	if got := post("/control/faults", `{"explode":true}`); got != 400 {
		t.Errorf("an unknown fault: got %d", got)
	}
	if got := post("/control/pay?out_trade_no=absent", ""); got != 404 {
		t.Errorf("paying what is not there: got %d", got)
	}
}
