package profile

import (
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// identity is what a bundle brought to sign in with.
type identity struct {
	pkcs8       []byte // nil: no key came with it
	certificate string // PEM
}

// open opens a bundle's key and holds it to the certificate.
func open(b bundle.Bundle, passphrase string) (identity, error) {
	out := identity{certificate: b.Profile.Certificate}
	if b.Key == nil {
		return out, nil
	}
	o, err := b.Key.Open(passphrase)
	if err != nil {
		return out, err
	}
	chain := o.Certificates
	if out.certificate != "" {
		if chain, err = bundle.Certificates(out.certificate); err != nil {
			return out, err
		}
	}
	if len(chain) == 0 {
		return out, ErrNoKey
	}
	if !o.Fits(chain[0]) {
		return out, bundle.ErrKey
	}
	out.pkcs8, out.certificate = o.PKCS8, toPEM(chain)
	return out, nil
}

func toPEM(chain []*x509.Certificate) string {
	var out strings.Builder
	for _, c := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return out.String()
}

// SetIdentity gives a profile another certificate with its key, from PEM or PKCS
// #12 files of the person's.
func (s *Store) SetIdentity(nameOrID, certificate string, key bundle.Key, passphrase string, keys Keys) (Profile, error) {
	in, err := open(bundle.Bundle{Profile: bundle.Profile{Certificate: certificate}, Key: &key}, passphrase)
	if err != nil {
		return Profile{}, err
	}
	p, err := s.Find(nameOrID)
	if err != nil {
		return Profile{}, err
	}
	if err := keys.SetPrivateKey(p.ID, in.pkcs8); err != nil {
		return Profile{}, err
	}
	return s.Change(p.ID, func(b *bundle.Profile) { b.Certificate = in.certificate })
}
