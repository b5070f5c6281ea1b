package egress_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// register is a disclosure register in memory.
type register struct {
	mu       sync.Mutex
	intents  []egress.Intent
	outcomes []egress.Outcome
	fail     error
}

func (r *register) BeginDisclosure(_ context.Context, i egress.Intent) (egress.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return egress.Receipt{}, r.fail
	}
	r.intents = append(r.intents, i)
	return egress.Receipt{ID: "dis_1"}, nil
}

func (r *register) FinishDisclosure(_ context.Context, _ egress.Receipt, o egress.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, o)
	return nil
}

var errShut = errs.New(errs.Forbidden, "consent.gate_closed")

type gate struct{ shut bool }

func (g *gate) Gate(context.Context, id.Handle, string) error {
	if g.shut {
		return errShut
	}
	return nil
}

// papers are in force but for what is shut.
type papers struct{ contract, assessment error }

func (p papers) Agreement(context.Context, string, string, []string) error { return p.contract }
func (p papers) Assessment(context.Context, string) error                  { return p.assessment }

// form posts what an identity check sends.
func form(p *egress.Permit) (*http.Response, error) {
	return p.Client().PostForm(p.URL(), url.Values{"UserName": {"x"}, "IdentifyNum": {"x"}, "ParamType": {"sm2"}})
}

type rig struct {
	e    *egress.Egress
	log  *register
	gate *gate
	hits *int
}

// newRig starts a recipient on loopback, with TLS, in demo mode.
func newRig(t testing.TB, h http.HandlerFunc) rig {
	t.Helper()
	hits := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		h(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	registry, err := egress.Load("mainland", true, map[string]egress.Override{
		"idv.aliyun": {Endpoint: server.URL}, "sms.aliyun": {Endpoint: server.URL}, "pay.epay": {Endpoint: server.URL + "/gateway"},
		"pay.alipay": {Endpoint: server.URL}, "pay.wechatpay": {Endpoint: server.URL},
	})
	must(t, err)
	r := rig{log: &register{}, gate: &gate{}, hits: &hits}
	r.e = egress.New(egress.Deps{Registry: registry, Ledger: r.log, Gate: r.gate, Papers: papers{}, Clock: clock.NewFake(now), Roots: roots})
	return r
}

var ctx = context.Background()

func idv() egress.Call {
	return egress.Call{Recipient: "idv.aliyun", Op: "Id2MetaVerify", Subject: "sub_a", Fields: []string{"UserName", "IdentifyNum", "ParamType"}}
}

func TestTheIntentIsCommittedBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	var r rig
	r = newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		if len(r.log.intents) != 1 {
			t.Errorf("the request came with %d intents committed", len(r.log.intents))
		}
		_, _ = io.WriteString(w, "ok")
	})
	p, err := r.e.Begin(ctx, idv())
	must(t, err)
	resp, err := form(p)
	must(t, err)
	body, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	must(t, p.Finish(ctx, p.OutcomeOf(nil)))
	must(t, p.Finish(ctx, egress.Failed)) // does not count
	want := egress.Intent{
		Subject: "sub_a", Recipient: "idv.aliyun", LegalName: "阿里云计算有限公司", Role: "processor", Region: "CN-mainland",
		Op: "Id2MetaVerify", Purpose: "realname", Basis: "duty", Fields: []string{"UserName", "IdentifyNum", "ParamType"},
	}
	if diff := cmp.Diff(want, r.log.intents[0]); diff != "" || string(body) != "ok" {
		t.Errorf("got %q and intent (-want +got):\n%s", body, diff)
	}
	if diff := cmp.Diff([]egress.Outcome{egress.Done}, r.log.outcomes); diff != "" {
		t.Error(diff)
	}
	if _, err := form(p); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("after Finish: got %v, want ErrEndpoint", err)
	}
}

func TestWithoutRegisterEntryConsentOrLedgerNothingIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	cases := map[string]func(*egress.Call){
		"recipient": func(c *egress.Call) { c.Recipient = "idv.other" },
		"op":        func(c *egress.Call) { c.Op = "DescribeFaceVerify" },
		"field":     func(c *egress.Call) { c.Fields = append(c.Fields, "Phone") },
		"purpose":   func(c *egress.Call) { c.Purpose = "marketing" },
	}
	for name, change := range cases {
		c := idv()
		change(&c)
		if _, err := r.e.Begin(ctx, c); !errors.Is(err, egress.ErrUnknown) {
			t.Errorf("unknown %s: got %v", name, err)
		}
	}
	mail := egress.Call{Recipient: "mail.smtp", Op: "send", Purpose: "verify", Fields: []string{"email"}}
	if _, err := r.e.Begin(ctx, mail); !errors.Is(err, egress.ErrSetting) {
		t.Errorf("without an endpoint: got %v", err)
	}
	r.gate.shut = true
	if _, err := r.e.Begin(ctx, idv()); !errors.Is(err, errShut) {
		t.Errorf("without consent: got %v", err)
	}
	r.gate.shut, r.log.fail = false, errors.New("disk full")
	if _, err := r.e.Begin(ctx, idv()); !errors.Is(err, egress.ErrLedger) {
		t.Errorf("with a failing register: got %v", err)
	}
	if *r.hits != 0 || len(r.log.intents) != 0 {
		t.Errorf("got %d requests and %d intents, want none", *r.hits, len(r.log.intents))
	}
}

func TestAPermitReachesItsOperationOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	p, err := r.e.Begin(ctx, egress.Call{Recipient: "pay.epay", Op: "query", Subject: "sub_a", Fields: []string{"order_no"}})
	must(t, err)
	if !strings.HasSuffix(p.URL(), "/gateway/api.php") {
		t.Fatalf("got %s", p.URL())
	}
	base := strings.TrimSuffix(p.URL(), "/gateway/api.php")
	for _, bad := range []string{
		base + "/gateway/submit.php", base + "/gateway/api.php/../submit.php", base + "/", "https://example.org/gateway/api.php",
		strings.Replace(p.URL(), "https:", "http:", 1), strings.Replace(p.URL(), "127.0.0.1", "localhost", 1),
	} {
		if _, err := p.Client().Post(bad, "", nil); !errors.Is(err, egress.ErrEndpoint) {
			t.Errorf("%s: got %v, want ErrEndpoint", bad, err)
		}
	}
	forged, err := http.NewRequestWithContext(ctx, "POST", p.URL(), nil)
	must(t, err)
	forged.Host = "example.org"
	if _, err := p.Client().Do(forged); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("another Host header: got %v", err)
	}
	if _, err := p.Client().Head(p.URL()); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("another method: got %v", err)
	}
	if *r.hits != 0 {
		t.Errorf("%d requests came through", *r.hits)
	}
	resp, err := p.Client().PostForm(p.URL(), url.Values{"act": {"order"}, "out_trade_no": {"S1"}})
	must(t, err)
	must(t, resp.Body.Close())
	browser, err := r.e.Begin(ctx, egress.Call{Recipient: "pay.epay", Op: "submit", Subject: "sub_a", Fields: []string{"order_no", "amount", "sign"}})
	must(t, err)
	if _, err := browser.Client().Post(browser.URL(), "", nil); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("what the browser submits was dialled: %v", err)
	}
	if _, err := p.Dial(ctx); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("a raw connection to a web endpoint: got %v", err)
	}
}

func TestNoRedirectAndNoEndlessAnswer(t *testing.T) {
	t.Parallel()
	size := egress.MaxAnswer
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if req.FormValue("act") == "redirect" {
			http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	})
	p, err := r.e.Begin(ctx, egress.Call{Recipient: "pay.epay", Op: "query", Subject: "sub_a"})
	must(t, err)
	if _, err := p.Client().PostForm(p.URL(), url.Values{"act": {"redirect"}}); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("a redirect: got %v", err)
	}
	for _, c := range []struct {
		size int
		want error
	}{{egress.MaxAnswer, nil}, {egress.MaxAnswer + 1, egress.ErrTooLarge}} {
		size = c.size
		resp, err := p.Client().Post(p.URL(), "", nil)
		must(t, err)
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, c.want) {
			t.Errorf("an answer of %d bytes: got %v, want %v", c.size, err, c.want)
		}
	}
}

func TestOutcomeIsUnknownOnceARequestLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	p, err := r.e.Begin(ctx, idv())
	must(t, err)
	if got := p.OutcomeOf(io.EOF); got != egress.Failed {
		t.Errorf("before: got %s, want failed", got)
	}
	_, err = form(p)
	if err == nil {
		t.Fatal("the answer should be missing")
	}
	if got := p.OutcomeOf(err); got != egress.Unknown {
		t.Errorf("after: got %s, want unknown", got)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"idv.aliyun": {Endpoint: server.URL}})
	must(t, err)
	log := &register{}
	e := egress.New(egress.Deps{Registry: registry, Ledger: log, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now), Roots: roots})
	p, err := e.Begin(ctx, idv())
	must(t, err)
	_, err = form(p)
	if err == nil || p.OutcomeOf(err) != egress.Failed {
		t.Errorf("got %v, outcome %s", err, p.OutcomeOf(err))
	}
}

func TestOutsideTheDemoPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost", "10.1.2.3", "169.254.169.254", "[fd00::1]", "100.64.0.1", "192.0.2.1"} {
		o := egress.Override{Endpoint: "https://" + host}
		registry, err := egress.Load("mainland", false, map[string]egress.Override{"idv.aliyun": o})
		must(t, err)
		e := egress.New(egress.Deps{Registry: registry, Ledger: &register{}, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now)})
		p, err := e.Begin(ctx, idv())
		must(t, err)
		if _, err := form(p); !errors.Is(err, egress.ErrAddress) {
			t.Errorf("%s: got %v, want ErrAddress", host, err)
		}
	}
}

func TestInTheDemoOnlyLoopbackIsReached(t *testing.T) {
	t.Parallel()
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"idv.aliyun": {Endpoint: "http://192.0.2.1:1"}})
	must(t, err)
	e := egress.New(egress.Deps{Registry: registry, Ledger: &register{}, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now)})
	p, err := e.Begin(ctx, idv())
	must(t, err)
	if _, err := form(p); !errors.Is(err, egress.ErrAddress) {
		t.Errorf("got %v, want ErrAddress", err)
	}
}

// abroad answers for what would leave the region.
type abroad struct{ refuse error }

func (a abroad) Transfer(context.Context, egress.Transfer) error { return a.refuse }

// Mutant LT-3.0b opens the door without its papers.
func TestAProcessorNeedsALiveAgreement(t *testing.T) {
	t.Parallel()
	begin := func(profile, mechanism string, c egress.Call, p egress.Papers) error {
		registry, err := egress.Load(profile, false, map[string]egress.Override{
			"idv.aliyun": {Mechanism: mechanism}, "pay.epay": {Endpoint: "https://pay.example.org", Mechanism: mechanism},
			"mail.smtp": {Endpoint: "smtps://mail.example.org", Mechanism: mechanism},
		})
		must(t, err)
		log := &register{}
		var transfers egress.Transfers
		switch mechanism {
		case "std-contract-1":
			transfers = abroad{}
		case "too-many":
			transfers = abroad{egress.ErrTransfer}
		}
		_, err = egress.New(egress.Deps{Registry: registry, Ledger: log, Gate: &gate{}, Papers: p, Transfers: transfers, Clock: clock.NewFake(now)}).Begin(ctx, c)
		if (err == nil) != (len(log.intents) == 1) {
			t.Errorf("%s: got %v with %d intents", c.Recipient, err, len(log.intents))
		}
		return err
	}
	pay := egress.Call{Recipient: "pay.epay", Op: "query", Subject: "sub_a", Fields: []string{"order_no"}}
	mail := egress.Call{Recipient: "mail.smtp", Op: "send", Subject: "sub_a", Purpose: "verify", Fields: []string{"email"}}
	contract, assessment := papers{contract: egress.ErrDPA}, papers{assessment: egress.ErrPIA}
	for _, c := range []struct {
		profile, mechanism string
		call               egress.Call
		papers             egress.Papers
		want               error
	}{
		{"mainland", "", idv(), papers{}, nil},
		{"mainland", "", idv(), contract, egress.ErrDPA},
		{"mainland", "", idv(), assessment, egress.ErrPIA},
		{"mainland", "", idv(), nil, egress.ErrDPA},
		{"mainland", "", pay, contract, nil}, // a handler is no processor
		{"mainland", "", pay, assessment, egress.ErrPIA},
		{"mainland", "", mail, nil, nil}, // the operator's own server
		{"hongkong", "", mail, papers{}, egress.ErrTransfer},
		{"hongkong", "", pay, papers{}, egress.ErrTransfer},
		{"hongkong", "std-contract-1", mail, assessment, egress.ErrPIA},
		{"hongkong", "std-contract-1", pay, papers{}, nil},
		{"hongkong", "too-many", pay, papers{}, egress.ErrTransfer}, // the register refuses
		{"hongkong", "nobody", pay, papers{}, egress.ErrTransfer},   // there is no register
	} {
		if err := begin(c.profile, c.mechanism, c.call, c.papers); !errors.Is(err, c.want) {
			t.Errorf("%s %q %s %+v: got %v, want %v", c.profile, c.mechanism, c.call.Recipient, c.papers, err, c.want)
		}
	}
}

func TestConfigurationMayNotWidenTheRegistry(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]map[string]egress.Override{
		"unknown recipient": {"tracker": {Endpoint: "https://example.org"}},
		"plain http":        {"idv.aliyun": {Endpoint: "http://example.org"}},
		"loopback":          {"idv.aliyun": {Endpoint: "https://127.0.0.1"}},
		"user in address":   {"idv.aliyun": {Endpoint: "https://a:b@example.org"}},
		"query":             {"idv.aliyun": {Endpoint: "https://example.org/?a=b"}},
		"unknown operation": {"pay.epay": {Paths: map[string]string{"export": "/x"}}},
		"mail over https":   {"mail.smtp": {Endpoint: "https://example.org"}},
	} {
		if _, err := egress.Load("mainland", false, o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := egress.Load("atlantis", false, nil); err == nil {
		t.Error("an unknown profile was accepted")
	}
}

func TestMailGoesOverAPermit(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	wg.Go(func() {
		conn, err := l.Accept()
		if err == nil {
			_, _ = io.WriteString(conn, "220 hello\r\n")
			_ = conn.Close()
		}
	})
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"mail.smtp": {Endpoint: "smtp://" + l.Addr().String()}})
	must(t, err)
	log := &register{}
	e := egress.New(egress.Deps{Registry: registry, Ledger: log, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now)})
	p, err := e.Begin(ctx, egress.Call{Recipient: "mail.smtp", Op: "send", Subject: "sub_a", Purpose: "verify", Fields: []string{"email", "message"}})
	must(t, err)
	conn, err := p.Dial(ctx)
	must(t, err)
	greeting, err := io.ReadAll(conn)
	if err != nil || string(greeting) != "220 hello\r\n" || !p.Plain() {
		t.Errorf("got %q, %v", greeting, err)
	}
	must(t, conn.Close())
	if log.intents[0].Purpose != "verify" || p.OutcomeOf(io.EOF) != egress.Unknown {
		t.Errorf("got %+v, %s", log.intents[0], p.OutcomeOf(io.EOF))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
