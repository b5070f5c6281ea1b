package netcfg

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

func addVeth(outer *netlink.Handle, bridge netlink.Link, name string, ns netns.NsHandle) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex = name, bridge.Attrs().Index
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: VPCLink, PeerNamespace: netlink.NsFd(int(ns))}
	err := outer.LinkAdd(veth)
	if errors.Is(err, unix.EEXIST) { // the far end of a namespace that is gone
		if err := outer.LinkDel(veth); err != nil {
			return fmt.Errorf("removing old %s: %w", name, err)
		}
		err = outer.LinkAdd(veth)
	}
	if err != nil {
		return fmt.Errorf("adding veth %s: %w", name, err)
	}
	link, err := outer.LinkByName(name)
	if err != nil {
		return err
	}
	return outer.LinkSetUp(link)
}

func addMacvlan(outer *netlink.Handle, parent netlink.Link, name string, ns netns.NsHandle, inside *netlink.Handle) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.Namespace = name, parent.Attrs().Index, netlink.NsFd(int(ns))
	if err := outer.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}); err != nil {
		return fmt.Errorf("adding macvlan %s: %w", name, err)
	}
	link, err := inside.LinkByName(name)
	if err != nil {
		return err
	}
	return inside.LinkSetName(link, VPCLink)
}

// upWith sets a link up with exactly these addresses (link-local ones are the
// kernel's).
func upWith(h *netlink.Handle, link netlink.Link, want []netip.Prefix) error {
	name := link.Attrs().Name
	have, err := h.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("listing addresses of %s: %w", name, err)
	}
	keep := map[string]bool{}
	for _, p := range want {
		keep[p.String()] = true
	}
	for _, a := range have {
		if keep[a.IPNet.String()] || a.IP.IsLinkLocalUnicast() {
			continue
		}
		if err := h.AddrDel(link, &a); err != nil {
			return fmt.Errorf("removing %s from %s: %w", a.IPNet, name, err)
		}
	}
	for _, p := range want {
		a := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			a.Flags = unix.IFA_F_NODAD // it comes from the configuration and is needed at once
		}
		if err := h.AddrReplace(link, a); err != nil {
			return fmt.Errorf("adding %s to %s: %w", p, name, err)
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("setting %s up: %w", name, err)
	}
	return nil
}

// routeMark tells our routes from the kernel's own (rtnetlink(7), rtm_protocol).
const routeMark = unix.RTPROT_STATIC

// setRoutes makes want exactly the networks that are routed to link, beside
// those of its own addresses.
func setRoutes(h *netlink.Handle, link netlink.Link, want []netip.Prefix) error {
	name, keep := link.Attrs().Name, map[string]bool{}
	for _, p := range want {
		keep[p.String()] = true
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		have, err := h.RouteList(link, family)
		if err != nil {
			return fmt.Errorf("listing routes of %s: %w", name, err)
		}
		for _, r := range have {
			if r.Protocol != routeMark || r.Dst == nil || keep[r.Dst.String()] {
				continue
			}
			if err := h.RouteDel(&r); err != nil {
				return fmt.Errorf("removing the route to %s: %w", r.Dst, err)
			}
		}
	}
	for _, p := range want {
		r := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(p), Protocol: routeMark, Scope: netlink.SCOPE_LINK}
		if err := h.RouteReplace(r); err != nil {
			return fmt.Errorf("routing %s to %s: %w", p, name, err)
		}
	}
	return nil
}

func setDefaultRoute(h *netlink.Handle, link netlink.Link, router netip.Addr) error {
	if !router.IsValid() {
		return nil
	}
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if router.Is6() {
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	r := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(all), Gw: router.AsSlice()}
	if err := h.RouteReplace(r); err != nil {
		return fmt.Errorf("default route by %s: %w", router, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
