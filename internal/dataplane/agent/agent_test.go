package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/crypto/bcrypt"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func open(t *testing.T, dir string) *store {
	t.Helper()
	st, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStoreSealsWhatItKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := open(t, dir)
	if err := st.save("session/ses_1", "a secret thing"); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := open(t, dir).load("session/ses_1", &got); err != nil || got != "a secret thing" {
		t.Errorf("after reopening: got %q, %v", got, err)
	}
	path := filepath.Join(dir, "session", "ses_1.sealed")
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), "secret") {
		t.Errorf("got %q, %v on disk, want it sealed", b, err)
	}
	for name, mode := range map[string]os.FileMode{"node.key": 0o600, "session/ses_1.sealed": 0o600, "session": 0o700} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v, want mode %o", name, info.Mode(), err, mode)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "session", "ses_2.sealed"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := st.load("session/ses_2", &got); err == nil {
		t.Error("got one value under the name of another")
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := st.load("session/ses_1", &got); err == nil || errors.Is(err, errNoState) {
		t.Errorf("altered: got %v, want a failure that is not absence", err)
	}
	if err := st.load("session/ses_9", &got); !errors.Is(err, errNoState) {
		t.Errorf("absent: got %v, want errNoState", err)
	}
}

func TestStoreNamesStayInsideTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := open(t, filepath.Join(dir, "state"))
	for _, name := range []string{"session/../../escaped", "../escaped", "session/a/b"} {
		if p := st.path(name); !strings.HasPrefix(p, filepath.Join(dir, "state")+"/") {
			t.Errorf("%s: got %s, outside the state directory", name, p)
		}
	}
}

// fakeLink takes reports when it is up.
type fakeLink struct {
	up      bool
	reports []gwlink.Report
}

func (f *fakeLink) Login(context.Context, gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	return gwlink.LoginAnswer{}, errors.New("not here")
}

func (f *fakeLink) desired(context.Context, uint64) (gwlink.Desired, error) {
	return gwlink.Desired{}, errUnchanged
}

func (f *fakeLink) certificate(context.Context, gwlink.CertificateRequest) ([][]byte, error) {
	return nil, errors.New("not here")
}

func (f *fakeLink) deliverKey(context.Context, gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	return gwlink.KeyAnswer{}, errors.New("not here")
}

func (f *fakeLink) report(_ context.Context, r gwlink.Report) error {
	if !f.up {
		return errors.New("away")
	}
	f.reports = append(f.reports, r)
	return nil
}

func testConfig() Config { return Config{NodeID: "node-1", Logger: slog.New(slog.DiscardHandler)} }

func TestSessionLogIsKeptUntilTaken(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	l := &fakeLink{}
	r := newReporter(testConfig(), open(t, dir), l)
	rec := sslvpn.Record{
		Session: "ses_1", Gateway: "vpngw-1", Server: "sslsrv-1", Client: "sslcli-1",
		Inner: netip.MustParseAddr("10.98.0.2"), SourceIP: netip.MustParseAddr("192.0.2.1"), OpenedAt: time.Unix(100, 0).UTC(),
	}
	if err := r.Opened(rec); err != nil {
		t.Fatal(err)
	}
	r.send(ctx, snapshot{})

	r = newReporter(testConfig(), open(t, dir), l) // the node restarts
	if d := cmp.Diff([]sslvpn.Record{rec}, r.restored(), cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Errorf("restored (-want +got):\n%s", d)
	}
	closed := gwlink.SessionClosed{Session: "ses_1", At: time.Unix(200, 0).UTC(), Reason: gwlink.ReasonUser, BytesIn: 5, BytesOut: 6}
	r.Closed(closed)
	r.send(ctx, snapshot{})

	r = newReporter(testConfig(), open(t, dir), l) // and again, before control is back
	if got := r.restored(); len(got) != 0 {
		t.Errorf("got %v restored, want no closed session", got)
	}
	l.up = true
	r.send(ctx, snapshot{generation: 7})
	r.send(ctx, snapshot{generation: 7})
	if len(l.reports) != 2 || len(l.reports[0].Closed) != 1 || l.reports[0].Generation != 7 {
		t.Fatalf("got %+v, want the closing in the first of two reports", l.reports)
	}
	if d := cmp.Diff(closed, l.reports[0].Closed[0]); d != "" {
		t.Errorf("closing (-want +got):\n%s", d)
	}
	if len(l.reports[1].Closed) != 0 {
		t.Errorf("got %v in the second report, want nothing that was taken", l.reports[1].Closed)
	}
	if names, err := open(t, dir).list("closed"); err != nil || len(names) != 0 {
		t.Errorf("got %v, %v kept, want nothing that was taken", names, err)
	}
}

// TestAPowerCutBetweenEndAndReport restarts the node at each step after a
// session's end: control hears of its opening and its end, and the session
// does not live again.
func TestAPowerCutBetweenEndAndReport(t *testing.T) {
	t.Parallel()
	rec := sslvpn.Record{Session: "ses_1", Gateway: "vpngw-1", Server: "sslsrv-1", Client: "sslcli-1", OpenedAt: time.Unix(100, 0).UTC()}
	closed := gwlink.SessionClosed{Session: "ses_1", At: time.Unix(200, 0).UTC(), Reason: gwlink.ReasonUser}
	for name, cut := range map[string]func(st *store) error{
		"before its file is removed": func(st *store) error { return st.save("session/ses_1", rec) },
		"after its file is removed":  func(*store) error { return nil },
	} {
		dir := t.TempDir()
		r := newReporter(testConfig(), open(t, dir), &fakeLink{})
		if err := r.Opened(rec); err != nil {
			t.Fatal(err)
		}
		r.Closed(closed)
		r.saveCounters([]sslvpn.Record{rec}) // what was read before the end writes nothing after it
		if names, err := r.store.list("session"); err != nil || len(names) != 0 {
			t.Errorf("%s: got %v, %v kept, want no file of an ended session", name, names, err)
		}
		if err := cut(r.store); err != nil {
			t.Fatal(err)
		}
		l := &fakeLink{up: true}
		r = newReporter(testConfig(), open(t, dir), l)
		if got := r.restored(); len(got) != 0 {
			t.Errorf("%s: got %v restored, want no ended session", name, got)
		}
		r.send(t.Context(), snapshot{})
		if got := l.reports[0]; len(got.Opened) != 1 || len(got.Closed) != 1 {
			t.Errorf("%s: got %+v, want the opening and the closing", name, got)
		}
	}
}

func TestSessionsToBeClosedThatAreNotHere(t *testing.T) {
	t.Parallel()
	l := &fakeLink{up: true}
	r := newReporter(testConfig(), open(t, t.TempDir()), l)
	r.Closed(gwlink.SessionClosed{Session: "ses_1", At: time.Unix(200, 0).UTC(), Reason: gwlink.ReasonUser})
	r.notHere("ses_1")
	r.notHere("ses_2")
	r.send(t.Context(), snapshot{})
	r.send(t.Context(), snapshot{})
	if d := cmp.Diff([][]string{{"ses_2"}, nil}, [][]string{l.reports[0].Unknown, l.reports[1].Unknown}, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("unknown, with the end of ses_1 waiting (-want +got):\n%s", d)
	}
}

func TestProblemsAreReported(t *testing.T) {
	t.Parallel()
	st, l := open(t, t.TempDir()), &fakeLink{up: true}
	cfg := testConfig()
	rep := newReporter(cfg, st, l)
	svc := sslvpn.New(sslvpn.Config{Auth: l, Sink: rep, Clock: rep.clock, Log: cfg.Logger})
	t.Cleanup(func() { _ = svc.Close() })
	r := newReconciler(cfg, st, l, svc, rep)
	r.apply(t.Context(), gwlink.Desired{Generation: 3, Gateways: []gwlink.Gateway{{ID: "vpngw-1", Network: "nowhere", State: gwlink.GatewayActive}}})
	got := r.observed()
	if len(got) != 1 || got[0].State != "failed" || got[0].Generation != 3 || !strings.Contains(got[0].Problem, `"nowhere"`) {
		t.Errorf("got %+v, want the gateway failed for its network", got)
	}
	if r.patience() != retryAfter {
		t.Errorf("got patience %s, want to try again after %s", r.patience(), retryAfter)
	}
}

func TestGatewaysKeepTheirAddress(t *testing.T) {
	t.Parallel()
	st, l := open(t, t.TempDir()), &fakeLink{}
	cfg := testConfig()
	vpc := Network{Bridge: "br0", Address: netip.MustParsePrefix("10.77.0.1/24"), Last: netip.MustParseAddr("10.77.0.2")}
	address := func(r *reconciler, id string) string {
		a, err := r.address(gwlink.Gateway{ID: id, Network: "vpc"}, vpc)
		if err != nil {
			return "none"
		}
		return a.String()
	}
	r := newReconciler(cfg, st, l, nil, nil)
	if got := []string{address(r, "a"), address(r, "b"), address(r, "c"), address(r, "a")}; !cmp.Equal(got, []string{"10.77.0.1", "10.77.0.2", "none", "10.77.0.1"}) {
		t.Errorf("got %v", got)
	}
	if got := address(newReconciler(cfg, st, l, nil, nil), "b"); got != "10.77.0.2" {
		t.Errorf("after a restart: got %s, want 10.77.0.2", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	base := Config{NodeID: "n", StateDir: "d", Control: "/run/control.sock"}
	cases := map[string]func(*Config){
		"no id":            func(c *Config) { c.NodeID = "" },
		"no state":         func(c *Config) { c.StateDir = "" },
		"no control":       func(c *Config) { c.Control = "" },
		"control and file": func(c *Config) { c.DesiredFile = "f" },
	}
	for name, change := range cases {
		c := base
		change(&c)
		if err := c.setDefaults(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := base.setDefaults(); err != nil || len(base.Listen) == 0 || base.Queues < 1 {
		t.Errorf("got %+v, %v, want defaults", base, err)
	}
	if _, err := newControl(Config{Control: "http://control"}); err == nil {
		t.Error("got a client for http, want only sockets and https")
	}
}

func TestControlAnswers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(gwlink.VersionHeader) != "1" {
			w.WriteHeader(http.StatusUpgradeRequired)
			return
		}
		switch r.URL.Query().Get("after") {
		case "0":
			_ = json.NewEncoder(w).Encode(gwlink.Desired{Generation: 5})
		case "5":
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	c, err := newControl(Config{Control: path})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := c.desired(t.Context(), 0); err != nil || d.Generation != 5 {
		t.Errorf("got %+v, %v, want generation 5", d, err)
	}
	if _, err := c.desired(t.Context(), 5); !errors.Is(err, errUnchanged) {
		t.Errorf("got %v, want errUnchanged", err)
	}
	if _, err := c.desired(t.Context(), 6); err == nil || errors.Is(err, errUnchanged) {
		t.Errorf("got %v, want a failure", err)
	}
	if _, err := c.Login(t.Context(), gwlink.LoginRequest{}); err == nil {
		t.Error("got an answer to a login, want a failure")
	}
}

func TestStandaloneLogin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Users{Users: []User{{Name: "ann", BcryptHash: string(hash)}}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{UsersFile: filepath.Join(dir, "users"), DesiredFile: filepath.Join(dir, "desired")}
	for path, content := range map[string][]byte{cfg.UsersFile: b, cfg.DesiredFile: []byte(`{"generation": 1}`)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := newStandalone(cfg, open(t, filepath.Join(dir, "state")))
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.desired(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	login := func(conversation, name, password string) gwlink.LoginAnswer {
		a, err := s.Login(t.Context(), gwlink.LoginRequest{
			Gateway: "g", Server: "s", Conversation: conversation,
			Fields: map[string]string{"username": name, "password": password},
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range [][3]string{{"", "ann", "right"}, {"c", "ann", "wrong"}, {"c", "bob", "right"}, {"c", "", ""}} {
		if a := login(c[0], c[1], c[2]); a.Outcome != gwlink.OutcomeForm {
			t.Errorf("%v: got %s, want a form", c, a.Outcome)
		}
	}
	a := login("c", "ann", "right")
	g, err := gwlink.VerifyGrant(d.GrantKeys, a.Grant, time.Now())
	if err != nil || g.Client != "ann" || g.Gateway != "g" || g.Server != "s" {
		t.Errorf("got %+v, %v, want a grant for ann", g, err)
	}
}

func TestServerKeyIsBornHereAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := open(t, dir)
	ca, err := newStandalone(Config{}, st)
	if err != nil {
		t.Fatal(err)
	}
	srv := gwlink.SSLServer{ID: "sslsrv-1", ServerNames: []string{"vpn.example.com"}}
	first, err := certificate(t.Context(), st, ca, srv, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	second, err := certificate(t.Context(), open(t, dir), &fakeLink{}, srv, time.Now()) // control is away
	if err != nil || !cmp.Equal(first.Certificate, second.Certificate) {
		t.Errorf("got another certificate, %v, want the kept one", err)
	}
	other, err := newServerKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := st.save("key/sslsrv-2", other); err != nil {
		t.Fatal(err)
	}
	srv.ID, srv.Chain = "sslsrv-2", first.Certificate // a chain for another key
	if _, err := certificate(t.Context(), st, &fakeLink{}, srv, time.Now()); err == nil {
		t.Error("got a certificate that is not for the server's key")
	}
}
