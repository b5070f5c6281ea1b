package sslvpn

import (
	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// write moves queued packets and control frames to the client until the stream
// ends.
func (st *stream) write() {
	w := streamWriter{st: st, ticket: newPass()}
	for {
		notes, c, ok := st.out.take()
		if !ok && st.finishing.Load() {
			closeWrite(st.conn.Conn)
			<-st.done
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
		w.part, rest = rest.Split(w.pacer().turnOf(w.st.client.sslClient))
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

func (w *streamWriter) pacer() *downPacer { return w.st.client.server.Load().gateway.downPacer }

// wait waits for the turn of w.part. Control frames do not wait with it; false
// when the stream ends meanwhile.
func (w *streamWriter) wait() (bool, error) {
	cl := w.st.client
	g := w.pacer()
	g.ask(cl.sslClient, w.ticket, w.part.Bytes)
	for {
		select {
		case <-w.ticket.granted:
			return true, nil
		case <-g.g.stop: // another one takes its place
			g.withdraw(cl.sslClient, w.ticket)
			return true, nil
		case <-w.st.done:
			g.withdraw(cl.sslClient, w.ticket)
			return false, nil
		case <-w.st.out.wake:
			if err := w.between(); err != nil || w.st.finishing.Load() {
				g.withdraw(cl.sslClient, w.ticket)
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
