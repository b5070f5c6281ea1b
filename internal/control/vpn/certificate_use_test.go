package vpn_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// desired is the one SSL server as the node gets it.
func (r rig) desired(t *testing.T) gwlink.SSLServer {
	t.Helper()
	d, err := r.fleet.Desired(ctx, r.node.ID)
	must(t, err)
	return d.Gateways[0].SSLServers[0]
}

// change puts other settings on a server.
func (r rig) change(t *testing.T, srv vpn.SSLServer, f func(*vpn.Settings)) (vpn.SSLServer, error) {
	t.Helper()
	now, err := r.s.Server(ctx, alice.Account, srv.ID)
	must(t, err)
	f(&now.Settings)
	return r.s.UpdateServer(ctx, alice, srv.ID, now.Version, now.Settings)
}

func showing(certificate string) func(*vpn.Settings) {
	return func(c *vpn.Settings) { c.CertID = certificate }
}

func TestAServerShowsAnUploadedCertificate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		leaf := issue(t, root, nil, func(c *x509.Certificate) {
			c.DNSNames = []string{"*.Example.com", "vpn.example.com", "sslsrv-x.vpn.test", "vpn.test"}
		})
		c := r.upload(t, "one", leaf, root)
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.CertID = c.ID })
		// The installation's own names are not for who writes them into a certificate.
		want := []string{"vpn.example.com", srv.ID + ".vpn.test", "*.example.com"}
		if got := r.desired(t); !slices.Equal(got.ServerNames, want) || got.Certificate != c.ID || len(got.Chain) != 2 || string(got.Chain[0]) != string(leaf.Raw) {
			t.Errorf("got %v, %s, chain of %d", got.ServerNames, got.Certificate, len(got.Chain))
		}
		r.apply(t)
		srv, err := r.s.Server(ctx, alice.Account, srv.ID)
		if err != nil || srv.State != vpn.ServerActive || !strings.HasPrefix(srv.PinSHA256, "pin-sha256:") {
			t.Errorf("got %s %q, %v, want it active without a key of the node's", srv.State, srv.PinSHA256, err)
		}
		used, err := r.s.Certificate(ctx, alice.Account, c.ID)
		if err != nil || !slices.Equal(used.UsedBy, []string{srv.ID}) {
			t.Errorf("got used by %v, %v", used.UsedBy, err)
		}
		err = r.s.DeleteCertificate(ctx, alice, c.ID)
		var e *errs.Error
		if !errors.Is(err, vpn.ErrCertificateInUse) || !errors.As(err, &e) || e.Params["users"] != srv.ID {
			t.Errorf("deleting what is used: got %v", err)
		}
		cl, _ := r.client(t, alice, srv.ID, "zhang.san")
		b, err := r.s.Bundle(ctx, alice, cl.ID)
		must(t, err)
		if files := unzip(t, b); string(files["ca.pem"]) != string(text(root)) || !strings.Contains(string(files["README.txt"]), "https://vpn.example.com/") {
			t.Errorf("the bundle is not for the uploaded certificate:\n%s", files["README.txt"])
		}
		if _, err := r.change(t, srv, showing("")); err != nil {
			t.Errorf("back to the built-in one: %v", err)
		}
		must(t, r.s.DeleteCertificate(ctx, alice, c.ID))
	})
}

func TestARotationOfTheCertificateEndsNoSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		one, two := r.upload(t, "one", issue(t, nil, nil, nil)), r.upload(t, "two", issue(t, nil, nil, nil))
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		r.opened(t, r.signIn(t, srv, c, secret, c.Certificate), "10.9.0.2")
		for _, id := range []string{one.ID, two.ID, ""} {
			if _, err := r.change(t, srv, showing(id)); err != nil {
				t.Fatal(err)
			}
		}
		d, err := r.fleet.Desired(ctx, r.node.ID)
		if err != nil || len(d.Closures) != 0 {
			t.Errorf("got closures %v, %v", d.Closures, err)
		}
	})
}

// signIn does all rounds of a login and returns the grant.
func (r rig) signIn(t *testing.T, srv vpn.SSLServer, c vpn.SSLClient, s vpn.Secret, certificate []byte) gwlink.Grant {
	t.Helper()
	r.clock.Advance(time.Minute) // a code is taken once
	a, err := r.say(srv, source(1), "", certificate, "username", c.Name, "password", s.Password)
	must(t, err)
	if a.Conversation != "" {
		a, err = r.say(srv, source(1), a.Conversation, certificate, "secondary_password", code(t, s.TOTP, r.clock.Now()))
		must(t, err)
	}
	return r.grantOf(t, a)
}

func TestWhatAServerMayNotShow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		short := r.upload(t, "short", issue(t, nil, nil, func(c *x509.Certificate) { c.NotAfter = start.Add(time.Hour) }))
		soon := r.upload(t, "soon", issue(t, nil, nil, func(c *x509.Certificate) { c.NotAfter = start.Add(time.Hour) }))
		ca := r.uploadCA(t, "ca", root)
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.CertID = short.ID })
		stranger, err := r.s.UploadCertificate(ctx, mallo, vpn.NewCertificate{Name: "hers", Kind: vpn.CertificateClientCA, Certificate: text(root)})
		must(t, err)
		for what, c := range map[string]struct {
			f    func(*vpn.Settings)
			want error
		}{
			"a CA":               {showing(ca.ID), vpn.ErrCertificateUse},
			"nothing known":      {showing("cert-aaaaaaaaaaaaaaaa"), vpn.ErrCertificateUse},
			"another account's":  {showing(stranger.ID), vpn.ErrCertificateUse},
			"trust in a leaf":    {func(c *vpn.Settings) { c.ClientCAs = []string{short.ID} }, vpn.ErrCertificateUse},
			"trust in a strange": {func(c *vpn.Settings) { c.ClientCAs = []string{stranger.ID} }, vpn.ErrCertificateUse},
			"the same CA twice":  {func(c *vpn.Settings) { c.ClientCAs = []string{ca.ID, ca.ID} }, vpn.ErrSetting},
			"eleven CAs":         {func(c *vpn.Settings) { c.ClientCAs = strings.Split("a,b,c,d,e,f,g,h,i,j,k", ",") }, vpn.ErrSetting},
			"no such field":      {func(c *vpn.Settings) { c.ClientCertField = "ou" }, vpn.ErrSetting},
			"no domain":          {func(c *vpn.Settings) { c.ClientCertField = vpn.NameInEmail }, vpn.ErrSetting},
			"a domain for cn":    {func(c *vpn.Settings) { c.ClientCertDomain = "example.com" }, vpn.ErrSetting},
		} {
			if _, err := r.change(t, srv, c.f); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", what, err, c.want)
			}
		}
		r.clock.Advance(2 * time.Hour)
		if _, err := r.change(t, srv, func(c *vpn.Settings) { c.Banner = "hello" }); err != nil {
			t.Errorf("another setting beside an expired certificate: %v", err)
		}
		if _, err := r.change(t, srv, showing(soon.ID)); !errors.Is(err, vpn.ErrCertificateEnded) {
			t.Errorf("an expired one, anew: got %v", err)
		}
	})
}

func TestANameBelongsToOneServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		first := r.upload(t, "one", issue(t, nil, nil, nil))
		a := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.CertID = first.ID })
		thief := issue(t, nil, nil, nil)
		hers, err := r.s.UploadCertificate(ctx, mallo, vpn.NewCertificate{Name: "x1", Kind: vpn.CertificateServer, Certificate: text(thief), PrivateKey: thief.keyText(t)})
		must(t, err)
		in := vpn.NewServer{Gateway: r.gateway(t, "m", mallo.Account).ID, Settings: settings()}
		in.CertID = hers.ID
		if _, err := r.s.CreateServer(ctx, mallo, in); !errors.Is(err, vpn.ErrServerNameTaken) {
			t.Errorf("a name of another's server: got %v", err)
		}
		must(t, r.s.DeleteServer(ctx, alice, a.ID))
		if _, err := r.s.CreateServer(ctx, mallo, in); err != nil {
			t.Errorf("once it is free: %v", err)
		}
	})
}

func TestAKeyIsDeliveredToTheNodeThatShowsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		leaf := issue(t, nil, nil, nil)
		c, other := r.upload(t, "one", leaf), r.upload(t, "two", issue(t, nil, nil, nil))
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.CertID = c.ID })
		x, err := gwlink.NewKeyExchange(srv.ID, c.ID)
		must(t, err)
		a, err := r.s.DeliverKey(ctx, r.node.ID, x.Request)
		must(t, err)
		got, err := x.Open(a)
		want, _ := x509.MarshalPKCS8PrivateKey(leaf.key)
		if err != nil || string(got) != string(want) {
			t.Errorf("got a key of %d bytes, %v", len(got), err)
		}
		for what, q := range map[string]struct {
			node string
			r    gwlink.KeyRequest
		}{
			"another node":    {"node_x", x.Request},
			"another's key":   {r.node.ID, gwlink.KeyRequest{Server: srv.ID, Certificate: other.ID, Public: x.Request.Public}},
			"no such server":  {r.node.ID, gwlink.KeyRequest{Server: "sslsrv-x", Certificate: c.ID, Public: x.Request.Public}},
			"no key to it":    {r.node.ID, gwlink.KeyRequest{Server: srv.ID, Certificate: c.ID}},
			"the built-in CA": {r.node.ID, gwlink.KeyRequest{Server: srv.ID, Public: x.Request.Public}},
		} {
			if got, err := r.s.DeliverKey(ctx, q.node, q.r); err == nil {
				t.Errorf("%s: got %v", what, got)
			}
		}
		if n := r.events(t, "vpn.certificate_key_delivered"); n != 1 {
			t.Errorf("%d deliveries are recorded, want 1", n)
		}
	})
}

func TestClientsOfAForeignCA(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root, stranger := issue(t, nil, nil, asCA("Root")), issue(t, nil, nil, asCA("Stranger"))
		middle := issue(t, root, nil, asCA("Middle"))
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		r.opened(t, r.signIn(t, srv, c, secret, c.Certificate), "10.9.0.2")
		ca := r.uploadCA(t, "ca", root)
		trust := func(field, domain string) {
			_, err := r.change(t, srv, func(s *vpn.Settings) {
				s.ClientCAs, s.ClientCertField, s.ClientCertDomain = []string{ca.ID}, field, domain
			})
			must(t, err)
		}
		trust(vpn.NameInCN, "")
		if d, err := r.fleet.Desired(ctx, r.node.ID); err != nil || len(d.Closures) != 1 || len(r.desired(t).ClientCAs) != 1 || string(r.desired(t).ClientCAs[0]) != string(root.Raw) {
			t.Errorf("got closures %v, %v: who signed in by a CA that is trusted no more has to go", d.Closures, err)
		}
		uid := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: "zhang.san"}
		forClients := func(f func(*x509.Certificate)) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}; f(c) }
		}
		named := func(name string) func(*x509.Certificate) {
			return forClients(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name} })
		}
		byUID := forClients(func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "Zhang San", ExtraNames: []pkix.AttributeTypeAndValue{uid}}
		})
		twoUIDs := forClients(func(c *x509.Certificate) { c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{uid, uid}} })
		mail := func(all ...string) func(*x509.Certificate) {
			return forClients(func(c *x509.Certificate) { c.Subject, c.EmailAddresses = pkix.Name{CommonName: "Zhang San"}, all })
		}
		for what, k := range map[string]struct {
			field, domain string
			leaf          *paper
			chain         []*paper
			in            bool
		}{
			"by CN":                   {vpn.NameInCN, "", issue(t, root, nil, named("zhang.san")), nil, true},
			"by CN, through another":  {vpn.NameInCN, "", issue(t, middle, nil, named("zhang.san")), []*paper{middle}, true},
			"without the one between": {vpn.NameInCN, "", issue(t, middle, nil, named("zhang.san")), nil, false},
			"another's CN":            {vpn.NameInCN, "", issue(t, root, nil, named("li.si")), nil, false},
			"no CN":                   {vpn.NameInCN, "", issue(t, root, nil, named("")), nil, false},
			"of a stranger":           {vpn.NameInCN, "", issue(t, stranger, nil, named("zhang.san")), []*paper{stranger}, false},
			"of the built-in CA":      {vpn.NameInCN, "", &paper{Certificate: mustParse(t, c.Certificate)}, nil, false},
			"expired":                 {vpn.NameInCN, "", issue(t, root, nil, func(c *x509.Certificate) { named("zhang.san")(c); c.NotAfter = start.Add(time.Second) }), nil, false},
			"for servers": {vpn.NameInCN, "", issue(t, root, nil, func(c *x509.Certificate) {
				named("zhang.san")(c)
				c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			}), nil, false},
			"by UID":                     {vpn.NameInUID, "", issue(t, root, nil, byUID), nil, true},
			"two UIDs":                   {vpn.NameInUID, "", issue(t, root, nil, twoUIDs), nil, false},
			"CN where UID counts":        {vpn.NameInUID, "", issue(t, root, nil, named("zhang.san")), nil, false},
			"by e-mail":                  {vpn.NameInEmail, "example.com", issue(t, root, nil, mail("zhang.san@Example.com")), nil, true},
			"by e-mail beside another":   {vpn.NameInEmail, "example.com", issue(t, root, nil, mail("x@example.org", "zhang.san@example.com")), nil, true},
			"e-mail of another domain":   {vpn.NameInEmail, "example.com", issue(t, root, nil, mail("zhang.san@example.org")), nil, false},
			"e-mail of a domain below":   {vpn.NameInEmail, "example.com", issue(t, root, nil, mail("zhang.san@a.example.com")), nil, false},
			"two addresses of a domain":  {vpn.NameInEmail, "example.com", issue(t, root, nil, mail("zhang.san@example.com", "li.si@example.com")), nil, false},
			"CN where the e-mail counts": {vpn.NameInEmail, "example.com", issue(t, root, nil, named("zhang.san")), nil, false},
		} {
			trust(k.field, k.domain)
			r.clock.Advance(time.Hour) // failures are forgotten
			a, err := r.s.Login(ctx, r.node.ID, gwlink.LoginRequest{
				Gateway: srv.Gateway, Server: srv.ID, SourceIP: addr(source(2)), PeerCertificate: k.leaf.Raw, PeerChain: ders(k.chain),
				Fields: map[string]string{"username": c.Name, "password": secret.Password},
			})
			if err != nil || (a.Outcome == gwlink.OutcomeGranted) != k.in {
				t.Errorf("%s: got %s %q, %v, want in: %v", what, a.Outcome, a.Reason, err, k.in)
			}
		}
		b, err := r.s.Bundle(ctx, alice, c.ID)
		must(t, err)
		if files := unzip(t, b); files["client.pem"] != nil || files["key.pem"] != nil || files["client.p12"] != nil {
			t.Error("the bundle holds a certificate that opens nothing")
		}
	})
}

func ders(all []*paper) (out [][]byte) {
	for _, p := range all {
		out = append(out, p.Raw)
	}
	return out
}

func mustParse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}
