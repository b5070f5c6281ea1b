package vpn

import (
	"net/netip"
	"slices"
	"strings"
)

// reserved are networks that no pool and no local subnet may touch: loopback,
// link-local (where clouds keep their metadata), multicast and beyond.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}

// Limits of section 8.4.
const (
	maxLocalSubnets  = 20
	maxExcludeRoutes = 100
	maxDNS           = 3
	maxSplitDNS      = 50
	maxBanner        = 500

	maxSessionsOfClient  = 10
	poolWidest, poolLast = 16, 29 // prefix lengths
	subnetWidest         = 8
)

// check holds the settings to section 4.7, given the VPC's prefixes, the pools
// of the gateway's other servers and the connections that were bought.
func (c Settings) check(vpc, pools []netip.Prefix, connections int) error {
	for _, err := range []error{checkName(c.Name), c.checkSubnets(), c.checkPool(vpc, pools, connections), c.checkDNS(), c.checkNumbers(), c.checkTexts(), c.checkClientNames(), c.checkGroups(), c.checkAccess()} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c Settings) checkSubnets() error {
	if len(c.LocalSubnets) < 1 || len(c.LocalSubnets) > maxLocalSubnets {
		return ErrSubnets
	}
	for i, p := range c.LocalSubnets {
		if !p.IsValid() || !p.Addr().Is4() || p.Bits() < subnetWidest || p != p.Masked() {
			return ErrSubnets
		}
		if slices.Contains(c.LocalSubnets[:i], p) || slices.ContainsFunc(reserved, p.Overlaps) {
			return ErrSubnets
		}
	}
	if len(c.ExcludeRoutes) > maxExcludeRoutes {
		return ErrSetting.With("setting", "exclude_routes")
	}
	for _, p := range c.ExcludeRoutes {
		if !p.IsValid() || p != p.Masked() {
			return ErrSetting.With("setting", "exclude_routes")
		}
	}
	return nil
}

func (c Settings) checkPool(vpc, pools []netip.Prefix, connections int) error {
	if !c.Pool.IsValid() || !c.Pool.Addr().Is4() || c.Pool.Bits() < poolWidest || c.Pool.Bits() > poolLast || c.Pool != c.Pool.Masked() {
		return ErrPool
	}
	for _, group := range [][]netip.Prefix{reserved, c.LocalSubnets, vpc, pools} {
		for _, p := range group {
			if p.Overlaps(c.Pool) {
				return ErrPoolConflict.With("prefix", p.String())
			}
		}
	}
	if usable := usable(c.Pool); usable < connections {
		return ErrPoolTooSmall.With("usable", usable).With("needed", connections)
	}
	return nil
}

// usable is how many clients a pool has addresses for: not the network's own,
// the gateway's and the broadcast address.
func usable(pool netip.Prefix) int { return 1<<(32-pool.Bits()) - 3 }

func (c Settings) checkDNS() error {
	if (c.EnableDNS && len(c.DNS) < 1) || len(c.DNS) > maxDNS || len(c.SplitDNS) > maxSplitDNS {
		return ErrDNS
	}
	for _, a := range c.DNS {
		if !a.IsValid() || !a.Is4() || a.IsUnspecified() || a.IsMulticast() {
			return ErrDNS
		}
	}
	for _, d := range c.SplitDNS {
		if !validDomain(d) {
			return ErrDNS
		}
	}
	return nil
}

func validDomain(d string) bool {
	if len(d) == 0 || len(d) > 253 {
		return false
	}
	for label := range strings.SplitSeq(d, ".") {
		if len(label) == 0 || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// number is a setting that is a number, and what it may be.
type number struct {
	name            string
	value, low, top int
	off             bool // 0 allowed
}

func (c Settings) numbers() []number {
	return []number{
		{"mtu", c.MTU, 576, 1500, false},
		{"dpd", c.DPD, 10, 3600, false},
		{"mobile_dpd", c.MobileDPD, 10, 86400, false},
		{"keepalive", c.Keepalive, 10, 3600, true},
		{"idle_timeout", c.IdleTimeout, 60, 604800, true},
		{"session_timeout", c.SessionTimeout, 300, 2592000, false},
		{"cookie_timeout", c.CookieTimeout, 10, 86400, false},
		{"rekey_time", c.RekeyTime, 600, 604800, true},
		{"max_sessions_per_client", c.MaxSessionsPerClient, 1, maxSessionsOfClient, false},
	}
}

func (c Settings) checkNumbers() error {
	for _, n := range c.numbers() {
		if n.off && n.value == 0 {
			continue
		}
		if n.value < n.low || n.value > n.top {
			return ErrSetting.With("setting", n.name).With("low", n.low).With("top", n.top)
		}
	}
	return nil
}

func (c Settings) checkTexts() error {
	switch c.LoginMode {
	case LoginPassword, LoginPasswordCertificate, LoginCertificate:
	default:
		return ErrSetting.With("setting", "login_mode")
	}
	if c.TLSMin != "1.2" && c.TLSMin != "1.3" {
		return ErrSetting.With("setting", "tls_min")
	}
	if len(c.Banner) > maxBanner || strings.ContainsFunc(c.Banner, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ErrSetting.With("setting", "banner")
	}
	return nil
}

// checkPort holds a port to section 4.7: 443, or 1024-49151 without the IPsec
// NAT port.
func checkPort(port int) error {
	if port == 443 || (port >= 1024 && port <= 4499) || (port >= 4501 && port <= 49151) {
		return nil
	}
	return ErrPort
}

// endsSessions reports whether a change of settings ends the server's sessions:
// those without a factor that is asked for now may not live on.
func endsSessions(old, next Settings) bool {
	more := (next.LoginMode.wantsCertificate() && !old.LoginMode.wantsCertificate()) || (next.LoginMode.wantsPassword() && !old.LoginMode.wantsPassword())
	return old.Pool != next.Pool || old.TwoFactor != next.TwoFactor || more || distrusts(old, next)
}

// distrusts reports whether certificates that signed in by the old settings
// might not by the next: a CA more takes nothing from anybody.
func distrusts(old, next Settings) bool {
	if (len(old.ClientCAs) == 0) != (len(next.ClientCAs) == 0) {
		return true
	}
	for _, ca := range old.ClientCAs {
		if !slices.Contains(next.ClientCAs, ca) {
			return true
		}
	}
	return len(next.ClientCAs) > 0 && (old.ClientCertField != next.ClientCertField || old.ClientCertDomain != next.ClientCertDomain)
}
