package netcfg

import (
	"net/netip"
	"strings"
)

// What a plan is for systems that have no rules beside their routes, macOS and
// Windows: nothing here asks the system, so that it is tested on every one.

// reached are the networks that a plan routes into the tunnel: all of a family
// as its two halves, which leave the default route where it is.
func reached(p Plan, f family) (all []netip.Prefix) {
	for _, n := range p.inside(f) {
		if n.Bits() == 0 {
			all = append(all, f.halves()...)
			continue
		}
		all = append(all, n)
	}
	return all
}

// halves are the two halves of a family, which together go before a default route.
func (f family) halves() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(f.all().Addr(), 1), netip.PrefixFrom(f.highHalf(), 1)}
}

// outer are the networks that a plan leaves with the router.
func outer(p Plan, f family) []netip.Prefix {
	all := p.excluded(f)
	for _, s := range p.Servers {
		if familyOf(s.Addr) == f && !s.Addr.IsLoopback() {
			all = append(all, netip.PrefixFrom(s.Addr, s.Addr.BitLen()))
		}
	}
	return sorted(all)
}

// policyNames are the names of a rule of the Name Resolution Policy Table that a
// plan's resolvers are asked for: each with a dot before it, and the dot alone is
// all ([MS-GPNRPT], section 2.2.2.1).
func policyNames(p Plan) []string {
	if len(p.SplitDNS) == 0 {
		return []string{"."}
	}
	var names []string
	for _, n := range p.SplitDNS {
		names = append(names, "."+n)
	}
	return names
}

// joined writes addresses with a separator.
func joined(addrs []netip.Addr, separator string) string {
	var all []string
	for _, a := range addrs {
		all = append(all, a.String())
	}
	return strings.Join(all, separator)
}

// serviceKey names the tunnel's resolvers in the dynamic store of
// SystemConfiguration.
func serviceKey(device string) string { return "State:/Network/Service/skyconnect-" + device + "/DNS" }

// dynamicStore is what scutil reads to learn a plan's resolvers.
// SupplementalMatchDomains are the names that are asked of them; the empty one is
// all. Names and addresses are in their form (Plan.normal), so that none can begin
// another line.
func dynamicStore(p Plan) string {
	var b strings.Builder
	b.WriteString("d.init\nd.add ServerAddresses * " + joined(p.DNS, " "))
	match := `""`
	if len(p.SplitDNS) > 0 {
		match = strings.Join(p.SplitDNS, " ")
	}
	b.WriteString("\nd.add SupplementalMatchDomains * " + match)
	if len(p.Search) > 0 {
		b.WriteString("\nd.add SearchDomains * " + strings.Join(p.Search, " "))
	}
	b.WriteString("\nset " + serviceKey(p.Device) + "\nquit\n")
	return b.String()
}
