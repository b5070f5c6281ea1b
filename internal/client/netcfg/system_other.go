//go:build darwin || windows

package netcfg

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// What macOS and Windows have in common: a plan is a list of changes, each with
// what takes it back. Nothing here has been run on those systems.

// way is how the outside is reached: the router of the moment and its link, by the
// number that the system has for it.
type way struct {
	Router netip.Addr `json:"router"`
	Link   uint64     `json:"link,omitempty"`
}

// claim is how the host was when the tunnel came: the ways by which the servers
// are reached, since these systems have no rules beside the routes.
type claim struct {
	Ways map[family]way `json:"ways"`
}

// shared has nothing: no part of these systems is there once for all tunnels.
type shared struct{}

// system has no handle of its own.
type system struct{}

func newSystem(Config, state) (*system, error) { return &system{}, nil }

func (s *system) close() {}

func (s *system) claim(p Plan, _ state) (claim, error) {
	c := claim{Ways: map[family]way{}}
	for _, f := range families {
		if w, err := outside(f); err == nil {
			c.Ways[f] = w
		}
	}
	for _, server := range p.Servers {
		if _, ok := c.Ways[familyOf(server.Addr)]; ok && !server.Addr.IsLoopback() {
			return c, nil
		}
	}
	return c, fmt.Errorf("%w: no server has a way outside", ErrRoutes)
}

// set applies the last plan after what a former one left has gone. These
// systems cannot keep both, so there is a gap, which a kill switch would have to
// cover: it is refused.
func (s *system) set(c change, t *tunnel) ([]Warning, error) {
	p := t.plan()
	if p.KillSwitch {
		return nil, fmt.Errorf("%w: the kill switch is not available on this system yet", ErrUnsupported)
	}
	if len(t.Plans) > 1 {
		if err := s.unset(c, t); err != nil {
			return nil, err
		}
		claim, err := s.claim(p, *c.state) // the routers may be others now
		if err != nil {
			return nil, err
		}
		t.Claim = claim
		if err := c.save(); err != nil {
			return nil, err
		}
	}
	for _, a := range s.actions(t.Claim, p) {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		step()
		if err := a.do(c.ctx); err != nil {
			return nil, err
		}
	}
	return nil, s.setNames(c, p)
}

// unset undoes every plan that may be in force. What was not there, or went with
// the device, is undone.
func (s *system) unset(c change, t *tunnel) error {
	var all error
	for _, p := range t.Plans {
		all = errors.Join(all, s.unsetNames(c, p))
		for _, a := range s.actions(t.Claim, p) {
			if a.undo != nil {
				step()
				all = errors.Join(all, a.undo(c.ctx))
			}
		}
	}
	return all
}

// action is one change and what takes it back; nil where it goes with the device.
// To undo what is not there is no error.
type action struct{ do, undo func(context.Context) error }

// actions are the changes of a plan: the routes that stay outside first, and then
// everything of the tunnel's device.
func (s *system) actions(c claim, p Plan) (all []action) {
	for _, f := range families {
		w, ok := c.Ways[f]
		if !ok {
			continue
		}
		for _, n := range outer(p, f) {
			all = append(all, routed(f, n, w))
		}
	}
	for _, f := range families {
		if p.has(f) {
			all = append(all, prepared(f, p))
		}
		for _, n := range f.of(p.Addresses) {
			all = append(all, addressed(f, p.Device, n.Addr()))
		}
		for _, n := range reached(p, f) {
			all = append(all, inward(f, n, p.Device))
		}
		if p.blocked(f) {
			for _, half := range f.halves() {
				all = append(all, dropped(f, half, p.Device))
			}
		}
	}
	return all
}
