package netcfg

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/nft"
)

// FilterTable is the name of the kill switch's table, of family inet.
const FilterTable = "skyconnect"

// pass is one line of the kill switch: what it matches, and whether that may
// leave the host. Zero fields match everything.
type pass struct {
	out, in     string
	to          netip.Prefix
	family      family
	protocol    byte
	port, from  uint16  // destination and source port
	icmp        [2]byte // types, low to high
	reject      bool
	forwardOnly bool // for packets of others alone, which come in somewhere
}

// wantFilter are the lines for all tunnels together; none when no tunnel has a
// kill switch. The first that matches decides, and what none matches passes.
func wantFilter(plans []Plan) (all []pass) {
	var kill []Plan
	for _, p := range plans {
		if p.KillSwitch {
			kill = append(kill, p)
		}
	}
	if len(kill) == 0 {
		return nil
	}
	all = append(all, pass{out: "lo"})
	for _, p := range plans {
		all = append(all, pass{out: p.Device}, pass{in: p.Device, forwardOnly: true})
		for _, s := range p.Servers {
			all = append(all, s.passes()...)
		}
	}
	all = append(all, neighbours...)
	for _, p := range kill {
		for _, n := range p.Exclude {
			all = append(all, pass{to: n})
		}
	}
	all = append(all, lanPasses(kill)...)
	for _, p := range kill {
		all = append(all, p.rejects()...)
	}
	return all
}

// passes let a server's ports be reached.
func (s Server) passes() (all []pass) {
	to := netip.PrefixFrom(s.Addr, s.Addr.BitLen())
	if s.TCP == 0 && s.UDP == 0 {
		return []pass{{to: to}}
	}
	if s.TCP != 0 {
		all = append(all, pass{to: to, protocol: unix.IPPROTO_TCP, port: s.TCP})
	}
	if s.UDP != 0 {
		all = append(all, pass{to: to, protocol: unix.IPPROTO_UDP, port: s.UDP})
	}
	return all
}

// neighbours is what a host says on its links to have an address at all: DHCP
// (RFC 2131), DHCPv6 (RFC 8415), neighbour discovery (RFC 4861) and the
// membership reports that switches forward it by (RFC 3810).
var neighbours = []pass{
	{family: v4, protocol: unix.IPPROTO_UDP, from: 68, port: 67},
	{family: v6, protocol: unix.IPPROTO_UDP, from: 546, port: 547},
	{family: v6, protocol: unix.IPPROTO_ICMPV6, icmp: [2]byte{133, 137}},
	{family: v6, protocol: unix.IPPROTO_ICMPV6, icmp: [2]byte{130, 132}},
	{family: v6, protocol: unix.IPPROTO_ICMPV6, icmp: [2]byte{143, 143}},
}

// lanPasses open the private networks if every kill switch allows it. Questions
// for names stay shut where a tunnel has resolvers for all names: the router of
// the LAN would pass them on in the clear.
func lanPasses(kill []Plan) (all []pass) {
	names := false
	for _, p := range kill {
		if !p.LocalLAN {
			return nil
		}
		names = names || p.full() && len(p.DNS) > 0 && len(p.SplitDNS) == 0
	}
	for _, n := range private {
		if names && !n.IsSingleIP() && !n.Addr().IsMulticast() {
			for _, protocol := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
				all = append(all, pass{to: n, protocol: protocol, port: 53, reject: true})
			}
		}
		all = append(all, pass{to: n})
	}
	return all
}

// rejects shut what a plan has inside, or blocks.
func (p Plan) rejects() (all []pass) {
	for _, f := range families {
		if p.blocked(f) || p.everything(f) {
			all = append(all, pass{family: f, reject: true})
			continue
		}
		for _, n := range p.inside(f) {
			all = append(all, pass{to: n, reject: true})
		}
	}
	return all
}

func (l pass) parts() (parts []nft.Part) {
	switch {
	case l.in != "":
		parts = append(parts, nft.In(l.in))
	case l.out != "":
		parts = append(parts, nft.Out(l.out))
	}
	switch l.family {
	case v4:
		parts = append(parts, nft.IPv4())
	case v6:
		parts = append(parts, nft.IPv6())
	}
	if l.to.IsValid() {
		parts = append(parts, nft.Destination(l.to))
	}
	if l.protocol != 0 {
		parts = append(parts, nft.Protocol(l.protocol))
	}
	if l.from != 0 {
		parts = append(parts, nft.SourcePort(l.from))
	}
	if l.port != 0 {
		parts = append(parts, nft.DestinationPort(l.port))
	}
	if l.icmp[1] != 0 {
		parts = append(parts, nft.ICMP(l.icmp[0], l.icmp[1]))
	}
	if l.reject {
		return append(parts, nft.Reject())
	}
	return append(parts, nft.Accept())
}

// setFilter makes the kill switch what all plans together ask for.
func (s *system) setFilter(c change) error { return s.filter(c, c.state.plans()) }

// setFilterWithout is setFilter for when a tunnel has gone.
func (s *system) setFilterWithout(c change, gone *tunnel) error {
	var plans []Plan
	for _, t := range c.state.Tunnels {
		if t != gone {
			plans = append(plans, t.plan())
		}
	}
	return s.filter(c, plans)
}

func (s *system) filter(c change, plans []Plan) error {
	want := wantFilter(plans)
	if len(want) == 0 {
		return s.dropFilter(c)
	}
	if !c.state.Shared.Filter {
		c.state.Shared.Filter = true
		if err := c.save(); err != nil {
			return err
		}
	}
	step()
	if err := replaceFilter(want); err != nil {
		return fmt.Errorf("%w: %w", ErrKillSwitch, err)
	}
	step()
	return nil
}

// replaceFilter puts the table in the place of the former in one transaction,
// so no packet meets neither.
func replaceFilter(want []pass) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Name: FilterTable, Family: nftables.TableFamilyINet}
	c.AddTable(table) // so that the deletion succeeds the first time
	c.DelTable(table)
	c.AddTable(table)
	accept := nftables.ChainPolicyAccept
	for name, hook := range map[string]*nftables.ChainHook{"output": nftables.ChainHookOutput, "forward": nftables.ChainHookForward} {
		chain := c.AddChain(&nftables.Chain{
			Name: name, Table: table, Type: nftables.ChainTypeFilter, Hooknum: hook,
			Priority: nftables.ChainPriorityFilter, Policy: &accept,
		})
		for _, l := range want {
			if !l.forwardOnly || name == "forward" {
				c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: nft.Rule(l.parts()...)})
			}
		}
	}
	return c.Flush()
}

// dropFilter takes the table away. A host that never had one is not asked for
// nftables at all.
func (s *system) dropFilter(c change) error {
	if !c.state.Shared.Filter {
		return nil
	}
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKillSwitch, err)
	}
	step()
	conn.DelTable(&nftables.Table{Name: FilterTable, Family: nftables.TableFamilyINet})
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: removing it: %w", ErrKillSwitch, err)
	}
	c.state.Shared.Filter = false
	return nil
}
