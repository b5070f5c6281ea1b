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
)

// udpSide is the UDP channel of a session.
type udpSide struct {
	sock   *netio.Socket
	to     *netio.Endpoint
	writer *netio.DTLSWriter // the sender's, once the handshake is done

	mu     sync.Mutex // of client, which timer and receiver share
	client *dtls.Client
	up     chan struct{} // closed when the handshake is done
}

// useDTLS makes the UDP channel and, when it fails, makes it again.
func (s *Session) useDTLS(wg *sync.WaitGroup) {
	for {
		_ = s.openDTLS(wg) // until then data goes by TLS
		select {
		case <-time.After(retryAfter):
		case <-s.done:
			return
		}
	}
}

// openDTLS runs one channel to its end.
func (s *Session) openDTLS(wg *sync.WaitGroup) error {
	u, err := s.dialUDP()
	if err != nil {
		return err
	}
	defer func() { _ = u.sock.Close() }()
	closed := make(chan error, 1)
	wg.Go(func() { closed <- s.receive(u) })
	if err := u.begin(s.done); err != nil {
		_ = u.sock.Close()
		return errors.Join(err, ignoreClosed(<-closed))
	}
	s.heardDTLS.Store(time.Now().UnixNano())
	s.dtls.Store(u)
	defer s.dtls.Store(nil)
	select {
	case err := <-closed:
		return err
	case <-s.done:
		_ = u.sock.Close()
		return errors.Join(net.ErrClosed, ignoreClosed(<-closed))
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
	sock, err := netio.ListenUDP(netip.AddrPortFrom(local, 0))
	if err != nil {
		return nil, err
	}
	return &udpSide{sock: sock, to: &netio.Endpoint{Peer: to}, client: c, up: make(chan struct{})}, nil
}

// NewDTLS returns the client of a handshake for the session's UDP channel. Run
// makes its own; others may run the channel themselves instead of Run.
func (s *Session) NewDTLS() (*dtls.Client, error) {
	return dtls.NewClient(dtls.ClientConfig{
		Mode: dtls.ModePSK, SessionID: s.tunnel.AppID, PSK: s.psk, ExtendedMasterSecret: true,
		Suites: []uint16{dtls.SuitePSKAES128GCM, dtls.SuitePSKAES256GCM, dtls.SuitePSKChaCha20},
	})
}

// Close ends the connection of a session that Run was not called for.
func (s *Session) Close() error { return s.c.conn.Close() }

var errHandshake = errors.New("client: no DTLS handshake")

// begin runs the handshake's timers until it is done.
func (u *udpSide) begin(done <-chan struct{}) error {
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
}

// receive opens datagrams and writes their packets to the device until the
// socket is closed or the server closes the channel.
func (s *Session) receive(u *udpSide) error {
	b := &batch{Buffers: netio.NewBuffers(), packets: make([][]byte, 0, 256)}
	w, r := tun.NewWriter(s.queues[0]), u.sock.Receiver()
	for {
		n, err := r.Receive(b.Buffers)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		b.packets = b.packets[:0]
		for i := range n {
			if err := s.datagrams(u, b, b.At(i)); err != nil {
				return err
			}
		}
		s.heardDTLS.Store(time.Now().UnixNano())
		_ = w.Write(b.packets) // what the device refuses is lost
	}
}

func (s *Session) datagrams(u *udpSide, b *batch, d netio.Datagrams) error {
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
		u.writer = netio.NewDTLSWriter(u.client.Association().Sealer, u.sock)
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
		s.tell(u, openconnect.TypeDPDResponse, f.Payload)
	}
}
