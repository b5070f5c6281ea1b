package gwlink

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
)

// CertificateID names a certificate by what issued it, see NameHash, and by its
// serial number in upper-case hex: RFC 5280 section 4.1.2.2.
type CertificateID struct {
	Issuer string `json:"issuer"`
	Serial string `json:"serial"`
}

// NameHash is the SHA-256, in hex, of a distinguished name as it is encoded.
func NameHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// IDOf is what a certificate is named by.
func IDOf(c *x509.Certificate) CertificateID {
	return CertificateID{Issuer: NameHash(c.RawIssuer), Serial: strings.ToUpper(c.SerialNumber.Text(16))}
}

// PathOf names every certificate of the chains that x509 verified one by, each
// once and that one first.
func PathOf(chains [][]*x509.Certificate) (path []CertificateID) {
	for _, chain := range chains {
		for _, c := range chain {
			if id := IDOf(c); !slices.Contains(path, id) {
				path = append(path, id)
			}
		}
	}
	return path
}
