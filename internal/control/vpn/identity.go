package vpn

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
)

// identity is the client's name that a certificate of a foreign CA holds, by
// the settings of the server; empty if it holds none.
func (c Settings) identity(leaf *x509.Certificate) string {
	switch c.ClientCertField {
	case NameInUID:
		return uidOf(leaf.Subject)
	case NameInEmail:
		return localPart(leaf.EmailAddresses, c.ClientCertDomain)
	}
	return leaf.Subject.CommonName
}

// userID is the attribute UID of RFC 4519 section 2.39.
var userID = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}

func uidOf(subject pkix.Name) string {
	found := ""
	for _, n := range subject.Names {
		if !n.Type.Equal(userID) {
			continue
		}
		text, ok := n.Value.(string)
		if !ok || found != "" {
			return "" // of two, neither is the one
		}
		found = text
	}
	return found
}

// localPart is the name in the one address of a domain; empty if there is none
// or more than one.
func localPart(addresses []string, domain string) string {
	found := ""
	for _, a := range addresses {
		at := strings.LastIndexByte(a, '@')
		if at <= 0 || !strings.EqualFold(a[at+1:], domain) {
			continue
		}
		if found != "" {
			return ""
		}
		found = a[:at]
	}
	return found
}
