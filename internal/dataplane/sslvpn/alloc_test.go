//go:build !race

// Under the race detector sync.Pool drops at random: counts would say nothing.

package sslvpn

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// sink is a net.Conn that takes everything.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// theClient returns the only session's client with its stream.
func (r *rig) theClient() (*client, *stream) {
	r.t.Helper()
	c := r.svc.all()[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.stream
}

// detour builds a second, unused stream of the session, whose writer is the
// test's own.
func detour(c *client, conn net.Conn, t *tls.Conn, p *path) (*stream, *path) {
	st := newStream(c, netio.NewConn(conn), t)
	if p == nil {
		return st, st.tlsPath
	}
	own := *p
	own.stream = st
	return st, &own
}

func TestPathToTheClientDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	c, live := r.theClient()
	original := superFrame()
	frame := bytes.Clone(original)
	p := &pump{g: c.server.Load().gateway}
	deliver := func() {
		copy(frame, original) // which the way before may have sealed in place
		if err := p.seg.Reset(frame); err != nil {
			t.Fatal(err)
		}
		p.deliver()
	}
	c.path.Store(live.link.path.Load())
	sent := c.packetsOut.Load()
	if n := testing.AllocsPerRun(100, func() { deliver(); p.flush() }); n != 0 {
		t.Errorf("dtls by the pump itself: got %v allocations for 40 packets, want 0", n)
	}
	if got := c.packetsOut.Load() - sent; got != 101*40 {
		t.Errorf("dtls by the pump itself: got %d packets sent, want %d", got, 101*40)
	}
	c.paced.Store(true) // the queue's way from here on
	measure := func(name string, st *stream, way *path) {
		w := streamWriter{st: st, ticket: newPass()}
		c.path.Store(way)
		n := testing.AllocsPerRun(100, func() {
			deliver()
			notes, ch, ok := st.out.take()
			if !ok || len(ch.Items) != 40 {
				t.Fatalf("%s: got no chunk of 40 packets", name)
			}
			if err := w.send(notes, ch); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: got %v allocations for 40 packets, want 0", name, n)
		}
	}
	st, way := detour(c, sink{}, nil, live.link.path.Load())
	measure("dtls", st, way)

	a, b := net.Pipe()
	go func() {
		_ = tls.Server(b, &tls.Config{Certificates: []tls.Certificate{*r.certs["sslsrv-1"]}}).Handshake()
	}()
	cut := &switchable{Conn: a}
	conn := netio.NewConn(cut)
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	cut.off = true
	st, way = detour(c, sink{}, client, nil)
	st.conn = conn
	measure("tls", st, way)
}

// switchable takes everything itself once it is off.
type switchable struct {
	net.Conn
	off bool
}

func (s *switchable) Write(p []byte) (int, error) {
	if s.off {
		return len(p), nil
	}
	return s.Conn.Write(p)
}

func TestPathFromTheClientDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	_ = r.queue.Close() // another device takes its place
	r.device = tuntest.Discard()
	r.apply()
	const runs = 20
	packet := udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1300))
	var sealed [][]byte
	for range (runs + 1) * netio.Messages {
		sealed = append(sealed, d.seal(openconnect.TypeData, packet))
	}
	from := netip.MustParseAddrPort(d.conn.LocalAddr().String())
	var port *udpPort
	r.svc.mu.RLock()
	for _, p := range r.svc.udp {
		port = p
	}
	r.svc.mu.RUnlock()
	free := make(chan *udpBatch, 1)
	b := &udpBatch{Buffers: netio.NewBuffers(), free: free}
	reader := &udpReader{port: port}
	n := testing.AllocsPerRun(runs, func() {
		for i := range netio.Messages {
			b.Load(i, sealed[0], from)
			sealed = sealed[1:]
		}
		reader.take(b, netio.Messages)
		b = <-free
	})
	if got := r.svc.Live()[0].PacketsIn; got != (runs+1)*netio.Messages {
		t.Errorf("got %d packets through, want %d", got, (runs+1)*netio.Messages)
	}
	if n != 0 {
		t.Errorf("got %v allocations for %d packets, want 0", n, netio.Messages)
	}
}

// TestPacedPathsDoNotAllocate: a rate costs a copy and a turn, no memory.
func TestPacedPathsDoNotAllocate(t *testing.T) {
	x, o := newPacing(0), pacedOwner(0)
	packet := data()
	var turn turn
	if n := testing.AllocsPerRun(100, func() {
		for range 40 {
			if !x.p.put(o, packet, x.now) {
				t.Fatal("no room")
			}
		}
		for x.p.holds(o) {
			x.p.next(x.now, &turn)
			for _, h := range turn.done {
				heldPool.Put(h)
			}
		}
	}); n != 0 {
		t.Errorf("up: got %v allocations for 40 packets, want 0", n)
	}
	g := newGate(x.p.g)
	p := newPass()
	if n := testing.AllocsPerRun(100, func() {
		g.ask(o, p, 1400)
		<-p.granted
	}); n != 0 {
		t.Errorf("down: got %v allocations a turn, want 0", n)
	}
}

// What decrypts is crypto/tls, which allocates a reader of 24 bytes for each
// record; from there on nothing does.
func TestPathFromTheClientByTLSDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	p := r.dial(nil)
	p.connect(p.login("ann"))
	_ = r.queue.Close() // another device takes its place
	r.device = tuntest.Discard()
	r.apply()
	c, st := r.theClient()
	var plain []byte
	const batch = 32
	for range batch {
		plain = openconnect.AppendFrame(plain, openconnect.TypeData, udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1300)))
		plain = openconnect.AppendFrame(plain, openconnect.TypeGSO, superFrameFrom("10.98.0.2", "10.77.0.2", 2))
	}
	reader := streamReader{st: st, queue: r.device, gso: true, readSpace: readSpaces.New().(*readSpace)}
	reader.device.Reset(r.device)
	before := c.packetsIn.Load()
	const runs = 50
	n := testing.AllocsPerRun(runs, func() {
		if !reader.deliver(plain) {
			t.Fatal("the frames make no sense")
		}
	})
	if got := c.packetsIn.Load() - before; got != (runs+1)*batch*2 {
		t.Errorf("got %d packets through, want %d", got, (runs+1)*batch*2)
	}
	if n != 0 {
		t.Errorf("got %v allocations for %d packets, want 0", n, batch*2)
	}
}
