package client

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// pump takes frames of one queue of the device and sends their packets: by DTLS
// itself, by TLS through the sender.
func (s *Session) pump(q tun.Queue) error {
	buf, frames := make([]byte, tun.BatchSize), make([][]byte, 0, tun.BatchFrames)
	w := dtlsWriter{}
	for {
		var err error
		if frames, err = q.ReadFrames(buf, frames); err != nil {
			return err
		}
		if u := s.dtls.Load(); u != nil {
			err = w.send(u, frames)
		} else {
			err = s.pumpTLS(frames)
		}
		if err != nil {
			return err
		}
	}
}

// dtlsWriter is a pump's own way to one association.
type dtlsWriter struct {
	side   *udpSide
	sealer *dtls.Sealer
	burst  *netio.Burst
	seg    tun.Segments
}

// send seals the packets of frames and sends them. What cannot be sent is lost;
// only used up sequence numbers are an error.
func (w *dtlsWriter) send(u *udpSide, frames [][]byte) error {
	if w.side != u {
		w.side, w.sealer, w.burst = u, u.client.Association().Sealer.Fork(), netio.NewBurst(u.sock)
	}
	for _, f := range frames {
		if w.seg.Reset(f) != nil {
			continue
		}
		if err := w.burst.Add(w.sealer, &w.seg, u.to, false); errors.Is(err, dtls.ErrExhausted) {
			return err
		}
	}
	_ = w.burst.Flush() // a closed port is the receiver's to find
	return nil
}

// pumpTLS cuts frames into chunks for the sender. It waits for chunks to come
// back: then the system's own queue fills, and its senders slow down.
func (s *Session) pumpTLS(frames [][]byte) error {
	var seg tun.Segments
	var c *netio.Chunk
	var err error
	for _, f := range frames {
		if seg.Reset(f) != nil {
			continue
		}
		if c, err = s.fill(c, &seg); err != nil {
			return err
		}
	}
	if c != nil {
		s.full <- c
	}
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
	s.sentTLS.Store(time.Now().UnixNano())
	return s.c.tls.SendRecords(s.framing, c)
}

func (s *Session) sendNote(n note) error {
	if n.dtls != nil {
		return n.dtls.writer.Tell(n.typ, n.payload, n.dtls.to)
	}
	s.sentTLS.Store(time.Now().UnixNano())
	_, err := s.c.tls.Write(openconnect.AppendFrame(nil, n.typ, n.payload))
	return err
}

// tell queues a control frame; when too many wait, it is lost. It copies
// payload.
func (s *Session) tell(to *udpSide, typ byte, payload []byte) {
	select {
	case s.notes <- note{to, typ, append([]byte(nil), payload...)}:
	default:
	}
}

// read moves packets from the TLS connection to the device.
func (s *Session) read() error {
	buf := make([]byte, netio.ReadSpace)
	d := deviceWriter{Writer: tun.NewWriter(s.queues[0]), q: s.queues[0]}
	var parser openconnect.Parser
	for {
		if err := s.c.conn.WaitRecord(); err != nil {
			return err
		}
		n, err := s.c.tls.ReadRecords(buf)
		s.heardTLS.Store(time.Now().UnixNano())
		if err := s.frames(&d, &parser, buf[:n]); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// frames takes the frames of b.
func (s *Session) frames(d *deviceWriter, parser *openconnect.Parser, b []byte) error {
	d.packets, d.frames = d.packets[:0], d.frames[:0]
	for {
		f, rest, err := parser.Next(b)
		if errors.Is(err, openconnect.ErrMore) {
			break
		}
		if err != nil {
			return err
		}
		b = rest
		if err := s.frame(d, f); err != nil {
			return err
		}
	}
	d.flush()
	return nil
}

func (s *Session) frame(d *deviceWriter, f openconnect.Frame) error {
	switch f.Type {
	case openconnect.TypeData:
		d.packets = append(d.packets, f.Payload)
	case openconnect.TypeGSO:
		if s.framing.GSO && tun.CheckFrame(f.Payload) == nil {
			d.frames = append(d.frames, f.Payload)
		}
	case openconnect.TypeDPDRequest:
		s.tell(nil, openconnect.TypeDPDResponse, f.Payload)
	case openconnect.TypeDisconnect, openconnect.TypeTerminate:
		return ErrEnded
	}
	return nil
}

// deviceWriter collects packets of one read for the device.
type deviceWriter struct {
	*tun.Writer
	q       tun.Queue
	packets [][]byte
	frames  [][]byte // super-packets with their virtio-net header
}

// flush writes the packets. What the device refuses, such as a packet of a
// family that it has no address of, is lost.
func (d *deviceWriter) flush() {
	_ = d.Write(d.packets)
	for i := range d.frames {
		_ = d.q.WriteFrame(d.frames[i : i+1])
	}
}

// keep probes a silent server and keeps the way to it open, until ctx ends.
func (s *Session) keep(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return nil
		case now := <-t.C:
			if err := s.probe(now); err != nil {
				return err
			}
		}
	}
}

var (
	errSilent = errors.New("client: the server is silent")
	errOver   = errors.New("client: the session is over") // for a reason that was told before
)

func (s *Session) probe(now time.Time) error {
	since := func(at int64) time.Duration { return now.Sub(time.Unix(0, at)) }
	if dpd := s.tunnel.DPD; dpd > 0 {
		silent := since(s.heardTLS.Load())
		if silent > 2*dpd {
			return errSilent
		}
		if silent > dpd {
			s.tell(nil, openconnect.TypeDPDRequest, nil)
		}
	}
	if u, dpd := s.dtls.Load(), s.tunnel.DTLSDPD; u != nil && dpd > 0 {
		silent := since(s.heardDTLS.Load())
		if silent > 2*dpd {
			_ = u.sock.Close() // data goes by TLS until a new handshake
		} else if silent > dpd {
			s.tell(u, openconnect.TypeDPDRequest, nil)
		}
	}
	if k := s.tunnel.Keepalive; k > 0 && since(s.sentTLS.Load()) > k {
		s.tell(nil, openconnect.TypeKeepalive, nil)
	}
	return nil
}
