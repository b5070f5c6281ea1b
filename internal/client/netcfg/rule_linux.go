package netcfg

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// rule is one of the rules by which the kernel comes to a table, or not.
type rule struct {
	priority int
	to       netip.Prefix
	protocol int // 0 = any
	port     uint16
	table    int  // to look in; or
	jump     int  // the priority to go on at
	specific bool // not by the table's default route
}

// Priorities that we choose from, in blocks; the kernel's own begin at 32766.
const firstRule, lastRule, ruleBlock = 20000, 28000, 16

// Offsets in a tunnel's block.
const (
	ruleServer = iota
	ruleLink
	ruleLAN
	ruleTable
)

// wantRules are a plan's rules for one family: none where nothing of it goes
// inside or is blocked. What must stay outside goes on at priority jump.
func wantRules(p Plan, f family, c claim, jump int) (all []rule) {
	if len(wantRoutes(p, f)) == 0 {
		return nil
	}
	for _, s := range p.Servers {
		if familyOf(s.Addr) == f && !s.Addr.IsLoopback() {
			all = append(all, s.rules(rule{priority: c.Rules + ruleServer, jump: jump})...)
		}
	}
	if f == v6 {
		all = append(all, rule{priority: c.Rules + ruleLink, to: linkLocal, jump: jump})
	}
	if p.LocalLAN {
		for _, n := range f.of(private) {
			all = append(all, rule{priority: c.Rules + ruleLAN, to: n, table: unix.RT_TABLE_MAIN, specific: true})
		}
	}
	return append(all, rule{priority: c.Rules + ruleTable, to: f.all(), table: c.Table})
}

// rules are r for each port of a server, or for all of it.
func (s Server) rules(r rule) (all []rule) {
	r.to = netip.PrefixFrom(s.Addr, s.Addr.BitLen())
	if s.TCP == 0 && s.UDP == 0 {
		return []rule{r}
	}
	if s.TCP != 0 {
		r.protocol, r.port = unix.IPPROTO_TCP, s.TCP
		all = append(all, r)
	}
	if s.UDP != 0 {
		r.protocol, r.port = unix.IPPROTO_UDP, s.UDP
		all = append(all, r)
	}
	return all
}

func (s *system) addRules(t *tunnel, p Plan) error {
	for _, f := range families {
		have, jump, err := s.rules(f, t.Claim.Rules)
		if err != nil {
			return err
		}
		for _, r := range wantRules(p, f, t.Claim, jump) {
			if slices.ContainsFunc(have, func(n netlink.Rule) bool { return fromRule(n, f) == r }) {
				continue
			}
			if r.jump == math.MaxInt {
				return fmt.Errorf("%w: no rule is left that looks in the main table", ErrRoutes)
			}
			step()
			if err := s.nl.RuleAdd(r.netlink(f)); err != nil && !errors.Is(err, unix.EEXIST) {
				return fmt.Errorf("%w: rule for %s: %w", ErrRoutes, r.to, err)
			}
		}
	}
	return nil
}

func (s *system) pruneRules(t *tunnel, p Plan) error {
	for _, f := range families {
		_, jump, err := s.rules(f, t.Claim.Rules)
		if err != nil {
			return err
		}
		want := wantRules(p, f, t.Claim, jump)
		if err := s.deleteRules(f, t.Claim.Rules, func(r rule) bool { return slices.Contains(want, r) }); err != nil {
			return err
		}
	}
	return nil
}

// deleteRules takes away the rules of a block but for what is kept: the last
// first, so that nothing goes inside that has no way out.
func (s *system) deleteRules(f family, base int, keep func(rule) bool) error {
	have, _, err := s.rules(f, base)
	if err != nil {
		return err
	}
	for _, n := range slices.Backward(have) {
		if keep(fromRule(n, f)) {
			continue
		}
		step()
		if err := s.nl.RuleDel(&n); err != nil && !absent(err) {
			return fmt.Errorf("removing rule %d: %w", n.Priority, err)
		}
	}
	return nil
}

// rules are ours of a block, by priority, and the priority of the first rule
// behind all blocks, which is where a jump out of one leads.
func (s *system) rules(f family, base int) (block []netlink.Rule, jump int, err error) {
	all, err := s.nl.RuleList(f.number())
	if noFamily(err) {
		return nil, math.MaxInt, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listing rules: %w", err)
	}
	jump = math.MaxInt
	for _, r := range all {
		switch {
		case r.Priority >= base && r.Priority < base+ruleBlock && r.Protocol == ours:
			block = append(block, r)
		case r.Priority > lastRule:
			jump = min(jump, r.Priority)
		}
	}
	slices.SortStableFunc(block, func(a, b netlink.Rule) int { return a.Priority - b.Priority })
	return block, jump, nil
}

// freeRules is the first block behind those of our other tunnels in which nobody
// has a rule. So each tunnel finds the network as it was when it connected: what
// went through an older tunnel still does.
func (s *system) freeRules(st state) (int, error) {
	used, first := map[int]bool{}, firstRule
	for _, t := range st.Tunnels {
		first = max(first, t.Claim.Rules+ruleBlock)
	}
	for _, f := range families {
		all, err := s.nl.RuleList(f.number())
		if err != nil && !noFamily(err) {
			return 0, fmt.Errorf("listing rules: %w", err)
		}
		for _, r := range all {
			used[r.Priority-(r.Priority-firstRule)%ruleBlock] = true
		}
	}
	for base := first; base < lastRule; base += ruleBlock {
		if !used[base] {
			return base, nil
		}
	}
	return 0, fmt.Errorf("%w: no rule priority is free", ErrRoutes)
}

func (r rule) netlink(f family) *netlink.Rule {
	n := netlink.NewRule()
	n.Family, n.Priority, n.Protocol = f.number(), r.priority, ours
	if r.to.Bits() > 0 {
		n.Dst = ipNet(r.to)
	}
	if r.protocol != 0 {
		n.IPProto, n.Dport = r.protocol, netlink.NewRulePortRange(r.port, r.port)
	}
	if r.jump != 0 {
		n.Goto = r.jump
		return n
	}
	n.Table = r.table
	if r.specific {
		n.SuppressPrefixlen = 0
	}
	return n
}

func fromRule(n netlink.Rule, f family) rule {
	r := rule{priority: n.Priority, to: prefix(n.Dst, f), protocol: n.IPProto}
	if n.Dport != nil {
		r.port = n.Dport.Start
	}
	if n.Goto > 0 {
		r.jump = n.Goto
		return r
	}
	r.table, r.specific = n.Table, n.SuppressPrefixlen == 0
	return r
}
