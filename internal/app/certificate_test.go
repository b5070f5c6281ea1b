package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
)

// TestTheRevocationListIsWhereTheCertificateSays fetches the list of a client's
// certificate from the address in it, as nobody, before and after the
// customer revokes it; the node gets the serial at once.
func TestTheRevocationListIsWhereTheCertificateSays(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.customer("alice", 1)
	client := p.do(200, "GET", "/ssl-clients/"+p.ids["ssl-clients"], nil)
	block, _ := pem.Decode([]byte(client.str("certificate_pem")))
	leaf, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	if len(leaf.CRLDistributionPoints) != 1 || !strings.HasPrefix(leaf.CRLDistributionPoints[0], strings.TrimSuffix(in.cfg.Console.URL, "/")+"/") {
		t.Fatalf("got points %v", leaf.CRLDistributionPoints)
	}
	at, err := url.Parse(leaf.CRLDistributionPoints[0])
	must(t, err)
	revoked := func() int {
		t.Helper()
		a := in.send("", "GET", at.Path, "")
		if a.status != 200 || a.header.Get("Content-Type") != "application/pkix-crl" {
			t.Fatalf("got %s", a)
		}
		list, err := x509.ParseRevocationList([]byte(a.text))
		must(t, err)
		return len(list.RevokedCertificateEntries)
	}
	if n := revoked(); n != 0 {
		t.Errorf("before: got %d revoked", n)
	}
	p.do(200, "POST", "/certificates/"+p.ids["certificates"]+"/revoke", nil)
	if n := revoked(); n != 1 {
		t.Errorf("after: got %d revoked", n)
	}
	d, err := in.modules.fleet.Desired(context.Background(), in.node.ID)
	must(t, err)
	if got := d.Gateways[0].SSLServers[0].RevokedSerials; len(got) != 1 || got[0] != client.str("serial") {
		t.Errorf("the node gets %v, want %s", got, client.str("serial"))
	}
	if a := in.send("", "GET", "/crl/"+p.ids["ssl-clients"]+".crl", ""); a.status != 404 {
		t.Errorf("of no server: got %s", a)
	}
}
