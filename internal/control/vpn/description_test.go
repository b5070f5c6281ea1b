package vpn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TestDescriptionsAreHeldToOneRuleAndKept on all four things that have one.
func TestDescriptionsAreHeldToOneRuleAndKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, _ := r.client(t, alice, srv.ID, "one")
		ca := r.uploadCA(t, "root", issue(t, nil, nil, asCA("Root")))
		for name, describe := range map[string]func(text string) (string, error){
			"gateway": func(text string) (string, error) {
				got, err := r.s.UpdateGateway(ctx, alice, g.ID, 0, vpn.GatewayChange{Description: &text})
				return got.Description, err
			},
			"server": func(text string) (string, error) {
				next := srv.Settings
				next.Description = text
				got, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
				return got.Description, err
			},
			"client": func(text string) (string, error) {
				next := c.ClientSettings
				next.Description = text
				got, err := r.s.UpdateClient(ctx, alice, c.ID, 0, next)
				return got.Description, err
			},
			"certificate": func(text string) (string, error) {
				got, err := r.s.UpdateCertificate(ctx, alice, ca.ID, 0, vpn.CertificateChange{Description: &text})
				return got.Description, err
			},
			"new client": func(text string) (string, error) {
				in := vpn.NewClient{Server: srv.ID, Name: "two", ClientSettings: vpn.ClientSettings{Description: text}}
				got, err := r.s.CreateClient(ctx, alice, in)
				if err == nil {
					got, err = r.s.Client(ctx, alice.Account, got.ID)
					must(t, r.s.DeleteClient(ctx, alice, got.ID))
				}
				return got.Description, err
			},
		} {
			for _, text := range []string{strings.Repeat("述", 128), "see http://example.com", "", "httpd of the lab"} {
				if got, err := describe(text); err != nil || got != text {
					t.Errorf("%s %q: got %q, %v", name, text, got, err)
				}
			}
			for _, text := range []string{strings.Repeat("述", 129), "http://example.com", "HTTPS://example.com", "two\nlines", "\xff"} {
				if _, err := describe(text); !errors.Is(err, vpn.ErrDescription) {
					t.Errorf("%s %q: got %v, want ErrDescription", name, text, err)
				}
			}
		}
		renamed, err := r.s.UpdateCertificate(ctx, alice, ca.ID, 0, called("other"))
		if err != nil || renamed.Name != "other" || renamed.Description != "httpd of the lab" {
			t.Errorf("a rename: got %q %q, %v", renamed.Name, renamed.Description, err)
		}
		in := vpn.NewCertificate{Name: "second", Kind: vpn.CertificateClientCA, Certificate: text(issue(t, nil, nil, asCA("Root"))), Description: "http://x"}
		if _, err := r.s.UploadCertificate(ctx, alice, in); !errors.Is(err, vpn.ErrDescription) {
			t.Errorf("an upload: got %v, want ErrDescription", err)
		}
	})
}
