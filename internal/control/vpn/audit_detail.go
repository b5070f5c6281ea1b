package vpn

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// setting is one setting as the audit log tells it, by the name that the API has
// for it. The value of a private one is not told: it says where a person is, or
// is free text.
type setting struct {
	name    string
	value   any
	private bool
}

// tellChanges adds to the detail of an audit event which settings changed, and from
// what to what. old and next list the same settings in the same order.
func tellChanges(detail map[string]string, old, next []setting) map[string]string {
	var changed []string
	for i, n := range next {
		was, is := settingText(old[i].value), settingText(n.value)
		if was == is {
			continue
		}
		changed = append(changed, n.name)
		if !n.private {
			// Names are people's choice: what looks like a person's is no detail.
			detail[n.name+"_was"], detail[n.name] = slogx.Scrub(was), slogx.Scrub(is)
		}
	}
	if len(changed) > 0 {
		detail["changed"] = strings.Join(changed, " ")
	}
	return detail
}

func settingText(value any) string {
	switch v := value.(type) {
	case netip.Prefix:
		if !v.IsValid() {
			return ""
		}
	case netip.Addr:
		return addrText(v)
	case []netip.Prefix:
		return routesText(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	case int64:
		return grouped(v)
	}
	return fmt.Sprintf("%+v", value)
}

// grouped writes a number that may be long so that none takes it for a telephone's.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "_" + text[i:]
	}
	return text
}

func (c Settings) told() []setting {
	return append([]setting{
		{"name", c.Name, false},
		{"description", c.Description, true},
		{"local_subnets", c.LocalSubnets, false},
		{"pool", c.Pool, false},
		{"pool6", c.Pool6, false},
		{"udp", c.UDP, false},
		{"enable_dns", c.EnableDNS, false},
		{"dns", c.DNS, false},
		{"full_tunnel", c.FullTunnel, false},
		{"split_dns", c.SplitDNS, false},
		{"default_domains", c.DefaultDomains, false},
		{"client_bypass", c.ClientBypass, false},
		{"exclude_routes", c.ExcludeRoutes, false},
		{"mtu", c.MTU, false},
		{"dpd", c.DPD, false},
		{"mobile_dpd", c.MobileDPD, false},
		{"keepalive", c.Keepalive, false},
		{"idle_timeout", c.IdleTimeout, false},
		{"mobile_idle_timeout", c.MobileIdleTimeout, false},
		{"session_timeout", c.SessionTimeout, false},
		{"cookie_timeout", c.CookieTimeout, false},
		{"rekey_time", c.RekeyTime, false},
		{"banner", c.Banner, true},
		{"large_segments", c.LargeSegments, false},
	}, c.toldAccess()...)
}

// toldAccess is the part of told about who gets in and how far.
func (c Settings) toldAccess() []setting {
	return []setting{
		{"two_factor", c.TwoFactor, false},
		{"keep_seed", c.KeepSeed, false},
		{"max_sessions_per_client", c.MaxSessionsPerClient, false},
		{"client_isolation", c.ClientIsolation, false},
		{"tls_min", c.TLSMin, false},
		{"tls_max", c.TLSMax, false},
		{"deny_roaming", c.DenyRoaming, false},
		{"certificate", c.CertID, false},
		{"client_cas", c.ClientCAs, false},
		{"client_cert_field", c.ClientCertField, false},
		{"client_cert_domain", c.ClientCertDomain, false},
		{"login_mode", c.LoginMode, false},
		{"groups", c.Groups, false},
		{"acl_rules", c.ACLRules, false},
		{"acl_default_allow", c.ACLDefaultAllow, false},
		{"trusted_networks", c.TrustedNetworks, true},
		{"client_trusted_networks", c.ClientNetworks, true},
	}
}

func (c ClientSettings) told() []setting {
	return []setting{
		{"description", c.Description, true},
		{"up_rate", c.UpRate, false},
		{"down_rate", c.DownRate, false},
		{"fixed_ip", c.FixedIP, true},
		{"fixed_ip6", c.FixedIP6, true},
		{"routes", c.Routes, true},
		{"two_factor_exempt", c.TwoFactorExempt, false},
		{"device_approval", c.DeviceApproval, false},
		{"expires_at", c.ExpiresAt, false},
		{"max_sessions", c.MaxSessions, false},
		{"daily_quota", c.DailyQuota, false},
		{"monthly_quota", c.MonthlyQuota, false},
		{"state", c.State, false},
		{"groups", c.Groups, false},
	}
}

func (g Gateway) told() []setting {
	return []setting{{"name", g.Name, false}, {"description", g.Description, true}, {"network", g.Network, false}, {"local_subnets", g.LocalSubnets, false}}
}

func (c Certificate) told() []setting {
	return []setting{{"name", c.Name, false}, {"description", c.Description, true}}
}
