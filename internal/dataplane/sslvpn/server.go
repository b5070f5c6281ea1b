package sslvpn

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/lease"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// server is one SSL server as desired; it is replaced, not changed.
type server struct {
	spec      gwlink.SSLServer
	gateway   *gateway
	filter    *filter.Filter
	acl       *filter.ACL
	pool      *lease.Pool // shared by successive values while the prefix stays
	pool6     *lease.Pool // likewise; nil without IPv6
	cert      *tls.Certificate
	clientCAs *x509.CertPool
	revoked   map[string]bool
	blocked   map[gwlink.CertificateID]bool
	clients   map[string]gwlink.Client
	profile   []byte
}

func newServer(spec gwlink.SSLServer, g *gateway, cert *tls.Certificate, former *server) *server {
	s := &server{
		spec: spec, gateway: g, cert: cert, clientCAs: x509.NewCertPool(),
		profile: profileOf(spec), revoked: map[string]bool{}, clients: map[string]gwlink.Client{},
		acl: accessList(spec, former),
	}
	s.filter = filter.New(filter.Rules{
		Pool: spec.Pool, Pool6: spec.Pool6, Routed: spec.Routed(), LocalSubnets: spec.LocalSubnets,
		FullTunnel: spec.FullTunnel, Isolated: spec.ClientIsolation, ACL: s.acl,
	})
	if former == nil {
		former = &server{}
	}
	s.pool = poolFor(spec.Pool, former.pool)
	if spec.Pool6.IsValid() {
		s.pool6 = poolFor(spec.Pool6, former.pool6)
	}
	if s.cert == nil {
		s.cert = former.cert // better the former certificate than none
	}
	for _, der := range spec.ClientCAs {
		if c, err := x509.ParseCertificate(der); err == nil {
			s.clientCAs.AddCert(c)
		}
	}
	s.blocked = make(map[gwlink.CertificateID]bool, len(spec.Blocked))
	for _, one := range spec.Blocked {
		s.blocked[one] = true
	}
	for _, serial := range spec.RevokedSerials {
		s.revoked[serial] = true
	}
	fixed, fixed6 := map[netip.Addr]string{}, map[netip.Addr]string{}
	for _, c := range spec.Clients {
		s.clients[c.ID] = c
		if c.FixedInner.IsValid() {
			fixed[c.FixedInner] = c.ID
		}
		if c.FixedInner6.IsValid() {
			fixed6[c.FixedInner6] = c.ID
		}
	}
	s.pool.Keep(fixed)
	if s.pool6 != nil {
		s.pool6.Keep(fixed6)
	}
	return s
}

// revokes says that the certificate of a grant, if it had one, opens nothing any
// more.
func (s *server) revokes(g gwlink.Grant) bool {
	own := gwlink.CertificateID{Issuer: g.Issuer, Serial: g.Serial}
	return g.Serial != "" && s.refuses(append([]gwlink.CertificateID{own}, g.Path...))
}

// refuses says that a certificate opens nothing, though its CA is trusted. path
// is it and all that it is verified by.
func (s *server) refuses(path []gwlink.CertificateID) bool {
	return s.revoked[path[0].Serial] || slices.ContainsFunc(path, func(c gwlink.CertificateID) bool { return s.blocked[c] })
}

// accessList is the server's, the former one if its rules have not changed.
func accessList(spec gwlink.SSLServer, former *server) *filter.ACL {
	same := func(a, b gwlink.ACLRule) bool {
		return a.Allow == b.Allow && a.Protocol == b.Protocol && a.Destination == b.Destination && slices.Equal(a.Ports, b.Ports)
	}
	if former != nil && former.spec.ACLDeny == spec.ACLDeny && slices.EqualFunc(former.spec.ACL, spec.ACL, same) {
		return former.acl
	}
	protocols := map[string]filter.Protocol{"": filter.Any, "tcp": filter.TCP, "udp": filter.UDP, "icmp": filter.ICMP}
	var rules []filter.Rule
	for _, r := range spec.ACL {
		p, known := protocols[r.Protocol]
		one := filter.Rule{Allow: r.Allow && known, Protocol: p, Destination: r.Destination}
		for _, x := range r.Ports {
			one.Ports = append(one.Ports, filter.Ports(x))
		}
		rules = append(rules, one)
	}
	return filter.NewACL(rules, spec.ACLDeny)
}

// poolFor is the former pool while its prefix stays, else a new one.
func poolFor(prefix netip.Prefix, former *lease.Pool) *lease.Pool {
	if former != nil && former.Prefix() == prefix.Masked() {
		return former
	}
	return lease.New(prefix)
}
