// Package nft has the parts of nftables rules that both ends of a tunnel write:
// matches on links, protocols, ports and addresses, as expressions of the
// kernel's own language. It builds and sends nothing.
//
// Each function returns a part; the parts of a rule are joined in order and all
// must match. Register 1 is the only one used.
package nft

import (
	"net"
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Part is a match or a verdict.
type Part = []expr.Any

// Rule joins parts.
func Rule(parts ...Part) (all []expr.Any) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Accept ends the walk through this base chain.
func Accept() Part { return Part{&expr.Verdict{Kind: expr.VerdictAccept}} }

// Reject ends it and tells the sender by ICMP that the packet is forbidden.
func Reject() Part {
	return Part{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED}}
}

// In matches packets that came by a link, by its name.
func In(link string) Part { return linkIs(expr.MetaKeyIIFNAME, link) }

// Out matches packets that leave by a link, by its name.
func Out(link string) Part { return linkIs(expr.MetaKeyOIFNAME, link) }

func linkIs(key expr.MetaKey, link string) Part {
	name := make([]byte, 16)
	copy(name, link)
	return Part{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
	}
}

// Protocol matches the transport protocol (IPPROTO_*).
func Protocol(number byte) Part { return metaIs(expr.MetaKeyL4PROTO, number) }

// IPv4 and IPv6 match the packets of one family.
func IPv4() Part { return metaIs(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV4) }

// IPv6 is IPv4 for the other family.
func IPv6() Part { return metaIs(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV6) }

func metaIs(key expr.MetaKey, value byte) Part {
	return Part{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{value}},
	}
}

// SourcePort and DestinationPort match a port of TCP or UDP; Protocol comes first.
func SourcePort(port uint16) Part { return portAt(0, port) }

// DestinationPort is SourcePort for the other end.
func DestinationPort(port uint16) Part { return portAt(2, port) }

func portAt(offset uint32, port uint16) Part {
	return Part{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
	}
}

// ICMP matches types from low to high, after Protocol said which ICMP.
func ICMP(low, high byte) Part {
	return Part{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Len: 1},
		&expr.Cmp{Op: expr.CmpOpGte, Register: 1, Data: []byte{low}},
		&expr.Cmp{Op: expr.CmpOpLte, Register: 1, Data: []byte{high}},
	}
}

// Established matches packets of, or about, a connection that was let through.
func Established() Part {
	mask := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return Part{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// Source and Destination match an address in a network, and its family.
func Source(p netip.Prefix) Part { return addressIn(p, 12, 8) }

// Destination is Source for the other end.
func Destination(p netip.Prefix) Part { return addressIn(p, 16, 24) }

// addressIn matches the address at offset v4 or v6 of the IP header.
func addressIn(p netip.Prefix, v4, v6 uint32) Part {
	family, offset, size := IPv4(), v4, uint32(4)
	if p.Addr().Is6() {
		family, offset, size = IPv6(), v6, 16
	}
	p = p.Masked()
	return append(family,
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: size,
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()), Xor: make([]byte, size),
		},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Addr().AsSlice()})
}
