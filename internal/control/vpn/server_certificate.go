package vpn

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Purposes of vpn_certificate_use.
const (
	useServer   = "server"
	useClientCA = "client-ca"
)

// maxClientCAs is how many authorities an SSL server may trust for its clients.
const maxClientCAs = 10

// Fields of a client's certificate that may hold its name.
const (
	NameInCN    = "cn"
	NameInUID   = "uid"
	NameInEmail = "email" // the part before the @ of a SAN e-mail address in Settings.ClientCertDomain
)

// checkClientNames holds the settings of foreign client certificates to each
// other. An e-mail address names a client only within one domain: "zhang" of
// another one is somebody else.
func (c Settings) checkClientNames() error {
	if len(c.ClientCAs) > maxClientCAs {
		return ErrSetting.With("setting", "client_cas")
	}
	for i, ca := range c.ClientCAs {
		if slices.Contains(c.ClientCAs[:i], ca) {
			return ErrSetting.With("setting", "client_cas")
		}
	}
	switch c.ClientCertField {
	case NameInCN, NameInUID:
		if c.ClientCertDomain == "" {
			return nil
		}
	case NameInEmail:
		if validDomain(c.ClientCertDomain) {
			return nil
		}
	default:
		return ErrSetting.With("setting", "client_cert_field")
	}
	return ErrSetting.With("setting", "client_cert_domain")
}

// bindCertificatesTx holds what a server names to the account's certificates,
// and notes that it uses them. A server keeps what it already uses even when
// that has expired, so that another setting can still be changed.
func (s *Service) bindCertificatesTx(ctx context.Context, tx *db.Tx, srv SSLServer, old Settings) error {
	var uses []use
	var names []string
	if srv.CertID != "" {
		c, err := s.usableTx(ctx, tx, srv.Account, srv.CertID, CertificateServer)
		if err != nil && (!errors.Is(err, ErrCertificateEnded) || srv.CertID != old.CertID) {
			return err
		}
		names = s.claimed(c.Chain)
		uses = append(uses, use{c.ID, useServer})
	}
	for _, ca := range srv.ClientCAs {
		c, err := s.usableTx(ctx, tx, srv.Account, ca, CertificateClientCA)
		if err != nil && (!errors.Is(err, ErrCertificateEnded) || !slices.Contains(old.ClientCAs, ca)) {
			return err
		}
		uses = append(uses, use{c.ID, useClientCA})
	}
	if err := claimNames(ctx, tx, srv.ID, names); err != nil {
		return err
	}
	return replaceUses(ctx, tx, srv.ID, uses)
}

// claimed are the names of an uploaded certificate by which clients may reach
// its server. Those below the installation's own domain are not: they belong
// to the servers that are called so.
func (s *Service) claimed(chain [][]byte) []string {
	if len(chain) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range leaf.DNSNames {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		own := name == s.config.BaseDomain || strings.HasSuffix(name, "."+s.config.BaseDomain)
		if !own && validDomain(strings.TrimPrefix(name, "*.")) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// shown is the chain that a server's clients see; empty until there is one.
func (v SSLServer) shown() [][]byte {
	if v.CertID != "" {
		return v.Uploaded
	}
	return v.Chain
}

// trust is what the certificates of a server's clients are held to.
func (s *Service) trust(ctx context.Context, v SSLServer) ([][]byte, error) {
	if len(v.ClientCAs) == 0 {
		return [][]byte{v.CA}, nil
	}
	return chainsOf(ctx, s.db, v.ID, useClientCA)
}

// DeliverKey answers a node's request for the private key of an uploaded
// certificate that a server of it shows. It is sealed to a key that the node
// made for this request alone, and recorded before it goes.
func (s *Service) DeliverKey(ctx context.Context, node string, r gwlink.KeyRequest) (gwlink.KeyAnswer, error) {
	srv, err := serverByID(ctx, s.db, r.Server)
	if err != nil {
		return gwlink.KeyAnswer{}, err
	}
	a, err := s.fleet.Assignment(ctx, srv.Gateway)
	if err != nil {
		return gwlink.KeyAnswer{}, err
	}
	if a.Node != node || srv.CertID == "" || srv.CertID != r.Certificate {
		return gwlink.KeyAnswer{}, ErrCertificateNotFound
	}
	sealed, err := db.Get(ctx, s.db, ErrCertificateNotFound, db.One[[]byte], "SELECT key_sealed FROM vpn_certificate WHERE id = $1", srv.CertID)
	if err != nil {
		return gwlink.KeyAnswer{}, err
	}
	plain, err := s.system.OpenSystem(ctx, keyName(srv.CertID), sealed)
	if err != nil {
		return gwlink.KeyAnswer{}, err
	}
	wrapped, err := gwlink.WrapKey(r, plain)
	if err != nil {
		return gwlink.KeyAnswer{}, ErrKeyRequest
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		return s.recordJob(ctx, tx, srv.Account, "", "vpn.certificate_key_delivered",
			map[string]string{"certificate": srv.CertID, "server": srv.ID, "node": node})
	})
	return wrapped, err
}
