//go:build netns

package netns

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// control is the control end of gwlink, as small as it can be.
type control struct {
	path string
	key  ed25519.PrivateKey

	mu          sync.Mutex
	desired     gwlink.Desired
	reports     []gwlink.Report
	logins      int
	maxSessions int    // of a client; 0 = 1
	uploaded    []byte // key of the uploaded certificate, PKCS #8
	http        *http.Server
}

func newControl(t *testing.T, dir string) *control {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &control{path: filepath.Join(dir, "control.sock"), key: key}
	c.start(t)
	t.Cleanup(c.stop)
	return c
}

func (c *control) start(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("unix", c.path)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+gwlink.PathDesired, c.serveDesired)
	mux.HandleFunc("POST "+gwlink.PathLogin, c.serveLogin)
	mux.HandleFunc("POST "+gwlink.PathReport, c.serveReport)
	mux.HandleFunc("POST "+gwlink.PathCertificate, serveCertificate)
	mux.HandleFunc("POST "+gwlink.PathKey, c.serveKey)
	c.http = &http.Server{Handler: mux}
	go func() { _ = c.http.Serve(ln) }()
}

func (c *control) stop() { _ = c.http.Close() }

func (c *control) set(d gwlink.Desired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.GrantKeys = []gwlink.GrantKey{{ID: "k1", Public: c.key.Public().(ed25519.PublicKey)}}
	c.desired = d
}

// serveDesired waits up to 25 s for a newer generation.
func (c *control) serveDesired(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil || r.Header.Get(gwlink.VersionHeader) != "1" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(25 * time.Second); time.Now().Before(end); {
		c.mu.Lock()
		d := c.desired
		c.mu.Unlock()
		if d.Generation > after {
			_ = json.NewEncoder(w).Encode(d)
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// serveLogin asks for a name, then for a password as a challenge.
func (c *control) serveLogin(w http.ResponseWriter, r *http.Request) {
	var q gwlink.LoginRequest
	_ = json.NewDecoder(r.Body).Decode(&q)
	form := func(id, name, kind string) gwlink.LoginAnswer {
		return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: "conv-1", Form: &gwlink.Form{
			ID: id, Message: "100 % sure?", Fields: []gwlink.Field{{Name: name, Label: name + ":", Kind: kind}},
		}}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins++
	a := gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused}
	switch {
	case q.Conversation == "":
		a = form("main", "username", "text")
	case q.Conversation == "conv-1" && q.Fields["username"] == "alice":
		a = form("challenge", "password", "password")
	case q.Conversation == "conv-1" && q.Fields["password"] == password:
		now := time.Now()
		grant, _ := gwlink.SignGrant("k1", c.key, gwlink.Grant{
			Session: fmt.Sprintf("ses_%d", c.logins), Gateway: q.Gateway, Server: q.Server, Client: "sslcli-alice",
			MaxSessions: max(c.maxSessions, 1), NotBefore: now, NotAfter: now.Add(time.Hour), Serial: serialOf(q.PeerCertificate),
		})
		a = gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: grant}
	}
	_ = json.NewEncoder(w).Encode(a)
}

func (c *control) serveReport(w http.ResponseWriter, r *http.Request) {
	var q gwlink.Report
	_ = json.NewDecoder(r.Body).Decode(&q)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports = append(c.reports, q)
	w.WriteHeader(http.StatusNoContent)
}

func (c *control) serveKey(w http.ResponseWriter, r *http.Request) {
	var q gwlink.KeyRequest
	_ = json.NewDecoder(r.Body).Decode(&q)
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := gwlink.WrapKey(q, c.uploaded)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(a)
}

// serialOf is a certificate's serial as control writes it into grants.
func serialOf(der []byte) string {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return ""
	}
	return strings.ToUpper(leaf.SerialNumber.Text(16))
}

func serveCertificate(w http.ResponseWriter, r *http.Request) {
	var q gwlink.CertificateRequest
	_ = json.NewDecoder(r.Body).Decode(&q)
	csr, err := x509.ParseCertificateRequest(q.CSR)
	if err != nil || csr.CheckSignature() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: csr.Subject, DNSNames: csr.DNSNames, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, csr.PublicKey, key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(gwlink.CertificateAnswer{Chain: [][]byte{der}})
}

// reported tells whether some report satisfies ok.
func (c *control) reported(ok func(gwlink.Report) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.reports {
		if ok(r) {
			return true
		}
	}
	return false
}

// controlled is a lab whose node has a control.
func controlled(t *testing.T) (*lab, *control) {
	l := newLab(t)
	ctl := newControl(t, l.dir)
	l.cfg.DesiredFile, l.cfg.UsersFile, l.cfg.Control = "", "", ctl.path
	ctl.set(l.desired())
	l.startNode()
	return l, ctl
}

func TestLifeWithControl(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("100 % sure?")
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(5 << 20)
	l.until("counters are reported", func() bool {
		return ctl.reported(func(r gwlink.Report) bool {
			return len(r.Live) == 1 && r.Live[0].Transport == "dtls" && r.Live[0].BytesIn > 5<<20 && r.Live[0].BytesOut > 5<<20 &&
				strings.Contains(r.Live[0].Client, "AnyConnect")
		})
	})
	var session string
	if !ctl.reported(func(r gwlink.Report) bool {
		for _, o := range r.Opened {
			session = o.Session
			return o.Client == "sslcli-alice" && o.Inner.String() == "10.98.0.2" && o.SourceIP.String() == "198.51.100.2"
		}
		return false
	}) {
		t.Error("got no report of the opening")
	}
	if !ctl.reported(func(r gwlink.Report) bool { return len(r.Gateways) == 1 && r.Gateways[0].State == "applied" }) {
		t.Error("got no report of the gateway")
	}
	ctl.set(l.desired(gwlink.Closure{Session: session, Reason: gwlink.ReasonRevoked}))
	if d := c.ended(); d > 2*time.Second {
		t.Errorf("got the client out after %s, want 2 s at most", d)
	}
	l.until("the closing is reported", func() bool {
		return ctl.reported(func(r gwlink.Report) bool {
			return len(r.Closed) == 1 && r.Closed[0].Session == session && r.Closed[0].Reason == gwlink.ReasonRevoked && r.Closed[0].BytesIn > 5<<20
		})
	})
}

func TestControlAway(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	ctl.stop()
	l.stopNode(syscall.SIGKILL)
	c.says("Failed to reconnect to host")
	l.startNode()
	c.says("SCRIPT reconnected 10.98.0.2")
	l.transfer(1 << 20)

	second := l.connect(password, "--no-dtls")
	second.says("HTTP/1.1 503")
	second.says("X-Reason: The service is unavailable.")
	second.ended()

	c.signal(syscall.SIGINT)
	c.ended()
	ctl.start(t)
	l.until("the closing is reported after all", func() bool {
		return ctl.reported(func(r gwlink.Report) bool { return len(r.Closed) == 1 && r.Closed[0].Reason == gwlink.ReasonUser })
	})
}

func TestFrozenGatewayEndsSessions(t *testing.T) {
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("SCRIPT connected")
	d := l.desired()
	d.Gateways[0].State = gwlink.GatewayFrozen
	ctl.set(d)
	c.ended()
	again := l.connect(password)
	again.says("HTTP/1.1 503")
	again.ended()
}
