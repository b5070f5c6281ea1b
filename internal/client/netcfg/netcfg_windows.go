package netcfg

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// router reads the system's routes for the default one with the least metric.
func router(_ context.Context, f family) (netip.Addr, error) {
	number := uint16(windows.AF_INET)
	if f == v6 {
		number = windows.AF_INET6
	}
	var table *windows.MibIpForwardTable2
	if err := windows.GetIpForwardTable2(number, &table); err != nil {
		return netip.Addr{}, fmt.Errorf("listing routes: %w", err)
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	var best netip.Addr
	least := ^uint32(0)
	for _, r := range table.Rows() {
		if hop := nextHop(r, f); r.DestinationPrefix.PrefixLength == 0 && hop.IsValid() && !hop.IsUnspecified() && r.Metric < least {
			best, least = hop, r.Metric
		}
	}
	if !best.IsValid() {
		return best, fmt.Errorf("%w: no default route", ErrRoutes)
	}
	return best, nil
}

func nextHop(r windows.MibIpForwardRow2, f family) netip.Addr {
	if f == v4 {
		return netip.AddrFrom4((*windows.RawSockaddrInet4)(unsafe.Pointer(&r.NextHop)).Addr)
	}
	return netip.AddrFrom16((*windows.RawSockaddrInet6)(unsafe.Pointer(&r.NextHop)).Addr)
}

func systemProgram(name string) string {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		dir = `C:\Windows\System32`
	}
	return filepath.Join(dir, name)
}

func netsh(f family, args ...string) []string {
	family := "ipv4"
	if f == v6 {
		family = "ipv6"
	}
	return append([]string{systemProgram("netsh.exe"), "interface", family}, args...)
}

// actions are the commands of a plan. Everything but the servers' routes is of
// the tunnel's interface and goes with it; store=active keeps it out of the next
// start.
func (s *system) actions(c claim, p Plan) (all []action) {
	for _, f := range families {
		if !c.Routers[f].IsValid() {
			continue
		}
		for _, n := range outer(p, f) {
			all = append(all, viaRouter(f, n, c.Routers[f]))
		}
	}
	for _, f := range families {
		if p.has(f) {
			all = append(all, action{do: netsh(f, "set", "subinterface", p.Device, fmt.Sprint("mtu=", p.MTU), "store=active")})
		}
		for _, n := range f.of(p.Addresses) {
			all = append(all, addressed(f, p.Device, n.Addr()))
		}
		for _, n := range reached(p, f) {
			all = append(all, intoTunnel(f, n, p.Device))
		}
		if p.blocked(f) {
			for _, half := range []netip.Addr{f.all().Addr(), f.highHalf()} {
				all = append(all, intoTunnel(f, netip.PrefixFrom(half, 1), p.Device)) // which drops it there
			}
		}
	}
	return all
}

// viaRouter is a route by the router of the moment: route.exe finds its interface.
func viaRouter(f family, n netip.Prefix, by netip.Addr) action {
	program := systemProgram("route.exe")
	return action{
		do:   []string{program, family46(f), "add", n.String(), by.String(), "metric", "1"},
		undo: []string{program, family46(f), "delete", n.String(), by.String()},
	}
}

func family46(f family) string { return fmt.Sprint("-", int(f)) }

func addressed(f family, device string, a netip.Addr) action {
	return action{
		do:   netsh(f, "add", "address", device, fmt.Sprint(a, "/", a.BitLen()), "store=active"),
		undo: netsh(f, "delete", "address", device, a.String()),
	}
}

func intoTunnel(f family, n netip.Prefix, device string) action {
	return action{
		do:   netsh(f, "add", "route", n.String(), device, "metric=0", "store=active"),
		undo: netsh(f, "delete", "route", n.String(), device),
	}
}

// policies are where the Name Resolution Policy Table keeps local rules
// ([MS-GPNRPT], section 2.2).
const policies = `SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig`

func policyName(device string) string { return "skyconnect-" + device }

// setNames gives the interface its resolvers and writes one policy: the names
// that are asked of them, with a dot before each; the dot alone is all.
func (s *system) setNames(c change, p Plan) error {
	if len(p.DNS) == 0 {
		return nil
	}
	var servers []string
	for i, a := range p.DNS {
		servers = append(servers, a.String())
		step()
		args := []string{"add", "dnsservers", p.Device, a.String(), fmt.Sprint("index=", i+1), "validate=no"}
		if err := run(c.ctx, "", netsh(familyOf(a), args...)...); err != nil {
			return fmt.Errorf("%w: %w", ErrResolvers, err)
		}
	}
	names := []string{"."}
	if len(p.SplitDNS) > 0 {
		names = nil
		for _, n := range p.SplitDNS {
			names = append(names, "."+n)
		}
	}
	step()
	if err := writePolicy(policyName(p.Device), names, strings.Join(servers, ";")); err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	return nil
}

func writePolicy(name string, names []string, servers string) error {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, policies+`\`+name, registry.SET_VALUE)
	if err != nil {
		return err
	}
	const version, genericServers = 2, 8
	return errors.Join(
		key.SetDWordValue("Version", version), key.SetDWordValue("ConfigOptions", genericServers),
		key.SetStringsValue("Name", names), key.SetStringValue("GenericDNSServers", servers), key.Close(),
	)
}

// unsetNames takes the policy away; the resolvers go with the interface.
func (s *system) unsetNames(_ change, p Plan) error {
	step()
	err := registry.DeleteKey(registry.LOCAL_MACHINE, policies+`\`+policyName(p.Device))
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	return nil
}
