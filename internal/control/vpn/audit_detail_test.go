package vpn_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// lastDetail opens what the log holds of the newest event of a kind.
func (r rig) lastDetail(t *testing.T, kind string) map[string]string {
	t.Helper()
	leaves, err := r.audit.Leaves(ctx, audit.Filter{Type: kind, Limit: 1})
	if err != nil || len(leaves) != 1 {
		t.Fatalf("%s: got %d leaves, %v", kind, len(leaves), err)
	}
	ticket, err := r.vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Staff}, Subject: alice.Subject, Fields: []string{audit.DetailField}, Purpose: "security_audit", Reason: "case_1",
	})
	must(t, err)
	body, err := r.audit.Detail(ctx, ticket, leaves[0])
	must(t, err)
	var got struct{ Detail map[string]string }
	must(t, json.Unmarshal(body, &got))
	return got.Detail
}

func TestTheLogTellsWhatChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		ca := r.uploadCA(t, "partner", issue(t, nil, nil, asCA("Partner")))
		next := srv.Settings
		next.Name, next.MTU, next.Pool6, next.TrustedNetworks = "13800138000", 1300, prefix("fd00:9::/64"), append(next.TrustedNetworks, prefix("198.51.100.7/32"))
		_, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		r.update(t, c.ID, func(v *vpn.ClientSettings) {
			v.DailyQuota, v.FixedIP, v.ExpiresAt = 13_000_000_000, netip.MustParseAddr("10.9.0.77"), start.Add(time.Hour)
		})
		_, err = r.s.UpdateCertificate(ctx, alice, ca.ID, 0, called("supplier"))
		must(t, err)
		name := "head-office"
		_, err = r.s.UpdateGateway(ctx, alice, g.ID, 0, vpn.GatewayChange{Name: &name})
		must(t, err)
		for kind, want := range map[string]map[string]string{
			"vpn.server_changed": {
				"server": srv.ID, "changed": "name pool6 mtu trusted_networks", "name_was": "office", "name": "‹removed›",
				"mtu_was": "1400", "mtu": "1300", "pool6_was": "", "pool6": "fd00:9::/64",
			},
			"vpn.client_changed": {
				"client": c.ID, "changed": "fixed_ip expires_at daily_quota", "daily_quota_was": "0", "daily_quota": "13_000_000_000",
				"expires_at_was": "", "expires_at": "2026-11-22T03:00:00Z",
			},
			"vpn.certificate_changed": {"certificate": ca.ID, "changed": "name", "name_was": "partner", "name": "supplier"},
			"vpn.gateway_changed":     {"gateway": g.ID, "changed": "name", "name_was": "gw-a", "name": "head-office"},
		} {
			if d := cmp.Diff(want, r.lastDetail(t, kind)); d != "" {
				t.Errorf("%s (-want +got):\n%s", kind, d)
			}
		}
	})
}

// TestCredentialsAreMadeByANamedAdministrator holds TY-2.2b: an account of the
// VPN comes from the administrator of its server and from nobody else, and the log
// names who made it and who replaced its password.
func TestCredentialsAreMadeByANamedAdministrator(t *testing.T) {
	t.Parallel()
	bob := account.Principal{Account: "acc_bob", Subject: "sub_bob"}
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		_, err := r.s.CreateClient(ctx, bob, vpn.NewClient{Server: srv.ID, Name: "intruder"})
		if !errs.IsNotFound(err) {
			t.Errorf("on somebody else's server: got %v", err)
		}
		if _, err := r.s.ResetPassword(ctx, bob, c.ID, forgotten); !errs.IsNotFound(err) {
			t.Errorf("the password of somebody else's client: got %v", err)
		}
		_, err = r.s.ResetPassword(ctx, alice, c.ID, forgotten)
		must(t, err)
		for _, kind := range []string{"vpn.client_created", "vpn.client_password"} {
			leaves, err := r.audit.Leaves(ctx, audit.Filter{Type: kind})
			must(t, err)
			if len(leaves) != 1 || leaves[0].Handle != alice.Subject {
				t.Errorf("%s: got %+v, want one that names %s", kind, leaves, alice.Subject)
			}
		}
	})
}

// TestEverySettingIsTold: a new field of the settings needs a name in the log.
func TestEverySettingIsTold(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	check := func(field string, detail map[string]string) {
		name := detail["changed"]
		if name == "" || strings.Contains(name, " ") || seen[name] {
			t.Errorf("a change of %s is told as %q", field, name)
		}
		seen[name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[vpn.Settings]()) {
		var next vpn.Settings
		fill(reflect.ValueOf(&next).Elem().FieldByIndex(f.Index))
		check(f.Name, vpn.Settings{}.Changes(next))
	}
	clear(seen)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[vpn.ClientSettings]()) {
		var next vpn.ClientSettings
		fill(reflect.ValueOf(&next).Elem().FieldByIndex(f.Index))
		check(f.Name, vpn.ClientSettings{}.Changes(next))
	}
}

// fill sets a field to something that is not its zero value.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case netip.Prefix:
		v.Set(reflect.ValueOf(prefix("10.1.0.0/16")))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.MustParseAddr("10.1.0.1")))
		return
	case time.Time:
		v.Set(reflect.ValueOf(start))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct: // of which one makes the list longer
	default:
		v.SetInt(7)
	}
}
