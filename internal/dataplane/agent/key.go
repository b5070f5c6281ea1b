package agent

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// serverKey is the key of an SSL server, born here, with its chain once
// certified.
type serverKey struct {
	PKCS8 []byte   `json:"pkcs8"`
	Chain [][]byte `json:"chain,omitempty"`
}

var (
	errNotCertified = errors.New("server key is not certified yet")
	errForeignKey   = errors.New("it is not for the certificate")
)

// renewBefore is how long before its end a certificate of a node's own key is
// asked for anew. Control renews earlier than that, so one request is enough.
const renewBefore = 60 * 24 * time.Hour

// uploadedKeys is where keys of uploaded certificates are kept, by certificate.
const uploadedKeys = "uploaded"

// certificate returns what a server shows: an uploaded certificate with the key
// that control delivers once, or the server's own key with the chain that
// control desires, or with the one that it gets for a request. An own one that
// ends soon is renewed; while that fails the former one is shown.
func certificate(ctx context.Context, st *store, l link, srv gwlink.SSLServer, now time.Time) (*tls.Certificate, error) {
	if srv.Certificate != "" {
		return uploaded(ctx, st, l, srv)
	}
	name := "key/" + srv.ID
	var k serverKey
	err := st.load(name, &k)
	if errors.Is(err, errNoState) {
		if k, err = newServerKey(); err == nil {
			err = st.save(name, k)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", srv.ID, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", srv.ID, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key of %s: not a signing key", srv.ID)
	}
	former := certified(signer, srv.Chain, k.Chain)
	if former != nil && fresh(former.Leaf, now) {
		return former, nil
	}
	fault.Point("gateway-after-key")
	if k.Chain, err = request(ctx, l, srv, signer); err != nil {
		if former != nil && now.Before(former.Leaf.NotAfter) {
			return former, nil // asked for again later; nobody is turned away for that
		}
		return former, fmt.Errorf("certificate of %s: %w", srv.ID, err)
	}
	fault.Point("gateway-after-certificate")
	if err := st.save(name, k); err != nil {
		return nil, err
	}
	return certified(signer, k.Chain), nil
}

// certified returns the one of the chains for the key that lasts longest; nil
// if none is for it.
func certified(key crypto.Signer, chains ...[][]byte) *tls.Certificate {
	var best *tls.Certificate
	for _, chain := range chains {
		if !certifies(chain, key) {
			continue
		}
		leaf, err := x509.ParseCertificate(chain[0])
		if err == nil && (best == nil || leaf.NotAfter.After(best.Leaf.NotAfter)) {
			best = &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}
		}
	}
	return best
}

func fresh(leaf *x509.Certificate, now time.Time) bool { return leaf.NotAfter.Sub(now) > renewBefore }

// uploaded returns an uploaded certificate with its key, which is asked of
// control once and then kept sealed under the certificate's id.
func uploaded(ctx context.Context, st *store, l link, srv gwlink.SSLServer) (*tls.Certificate, error) {
	name := uploadedKeys + "/" + srv.Certificate
	var k serverKey
	err := st.load(name, &k)
	if errors.Is(err, errNoState) {
		if k.PKCS8, err = fetchKey(ctx, l, srv); err == nil {
			err = st.save(name, k)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s for %s: %w", srv.Certificate, srv.ID, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", srv.Certificate, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok || !certifies(srv.Chain, signer) {
		return nil, fmt.Errorf("key of %s: %w", srv.Certificate, errForeignKey)
	}
	return certified(signer, srv.Chain), nil
}

// fetchKey asks control for a key, which comes sealed to this request.
func fetchKey(ctx context.Context, l link, srv gwlink.SSLServer) ([]byte, error) {
	x, err := gwlink.NewKeyExchange(srv.ID, srv.Certificate)
	if err != nil {
		return nil, err
	}
	answer, err := l.deliverKey(ctx, x.Request)
	if err != nil {
		return nil, err
	}
	return x.Open(answer)
}

// forgetKeys removes the kept keys of uploaded certificates that no server
// shows any more.
func forgetKeys(st *store, d gwlink.Desired) error {
	used := map[string]bool{}
	for _, g := range d.Gateways {
		for _, srv := range g.SSLServers {
			used[uploadedKeys+"/"+srv.Certificate] = true
		}
	}
	kept, err := st.list(uploadedKeys)
	for _, name := range kept {
		if !used[name] {
			err = errors.Join(err, st.remove(name))
		}
	}
	return err
}

func newServerKey() (serverKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return serverKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return serverKey{PKCS8: der}, err
}

// certifies tells whether a chain's leaf is for the key.
func certifies(chain [][]byte, key crypto.Signer) bool {
	if len(chain) == 0 {
		return false
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return false
	}
	a, errA := x509.MarshalPKIXPublicKey(leaf.PublicKey)
	b, errB := x509.MarshalPKIXPublicKey(key.Public())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func request(ctx context.Context, l link, srv gwlink.SSLServer, key crypto.Signer) ([][]byte, error) {
	t := &x509.CertificateRequest{DNSNames: srv.ServerNames}
	if len(srv.ServerNames) > 0 {
		t.Subject = pkix.Name{CommonName: srv.ServerNames[0]}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, t, key)
	if err != nil {
		return nil, err
	}
	chain, err := l.certificate(ctx, gwlink.CertificateRequest{Server: srv.ID, CSR: csr})
	if err != nil {
		return nil, err
	}
	if !certifies(chain, key) {
		return nil, errNotCertified
	}
	return chain, nil
}
