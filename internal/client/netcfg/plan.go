package netcfg

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Plan is what one tunnel wants of the host's network. It comes from a server,
// so nothing in it is believed before it was checked.
type Plan struct {
	Device    string // tunnel device, already open
	Addresses []netip.Prefix
	MTU       int // bytes

	// Include are the networks that are reached through the tunnel; none =
	// everything, of each family that has an address. Exclude always subtracts.
	Include, Exclude []netip.Prefix

	// Servers are reached outside of the tunnel, whatever Include says. There
	// may be several: a host that changes networks may lose one family.
	Servers []Server

	DNS      []netip.Addr // reached through the tunnel; none = names are left alone
	Search   []string
	SplitDNS []string // the names that are asked of DNS; none = all

	// Bypass lets a family that has no address stay outside (client bypass).
	// Without it that family is blocked when everything goes inside.
	Bypass bool

	// KillSwitch keeps what belongs inside from leaving outside, also while
	// the tunnel is away. Names are not resolved then: who connects again needs
	// the addresses of Servers, which Host.Plans keeps.
	KillSwitch bool

	// LocalLAN leaves the private networks outside that the host has a route
	// of its own to.
	LocalLAN bool
}

// Server is one address of the gateway. Only its ports are let out: a hostile
// resolver that names another host's address gains two ports of it, no more.
type Server struct {
	Addr     netip.Addr
	TCP, UDP uint16 // 0 = not spoken to; both 0 = every packet to Addr
}

// ErrPlan is a plan that no host could follow or that tries to slip something in.
var ErrPlan = errors.New("netcfg: the network that the server asks for is not valid")

func badPlan(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPlan, fmt.Sprintf(format, args...))
}

// maxNetworks bounds the routes of a plan; Cisco's servers send 200 at most.
const maxNetworks = 4096

var (
	deviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$`)
	domainName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
)

// normal checks a plan and returns it in one form: addresses unmapped, networks
// masked, names in lower case without dots at their ends.
func (p Plan) normal() (Plan, error) {
	if !deviceName.MatchString(p.Device) {
		return p, badPlan("device %q", p.Device)
	}
	if len(p.Include)+len(p.Exclude) > maxNetworks {
		return p, badPlan("%d networks", len(p.Include)+len(p.Exclude))
	}
	var err error
	p.Addresses, err = each(p.Addresses, normalPrefix, "address", err)
	p.Include, err = each(p.Include, normalNet, "network", err)
	p.Exclude, err = each(p.Exclude, normalNet, "network", err)
	p.Servers, err = each(p.Servers, normalServer, "server", err)
	p.DNS, err = each(p.DNS, normalHost, "resolver", err)
	p.Search, err = each(p.Search, normalName, "domain", err)
	p.SplitDNS, err = each(p.SplitDNS, normalName, "domain", err)
	if err != nil {
		return p, err
	}
	p.Include = joinHalves(p.Include)
	return p, p.complete()
}

// complete checks what a tunnel cannot be without.
func (p Plan) complete() error {
	least := 576 // RFC 791; IPv6 needs more (RFC 8200, section 5)
	if p.has(v6) {
		least = 1280
	}
	switch {
	case len(p.Addresses) == 0:
		return badPlan("no address")
	case len(p.Servers) == 0:
		return badPlan("no server")
	case p.MTU < least || p.MTU > 65535:
		return badPlan("mtu %d", p.MTU)
	}
	return nil
}

// each puts all values into their form, or says which kind has a wrong one.
func each[T any](all []T, form func(T) (T, bool), what string, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(all))
	for _, v := range all {
		n, ok := form(v)
		if !ok {
			return nil, badPlan("%s %v", what, v)
		}
		out = append(out, n)
	}
	return out, nil
}

func normalHost(a netip.Addr) (netip.Addr, bool) {
	a = a.Unmap()
	return a, a.IsValid() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func normalServer(s Server) (Server, bool) {
	a, ok := normalHost(s.Addr)
	s.Addr = a
	return s, ok
}

func normalPrefix(p netip.Prefix) (netip.Prefix, bool) {
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	a, ok := normalHost(p.Addr())
	return p, ok && p.IsValid() && !a.IsLoopback() && !linkLocal.Contains(a)
}

func normalNet(p netip.Prefix) (netip.Prefix, bool) {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), p.IsValid() && p.Addr().Zone() == ""
}

func normalName(s string) (string, bool) {
	s = strings.ToLower(strings.Trim(s, "."))
	return s, len(s) <= 253 && domainName.MatchString(s)
}

// joinHalves adds the whole of a family where both halves are there, as some
// servers write it.
func joinHalves(nets []netip.Prefix) []netip.Prefix {
	for _, f := range families {
		low := netip.PrefixFrom(f.all().Addr(), 1)
		high := netip.PrefixFrom(f.highHalf(), 1)
		if slices.Contains(nets, low) && slices.Contains(nets, high) && !slices.Contains(nets, f.all()) {
			nets = append(nets, f.all())
		}
	}
	return nets
}

// family is one of the two kinds of addresses.
type family int

const (
	v4 family = 4
	v6 family = 6
)

var families = []family{v4, v6}

func familyOf(a netip.Addr) family {
	if a.Is4() {
		return v4
	}
	return v6
}

func (f family) all() netip.Prefix {
	if f == v4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

func (f family) highHalf() netip.Addr {
	if f == v4 {
		return netip.AddrFrom4([4]byte{128})
	}
	return netip.AddrFrom16([16]byte{128})
}

// of are the members of a family.
func (f family) of(nets []netip.Prefix) (out []netip.Prefix) {
	for _, p := range nets {
		if familyOf(p.Addr()) == f {
			out = append(out, p)
		}
	}
	return out
}

// private are the networks that LocalLAN may leave outside: those that nobody
// routes through the internet (RFC 1918, 3927, 4193, 4291), and multicast on
// the link. A hostile network that calls a public range its own gets nothing.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/24"), netip.MustParsePrefix("239.255.0.0/16"),
	netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff02::/16"),
}

// linkLocal never leaves its link, so no tunnel takes it (RFC 4291, section 2.5.6).
var linkLocal = netip.MustParsePrefix("fe80::/10")

// has says whether the tunnel has an address of the family.
func (p Plan) has(f family) bool {
	return slices.ContainsFunc(p.Addresses, func(a netip.Prefix) bool { return familyOf(a.Addr()) == f })
}

// full says whether everything goes inside: nothing is included, or all of a family.
func (p Plan) full() bool {
	return len(p.Include) == 0 || slices.Contains(p.Include, v4.all()) || slices.Contains(p.Include, v6.all())
}

// blocked says whether nothing of the family may pass, inside or outside.
func (p Plan) blocked(f family) bool { return !p.has(f) && p.full() && !p.Bypass }

// everything says whether all of the family goes inside.
func (p Plan) everything(f family) bool {
	return p.has(f) && (len(p.Include) == 0 || slices.Contains(p.Include, f.all()))
}

// inside are the networks of the family that are reached through the tunnel:
// what is included and not excluded, the network of the own address, and the
// resolvers, each once and in order.
func (p Plan) inside(f family) []netip.Prefix {
	if !p.has(f) {
		return nil
	}
	var nets []netip.Prefix
	if p.everything(f) {
		nets = append(nets, f.all())
	}
	for _, n := range append(f.of(p.Addresses), f.of(p.Include)...) {
		if n = n.Masked(); !within(n, p.Exclude) {
			nets = append(nets, n)
		}
	}
	for _, a := range p.DNS {
		if familyOf(a) == f && !a.IsLoopback() {
			nets = append(nets, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return sorted(nets)
}

// excluded are the networks of the family that stay outside.
func (p Plan) excluded(f family) []netip.Prefix { return sorted(f.of(p.Exclude)) }

// claimed are the networks of the family that nobody else may have.
func (p Plan) claimed(f family) []netip.Prefix {
	if p.blocked(f) {
		return []netip.Prefix{f.all()}
	}
	return p.inside(f)
}

// within says whether one of nets covers all of n.
func within(n netip.Prefix, nets []netip.Prefix) bool {
	return slices.ContainsFunc(nets, func(o netip.Prefix) bool { return o.Bits() <= n.Bits() && o.Overlaps(n) })
}

func sorted(nets []netip.Prefix) []netip.Prefix {
	slices.SortFunc(nets, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return slices.Compact(nets)
}

// Conflicts returns the networks that two tunnels both claim: the second of
// them must not be set up. What either excludes is no conflict.
func Conflicts(a, b Plan) []netip.Prefix {
	a, errA := a.normal()
	b, errB := b.normal()
	if errA != nil || errB != nil {
		return nil // Apply refuses such a plan
	}
	var both []netip.Prefix
	for _, f := range families {
		for _, x := range a.claimed(f) {
			for _, y := range b.claimed(f) {
				if !x.Overlaps(y) {
					continue
				}
				common := x
				if y.Bits() > x.Bits() {
					common = y
				}
				if !within(common, a.Exclude) && !within(common, b.Exclude) {
					both = append(both, common)
				}
			}
		}
	}
	return sorted(both)
}
