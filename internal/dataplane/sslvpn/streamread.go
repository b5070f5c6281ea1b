package sslvpn

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// readSpace is what a batch of records needs on its way to the device. A stream
// has one only while there is something to read.
type readSpace struct {
	buf     []byte
	device  *tun.Writer
	packets [][]byte
	frames  [][]byte // super-packets with their virtio-net header
	bytes   int
	active  bool // not all that came was chatter
	seg     tun.Segments
	cut     []byte // a packet of seg
}

var readSpaces = sync.Pool{New: func() any {
	return &readSpace{buf: make([]byte, netio.ReadSpace), device: tun.NewWriter(nil)}
}}

// read moves packets from the connection to the device, a batch of records at
// a time.
func (st *stream) read() {
	queues := st.client.server.Load().gateway.queues
	r := streamReader{st: st, queue: queues[int(st.number)%len(queues)], gso: st.tlsPath.framing.GSO}
	for r.next() {
	}
}

// streamReader is the state of the reading goroutine.
type streamReader struct {
	*readSpace
	st     *stream
	queue  tun.Queue
	gso    bool // the client may send super-packets
	parser openconnect.Parser
	timer  *time.Timer
}

// next takes the records that are there, and waits for the first; false when
// the stream ends.
func (r *streamReader) next() bool {
	if r.st.conn.WaitRecord() != nil {
		return false
	}
	r.readSpace, _ = readSpaces.Get().(*readSpace)
	r.device.Reset(r.queue)
	n, err := r.st.tls.ReadRecords(r.buf)
	more := r.deliver(r.buf[:n])
	readSpaces.Put(r.readSpace)
	r.readSpace = nil
	return err == nil && more
}

// deliver takes the frames of b; false when the stream makes no sense.
func (r *streamReader) deliver(b []byte) bool {
	c := r.st.client
	if c.ended.Load() { // what still comes is nobody's; the last words are under way
		r.st.linger()
		return true
	}
	srv, now := c.server.Load(), c.svc.cfg.Clock.Now()
	c.heardTLS.Store(now.UnixNano())
	r.packets, r.frames, r.bytes, r.active = r.packets[:0], r.frames[:0], 0, false
	holder := c.holder.Load()
	for {
		f, rest, err := r.parser.Next(b)
		if errors.Is(err, openconnect.ErrMore) {
			break
		}
		if err != nil {
			return false
		}
		b = rest
		switch {
		case f.Type == openconnect.TypeData:
			if srv.filter.FromClient(f.Payload, holder) {
				tun.ClampMSS(f.Payload, int(c.mtu.Load()))
				r.packets = append(r.packets, f.Payload)
				r.bytes += len(f.Payload)
				r.active = r.active || !isChatter(f.Payload)
			} else {
				c.svc.tally.notAllowedUp.Add(1)
			}
		case f.Type == openconnect.TypeGSO && r.gso:
			r.super(srv, f.Payload)
		default:
			c.step(session.Event{Kind: session.Frame, Conn: r.st.number, Channel: session.TLS, Type: f.Type, Payload: f.Payload})
		}
	}
	r.flush(srv, now)
	return true
}

// super takes a super-packet: first its header is held against the packet, then
// the packet against the rules.
func (r *streamReader) super(srv *server, frame []byte) {
	c := r.st.client
	if tun.CheckFrame(frame) != nil || !srv.filter.FromClient(frame[tun.HeaderLen:], c.holder.Load()) {
		c.svc.tally.notAllowedUp.Add(1)
		return
	}
	tun.ClampFrame(frame, int(c.mtu.Load()))
	r.frames = append(r.frames, frame)
	r.bytes += len(frame) - tun.HeaderLen
	r.active = true
}

func (r *streamReader) flush(srv *server, now time.Time) {
	if len(r.packets)+len(r.frames) == 0 {
		return
	}
	c := r.st.client
	c.received(session.TLS, len(r.packets)+len(r.frames), r.bytes, r.active, now)
	if c.holdsBack(srv.gateway) {
		r.hold(srv, now)
		return
	}
	err := r.device.Write(r.packets)
	for i := range r.frames {
		err = errors.Join(err, r.queue.WriteFrame(r.frames[i:i+1]))
	}
	if err != nil {
		c.svc.cfg.Log.Debug("writing to the tunnel device", "gateway", srv.gateway.id, "error", err)
	}
}

// hold gives the packets to the pacer, super-packets cut, since turns are small.
func (r *streamReader) hold(srv *server, now time.Time) {
	for _, packet := range r.packets {
		if !r.wait(srv, packet, now) {
			return
		}
	}
	for _, frame := range r.frames {
		if r.seg.Reset(frame) != nil {
			continue
		}
		r.cut = slices.Grow(r.cut[:0], r.seg.MaxLen())
		packet := r.cut[:r.seg.MaxLen()]
		for n := r.seg.Next(packet); n > 0; n = r.seg.Next(packet) {
			if !r.wait(srv, packet[:n], now) {
				return
			}
		}
	}
}

// wait gives one packet to the pacer when that has room: TCP holds the client
// back meanwhile. False when the stream ends.
func (r *streamReader) wait(srv *server, packet []byte, now time.Time) bool {
	c, p := r.st.client, srv.gateway.upPacer
	if c.ended.Load() {
		return false
	}
	for !p.put(c.sslClient, packet, now) {
		if !r.await(p.waitFor(c.sslClient), srv.gateway.stop) {
			return false
		}
		now = c.svc.cfg.Clock.Now()
	}
	return true
}

// await waits for a signal, at most for a moment, since the queue behind it may
// have gone; false when the stream ends.
func (r *streamReader) await(signal, stopped <-chan struct{}) bool {
	if r.timer == nil {
		r.timer = time.NewTimer(maxSojourn)
	}
	r.timer.Reset(maxSojourn)
	select {
	case <-signal:
	case <-r.timer.C:
	case <-r.st.done:
		return false
	case <-stopped:
		return false
	case <-r.st.client.svc.ctx.Done():
		return false
	}
	return !r.st.client.ended.Load()
}
