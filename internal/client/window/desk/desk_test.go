package desk

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/client/trusted"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/update/repository"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// daemon is one that moves no packets.
type daemon struct {
	mu      sync.Mutex
	now     map[string]ipc.Connection
	changed chan struct{}
	calls   []ipc.Op
	renewed bool // another program is installed
	again   int  // how often it was restarted
	cookie  string
}

func (d *daemon) set(c ipc.Connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now[c.Profile] = c
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *daemon) status() (ipc.Status, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := ipc.Status{Version: "test", Renewed: d.renewed, Began: time.Unix(int64(d.again), 0), Connections: []ipc.Connection{}}
	for _, c := range d.now {
		s.Connections = append(s.Connections, c)
	}
	return s, d.changed
}

func (d *daemon) called() []ipc.Op {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

func (d *daemon) call(ctx context.Context, _ ipc.User, r ipc.Request, send func(ipc.Answer) error) error {
	d.mu.Lock()
	d.calls = append(d.calls, r.Op)
	_, known := d.now[r.Profile]
	if r.Up != nil {
		d.cookie = string(r.Up.Cookie.Reveal())
	}
	d.mu.Unlock()
	switch r.Op {
	case ipc.OpStatus:
		s, _ := d.status()
		return send(ipc.Answer{Status: &s})
	case ipc.OpWatch:
		for {
			s, changed := d.status()
			if err := send(ipc.Answer{Status: &s}); err != nil {
				return err
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	case ipc.OpUp:
		c := ipc.Connection{Profile: r.Up.Profile, Name: r.Up.Name, Server: r.Up.Server, State: ipc.Connected, Channel: "tls", MTU: 1400, Since: time.Now().UTC()}
		d.set(c)
		return send(ipc.Answer{Connection: &c})
	case ipc.OpRestart:
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.renewed {
			return ipc.ErrNotRenewed
		}
		d.renewed, d.again = false, d.again+1
		close(d.changed)
		d.changed = make(chan struct{})
	case ipc.OpDown:
		if !known {
			return ipc.ErrUnknown
		}
		d.set(ipc.Connection{Profile: r.Profile, State: ipc.Down, Cause: "user"})
	}
	return nil
}

// rig is a desk with a daemon and a VPN server that asks for a name and password.
type rig struct {
	*Desk
	t      *testing.T
	daemon *daemon
	stop   func() // of the daemon
	socket string
	server *httptest.Server
	visits chan struct{} // one for each request
}

const password = "Tr0ub4dor&3-desk"

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, daemon: &daemon{now: map[string]ipc.Connection{}, changed: make(chan struct{})}, visits: make(chan struct{}, 100)}
	r.server = httptest.NewTLSServer(http.HandlerFunc(r.login))
	t.Cleanup(r.server.Close)
	r.socket = filepath.Join(t.TempDir(), "run", "s")
	r.start()
	var err error
	r.Desk, err = Open(Config{Root: filepath.Join(t.TempDir(), "home"), Socket: r.socket, Version: "v1", Language: "en", Keys: keystore.PlainFile})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) start() {
	r.t.Helper()
	l, err := ipc.Listen(r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = ipc.Serve(ctx, l, r.daemon.call) }()
	r.stop = func() { cancel(); <-done }
	r.t.Cleanup(r.stop)
}

func (r *rig) login(w http.ResponseWriter, q *http.Request) {
	r.visits <- struct{}{}
	body, _ := io.ReadAll(q.Body)
	doc, _ := openconnect.ParseDocument(q.Header.Get("Content-Type"), body)
	if doc.Fields["password"] == password {
		w.Header().Set("Set-Cookie", "webvpn=the-cookie; Secure; HttpOnly")
		_, _ = w.Write(openconnect.Complete{}.AppendTo(nil))
		return
	}
	_, _ = w.Write(openconnect.AuthRequest{ID: "main", Message: "Who is there?", Inputs: []openconnect.Input{
		{Type: openconnect.InputText, Name: openconnect.FieldUsername, Label: "Name:"},
		{Type: openconnect.InputPassword, Name: openconnect.FieldPassword, Label: "Password:"},
	}}.AppendTo(nil))
}

// give imports a profile of the server.
func (r *rig) give(change func(*bundle.Profile)) string {
	r.t.Helper()
	p := bundle.Profile{
		Name: "office", Server: r.server.Listener.Addr().String(), Pins: []string{trust.Pin(r.server.Certificate())}, Options: bundle.Options{DTLS: true},
	}
	if change != nil {
		change(&p)
	}
	text, err := bundle.Bundle{Version: bundle.Version, Profile: p}.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	got, err := r.Import(r.t.Context(), text, nil)
	if err != nil || got.Name != "office" {
		r.t.Fatalf("importing: got %+v, %v", got, err)
	}
	return got.ID
}

func (r *rig) accept() {
	r.t.Helper()
	p, err := r.Policy(r.t.Context(), "en")
	if err == nil {
		err = r.Accept(r.t.Context(), window.Acceptance{Version: p.Version})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// until reads Views until one is as it should be.
func (r *rig) until(views <-chan window.View, what string, ok func(window.View) bool) window.View {
	r.t.Helper()
	late := time.After(10 * time.Second)
	var last window.View
	for {
		select {
		case last = <-views:
			if ok(last) {
				return last
			}
		case <-late:
			r.t.Fatalf("no View in which %s; the last was %+v", what, last)
		}
	}
}

// person answers forms and keeps what was answered.
type person struct {
	forms    []window.Form
	answers  []window.Answers
	decision string
}

func (p *person) answer(_ context.Context, f window.Form) (window.Answers, error) {
	p.forms = append(p.forms, f)
	a := window.Answers{}
	if f.Permission != nil || f.Policy != nil || f.Confirm != nil {
		a[window.Decision] = []byte(p.decision)
	}
	for _, q := range f.Fields {
		a[q.Name] = []byte("ann")
		if q.Kind == window.Password {
			a[q.Name] = []byte(password)
		}
	}
	p.answers = append(p.answers, a)
	return a, nil
}

// everything is all that is on the disk.
func (r *rig) everything() string {
	r.t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(r.cfg.Root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out.Write(b)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return out.String()
}

// TestAConnectionFromTheFirstStart: TY-0a, TY-2.2c, TY-2.6. The daemon is not asked
// before the policy is accepted; then the permission, the server's form, the
// connection; and the password is nowhere.
func TestAConnectionFromTheFirstStart(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	views := r.Watch(t.Context())
	r.until(views, "the policy is pending", func(v window.View) bool { return v.Policy == window.PolicyPending && len(v.Profiles) == 1 })
	p := &person{decision: window.Yes}
	r.Attend(p.answer)
	var shown *window.Problem
	if err := r.Connect(t.Context(), id, p.answer); !errors.As(err, &shown) || shown.Code != policy.ErrNotAccepted.Code || shown.Remedy == "" {
		t.Fatalf("connecting before the act: got %v", err)
	}
	if len(p.forms) > 0 || len(r.visits) > 0 || slices.Contains(r.daemon.called(), ipc.OpWatch) {
		t.Fatal("something was asked before the act")
	}
	r.accept()
	r.until(views, "the policy is accepted", func(v window.View) bool { return v.Policy == window.PolicyAccepted && v.Trouble == nil })
	if err := r.Connect(t.Context(), id, p.answer); err != nil {
		t.Fatal(err)
	}
	if len(p.forms) != 2 || p.forms[0].Permission == nil || p.forms[0].Permission.ID != policy.Network || len(p.forms[1].Fields) != 2 ||
		p.forms[1].Fields[1].Kind != window.Password || p.forms[1].Message != "Who is there?" {
		t.Fatalf("asked %+v", p.forms)
	}
	for _, b := range p.answers[1] {
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Error("an answer is still there")
		}
	}
	if r.daemon.cookie != "the-cookie" {
		t.Errorf("the daemon got %q", r.daemon.cookie)
	}
	r.until(views, "it is connected", func(v window.View) bool {
		c := v.Profiles[0]
		return c.State == window.Connected && c.Channel == window.TLS && c.MTU == 1400
	})
	if strings.Contains(r.everything(), password) || strings.Contains(r.everything(), "the-cookie") {
		t.Error("a secret is on the disk")
	}
	if err := r.Disconnect(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	r.until(views, "it is disconnected", func(v window.View) bool { return v.Profiles[0].State == window.Disconnected })
	if err := r.Disconnect(t.Context(), id); err != nil {
		t.Errorf("once more: %v", err)
	}
	lines, err := r.Log(t.Context())
	if err != nil || !slices.ContainsFunc(lines, func(l window.LogLine) bool { return l.Profile == "office" && l.Text == "Connected." }) {
		t.Errorf("the log has %+v, %v", lines, err)
	}
}

// TestARefusedPermissionStopsConnectionsAlone: TY-2.6.
func TestARefusedPermissionStopsConnectionsAlone(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	p := &person{decision: window.No}
	r.Attend(p.answer)
	for range 2 {
		var shown *window.Problem
		if err := r.Connect(t.Context(), id, p.answer); !errors.As(err, &shown) || !strings.Contains(shown.Cause, "network access") {
			t.Errorf("got %v", err)
		}
	}
	if len(p.forms) != 1 || len(r.visits) > 0 {
		t.Errorf("asked %d times, visited %d times", len(p.forms), len(r.visits))
	}
	if err := r.SetPermission(t.Context(), policy.Network, true); err != nil {
		t.Fatal(err)
	}
	if err := r.Connect(t.Context(), id, p.answer); err != nil {
		t.Errorf("after it was given: %v", err)
	}
}

// TestTheOperatorsPolicyIsAskedFor: TY-8.1, before anything is sent to its server.
func TestTheOperatorsPolicyIsAskedFor(t *testing.T) {
	r := newRig(t)
	texts := []bundle.Text{{Locale: "zh-CN", Title: "隐私政策", Body: "# 隐私政策\n\n[TY-0a] **请阅读**"}, {Locale: "en", Title: "Policy", Body: "# Policy\n\n[TY-0a] **Read it**"}}
	id := r.give(func(p *bundle.Profile) {
		p.Policy = &bundle.Policy{Version: "2.0.0", Change: "major", Effective: time.Unix(1e9, 0).UTC(), SHA256: bundle.Digest("2.0.0", texts), Texts: texts}
	})
	r.accept()
	no := &person{decision: window.No}
	if err := r.Connect(t.Context(), id, no.answer); !errors.Is(err, window.ErrDeclined) {
		t.Errorf("refused: got %v", err)
	}
	if len(no.forms) != 1 || no.forms[0].Policy == nil || no.forms[0].Policy.Version != "2.0.0" || !strings.Contains(no.forms[0].Policy.Text, "**Read it**") ||
		strings.Contains(no.forms[0].Policy.Text, "TY-0a") || len(r.visits) > 0 {
		t.Fatalf("asked %+v, visited %d times", no.forms, len(r.visits))
	}
	yes := &person{decision: window.Yes}
	r.Attend(yes.answer)
	if err := r.Connect(t.Context(), id, yes.answer); err != nil {
		t.Fatal(err)
	}
	views := r.Watch(t.Context())
	r.until(views, "it is connected", func(v window.View) bool { return len(v.Profiles) == 1 && v.Profiles[0].State == window.Connected })
	if err := r.Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.until(views, "the consent is withdrawn and the connection down", func(v window.View) bool {
		return v.Policy == window.PolicyWithdrawn && v.Profiles[0].State == window.Disconnected
	})
	receipts, err := r.Receipts(t.Context())
	if err != nil || len(receipts) != 5 || receipts[0].Act != "withdrawn" || receipts[4].Act != "accepted" || receipts[3].Act != "refused" {
		t.Errorf("got %+v, %v", receipts, err)
	}
}

func TestADaemonThatIsAwayIsFoundAgain(t *testing.T) {
	r := newRig(t)
	r.give(nil)
	r.accept()
	r.stop()
	views := r.Watch(t.Context())
	v := r.until(views, "the daemon is away", func(v window.View) bool { return v.Trouble != nil })
	if v.Trouble.Code != "daemon_away" || v.Trouble.Cause == "" || v.Trouble.Remedy == "" {
		t.Errorf("got %+v", v.Trouble)
	}
	r.start()
	r.until(views, "the daemon is back", func(v window.View) bool { return v.Trouble == nil })
}

// TestViewsAreFew: at most four a second however often the daemon speaks, and none
// while nothing happens.
func TestViewsAreFew(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	views := r.Watch(t.Context())
	r.until(views, "the daemon spoke", func(v window.View) bool { return v.Policy == window.PolicyAccepted })
	stop := time.After(1500 * time.Millisecond)
	n, last := 0, uint64(0)
	for busy := true; busy; {
		last++
		r.daemon.set(ipc.Connection{Profile: id, State: ipc.Connected, BytesIn: last})
		select {
		case <-views:
			n++
		case <-time.After(5 * time.Millisecond):
		case <-stop:
			busy = false
		}
	}
	if n < 3 || n > 8 {
		t.Errorf("%d Views in a second and a half", n)
	}
	r.until(views, "the last word is told", func(v window.View) bool { return v.Profiles[0].BytesIn == last })
	for {
		select {
		case <-views: // one may be on its way
			continue
		case <-time.After(time.Second):
		}
		break
	}
}

func TestRatesAreOfTheCounters(t *testing.T) {
	m, at := &meter{}, time.Unix(1e9, 0)
	for i := range 70 {
		m.take(at.Add(time.Duration(i)*time.Second), ipc.Connection{BytesIn: uint64(1000 * i), BytesOut: uint64(10 * i)})
		m.take(at.Add(time.Duration(i)*time.Second+time.Millisecond), ipc.Connection{BytesIn: uint64(1000 * i), BytesOut: uint64(10 * i)})
	}
	if len(m.rateIn) != drawn || len(m.rateOut) != drawn || m.rateIn[59] != 1000 || m.rateOut[59] != 10 {
		t.Errorf("got %d rates: %v", len(m.rateIn), m.rateIn)
	}
	m.take(at.Add(71*time.Second), ipc.Connection{BytesIn: 5})
	if len(m.rateIn) != 0 {
		t.Error("the rates are of another connection")
	}
}

func TestWhatIsStoredIsShownCopiedAndErased(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	s, err := r.Settings(t.Context())
	if err != nil || !s.DTLS || s.KillSwitch[id] {
		t.Fatalf("got %+v, %v", s, err)
	}
	s.Language, s.DTLS, s.KillSwitch = window.Chinese, false, map[string]bool{id: true}
	if err := r.SetSettings(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	p, err := r.home.Profiles.Find(id)
	if err != nil || p.Options.DTLS || !p.Options.KillSwitch {
		t.Errorf("the profile has %+v, %v", p.Options, err)
	}
	again, err := Open(r.cfg)
	if err != nil || again.language != window.Chinese {
		t.Errorf("the language of the next start: %q, %v", again.language, err)
	}
	held, err := r.Held(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		if h.Why == "" || h.Until == "" || strings.Contains(h.What+h.Why+h.Until, "client.") || strings.Contains(h.Why, "local.") {
			t.Errorf("no words for %+v", h)
		}
	}
	if !slices.ContainsFunc(held, func(h window.HeldItem) bool { return strings.Contains(h.Value, `"office"`) }) {
		t.Errorf("the profile is not shown: %+v", held)
	}
	dir := t.TempDir()
	var paths []string
	for _, export := range []func(context.Context, string) (string, error){r.Export, r.Export, r.ExportLog} {
		path, err := export(t.Context(), dir)
		if err != nil || slices.Contains(paths, path) {
			t.Fatalf("got %s, %v", path, err)
		}
		paths = append(paths, path)
	}
	raw, err := os.ReadFile(paths[0])
	var c copied
	if err != nil || json.Unmarshal(raw, &c) != nil || len(c.Profiles) != 1 || len(c.Acts) != 1 || len(c.Stored) < 4 {
		t.Errorf("the copy: %v, %s", err, raw)
	}
	if log, err := os.ReadFile(paths[2]); err != nil || strings.Contains(string(log), "office") || !strings.Contains(string(log), "imported") {
		t.Errorf("the log: %v, %s", err, log)
	}
	if err := r.EraseAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := r.everything(); left != "" {
		t.Errorf("left %s", left)
	}
	if held, err := r.Held(t.Context()); err != nil || len(held) > 0 {
		t.Errorf("got %+v, %v", held, err)
	}
	r.until(r.Watch(t.Context()), "all is as at first", func(v window.View) bool { return v.Policy == window.PolicyPending && len(v.Profiles) == 0 })
}

func TestTheDoctorTellsEachCheckTwice(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	if err := r.SetPermission(t.Context(), policy.Network, true); err != nil {
		t.Fatal(err)
	}
	begun, ended := map[string]bool{}, map[string]window.Check{}
	err := r.Doctor(t.Context(), id, func(c window.Check) {
		if c.State == window.CheckRunning {
			begun[c.ID] = true
		} else if begun[c.ID] {
			ended[c.ID] = c
		}
	})
	if err != nil || len(ended) < 8 || len(ended) != len(begun) || ended["tcp"].State != window.CheckGood || ended["daemon"].State != window.CheckGood {
		t.Errorf("got %v, %+v", err, ended)
	}
	path, err := r.ExportDoctor(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(path); err != nil || strings.Contains(string(raw), "127.0.0.1") || !strings.Contains(string(raw), "skyconnect v1") {
		t.Errorf("got %v, %s", err, raw)
	}
}

// TestInATrustedNetworkThePersonDecides whether to connect all the same.
func TestInATrustedNetworkThePersonDecides(t *testing.T) {
	r := newRig(t)
	inside := bundle.TrustedNetwork{Domain: "corp.example.org", Host: "10.1.0.1:443", Pin: trust.Pin(r.server.Certificate())}
	id := r.give(func(p *bundle.Profile) { p.Options.TrustedNetworks = []bundle.TrustedNetwork{inside} })
	r.home.Detector = trusted.Detector{
		Domains: func() []string { return []string{"corp.example.org"} }, Interfaces: func() []string { return []string{"eth0"} },
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", r.server.Listener.Addr().String())
		},
	}
	r.accept()
	for _, want := range []string{window.No, window.Yes} {
		p := &person{decision: window.Yes}
		r.Attend(p.answer)
		asked := false
		err := r.Connect(t.Context(), id, func(ctx context.Context, f window.Form) (window.Answers, error) {
			if f.Confirm == nil {
				return p.answer(ctx, f)
			}
			asked = true
			return window.Answers{window.Decision: []byte(want)}, nil
		})
		if !asked || (err == nil) != (want == window.Yes) || want == window.No && len(r.visits) > 0 {
			t.Errorf("%s: asked %t, got %v after %d visits", want, asked, err, len(r.visits))
		}
	}
}

// TestAProfileByHand: what was typed is a profile, or it is said what is wrong with it.
func TestAProfileByHand(t *testing.T) {
	r := newRig(t)
	r.accept()
	for typed, want := range map[window.Typed]string{
		{Name: "lab", Server: "vpn.example.org", Account: "ann", Group: "/sales"}: "vpn.example.org:443",
		{Name: "six", Server: "[2001:db8::1]"}:                                    "[2001:db8::1]:443",
		{Name: "other", Server: "vpn.example.org:8443"}:                           "vpn.example.org:8443",
	} {
		got, err := r.Add(t.Context(), typed)
		if err != nil {
			t.Fatalf("%+v: %v", typed, err)
		}
		p, err := r.home.Profiles.Find(got.ID)
		if err != nil || p.Server != want || p.Account != typed.Account || p.Group != strings.Trim(typed.Group, "/") || !p.Options.DTLS || !p.Own {
			t.Errorf("%+v: got %+v, %v", typed, p, err)
		}
	}
	for _, bad := range []window.Typed{{Name: "lab", Server: "a.example.org"}, {Name: "x", Server: "a b"}, {Name: "", Server: "a.example.org"}, {Name: "y", Server: "a.example.org", Group: "../x"}} {
		var shown *window.Problem
		if _, err := r.Add(t.Context(), bad); !errors.As(err, &shown) || shown.Cause == "" {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

// TestAnotherSignerIsConfirmed, by what can be compared, or nothing is taken.
func TestAnotherSignerIsConfirmed(t *testing.T) {
	r := newRig(t)
	first := r.signed("office", 1)
	if _, err := r.Import(t.Context(), first, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		decision, name string
		bundle         []byte
		want           error
	}{
		{window.No, "other", r.signed("other", 2), window.ErrDeclined},
		{window.No, "office", r.signed("office", 0), window.ErrDeclined},
		{window.Yes, "other", r.signed("other", 2), nil},
	} {
		p := &person{decision: c.decision}
		r.Attend(p.answer)
		got, err := r.Import(t.Context(), c.bundle, nil)
		if !errors.Is(err, c.want) || err == nil && got.Name != c.name {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
		if len(p.forms) != 1 || p.forms[0].Confirm == nil || len(p.forms[0].Confirm.Facts) != 4 || p.forms[0].Confirm.Facts[2].Value == p.forms[0].Confirm.Facts[3].Value {
			t.Errorf("%s: asked %+v", c.name, p.forms)
		}
	}
	p := &person{}
	r.Attend(p.answer)
	if _, err := r.Import(t.Context(), r.signed("other", 2), nil); err != nil || len(p.forms) > 0 {
		t.Errorf("the signer that was taken: asked %+v, %v", p.forms, err)
	}
}

// signed is a bundle of the rig's server, by a key made of a number; 0 is nobody.
func (r *rig) signed(name string, key byte) []byte {
	r.t.Helper()
	b := bundle.Bundle{Version: bundle.Version, Profile: bundle.Profile{Name: name, Server: r.server.Listener.Addr().String()}}
	var err error
	if key != 0 {
		b, err = b.Sign(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{key}, ed25519.SeedSize)))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := b.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// TestANewPassphraseIsAskedTwice, until both are the same.
func TestANewPassphraseIsAskedTwice(t *testing.T) {
	r := newRig(t)
	var shown []window.Form
	said := [][2]string{{"one phrase", "another"}, {"", ""}, {"one phrase", "one phrase"}}
	r.Attend(func(_ context.Context, f window.Form) (window.Answers, error) {
		a := said[len(shown)]
		shown = append(shown, f)
		return window.Answers{phraseField: []byte(a[0]), againField: []byte(a[1])}, nil
	})
	got, err := r.passphrase(true)
	if err != nil || string(got) != "one phrase" || len(shown) != 3 {
		t.Fatalf("got %q, %v after %d forms", got, err, len(shown))
	}
	if len(shown[0].Fields) != 2 || shown[0].Error != "" || shown[1].Error == "" || shown[0].Title == "" {
		t.Errorf("shown %+v", shown)
	}
	r.Attend(func(context.Context, window.Form) (window.Answers, error) { return nil, window.ErrDeclined })
	if _, err := r.passphrase(true); !errors.Is(err, keystore.ErrDismissed) {
		t.Errorf("closed: got %v", err)
	}
}

// TestTheLocalNetworkIsAskedForAtItsUse: TY-2.6; a refusal leaves the option off.
func TestTheLocalNetworkIsAskedForAtItsUse(t *testing.T) {
	r := newRig(t)
	r.give(nil)
	r.accept()
	for _, c := range []struct {
		decision string
		asked    int
		want     bool
	}{{"", 1, false}, {window.No, 1, false}, {window.Yes, 0, false}} {
		p := &person{decision: c.decision}
		r.Attend(p.answer)
		if c.decision == "" {
			r.Attend(func(ctx context.Context, f window.Form) (window.Answers, error) {
				_, _ = p.answer(ctx, f)
				return nil, window.ErrDeclined
			})
		}
		s, err := r.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.LocalLAN = true
		if err := r.SetSettings(t.Context(), s); err == nil {
			t.Errorf("%q: no error", c.decision)
		}
		now, err := r.Settings(t.Context())
		if err != nil || now.LocalLAN != c.want || len(p.forms) != c.asked || c.asked == 1 && p.forms[0].Permission.ID != policy.LocalNetwork {
			t.Errorf("%q: got %t, %v; asked %+v", c.decision, now.LocalLAN, err, p.forms)
		}
	}
}

func TestAConnectCanBeLeft(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	asked := make(chan struct{}, 1)
	failed := make(chan error, 1)
	r.Attend(func(ctx context.Context, _ window.Form) (window.Answers, error) { // of the permission
		asked <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	go func() { failed <- r.Connect(t.Context(), id, nil) }()
	<-asked
	if err := r.Connect(t.Context(), id, nil); err == nil {
		t.Error("a second connect was begun")
	}
	if err := r.Disconnect(t.Context(), id); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAKillSwitchThatWasLeftIsTold(t *testing.T) {
	r := newRig(t)
	id := r.give(nil)
	r.accept()
	r.daemon.set(ipc.Connection{Profile: id, State: ipc.Failed, Cause: left, KillSwitch: true})
	v := r.until(r.Watch(t.Context()), "the kill switch is told", func(v window.View) bool { return len(v.Notices) > 0 })
	c := v.Profiles[0]
	if v.Notices[0].Level != window.Severe || c.State != window.Failed || c.Trouble == nil || strings.Contains(c.Trouble.Remedy, "skyconnect down") {
		t.Errorf("got %+v, %+v", v.Notices, c)
	}
}

// TestNoticesOfTheOperatorAreTold: LT-5.2c, TY-5.1e. The notification of the client says that
// there is something to read, and where.
func TestNoticesOfTheOperatorAreTold(t *testing.T) {
	r := newRig(t)
	id := r.give(func(p *bundle.Profile) { p.Links.Rights = "https://console.example/vpn-user" })
	r.accept()
	r.daemon.set(ipc.Connection{Profile: id, State: ipc.Connected, Notices: 1})
	v := r.until(r.Watch(t.Context()), "a notice", func(v window.View) bool { return len(v.Notices) > 0 })
	if n := v.Notices[0]; n.Level != window.Severe || !strings.HasSuffix(n.Text, "https://console.example/vpn-user") {
		t.Errorf("got %+v", n)
	}
	r.daemon.set(ipc.Connection{Profile: id, State: ipc.Connected})
	r.until(r.Watch(t.Context()), "none", func(v window.View) bool { return len(v.Notices) == 0 })
}

func TestWhatIsNoBundleIsExplained(t *testing.T) {
	r := newRig(t)
	var shown *window.Problem
	if _, err := r.Import(t.Context(), []byte("<html>"), nil); !errors.As(err, &shown) || shown.Code != bundle.ErrMalformed.Code || shown.Cause == "" {
		t.Errorf("got %v", err)
	}
}

// TestEveryComponentOfTheWindowWasReviewed: TY-2.4, on each system.
func TestEveryComponentOfTheWindowWasReviewed(t *testing.T) {
	for _, system := range []string{"linux", "windows", "darwin"} {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./cmd/skyconnect-window")
		list.Dir = "../../../.."
		list.Env = append(os.Environ(), "GOOS="+system)
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := map[string]string{"std": ""}
		for path := range strings.FieldsSeq(string(out)) {
			linked[path] = ""
		}
		if len(linked) < 10 {
			t.Fatalf("%s: found only %d modules", system, len(linked))
		}
		for _, path := range policy.Unreviewed(linked) {
			t.Errorf("%s: %s is linked, and internal/client/policy/components.yaml has no row for it", system, path)
		}
	}
}

// TestAnUnknownServerIsConfirmedByThePerson: its fingerprint is shown, nothing is
// told to it before the act, and the act is remembered. An issuer that the profile
// names is not the person's to overrule.
func TestAnUnknownServerIsConfirmedByThePerson(t *testing.T) {
	r := newRig(t)
	id := r.give(func(p *bundle.Profile) { p.Pins = nil })
	r.accept()
	pin := trust.Pin(r.server.Certificate())
	p := &person{decision: window.Yes}
	r.Attend(p.answer)
	unknown := func(answer string) error {
		return r.Connect(t.Context(), id, func(ctx context.Context, f window.Form) (window.Answers, error) {
			if f.Confirm == nil {
				return p.answer(ctx, f)
			}
			p.forms = append(p.forms, f)
			return window.Answers{window.Decision: []byte(answer)}, nil
		})
	}
	var shown *window.Problem
	if err := unknown(window.No); !errors.As(err, &shown) || shown.Code != trust.ErrIssuer.Code || !strings.Contains(shown.Cause, pin) || shown.Remedy == "" {
		t.Fatalf("after a no: got %v", err)
	}
	if last := p.forms[len(p.forms)-1]; last.Confirm == nil || last.Confirm.Facts[0].Value != pin || !strings.HasSuffix(last.Confirm.Facts[3].Value, r.server.Certificate().NotAfter.Local().Format(time.DateOnly)) {
		t.Errorf("shown: %+v", last.Confirm)
	}
	if len(r.visits) > 0 || strings.Contains(r.everything(), pin) {
		t.Error("a no is remembered as a yes")
	}
	if err := unknown(window.Yes); err != nil {
		t.Fatalf("after a yes: got %v", err)
	}
	if err := r.Disconnect(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	n := len(p.forms)
	if err := unknown(window.No); err != nil {
		t.Errorf("the second time: got %v", err)
	}
	for _, f := range p.forms[n:] {
		if f.Confirm != nil {
			t.Error("asked again")
		}
	}
	got, err := r.home.Profiles.Find(id)
	if err != nil || got.Own || len(got.Pins) != 1 || got.Pins[0] != pin {
		t.Errorf("kept: %+v, %v", got, err)
	}
}

// TestAnIssuerOfTheProfileIsNotOverruled: nobody is asked where the operator said
// who vouches for the server, or which key it has.
func TestAnIssuerOfTheProfileIsNotOverruled(t *testing.T) {
	other := httptest.NewUnstartedServer(nil)
	other.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	other.StartTLS()
	t.Cleanup(other.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw}))
	for want, change := range map[error]func(*bundle.Profile){
		trust.ErrIssuer: func(p *bundle.Profile) { p.Pins, p.CA = nil, ca },
		trust.ErrPin:    func(p *bundle.Profile) { p.Pins = []string{trust.Pin(other.Certificate())} },
	} {
		r := newRig(t)
		id := r.give(change)
		r.accept()
		p := &person{decision: window.Yes}
		r.Attend(p.answer)
		var shown *window.Problem
		if err := r.Connect(t.Context(), id, p.answer); !errors.As(err, &shown) || shown.Code != errs.CodeOf(want) {
			t.Errorf("got %v, want %v", err, want)
		}
		if len(r.visits) > 0 || slices.ContainsFunc(p.forms, func(f window.Form) bool { return f.Confirm != nil }) {
			t.Errorf("%v: somebody was asked", want)
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestAProfileSaysWhereNewerProgramsAre: a bundle brings the place and the first
// keys, so that nothing else is to be set up. Nothing is asked before the act, keys
// that are not the bundle's are refused, and what is kept belongs to the profile.
func TestAProfileSaysWhereNewerProgramsAre(t *testing.T) {
	key := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	shelf := t.TempDir()
	repo, err := repository.Create(shelf, repository.Keys{Root: []ed25519.PrivateKey{key()}, Threshold: 1, Targets: key(), Online: key()}, time.Now())
	if err == nil {
		err = repo.Add([]byte("program"), update.Custom{Version: "v9.0.0", System: runtime.GOOS + "-" + runtime.GOARCH, Notes: "new"})
	}
	if err == nil {
		err = repo.Publish(time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	var hits atomic.Int64
	files := http.StripPrefix("/downloads/releases/", http.FileServer(http.Dir(shelf)))
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { hits.Add(1); files.ServeHTTP(w, q) }))
	t.Cleanup(web.Close)
	root, err := os.ReadFile(filepath.Join(shelf, "1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(root)
	sum := hex.EncodeToString(digest[:])
	for name, c := range map[string]struct {
		sum, code string
	}{"the operator's": {sum, ""}, "another's": {strings.Repeat("a", 64), "other"}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.releases, r.cfg.Version = web.Client(), "v1.0.0"
			var shown *window.Problem
			if _, err := r.FindUpdate(t.Context()); !errors.As(err, &shown) || shown.Code != user.ErrNoReleases.Code {
				t.Errorf("without a profile: got %v", err)
			}
			id := r.give(func(p *bundle.Profile) {
				p.Links.Update, p.Links.UpdateRoot = web.URL+"/downloads/releases/", c.sum
			})
			hits.Store(0)
			if _, err := r.FindUpdate(t.Context()); err == nil || hits.Load() > 0 {
				t.Errorf("before the act: got %v after %d requests", err, hits.Load())
			}
			r.accept()
			p := &person{decision: window.Yes}
			r.Attend(p.answer)
			if err := r.Connect(t.Context(), id, p.answer); err != nil { // the network is permitted
				t.Fatal(err)
			}
			_, err := r.FindUpdate(t.Context())
			if c.code != "" {
				if err == nil || r.waiting() != nil {
					t.Errorf("got %v, %+v", err, r.waiting())
				}
				return
			}
			if u := r.waiting(); err != nil || u == nil || u.Version != "v9.0.0" || u.Notes != "new" {
				t.Fatalf("got %+v, %v", u, err)
			}
			if v := r.until(r.Watch(t.Context()), "a newer version waits", func(v window.View) bool { return v.Update != nil }); v.Update.Version != "v9.0.0" {
				t.Errorf("got %+v", v.Update)
			}
			held, err := r.home.Held(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kept := 0
			for _, i := range held {
				if i.Purpose == local.Unregistered {
					t.Errorf("nobody owns %s", i.Name)
				}
				if strings.Contains(i.Name, "releases-"+sum[:16]+"/") {
					kept++
				}
			}
			if kept == 0 {
				t.Error("nothing of the keys is kept, or it is not shown")
			}
		})
	}
}
