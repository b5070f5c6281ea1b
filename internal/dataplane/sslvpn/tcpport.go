package sslvpn

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	keepAlive = 60 * time.Second
	// notSentLowat keeps what waits in the kernel of a slow client short.
	notSentLowat = 256 << 10
)

// tcpPort is one TCP port of the node. Servers share it; SNI chooses.
type tcpPort struct {
	svc *Service
	l   net.Listener
}

func (p *tcpPort) close() error { return p.l.Close() }

func (p *tcpPort) accept() {
	for {
		c, err := p.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			p.svc.cfg.Log.Warn("accepting a connection", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-p.svc.ctx.Done():
				return
			}
			continue
		}
		p.svc.wg.Go(func() { p.svc.serve(c) })
	}
}

func tuneTCP(c net.Conn) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	_ = t.SetNoDelay(true)
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive / 4, Count: 4})
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowat)
	})
}

// closeWrite ends one half of a connection, or all of it where there are no halves.
func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok && t.CloseWrite() == nil {
		return
	}
	_ = c.Close()
}

// pathMTU is the largest packet on the way to a connection's peer as far as the
// kernel knows it; 0 when it does not say.
func pathMTU(c net.Conn) int {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return 0
	}
	mtu := 0
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			mtu = int(info.Pmtu)
		}
	})
	return mtu
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
