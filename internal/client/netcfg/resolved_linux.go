package netcfg

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// The interface of org.freedesktop.resolve1(5).
const (
	resolvedName    = "org.freedesktop.resolve1"
	resolvedPath    = "/org/freedesktop/resolve1"
	resolvedManager = "org.freedesktop.resolve1.Manager."
)

// linkServer and linkDomain are its types (iay) and (sb).
type linkServer struct {
	Family  int32
	Address []byte
}

type linkDomain struct {
	Name    string
	Routing bool // decides where names are asked, and completes none
}

func (s *system) bus(ctx context.Context) (*dbus.Conn, error) {
	if s.cfg.Bus != "" {
		return dbus.Connect(s.cfg.Bus, dbus.WithContext(ctx))
	}
	return dbus.ConnectSystemBus(dbus.WithContext(ctx))
}

func (s *system) resolvedRuns(ctx context.Context) bool {
	ctx, cancel := withContext(ctx)
	defer cancel()
	conn, err := s.bus(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	var owned bool
	err = conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, resolvedName).Store(&owned)
	return err == nil && owned
}

// setResolved sets the link's servers and domains. The root domain as a routing
// domain, "~.", draws all names that no other link has a better claim to.
func (s *system) setResolved(c change, t *tunnel, p Plan) error {
	ctx, cancel := withContext(c.ctx)
	defer cancel()
	conn, err := s.bus(ctx)
	if err != nil {
		return fmt.Errorf("reaching the system bus: %w", err)
	}
	defer func() { _ = conn.Close() }()
	object, index := conn.Object(resolvedName, resolvedPath), int32(t.Claim.Index)
	call := func(method string, args ...any) error {
		step()
		err := object.CallWithContext(ctx, resolvedManager+method, 0, append([]any{index}, args...)...).Err
		if err != nil {
			return fmt.Errorf("systemd-resolved: %s: %w", method, err)
		}
		return nil
	}
	if err := call("SetLinkDNS", linkServers(p)); err != nil {
		return err
	}
	if err := call("SetLinkDomains", linkDomains(p)); err != nil {
		return err
	}
	// What follows is newer than the rest, or no more than polite: without it
	// names are resolved all the same.
	_ = call("SetLinkDefaultRoute", len(p.SplitDNS) == 0)
	_ = call("SetLinkLLMNR", "no")
	_ = call("SetLinkMulticastDNS", "no")
	step()
	_ = object.CallWithContext(ctx, resolvedManager+"FlushCaches", 0).Err
	return nil
}

func linkServers(p Plan) (all []linkServer) {
	for _, a := range p.DNS {
		number := int32(unix.AF_INET)
		if a.Is6() {
			number = unix.AF_INET6
		}
		all = append(all, linkServer{number, a.AsSlice()})
	}
	return all
}

func linkDomains(p Plan) []linkDomain {
	all := []linkDomain{}
	for _, n := range p.Search {
		all = append(all, linkDomain{n, false})
	}
	for _, n := range p.SplitDNS {
		all = append(all, linkDomain{n, true})
	}
	if len(p.SplitDNS) == 0 {
		all = append(all, linkDomain{".", true})
	}
	return all
}

// unsetResolved has the daemon forget the link. It forgets a link that is gone
// by itself, and everything when it ends.
func (s *system) unsetResolved(c change, t *tunnel) error {
	link, err := s.link(t.Device)
	if errors.Is(err, ErrDevice) || err == nil && link.Attrs().Index != t.Claim.Index {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.resolvedRuns(c.ctx) {
		return nil
	}
	ctx, cancel := withContext(c.ctx)
	defer cancel()
	conn, err := s.bus(ctx)
	if err != nil {
		return fmt.Errorf("reaching the system bus: %w", err)
	}
	defer func() { _ = conn.Close() }()
	step()
	err = conn.Object(resolvedName, resolvedPath).CallWithContext(ctx, resolvedManager+"RevertLink", 0, int32(t.Claim.Index)).Err
	if err != nil {
		return fmt.Errorf("systemd-resolved: RevertLink: %w", err)
	}
	return nil
}
