package netcfg

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
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

func (b *ruleBuilder) rule(parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	b.c.AddRule(&nftables.Rule{Table: b.table, Chain: b.chain, Exprs: all})
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
		b.rule(in(TunnelLink), out(VPCLink), source(p), destination(subnet), accept())
		b.rule(in(VPCLink), out(TunnelLink), source(subnet), destination(p), accept())
	}
	b.rule(in(VPCLink), out(TunnelLink), destination(p), icmpErrors(p.Addr().Is4()), accept())
	if s.FullTunnel {
		b.rule(in(TunnelLink), out(VPCLink), source(p), accept())
		b.rule(in(VPCLink), out(TunnelLink), destination(p), established(), accept())
	}
	for _, other := range s.inside() {
		if !s.Isolated && other.Addr().Is4() == p.Addr().Is4() {
			b.rule(in(TunnelLink), out(TunnelLink), source(p), destination(other), accept())
		}
	}
}

// input lets clients and the VPC ping the gateway, and nothing more.
func (b *ruleBuilder) input() {
	b.begin("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	b.rule(in("lo"), accept())
	b.rule(protocol(unix.IPPROTO_ICMP), accept())
	b.rule(protocol(unix.IPPROTO_ICMPV6), accept())
}

func (b *ruleBuilder) masquerade(spec Spec) {
	b.begin("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	for _, s := range spec.Servers {
		for _, p := range s.inside() {
			b.rule(out(VPCLink), source(p), []expr.Any{&expr.Masq{}})
		}
	}
}

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }

func in(link string) []expr.Any  { return linkIs(expr.MetaKeyIIFNAME, link) }
func out(link string) []expr.Any { return linkIs(expr.MetaKeyOIFNAME, link) }

func linkIs(key expr.MetaKey, link string) []expr.Any {
	name := make([]byte, 16)
	copy(name, link)
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
	}
}

func protocol(number byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{number}},
	}
}

// icmpErrors matches the ICMP errors that a connection needs: IPv6 types 1-4
// (RFC 4443), and IPv4 "unreachable", which "fragmentation needed" is one of.
func icmpErrors(v4 bool) []expr.Any {
	number, low, high := byte(unix.IPPROTO_ICMPV6), byte(1), byte(4)
	if v4 {
		number, low, high = unix.IPPROTO_ICMP, 3, 3
	}
	return append(protocol(number),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Len: 1},
		&expr.Cmp{Op: expr.CmpOpGte, Register: 1, Data: []byte{low}},
		&expr.Cmp{Op: expr.CmpOpLte, Register: 1, Data: []byte{high}})
}

func established() []expr.Any {
	mask := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func source(p netip.Prefix) []expr.Any      { return addressIn(p, 12, 8) }
func destination(p netip.Prefix) []expr.Any { return addressIn(p, 16, 24) }

// addressIn matches the address at offset v4 or v6 of the IP header.
func addressIn(p netip.Prefix, v4, v6 uint32) []expr.Any {
	family, offset, size := byte(unix.NFPROTO_IPV4), v4, uint32(4)
	if p.Addr().Is6() {
		family, offset, size = unix.NFPROTO_IPV6, v6, 16
	}
	p = p.Masked()
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{family}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: size,
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()), Xor: make([]byte, size),
		},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Addr().AsSlice()},
	}
}
