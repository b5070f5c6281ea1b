package sslvpn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// listen opens the ports that gateways need and closes the others.
func (s *Service) listen(gateways []Gateway) map[string]error {
	problems := map[string]error{}
	wantTCP, wantUDP := map[netip.AddrPort]bool{}, map[netip.AddrPort]bool{}
	for _, g := range gateways {
		for _, srv := range g.Spec.SSLServers {
			for _, ip := range s.cfg.Listen {
				at := netip.AddrPortFrom(ip, uint16(srv.Port))
				wantTCP[at] = true
				err := s.openTCP(at)
				if srv.UDP {
					wantUDP[at] = true
					err = errors.Join(err, s.openUDP(at))
				}
				problems[g.Spec.ID] = errors.Join(problems[g.Spec.ID], err)
			}
		}
	}
	s.closePorts(wantTCP, wantUDP)
	return problems
}

func (s *Service) openTCP(at netip.AddrPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports[at] != nil {
		return nil
	}
	network := "tcp4"
	if at.Addr().Is6() {
		network = "tcp6"
	}
	l, err := net.Listen(network, at.String())
	if err != nil {
		return fmt.Errorf("listening on tcp %s: %w", at, err)
	}
	p := &tcpPort{svc: s, l: l}
	s.ports[at] = p
	s.wg.Go(p.accept)
	return nil
}

func (s *Service) openUDP(at netip.AddrPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.udp[at] != nil {
		return nil
	}
	p, err := s.newUDPPort(at)
	if err != nil {
		return fmt.Errorf("listening on udp %s: %w", at, err)
	}
	s.udp[at] = p
	return nil
}

func (s *Service) closePorts(wantTCP, wantUDP map[netip.AddrPort]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, p := range s.ports {
		if !wantTCP[at] {
			_ = p.close()
			delete(s.ports, at)
		}
	}
	for at, p := range s.udp {
		if !wantUDP[at] {
			_ = p.close()
			delete(s.udp, at)
		}
	}
}
