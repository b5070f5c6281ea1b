package sslvpn

import (
	"errors"
	"net"
	"os"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// pump moves frames from one queue of the device towards the clients until the
// device is closed. For clients on DTLS without a rate it seals and sends
// itself, what a batch of frames brought by one call; for the others it fills
// their queues.
type pump struct {
	g      *gateway
	number int // of the queue
	queue  tun.Queue
	seg    tun.Segments
	fitter *fitter     // nil until a packet did not fit
	bursts []portBurst // of the ports that this pump has sent to
}

type portBurst struct {
	port  *udpPort
	burst *netio.Burst
}

func (p *pump) run(q tun.Queue) {
	p.queue = q
	buf, frames := make([]byte, tun.BatchSize), make([][]byte, 0, tun.BatchFrames)
	for {
		frames, err := q.ReadFrames(buf, frames)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			p.g.log.Warn("reading the tunnel device", "gateway", p.g.id, "error", err)
			if !p.g.pause() {
				return
			}
			continue
		}
		for _, f := range frames {
			if p.seg.Reset(f) == nil {
				p.deliver()
			}
		}
		p.flush()
	}
}

// deliver sends the frame in seg on its client's way.
func (p *pump) deliver() {
	packet := p.seg.Packet()
	_, dst, ok := filter.Addresses(packet)
	if !ok {
		return
	}
	c := p.g.table.find(dst)
	if c == nil || !c.holder.Load().Owns(dst) {
		p.g.tally.noSession.Add(1)
		return
	}
	if !c.server.Load().filter.ToClient(packet) {
		p.g.tally.notAllowedDown.Add(1)
		return
	}
	mtu := int(c.mtu.Load())
	tun.ClampMSS(packet, mtu)
	if p.seg.Narrow(mtu); p.seg.MaxLen() > mtu && mtu > 0 {
		p.fit(c, mtu)
		return
	}
	p.forward(c)
}

// forward gives the packets in seg to the client's channel.
func (p *pump) forward(c *liveSession) {
	way := c.path.Load()
	switch {
	case way == nil:
		p.g.tally.detached.Add(1)
	case way.out != nil && p.number < len(way.out.sealers) && !c.paced.Load() && !p.g.paced.Load():
		p.seal(c, way.out)
	case !way.stream.out.put(way, &p.seg):
		p.g.tally.queueDown.Add(1)
	}
}

// seal makes the frame records of an association. When the sequence numbers are
// used up, the client's next tunnel brings new ones.
func (p *pump) seal(c *liveSession, out *dtlsOut) {
	n, size, active := p.seg.Left(), p.seg.Size(), !isChatter(p.seg.Packet())
	if p.burst(out.port).Add(out.sealers[p.number], &p.seg, out.peer.Load(), out.small) != nil {
		return
	}
	c.sent(n, size, active)
}

func (p *pump) burst(port *udpPort) *netio.Burst {
	for _, b := range p.bursts {
		if b.port == port {
			return b.burst
		}
	}
	b := netio.NewBurst(port.sock)
	p.bursts = append(p.bursts, portBurst{port, b})
	return b
}

// flush sends what was sealed; ports that were closed are forgotten.
func (p *pump) flush() {
	for i := len(p.bursts) - 1; i >= 0; i-- {
		if err := p.bursts[i].burst.Flush(); errors.Is(err, net.ErrClosed) {
			p.bursts = slices.Delete(p.bursts, i, i+1)
		}
	}
}
