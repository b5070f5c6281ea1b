package client

import (
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// forward sends the packets of frames of the device: by DTLS itself, by TLS
// through the sender. An error means that the session is over or has to be.
func (s *Session) forward(w *dtlsWriter, frames [][]byte) error {
	if u := s.dtls.Load(); u != nil {
		return w.send(u, frames)
	}
	return s.pumpTLS(&w.seg, frames)
}

// dtlsWriter is a pump's own way to one association.
type dtlsWriter struct {
	side   *udpSide
	sealer *dtls.Sealer
	burst  *netio.Burst
	seg    tun.Segments
	tally  *tally
}

// send seals the packets of frames and sends them. What cannot be sent is lost;
// only used up sequence numbers are an error.
func (w *dtlsWriter) send(u *udpSide, frames [][]byte) error {
	if w.side != u {
		w.side, w.sealer, w.burst = u, u.client.Association().Sealer.Fork(), netio.NewBurst(u.sock)
	}
	packets, bytes := 0, 0
	for _, f := range frames {
		if w.seg.Reset(f) != nil {
			continue
		}
		packets, bytes = packets+w.seg.Left(), bytes+w.seg.Size()
		if err := w.burst.Add(w.sealer, &w.seg, u.to, false); errors.Is(err, dtls.ErrExhausted) {
			return err
		}
	}
	_ = w.burst.Flush() // a closed port is the receiver's to find
	w.tally.up(packets, bytes)
	return nil
}

// pumpTLS cuts frames into chunks for the sender. It waits for chunks to come
// back: then the system's own queue fills, and its senders slow down.
func (s *Session) pumpTLS(seg *tun.Segments, frames [][]byte) error {
	var c *netio.Chunk
	var err error
	packets, bytes := 0, 0
	for _, f := range frames {
		if seg.Reset(f) != nil {
			continue
		}
		packets, bytes = packets+seg.Left(), bytes+seg.Size()
		if c, err = s.fill(c, seg); err != nil {
			return err
		}
	}
	if c != nil {
		s.full <- c
	}
	s.wires.tally.up(packets, bytes)
	return nil
}

// fill lays the packets of seg out in c, and in further chunks when that is
// full. It returns the last one.
func (s *Session) fill(c *netio.Chunk, seg *tun.Segments) (*netio.Chunk, error) {
	for {
		if c == nil {
			select {
			case c = <-s.free:
			case <-s.done:
				return nil, errOver
			}
			c.Reset()
		}
		if s.framing.Fill(c, seg) || len(c.Items) == 0 { // what an empty chunk does not hold is dropped
			return c, nil
		}
		s.full <- c
		c = nil
	}
}

var errOver = errors.New("client: the session is over") // for a reason that was told before

// send sends chunks by TLS, and control frames each the way it was made for.
func (s *Session) send() error {
	for {
		var err error
		select {
		case c := <-s.full:
			err = s.sendChunk(c)
			s.free <- c
		case n := <-s.notes:
			err = s.sendNote(n)
		case <-s.done:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *Session) sendChunk(c *netio.Chunk) error {
	if len(c.Items) == 0 {
		return nil
	}
	s.sentTLS.Store(int64(s.now()))
	return s.c.tls.SendRecords(s.framing, c)
}

func (s *Session) sendNote(n note) error {
	if n.left != nil {
		defer close(n.left)
	}
	now := s.now()
	if n.dtls != nil {
		n.dtls.watch.leaves(n.typ, now)
		return n.dtls.writer.Tell(n.typ, n.payload, n.dtls.to)
	}
	s.watch.leaves(n.typ, now)
	s.sentTLS.Store(int64(now))
	_, err := s.c.tls.Write(openconnect.AppendFrame(nil, n.typ, n.payload))
	return err
}

// tell queues a control frame; when too many wait, it is lost. It copies
// payload.
func (s *Session) tell(to *udpSide, typ byte, payload []byte) {
	select {
	case s.notes <- note{dtls: to, typ: typ, payload: append([]byte(nil), payload...)}:
	default:
	}
}
