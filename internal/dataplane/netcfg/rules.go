package netcfg

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/nft"
)

const tableName = "skybridge"

// applyRules replaces the gateway's table in one transaction. What no rule
// accepts is dropped.
func (n *Network) applyRules(spec Spec) error {
	c, err := nftables.New(nftables.WithNetNSFd(int(n.ns)))
	if err != nil {
		return fmt.Errorf("opening nftables: %w", err)
	}
	table := &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
	c.AddTable(table) // so that the deletion succeeds the first time
	c.DelTable(table)
	c.AddTable(table)
	b := ruleBuilder{c: c, table: table}
	b.forward(spec)
	b.input()
	if spec.Masquerade {
		b.masquerade(spec)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("setting nftables rules: %w", err)
	}
	return nil
}

type ruleBuilder struct {
	c     *nftables.Conn
	table *nftables.Table
	chain *nftables.Chain
}

func (b *ruleBuilder) begin(name string, t nftables.ChainType, hook *nftables.ChainHook, prio *nftables.ChainPriority, policy nftables.ChainPolicy) {
	b.chain = b.c.AddChain(&nftables.Chain{Name: name, Table: b.table, Type: t, Hooknum: hook, Priority: prio, Policy: &policy})
}

func (b *ruleBuilder) rule(parts ...nft.Part) {
	b.c.AddRule(&nftables.Rule{Table: b.table, Chain: b.chain, Exprs: nft.Rule(parts...)})
}

func (b *ruleBuilder) forward(spec Spec) {
	b.begin("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	for _, s := range spec.Servers {
		for _, p := range s.inside() {
			b.forwardOf(s, p)
		}
	}
}

// forwardOf writes the rules for one of the prefixes inside the tunnel. ICMP
// errors pass from anywhere in the VPC; the data plane's filter looks at what
// they are about.
func (b *ruleBuilder) forwardOf(s Access, p netip.Prefix) {
	for _, subnet := range s.LocalSubnets {
		if subnet.Addr().Is4() != p.Addr().Is4() {
			continue
		}
		b.rule(nft.In(TunnelLink), nft.Out(VPCLink), nft.Source(p), nft.Destination(subnet), nft.Accept())
		b.rule(nft.In(VPCLink), nft.Out(TunnelLink), nft.Source(subnet), nft.Destination(p), nft.Accept())
	}
	b.rule(nft.In(VPCLink), nft.Out(TunnelLink), nft.Destination(p), icmpErrors(p.Addr().Is4()), nft.Accept())
	if s.FullTunnel {
		b.rule(nft.In(TunnelLink), nft.Out(VPCLink), nft.Source(p), nft.Accept())
		b.rule(nft.In(VPCLink), nft.Out(TunnelLink), nft.Destination(p), nft.Established(), nft.Accept())
	}
	for _, other := range s.inside() {
		if !s.Isolated && other.Addr().Is4() == p.Addr().Is4() {
			b.rule(nft.In(TunnelLink), nft.Out(TunnelLink), nft.Source(p), nft.Destination(other), nft.Accept())
		}
	}
}

// input lets clients and the VPC ping the gateway, and nothing more.
func (b *ruleBuilder) input() {
	b.begin("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	b.rule(nft.In("lo"), nft.Accept())
	b.rule(nft.Protocol(unix.IPPROTO_ICMP), nft.Accept())
	b.rule(nft.Protocol(unix.IPPROTO_ICMPV6), nft.Accept())
}

func (b *ruleBuilder) masquerade(spec Spec) {
	b.begin("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	for _, s := range spec.Servers {
		for _, p := range s.inside() {
			b.rule(nft.Out(VPCLink), nft.Source(p), nft.Part{&expr.Masq{}})
		}
	}
}

// icmpErrors matches the ICMP errors that a connection needs: IPv6 types 1-4
// (RFC 4443), and IPv4 "unreachable", which "fragmentation needed" is one of.
func icmpErrors(v4 bool) nft.Part {
	number, low, high := byte(unix.IPPROTO_ICMPV6), byte(1), byte(4)
	if v4 {
		number, low, high = unix.IPPROTO_ICMP, 3, 3
	}
	return nft.Rule(nft.Protocol(number), nft.ICMP(low, high))
}
