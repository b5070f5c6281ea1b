package netio

import (
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestALaneTakesWhatOnePeerSends, and the port's socket all else, also when the
// lane is gone.
func TestALaneTakesWhatOnePeerSends(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1"} {
		port, err := ListenUDP(netip.AddrPortFrom(netip.MustParseAddr(host), 0))
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		peer := func() *net.UDPConn {
			c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(port.LocalAddr()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		much, little := peer(), peer()
		lane, err := port.Lane(Endpoint{Peer: netip.MustParseAddrPort(much.LocalAddr().String())})
		if err != nil {
			t.Fatal(err)
		}
		sends := func(c *net.UDPConn, text string, to *Socket) {
			t.Helper()
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			r, b := to.Receiver(), NewBuffers()
			r.Deadline = time.Now().Add(waitLimit)
			n, err := r.Receive(b)
			if err != nil || n != 1 || string(b.At(0).Data) != text || b.At(0).From.Peer.String() != c.LocalAddr().String() {
				t.Fatalf("%s: got %d messages, %v", text, n, err)
			}
		}
		sends(much, "by the lane", lane)
		sends(little, "by the port", port)
		if err := lane.Close(); err != nil {
			t.Fatal(err)
		}
		sends(much, "after the lane", port)
	}
}

func TestCoalescedDatagramsAreCut(t *testing.T) {
	t.Parallel()
	ctl := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(ctl, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(ctl[8:], unix.SOL_UDP)
	binary.NativeEndian.PutUint32(ctl[12:], unix.UDP_GRO)
	binary.NativeEndian.PutUint16(ctl[16:], 1472)
	if got, _ := controls(ctl); got != 1472 {
		t.Errorf("got %d, want 1472", got)
	}
	for _, bad := range [][]byte{nil, ctl[:10], make([]byte, 32)} {
		if got, _ := controls(bad); got != 0 {
			t.Errorf("%x: got %d, want 0", bad, got)
		}
	}
}

// TestWhatADeviceCannotCutGoesByItself: EIO for a coalesced message loses nothing
// of it and ends coalescing; another error skips the message that has it.
func TestWhatADeviceCannotCutGoesByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen, local string
	}{{"127.0.0.1", ""}, {"0.0.0.0", "127.0.0.1"}, {"::", "::1"}} {
		port, err := ListenUDP(netip.AddrPortFrom(netip.MustParseAddr(c.listen), 0))
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		host := cmp.Or(c.local, c.listen)
		peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		_ = peer.SetReadDeadline(time.Now().Add(waitLimit))
		port.gso.Store(true)
		to := &Endpoint{Peer: netip.MustParseAddrPort(peer.LocalAddr().String())}
		if c.local != "" {
			to.Local = netip.MustParseAddr(c.local)
		}
		w := port.Sender()
		for _, text := range []string{"one", "many0many1many2!", "never", "a0b1c2d", "last"} {
			size := map[string]int{"many0many1many2!": 5, "a0b1c2d": 2}[text]
			if !w.Add([]byte(text), cmp.Or(size, len(text)), to) {
				t.Fatal("no room")
			}
		}
		w.push = func(fd int) { // a device that cannot segment, and once a refusal
			switch all := w.n; w.sent {
			case 1, 3:
				w.err = unix.EIO
			case 2:
				w.err = unix.EPERM
			default:
				w.n = w.sent + 1
				w.send(fd)
				w.n = all
			}
		}
		if err := w.Send(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		for _, want := range []string{"one", "many0", "many1", "many2", "!", "a0", "b1", "c2", "d", "last"} {
			n, from, err := peer.ReadFromUDPAddrPort(b)
			if err != nil || string(b[:n]) != want || from.Addr().Unmap().String() != host {
				t.Fatalf("%s: got %q from %s, %v, want %q", c.listen, b[:n], from, err, want)
			}
		}
		if port.gso.Load() {
			t.Errorf("%s: it goes on coalescing", c.listen)
		}
	}
}
