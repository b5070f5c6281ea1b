package sslvpn

import (
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
	tls     *netio.TLS
	out     *outQueue
	tlsPath *path
	link    *link // nil without DTLS
	mtu     int   // that the client was told

	finishing atomic.Bool
	done      chan struct{} // closed when the reader has ended
	unlinked  sync.Once
}

func newStream(c *client, conn *netio.Conn, t *netio.TLS) *stream {
	st := &stream{client: c, conn: conn, tls: t, out: newOutQueue(c.chunkLimit), done: make(chan struct{})}
	st.out.lost = &c.svc.tally.queueDown
	st.tlsPath = &path{channel: session.TLS, stream: st, framing: t.Framing()}
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
	if c.ended.Load() {
		return false
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
	if tun.CheckFrame(frame) != nil || !srv.filter.FromClient(frame[tun.HeaderLen:], r.st.client.holder.Load()) {
		return
	}
	tun.ClampFrame(frame, int(r.st.client.mtu.Load()))
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
	c, p := r.st.client, srv.gateway.pacer
	if c.ended.Load() {
		return false
	}
	for !p.put(c.owner, packet, now) {
		if !r.await(p.waitFor(c.owner), srv.gateway.stop) {
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

// write moves queued packets and control frames to the client until the stream
// ends.
func (st *stream) write() {
	w := streamWriter{st: st, ticket: newPass()}
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
	part    netio.Chunk // of the chunk under way
	ticket  *pass       // for it
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
	if w.st.finishing.Load() || w.st.client.ended.Load() {
		return nil // nothing goes on after the end but its notes
	}
	if !w.st.client.pacesDown() {
		return w.pass(c, &c.Chunk)
	}
	for rest := c.Chunk; len(rest.Items) > 0; {
		w.part, rest = rest.Split(w.gate().turnOf(w.st.client.owner))
		if c.path.framing.GSO {
			w.part.Bytes -= len(w.part.Items) * tun.HeaderLen
		}
		if ok, err := w.wait(); !ok {
			return err
		}
		if err := w.pass(c, &w.part); err != nil {
			return err
		}
	}
	return nil
}

// pass sends packets of a chunk.
func (w *streamWriter) pass(c *chunk, part *netio.Chunk) error {
	w.st.client.sent(len(part.Items), part.Bytes, c.active)
	if c.path.channel == session.DTLS {
		return w.dtlsWriter(c.path).Send(part, c.path.out.peer.Load())
	}
	return w.st.tls.SendRecords(c.path.framing, part)
}

func (w *streamWriter) gate() *gate { return w.st.client.server.Load().gateway.gate }

// wait waits for the turn of w.part. Control frames do not wait with it; false
// when the stream ends meanwhile.
func (w *streamWriter) wait() (bool, error) {
	cl := w.st.client
	g := w.gate()
	g.ask(cl.owner, w.ticket, w.part.Bytes)
	for {
		select {
		case <-w.ticket.granted:
			return true, nil
		case <-g.g.stop: // another one takes its place
			g.withdraw(cl.owner, w.ticket)
			return true, nil
		case <-w.st.done:
			g.withdraw(cl.owner, w.ticket)
			return false, nil
		case <-w.st.out.wake:
			if err := w.between(); err != nil || w.st.finishing.Load() {
				g.withdraw(cl.owner, w.ticket)
				return false, err
			}
		}
	}
}

// between sends the control frames that came while packets wait.
func (w *streamWriter) between() error {
	for _, n := range w.st.out.takeNotes() {
		if err := w.tell(n); err != nil {
			return err
		}
	}
	return nil
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
