package gwserver_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web/gwserver"
)

// control answers as the modules would and notes who asked.
type control struct {
	unchanged bool
	failing   error
	reported  gwlink.Report
	node      string
	key       string
}

func (c *control) Wait(_ context.Context, node string, after uint64, _ time.Duration) (gwlink.Desired, error) {
	c.node = node
	if c.unchanged {
		return gwlink.Desired{}, fleet.ErrUnchanged
	}
	return gwlink.Desired{Node: node, Generation: after + 1}, c.failing
}

func (c *control) Ingest(_ context.Context, node string, r gwlink.Report) error {
	c.node, c.reported = node, r
	return c.failing
}

func (c *control) Login(_ context.Context, node string, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	c.node = node
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused, Reason: r.Fields["username"]}, c.failing
}

func (c *control) DeliverKey(_ context.Context, node string, r gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	c.node = node
	return gwlink.KeyAnswer{Sealed: r.Public}, c.failing
}

func (c *control) CertifyServer(_ context.Context, node string, r gwlink.CertificateRequest) (gwlink.CertificateAnswer, error) {
	c.node = node
	return gwlink.CertificateAnswer{Chain: [][]byte{r.CSR}}, c.failing
}

func (c *control) NodeByKey(_ context.Context, sum string) (fleet.Node, error) {
	if sum != c.key {
		return fleet.Node{}, fleet.ErrNodeNotFound
	}
	return node, nil
}

var node = fleet.Node{ID: "node_x", NodeSpec: fleet.NodeSpec{Name: "one"}}

func handler(c *control, who gwserver.Identify) http.Handler {
	return gwserver.Handler(gwserver.Options{Fleet: c, VPN: c, Identify: who, Log: slog.New(slog.DiscardHandler)})
}

// call sends a request as the agent does.
func call(h http.Handler, method, path string, body any, version string) *httptest.ResponseRecorder {
	raw, _ := json.Marshal(body)
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Header.Set(gwlink.VersionHeader, version)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const present = "1"

func TestTheCalls(t *testing.T) {
	t.Parallel()
	c := &control{}
	h := handler(c, gwserver.Local(node))
	if w := call(h, "GET", gwlink.PathDesired+"?after=6", nil, present); w.Code != 200 || !strings.Contains(w.Body.String(), `"generation":7`) {
		t.Errorf("desired: got %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", gwlink.PathLogin, gwlink.LoginRequest{Fields: map[string]string{"username": "li"}}, present); w.Code != 200 || !strings.Contains(w.Body.String(), `"reason":"li"`) {
		t.Errorf("login: got %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", gwlink.PathKey, gwlink.KeyRequest{Public: []byte("key")}, present); w.Code != 200 || !strings.Contains(w.Body.String(), "a2V5") {
		t.Errorf("key: got %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", gwlink.PathCertificate, gwlink.CertificateRequest{CSR: []byte("csr")}, present); w.Code != 200 || !strings.Contains(w.Body.String(), "Y3Ny") {
		t.Errorf("certificate: got %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", gwlink.PathReport, gwlink.Report{Node: "one"}, present); w.Code != 204 || c.reported.Node != "node_x" || c.node != "node_x" {
		t.Errorf("report: got %d, in the name of %q", w.Code, c.reported.Node)
	}
	c.unchanged = true
	if w := call(h, "GET", gwlink.PathDesired+"?after=7", nil, present); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("nothing new: got %d %s", w.Code, w.Body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	h := handler(&control{}, gwserver.Local(node))
	stranger := handler(&control{}, func(*http.Request) (fleet.Node, error) { return fleet.Node{}, fleet.ErrNodeNotFound })
	broken := handler(&control{}, func(*http.Request) (fleet.Node, error) { return fleet.Node{}, errors.New("database away") })
	large := gwlink.LoginRequest{Fields: map[string]string{"username": strings.Repeat("x", 130<<10)}}
	for name, c := range map[string]struct {
		got  *httptest.ResponseRecorder
		want int
	}{
		"no version":            {call(h, "GET", gwlink.PathDesired+"?after=0", nil, ""), 426},
		"a version to come":     {call(h, "POST", gwlink.PathReport, gwlink.Report{}, "2"), 426},
		"an unknown node":       {call(stranger, "GET", gwlink.PathDesired+"?after=0", nil, present), 403},
		"who knows which node":  {call(broken, "GET", gwlink.PathDesired+"?after=0", nil, present), 500},
		"no generation":         {call(h, "GET", gwlink.PathDesired, nil, present), 400},
		"a negative generation": {call(h, "GET", gwlink.PathDesired+"?after=-1", nil, present), 400},
		"a huge generation":     {call(h, "GET", gwlink.PathDesired+"?after="+strconv.FormatUint(1<<63, 10), nil, present), 400},
		"not JSON of a report":  {call(h, "POST", gwlink.PathReport, "text", present), 400},
		"a large login":         {call(h, "POST", gwlink.PathLogin, large, present), 413},
		"another method":        {call(h, "GET", gwlink.PathLogin, nil, present), 405},
	} {
		if c.got.Code != c.want {
			t.Errorf("%s: got %d %s, want %d", name, c.got.Code, c.got.Body, c.want)
		}
	}
}

func TestAFailureTellsACodeOnly(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		404: fleet.ErrNotAssigned, 400: fleet.ErrReport, 503: fleet.ErrNoNode,
		500: errors.New("secret detail"), 409: errs.Wrap(errs.Conflict, "vpn.x", errors.New("secret detail")),
	} {
		w := call(handler(&control{failing: err}, gwserver.Local(node)), "POST", gwlink.PathLogin, gwlink.LoginRequest{}, present)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), `"code"`) {
			t.Errorf("%v: got %d %s, want %d", err, w.Code, w.Body, want)
		}
	}
}

func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, hex.EncodeToString(sum[:])
}

func TestOverTLSOnlyARegisteredKeyIsANode(t *testing.T) {
	t.Parallel()
	own, _ := certificate(t)
	mine, sum := certificate(t)
	strange, _ := certificate(t)
	c := &control{key: sum}
	srv := httptest.NewUnstartedServer(handler(c, gwserver.ByKey(c)))
	srv.TLS = gwserver.TLSConfig(own)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ask := func(certs ...tls.Certificate) (int, error) {
		roots := x509.NewCertPool()
		roots.AddCert(own.Leaf)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs}}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequest("GET", srv.URL+gwlink.PathDesired+"?after=0", nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set(gwlink.VersionHeader, present)
		resp, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Body.Close()
	}
	if got, err := ask(mine); err != nil || got != 200 || c.node != "node_x" {
		t.Errorf("the registered key: got %d, %v, node %q", got, err, c.node)
	}
	if got, err := ask(strange); err != nil || got != 403 {
		t.Errorf("another key: got %d, %v, want 403", got, err)
	}
	if got, err := ask(); err == nil {
		t.Errorf("no certificate: got %d, want no connection", got)
	}
}

func TestTheSocketIsForTheNamedUsers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		uid  int
		want bool
	}{"this user": {os.Getuid(), true}, "another": {os.Getuid() + 1, false}} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := gwserver.ListenUnix(path, slog.New(slog.DiscardHandler), c.uid)
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: handler(&control{}, gwserver.Local(node)), ReadHeaderTimeout: time.Second}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(l) }()
		client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}}
		r, err := http.NewRequest("GET", "http://control"+gwlink.PathDesired+"?after=0", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(gwlink.VersionHeader, present)
		resp, err := client.Do(r)
		if got := err == nil && resp.StatusCode == 200; got != c.want {
			t.Errorf("%s: got an answer: %v (%v), want %v", name, got, err, c.want)
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
		client.CloseIdleConnections()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	}
}
