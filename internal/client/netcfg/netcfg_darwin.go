package netcfg

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

const (
	ifconfigProgram = "/sbin/ifconfig"
	routeProgram    = "/sbin/route"
	scutilProgram   = "/usr/sbin/scutil"
)

// router asks route(8) for the default route's gateway.
func router(ctx context.Context, f family) (netip.Addr, error) {
	text, err := output(ctx, "", routeProgram, "-n", "get", inet(f), "default")
	if err != nil {
		return netip.Addr{}, err
	}
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "gateway: "); ok {
			return netip.ParseAddr(v)
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: no default route", ErrRoutes)
}

func inet(f family) string {
	if f == v4 {
		return "-inet"
	}
	return "-inet6"
}

// actions are the commands of a plan, the servers' routes first. A blocked
// family gets routes that reject.
func (s *system) actions(c claim, p Plan) (all []action) {
	for _, f := range families {
		if !c.Routers[f].IsValid() {
			continue
		}
		for _, n := range outer(p, f) {
			all = append(all, routed(f, n, c.Routers[f].String()))
		}
	}
	all = append(all, action{do: []string{ifconfigProgram, p.Device, "mtu", fmt.Sprint(p.MTU), "up"}})
	for _, a := range p.Addresses {
		all = append(all, addressed(p.Device, a.Addr()))
	}
	for _, f := range families {
		for _, n := range reached(p, f) {
			all = append(all, routed(f, n, "-interface", p.Device))
		}
		if p.blocked(f) {
			for _, half := range []netip.Addr{f.all().Addr(), f.highHalf()} {
				all = append(all, routed(f, netip.PrefixFrom(half, 1), loopback(f), "-reject"))
			}
		}
	}
	return all
}

func loopback(f family) string {
	if f == v4 {
		return "127.0.0.1"
	}
	return "::1"
}

func routed(f family, n netip.Prefix, way ...string) action {
	return action{
		do:   append([]string{routeProgram, "-q", "-n", "add", inet(f), "-net", n.String()}, way...),
		undo: append([]string{routeProgram, "-q", "-n", "delete", inet(f), "-net", n.String()}, way...),
	}
}

func addressed(device string, a netip.Addr) action {
	if a.Is4() {
		return action{
			do:   []string{ifconfigProgram, device, "inet", a.String(), a.String(), "netmask", "255.255.255.255", "alias"},
			undo: []string{ifconfigProgram, device, "inet", a.String(), "-alias"},
		}
	}
	return action{
		do:   []string{ifconfigProgram, device, "inet6", a.String(), "prefixlen", "128", "alias"},
		undo: []string{ifconfigProgram, device, "inet6", a.String(), "-alias"},
	}
}

// serviceKey names the tunnel's resolvers in the dynamic store of
// SystemConfiguration.
func serviceKey(device string) string { return "State:/Network/Service/skyconnect-" + device + "/DNS" }

// setNames writes the tunnel's resolvers. SupplementalMatchDomains are the names
// that are asked of them; the empty one is all.
func (s *system) setNames(c change, p Plan) error {
	if len(p.DNS) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("d.init\nd.add ServerAddresses *")
	for _, a := range p.DNS {
		b.WriteString(" " + a.String())
	}
	b.WriteString("\nd.add SupplementalMatchDomains *")
	if len(p.SplitDNS) == 0 {
		b.WriteString(` ""`)
	}
	for _, n := range p.SplitDNS {
		b.WriteString(" " + n)
	}
	if len(p.Search) > 0 {
		b.WriteString("\nd.add SearchDomains * " + strings.Join(p.Search, " "))
	}
	b.WriteString("\nset " + serviceKey(p.Device) + "\nquit\n")
	step()
	if err := run(c.ctx, b.String(), scutilProgram); err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	return nil
}

func (s *system) unsetNames(c change, p Plan) error {
	if len(p.DNS) == 0 {
		return nil
	}
	step()
	if err := run(c.ctx, "remove "+serviceKey(p.Device)+"\nquit\n", scutilProgram); err != nil {
		return fmt.Errorf("%w: %w", ErrResolvers, err)
	}
	return nil
}
