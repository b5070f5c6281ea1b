package netio

import (
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const (
	typeRoom = 1 // the type byte in front of each packet of a DTLS record
	// TagRoom is what the AEAD's tag needs behind each packet.
	TagRoom = 16
)

// DTLSRoom is what a sealer needs in front of each packet of a chunk.
func DTLSRoom(s *dtls.Sealer) int { return s.Headroom() + typeRoom }

// DTLSWriter seals chunks for one association and sends them. It belongs to one
// goroutine.
type DTLSWriter struct {
	sealer  *dtls.Sealer
	sock    *Socket
	sender  *Sender
	scratch []byte
}

// NewDTLSWriter returns a writer with a fork of s of its own.
func NewDTLSWriter(s *dtls.Sealer, sock *Socket) *DTLSWriter {
	return &DTLSWriter{sealer: s.Fork(), sock: sock, sender: sock.Sender()}
}

// Send seals a chunk in place and sends runs of equal records by one message
// each, all messages by one call. The packets need DTLSRoom bytes in front and
// TagRoom behind. dtls.ErrExhausted asks for a new tunnel.
func (w *DTLSWriter) Send(c *Chunk, to *Endpoint) error {
	seq, err := w.sealer.Reserve(len(c.Items))
	if err != nil {
		return err // a new tunnel starts a new sequence
	}
	head, gso := DTLSRoom(w.sealer), w.sock.gso.Load()
	start, size, end := 0, 0, 0 // the run under way
	count := 0
	for i, it := range c.Items {
		at := it.Off - head
		c.Buf[it.Off-typeRoom] = openconnect.TypeData
		rec := w.sealer.Seal(c.Buf[at:at], seq+uint64(i), dtls.TypeApplicationData, c.Buf[it.Off-typeRoom:it.Off+it.Size])
		n := len(rec)
		if count > 0 && (!gso || n > size || count == maxSegments || at+n-start > maxSend) {
			w.push(c.Buf[start:end], size, to)
			count = 0
		}
		if count == 0 {
			start, size = at, n
		}
		end, count = at+n, count+1
		if n < size { // a shorter one is the last of its run
			w.push(c.Buf[start:end], size, to)
			count = 0
		}
	}
	if count > 0 {
		w.push(c.Buf[start:end], size, to)
	}
	return w.sender.Send()
}

func (w *DTLSWriter) push(data []byte, size int, to *Endpoint) {
	if !w.sender.Add(data, size, to) {
		_ = w.sender.Send() // a closed port is found by the last send
		w.sender.Add(data, size, to)
	}
}

// Tell sends one control frame.
func (w *DTLSWriter) Tell(typ byte, payload []byte, to *Endpoint) error {
	seq, err := w.sealer.Reserve(1)
	if err != nil {
		return err
	}
	plain := append([]byte{typ}, payload...)
	w.scratch = w.sealer.Seal(w.scratch[:0], seq, dtls.TypeApplicationData, plain)
	w.push(w.scratch, len(w.scratch), to)
	return w.sender.Send()
}
