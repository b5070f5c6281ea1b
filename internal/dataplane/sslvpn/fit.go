package sslvpn

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// maxErrors is how many "too big" a pump sends in a second: a sender needs one.
const maxErrors = 100

// fitter is what a pump needs for packets that are longer than a client's
// tunnel takes, which is rare: the device's MTU is the server's.
type fitter struct {
	packet, frame []byte
	parts         [1][]byte // of a frame that is written
	fragments     tun.Fragments
	since         time.Time
	errors        int
}

// fit forwards the packets in seg, which are longer than mtu, in fragments, or
// tells their sender to make shorter ones.
func (p *pump) fit(c *liveSession, mtu int) {
	if p.fitter == nil {
		p.fitter = &fitter{packet: make([]byte, tun.MaxFrame), frame: make([]byte, tun.MaxFrame)}
	}
	f, seg := p.fitter, p.seg // seg is loaded anew for each fragment
	for n := seg.Next(f.packet); n > 0; n = seg.Next(f.packet) {
		if f.fragments.Reset(f.packet[:n], mtu) {
			p.cut(c)
		} else {
			p.tooBig(f.packet[:n], mtu)
		}
	}
}

// cut forwards a packet in fragments.
func (p *pump) cut(c *liveSession) {
	f := p.fitter
	for {
		clear(f.frame[:tun.HeaderLen])
		n := f.fragments.Next(f.frame[tun.HeaderLen:])
		if n == 0 {
			return
		}
		if p.seg.Reset(f.frame[:tun.HeaderLen+n]) == nil {
			p.forward(c)
		}
	}
}

// tooBig answers a packet that must not be cut.
func (p *pump) tooBig(packet []byte, mtu int) {
	p.g.tally.tooBig.Add(1)
	f, now := p.fitter, time.Now()
	if now.Sub(f.since) > time.Second {
		f.since, f.errors = now, 0
	}
	if f.errors >= maxErrors {
		return
	}
	n := tun.TooBig(f.frame, packet, mtu)
	if n == 0 {
		return
	}
	f.errors++
	f.parts[0] = f.frame[:n]
	if err := p.queue.WriteFrame(f.parts[:]); err != nil {
		p.g.log.Debug("answering a packet that is too big", "gateway", p.g.id, "error", err)
	}
}
