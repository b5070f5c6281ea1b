package bundle

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Opened is a private key with the certificates that came with it.
type Opened struct {
	PKCS8        []byte // DER
	Certificates []*x509.Certificate
}

// Open opens the key, by the passphrase where it is sealed. A wrong passphrase is
// ErrPhrase, and so is none where one is needed.
func (k Key) Open(passphrase string) (Opened, error) {
	if k.PKCS12 != "" {
		return k.openPKCS12(passphrase)
	}
	block, rest := pem.Decode([]byte(k.PKCS8))
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
		return Opened{}, ErrKey
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		return Opened{}, ErrKey
	}
	return Opened{PKCS8: block.Bytes}, nil
}

func (k Key) openPKCS12(passphrase string) (Opened, error) {
	file, err := base64.StdEncoding.DecodeString(k.PKCS12)
	if err != nil {
		return Opened{}, ErrKey
	}
	return OpenPKCS12(file, passphrase)
}

// OpenPKCS12 opens a file of certificates and one key, as browsers and other
// clients write it.
func OpenPKCS12(file []byte, passphrase string) (Opened, error) {
	if len(file) > maxPEM || costly(file) {
		return Opened{}, ErrKey
	}
	private, leaf, chain, err := pkcs12.DecodeChain(file, passphrase)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return Opened{}, ErrPhrase
	case err != nil:
		return Opened{}, errs.Wrap(errs.Invalid, "bundle.key", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Opened{}, errs.Wrap(errs.Invalid, "bundle.key", err)
	}
	return Opened{PKCS8: der, Certificates: append([]*x509.Certificate{leaf}, chain...)}, nil
}

// Fits tells whether the key is that of a certificate.
func (o Opened) Fits(c *x509.Certificate) bool {
	private, err := x509.ParsePKCS8PrivateKey(o.PKCS8)
	if err != nil {
		return false
	}
	s, ok := private.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := s.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}
