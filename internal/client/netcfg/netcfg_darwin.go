package netcfg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// Routes are changed by a socket of PF_ROUTE (route(4)); addresses by ifconfig(8)
// and names by scutil(8), each with its arguments or its input as they are and
// never through a shell.

const (
	ifconfigProgram = "/sbin/ifconfig"
	scutilProgram   = "/usr/sbin/scutil"
)

func (f family) number() int {
	if f == v4 {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// inet is an address as routing messages have it.
func inet(a netip.Addr) route.Addr {
	if a.Is4() {
		return &route.Inet4Addr{IP: a.As4()}
	}
	return &route.Inet6Addr{IP: a.As16()}
}

func ofInet(a route.Addr) netip.Addr {
	switch a := a.(type) {
	case *route.Inet4Addr:
		return netip.AddrFrom4(a.IP)
	case *route.Inet6Addr:
		out := netip.AddrFrom16(a.IP)
		if a.ZoneID > 0 {
			out = out.WithZone(fmt.Sprint(a.ZoneID))
		}
		return out
	}
	return netip.Addr{}
}

// outside reads the system's routes for the default one by a router, but for those
// that are scoped to one link (RTF_IFSCOPE), which are for who asks for the link.
func outside(f family) (way, error) {
	table, err := route.FetchRIB(f.number(), route.RIBTypeRoute, 0)
	if err != nil {
		return way{}, fmt.Errorf("listing routes: %w", err)
	}
	all, err := route.ParseRIB(route.RIBTypeRoute, table)
	if err != nil {
		return way{}, fmt.Errorf("listing routes: %w", err)
	}
	const wanted = unix.RTF_UP | unix.RTF_GATEWAY
	for _, m := range all {
		r, ok := m.(*route.RouteMessage)
		if !ok || r.Flags&wanted != wanted || r.Flags&unix.RTF_IFSCOPE != 0 || len(r.Addrs) <= unix.RTAX_NETMASK {
			continue
		}
		hop := ofInet(r.Addrs[unix.RTAX_GATEWAY])
		if ofInet(r.Addrs[unix.RTAX_DST]) == f.all().Addr() && everything(r.Addrs[unix.RTAX_NETMASK]) && hop.IsValid() {
			return way{Router: hop.WithZone(""), Link: uint64(r.Index)}, nil
		}
	}
	return way{}, fmt.Errorf("%w: no default route", ErrRoutes)
}

// everything says that a mask is that of a default route: none, or zero.
func everything(mask route.Addr) bool {
	a := ofInet(mask)
	return !a.IsValid() || a.IsUnspecified()
}

// mask is the netmask of a prefix.
func mask(n netip.Prefix) netip.Addr {
	a, _ := netip.AddrFromSlice(net.CIDRMask(n.Bits(), n.Addr().BitLen()))
	return a
}

// tell sends one message about a route.
func tell(kind, flags int, n netip.Prefix, gateway route.Addr) error {
	m := route.RouteMessage{
		Version: unix.RTM_VERSION, Type: kind, Flags: flags | unix.RTF_UP | unix.RTF_STATIC, ID: uintptr(os.Getpid()), Seq: 1,
		Addrs: []route.Addr{unix.RTAX_DST: inet(n.Addr()), unix.RTAX_GATEWAY: gateway, unix.RTAX_NETMASK: inet(mask(n))},
	}
	text, err := m.Marshal()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRoutes, err)
	}
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRoutes, err)
	}
	_, err = unix.Write(fd, text)
	if kind == unix.RTM_ADD && errors.Is(err, unix.EEXIST) || kind == unix.RTM_DELETE && errors.Is(err, unix.ESRCH) {
		err = nil
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("%w: %w", ErrRoutes, err)
	}
	return nil
}

// both is a route that is added and deleted by the same words.
func both(n netip.Prefix, flags int, gateway func() (route.Addr, error)) action {
	one := func(kind int) func(context.Context) error {
		return func(context.Context) error {
			g, err := gateway()
			if errors.Is(err, ErrDevice) && kind == unix.RTM_DELETE {
				return nil // its routes went with it
			}
			if err != nil {
				return err
			}
			return tell(kind, flags, n, g)
		}
	}
	return action{do: one(unix.RTM_ADD), undo: one(unix.RTM_DELETE)}
}

// routed is a route by the way outside. A router of IPv6 is known on its link only.
func routed(_ family, n netip.Prefix, w way) action {
	return both(n, unix.RTF_GATEWAY, func() (route.Addr, error) {
		if w.Router.IsLinkLocalUnicast() && w.Router.Is6() {
			return &route.Inet6Addr{IP: w.Router.As16(), ZoneID: int(w.Link)}, nil
		}
		return inet(w.Router), nil
	})
}

// inward is a route into the tunnel.
func inward(_ family, n netip.Prefix, device string) action {
	return both(n, 0, func() (route.Addr, error) {
		link, err := net.InterfaceByName(device)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", ErrDevice, device)
		}
		return &route.LinkAddr{Index: link.Index, Name: device}, nil
	})
}

// dropped is a route that rejects.
func dropped(f family, n netip.Prefix, _ string) action {
	loopback := netip.IPv6Loopback()
	if f == v4 {
		loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return both(n, unix.RTF_GATEWAY|unix.RTF_REJECT, func() (route.Addr, error) { return inet(loopback), nil })
}

// prepared gives the device its MTU, which goes with it.
func prepared(_ family, p Plan) action {
	return action{do: func(ctx context.Context) error {
		return device(run(ctx, "", ifconfigProgram, p.Device, "mtu", fmt.Sprint(p.MTU), "up"))
	}}
}

func device(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDevice, err)
}

// addressed gives the device an address. Taking it back fails where the device is
// gone, and the address with it, and ifconfig has no code that would say so.
func addressed(f family, name string, a netip.Addr) action {
	do := []string{ifconfigProgram, name, "inet", a.String(), a.String(), "netmask", "255.255.255.255", "alias"}
	undo := []string{ifconfigProgram, name, "inet", a.String(), "-alias"}
	if f == v6 {
		do = []string{ifconfigProgram, name, "inet6", a.String(), "prefixlen", "128", "alias"}
		undo[2] = "inet6"
	}
	return action{
		do: func(ctx context.Context) error { return device(run(ctx, "", do...)) },
		undo: func(ctx context.Context) error {
			if _, err := net.InterfaceByName(name); err == nil {
				_ = run(ctx, "", undo...)
			}
			return nil
		},
	}
}

// setNames writes the tunnel's resolvers to the dynamic store.
func (s *system) setNames(c change, p Plan) error {
	if len(p.DNS) == 0 {
		return nil
	}
	step()
	if err := run(c.ctx, dynamicStore(p), scutilProgram); err != nil {
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

// asking is how long a program of the system may take.
const asking = 10 * time.Second

// run runs a program of the system, by its whole path.
func run(ctx context.Context, input string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the system's own programs; arguments are addresses and checked names
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, bytes.TrimSpace(out))
	}
	return nil
}
