//go:build darwin || windows

package netcfg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What macOS and Windows have in common: the system's own programs change the
// network, each with its arguments as they are and never through a shell.
// Nothing here has been run on those systems.

// claim is how the host was when the tunnel came: the routers by which the
// servers are reached, since these systems have no rules beside the routes.
type claim struct {
	Routers map[family]netip.Addr `json:"routers"`
}

// shared has nothing: no part of these systems is there once for all tunnels.
type shared struct{}

// system runs programs.
type system struct{ cfg Config }

func newSystem(cfg Config) (*system, error) { return &system{cfg}, nil }

func (s *system) close() {}

func (s *system) claim(p Plan, _ state) (claim, error) {
	ctx, cancel := context.WithTimeout(context.Background(), asking)
	defer cancel()
	c := claim{Routers: map[family]netip.Addr{}}
	for _, f := range families {
		if a, err := router(ctx, f); err == nil {
			c.Routers[f] = a
		}
	}
	for _, server := range p.Servers {
		if !server.Addr.IsLoopback() && c.Routers[familyOf(server.Addr)].IsValid() {
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
		return nil, fmt.Errorf("%w: the kill switch", ErrUnsupported)
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
		step()
		if err := run(c.ctx, a.input, a.do...); err != nil {
			return nil, err
		}
	}
	return nil, s.setNames(c, p)
}

// unset undoes every plan that may be in force. A program that finds nothing to
// undo fails, and is not asked why: each undoing is tried.
func (s *system) unset(c change, t *tunnel) error {
	var all error
	for _, p := range t.Plans {
		all = errors.Join(all, s.unsetNames(c, p))
		for _, a := range s.actions(t.Claim, p) {
			if len(a.undo) > 0 {
				step()
				_ = run(c.ctx, "", a.undo...)
			}
		}
	}
	return all
}

// action is one change by a program and the arguments that take it back.
type action struct {
	input    string
	do, undo []string
}

// reached are the networks that a plan routes into the tunnel: all of a family
// as its two halves, which leave the default route where it is.
func reached(p Plan, f family) (all []netip.Prefix) {
	for _, n := range p.inside(f) {
		if n.Bits() == 0 {
			all = append(all, netip.PrefixFrom(n.Addr(), 1), netip.PrefixFrom(f.highHalf(), 1))
			continue
		}
		all = append(all, n)
	}
	return all
}

// outer are the networks that a plan leaves with the router.
func outer(p Plan, f family) []netip.Prefix {
	all := p.excluded(f)
	for _, s := range p.Servers {
		if familyOf(s.Addr) == f && !s.Addr.IsLoopback() {
			all = append(all, netip.PrefixFrom(s.Addr, s.Addr.BitLen()))
		}
	}
	return sorted(all)
}

const asking = 10 * time.Second

// output runs a program of the system, by its whole path.
func output(ctx context.Context, input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

func run(ctx context.Context, input string, args ...string) error {
	_, err := output(ctx, input, args...)
	return err
}
