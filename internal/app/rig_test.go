package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/skybridge-cloud/skybridge/internal/control/account"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	mailboxsim "github.com/skybridge-cloud/skybridge/internal/simulator/imap"
	"github.com/skybridge-cloud/skybridge/internal/simulator/smtp"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
)

// rig is a whole control plane in this process: real modules on
// SQLite, the real handler, the real simulators on loopback. Jobs run when the
// test says so, and the node's reports are the test's.
type rig struct {
	t       *testing.T
	cfg     config.Config
	modules *modules
	stores  *stores
	http    http.Handler
	node    fleet.Node
	client  *http.Client // of the cashier's page
	log     *journal
	mails   *mailboxsim.Server
}

// journal is a log that many write and the test reads.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func install(t *testing.T, change ...func(*config.Config)) *rig {
	t.Helper()
	return assembled(t, func(cfg config.Config, s *stores, log *slog.Logger) (*modules, error) {
		return assemble(cfg, s, hashing{hasher: password.NewHasherAt(4, 64), account: 64}, log)
	}, change...)
}

// assembled is a rig whose modules are what build returns: newModules makes
// them as the program does, with passwords whose hashes cost what they should.
func assembled(t *testing.T, build func(config.Config, *stores, *slog.Logger) (*modules, error), change ...func(*config.Config)) *rig {
	t.Helper()
	ctx, log := context.Background(), &journal{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	console, boxes := httptest.NewUnstartedServer(nil), listen(t)
	pay, check := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cfg.Console.URL = "https://" + console.Listener.Addr().String()
	cfg.Node.Addresses = []netip.Addr{netip.MustParseAddr("198.51.100.1")}
	cfg.Node.Networks = map[string]config.Network{"demo": {Title: "Demo", Bridge: "br0", CIDR: netip.MustParsePrefix("10.77.0.0/24"), Address: netip.MustParsePrefix("10.77.0.1/24")}}
	cfg.Demo = config.Demo{Enabled: true, Epay: pay.Listener.Addr().String(), Aliyun: check.Listener.Addr().String(), SMTP: mailSink(t), Mailbox: "127.0.0.1:1", IMAP: boxes.Addr().String()}
	for _, fn := range change {
		fn(&cfg)
	}
	must(t, cfg.Validate())
	dbtest.SQLiteFile(t, cfg.MainDatabase(), Migrations()...)
	dbtest.SQLiteFile(t, cfg.KeyDatabase(), vault.Migrations())
	mails := serveMailboxes(t, cfg, boxes)
	s, err := openStores(ctx, cfg, logger)
	must(t, err)
	t.Cleanup(func() { must(t, s.close()) })
	in := &rig{t: t, cfg: cfg, log: log, mails: mails, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	in.stores = s
	in.modules, err = build(cfg, s, logger)
	must(t, err)
	in.node, err = in.modules.seed(ctx, cfg)
	must(t, err)
	in.http, err = routes(cfg, in.modules, s, logger)
	must(t, err)
	cert, err := certificate(cfg)
	must(t, err)
	console.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	pay.Config.Handler, err = paySimulator(cfg, logger)
	must(t, err)
	check.Config.Handler, err = checkSimulator(cfg)
	must(t, err)
	console.Config.Handler, console.Config.ErrorLog = in.http, slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	console.StartTLS()
	pay.Start()
	check.Start()
	t.Cleanup(func() { console.Close(); pay.Close(); check.Close() })
	t.Cleanup(func() {
		if strings.Contains(log.String(), "a cookie is not registered") {
			t.Error("an answer tried to set a cookie that is not registered")
		}
	})
	return in
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

// serveMailboxes answers for the operator's mailboxes until the test ends.
func serveMailboxes(t *testing.T, cfg config.Config, l net.Listener) *mailboxsim.Server {
	t.Helper()
	s, err := mailboxServer(cfg)
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); <-done })
	return s
}

// mailSink takes mails on loopback until the test ends.
func mailSink(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- smtp.New(nil).Serve(ctx, l) }()
	t.Cleanup(func() { stop(); <-done })
	return l.Addr().String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drain runs the jobs that are due.
func (in *rig) drain() {
	in.t.Helper()
	must(in.t, in.modules.queue.Drain(context.Background()))
}

// report tells control that the node has applied everything, and what else
// happened there.
func (in *rig) report(opened ...gwlink.SessionOpened) gwlink.Desired {
	in.t.Helper()
	d, err := in.modules.fleet.Desired(context.Background(), in.node.ID)
	must(in.t, err)
	r := gwlink.Report{Node: in.node.ID, Sent: time.Now(), Generation: d.Generation, Version: "test", Opened: opened}
	for _, g := range d.Gateways {
		r.Gateways = append(r.Gateways, gwlink.ObservedState{Gateway: g.ID, Generation: d.Generation, State: "applied"})
	}
	must(in.t, in.modules.fleet.Ingest(context.Background(), in.node.ID, r))
	in.drain()
	return d
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s", a.status, a.text[:min(len(a.text), 400)])
}

// str returns a text of the answer's JSON by path: "payment.number".
func (a answer) str(path string) string {
	v := any(a.json)
	for _, key := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			if len(at) == 0 {
				return ""
			}
			v = at[0].(map[string]any)[key]
		}
	}
	s, _ := v.(string)
	return s
}

// sources gives every request another address, so that limits per source are
// not what refuses.
var sources atomic.Uint32

// send asks as whoever holds a session token; an empty one is nobody.
func (in *rig) send(session, method, path, body string, header ...string) answer {
	in.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	n := sources.Add(1)
	r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}), 1000).String()
	return in.serve(r, session, body, header...)
}

// sendFrom asks as nobody, from a source.
func (in *rig) sendFrom(source, method, path, body string, header ...string) answer {
	in.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = source
	return in.serve(r, "", body, append(header, "Idempotency-Key", id.Random(10))...)
}

func (in *rig) serve(r *http.Request, session, body string, header ...string) answer {
	in.t.Helper()
	r.Header.Set("Accept-Language", "en")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if session != "" {
		r.AddCookie(&http.Cookie{Name: cookie.Session, Value: session})
	}
	w := httptest.NewRecorder()
	in.http.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.json); err != nil {
			in.t.Errorf("%s %s: %v in %s", r.Method, r.URL.Path, err, a)
		}
	}
	return a
}

// person is a customer or a member of staff with a browser.
type person struct {
	in             *rig
	name, password string
	session        string
	recovery       string            // a code that proves who they are once, with a second factor on
	ids            map[string]string // by the resource's path: "orders"
	user           bool              // of an SSL client, on the page of their rights
}

// try asks the API with a key and takes any answer.
func (p *person) try(method, path string, body any, key string) answer {
	p.in.t.Helper()
	text := ""
	if body != nil {
		raw, err := json.Marshal(body)
		must(p.in.t, err)
		text = string(raw)
	}
	return p.in.send(p.session, method, "/api/v1"+path, text, "Idempotency-Key", key)
}

// do asks the API and holds the answer to a status.
func (p *person) do(status int, method, path string, body any) answer {
	p.in.t.Helper()
	a := p.try(method, path, body, id.Random(10))
	if a.status != status {
		p.in.t.Fatalf("%s: %s %s: got %s, want %d", p.name, method, path, a, status)
	}
	return a
}

type object map[string]any

func (p *person) signIn() {
	p.in.t.Helper()
	a := p.do(201, "POST", "/login-sessions", object{"user_name": p.name, "password": p.password})
	p.session = sessionOf(a)
	p.ids["login-sessions"] = a.str("id")
}

func sessionOf(a answer) string {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == cookie.Session {
			return c.Value
		}
	}
	return ""
}

func (p *person) consent(purpose string) {
	p.in.t.Helper()
	token := p.do(200, "GET", "/consent-prompts/"+purpose, nil).str("token")
	p.do(201, "POST", "/consents", object{"token": token, "decision": "grant"})
}

// register opens an account and signs in.
func (in *rig) register(name string) *person {
	in.t.Helper()
	p := &person{in: in, name: name, password: id.Random(15), ids: map[string]string{}}
	token := p.do(200, "GET", "/consent-prompts/platform_policy", nil).str("token")
	p.do(201, "POST", "/accounts", object{"user_name": name, "password": p.password, "email": name + "@example.org", "consent_token": token, "adult": true})
	p.signIn()
	return p
}

// customer is a person with one of everything that a customer can have.
func (in *rig) customer(name string, sequence int) *person {
	in.t.Helper()
	p := in.register(name)
	p.realName(sequence)
	p.buy()
	p.connect()
	p.ids["notices"] = p.do(200, "GET", "/notices", nil).str("items.id")
	p.told()
	p.ids["data-subject-requests"] = p.do(201, "POST", "/data-subject-requests", object{"kind": "access"}).str("id")
	p.ids["tickets"] = p.ask("billing").str("id")
	p.child()
	return p
}

// ask opens a ticket about the person's gateway.
func (p *person) ask(department string) answer {
	p.in.t.Helper()
	return p.do(201, "POST", "/tickets", object{
		"department": department, "resource": p.ids["vpn-gateways"], "ticket_title": "canary of a title", "words": "canary of a question",
	})
}

// told has an incident reach the person alone, and the notice sent.
func (p *person) told() {
	p.in.t.Helper()
	desk, ctx, staff := p.in.modules.incident, context.Background(), account.Principal{Subject: "sub_desk", Staff: true}
	i, err := desk.Open(ctx, staff, incident.NewIncident{
		Kind: incident.Leak, DetectedBy: "staff", DiscoveredAt: time.Now(),
		Scope: []incident.Query{{Kind: incident.Accounts, Accounts: []string{p.do(200, "GET", "/me", nil).str("account")}}},
	})
	must(p.in.t, err)
	p.in.drain()
	words := incident.Words{"zh-CN": {}, "en": {}}
	for _, f := range incident.FieldNames() {
		words["zh-CN"][f], words["en"][f] = "演练", "a drill"
	}
	_, err = desk.Write(ctx, staff, i.ID, words, false)
	must(p.in.t, err)
	must(p.in.t, desk.Send(ctx, staff, i.ID))
	p.in.drain()
	p.ids["incident-notices"] = p.do(200, "GET", "/me/incident-notices", nil).str("items.id")
}

// confirmed shows that the person reads their address.
func (p *person) confirmed() {
	p.in.t.Helper()
	token, err := p.in.modules.account.IssueVerification(context.Background(), p.self().Handle)
	must(p.in.t, err)
	p.do(204, "POST", "/email-verifications", object{"token": token})
}

// child opens the account of a child, whose guardian the person is.
func (p *person) child() {
	p.in.t.Helper()
	p.confirmed()
	name := "child-" + id.Random(5)
	c := object{"user_name": name, "password": id.Random(15), "email": name + "@example.org"}
	c["consent_token"] = p.do(200, "GET", "/consent-prompts/platform_policy", nil).str("token")
	c["child_rules_token"] = p.do(200, "GET", "/consent-prompts/child_rules", nil).str("token")
	p.ids["children"] = p.do(201, "POST", "/children", c).str("account")
}

// realName has an invented person verified.
func (p *person) realName(sequence int) {
	p.in.t.Helper()
	token := p.do(200, "GET", "/consent-prompts/realname", nil).str("token")
	number := civilid.Complete(fmt.Sprintf("11000019900101%03d", sequence))
	p.ids["real-name-verifications"] = p.do(202, "POST", "/real-name-verifications", object{"name": "演示", "number": number, "consent_token": token}).str("id")
	p.in.drain()
}

func (p *person) order() string {
	p.in.t.Helper()
	r := object{"product": "vpn-gateway", "region": p.in.cfg.Node.Region, "cycle": 1, "options": object{"ssl_bandwidth": "5", "ssl_connections": "5"}}
	r["quote_hash"] = p.do(200, "POST", "/quotes", r).str("quote_hash")
	r["configuration"] = object{"name": p.name, "network": "demo"}
	return p.do(201, "POST", "/orders", r).str("id")
}

// buy orders a VPN gateway, pays for it at the cashier and waits for it.
func (p *person) buy() {
	p.in.t.Helper()
	p.ids["orders"] = p.order()
	method := p.do(200, "GET", "/payment-methods", nil)
	p.consent(method.str("items.purpose"))
	start := p.do(201, "POST", "/orders/"+p.ids["orders"]+"/payments", object{"method": method.str("items.id")})
	p.ids["payments"] = start.str("payment.number")
	form := url.Values{}
	for k, v := range start.json["instruction"].(map[string]any)["fields"].(map[string]any) {
		form.Set(k, v.(string))
	}
	p.in.cashier(start.str("instruction.url"), form)
	p.paid() // the provider tells us in its own time
	p.in.drain()
	p.in.report()
	if got := p.do(200, "GET", "/orders/"+p.ids["orders"], nil).str("state"); got != "completed" {
		p.in.t.Fatalf("%s's order is %s, want completed", p.name, got)
	}
	p.ids["invoices"] = p.do(200, "GET", "/invoices", nil).str("items.id")
	p.ids["vpn-gateways"] = p.do(200, "GET", "/vpn-gateways", nil).str("items.id")
	p.ids["services"] = p.do(200, "GET", "/vpn-gateways/"+p.ids["vpn-gateways"]+"/service", nil).str("id")
}

// paid waits until the provider's notice has arrived.
func (p *person) paid() {
	p.in.t.Helper()
	look, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for p.do(200, "GET", "/orders/"+p.ids["orders"], nil).str("state") == "pending_payment" {
		select {
		case <-look.C:
		case <-late:
			p.in.t.Fatalf("%s's payment was never told: %s", p.name, p.in.log)
		}
	}
}

var trade = regexp.MustCompile(`name="trade" value="([^"]+)"`)

func (in *rig) cashier(address string, form url.Values) {
	in.t.Helper()
	page, err := in.client.PostForm(address, form)
	must(in.t, err)
	text, err := io.ReadAll(page.Body)
	must(in.t, err)
	must(in.t, page.Body.Close())
	found := trade.FindSubmatch(text)
	if found == nil {
		in.t.Fatalf("the cashier answered %d without a trade", page.StatusCode)
	}
	paid, err := in.client.PostForm("http://"+in.cfg.Demo.Epay+"/cashier/pay", url.Values{"trade": {string(found[1])}})
	must(in.t, err)
	must(in.t, paid.Body.Close())
}

// connect makes an SSL server, an SSL client and a VPN session.
func (p *person) connect() {
	p.in.t.Helper()
	gateway := p.ids["vpn-gateways"]
	p.ids["ssl-servers"] = p.do(201, "POST", "/ssl-servers", object{"gateway": gateway, "name": p.name, "local_subnets": []string{"10.77.0.0/24"}, "pool": "10.9.0.0/24"}).str("id")
	p.ids["ssl-clients"] = p.do(201, "POST", "/ssl-clients", object{"server": p.ids["ssl-servers"], "name": "laptop-" + p.name}).str("id")
	p.ids["certificates"] = p.do(200, "GET", "/certificates?client="+p.ids["ssl-clients"], nil).str("items.id")
	p.ids["vpn-sessions"] = id.New("ses")
	p.in.report(gwlink.SessionOpened{
		Session: p.ids["vpn-sessions"], Gateway: gateway, Server: p.ids["ssl-servers"], Client: p.ids["ssl-clients"],
		SourceIP: netip.MustParseAddr("203.0.113.7"), Inner: netip.MustParseAddr("10.9.0.2"), At: time.Now().Add(-time.Second),
	})
}

// operator is the demonstration's member of staff, before the second factor.
func (in *rig) operator() *person { return in.staff(OperatorName) }

func (in *rig) staff(name string) *person {
	in.t.Helper()
	secret, err := os.ReadFile(filepath.Join(in.cfg.Data, name+"-password"))
	must(in.t, err)
	p := &person{in: in, name: name, password: strings.TrimSpace(string(secret)), ids: map[string]string{}}
	p.signIn()
	return p
}

// boss is the demonstration's operator with a second factor, guard its security
// administrator.
func (in *rig) boss() *person  { return in.operator().enrolled() }
func (in *rig) guard() *person { return in.staff(SecurityName).enrolled() }

func (p *person) enrolled() *person {
	in := p.in
	in.t.Helper()
	at, err := url.Parse(p.do(200, "POST", "/me/totp", nil).str("url"))
	must(in.t, err)
	code, err := totp.GenerateCode(at.Query().Get("secret"), time.Now())
	must(in.t, err)
	p.session = sessionOf(p.do(200, "POST", "/me/totp/confirm", object{"code": code}))
	return p
}
