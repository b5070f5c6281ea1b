// Package netcfg makes one VPN gateway's network in the kernel: a namespace
// with a tunnel device, a link to the customer's VPC, routes and nftables.
//
//	node's namespace                 namespace <gateway id>
//	┌────────────────────┐          ┌───────────────────────────────────────┐
//	│ VPC bridge ── sg…  │── veth ──│ vpc0   forward, nftables   ssl0 (TUN) │
//	└────────────────────┘          └────────────────────────────│──────────┘
//	                                            the process holds its queues
//
// It speaks netlink and nftables' own protocol, never a shell. It opens no
// socket for traffic and knows no session.
//
// Invariants: Apply may be repeated at any time and converges, also over what
// a killed process left behind; two gateways never share an address space;
// Remove leaves nothing; the calling goroutine's namespace never changes.
package netcfg

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// Names of the links inside a gateway's namespace.
const (
	TunnelLink = "ssl0"
	VPCLink    = "vpc0"
)

// Spec is the network that a gateway should have.
type Spec struct {
	Name       string // the gateway's id, the namespace's name
	Queues     int    // of the tunnel device; fixed once made
	MTU        int    // of the tunnel device
	Servers    []Access
	Bridge     string       // VPC bridge in the node's namespace; or
	Parent     string       // VPC interface or VLAN, shared by macvlan
	Address    netip.Prefix // of the gateway in the VPC
	Address6   netip.Prefix // likewise; may be invalid
	Router     netip.Addr   // next hop to what is beyond the VPC; may be invalid
	Router6    netip.Addr   // likewise
	Masquerade bool         // clients appear with Address or Address6 in the VPC
}

// Access is what the clients of one SSL server may reach.
type Access struct {
	Pool         netip.Prefix   // the first host is the gateway
	Pool6        netip.Prefix   // likewise; invalid = no IPv6
	Routed       []netip.Prefix // networks behind clients
	LocalSubnets []netip.Prefix
	FullTunnel   bool
	Isolated     bool
}

// pools are the pools that there are.
func (a Access) pools() (all []netip.Prefix) {
	for _, p := range []netip.Prefix{a.Pool, a.Pool6} {
		if p.IsValid() {
			all = append(all, p.Masked())
		}
	}
	return all
}

// inside is every address that is a client's or behind one.
func (a Access) inside() []netip.Prefix { return append(a.pools(), a.Routed...) }

// Network is a gateway's network that this process holds.
type Network struct {
	name   string
	ns     netns.NsHandle
	Queues []tun.Queue
}

// Apply makes the kernel equal to spec. held is what an earlier Apply of the
// same name returned, or nil. On error the result, if any, is to be passed to
// the next Apply all the same.
func Apply(spec Spec, held *Network) (*Network, error) {
	if held == nil {
		ns, err := openNamespace(spec.Name)
		if err != nil {
			return nil, err
		}
		held = &Network{name: spec.Name, ns: ns}
	}
	if err := held.apply(spec); err != nil {
		return held, fmt.Errorf("network of %s: %w", spec.Name, err)
	}
	return held, nil
}

func (n *Network) apply(spec Spec) error {
	inside, err := netlink.NewHandleAt(n.ns)
	if err != nil {
		return fmt.Errorf("opening netlink: %w", err)
	}
	defer inside.Close()
	if err := within(n.ns, setAddressing); err != nil {
		return err
	}
	if err := n.ensureTunnel(spec, inside); err != nil {
		return err
	}
	if err := n.ensureVPC(spec, inside); err != nil {
		return err
	}
	if err := within(n.ns, setForwarding); err != nil {
		return err
	}
	return n.applyRules(spec)
}

// Close closes the tunnel's queues and keeps the namespace for the next
// process.
func (n *Network) Close() error {
	var first error
	for _, q := range n.Queues {
		first = errors.Join(first, q.Close())
	}
	n.Queues = nil
	return errors.Join(first, n.ns.Close())
}

// Remove deletes the network of a gateway with all its links. Removing what
// is not there is no error.
func Remove(name string, held *Network) error {
	if held != nil {
		_ = held.Close()
	}
	return removeNamespace(name)
}

func (n *Network) ensureTunnel(spec Spec, inside *netlink.Handle) error {
	if n.Queues == nil {
		open := func() (err error) {
			n.Queues, err = tun.Open(TunnelLink, max(spec.Queues, 1))
			return err
		}
		if err := within(n.ns, open); err != nil {
			return err
		}
	}
	link, err := inside.LinkByName(TunnelLink)
	if err != nil {
		return fmt.Errorf("finding %s: %w", TunnelLink, err)
	}
	if err := inside.LinkSetMTU(link, spec.MTU); err != nil {
		return fmt.Errorf("setting mtu of %s: %w", TunnelLink, err)
	}
	if err := inside.LinkSetTxQLen(link, 1000); err != nil {
		return fmt.Errorf("setting queue of %s: %w", TunnelLink, err)
	}
	var want, routed []netip.Prefix
	for _, s := range spec.Servers {
		for _, p := range s.pools() {
			want = append(want, netip.PrefixFrom(p.Addr().Next(), p.Bits()))
		}
		routed = append(routed, s.Routed...)
	}
	if err := upWith(inside, link, want); err != nil {
		return err
	}
	return setRoutes(inside, link, routed)
}

func (n *Network) ensureVPC(spec Spec, inside *netlink.Handle) error {
	if lo, err := inside.LinkByName("lo"); err == nil {
		if err := inside.LinkSetUp(lo); err != nil {
			return fmt.Errorf("setting lo up: %w", err)
		}
	}
	if spec.Bridge == "" && spec.Parent == "" {
		return nil
	}
	link, err := n.vpcLink(spec, inside)
	if err != nil {
		return fmt.Errorf("link to the vpc: %w", err)
	}
	want := []netip.Prefix{spec.Address}
	if spec.Address6.IsValid() {
		want = append(want, spec.Address6)
	}
	if err := upWith(inside, link, want); err != nil {
		return err
	}
	return errors.Join(setDefaultRoute(inside, link, spec.Router), setDefaultRoute(inside, link, spec.Router6))
}

// vpcLink returns the link to the VPC, which it makes if there is none to it. A
// gateway that moves to another VPC gets another link; its tunnel stays.
func (n *Network) vpcLink(spec Spec, inside *netlink.Handle) (netlink.Link, error) {
	outer, err := netlink.NewHandle()
	if err != nil {
		return nil, err
	}
	defer outer.Close()
	name := cmp.Or(spec.Bridge, spec.Parent)
	base, err := outer.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", name, err)
	}
	link, err := inside.LinkByName(VPCLink)
	switch {
	case errors.As(err, new(netlink.LinkNotFoundError)):
		return n.addVPCLink(spec, base, outer, inside)
	case err != nil || n.leadsTo(link, base, outer):
		return link, err
	}
	if err := inside.LinkDel(link); err != nil {
		return nil, fmt.Errorf("leaving another network: %w", err)
	}
	return n.addVPCLink(spec, base, outer, inside)
}

// leadsTo tells whether the link to the VPC hangs on base: as a port of that
// bridge, or as a child of that interface.
func (n *Network) leadsTo(link, base netlink.Link, outer *netlink.Handle) bool {
	if link.Type() == "macvlan" {
		return link.Attrs().ParentIndex == base.Attrs().Index
	}
	end, err := outer.LinkByName(OuterLink(n.name))
	return err == nil && end.Attrs().MasterIndex == base.Attrs().Index
}

// addVPCLink makes the link in the node's namespace, with its inner end
// already in the gateway's.
func (n *Network) addVPCLink(spec Spec, base netlink.Link, outer, inside *netlink.Handle) (_ netlink.Link, err error) {
	if spec.Bridge != "" {
		err = addVeth(outer, base, OuterLink(n.name), n.ns)
	} else {
		err = addMacvlan(outer, base, OuterLink(n.name), n.ns, inside)
	}
	if err != nil {
		return nil, fmt.Errorf("on %s: %w", base.Attrs().Name, err)
	}
	return inside.LinkByName(VPCLink)
}

// OuterLink is the name of a gateway's link in the node's namespace; it fits
// the kernel's 15 characters.
func OuterLink(gateway string) string {
	h := sha256.Sum256([]byte(gateway))
	return "sg" + strings.ToLower(base32.HexEncoding.EncodeToString(h[:])[:12])
}
