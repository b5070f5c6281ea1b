//go:build !linux

package netio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/fdwait"
)

// Systems without batches have one datagram per call, by package net. Untested
// there: it is only built.

const (
	bufferSize  = 65535   // one datagram
	socketSpace = 4 << 20 // receive and send buffers
)

// Socket is one UDP port for any number of peers. Any number of goroutines
// send, each with its own Sender; one receives.
type Socket struct {
	conn *net.UDPConn
	at   netip.AddrPort
	gso  atomic.Bool // never: each datagram goes by itself
}

// ListenUDP opens a port. A zero port is the system's choice.
func ListenUDP(at netip.AddrPort) (*Socket, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { forbidFragments(fd, at.Addr().Is6()) })
	}}
	c, err := lc.ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, fmt.Errorf("binding to %s: %w", at, err)
	}
	conn, ok := c.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("binding to %s: %T is no UDP port", at, c), c.Close())
	}
	_, _ = conn.SetReadBuffer(socketSpace), conn.SetWriteBuffer(socketSpace) // smaller ones are slower, not wrong
	s := &Socket{conn: conn, at: at}
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		s.at = netip.AddrPortFrom(at.Addr(), a.AddrPort().Port())
	}
	return s, nil
}

// Mark is refused: routing by marks is Linux's.
func (s *Socket) Mark(uint32) error { return errors.ErrUnsupported }

// Close ends the port; what waits on it returns net.ErrClosed.
func (s *Socket) Close() error { return s.conn.Close() }

// LocalAddr is the address that the port is bound to.
func (s *Socket) LocalAddr() netip.AddrPort { return s.at }

// Reply sends one datagram outside the batches. It may be lost.
func (s *Socket) Reply(b []byte, to Endpoint) {
	_, _ = s.conn.WriteToUDPAddrPort(b, to.Peer) // the peer repeats what is lost
}

// Buffers receives a batch of Datagrams, here of one. It belongs to whoever
// holds it.
type Buffers struct {
	buf  []byte
	n    int
	from netip.AddrPort
}

// NewBuffers returns buffers for one batch.
func NewBuffers() *Buffers { return &Buffers{buf: make([]byte, bufferSize)} }

// At returns what message i of the last receive brought.
func (b *Buffers) At(int) Datagrams {
	return Datagrams{From: Endpoint{Peer: b.from}, Data: b.buf[:b.n], Size: max(b.n, 1)}
}

// Receiver waits for batches. It belongs to one goroutine.
type Receiver struct {
	// Deadline ends a Receive that waits with os.ErrDeadlineExceeded; zero is
	// never.
	Deadline time.Time

	s *Socket
}

// Receiver returns the port's receiver; there should be one.
func (s *Socket) Receiver() *Receiver { return &Receiver{s: s} }

// Receive waits for at least one datagram and returns the number of messages.
func (r *Receiver) Receive(b *Buffers) (int, error) {
	fdwait.Turn()
	if err := r.s.conn.SetReadDeadline(r.Deadline); err != nil {
		return 0, err
	}
	for {
		n, from, err := r.s.conn.ReadFromUDPAddrPort(b.buf)
		if again(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		b.n, b.from = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		return 1, nil
	}
}

// Sender sends runs of Datagrams to one peer. It belongs to one goroutine.
type Sender struct {
	s     *Socket
	parts [][]byte
	sizes []int
	peers []netip.AddrPort
}

// Sender returns a sender of its own for one goroutine.
func (s *Socket) Sender() *Sender { return &Sender{s: s} }

// Add prepares one message: datagrams of size each, contiguous in data,
// which stays the caller's until Send, as does to. It returns false when the batch is full.
func (w *Sender) Add(data []byte, size int, to *Endpoint) bool {
	if len(w.parts) == Messages {
		return false
	}
	w.parts, w.sizes, w.peers = append(w.parts, data), append(w.sizes, size), append(w.peers, to.Peer)
	return true
}

// Send sends the prepared messages. Datagrams may be lost; net.ErrClosed after the
// port was closed.
func (w *Sender) Send() error {
	var closed error
	for i, data := range w.parts {
		for d := range slices.Chunk(data, max(w.sizes[i], 1)) {
			if _, err := w.s.conn.WriteToUDPAddrPort(d, w.peers[i]); errors.Is(err, net.ErrClosed) {
				closed = net.ErrClosed
			}
		}
	}
	clear(w.parts)
	w.parts, w.sizes, w.peers = w.parts[:0], w.sizes[:0], w.peers[:0]
	return closed
}
