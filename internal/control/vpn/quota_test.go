package vpn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// quota reads one row of an account's quotas.
func (r rig) quota(t *testing.T, owner account.ID, name string) vpn.Quota {
	t.Helper()
	all, err := r.s.Quotas(ctx, owner)
	must(t, err)
	for _, q := range all {
		if q.Name == name {
			return q
		}
	}
	t.Fatalf("no quota %s among %v", name, all)
	return vpn.Quota{}
}

func (r rig) setQuota(t *testing.T, name string, limit int) {
	t.Helper()
	must(t, r.s.SetQuota(ctx, account.Principal{}, vpn.QuotaDecision{Account: alice.Account, Name: name, Limit: limit, Reason: "case 7"}))
}

// TestASetQuotaHoldsForItsAccountAndTakesNothingAway, each where it is created.
func TestASetQuotaHoldsForItsAccountAndTakesNothingAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		r.client(t, alice, srv.ID, "one")
		refused := func(what string, limit int, err error) {
			t.Helper()
			var e *errs.Error
			if !errors.Is(err, vpn.ErrQuota) || !errors.As(err, &e) || e.Params["limit"] != limit {
				t.Errorf("%s: got %v, want ErrQuota of %d", what, err, limit)
			}
		}
		bare := newGateway("b", alice.Account)
		bare.Limits = vpn.Limits{}
		r.setQuota(t, vpn.QuotaSSLGateways, 1)
		refused("a second gateway with SSL", 1, r.s.Check(ctx, newGateway("b", alice.Account)))
		_, err := r.s.Create(ctx, newGateway("b", alice.Account))
		refused("its creation", 1, err)
		second, err := r.s.Create(ctx, bare)
		must(t, err)
		refused("enabling SSL", 1, r.s.CheckResize(ctx, alice.Account, second.ID, vpn.Limits{SSLBandwidth: 5, SSLConnections: 5}))
		must(t, r.s.CheckResize(ctx, alice.Account, g.ID, vpn.Limits{SSLBandwidth: 500, SSLConnections: 5}))
		r.setQuota(t, vpn.QuotaGateways, 1) // below use
		bare.Key, bare.Name = "c", "gw-c"
		_, err = r.s.Create(ctx, bare)
		refused("a third gateway", 1, err)
		if q := r.quota(t, alice.Account, vpn.QuotaGateways); q.Used != 2 || q.Limit != 1 || !q.Settable {
			t.Errorf("got %+v, want 2 of 1", q)
		}
		r.setQuota(t, vpn.QuotaClients, 1)
		_, err = r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "two"})
		refused("a second client", 1, err)
		r.setQuota(t, vpn.QuotaClients, 2)
		_, err = r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "two"})
		must(t, err)
		r.setQuota(t, vpn.QuotaCertificates, 0)
		_, err = r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{Name: "root", Kind: vpn.CertificateClientCA, Certificate: text(issue(t, nil, nil, asCA("Root")))})
		refused("a certificate", 0, err)
		r.gateway(t, "m", mallo.Account)
		if q := r.quota(t, mallo.Account, vpn.QuotaSSLGateways); q.Used != 1 || q.Limit != vpn.SSLGatewayQuota {
			t.Errorf("of another account: got %+v", q)
		}
	})
}

func TestARequestForMoreIsDecidedOnceAndRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		staff := account.Principal{Account: "acc_staff", Subject: "sub_staff", Staff: true}
		decision := vpn.QuotaDecision{Account: alice.Account, Name: vpn.QuotaCertificates, Limit: 200, Reason: "case 8"}
		if err := r.s.DeclineQuota(ctx, staff, decision); !errors.Is(err, vpn.ErrQuotaRequest) {
			t.Errorf("declining what nobody asked: got %v", err)
		}
		must(t, r.s.AskQuota(ctx, alice, vpn.QuotaCertificates, 150))
		must(t, r.s.AskQuota(ctx, alice, vpn.QuotaCertificates, 200))
		if q := r.quota(t, alice.Account, vpn.QuotaCertificates); q.Asked != 200 || q.Limit != vpn.CertificateQuota {
			t.Errorf("got %+v, want 200 asked for", q)
		}
		open, err := r.s.QuotaRequests(ctx, "")
		if err != nil || len(open) != 1 || open[0].Account != alice.Account || open[0].Wanted != 200 {
			t.Fatalf("got %v, %v, want one request for 200", open, err)
		}
		must(t, r.s.DeclineQuota(ctx, staff, decision))
		if q := r.quota(t, alice.Account, vpn.QuotaCertificates); q.Asked != 0 || q.Limit != vpn.CertificateQuota {
			t.Errorf("after the decline: got %+v", q)
		}
		must(t, r.s.AskQuota(ctx, alice, vpn.QuotaCertificates, 200))
		must(t, r.s.SetQuota(ctx, staff, decision))
		if q := r.quota(t, alice.Account, vpn.QuotaCertificates); q.Asked != 0 || q.Limit != 200 {
			t.Errorf("after the grant: got %+v", q)
		}
		if asked, set, no := r.events(t, "vpn.quota_asked"), r.events(t, "vpn.quota_set"), r.events(t, "vpn.quota_declined"); asked != 3 || set != 1 || no != 1 {
			t.Errorf("recorded %d requests, %d grants and %d declines", asked, set, no)
		}
		for name, change := range map[string]func(*vpn.QuotaDecision){
			"name":     func(d *vpn.QuotaDecision) { d.Name = "ssl_servers" },
			"limit":    func(d *vpn.QuotaDecision) { d.Limit = -1 },
			"reason":   func(d *vpn.QuotaDecision) { d.Reason = " " },
			"long":     func(d *vpn.QuotaDecision) { d.Reason = strings.Repeat("x", 201) },
			"personal": func(d *vpn.QuotaDecision) { d.Reason = "asked by zhang@example.com" },
		} {
			bad := decision
			change(&bad)
			if err := r.s.SetQuota(ctx, staff, bad); !errors.Is(err, vpn.ErrQuotaDecision) {
				t.Errorf("%s: got %v, want ErrQuotaDecision", name, err)
			}
		}
	})
}
