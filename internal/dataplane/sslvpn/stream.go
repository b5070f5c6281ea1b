package sslvpn

import (
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	lingerLimit = 2 * time.Second // for the last control frames
)

// stream is one TLS connection that carried CONNECT: the CSTP channel, and
// control of the DTLS one. Its reader is the connection's own goroutine, its
// writer another.
type stream struct {
	client  *client
	number  uint64
	conn    *netio.Conn
	tls     *tls.Conn
	out     *outQueue
	tlsPath *path
	link    *link // nil without DTLS

	finishing atomic.Bool
	done      chan struct{} // closed when the reader has ended
	unlinked  sync.Once
}

func newStream(c *client, conn *netio.Conn, t *tls.Conn) *stream {
	st := &stream{client: c, conn: conn, tls: t, out: newOutQueue(c.chunkLimit), done: make(chan struct{})}
	st.tlsPath = &path{channel: session.TLS, stream: st}
	if c.rec.Linux && c.server.Load().spec.LargeSegments {
		st.tlsPath.framing.Widest = openconnect.MaxPayload
	}
	return st
}

// extend takes extensions into use that the client asked for. Before, and
// without, the client is a stock one.
func (st *stream) extend(extensions []string) {
	f := &st.tlsPath.framing
	f.GSO = slices.Contains(extensions, openconnect.ExtGSO)
	f.Coalesce = slices.Contains(extensions, openconnect.ExtCoalesce)
	if f.GSO {
		f.Widest = 0 // the client's kernel cuts segments to their own size
	}
}

// finish closes the connection after what is queued for it.
func (st *stream) finish() {
	st.finishing.Store(true)
	st.out.signal()
	time.AfterFunc(lingerLimit, func() { _ = st.conn.Close() })
}

// unlink makes the DTLS side of the stream unreachable for good.
func (st *stream) unlink() {
	st.unlinked.Do(func() {
		if st.link != nil {
			st.link.remove()
		}
	})
}

// run reads until the connection ends. The session was attached, and the
// CONNECT answer sent.
func (st *stream) run() {
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		defer func() { _ = st.conn.Close() }() // without a writer there is no session
		defer st.client.svc.recovered("writer")
		st.write()
	}()
	st.read()
	close(st.done)
	_ = st.conn.Close()
	st.out.close()
	st.unlink()
	<-writer
	st.client.lost(st)
}

// readSpace is what a batch of records needs on its way to the device. A stream
// has one only while there is something to read.
type readSpace struct {
	buf     []byte
	device  *tun.Writer
	packets [][]byte
	frames  [][]byte // super-packets with their virtio-net header
	bytes   int
}

var readSpaces = sync.Pool{New: func() any {
	return &readSpace{buf: make([]byte, netio.ReadSpace), device: tun.NewWriter(nil)}
}}

// read moves packets from the connection to the device, a batch of records at
// a time.
func (st *stream) read() {
	queues := st.client.server.Load().gateway.queues
	r := streamReader{st: st, queue: queues[int(st.number)%len(queues)], gso: st.tlsPath.framing.GSO}
	for {
		if st.conn.WaitRecord() != nil {
			return
		}
		r.readSpace, _ = readSpaces.Get().(*readSpace)
		r.device.Reset(r.queue)
		n, err := netio.ReadRecords(st.conn, st.tls, r.buf)
		more := r.deliver(r.buf[:n])
		readSpaces.Put(r.readSpace)
		r.readSpace = nil
		if err != nil || !more {
			return
		}
	}
}

// streamReader is the state of the reading goroutine.
type streamReader struct {
	*readSpace
	st     *stream
	queue  tun.Queue
	gso    bool // the client may send super-packets
	parser openconnect.Parser
}

// deliver takes the frames of b; false when the stream makes no sense.
func (r *streamReader) deliver(b []byte) bool {
	c := r.st.client
	if c.ended.Load() {
		return false
	}
	srv, now := c.server.Load(), c.svc.cfg.Clock.Now()
	c.heardTLS.Store(now.UnixNano())
	r.packets, r.frames, r.bytes = r.packets[:0], r.frames[:0], 0
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
			if srv.filter.FromClient(f.Payload, c.rec.Inner) {
				r.packets = append(r.packets, f.Payload)
				r.bytes += len(f.Payload)
			} else {
				c.svc.tally.notAllowedUp.Add(1)
			}
		case f.Type == openconnect.TypeGSO && r.gso:
			r.super(srv, f.Payload)
		default:
			c.step(session.Event{Kind: session.Frame, Channel: session.TLS, Type: f.Type, Payload: f.Payload})
		}
	}
	r.flush(srv, now)
	return true
}

// super takes a super-packet: first its header is held against the packet, then
// the packet against the rules.
func (r *streamReader) super(srv *server, frame []byte) {
	if tun.CheckFrame(frame) != nil || !srv.filter.FromClient(frame[tun.HeaderLen:], r.st.client.rec.Inner) {
		return
	}
	r.frames = append(r.frames, frame)
	r.bytes += len(frame) - tun.HeaderLen
}

func (r *streamReader) flush(srv *server, now time.Time) {
	if len(r.packets)+len(r.frames) == 0 {
		return
	}
	c := r.st.client
	c.received(session.TLS, len(r.packets)+len(r.frames), r.bytes, now)
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

// hold gives the packets to the pacer, and waits where it has no room: TCP holds
// the client back meanwhile.
func (r *streamReader) hold(srv *server, now time.Time) {
	c, p := r.st.client, srv.gateway.pacer
	for _, packet := range r.packets {
		for !p.put(c, packet, now) {
			if !r.st.await(p.waitFor(c)) {
				return
			}
			now = c.svc.cfg.Clock.Now()
		}
	}
	for i, frame := range r.frames {
		n := len(frame) - tun.HeaderLen
		r.st.pause(max(c.up.Reserve(now, n), srv.gateway.up.Reserve(now, n)))
		if err := r.queue.WriteFrame(r.frames[i : i+1]); err != nil {
			c.svc.cfg.Log.Debug("writing to the tunnel device", "gateway", srv.gateway.id, "error", err)
		}
	}
}

// await waits for a signal, at most for a moment, since the queue behind it may
// have gone; false when the stream ends.
func (st *stream) await(signal <-chan struct{}) bool {
	t := time.NewTimer(maxSojourn)
	defer t.Stop()
	select {
	case <-signal:
	case <-t.C:
	case <-st.done:
		return false
	case <-st.client.svc.ctx.Done():
		return false
	}
	return !st.client.ended.Load()
}

// pause waits for d, or until the stream ends.
func (st *stream) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-st.done:
	case <-st.client.svc.ctx.Done():
	}
}

// write moves queued packets and control frames to the client until the stream
// ends.
func (st *stream) write() {
	w := streamWriter{st: st}
	for {
		notes, c, ok := st.out.take()
		if !ok && st.finishing.Load() {
			_ = st.conn.Close()
			return
		}
		if !ok {
			select {
			case <-st.out.wake:
				continue
			case <-st.done:
				return
			}
		}
		if w.send(notes, c) != nil {
			_ = st.conn.Close() // the reader sees it and ends the stream
			return
		}
	}
}

// streamWriter is the state of the writing goroutine.
type streamWriter struct {
	st      *stream
	scratch []byte
	dtls    *dtlsWriter // for the association of the last chunk
}

func (w *streamWriter) send(notes []note, c *chunk) error {
	var err error
	for _, n := range notes {
		err = w.tell(n)
	}
	if c == nil || err != nil {
		return err
	}
	defer c.release()
	if ok, err := w.shape(c); !ok {
		return err
	}
	w.st.client.sent(len(c.Items), c.Bytes)
	if c.path.channel == session.DTLS {
		return w.dtlsWriter(c.path).send(c)
	}
	return c.path.framing.SendRecords(w.st.conn, w.st.tls, &c.Chunk)
}

// shape waits until a chunk may pass. Control frames do not wait with it; false
// when the stream ends meanwhile.
func (w *streamWriter) shape(c *chunk) (bool, error) {
	cl := w.st.client
	now := cl.svc.cfg.Clock.Now()
	wait := max(cl.down.Reserve(now, c.Bytes), cl.server.Load().gateway.down.Reserve(now, c.Bytes))
	if wait <= 0 {
		return true, nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true, nil
		case <-w.st.done:
			return false, nil
		case <-cl.svc.ctx.Done():
			return false, nil
		case <-w.st.out.wake:
			for _, n := range w.st.out.takeNotes() {
				if err := w.tell(n); err != nil {
					return false, err
				}
			}
			if w.st.finishing.Load() {
				return false, nil
			}
		}
	}
}

// tell sends a control frame. On DTLS it is one datagram, lost if there is no
// association any more.
func (w *streamWriter) tell(n note) error {
	if n.channel != session.DTLS {
		w.scratch = openconnect.AppendFrame(w.scratch[:0], n.typ, n.payload)
		_, err := w.st.tls.Write(w.scratch)
		return err
	}
	if w.st.link == nil {
		return nil
	}
	p := w.st.link.path.Load()
	if p == nil {
		return nil
	}
	return w.dtlsWriter(p).tell(n)
}

func (w *streamWriter) dtlsWriter(p *path) *dtlsWriter {
	if w.dtls == nil || w.dtls.path != p {
		w.dtls = newDTLSWriter(p)
	}
	return w.dtls
}
