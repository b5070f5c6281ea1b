package vpn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Limits of an upload.
const (
	maxCertificatePEM = 64 << 10 // of each of the three texts
	maxChain          = 10       // certificates
)

// NewCertificate is what a customer uploads: PEM texts. Certificate may hold
// the chain behind the certificate itself. PrivateKey is for CertificateServer
// alone; it is sealed and never given back.
type NewCertificate struct {
	Key         string // of the request; the same key is the same certificate; empty: always another
	Name        string
	Description string
	Kind        CertificateKind
	Certificate []byte
	PrivateKey  []byte
	Chain       []byte // what issued it, in order; the root may be left out
}

// uploaded is an upload that holds.
type uploaded struct {
	chain []*x509.Certificate
	key   []byte // PKCS #8
}

// UploadCertificate keeps a certificate after checking it. What is wrong with
// it is told by one of the ErrCertificate errors, with the place in the chain
// as "position", 1 for the certificate itself.
func (s *Service) UploadCertificate(ctx context.Context, p account.Principal, in NewCertificate) (Certificate, error) {
	if err := checkName(in.Name); err != nil {
		return Certificate{}, err
	}
	if err := checkDescription(in.Description); err != nil {
		return Certificate{}, err
	}
	now := s.clock.Now()
	up, err := in.check(now)
	if err != nil {
		return Certificate{}, err
	}
	c := Certificate{
		ID: newID("cert", p.Account, in.Key), Account: p.Account, Kind: in.Kind, Name: in.Name, Description: in.Description, Serial: serialText(up.chain[0].SerialNumber),
		HasKey: len(up.key) > 0, NotAfter: up.chain[0].NotAfter, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	for _, one := range up.chain {
		c.Chain = append(c.Chain, one.Raw)
	}
	made, err := s.Certificate(ctx, p.Account, c.ID)
	if !errs.IsNotFound(err) {
		return made, same(err, slices.EqualFunc(made.Chain, c.Chain, bytes.Equal) && made.Kind == c.Kind)
	}
	var sealed []byte
	if c.HasKey {
		if sealed, err = s.system.SealSystem(ctx, keyName(c.ID), up.key); err != nil {
			return Certificate{}, err
		}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		n, err := countUploaded(ctx, tx, p.Account)
		if err != nil {
			return err
		}
		if err := holdQuota(ctx, tx, p.Account, QuotaCertificates, CertificateQuota, n); err != nil {
			return err
		}
		if err := certificateNameFree(ctx, tx, c); err != nil {
			return err
		}
		if err := insertCertificate(ctx, tx, c, "", sealed); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.certificate_uploaded", map[string]string{"certificate": c.ID, "kind": string(c.Kind)})
	})
	return c, err
}

// check holds an upload to section 4.9.
func (in NewCertificate) check(now time.Time) (up uploaded, err error) {
	if err := in.checkKind(); err != nil {
		return uploaded{}, err
	}
	for _, text := range [][]byte{in.Certificate, in.PrivateKey, in.Chain} {
		if len(text) > maxCertificatePEM {
			return uploaded{}, ErrCertificateLarge
		}
	}
	if up.chain, err = in.parse(); err != nil {
		return uploaded{}, err
	}
	for i, c := range up.chain {
		if err := checkOne(c, now); err != nil {
			return uploaded{}, err.With("position", i+1)
		}
		if i > 0 && (!c.IsCA || up.chain[i-1].CheckSignatureFrom(c) != nil) {
			return uploaded{}, ErrCertificateChain.With("position", i+1)
		}
	}
	if in.Kind != CertificateServer {
		return up, checkAuthority(up.chain[0], in.PrivateKey)
	}
	if err := checkServer(up.chain[0]); err != nil {
		return uploaded{}, err
	}
	up.key, err = parseKey(in.PrivateKey, up.chain[0].PublicKey)
	return up, err
}

func (in NewCertificate) checkKind() error {
	switch in.Kind {
	case CertificateServer, CertificateClientCA, CertificatePeerCA:
		return nil
	case CertificateClient:
		return ErrCertificateClient
	case certificateGMSign, certificateGMEnc, certificateGMCA:
		return ErrCertificateGM
	}
	return ErrCertificateKind
}

// parse reads the certificate and its chain. The chain may stand in either
// text or in both.
func (in NewCertificate) parse() ([]*x509.Certificate, error) {
	all, err := certificatesIn(in.Certificate)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrCertificatePEM
	}
	more, err := certificatesIn(in.Chain)
	if err != nil {
		return nil, err
	}
	for _, c := range more {
		if !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	if len(all) > maxChain {
		return nil, ErrCertificateLarge
	}
	return all, nil
}

// certificatesIn reads the blocks of a PEM text. Text around them is let be, as
// programs write it there; other blocks are not, and a key least of all.
func certificatesIn(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	rest := text
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if strings.Contains(block.Type, "PRIVATE KEY") {
			return nil, ErrCertificateKeyInside
		}
		if block.Type != "CERTIFICATE" {
			return nil, ErrCertificatePEM
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, ErrCertificateUnreadable
		}
		all = append(all, c)
	}
	if len(all) == 0 && len(bytes.TrimSpace(text)) > 0 || bytes.Contains(rest, []byte("-----BEGIN")) {
		return nil, ErrCertificatePEM
	}
	return all, nil
}

// checkOne holds each certificate of a chain to its time and its strength.
func checkOne(c *x509.Certificate, now time.Time) *errs.Error {
	switch {
	case !now.Before(c.NotAfter):
		return ErrCertificateEnded
	case now.Add(clockTolerance).Before(c.NotBefore):
		return ErrCertificateEarly
	case !goodKey(c.PublicKey):
		return ErrCertificateWeakKey
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return nil
	}
	return ErrCertificateWeakSignature
}

func checkServer(c *x509.Certificate) error {
	if c.IsCA {
		return ErrCertificateIsCA
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return nil
	}
	return ErrCertificateUsage
}

func checkAuthority(c *x509.Certificate, key []byte) error {
	if len(bytes.TrimSpace(key)) > 0 {
		return ErrCertificateKeyUnwanted
	}
	if !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return ErrCertificateNoCA
	}
	return nil
}

// parseKey reads a private key in one of the three usual forms and holds it
// to the certificate. It returns PKCS #8.
func parseKey(text []byte, public crypto.PublicKey) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, ErrCertificateKeyMissing
	}
	block, rest := pem.Decode(text)
	for block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, ErrCertificateKeyUnreadable
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, ErrCertificateKeyEncrypted
	}
	key, err := privateKey(block)
	if err != nil {
		return nil, ErrCertificateKeyUnreadable
	}
	if own, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !own.Equal(public) {
		return nil, ErrCertificateKeyForeign
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func privateKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, ErrCertificateKeyUnreadable
	}
	return signer, nil
}
