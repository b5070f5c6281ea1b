package sslvpn

import (
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	readSpace   = 128 << 10 // decrypted bytes per batch to the device
	maxRecord   = 16384
	lingerLimit = 2 * time.Second // for the last control frames
)

// stream is one TLS connection that carried CONNECT: the CSTP channel, and
// control of the DTLS one. Its reader is the connection's own goroutine, its
// writer another.
type stream struct {
	client  *client
	number  uint64
	conn    *batchConn
	tls     *tls.Conn
	out     *outQueue
	tlsPath *path
	link    *link // nil without DTLS

	finishing atomic.Bool
	done      chan struct{} // closed when the reader has ended
	unlinked  sync.Once
}

func newStream(c *client, conn *batchConn, t *tls.Conn) *stream {
	st := &stream{client: c, conn: conn, tls: t, out: newOutQueue(), done: make(chan struct{})}
	st.tlsPath = &path{channel: session.TLS, stream: st, head: openconnect.HeaderLen}
	if c.rec.Linux && c.server.Load().spec.LargeSegments {
		st.tlsPath.widest = openconnect.MaxPayload
	}
	return st
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

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readSpace); return &b }}

// read moves packets from the connection to the device, a batch of records at
// a time. The large buffer is held only while there is something to read.
func (st *stream) read() {
	queues := st.client.server.Load().gateway.queues
	r := streamReader{st: st, device: tun.NewWriter(queues[int(st.number)%len(queues)])}
	for {
		if st.conn.wait() != nil {
			return
		}
		buf := readBuffers.Get().(*[]byte)
		n, err := r.fill(*buf)
		more := r.deliver((*buf)[:n])
		readBuffers.Put(buf)
		if err != nil || !more {
			return
		}
	}
}

// streamReader is the state of the reading goroutine.
type streamReader struct {
	st      *stream
	device  *tun.Writer
	parser  openconnect.Parser
	packets [][]byte
	bytes   int
}

// fill decrypts the records that are there, as far as buf has room.
func (r *streamReader) fill(buf []byte) (int, error) {
	n := 0
	for {
		k, err := r.st.tls.Read(buf[n:])
		n += k
		if err != nil || len(buf)-n < maxRecord || !r.st.conn.record() {
			return n, err
		}
	}
}

// deliver takes the frames of b; false when the stream makes no sense.
func (r *streamReader) deliver(b []byte) bool {
	c := r.st.client
	srv, now := c.server.Load(), c.svc.cfg.Clock.Now()
	c.heardTLS.Store(now.UnixNano())
	r.packets, r.bytes = r.packets[:0], 0
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
		if f.Type != openconnect.TypeData {
			c.step(session.Event{Kind: session.Frame, Channel: session.TLS, Type: f.Type, Payload: f.Payload})
		} else if srv.filter.FromClient(f.Payload, holder) {
			r.packets = append(r.packets, f.Payload)
			r.bytes += len(f.Payload)
		}
	}
	r.flush(srv, now)
	return true
}

func (r *streamReader) flush(srv *server, now time.Time) {
	if len(r.packets) == 0 {
		return
	}
	c := r.st.client
	c.received(session.TLS, len(r.packets), r.bytes, now)
	if wait := max(c.up.Reserve(now, r.bytes), srv.gateway.up.Reserve(now, r.bytes)); wait > 0 {
		r.st.pause(wait) // TCP holds the client back meanwhile
	}
	if err := r.device.Write(r.packets); err != nil {
		c.svc.cfg.Log.Debug("writing to the tunnel device", "gateway", srv.gateway.id, "error", err)
	}
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
	w.shape(c)
	w.st.client.sent(len(c.items), c.bytes)
	if c.path.channel == session.DTLS {
		return w.dtlsWriter(c.path).send(c)
	}
	return w.sendTLS(c)
}

func (w *streamWriter) shape(c *chunk) {
	cl := w.st.client
	now := cl.svc.cfg.Clock.Now()
	wait := max(cl.down.Reserve(now, c.bytes), cl.server.Load().gateway.down.Reserve(now, c.bytes))
	if wait > 0 {
		w.st.pause(wait)
	}
}

var writeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, flushAt+2*maxRecord); return &b }}

// sendTLS seals each packet as one record and sends all of them at once.
func (w *streamWriter) sendTLS(c *chunk) error {
	st := w.st
	buf := writeBuffers.Get().(*[]byte)
	st.conn.cork(*buf)
	var first error
	for _, it := range c.items {
		frame := c.buf[it.off-openconnect.HeaderLen : it.off+it.size]
		openconnect.PutHeader(frame, openconnect.TypeData, it.size)
		if _, err := st.tls.Write(frame); err != nil {
			first = err
			break
		}
	}
	out, err := st.conn.flush()
	*buf = out[:0]
	writeBuffers.Put(buf)
	if first == nil {
		first = err
	}
	return first
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
