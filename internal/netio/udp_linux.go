package netio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/fdwait"
)

const (
	bufferSize  = 65535   // one coalesced datagram
	socketSpace = 7 << 20 // receive and send buffers
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// Socket is one UDP port for any number of peers. Any number of goroutines
// send, each with its own Sender; one receives.
type Socket struct {
	file *fdwait.File
	at   netip.AddrPort
	gso  atomic.Bool
}

// ListenUDP opens a port. A zero port is the system's choice.
func ListenUDP(at netip.AddrPort) (*Socket, error) { return open(at, netip.AddrPort{}) }

// Lane opens a second socket of a port for what one peer sends: the system
// brings it there, and to s all else. Datagrams of others may come by it as
// well in the moment that it is opened.
func (s *Socket) Lane(of Endpoint) (*Socket, error) {
	at := s.at
	if of.Local.IsValid() {
		at = netip.AddrPortFrom(of.Local, at.Port())
	}
	return open(at, of.Peer)
}

// open binds a socket and, with a valid peer, connects it.
func open(at, peer netip.AddrPort) (*Socket, error) {
	family := unix.AF_INET
	if at.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("making a socket: %w", err)
	}
	s := &Socket{at: at}
	s.setOptions(fd)
	if err := s.bind(fd, peer); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	if s.file, err = fdwait.New(fd); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return s, nil
}

// bind gives the socket its addresses. Sockets of this user may have one port
// together.
func (s *Socket) bind(fd int, peer netip.AddrPort) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("sharing a port: %w", err)
	}
	if err := unix.Bind(fd, sockaddr(s.at)); err != nil {
		return fmt.Errorf("binding to %s: %w", s.at, err)
	}
	if peer.IsValid() {
		if err := unix.Connect(fd, sockaddr(peer)); err != nil {
			return fmt.Errorf("connecting to a peer: %w", err)
		}
	}
	name, err := unix.Getsockname(fd)
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		s.at = netip.AddrPortFrom(s.at.Addr(), uint16(a.Port))
	case *unix.SockaddrInet6:
		s.at = netip.AddrPortFrom(s.at.Addr(), uint16(a.Port))
	}
	return err
}

// sockaddr is an address as system calls take it.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	out := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if i, err := net.InterfaceByName(a.Addr().Zone()); err == nil {
		out.ZoneId = uint32(i.Index)
	}
	return out
}

// setOptions asks for large buffers, DF (path MTU probes would lie without) and
// coalescing. A kernel that lacks one of them is slower, not wrong.
func (s *Socket) setOptions(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketSpace)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketSpace)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketSpace)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketSpace)
	v6, wild := s.at.Addr().Is6(), s.at.Addr().IsUnspecified() // wild: bound to no address of its own
	if v6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
	}
	if wild && v6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	} else if wild {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1)
	_, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	s.gso.Store(err == nil)
}

// Mark gives what the port sends a mark for the system's routing (SO_MARK).
func (s *Socket) Mark(mark uint32) error {
	var err error
	if e := s.file.Do(func(fd int) { err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)) }); e != nil {
		return e
	}
	return err
}

// Close ends the port; what waits on it returns net.ErrClosed.
func (s *Socket) Close() error { return s.file.Close() }

// LocalAddr is the address that the port is bound to.
func (s *Socket) LocalAddr() netip.AddrPort { return s.at }

// Reply sends one datagram outside the batches. It may be lost.
func (s *Socket) Reply(b []byte, to Endpoint) {
	var ctl [64]byte
	n := putLocal(ctl[:], to.Local)
	_ = s.file.Do(func(fd int) { // the peer repeats what is lost
		_, _ = unix.SendmsgN(fd, b, ctl[:n], sockaddr(to.Peer), unix.MSG_DONTWAIT)
	})
}

// Buffers receives a batch of Datagrams. Its buffers belong to whoever
// holds it.
type Buffers struct {
	hdrs  [Messages]mmsghdr
	names [Messages]unix.RawSockaddrInet6
	iovs  [Messages]unix.Iovec
	ctl   [Messages][64]byte
	bufs  [Messages][]byte
}

// NewBuffers returns buffers for one batch. The system gives them memory when
// they are first used.
func NewBuffers() *Buffers {
	b := &Buffers{}
	arena := make([]byte, Messages*(bufferSize+1))
	for i := range b.bufs {
		b.bufs[i] = arena[i*(bufferSize+1):][:bufferSize:bufferSize]
	}
	return b
}

func (b *Buffers) prepare() {
	for i := range b.hdrs {
		b.iovs[i].Base = &b.bufs[i][0]
		b.iovs[i].SetLen(bufferSize)
		h := &b.hdrs[i].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&b.names[i])), unix.SizeofSockaddrInet6
		h.Iov, h.Control = &b.iovs[i], &b.ctl[i][0]
		h.SetIovlen(1)
		h.SetControllen(len(b.ctl[i]))
	}
}

// Load makes message i of the batch look as if it had been received: for
// tests and generators of load.
func (b *Buffers) Load(i int, data []byte, from netip.AddrPort) {
	b.hdrs[i].n = uint32(copy(b.bufs[i], data))
	b.hdrs[i].hdr.SetControllen(0)
	putSockaddr(&b.names[i], from, from.Addr().Is6())
}

// At returns what message i of the last receive brought.
func (b *Buffers) At(i int) Datagrams {
	h := &b.hdrs[i]
	size, local := controls(b.ctl[i][:h.hdr.Controllen])
	if size == 0 {
		size = int(h.n)
	}
	return Datagrams{From: Endpoint{parseSockaddr(&b.names[i]), local}, Data: b.bufs[i][:h.n], Size: size}
}

// controls reads what the kernel says about a message: the size of coalesced
// Datagrams, and the local address they came to where the socket has none.
func controls(ctl []byte) (size int, local netip.Addr) {
	for len(ctl) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&ctl[0]))
		n := int(h.Len)
		if n < unix.SizeofCmsghdr || n > len(ctl) {
			break
		}
		data := ctl[unix.SizeofCmsghdr:n]
		switch {
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 2:
			size = int(binary.NativeEndian.Uint16(data))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			local = netip.AddrFrom4([4]byte(data[8:12])) // ipi_addr
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local = netip.AddrFrom16([16]byte(data[:16]))
		}
		ctl = ctl[min(unix.CmsgSpace(len(data)), len(ctl)):]
	}
	return size, local
}

// putLocal writes the control message that makes local the source address, and
// returns its space; 0 for an invalid address.
func putLocal(ctl []byte, local netip.Addr) int {
	if !local.IsValid() {
		return 0
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&ctl[0]))
	if local.Is4() {
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		data := ctl[unix.SizeofCmsghdr:][:unix.SizeofInet4Pktinfo]
		clear(data)
		a := local.As4()
		copy(data[4:], a[:]) // ipi_spec_dst
		return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	}
	h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
	data := ctl[unix.SizeofCmsghdr:][:unix.SizeofInet6Pktinfo]
	clear(data)
	a := local.As16()
	copy(data, a[:])
	return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
}

// putSegment writes the control message for a message of several Datagrams of
// size each, and returns its space.
func putSegment(ctl []byte, size int) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&ctl[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(ctl[unix.SizeofCmsghdr:], uint16(size))
	return unix.CmsgSpace(2)
}

// Receiver waits for batches. It belongs to one goroutine.
type Receiver struct {
	// Deadline ends a Receive that waits with os.ErrDeadlineExceeded; zero is
	// never.
	Deadline time.Time
	// Most is how many messages one Receive takes, 0 for all of Messages.
	Most int

	s     *Socket
	b     *Buffers
	n     int
	errno unix.Errno
	try   func(fd int)
}

// Receiver returns the port's receiver; there should be one.
func (s *Socket) Receiver() *Receiver {
	r := &Receiver{s: s}
	r.try = r.receive // bound once: a new method value would allocate per batch
	return r
}

// Receive waits for at least one datagram and returns the number of messages.
func (r *Receiver) Receive(b *Buffers) (int, error) {
	fdwait.Turn()
	b.prepare()
	r.b = b
	for {
		if err := r.s.file.Do(r.try); err != nil {
			return 0, err
		}
		switch r.errno {
		case 0:
			return r.n, nil
		case unix.EAGAIN:
			if err := r.s.file.Wait(r.Deadline); err != nil {
				return 0, err
			}
		case unix.EINTR:
		default:
			return 0, r.errno
		}
	}
}

func (r *Receiver) receive(fd int) {
	most := r.Most
	if most == 0 {
		most = Messages
	}
	n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.b.hdrs[0])), uintptr(most), unix.MSG_DONTWAIT, 0, 0)
	r.n, r.errno = int(n), e
}

// Sender sends runs of Datagrams to one peer. It belongs to one goroutine.
type Sender struct {
	s     *Socket
	hdrs  [Messages]mmsghdr
	iovs  [Messages]unix.Iovec
	ctl   [Messages][64]byte
	names [Messages]unix.RawSockaddrInet6
	sizes [Messages]int // of a datagram
	peers [Messages]*Endpoint
	n     int // messages prepared
	sent  int
	err   unix.Errno
	alone *Sender // for datagrams that the device could not cut; nil until then
	push  func(fd int)
	drain func(fd int)
}

// Sender returns a sender of its own for one goroutine.
func (s *Socket) Sender() *Sender {
	w := &Sender{s: s}
	w.push, w.drain = w.send, w.await
	return w
}

// Add prepares one message: datagrams of size each, contiguous in data,
// which stays the caller's until Send, as does to. It returns false when the batch is full.
func (w *Sender) Add(data []byte, size int, to *Endpoint) bool {
	if w.n == Messages {
		return false
	}
	i := w.n
	w.n++
	w.sizes[i], w.peers[i] = size, to
	w.iovs[i].Base = &data[0]
	w.iovs[i].SetLen(len(data))
	h := &w.hdrs[i].hdr
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&w.names[i])), putSockaddr(&w.names[i], to.Peer, w.s.at.Addr().Is6())
	h.Iov = &w.iovs[i]
	h.SetIovlen(1)
	c := &w.ctl[i]
	n := putLocal(c[:], to.Local)
	if len(data) > size {
		n += putSegment(c[n:], size)
	}
	h.Control = nil
	if n > 0 {
		h.Control = &c[0]
	}
	h.SetControllen(n)
	return true
}

// Send sends the prepared messages. Datagrams may be lost: a full socket is
// waited for, any other error skips the message that has it.
func (w *Sender) Send() error {
	w.sent = 0
	for w.sent < w.n {
		if err := w.s.file.Do(w.push); err != nil {
			w.n = 0
			return err
		}
		switch w.err {
		case 0, unix.EINTR:
		case unix.EAGAIN:
			_ = w.s.file.Do(w.drain) // the next round finds out what went wrong
		default:
			w.refused()
		}
	}
	w.n = 0
	return nil
}

// refused skips a message that the kernel does not take. EIO means that the
// device cannot segment: no coalescing from then on, and what is in the message
// goes by itself.
func (w *Sender) refused() {
	if w.err == unix.EIO {
		w.s.gso.Store(false)
		w.apart(w.sent)
	}
	w.sent++
}

// apart sends the datagrams of a message one by one, if there are several.
func (w *Sender) apart(i int) {
	data, size := unsafe.Slice(w.iovs[i].Base, w.iovs[i].Len), w.sizes[i]
	if len(data) <= size {
		return
	}
	if w.alone == nil {
		w.alone = w.s.Sender()
	}
	for part := range slices.Chunk(data, size) {
		if !w.alone.Add(part, len(part), w.peers[i]) {
			_ = w.alone.Send() // a closed port is found by the next send
			w.alone.Add(part, len(part), w.peers[i])
		}
	}
	_ = w.alone.Send()
}

func (w *Sender) send(fd int) {
	n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&w.hdrs[w.sent])), uintptr(w.n-w.sent), unix.MSG_DONTWAIT, 0, 0)
	w.err = e
	if e == 0 {
		w.sent += int(n)
	}
}

// fullLimit is how long to wait for a full socket before looking whether it was
// closed.
const fullLimit = 20 * time.Millisecond

// await waits until a full socket takes something.
func (w *Sender) await(fd int) {
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(fullLimit.Milliseconds()))
}

func parseSockaddr(sa *unix.RawSockaddrInet6) netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&sa.Port))[:])
	if sa.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), port)
}

func putSockaddr(sa *unix.RawSockaddrInet6, to netip.AddrPort, v6 bool) uint32 {
	*sa = unix.RawSockaddrInet6{}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&sa.Port))[:], to.Port())
	if !v6 {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		v4.Family, v4.Addr = unix.AF_INET, to.Addr().Unmap().As4()
		return unix.SizeofSockaddrInet4
	}
	sa.Family, sa.Addr = unix.AF_INET6, to.Addr().As16()
	return unix.SizeofSockaddrInet6
}
