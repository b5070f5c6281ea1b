package client

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	handshakeLimit = 12 * time.Second
	retryAfter     = time.Minute
	againAfter     = time.Second // of a channel that was good
)

// udpSide is the UDP channel of a session.
type udpSide struct {
	sock   *netio.Socket
	to     *netio.Endpoint
	writer *netio.DTLSWriter // the sender's, once the handshake is done
	watch  watch
	echoes chan echo     // answers to probes of the path
	shaken time.Duration // how long the handshake took

	mu     sync.Mutex // of client, which timer and receiver share
	client *dtls.Client
	up     chan struct{} // closed when the handshake is done
}

// useDTLS makes the UDP channel and, when it fails, makes it again.
func (s *Session) useDTLS() {
	for {
		wait := retryAfter
		if used, _ := s.openDTLS(); used { // until then data goes by TLS
			wait = againAfter
		}
		select {
		case <-time.After(wait):
		case <-s.done:
			return
		}
	}
}

// openDTLS runs one channel to its end. Data goes by it when the path has shown
// what it carries; used tells whether it did.
func (s *Session) openDTLS() (used bool, err error) {
	u, err := s.dialUDP()
	if err != nil {
		return false, err
	}
	closed := make(chan error, 1)
	go func() { closed <- s.receive(u) }()
	if err = u.begin(s.done, s.now); err == nil {
		err = s.findMTU(u)
	}
	if err != nil {
		_ = u.sock.Close()
		return false, errors.Join(err, ignoreClosed(<-closed))
	}
	u.watch.hear(s.now())
	s.dtls.Store(u)
	poke(s.news)
	defer s.dtls.Store(nil)
	select {
	case err = <-closed:
		return true, errors.Join(err, ignoreClosed(u.sock.Close()))
	case <-s.done:
		_ = u.sock.Close()
		return true, ignoreClosed(<-closed)
	}
}

// ignoreClosed drops the error of a socket that we closed ourselves.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Session) dialUDP() (*udpSide, error) {
	to, err := s.server()
	if err != nil {
		return nil, err
	}
	local := netip.IPv4Unspecified()
	if to.Addr().Is6() {
		local = netip.IPv6Unspecified()
	}
	c, err := s.NewDTLS()
	if err != nil {
		return nil, err
	}
	if err := s.c.cfg.permitted(); err != nil {
		return nil, err
	}
	sock, err := netio.ListenUDP(netip.AddrPortFrom(local, 0))
	if err != nil {
		return nil, err
	}
	if mark := s.c.cfg.Mark; mark != 0 {
		if err := sock.Mark(mark); err != nil {
			return nil, errors.Join(err, sock.Close())
		}
	}
	return &udpSide{
		sock: sock, to: &netio.Endpoint{Peer: to}, client: c, up: make(chan struct{}), echoes: make(chan echo, echoesAhead),
	}, nil
}

// NewDTLS returns the client of a handshake for the session's UDP channel. A Link
// makes its own; others may run the channel themselves.
func (s *Session) NewDTLS() (*dtls.Client, error) {
	if s.tunnel.DTLSMode == openconnect.DTLSResume {
		return dtls.NewClient(dtls.ClientConfig{
			Mode: dtls.ModeResume, SessionID: s.tunnel.DTLSID, MasterSecret: s.master.Reveal(), Suite: s.tunnel.DTLSSuite,
		})
	}
	return dtls.NewClient(dtls.ClientConfig{
		Mode: dtls.ModePSK, SessionID: s.tunnel.DTLSID, PSK: s.psk, ExtendedMasterSecret: true,
		Suites: []uint16{dtls.SuitePSKAES128GCM, dtls.SuitePSKAES256GCM, dtls.SuitePSKChaCha20},
	})
}

var errHandshake = errors.New("client: no DTLS handshake")

// begin runs the handshake's timers until it is done.
func (u *udpSide) begin(done <-chan struct{}, now func() time.Duration) error {
	began := now()
	u.mu.Lock()
	flight, err := u.client.Start()
	u.mu.Unlock()
	if err != nil {
		return err
	}
	end := time.After(handshakeLimit)
	for {
		for _, b := range flight {
			u.sock.Reply(b, *u.to)
		}
		u.mu.Lock()
		wait := u.client.Timeout()
		u.mu.Unlock()
		select {
		case <-u.up:
			u.shaken = now() - began
			return nil
		case <-time.After(max(wait, time.Millisecond)):
		case <-end:
			return errHandshake
		case <-done:
			return net.ErrClosed
		}
		u.mu.Lock()
		flight = u.client.OnTimer()
		u.mu.Unlock()
	}
}

// batch is received datagrams on their way to the device.
type batch struct {
	*netio.Buffers
	packets [][]byte
	size    int  // of the datagrams
	around  int  // what a datagram has beside its packet
	alive   bool // something authentic came that is no packet
}

// receive opens datagrams and writes their packets to the device until the
// socket is closed or the server closes the channel.
func (s *Session) receive(u *udpSide) error {
	b := &batch{Buffers: netio.NewBuffers(), packets: make([][]byte, 0, 256)}
	w, r := tun.NewWriter(s.wires.queues[0]), u.sock.Receiver()
	for {
		n, err := r.Receive(b.Buffers)
		if err != nil {
			return err
		}
		b.packets, b.size, b.alive = b.packets[:0], 0, false
		for i := range n {
			if err := s.datagrams(u, b, b.At(i)); err != nil {
				return err
			}
		}
		if b.alive || len(b.packets) > 0 { // a stranger's datagrams are no sign of life
			u.watch.hear(s.now())
		}
		_ = w.Write(b.packets) // what the device refuses is lost
		if packets := len(b.packets); packets > 0 {
			s.wires.tally.down(packets, b.size-packets*b.around)
		}
	}
}

func (s *Session) datagrams(u *udpSide, b *batch, d netio.Datagrams) error {
	if d.From.Peer == u.to.Peer {
		b.size += len(d.Data)
	}
	for len(d.Data) > 0 && d.From.Peer == u.to.Peer {
		n := min(d.Size, len(d.Data))
		if err := s.datagram(u, b, d.Data[:n]); err != nil {
			return err
		}
		d.Data = d.Data[n:]
	}
	return nil
}

var errClosedByPeer = errors.New("client: the server closed the DTLS channel")

// datagram takes one datagram: data of the association without a lock, the
// rest through the handshake.
func (s *Session) datagram(u *udpSide, b *batch, d []byte) error {
	if a := u.client.Association(); a != nil && d[0] == dtls.TypeApplicationData {
		s.open(u, b, a.Opener, d)
		return nil
	}
	u.mu.Lock()
	res, err := u.client.Handle(d)
	if res.Established {
		sealer := u.client.Association().Sealer
		u.writer, b.around = netio.NewDTLSWriter(sealer, u.sock), sealer.Overhead()+1
		close(u.up)
	}
	u.mu.Unlock()
	for _, out := range res.Send {
		u.sock.Reply(out, *u.to)
	}
	for _, plain := range res.Data {
		s.plain(u, b, plain)
	}
	if res.Closed {
		return errClosedByPeer
	}
	return err
}

// open takes the records of a datagram.
func (s *Session) open(u *udpSide, b *batch, o *dtls.Opener, d []byte) {
	for len(d) > 0 {
		record, rest, err := dtls.NextRecord(d)
		if err != nil {
			return
		}
		d = rest
		typ, plain, _, err := o.Open(record)
		if err == nil && typ == dtls.TypeApplicationData {
			s.plain(u, b, plain)
		}
	}
}

func (s *Session) plain(u *udpSide, b *batch, plain []byte) {
	f, err := openconnect.SplitDatagram(plain)
	if err != nil {
		return
	}
	switch f.Type {
	case openconnect.TypeData:
		b.packets = append(b.packets, f.Payload)
	case openconnect.TypeDPDRequest:
		b.alive = true
		s.tell(u, openconnect.TypeDPDResponse, f.Payload)
	case openconnect.TypeDPDResponse:
		b.alive = true
		u.watch.answered(s.now())
		u.echo(f.Payload)
	}
}
