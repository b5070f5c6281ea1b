package netcfg

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// route is one line of a tunnel's table.
type route struct {
	to     netip.Prefix
	kind   int // unix.RTN_UNICAST by the device, RTN_THROW, RTN_UNREACHABLE
	metric int
}

// Metrics: with a kill switch each way into the tunnel has an unreachable one
// behind it, which is what is left when the device goes.
const (
	metric     = 100
	metricLast = 4000
)

// Tables that we choose from; below 256 are the kernel's and people's own.
const firstTable, lastTable = 20000, 29999

// wantRoutes are the lines of a plan's table for one family.
func wantRoutes(p Plan, f family) (all []route) {
	for _, n := range p.inside(f) {
		all = append(all, route{n, unix.RTN_UNICAST, metric})
		if p.KillSwitch {
			all = append(all, route{n, unix.RTN_UNREACHABLE, metricLast})
		}
	}
	if p.blocked(f) {
		all = append(all, route{f.all(), unix.RTN_UNREACHABLE, metricLast})
	}
	if len(all) == 0 {
		return nil
	}
	for _, n := range p.excluded(f) {
		if n != f.all() {
			all = append(all, route{n, unix.RTN_THROW, metric})
		}
	}
	return all
}

func (s *system) addRoutes(t *tunnel, p Plan) error {
	for _, f := range families {
		have, err := s.routes(f, t.Claim.Table)
		if err != nil {
			return err
		}
		for _, r := range wantRoutes(p, f) {
			if slices.ContainsFunc(have, func(n netlink.Route) bool { return fromRoute(n, f) == r && r.by(n, t.Claim.Index) }) {
				continue
			}
			step()
			if err := s.nl.RouteReplace(r.netlink(t.Claim)); err != nil {
				return fmt.Errorf("%w: to %s: %w", ErrRoutes, r.to, err)
			}
		}
	}
	return nil
}

// by says whether a line leads to the tunnel's device, if it leads anywhere.
func (r route) by(n netlink.Route, index int) bool {
	return r.kind != unix.RTN_UNICAST || n.LinkIndex == index
}

func (s *system) pruneRoutes(t *tunnel, p Plan) error {
	for _, f := range families {
		want := wantRoutes(p, f)
		if err := s.deleteRoutes(f, t.Claim.Table, func(r route) bool { return slices.Contains(want, r) }); err != nil {
			return err
		}
	}
	return nil
}

// deleteRoutes empties a table of ours but for what is kept.
func (s *system) deleteRoutes(f family, table int, keep func(route) bool) error {
	have, err := s.routes(f, table)
	if err != nil {
		return err
	}
	for _, n := range have {
		if keep(fromRoute(n, f)) {
			continue
		}
		step()
		if err := s.nl.RouteDel(&n); err != nil && !absent(err) {
			return fmt.Errorf("removing the route to %s: %w", n.Dst, err)
		}
	}
	return nil
}

// routes are ours of a table.
func (s *system) routes(f family, table int) ([]netlink.Route, error) {
	all, err := s.nl.RouteListFiltered(f.number(), &netlink.Route{Table: table, Protocol: ours}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
	if noFamily(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	return all, nil
}

// noFamily says that the kernel has no IPv6, or no rules for it.
func noFamily(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP)
}

// freeTable is the first table that holds no route and that no rule looks in.
func (s *system) freeTable(st state) (int, error) {
	used := map[int]bool{}
	for _, t := range st.Tunnels {
		used[t.Claim.Table] = true
	}
	for _, f := range families {
		routes, err := s.nl.RouteListFiltered(f.number(), &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil && !noFamily(err) {
			return 0, fmt.Errorf("listing routes: %w", err)
		}
		for _, r := range routes {
			used[r.Table] = true
		}
		rules, err := s.nl.RuleList(f.number())
		if err != nil && !noFamily(err) {
			return 0, fmt.Errorf("listing rules: %w", err)
		}
		for _, r := range rules {
			used[r.Table] = true
		}
	}
	for n := firstTable; n <= lastTable; n++ {
		if !used[n] {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: no routing table is free", ErrRoutes)
}

func (r route) netlink(c claim) *netlink.Route {
	n := &netlink.Route{Dst: ipNet(r.to), Table: c.Table, Type: r.kind, Priority: r.metric, Protocol: ours}
	if r.kind == unix.RTN_UNICAST {
		n.LinkIndex, n.Scope = c.Index, netlink.SCOPE_LINK
	}
	return n
}

func fromRoute(n netlink.Route, f family) route {
	return route{prefix(n.Dst, f), n.Type, n.Priority}
}
