//go:build netns

package netns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// paper is a certificate with its key.
type paper struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newPaper(t *testing.T, by *paper, c *x509.Certificate) *paper {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.NotBefore, c.NotAfter, c.BasicConstraintsValid = time.Now().Add(-time.Hour), time.Now().Add(time.Hour), true
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
	return &paper{made, key}
}

func (p *paper) pkcs8(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// files writes certificate and key as openconnect reads them.
func (p *paper) files(l *lab) (certificate, key string) {
	l.t.Helper()
	certificate, key = filepath.Join(l.dir, "client.pem"), filepath.Join(l.dir, "client.key")
	for path, b := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: p.cert.Raw}, key: {Type: "PRIVATE KEY", Bytes: p.pkcs8(l.t)},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	return certificate, key
}

// TestRevokingACertificateEndsStockOpenconnect signs in with a certificate and
// revokes it: the client is out within two seconds, and stays out.
func TestRevokingACertificateEndsStockOpenconnect(t *testing.T) {
	l := newLab(t)
	ca := newPaper(t, nil, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign})
	own := newPaper(t, ca, &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), Subject: pkix.Name{CommonName: "alice"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	l.server.LoginMode, l.server.ClientCAs = gwlink.LoginPasswordCertificate, [][]byte{ca.cert.Raw}
	ctl := newControl(t, l.dir)
	l.cfg.DesiredFile, l.cfg.UsersFile, l.cfg.Control = "", "", ctl.path
	ctl.set(l.desired())
	l.startNode()
	certificate, key := own.files(l)
	c := l.connect(password, "--certificate", certificate, "--sslkey", key)
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	c.signal(syscall.SIGUSR2)
	c.says("SCRIPT reconnected 10.98.0.2") // the cookie with its certificate
	l.transfer(1 << 20)
	l.server.RevokedSerials = []string{"ABC"}
	ctl.set(l.desired())
	if d := c.ended(); d > 2*time.Second {
		t.Errorf("got the client out after %s, want 2 s at most", d)
	}
	l.until("the closing is reported", func() bool {
		return ctl.reported(func(r gwlink.Report) bool { return len(r.Closed) == 1 && r.Closed[0].Reason == gwlink.ReasonRevoked })
	})
	again := l.connect(password, "--certificate", certificate, "--sslkey", key)
	again.says("Server requested SSL client certificate after one was provided")
	again.says("A valid client certificate is required.")
	again.ended()
	bare := l.connect(password)
	bare.says("Server requested SSL client certificate; none was configured")
	bare.says("A valid client certificate is required.")
	bare.ended()
}

// TestACookieNeedsItsCertificate has one process sign in with a certificate and
// others take the cookie over, with and without it.
func TestACookieNeedsItsCertificate(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPasswordCertificate })
	c, s := o.hire(nil)
	own := o.certificate(c)
	cookie := "--cookie=" + o.cookie(append(own, "--user", c.Name), s.Password)
	bare := o.dialAs(c, "", cookie)
	bare.says("HTTP/1.1 401")
	bare.ended()
	in := o.dialAs(c, "", append(own, cookie)...)
	in.says("SCRIPT connected 10.98.0.2")
	o.stopNode(syscall.SIGKILL)
	in.says("Failed to reconnect to host")
	o.startNode()
	in.reconnects(1)
	o.transfer(1 << 20)
}

// TestAnotherCertificateDropsNobody puts an uploaded certificate on a running
// server: the session stays, and who comes next gets the new certificate.
func TestAnotherCertificateDropsNobody(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	next := newPaper(t, nil, &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "uploaded"}, DNSNames: []string{"vpn.example.com"}})
	ctl.mu.Lock()
	ctl.uploaded = next.pkcs8(t)
	ctl.mu.Unlock()
	l.server.Certificate, l.server.Chain = "cert-1", [][]byte{next.cert.Raw}
	ctl.set(l.desired())
	l.until("the uploaded certificate is shown", func() bool { return l.shown() == "uploaded" })
	l.transfer(1 << 20)
	if got := l.log(c.log); strings.Contains(got, "SCRIPT reconnected") || strings.Contains(got, "reconnect to host") {
		t.Error("the session was interrupted")
	}
	kept, err := os.ReadFile(filepath.Join(l.cfg.StateDir, "uploaded", "cert-1.sealed"))
	if err != nil || strings.Contains(string(kept), string(next.pkcs8(t))) {
		t.Errorf("the key is not kept sealed: %v", err)
	}
}

// shown is the common name of the certificate that the node shows now.
func (l *lab) shown() string {
	raw, err := l.dial("c", net.JoinHostPort(nodeAddr, "443"))
	if err != nil {
		return ""
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "vpn.example.com"})
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := conn.Handshake(); err != nil {
		return ""
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}
