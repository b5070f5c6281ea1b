package client

import (
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// read moves packets from the TLS connection to the device.
func (s *Session) read() error {
	d := newDeviceWriter(s.wires)
	err := s.frames(d, s.early)
	s.early = nil
	buf := make([]byte, netio.ReadSpace)
	for err == nil {
		err = s.readOnce(d, buf)
	}
	return err
}

// readOnce takes what one read brings.
func (s *Session) readOnce(d *deviceWriter, buf []byte) error {
	if err := s.c.conn.WaitRecord(); err != nil {
		return err
	}
	n, err := s.c.tls.ReadRecords(buf)
	s.watch.hear(s.now())
	if err := s.frames(d, buf[:n]); err != nil {
		return err
	}
	return err
}

// frames takes the frames of b.
func (s *Session) frames(d *deviceWriter, b []byte) error {
	d.packets, d.frames, d.size = d.packets[:0], d.frames[:0], len(b)
	for {
		f, rest, err := d.parser.Next(b)
		if errors.Is(err, openconnect.ErrMore) {
			break
		}
		if err != nil {
			return err
		}
		b = rest
		if err := s.frame(d, f); err != nil {
			d.flush() // what came before it
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
	case openconnect.TypeDPDResponse:
		s.watch.answered(s.now())
	case openconnect.TypeDisconnect:
		return &EndedError{Text: openconnect.Printable(openconnect.ParseDisconnect(f.Payload).Text)}
	case openconnect.TypeTerminate:
		return &EndedError{Text: openconnect.Printable(string(f.Payload))}
	}
	return nil
}

// deviceWriter collects packets of one read for the device.
type deviceWriter struct {
	*tun.Writer
	q       tun.Queue
	tally   *tally
	parser  openconnect.Parser
	packets [][]byte
	frames  [][]byte // super-packets with their virtio-net header
	size    int      // of what was read, frame headers included
}

func newDeviceWriter(w *wires) *deviceWriter {
	return &deviceWriter{Writer: tun.NewWriter(w.queues[0]), q: w.queues[0], tally: &w.tally}
}

// flush writes the packets. What the device refuses, such as a packet of a
// family that it has no address of, is lost.
func (d *deviceWriter) flush() {
	_ = d.Write(d.packets)
	packets := len(d.packets)
	bytes := d.size - openconnect.HeaderLen*packets - (openconnect.HeaderLen+tun.HeaderLen)*len(d.frames)
	for i, f := range d.frames {
		_ = d.q.WriteFrame(d.frames[i : i+1])
		packets += tun.Packets(f)
	}
	if packets > 0 {
		d.tally.down(packets, bytes)
	}
}
