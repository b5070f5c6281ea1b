package vpn_test

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// events counts leaves of the log by type.
func (r rig) events(t *testing.T, kind string) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM audit_leaf WHERE type = $1", kind)
	must(t, err)
	return n
}

// issued is the list of what was issued to a client.
func (r rig) issued(t *testing.T, client string) []vpn.Certificate {
	t.Helper()
	all, _, err := r.s.Certificates(ctx, alice.Account, vpn.CertificateFilter{Client: client})
	must(t, err)
	return all
}

func (r rig) enters(t *testing.T, srv vpn.SSLServer, c vpn.SSLClient, s vpn.Secret, certificate []byte) bool {
	t.Helper()
	r.clock.Advance(16 * time.Minute) // failures are forgotten
	a, err := r.say(srv, source(3), "", certificate, "username", c.Name, "password", s.Password)
	must(t, err)
	return a.Outcome == gwlink.OutcomeGranted
}

func TestARenewedCertificateHasAWeekBesideTheNewOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		r.opened(t, r.signIn(t, srv, c, secret, c.Certificate), "10.9.0.2")
		next, err := r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{Key: "k1"})
		must(t, err)
		again, err := r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{Key: "k1"})
		if err != nil || again.Serial != next.Serial || next.Serial == c.Serial || len(r.issued(t, c.ID)) != 2 {
			t.Errorf("a repeat: got %s after %s, %v", again.Serial, next.Serial, err)
		}
		if !r.enters(t, srv, c, secret, c.Certificate) || !r.enters(t, srv, c, secret, next.Certificate) {
			t.Error("in the week: one of the two does not open")
		}
		if d, err := r.fleet.Desired(ctx, r.node.ID); err != nil || len(d.Closures) != 0 || len(r.desired(t).RevokedSerials) != 0 {
			t.Errorf("renewing ended sessions: %v, %v", d.Closures, err)
		}
		b, err := r.s.Bundle(ctx, alice, c.ID)
		if files := unzip(t, b); err != nil || files["key.pem"] == nil {
			t.Errorf("the new key is not in the bundle: %v", err)
		}
		r.clock.Advance(7 * 24 * time.Hour)
		must(t, r.s.Sweep(ctx))
		if r.enters(t, srv, c, secret, c.Certificate) || !r.enters(t, srv, c, secret, next.Certificate) {
			t.Error("after the week: the old one opens, or the new one does not")
		}
		if got := r.desired(t).RevokedSerials; !slices.Equal(got, []string{c.Serial}) {
			t.Errorf("got revoked %v, want %s", got, c.Serial)
		}
	})
}

func TestACertificateForAKeyMadeElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "router-1")
		r.clock.Advance(vpn.DefaultSecretTTL + time.Hour)
		next, err := r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{CSR: newCSR(t), Revoke: true})
		must(t, err)
		kept, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_client WHERE key_sealed IS NOT NULL OR password_sealed IS NOT NULL")
		if err != nil || kept != 0 || next.Readable.Password != c.Readable.Password || next.Readable.Key != c.Readable.Key {
			t.Errorf("%d secrets are kept, until %s, %v", kept, next.Readable, err)
		}
		if got := r.desired(t).RevokedSerials; !slices.Equal(got, []string{c.Serial}) {
			t.Errorf("got revoked %v, want %s at once", got, c.Serial)
		}
		if _, err := r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{CSR: []byte("x")}); !errors.Is(err, vpn.ErrCSR) {
			t.Errorf("nonsense: got %v", err)
		}
		if _, err := r.s.ReissueCertificate(ctx, mallo, c.ID, vpn.Reissue{}); !errors.Is(err, vpn.ErrClientNotFound) {
			t.Errorf("another account: got %v", err)
		}
	})
}

func TestARevokedCertificateOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		cert := r.issued(t, c.ID)[0]
		if !slices.Equal(cert.UsedBy, []string{c.ID}) || cert.Kind != vpn.CertificateClient || cert.Serial != c.Serial {
			t.Errorf("got %+v", cert)
		}
		for _, err := range []error{r.s.DeleteCertificate(ctx, alice, cert.ID), second(r.s.UpdateCertificate(ctx, alice, cert.ID, 0, called("x1")))} {
			if !errors.Is(err, vpn.ErrCertificateIssued) {
				t.Errorf("got %v", err)
			}
		}
		if !r.enters(t, srv, c, secret, c.Certificate) {
			t.Fatal("it does not open before")
		}
		for range 2 {
			got, err := r.s.RevokeCertificate(ctx, alice, cert.ID)
			if err != nil || got.State(r.clock.Now()) != vpn.CertificateRevoked || len(got.UsedBy) != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		}
		if r.enters(t, srv, c, secret, c.Certificate) {
			t.Error("it opens after")
		}
		if got := r.desired(t).RevokedSerials; !slices.Equal(got, []string{c.Serial}) || r.events(t, "vpn.certificate_revoked") != 1 {
			t.Errorf("got revoked %v, %d events", got, r.events(t, "vpn.certificate_revoked"))
		}
		up := r.upload(t, "one", issue(t, nil, nil, nil))
		if _, err := r.s.RevokeCertificate(ctx, alice, up.ID); !errors.Is(err, vpn.ErrCertificateNotIssued) {
			t.Errorf("an uploaded one: got %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestOfADeletedClientTheSerialIsLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		cert := r.issued(t, c.ID)[0]
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		got, err := r.s.Certificate(ctx, alice.Account, cert.ID)
		if err != nil || got.State(r.clock.Now()) != vpn.CertificateRevoked || got.Name != "" || got.Client != "" || got.Facts().Subject != "" || got.Serial != c.Serial {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := r.s.DownloadCertificate(ctx, alice.Account, cert.ID, vpn.FormPEM); !errors.Is(err, vpn.ErrCertificateErased) {
			t.Errorf("downloading: got %v", err)
		}
		r.clock.Advance(1096 * 24 * time.Hour)
		must(t, r.s.Sweep(ctx))
		if _, err := r.s.Certificate(ctx, alice.Account, cert.ID); !errors.Is(err, vpn.ErrCertificateNotFound) {
			t.Errorf("after its end: got %v", err)
		}
	})
}

func TestTheRevocationList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		leaf := mustParse(t, c.Certificate)
		if want := []string{"https://console.test/crl/" + srv.ID + ".crl"}; !slices.Equal(leaf.CRLDistributionPoints, want) {
			t.Errorf("got points %v, want %v", leaf.CRLDistributionPoints, want)
		}
		list := func() *x509.RevocationList {
			got, err := r.s.CRL(ctx, srv.ID)
			must(t, err)
			l, err := x509.ParseRevocationList(got.DER)
			must(t, err)
			must(t, l.CheckSignatureFrom(mustParse(t, srv.CA)))
			if !l.NextUpdate.Equal(l.ThisUpdate.Add(7*24*time.Hour)) || l.Number.Cmp(big.NewInt(got.Number)) != 0 {
				t.Errorf("got %+v", got)
			}
			return l
		}
		one := list()
		if len(one.RevokedCertificateEntries) != 0 || list().Number.Cmp(one.Number) != 0 {
			t.Errorf("at first: got %v, and then another list", one.RevokedCertificateEntries)
		}
		_, err := r.s.RevokeCertificate(ctx, alice, r.issued(t, c.ID)[0].ID)
		must(t, err)
		two := list()
		if len(two.RevokedCertificateEntries) != 1 || two.RevokedCertificateEntries[0].SerialNumber.Cmp(leaf.SerialNumber) != 0 || two.Number.Cmp(one.Number) <= 0 {
			t.Errorf("after a revocation: got %v", two.RevokedCertificateEntries)
		}
		r.clock.Advance(25 * time.Hour)
		if three := list(); three.Number.Cmp(two.Number) <= 0 || !three.ThisUpdate.After(two.ThisUpdate) {
			t.Error("a day later it is still the same list")
		}
		if _, err := r.s.CRL(ctx, "sslsrv-aaaaaaaaaaaaaaaa"); !errors.Is(err, vpn.ErrServerNotFound) {
			t.Errorf("of nobody: got %v", err)
		}
	})
}

// listen collects what is told of ends.
func (r rig) listen(t *testing.T, told *[]vpn.CertificateEnding) {
	t.Helper()
	for _, topic := range []string{vpn.TopicCertificateExpiring, vpn.TopicCertificateExpired, vpn.TopicClientCertificatesEnding, vpn.TopicClientCertificatesExpired} {
		job.Subscribe(r.queue, topic, "test", func(_ context.Context, e vpn.CertificateEnding) error {
			if (e.Server != "") != strings.Contains(topic, "client") || (e.Days == 0) != strings.HasSuffix(topic, "expired") {
				t.Errorf("got %+v as %s", e, topic)
			}
			*told = append(*told, e)
			return nil
		})
	}
}

func TestEndsAreToldOnceEach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var told []vpn.CertificateEnding
		r.listen(t, &told)
		day := 24 * time.Hour
		up := r.upload(t, "one", issue(t, nil, nil, func(c *x509.Certificate) { c.NotAfter = start.Add(40 * day) }))
		late := r.upload(t, "late", issue(t, nil, nil, func(c *x509.Certificate) { c.NotAfter = start.Add(5 * day) }))
		days := func(certificate string) (all []int) {
			for _, e := range told {
				if e.Certificate == certificate {
					all = append(all, e.Days)
				}
			}
			return all
		}
		for range 42 * 4 {
			must(t, r.s.WarnOfExpiry(ctx))
			must(t, r.queue.Drain(ctx))
			r.clock.Advance(6 * time.Hour)
		}
		if got := days(up.ID); !slices.Equal(got, []int{30, 7, 1, 0}) {
			t.Errorf("got %v, want 30, 7, 1, 0", got)
		}
		if got := days(late.ID); !slices.Equal(got, []int{7, 1, 0}) || len(told) != 7 {
			t.Errorf("uploaded late: got %v of %d", got, len(told))
		}
		if n := r.events(t, "vpn.certificate_expired"); n != 2 {
			t.Errorf("got %d events of an end, want 2", n)
		}
	})
}

func TestEndsOfClientsAreToldTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var told []vpn.CertificateEnding
		r.listen(t, &told)
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		var last vpn.SSLClient
		for _, name := range []string{"c1", "c2", "c3", "c4"} {
			last, _ = r.client(t, alice, srv.ID, name)
		}
		_, err := r.s.RevokeCertificate(ctx, alice, r.issued(t, last.ID)[0].ID)
		must(t, err)
		r.clock.Advance(1066 * 24 * time.Hour)
		must(t, r.s.WarnOfExpiry(ctx))
		must(t, r.queue.Drain(ctx))
		if len(told) != 1 || told[0].Count != 3 || told[0].Server != srv.ID || told[0].Days != 30 || told[0].Account != alice.Account {
			t.Errorf("got %+v, want one of three: the revoked one is not told of", told)
		}
	})
}
