package netcfg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// together is how long changes are waited for that belong to one: a new Wi-Fi
// is a link, an address of each family and two routes.
const together = 300 * time.Millisecond

// groups are what the kernel tells of addresses, links and routes (rtnetlink(7)).
var groups = []uint{
	unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
}

// watch takes each message as a reason to look, and tells when what it sees has
// changed. So messages may be lost, and those of our own changes say nothing.
func (s *system) watch(ctx context.Context, own func() []string) (<-chan struct{}, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE, groups...)
	if err != nil {
		return nil, fmt.Errorf("watching the network: %w", err)
	}
	last, err := s.outside(own())
	if err != nil {
		socket.Close()
		return nil, err
	}
	heard, changed := make(chan struct{}, 1), make(chan struct{}, 1)
	go func() {
		<-ctx.Done()
		socket.Close() // ends listen
	}()
	go listen(socket, heard)
	go func() {
		defer close(changed)
		for range heard {
			gather(ctx, heard)
			if now, err := s.outside(own()); err == nil && now != last {
				last = now
				poke(changed)
			}
		}
	}()
	return changed, nil
}

// listen pokes heard for each message until the socket is closed. What the
// kernel could not deliver is a message too.
func listen(socket *nl.NetlinkSocket, heard chan struct{}) {
	defer close(heard)
	for {
		_, _, err := socket.Receive()
		if err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
			return
		}
		poke(heard)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is waiting there already
	}
}

// gather waits for what comes along with a message, and takes it for one.
func gather(ctx context.Context, heard chan struct{}) {
	t := time.NewTimer(together)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	select {
	case <-heard:
	default:
	}
}

// outside is what a tunnel's outer connection rests on: the default routes of
// main, whether their links run, and the addresses of all links but our own.
// Routes and links of containers are left out, since they come and go.
func (s *system) outside(own []string) (string, error) {
	links, err := s.nl.LinkList()
	if err != nil {
		return "", fmt.Errorf("listing links: %w", err)
	}
	names, running := map[int]string{}, map[int]bool{}
	for _, l := range links {
		a := l.Attrs()
		if !slices.Contains(own, a.Name) {
			names[a.Index], running[a.Index] = a.Name, a.Flags&net.FlagRunning != 0
		}
	}
	var seen []string
	for _, f := range families {
		routes, err := s.nl.RouteList(nil, f.number())
		if err != nil && !noFamily(err) {
			return "", fmt.Errorf("listing routes: %w", err)
		}
		for _, r := range routes {
			if names[r.LinkIndex] != "" && prefix(r.Dst, f).Bits() == 0 {
				seen = append(seen, fmt.Sprint("route ", r.LinkIndex, running[r.LinkIndex], r.Gw, r.Priority))
			}
		}
	}
	all, err := s.nl.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return "", fmt.Errorf("listing addresses: %w", err)
	}
	for _, a := range all {
		if ip, ok := netip.AddrFromSlice(a.IP); ok && names[a.LinkIndex] != "" && settled(ip, a.Flags) {
			seen = append(seen, fmt.Sprint("address ", a.LinkIndex, ip.Unmap()))
		}
	}
	slices.Sort(seen)
	return strings.Join(seen, "\n"), nil
}

// settled leaves out addresses that nobody connects from, or not yet.
func settled(a netip.Addr, flags int) bool {
	return !a.IsLinkLocalUnicast() && !a.IsLoopback() && flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0
}
