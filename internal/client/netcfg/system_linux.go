package netcfg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// system is the kernel of the network namespace in which New was called.
type system struct {
	cfg Config
	nl  *netlink.Handle
}

// claim is what a tunnel has of the host, and how its device was before.
type claim struct {
	Index    int      `json:"index"` // of the device
	MTU      int      `json:"mtu"`   // of the device, before
	Up       bool     `json:"up"`    // the device was, before
	Table    int      `json:"table"`
	Rules    int      `json:"rules"` // the first of its priorities
	Resolver Resolver `json:"resolver,omitempty"`
}

// shared is what is there once for all tunnels.
type shared struct {
	Filter bool        `json:"filter,omitempty"` // the kill switch's table
	File   *resolvFile `json:"file,omitempty"`
}

// ours marks routes and rules (rtm_protocol and FRA_PROTOCOL): a number that
// iproute2's rt_protos gives to nobody.
const ours = 83

// addrGenNone is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const addrGenNone = 1

func newSystem(cfg Config, left state) (*system, error) {
	if cfg.ResolvConf == "" && left.Shared.File != nil {
		cfg.ResolvConf = left.Shared.File.Path
	}
	if cfg.ResolvConf == "" {
		cfg.ResolvConf = "/etc/resolv.conf"
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	return &system{cfg: cfg, nl: h}, nil
}

func (s *system) close() { s.nl.Close() }

// claim chooses numbers that nobody uses. It changes nothing.
func (s *system) claim(p Plan, st state) (claim, error) {
	link, err := s.link(p.Device)
	if err != nil {
		return claim{}, err
	}
	c := claimOf(link)
	if c.Table, err = s.freeTable(st); err != nil {
		return claim{}, err
	}
	c.Rules, err = s.freeRules(st)
	return c, err
}

func claimOf(link netlink.Link) claim {
	a := link.Attrs()
	return claim{Index: a.Index, MTU: a.MTU, Up: a.Flags&net.FlagUp != 0}
}

func (s *system) link(device string) (netlink.Link, error) {
	link, err := s.nl.LinkByName(device)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil, fmt.Errorf("%w: %s", ErrDevice, device)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", device, err)
	}
	return link, nil
}

// set makes the host what the tunnel's last plan asks for. What is new comes
// before what is old goes, and the kill switch comes first and goes last.
func (s *system) set(c change, t *tunnel) ([]Warning, error) {
	link, err := s.link(t.Device)
	if err != nil {
		return nil, err
	}
	if err := t.meet(c, link); err != nil {
		return nil, err
	}
	p := t.plan()
	if p.KillSwitch {
		err = s.setFilter(c)
	}
	var warnings []Warning
	if !ipv6On() {
		if p.has(v6) {
			warnings = append(warnings, NoIPv6)
		}
		p = p.withoutIPv6()
	}
	steps := []func() error{
		func() error { return s.setLink(link, p) },
		func() error { return s.addRoutes(t, p) },
		func() error { return s.addRules(t, p) },
		func() (err error) {
			var more []Warning
			more, err = s.setNames(c, t, p)
			warnings = append(warnings, more...)
			return err
		},
		func() error { return s.pruneRules(t, p) },
		func() error { return s.pruneRoutes(t, p) },
		func() error { return s.pruneAddresses(link, t, p) },
		func() error { return s.setFilter(c) },
	}
	for _, f := range steps {
		if err == nil {
			err = c.ctx.Err()
		}
		if err == nil {
			err = f()
		}
	}
	return warnings, err
}

// meet notes a device that was made anew since the claim.
func (t *tunnel) meet(c change, link netlink.Link) error {
	if t.Claim.Index == link.Attrs().Index {
		return nil
	}
	now := claimOf(link)
	t.Claim.Index, t.Claim.MTU, t.Claim.Up = now.Index, now.MTU, now.Up
	return c.save()
}

// withoutIPv6 is the plan on a host whose kernel has no IPv6: nothing of it can
// leak there.
func (p Plan) withoutIPv6() Plan {
	p.Addresses = v4.of(p.Addresses)
	p.Bypass = true
	return p
}

func ipv6On() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}

// unset undoes all that was done for a tunnel, by its numbers, its device and
// every plan that may be in force.
func (s *system) unset(c change, t *tunnel) error {
	var all error
	all = errors.Join(all, s.unsetNames(c, t))
	for _, f := range families {
		all = errors.Join(all, s.deleteRules(f, t.Claim.Rules, func(rule) bool { return false }))
		all = errors.Join(all, s.deleteRoutes(f, t.Claim.Table, func(route) bool { return false }))
	}
	all = errors.Join(all, s.resetLink(t))
	return errors.Join(all, s.setFilterWithout(c, t))
}

// setLink gives the device its addresses, each alone (/32, /128) and without a
// route that the kernel would put into main.
func (s *system) setLink(link netlink.Link, p Plan) error {
	name := p.Device
	have, err := s.addresses(link)
	if err != nil {
		return err
	}
	if p.has(v6) {
		if err := allowIPv6(name); err != nil {
			return err
		}
	}
	if link.Attrs().MTU != p.MTU {
		step()
		if err := s.nl.LinkSetMTU(link, p.MTU); err != nil {
			return fmt.Errorf("%w: mtu of %s: %w", ErrDevice, name, err)
		}
	}
	for _, a := range p.Addresses {
		if slices.Contains(have, a.Addr()) {
			continue
		}
		step()
		if err := s.nl.AddrReplace(link, address(a.Addr())); err != nil {
			return fmt.Errorf("%w: address of %s: %w", ErrDevice, name, err)
		}
	}
	if link.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	step()
	// The tunnel gives the addresses: an address of the link's own would have the
	// kernel ask for routers for ever, which wakes an idle machine.
	_ = s.nl.LinkSetIP6AddrGenMode(link, addrGenNone)
	if err := s.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("%w: setting %s up: %w", ErrDevice, name, err)
	}
	return nil
}

func address(a netip.Addr) *netlink.Addr {
	out := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, a.BitLen())), Flags: unix.IFA_F_NOPREFIXROUTE}
	if a.Is6() {
		out.Flags |= unix.IFA_F_NODAD // nobody else is on the link
	}
	return out
}

// addresses are the device's, without those that the kernel gave it.
func (s *system) addresses(link netlink.Link) (all []netip.Addr, err error) {
	have, err := s.nl.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("listing addresses: %w", err)
	}
	for _, a := range have {
		if ip, ok := netip.AddrFromSlice(a.IP); ok && !linkLocal.Contains(ip) {
			all = append(all, ip.Unmap())
		}
	}
	return all, nil
}

// allowIPv6 switches IPv6 on for the tunnel's device, where the host has it off
// for new ones. The setting goes with the device.
func allowIPv6(device string) error {
	path := "/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6"
	if have, err := os.ReadFile(path); err == nil && string(have) == "0\n" {
		return nil
	}
	if err := os.WriteFile(path, []byte("0"), 0); err != nil {
		return fmt.Errorf("%w: IPv6 of %s: %w", ErrDevice, device, err)
	}
	return nil
}

// pruneAddresses takes away what former plans gave the device and p does not.
func (s *system) pruneAddresses(link netlink.Link, t *tunnel, p Plan) error {
	return s.deleteAddresses(link, t.Plans, p.Addresses)
}

func (s *system) deleteAddresses(link netlink.Link, given []Plan, keep []netip.Prefix) error {
	have, err := s.addresses(link)
	if err != nil {
		return err
	}
	kept := func(a netip.Addr) bool {
		return slices.ContainsFunc(keep, func(k netip.Prefix) bool { return k.Addr() == a })
	}
	for _, p := range given {
		for _, a := range p.Addresses {
			i := slices.Index(have, a.Addr())
			if i < 0 || kept(a.Addr()) {
				continue
			}
			have = slices.Delete(have, i, i+1)
			step()
			if err := s.nl.AddrDel(link, address(a.Addr())); err != nil {
				return fmt.Errorf("removing an address of %s: %w", p.Device, err)
			}
		}
	}
	return nil
}

// resetLink leaves the device as it was found, if it is still that device.
func (s *system) resetLink(t *tunnel) error {
	link, err := s.link(t.Device)
	if errors.Is(err, ErrDevice) || err == nil && link.Attrs().Index != t.Claim.Index {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.deleteAddresses(link, t.Plans, nil); err != nil {
		return err
	}
	if !t.Claim.Up {
		step()
		err = s.nl.LinkSetDown(link)
	}
	if link.Attrs().MTU != t.Claim.MTU {
		step()
		err = errors.Join(err, s.nl.LinkSetMTU(link, t.Claim.MTU))
	}
	if err != nil {
		return fmt.Errorf("restoring %s: %w", t.Device, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefix is the reverse of ipNet; none means all of the family.
func prefix(n *net.IPNet, f family) netip.Prefix {
	if n == nil {
		return f.all()
	}
	a, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), bits)
}

func (f family) number() int {
	if f == v4 {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

// absent says that a thing to delete was gone already.
func absent(err error) bool {
	return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL)
}

// withContext bounds a question to another process of the host.
func withContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, asking)
}
