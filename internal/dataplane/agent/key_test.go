package agent

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// keeper is a link that delivers one key, and certifies for a time.
type keeper struct {
	fakeLink
	pkcs8    []byte
	asked    int
	certify  *standalone
	lifetime time.Duration
}

func (k *keeper) deliverKey(_ context.Context, r gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	k.asked++
	if k.pkcs8 == nil {
		return gwlink.KeyAnswer{}, errors.New("away")
	}
	return gwlink.WrapKey(r, k.pkcs8)
}

func (k *keeper) certificate(_ context.Context, r gwlink.CertificateRequest) ([][]byte, error) {
	k.asked++
	if k.certify == nil {
		return nil, errors.New("away")
	}
	csr, err := x509.ParseCertificateRequest(r.CSR)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(k.lifetime)}
	der, err := x509.CreateCertificate(rand.Reader, c, k.certify.ca, csr.PublicKey, k.certify.caKey)
	return [][]byte{der}, err
}

// uploadedFor makes an uploaded certificate of a server and the key of it.
func uploadedFor(t *testing.T, server, id string) (gwlink.SSLServer, []byte) {
	t.Helper()
	k, err := newServerKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
	if err != nil {
		t.Fatal(err)
	}
	signer := key.(crypto.Signer)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return gwlink.SSLServer{ID: server, Certificate: id, Chain: [][]byte{der}}, k.PKCS8
}

func TestAnUploadedKeyIsAskedForOnceAndKeptSealed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := open(t, dir)
	srv, key := uploadedFor(t, "sslsrv-1", "cert-1")
	l := &keeper{}
	if c, err := certificate(t.Context(), st, l, srv, time.Now()); err == nil || c != nil {
		t.Errorf("with control away: got %v, %v", c, err)
	}
	l.pkcs8 = key
	for range 2 {
		c, err := certificate(t.Context(), st, l, srv, time.Now())
		if err != nil || string(c.Certificate[0]) != string(srv.Chain[0]) {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := certificate(t.Context(), open(t, dir), &keeper{}, srv, time.Now()); err != nil || l.asked != 2 {
		t.Errorf("after a restart with control away: got %v; asked %d times, want 2", err, l.asked)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "uploaded", "cert-1.sealed"))
	if err != nil || string(kept) == string(key) {
		t.Errorf("the key is on the disk as it is, or not: %v", err)
	}
	_, other := uploadedFor(t, "sslsrv-1", "cert-2")
	srv.Certificate = "cert-2"
	if _, err := certificate(t.Context(), st, &keeper{pkcs8: other}, srv, time.Now()); !errors.Is(err, errForeignKey) {
		t.Errorf("a key of another certificate: got %v, want errForeignKey", err)
	}
	used := gwlink.Desired{Gateways: []gwlink.Gateway{{SSLServers: []gwlink.SSLServer{{Certificate: "cert-1"}, {}}}}}
	for _, c := range []struct {
		d    gwlink.Desired
		want int
	}{{used, 1}, {gwlink.Desired{}, 0}} {
		if err := forgetKeys(st, c.d); err != nil {
			t.Error(err)
		}
		if left, err := st.list(uploadedKeys); err != nil || len(left) != c.want {
			t.Errorf("got %v, %v kept, want %d", left, err, c.want)
		}
	}
}

func TestACertificateOfAnOwnKeyIsRenewedInTime(t *testing.T) {
	t.Parallel()
	ca, err := newStandalone(Config{}, open(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	st, now, srv := open(t, t.TempDir()), time.Now(), gwlink.SSLServer{ID: "sslsrv-1"}
	l := &keeper{certify: ca, lifetime: 100 * 24 * time.Hour}
	get := func(at time.Time) time.Time {
		t.Helper()
		c, err := certificate(t.Context(), st, l, srv, at)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.NotAfter
	}
	first := get(now)
	if again := get(now.Add(30 * 24 * time.Hour)); !again.Equal(first) || l.asked != 1 {
		t.Errorf("asked %d times for a certificate that lasts", l.asked)
	}
	late := now.Add(50 * 24 * time.Hour)
	ready := l.certify
	l.certify = nil
	if kept := get(late); !kept.Equal(first) || l.asked != 2 {
		t.Errorf("with control away: got another, or did not ask (%d)", l.asked)
	}
	l.certify, l.lifetime = ready, 397*24*time.Hour
	if next := get(late); !next.After(first) {
		t.Errorf("got one until %s after one until %s", next, first)
	}
	r := newReconciler(testConfig(), st, l, nil, newReporter(testConfig(), st, l))
	r.own = []*x509.Certificate{{NotAfter: now.Add(100 * 24 * time.Hour)}}
	r.renewNext = now.Add(time.Hour)
	for at, want := range map[time.Duration]bool{0: false, 2 * time.Hour: false, 41 * 24 * time.Hour: true} {
		if got := r.renewalDue(now.Add(at)); got != want {
			t.Errorf("after %s: renewal due is %v, want %v", at, got, want)
		}
	}
}
