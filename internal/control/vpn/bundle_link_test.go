package vpn_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// bundleLink is the token of a new link to a client's bundle.
func (r rig) bundleLink(t *testing.T, client string, life time.Duration) string {
	t.Helper()
	v, err := r.s.InviteBundle(ctx, alice, client, life)
	must(t, err)
	head, token, found := strings.Cut(v.URL, "#token=")
	if !found || head != "https://console.test/bundle" || len(token) < 52 { // 256 bits in base32
		t.Fatalf("got a link %q", v.URL)
	}
	return token
}

func names(t *testing.T, b vpn.Bundle) (all []string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.ZIP), int64(len(b.ZIP)))
	must(t, err)
	for _, f := range z.File {
		all = append(all, f.Name)
	}
	return all
}

// TestAPersonFetchesTheBundleOnce: of any number that hold the link, one gets
// the bundle; the key is in it for as long as the administrator could read it.
func TestAPersonFetchesTheBundleOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		token := r.bundleLink(t, c.ID, 0)
		if kept, err := db.Get(ctx, r.db, nil, db.One[string], "SELECT token_hash FROM vpn_bundle_link"); err != nil || strings.Contains(kept, token) {
			t.Errorf("the token is kept in the clear, or %v", err)
		}
		if v, err := r.s.OpenBundleLink(ctx, alice.Account, c.ID); err != nil || !v.Until.Equal(r.clock.Now().Add(vpn.BundleLinkLife)) || v.URL != "" || !v.Key.Equal(c.Readable.Key) {
			t.Errorf("got %+v, %v", v, err)
		}
		type answer struct {
			b   vpn.Bundle
			err error
		}
		answers := make(chan answer)
		for range 3 {
			go func() {
				b, err := r.s.FetchBundle(ctx, token)
				answers <- answer{b, err}
			}()
		}
		got := 0
		for range 3 {
			switch a := <-answers; {
			case a.err == nil && a.b.Name == "zhang.san.zip" && slices.Contains(names(t, a.b), "key.pem"):
				got++
			case !errors.Is(a.err, vpn.ErrBundleLink):
				t.Errorf("got %v, want the link to be over", a.err)
			}
		}
		if got != 1 || r.events(t, "vpn.bundle_fetched") != 1 || r.events(t, "vpn.bundle_link_made") != 1 {
			t.Errorf("%d bundles were handed out, %d recorded, want 1", got, r.events(t, "vpn.bundle_fetched"))
		}
		r.clock.Advance(c.Readable.Key.Sub(r.clock.Now()))
		if b, err := r.s.FetchBundle(ctx, r.bundleLink(t, c.ID, 0)); err != nil || slices.Contains(names(t, b), "key.pem") || slices.Contains(names(t, b), "client.p12") {
			t.Errorf("after the key's time: %v, %v", names(t, b), err)
		}
	})
}

// TestALinkToABundleEnds: by its time, another link, revocation and whatever
// takes from the client what its bundle would open.
func TestALinkToABundleEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		for i, end := range []struct {
			name string
			f    func(c vpn.SSLClient)
		}{
			{"time", func(vpn.SSLClient) { r.clock.Advance(2 * time.Hour) }},
			{"another link", func(c vpn.SSLClient) { r.bundleLink(t, c.ID, 0) }},
			{"revocation", func(c vpn.SSLClient) { must(t, r.s.RevokeBundleLink(ctx, alice, c.ID)) }},
			{"another certificate", func(c vpn.SSLClient) { must(t, second(r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{}))) }},
			{"a new password", func(c vpn.SSLClient) { must(t, second(r.s.ResetPassword(ctx, alice, c.ID, forgotten))) }},
			{"disabling", func(c vpn.SSLClient) {
				next := c.ClientSettings
				next.State = vpn.ClientDisabled
				must(t, second(r.s.UpdateClient(ctx, alice, c.ID, 0, next)))
			}},
			{"deletion", func(c vpn.SSLClient) { must(t, r.s.DeleteClient(ctx, alice, c.ID)) }},
		} {
			c, _ := r.client(t, alice, srv.ID, "c"+string(rune('0'+i)))
			token := r.bundleLink(t, c.ID, 2*time.Hour)
			end.f(c)
			if err := second(r.s.FetchBundle(ctx, token)); !errors.Is(err, vpn.ErrBundleLink) {
				t.Errorf("%s: got %v", end.name, err)
			}
		}
		c, _ := r.client(t, alice, srv.ID, "last")
		for _, life := range []time.Duration{time.Minute, 73 * time.Hour} {
			if err := second(r.s.InviteBundle(ctx, alice, c.ID, life)); !errors.Is(err, vpn.ErrBundleLinkLife) {
				t.Errorf("%s: got %v", life, err)
			}
		}
		for what, err := range map[string]error{
			"making":  second(r.s.InviteBundle(ctx, mallo, c.ID, 0)),
			"reading": second(r.s.OpenBundleLink(ctx, mallo.Account, c.ID)),
			"ending":  r.s.RevokeBundleLink(ctx, mallo, c.ID),
		} {
			if !errs.IsNotFound(err) {
				t.Errorf("%s a stranger's link: got %v", what, err)
			}
		}
		if n := r.events(t, "vpn.bundle_link_revoked"); n != 1 {
			t.Errorf("%d revocations are recorded, want 1", n)
		}
	})
}
