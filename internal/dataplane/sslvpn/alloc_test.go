//go:build !race

// Under the race detector sync.Pool drops at random: counts would say nothing.

package sslvpn

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// sink is a net.Conn that takes everything.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// detour builds a second, unused stream of the session, whose writer is the
// test's own.
func detour(c *liveSession, conn net.Conn, t *netio.TLS, p *path) (*stream, *path) {
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
	measure := func(name string, st *stream, way *path, items int) {
		w := streamWriter{st: st, ticket: newPass()}
		c.path.Store(way)
		n := testing.AllocsPerRun(100, func() {
			deliver()
			notes, ch, ok := st.out.take()
			if !ok || len(ch.Items) != items {
				t.Fatalf("%s: got no chunk of %d frames", name, items)
			}
			if err := w.send(notes, ch); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: got %v allocations for 40 packets, want 0", name, n)
		}
	}
	st, way := detour(c, sink{}, &netio.TLS{}, live.link.path.Load())
	measure("dtls", st, way, 40)

	for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
		conn, own, _ := r.settled(version, nil)
		st, way = detour(c, sink{}, own, nil)
		st.conn = conn
		measure(tls.VersionName(version), st, way, 40)
		st.extend([]string{openconnect.ExtGSO, openconnect.ExtCoalesce})
		measure(tls.VersionName(version)+" with extensions", st, way, 4) // of at most 12 segments
	}
}

// settled is the gateway's end of a TLS connection that takes all that is
// written to it and gives what is in input, and its peer, which writes into
// input.
func (r *rig) settled(version uint16, input *bytes.Buffer) (*netio.Conn, *netio.TLS, *tls.Conn) {
	r.t.Helper()
	a, b := net.Pipe()
	cut, tap := &switchable{Conn: a, input: input}, &switchable{Conn: b, output: input}
	conn := netio.NewConn(cut)
	peer := tls.Client(tap, &tls.Config{ // whose it is does not matter here
		InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, DynamicRecordSizingDisabled: true,
	})
	shaken := make(chan error, 1)
	go func() { shaken <- peer.Handshake() }()
	own := ownTLS(r.t, conn, *r.certs["sslsrv-1"])
	if err := <-shaken; err != nil {
		r.t.Fatal(err)
	}
	cut.off, tap.off = true, true
	return conn, own, peer
}

// switchable takes everything itself once it is off, into its output if it has
// one, and gives its input.
type switchable struct {
	net.Conn
	input, output *bytes.Buffer
	off           bool
}

func (s *switchable) Read(p []byte) (int, error) {
	if s.off {
		return s.input.Read(p)
	}
	return s.Conn.Read(p)
}

func (s *switchable) Write(p []byte) (int, error) {
	switch {
	case s.off && s.output != nil:
		return s.output.Write(p)
	case s.off:
		return len(p), nil
	}
	return s.Conn.Write(p)
}

// TestPathFromTheClientDoesNotAllocate, also when somebody has sent the hello of
// the client again from its address, and not for longer than a handshake may
// take when he has begun one there.
func TestPathFromTheClientDoesNotAllocate(t *testing.T) {
	at := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1")
	p, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	_ = r.queue.Close() // another device takes its place
	r.device = tuntest.Discard()
	r.apply()
	c, live := r.theClient()
	reader, b := &udpReader{port: live.link.port}, netio.NewBuffers()
	from := netip.MustParseAddrPort(d.conn.LocalAddr().String())
	takes := func(datagram []byte) (under bool) {
		b.Load(0, datagram, from)
		reader.take(b, 1)
		live.link.mu.Lock()
		defer live.link.mu.Unlock()
		return live.link.srv.Handshaking(from)
	}
	packet := udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1300))
	const runs = 20
	passes := func(when string) {
		t.Helper()
		var sealed [][]byte
		for range (runs + 1) * netio.Messages {
			sealed = append(sealed, d.seal(openconnect.TypeData, packet))
		}
		before := c.packetsIn.Load()
		n := testing.AllocsPerRun(runs, func() {
			for i := range netio.Messages {
				b.Load(i, sealed[0], from)
				sealed = sealed[1:]
			}
			reader.take(b, netio.Messages)
		})
		if got := c.packetsIn.Load() - before; got != (runs+1)*netio.Messages {
			t.Errorf("%s: got %d packets through, want %d", when, got, (runs+1)*netio.Messages)
		}
		if n != 0 {
			t.Errorf("%s: got %v allocations for %d packets, want 0", when, n, netio.Messages)
		}
	}
	passes("at first")
	if takes(d.hello) {
		t.Error("the hello that led to the association begins a handshake")
	}
	passes("after a replayed hello")
	flight, err := r.dtlsFor(p, hex.EncodeToString(live.link.id[:])).client.Start()
	if err != nil {
		t.Fatal(err)
	}
	if !takes(flight[0]) {
		t.Error("a new hello begins no handshake")
	}
	at.Advance(attemptLimit)
	if !takes(d.seal(openconnect.TypeData, packet)) {
		t.Error("a handshake ends before its time")
	}
	at.Advance(time.Second)
	if takes(d.seal(openconnect.TypeData, packet)) {
		t.Error("a handshake does not end")
	}
	passes("after a handshake that came to nothing")
}

// TestWhatDoesNotFitDoesNotAllocate: packets that are cut, and those whose sender
// is told.
func TestWhatDoesNotFitDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	c, _ := r.theClient()
	device := tuntest.Discard()
	t.Cleanup(func() { _ = device.Close() })
	p := &pump{g: c.server.Load().gateway, queue: device}
	for name, df := range map[string]byte{"cut": 0, "told": 0x40} {
		packet := udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 1400))
		packet[6] = df
		frame := append(make([]byte, tun.HeaderLen), packet...)
		if n := testing.AllocsPerRun(50, func() {
			if err := p.seg.Reset(frame); err != nil {
				t.Fatal(err)
			}
			p.deliver()
			p.flush()
		}); n != 0 {
			t.Errorf("%s: got %v allocations a packet, want 0", name, n)
		}
	}
	if told := c.svc.Tally().Drops[DropTooBig]; told != 51 || p.fitter.errors == 0 {
		t.Errorf("got %d packets that were too big and %d answers, want 51 and some", told, p.fitter.errors)
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
				piecePool.Put(h)
			}
		}
	}); n != 0 {
		t.Errorf("up: got %v allocations for 40 packets, want 0", n)
	}
	g := newDownPacer(x.p.g)
	p := newPass()
	if n := testing.AllocsPerRun(100, func() {
		g.ask(o, p, 1400)
		<-p.granted
	}); n != 0 {
		t.Errorf("down: got %v allocations a turn, want 0", n)
	}
}

func TestPathFromTheClientByTLSDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	p := r.dial(nil)
	p.connect(p.login("ann"))
	_ = r.queue.Close() // another device takes its place
	r.device = tuntest.Discard()
	r.apply()
	for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
		t.Run(tls.VersionName(version), func(t *testing.T) { r.measureUpByTLS(t, version) })
	}
}

func (r *rig) measureUpByTLS(t *testing.T, version uint16) {
	t.Helper()
	c, live := r.theClient()
	var input bytes.Buffer
	conn, own, peer := r.settled(version, &input)
	st := newStream(c, conn, own)
	st.number = live.number
	const runs, batch = 50, 32
	for range 4 * batch * (runs + 1) { // a read takes more than a batch
		for _, f := range [][]byte{
			openconnect.AppendFrame(nil, openconnect.TypeData, udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1300))),
			openconnect.AppendFrame(nil, openconnect.TypeGSO, superFrameFrom("10.98.0.2", "10.77.0.2", 2)),
		} {
			if _, err := peer.Write(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	reader := streamReader{st: st, queue: r.device, gso: true}
	before, each := c.packetsIn.Load(), uint64(2*batch)
	n := testing.AllocsPerRun(runs, func() {
		for goal := c.packetsIn.Load() + each; c.packetsIn.Load() < goal; {
			if !reader.next() {
				t.Fatal("the frames make no sense")
			}
		}
	})
	if got := c.packetsIn.Load() - before; got < (runs+1)*each {
		t.Errorf("got %d packets through, want %d", got, (runs+1)*each)
	}
	if n != 0 {
		t.Errorf("got %v allocations for %d packets, want 0", n, each)
	}
}
