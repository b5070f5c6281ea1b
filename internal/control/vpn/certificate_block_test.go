package vpn_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func forClient(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.ExtKeyUsage = pkix.Name{CommonName: name}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
}

// TestACertificateOfAForeignCAIsBlockedAndLetInAgain: by itself or by its serial,
// it opens nothing, the node is told, and lifting lets it in again.
func TestACertificateOfAForeignCAIsBlockedAndLetInAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		ca := r.uploadCA(t, "ca", root)
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode, n.ClientCAs = false, vpn.LoginCertificate, []string{ca.ID}
		})
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		lost, other := issue(t, root, nil, forClient(c.Name)), issue(t, root, nil, forClient(c.Name))
		enters := func(leaf *paper) bool {
			a, err := r.s.Login(ctx, r.node.ID, gwlink.LoginRequest{Gateway: srv.Gateway, Server: srv.ID, SourceIP: addr(source(1)), PeerCertificate: leaf.Raw})
			must(t, err)
			return a.Outcome == gwlink.OutcomeGranted
		}
		id := gwlink.CertificateID{Issuer: gwlink.NameHash(root.RawSubject), Serial: strings.ToUpper(lost.SerialNumber.Text(16))}
		colons := "0x" + strings.ToLower(id.Serial[:2]) + ":" + id.Serial[2:]
		for what, in := range map[string]vpn.NewBlock{
			"by itself": {Certificate: text(lost)}, "by CA and serial": {CA: ca.ID, Serial: colons},
		} {
			if !enters(lost) {
				t.Fatalf("%s: not let in before", what)
			}
			before, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			in.Server = srv.ID
			b, err := r.s.BlockCertificate(ctx, alice, in)
			must(t, err)
			again, err := r.s.BlockCertificate(ctx, alice, in)
			if err != nil || again.ID != b.ID || b.CAName != "CN=Root" || (b.Client == c.ID) != (in.CA == "") {
				t.Errorf("%s: got %+v, then %+v, %v", what, b, again, err)
			}
			after, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			if got := r.desired(t).Blocked; !slices.Equal(got, []gwlink.CertificateID{id}) || after.Generation <= before.Generation {
				t.Errorf("%s: the node gets %v at generation %d after %d", what, got, after.Generation, before.Generation)
			}
			if enters(lost) || !enters(other) {
				t.Errorf("%s: the blocked one is let in, or another one is not", what)
			}
			if all, err := r.s.Blocks(ctx, alice.Account, srv.ID); err != nil || len(all) != 1 || all[0].Serial != id.Serial {
				t.Errorf("%s: got a list of %v, %v", what, all, err)
			}
			must(t, r.s.UnblockCertificate(ctx, alice, srv.ID, b.ID))
			if !enters(lost) || len(r.desired(t).Blocked) != 0 {
				t.Errorf("%s: lifted, and not let in", what)
			}
		}
		if n := r.events(t, "vpn.certificate_blocked"); n != 2 {
			t.Errorf("%d blocks are recorded, want 2", n)
		}
	})
}

// TestABlockBelowACABetween: of one client's certificate that an intermediate CA
// issued, by itself or by its serial there, and of that CA, with all that it issued.
// The same serial under another CA is another certificate.
func TestABlockBelowACABetween(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		middle := issue(t, root, nil, asCA("Middle"))
		ca := r.uploadCA(t, "ca", root)
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode, n.ClientCAs = false, vpn.LoginCertificate, []string{ca.ID}
		})
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		lost, other, direct := issue(t, middle, nil, forClient(c.Name)), issue(t, middle, nil, forClient(c.Name)), issue(t, root, nil, forClient(c.Name))
		enters := func(leaf *paper, chain ...[]byte) bool {
			a, err := r.s.Login(ctx, r.node.ID, gwlink.LoginRequest{
				Gateway: srv.Gateway, Server: srv.ID, SourceIP: addr(source(1)), PeerCertificate: leaf.Raw, PeerChain: chain,
			})
			must(t, err)
			if a.Outcome != gwlink.OutcomeGranted {
				return false
			}
			want := gwlink.PathOf([][]*x509.Certificate{{leaf.Certificate, middle.Certificate, root.Certificate}})
			if got := r.grantOf(t, a).Path; len(chain) > 0 && !slices.Equal(got, want) {
				t.Errorf("the grant says %v, want %v", got, want)
			}
			return true
		}
		for what, k := range map[string]struct {
			in   vpn.NewBlock
			open [3]bool // lost, other, direct
		}{
			"a certificate":                     {vpn.NewBlock{Certificate: text(lost)}, [3]bool{false, true, true}},
			"its serial and the CA between":     {vpn.NewBlock{Certificate: text(middle), Serial: serialOf(lost)}, [3]bool{false, true, true}},
			"its serial and a CA that is above": {vpn.NewBlock{CA: ca.ID, Serial: serialOf(lost)}, [3]bool{true, true, true}},
			"the CA between":                    {vpn.NewBlock{Certificate: text(middle)}, [3]bool{false, false, true}},
			"the CA between by its serial":      {vpn.NewBlock{CA: ca.ID, Serial: serialOf(middle)}, [3]bool{false, false, true}},
		} {
			k.in.Server = srv.ID
			b, err := r.s.BlockCertificate(ctx, alice, k.in)
			must(t, err)
			if got := [3]bool{enters(lost, middle.Raw), enters(other, middle.Raw), enters(direct)}; got != k.open {
				t.Errorf("%s: got let in %v, want %v", what, got, k.open)
			}
			must(t, r.s.UnblockCertificate(ctx, alice, srv.ID, b.ID))
		}
	})
}

func serialOf(p *paper) string { return p.SerialNumber.Text(16) }

func TestWhatCannotBeBlocked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		ca, leaf := r.uploadCA(t, "ca", root), r.upload(t, "leaf", issue(t, nil, nil, nil))
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		for what, k := range map[string]struct {
			in   vpn.NewBlock
			want error
		}{
			"one of the built-in CA": {vpn.NewBlock{Certificate: text(&paper{Certificate: mustParse(t, c.Certificate)})}, vpn.ErrBlockForeign},
			"the serial of a client": {vpn.NewBlock{Certificate: text(issue(t, root, nil, nil)), Serial: "5"}, vpn.ErrCertificateNoCA},
			"a root":                 {vpn.NewBlock{Certificate: text(root)}, vpn.ErrBlockForeign},
			"no certificate":         {vpn.NewBlock{Certificate: []byte("x")}, vpn.ErrCertificatePEM},
			"nothing":                {vpn.NewBlock{}, vpn.ErrCertificateUse},
			"no CA":                  {vpn.NewBlock{CA: leaf.ID, Serial: "5"}, vpn.ErrCertificateUse},
			"no serial":              {vpn.NewBlock{CA: ca.ID}, vpn.ErrBlockSerial},
			"no number":              {vpn.NewBlock{CA: ca.ID, Serial: "xyz"}, vpn.ErrBlockSerial},
			"below zero":             {vpn.NewBlock{CA: ca.ID, Serial: "-5"}, vpn.ErrBlockSerial},
			"too long":               {vpn.NewBlock{CA: ca.ID, Serial: strings.Repeat("f", 41)}, vpn.ErrBlockSerial},
		} {
			k.in.Server = srv.ID
			if _, err := r.s.BlockCertificate(ctx, alice, k.in); !errors.Is(err, k.want) {
				t.Errorf("%s: got %v, want %v", what, err, k.want)
			}
			if _, err := r.s.BlockCertificate(ctx, mallo, k.in); !errs.IsNotFound(err) {
				t.Errorf("%s, a stranger: got %v", what, err)
			}
		}
		if err := r.s.UnblockCertificate(ctx, alice, srv.ID, "cblk-x"); !errs.IsNotFound(err) {
			t.Errorf("lifting nothing: got %v", err)
		}
	})
}

// TestABlockGoesWithItsCertificateClientAndServer: what has ended needs no block.
func TestABlockGoesWithItsCertificateClientAndServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		ca := r.uploadCA(t, "ca", root)
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.ClientCAs = []string{ca.ID} })
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		leaf := issue(t, root, nil, forClient(c.Name))
		_, err := r.s.BlockCertificate(ctx, alice, vpn.NewBlock{Server: srv.ID, Certificate: text(leaf)})
		must(t, err)
		_, err = r.s.BlockCertificate(ctx, alice, vpn.NewBlock{Server: srv.ID, CA: ca.ID, Serial: "77"})
		must(t, err)
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		all, err := r.s.Blocks(ctx, alice.Account, srv.ID)
		if err != nil || len(all) != 2 || all[0].Client+all[1].Client != "" {
			t.Errorf("after the client: got %+v, %v, want both without it", all, err)
		}
		r.clock.Advance(leaf.NotAfter.Sub(start) + 1)
		if got := r.desired(t).Blocked; len(got) != 1 || got[0].Serial != "77" {
			t.Errorf("after its end: the node gets %v", got)
		}
		must(t, r.s.DeleteServer(ctx, alice, srv.ID))
		if _, err := r.s.Blocks(ctx, alice.Account, srv.ID); !errs.IsNotFound(err) {
			t.Errorf("after the server: got %v", err)
		}
	})
}
