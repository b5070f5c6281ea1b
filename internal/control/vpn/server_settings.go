package vpn

import (
	"net/netip"
	"slices"
	"strings"

	profile "github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// reserved are networks that no pool and no local subnet may touch: loopback,
// link-local (where clouds keep their metadata), multicast and beyond.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}

// unicast6 are the IPv6 networks that pools and subnets may be of: global
// unicast and unique local addresses (RFC 4291, RFC 4193).
var unicast6 = []netip.Prefix{netip.MustParsePrefix("2000::/3"), netip.MustParsePrefix("fc00::/7")}

// minMTU6 is the least MTU that carries IPv6 (RFC 8200, section 5).
const (
	minMTU6 = 1280
	maxMTU  = 1500
)

// validNetwork tells whether p is a network that packets may be routed to: IPv4
// masks /8 to /32, IPv6 ones /16 to /128, canonical, and nothing reserved.
func validNetwork(p netip.Prefix) bool {
	switch {
	case !p.IsValid() || p != p.Masked() || p.Addr().Zone() != "":
		return false
	case p.Addr().Is4():
		return p.Bits() >= 8 && !slices.ContainsFunc(reserved, p.Overlaps)
	}
	return p.Bits() >= subnetWidest6 && slices.ContainsFunc(unicast6, func(u netip.Prefix) bool { return u.Contains(p.Addr()) })
}

// Limits of section 8.4.
const (
	maxLocalSubnets  = 20
	maxExcludeRoutes = 100
	maxDNS           = 3
	maxDomains       = 6 // what resolvers of old take as a search list
	maxSplitDNS      = 50
	maxBanner        = 500

	maxSessionsOfClient    = 10
	poolWidest, poolLast   = 16, 29 // prefix lengths
	subnetWidest           = 8
	subnetWidest6          = 16
	pool6Widest, pool6Last = 48, 112

	// leastRekey is a day: each new tunnel interrupts for a moment, and no key
	// wears out in that time (spec OpenConnect, 10.3).
	leastRekey = 86400
)

// check holds the settings, with the local subnets that hold, to section 4.7, given the VPC's prefixes, the pools
// of other servers in it and the connections that were bought.
func (c Settings) check(vpc, pools []netip.Prefix, connections int) error {
	for _, err := range []error{checkName(c.Name), checkDescription(c.Description), c.checkSubnets(), c.checkPool(vpc, pools, connections), c.checkPool6(vpc, pools), c.checkDNS(), c.checkNumbers(), c.checkTexts(), c.checkClientNames(), c.checkGroups(), c.checkAccess(), c.checkClientNetworks()} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c Settings) checkSubnets() error {
	if len(c.LocalSubnets) < 1 {
		return ErrSubnets
	}
	for i, p := range c.LocalSubnets {
		if !validNetwork(p) || slices.Contains(c.LocalSubnets[:i], p) || !c.has(p.Addr()) {
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

// checkClientNetworks holds them to what a profile may say.
func (c Settings) checkClientNetworks() error {
	if !profile.GoodTrusted(c.ClientNetworks) {
		return ErrSetting.With("setting", "client_trusted_networks")
	}
	return nil
}

// has tells whether the server has the address family of a.
func (c Settings) has(a netip.Addr) bool { return a.Is4() || c.Pool6.IsValid() }

// pools are the address pools that there are.
func (c Settings) pools() []netip.Prefix {
	if c.Pool6.IsValid() {
		return []netip.Prefix{c.Pool, c.Pool6}
	}
	return []netip.Prefix{c.Pool}
}

func (c Settings) checkPool(vpc, pools []netip.Prefix, connections int) error {
	if !c.Pool.IsValid() || !c.Pool.Addr().Is4() || c.Pool.Bits() < poolWidest || c.Pool.Bits() > poolLast || c.Pool != c.Pool.Masked() {
		return ErrPool
	}
	if err := apart(c.Pool, reserved, c.LocalSubnets, vpc, pools); err != nil {
		return err
	}
	if usable := usable(c.Pool); usable < connections {
		return ErrPoolTooSmall.With("usable", usable).With("needed", connections)
	}
	return nil
}

// usable is how many clients a pool has addresses for: not the network's own,
// the gateway's and the broadcast address.
func usable(pool netip.Prefix) int { return 1<<(32-pool.Bits()) - 3 }

// checkPool6 holds the IPv6 pool, if there is one, to a network of the VPC that
// carries IPv6 and to an MTU that does. Every pool in these bounds has room.
func (c Settings) checkPool6(vpc, pools []netip.Prefix) error {
	if !c.Pool6.IsValid() {
		return nil
	}
	if !slices.ContainsFunc(vpc, func(p netip.Prefix) bool { return p.Addr().Is6() }) {
		return ErrNoIPv6
	}
	if !validNetwork(c.Pool6) || !c.Pool6.Addr().Is6() || c.Pool6.Bits() < pool6Widest || c.Pool6.Bits() > pool6Last {
		return ErrPool6
	}
	if c.MTU < minMTU6 {
		return ErrSetting.With("setting", "mtu").With("low", minMTU6).With("top", maxMTU)
	}
	return apart(c.Pool6, c.LocalSubnets, vpc, pools)
}

// apart refuses a pool that overlaps with anything of the groups.
func apart(pool netip.Prefix, groups ...[]netip.Prefix) error {
	for _, p := range slices.Concat(groups...) {
		if p.Overlaps(pool) {
			return ErrPoolConflict.With("prefix", p.String())
		}
	}
	return nil
}

func (c Settings) checkDNS() error {
	if (c.EnableDNS && len(c.DNS) < 1) || len(c.DNS) > maxDNS || len(c.SplitDNS) > maxSplitDNS {
		return ErrDNS
	}
	for _, a := range c.DNS {
		if !a.IsValid() || !c.has(a) || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" {
			return ErrDNS
		}
	}
	if len(c.DefaultDomains) > maxDomains {
		return ErrDNS
	}
	for _, d := range slices.Concat(c.SplitDNS, c.DefaultDomains) {
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
		{"mtu", c.MTU, 576, maxMTU, false},
		{"dpd", c.DPD, 10, 3600, false},
		{"mobile_dpd", c.MobileDPD, 10, 86400, false},
		{"keepalive", c.Keepalive, 10, 3600, true},
		{"idle_timeout", c.IdleTimeout, 60, 604800, true},
		{"mobile_idle_timeout", c.MobileIdleTimeout, 60, 604800, true},
		{"session_timeout", c.SessionTimeout, 300, 2592000, false},
		{"cookie_timeout", c.CookieTimeout, 10, 86400, false},
		{"rekey_time", c.RekeyTime, leastRekey, 604800, false},
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
	versions := []string{"1.2", "1.3"}
	if !slices.Contains(versions, c.TLSMin) {
		return ErrSetting.With("setting", "tls_min")
	}
	if !slices.Contains(versions, c.TLSMax) || c.TLSMax < c.TLSMin {
		return ErrSetting.With("setting", "tls_max")
	}
	if len(c.Banner) > maxBanner || strings.ContainsFunc(c.Banner, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ErrSetting.With("setting", "banner")
	}
	return nil
}

// ports are those of section 4.7: not below 1024 but 443, not the IPsec NAT port.
var ports = []PortRange{{443, 443}, {1024, 4499}, {4501, 49151}}

// checkPort holds a port to those and refuses what the installation listens on
// itself.
func (s *Service) checkPort(port int) error {
	if !slices.ContainsFunc(ports, func(r PortRange) bool { return int(r.From) <= port && port <= int(r.To) }) {
		return ErrPort
	}
	if slices.Contains(s.config.ReservedPorts, port) {
		return ErrPortConflict
	}
	return nil
}

// endsSessions reports whether a change of settings ends the server's sessions:
// those without a factor that is asked for now may not live on. A first IPv6
// pool ends none: live sessions go on without it.
func endsSessions(old, next Settings) bool {
	more := (next.LoginMode.wantsCertificate() && !old.LoginMode.wantsCertificate()) || (next.LoginMode.wantsPassword() && !old.LoginMode.wantsPassword())
	firstGroups := len(old.Groups) == 0 && len(next.Groups) > 0 // nobody is a member yet
	return firstGroups || old.Pool != next.Pool || (old.Pool6.IsValid() && old.Pool6 != next.Pool6) || old.TwoFactor != next.TwoFactor || more || distrusts(old, next)
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
