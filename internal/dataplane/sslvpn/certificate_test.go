package sslvpn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// issuer is a CA for client certificates.
type issuer struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T, by *issuer) *issuer { return newNamedIssuer(t, by, "CA") }

func newNamedIssuer(t *testing.T, by *issuer, name string) *issuer {
	t.Helper()
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
	}
	made := &issuer{t: t}
	made.cert, made.key = sign(t, by, c)
	return made
}

func sign(t *testing.T, by *issuer, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if c.SerialNumber == nil {
		c.SerialNumber = big.NewInt(time.Now().UnixNano())
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

// client certifies a client, with the chain behind it that it is to send.
func (i *issuer) client(serial int64, chain ...*issuer) *tls.Config {
	c, key := sign(i.t, i, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "ann"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	own := tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
	for _, ca := range chain {
		own.Certificate = append(own.Certificate, ca.cert.Raw)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}}
}

// certified is a rig whose server wants certificates of a CA; grants carry the
// serial of the certificate that was shown, as control writes it.
func certified(t *testing.T, ca *issuer) *rig {
	t.Helper()
	r := newRig(t, func(s *gwlink.SSLServer) {
		s.LoginMode, s.ClientCAs = gwlink.LoginPasswordCertificate, [][]byte{ca.cert.Raw}
	})
	r.grant(func(g *gwlink.Grant) {
		leaf, err := x509.ParseCertificate(r.last.PeerCertificate)
		if err != nil {
			t.Errorf("no certificate reached control: %v", err)
			return
		}
		g.Serial, g.Issuer = strings.ToUpper(leaf.SerialNumber.Text(16)), gwlink.NameHash(leaf.RawIssuer)
	})
	return r
}

// carries sends a packet up through a tunnel and expects it at the device.
func (r *rig) carries(p *peer, inner string) {
	r.t.Helper()
	up := udpPacket(inner, "10.77.0.2", []byte("still here"))
	p.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		r.t.Errorf("got %x, want %x", got, up)
	}
}

func TestRevocationEndsTheSessionsOfThatCertificateOnly(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t, nil)
	r := certified(t, ca)
	lost, kept := r.dial(ca.client(0xabc)), r.dial(ca.client(0xdef))
	cookie := lost.login("ann")
	lost.connect(cookie)
	stays := kept.connect(kept.login("bob")).Get("X-Cstp-Address")
	detached := r.dial(ca.client(0xabc)).login("cid") // has not connected yet
	r.spec.SSLServers[0].RevokedSerials = []string{"ABC"}
	r.apply()
	if f, err := lost.frame(); err != nil || f.Type != openconnect.TypeDisconnect {
		t.Errorf("got %v, %v, want a DISCONNECT", f, err)
	}
	for range 2 {
		if c := r.nextClosed(); c.Reason != gwlink.ReasonRevoked {
			t.Errorf("got %+v, want it revoked", c)
		}
	}
	r.carries(kept, stays)
	for _, c := range []string{cookie, detached} {
		if got := r.dial(ca.client(0xdef)).tryConnect(c); got != 401 {
			t.Errorf("a cookie of before: got %d, want 401", got)
		}
	}
	if !r.dial(ca.client(0xabc)).turnedAway() {
		t.Error("the certificate again is not turned away")
	}
}

// turnedAway begins a login and reports whether the answer is a form without a
// field, which says that the certificate is missing.
func (p *peer) turnedAway() bool {
	_, body := p.request(post(strings.Replace(initDocument, "</version>", "</version><client-cert-fail/>", 1)))
	return strings.Contains(body, "A valid client certificate is required.</error>") && !strings.Contains(body, "<input")
}

// tryConnect asks for a tunnel and returns the status.
func (p *peer) tryConnect(cookie string) int {
	p.t.Helper()
	resp, _ := p.request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=" + cookie + "\r\n\r\n")
	return resp.StatusCode
}

// TestACookieIsBoundToTheCertificateOfItsLogin, over connections and over a
// restart of the process.
func TestACookieIsBoundToTheCertificateOfItsLogin(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t, nil)
	own, other := ca.client(0xabc), ca.client(0xdef)
	r := certified(t, ca)
	cookie := r.dial(own).login("ann")
	check := func(r *rig) {
		t.Helper()
		for name, c := range map[string]*tls.Config{"none": nil, "another of the CA": other} {
			if got := r.dial(c).tryConnect(cookie); got != 401 {
				t.Errorf("with %s: got %d, want 401", name, got)
			}
		}
		r.carries(firstTunnel(r.dial(own), cookie), "10.98.0.2")
		r.carries(firstTunnel(r.dial(own), cookie), "10.98.0.2")
	}
	check(r)
	kept, err := json.Marshal(r.svc.Records()[0])
	if err != nil {
		t.Fatal(err)
	}
	var rec Record
	if err := json.Unmarshal(kept, &rec); err != nil {
		t.Fatal(err)
	}
	next := certified(t, ca)
	next.key = r.key
	next.apply()
	if err := next.svc.Restore(rec); err != nil {
		t.Fatal(err)
	}
	check(next)
}

// firstTunnel connects and returns the connection.
func firstTunnel(p *peer, cookie string) *peer { p.connect(cookie); return p }

// TestALoginWithoutCertificateBindsNothing, whatever a client may show.
func TestALoginWithoutCertificateBindsNothing(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t, nil)
	r := newRig(t)
	cookie := r.dial(ca.client(1)).login("ann") // of a CA that is not asked about
	for _, c := range []*tls.Config{nil, ca.client(2)} {
		r.dial(c).connect(cookie)
	}
}

// TestAClientIsAskedForItsCertificate: first to come back with one, then told
// that there is none that holds; and who posts no XML is told at once.
func TestAClientIsAskedForItsCertificate(t *testing.T) {
	t.Parallel()
	ca, stranger := newIssuer(t, nil), newIssuer(t, nil)
	r := certified(t, ca)
	fail := strings.Replace(initDocument, "</version>", "</version><client-cert-fail/>", 1)
	const asked, told = "<client-cert-request></client-cert-request>", "A valid client certificate is required.</error>"
	for name, c := range map[string]struct {
		with    *tls.Config
		request string
		want    string
	}{
		"none":                {nil, post(initDocument), asked},
		"one of another CA":   {stranger.client(1), post(initDocument), asked},
		"none, and says so":   {nil, post(fail), told},
		"refused, says so":    {stranger.client(2), post(fail), told},
		"reply without":       {nil, post(reply("ann", "pass")), told},
		"GET":                 {nil, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", told},
		"a good one":          {ca.client(3), post(initDocument), `name="password"`},
		"a good one after it": {ca.client(4), post(fail), `name="password"`},
	} {
		resp, body := r.dial(c.with).request(c.request)
		if resp.StatusCode != 200 || !strings.Contains(body, c.want) || strings.Contains(body, asked) != (c.want == asked) {
			t.Errorf("%s: got %s %s, want %s", name, resp.Status, body, c.want)
		}
	}
}

// TestABlockIsOfOneCertificateOfOneCA: another CA may have given the same serial.
func TestABlockIsOfOneCertificateOfOneCA(t *testing.T) {
	t.Parallel()
	ca, other := newIssuer(t, nil), newNamedIssuer(t, nil, "other")
	r := certified(t, ca)
	r.spec.SSLServers[0].ClientCAs = append(r.spec.SSLServers[0].ClientCAs, other.cert.Raw)
	r.apply()
	lost, kept := r.dial(ca.client(0xabc)), r.dial(other.client(0xabc))
	cookie := lost.login("ann")
	lost.connect(cookie)
	stays := kept.connect(kept.login("bob")).Get("X-Cstp-Address")
	rec := r.svc.Records()
	r.spec.SSLServers[0].Blocked = []gwlink.CertificateID{{Issuer: gwlink.NameHash(ca.cert.RawSubject), Serial: "ABC"}}
	r.apply()
	if f, err := lost.frame(); err != nil || f.Type != openconnect.TypeDisconnect {
		t.Errorf("got %v, %v, want a DISCONNECT", f, err)
	}
	if c := r.nextClosed(); c.Reason != gwlink.ReasonRevoked {
		t.Errorf("got %+v, want it revoked", c)
	}
	r.carries(kept, stays)
	if !r.dial(ca.client(0xabc)).turnedAway() || r.dial(other.client(0xabc)).turnedAway() {
		t.Error("the blocked certificate is let in, or another's is not")
	}
	for _, one := range rec {
		if err := r.svc.Restore(one); one.Client == "sslcli-ann" && err == nil {
			t.Error("a session of the blocked certificate came back after a restart")
		}
	}
	r.spec.SSLServers[0].Blocked = nil
	r.apply()
	if r.dial(ca.client(0xabc)).turnedAway() {
		t.Error("turned away after the block was lifted")
	}
}

// TestABlockOfACABetweenIsOfAllItIssued: live sessions end, and none begins.
func TestABlockOfACABetweenIsOfAllItIssued(t *testing.T) {
	t.Parallel()
	root := newIssuer(t, nil)
	middle := newNamedIssuer(t, root, "middle")
	r := certified(t, root)
	r.grant(func(g *gwlink.Grant) { // as control writes it
		chain := []*x509.Certificate{mustParse(t, r.last.PeerCertificate)}
		for _, der := range r.last.PeerChain {
			chain = append(chain, mustParse(t, der))
		}
		g.Path = gwlink.PathOf([][]*x509.Certificate{append(chain, root.cert)})
		g.Serial, g.Issuer = g.Path[0].Serial, g.Path[0].Issuer
	})
	lost, kept := r.dial(middle.client(0xabc, middle)), r.dial(root.client(0xdef))
	lost.connect(lost.login("ann"))
	stays := kept.connect(kept.login("bob")).Get("X-Cstp-Address")
	r.spec.SSLServers[0].Blocked = []gwlink.CertificateID{gwlink.IDOf(middle.cert)}
	r.apply()
	if c := r.nextClosed(); c.Reason != gwlink.ReasonRevoked {
		t.Errorf("got %+v, want it revoked", c)
	}
	r.carries(kept, stays)
	if !r.dial(middle.client(0xabd, middle)).turnedAway() || r.dial(root.client(0xdee)).turnedAway() {
		t.Error("a certificate of the blocked CA is let in, or one of the root's is not")
	}
}

func mustParse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A grant may have been on its way when its certificate was revoked, and a
// session may come back after a restart of the process.
func TestARevokedCertificateOpensNothingLater(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t, nil)
	r := certified(t, ca)
	r.dial(ca.client(0xabc)).login("ann")
	rec := r.svc.Records()[0]
	r.grant(func(g *gwlink.Grant) { g.Serial = "ABC" })
	r.spec.SSLServers[0].RevokedSerials = []string{"ABC"}
	r.apply()
	r.nextClosed()
	if resp, _ := r.dial(ca.client(0xdef)).request(post(reply("ann", "pass"))); resp.StatusCode != 503 || len(r.svc.Records()) != 0 {
		t.Errorf("a grant of before: got %s and %d sessions, want 503 and none", resp.Status, len(r.svc.Records()))
	}
	if err := r.svc.Restore(rec); err == nil || len(r.svc.Records()) != 0 {
		t.Errorf("restoring: got %v and %d sessions, want a failure and none", err, len(r.svc.Records()))
	}
}

func TestARotationOfTheCertificateDropsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	inner := p.connect(p.login("ann")).Get("X-Cstp-Address")
	shown := func() []byte { return r.dial(nil).tls.ConnectionState().PeerCertificates[0].Raw }
	former := r.certs["sslsrv-1"]
	next := selfSigned(t, []string{"one.example.com"})
	r.certs["sslsrv-1"] = next
	r.apply()
	r.carries(p, inner)
	if got := shown(); !bytes.Equal(got, next.Certificate[0]) || bytes.Equal(got, former.Certificate[0]) {
		t.Error("a new connection still gets the former certificate")
	}
	// The key of the one after it cannot be had: the server goes on with this one.
	keys := r.svc.keys
	r.svc.Apply(keys, []Gateway{{Spec: r.spec, Queues: r.svc.gateways["vpngw-1"].queues, Certificates: map[string]*tls.Certificate{}}}, nil)
	r.carries(p, inner)
	if got := shown(); !bytes.Equal(got, next.Certificate[0]) {
		t.Error("a new connection gets another certificate")
	}
}

func TestAWildcardCertificateAnswersForItsNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	second := r.spec.SSLServers[0]
	second.ID, second.ServerNames = "sslsrv-2", []string{"*.example.com", "sslsrv-2.vpn.test"}
	r.spec.SSLServers = append(r.spec.SSLServers, second)
	r.apply()
	for name, want := range map[string]string{
		"one.example.com": "one.example.com", "two.example.com": "*.example.com", "sslsrv-2.vpn.test": "*.example.com",
		"a.b.example.com": "", "example.com": "", "*.example.com.": "*.example.com",
	} {
		got := ""
		if p, err := r.tryDial(&tls.Config{ServerName: name}); err == nil {
			got = p.tls.ConnectionState().PeerCertificates[0].DNSNames[0]
		}
		if got != want {
			t.Errorf("%s: got the certificate for %q, want %q", name, got, want)
		}
	}
}

func TestTheChainOfAClientReachesControl(t *testing.T) {
	t.Parallel()
	root := newIssuer(t, nil)
	middle := newIssuer(t, root)
	r := certified(t, root)
	r.dial(middle.client(5, middle)).login("ann")
	if got := r.asked().PeerChain; len(got) != 1 || !bytes.Equal(got[0], middle.cert.Raw) {
		t.Errorf("got a chain of %d, want the CA between", len(got))
	}
	if !r.dial(middle.client(6)).turnedAway() {
		t.Error("without the CA between it is not turned away")
	}
	many := []*issuer{middle, middle, middle, middle, middle, middle}
	r.dial(middle.client(7, many...)).login("bob")
	if got := len(r.asked().PeerChain); got != gwlink.MaxPeerChain {
		t.Errorf("of six: got %d forwarded, want %d", got, gwlink.MaxPeerChain)
	}
}
