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

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// serverKey is the key of an SSL server, born here, with its chain once
// certified.
type serverKey struct {
	PKCS8 []byte   `json:"pkcs8"`
	Chain [][]byte `json:"chain,omitempty"`
}

var errNotCertified = errors.New("server key is not certified yet")

// certificate returns what a server shows: its own key with the chain that
// control desires, or with the one that it gets for a request.
func certificate(ctx context.Context, st *store, l link, srv gwlink.SSLServer) (*tls.Certificate, error) {
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
	for _, chain := range [][][]byte{srv.Chain, k.Chain} {
		if certifies(chain, signer) {
			return &tls.Certificate{Certificate: chain, PrivateKey: signer}, nil
		}
	}
	fault.Point("gateway-after-key")
	if k.Chain, err = request(ctx, l, srv, signer); err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", srv.ID, err)
	}
	fault.Point("gateway-after-certificate")
	if err := st.save(name, k); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: k.Chain, PrivateKey: signer}, nil
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
