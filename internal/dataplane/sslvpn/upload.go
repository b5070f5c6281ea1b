package sslvpn

import "github.com/skybridge-cloud/skybridge/internal/tun"

// upload is one gateway's share of a received batch of datagrams: packets that
// passed its filter, in the batch's own buffers.
type upload struct {
	gateway *gateway
	packets [][]byte
	device  *tun.Writer
}

// uploads are the shares of a batch. They belong to one receiver, which writes
// them to the devices itself: handing them to another goroutine would put what
// one client sends much of in front of everybody's packets.
type uploads struct {
	of   []*upload
	used int
}

// share returns the share of a gateway, an empty one at first.
func (u *uploads) share(g *gateway) *upload {
	for _, s := range u.of[:u.used] {
		if s.gateway == g {
			return s
		}
	}
	if u.used == len(u.of) {
		u.of = append(u.of, &upload{device: tun.NewWriter(nil), packets: make([][]byte, 0, 256)})
	}
	s := u.of[u.used]
	s.gateway = g
	u.used++
	return s
}

// write gives the devices their packets. It never waits for a rate: what has a
// rate goes by the pacer. Which of a device's queues takes them changes nothing
// but who else may be writing to it.
func (u *uploads) write(queue int) {
	for _, s := range u.of[:u.used] {
		s.device.Reset(s.gateway.queues[queue%len(s.gateway.queues)])
		if err := s.device.Write(s.packets); err != nil {
			s.gateway.log.Debug("writing to the tunnel device", "gateway", s.gateway.id, "error", err)
		}
		clear(s.packets)
		s.gateway, s.packets = nil, s.packets[:0]
	}
	u.used = 0
}
