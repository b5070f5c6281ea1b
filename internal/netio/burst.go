package netio

import (
	"github.com/skybridge-cloud/skybridge/internal/fdwait"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// burstSize is the memory of a Burst: a few super-packets as records.
const burstSize = 320 << 10

// smallBurst is how many datagrams go at once to a peer whose socket has the
// kernel's default buffer of 212 KB, which 92 of them fill: a super-packet of
// TCP is 46.
const smallBurst = 16

// Burst seals packets for any number of peers and sends all of them by one
// call. It belongs to one goroutine.
//
// Packets are sealed from where they lie in their frame into the burst, so that
// no payload is copied besides.
type Burst struct {
	sock   *Socket
	sender *Sender
	buf    []byte
	used   int

	// The run of equal records under way is buf[start:used].
	to           *Endpoint
	start, count int
	size         int
}

// NewBurst returns an empty burst to sock.
func NewBurst(sock *Socket) *Burst {
	return &Burst{sock: sock, sender: sock.Sender(), buf: make([]byte, burstSize)}
}

// Add seals the packets of seg, which is used up, for the peer at to. s must
// belong to the caller (dtls.Sealer.Fork). Packets that find no room make the
// others go first. To a peer with a small socket they go in small bursts, between
// which other threads have their turn, the peer's reader among them where it runs
// on this machine. to must stay as it is until Flush.
func (b *Burst) Add(s *dtls.Sealer, seg *tun.Segments, to *Endpoint, small bool) error {
	seq, err := s.Reserve(seg.Left())
	if err != nil {
		return err // a new tunnel starts a new sequence
	}
	need := s.Overhead() + typeRoom + seg.MaxLen()
	n := 0
	if to == b.to {
		n = b.count
	}
	for ; ; n++ {
		p := seg.Take(typeRoom)
		if p == nil {
			return nil
		}
		if err := b.makeRoom(need, small && n > 0 && n%smallBurst == 0); err != nil {
			return err
		}
		p[0] = openconnect.TypeData
		rec := s.Seal(b.buf[b.used:b.used], seq, dtls.TypeApplicationData, p)
		seq++
		b.extend(len(rec), to)
	}
}

// makeRoom sends what there is if a record of n bytes has no place beside it, or
// if it is enough for now.
func (b *Burst) makeRoom(n int, enough bool) error {
	if !enough && b.used+n <= len(b.buf) {
		return nil
	}
	err := b.Flush()
	if enough {
		fdwait.Turn()
	}
	return err
}

// extend takes a record of n bytes, which was sealed at used, into the run
// under way, or begins another.
func (b *Burst) extend(n int, to *Endpoint) {
	if b.count > 0 && (to != b.to || n > b.size || b.count == maxSegments || b.used+n-b.start > maxSend || !b.sock.gso.Load()) {
		b.endRun()
	}
	if b.count == 0 {
		b.to, b.start, b.size = to, b.used, n
	}
	b.used, b.count = b.used+n, b.count+1
	if n < b.size { // a shorter one is the last of its run
		b.endRun()
	}
}

func (b *Burst) endRun() {
	if b.count == 0 {
		return
	}
	if !b.sender.Add(b.buf[b.start:b.used], b.size, b.to) {
		_ = b.sender.Send() // a closed port is found by Flush
		b.sender.Add(b.buf[b.start:b.used], b.size, b.to)
	}
	b.count = 0
}

// Flush sends what there is. Datagrams may be lost; net.ErrClosed after the
// port was closed.
func (b *Burst) Flush() error {
	b.endRun()
	b.used = 0
	return b.sender.Send()
}
