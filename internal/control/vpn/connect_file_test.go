package vpn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// TestAProfileForSkyconnectIsSignedAndHasNoPassword reads what skyconnect reads.
func TestAProfileForSkyconnectIsSignedAndHasNoPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.Port = 8443 })
		_, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: newCSR(t)})
		must(t, err)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		packed, err := r.s.Bundle(ctx, alice, c.ID)
		must(t, err)
		file := unzip(t, packed)["profile.skyconnect"]
		if strings.Contains(string(file), secret.Password) {
			t.Error("the password is in the file")
		}
		b, err := bundle.Parse(file)
		must(t, err)
		signer, err := b.Verify()
		if err != nil || signer == "" {
			t.Errorf("got signer %q, %v", signer, err)
		}
		p := b.Profile
		if p.Server != srv.ID+".vpn.test:8443" || p.Account != "zhang.san" || len(p.Pins) != 1 || p.CA == "" || !p.Options.DTLS || p.Options.Token != bundle.TokenTOTP || p.Options.KeepSeed {
			t.Errorf("got %+v", p)
		}
		if p.Links.Console != "https://console.test" {
			t.Errorf("got console %q, where accounts are cancelled (TY-6.3)", p.Links.Console)
		}
		with := srv.Settings
		with.KeepSeed = true
		with.ClientNetworks = []bundle.TrustedNetwork{{Domain: "corp.example.org", Host: "10.1.0.1:443", Pin: p.Pins[0]}}
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, with); err != nil {
			t.Fatal(err)
		}
		allowed, err := r.s.ConnectLink(ctx, alice.Account, c.ID)
		must(t, err)
		if q, err := bundle.ParseLink(allowed.Link); err != nil || !q.Profile.Options.KeepSeed || len(q.Profile.Options.TrustedNetworks) != 1 || !r.apply(t).Gateways[0].SSLServers[0].KeepSeed {
			t.Errorf("seeds may be kept: got %+v, %v", q.Profile.Options, err)
		}
		key, err := b.Key.Open("")
		must(t, err)
		chain, err := bundle.Certificates(p.Certificate)
		if err != nil || !key.Fits(chain[0]) {
			t.Errorf("the key is not that of the certificate: %v", err)
		}
		clear(key.PKCS8)

		link, err := r.s.ConnectLink(ctx, alice.Account, c.ID)
		must(t, err)
		linked, err := bundle.ParseLink(link.Link)
		must(t, err)
		if id, err := linked.Verify(); err != nil || id != signer || link.Signer != signer || linked.Key != nil || !link.QR {
			t.Errorf("the link: got signer %q, %v, key %v, fits %v", id, err, linked.Key != nil, link.QR)
		}
		if _, err := r.s.ConnectLink(ctx, mallo.Account, c.ID); !errors.Is(err, vpn.ErrClientNotFound) {
			t.Errorf("another's client: got %v", err)
		}
		r.clock.Advance(vpn.DefaultSecretTTL + time.Hour)
		packed, err = r.s.Bundle(ctx, alice, c.ID)
		must(t, err)
		if late, err := bundle.Parse(unzip(t, packed)["profile.skyconnect"]); err != nil || late.Key != nil {
			t.Errorf("after the time: %v, key %v", err, late.Key != nil)
		}
	})
}
