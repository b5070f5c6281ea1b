package vpn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Lives of certificates.
const (
	authorityLife  = 20 * 365 * 24 * time.Hour
	serverLife     = 397 * 24 * time.Hour
	serverRenewal  = 90 * 24 * time.Hour // renewed when less is left
	clientLife     = 1095 * 24 * time.Hour
	clockTolerance = 5 * time.Minute
)

// authority is a new CA: its certificate, and its key sealed by the vault.
type authority struct {
	certificate []byte
	sealed      []byte
}

func authorityName(server string) string { return "vpn_server.ca_key/" + server }

func (s *Service) newAuthority(ctx context.Context, server string, now time.Time) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("making a CA key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: server + " CA"}, NotBefore: now.Add(-clockTolerance),
		NotAfter: now.Add(authorityLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return authority{}, fmt.Errorf("making a CA: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return authority{}, fmt.Errorf("encoding a CA key: %w", err)
	}
	sealed, err := s.system.SealSystem(ctx, authorityName(server), raw)
	return authority{der, sealed}, err
}

// sign makes a certificate under a server's CA.
func (s *Service) sign(ctx context.Context, server string, caDER []byte, t *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	ca, key, err := s.signer(ctx, server, caDER)
	if err != nil {
		return nil, err
	}
	t.CRLDistributionPoints = s.distributionPoint(server)
	return x509.CreateCertificate(rand.Reader, t, ca, public, key)
}

// signer opens a server's CA.
func (s *Service) signer(ctx context.Context, server string, caDER []byte) (*x509.Certificate, crypto.Signer, error) {
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return nil, nil, fmt.Errorf("CA of %s: %w", server, err)
	}
	sealed, err := db.Get(ctx, s.db, ErrServerNotFound, db.One[[]byte], "SELECT ca_key FROM vpn_server WHERE id = $1", server)
	if err != nil {
		return nil, nil, err
	}
	raw, err := s.system.OpenSystem(ctx, authorityName(server), sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the CA key of %s: %w", server, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the CA key of %s: %w", server, err)
	}
	signing, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("the CA key of %s signs nothing", server)
	}
	return ca, signing, nil
}

// newSerial returns 127 random bits, positive and never zero in practice.
func newSerial() *big.Int {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic(err) // the system has no randomness
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}

// serialText is how serials are written in the contract with the nodes.
func serialText(n *big.Int) string { return strings.ToUpper(n.Text(16)) }

// parseRequest reads a CSR and checks that its sender holds the key.
func parseRequest(der []byte) (*x509.CertificateRequest, error) {
	if len(der) > 16<<10 {
		return nil, ErrCSR
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil || !goodKey(csr.PublicKey) {
		return nil, ErrCSR
	}
	return csr, nil
}

func goodKey(k crypto.PublicKey) bool {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return true
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192
	}
	return false
}

// issueServer certifies a node's key for a server. Names come from us: what a
// CSR asks for is not looked at.
func (s *Service) issueServer(ctx context.Context, v SSLServer, csr *x509.CertificateRequest, at []netip.Addr, now time.Time) ([][]byte, error) {
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: v.ServerNames[0]}, DNSNames: v.ServerNames,
		NotBefore: now.Add(-clockTolerance), NotAfter: now.Add(serverLife), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, a := range at {
		t.IPAddresses = append(t.IPAddresses, net.IP(a.Unmap().AsSlice()))
	}
	der, err := s.sign(ctx, v.ID, v.CA, t, csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("certifying %s: %w", v.ID, err)
	}
	return [][]byte{der, v.CA}, nil
}

// stillGood reports whether the present chain is for this key and these
// addresses and does not end soon.
func stillGood(v SSLServer, csr *x509.CertificateRequest, at []netip.Addr, now time.Time) bool {
	if len(v.Chain) == 0 {
		return false
	}
	leaf, err := x509.ParseCertificate(v.Chain[0])
	if err != nil || leaf.NotAfter.Sub(now) < serverRenewal || !bytes.Equal(leaf.RawSubjectPublicKeyInfo, csr.RawSubjectPublicKeyInfo) {
		return false
	}
	var have []netip.Addr
	for _, ip := range leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			have = append(have, a.Unmap())
		}
	}
	return slices.Equal(have, at) && slices.Equal(leaf.DNSNames, v.ServerNames)
}

// issueClient certifies the key of an SSL client; the subject is the account.
func (s *Service) issueClient(ctx context.Context, v SSLServer, name string, public crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-clockTolerance),
		NotAfter: now.Add(clientLife), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	der, err := s.sign(ctx, v.ID, v.CA, t, public)
	if err != nil {
		return nil, fmt.Errorf("certifying a client of %s: %w", v.ID, err)
	}
	return x509.ParseCertificate(der)
}

// verifyPeer checks the certificate that a client proved to hold: issued by
// one of the authorities, for clients, in its time. It returns the certificate
// and all chains that prove it.
func verifyPeer(authorities [][]byte, r gwlink.LoginRequest, now time.Time) (leaf *x509.Certificate, chains [][]*x509.Certificate, ok bool) {
	leaf, err := x509.ParseCertificate(r.PeerCertificate)
	if err != nil || leaf.IsCA { // the CA itself would verify
		return nil, nil, false
	}
	chains, err = leaf.Verify(x509.VerifyOptions{
		Roots: poolOf(authorities), Intermediates: poolOf(r.PeerChain), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return leaf, chains, err == nil
}

// poolOf leaves out what cannot be read: it can then prove nothing.
func poolOf(all [][]byte) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, der := range all {
		if c, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(c)
		}
	}
	return pool
}

func joinChain(chain [][]byte) []byte { return bytes.Join(chain, nil) }

func splitChain(joined []byte) ([][]byte, error) {
	if len(joined) == 0 {
		return nil, nil
	}
	all, err := x509.ParseCertificates(joined)
	if err != nil {
		return nil, fmt.Errorf("reading a chain: %w", err)
	}
	var chain [][]byte
	for _, c := range all {
		chain = append(chain, c.Raw)
	}
	return chain, nil
}

// pinOf is openconnect's form of the leaf's public key; empty without a chain.
func pinOf(chain [][]byte) string {
	if len(chain) == 0 {
		return ""
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return "pin-sha256:" + base64.StdEncoding.EncodeToString(sum[:])
}
