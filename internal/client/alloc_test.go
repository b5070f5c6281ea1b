//go:build linux && !race

// Under the race detector sync.Pool drops at random: counts would say nothing.

package client

import (
	"bytes"
	"crypto/tls"
	"net"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls/dtlstest"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

func TestPathToTheServerDoesNotAllocate(t *testing.T) {
	b := newBed(t)
	s := b.run("dtls")
	original := super(s.Tunnel().IPv4.Addr().String(), "10.77.0.2", 40)
	frames := [][]byte{bytes.Clone(original)}
	w := dtlsWriter{tally: &tally{}}
	n := testing.AllocsPerRun(50, func() {
		copy(frames[0], original) // which was sealed in place
		if err := w.send(s.dtls.Load(), frames); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("dtls: got %v allocations for 40 packets, want 0", n)
	}
	var seg tun.Segments
	for name, f := range map[string]netio.Framing{"plain": {}, "extended": {GSO: true, Coalesce: true}} {
		c := netio.NewChunk()
		n := testing.AllocsPerRun(50, func() {
			c.Reset()
			if seg.Reset(original) != nil || !f.Fill(&c, &seg) {
				t.Fatal("the frame does not fit")
			}
		})
		if n != 0 {
			t.Errorf("tls, %s: got %v allocations for 40 packets, want 0", name, n)
		}
	}
}

func TestPathFromTheServerDoesNotAllocate(t *testing.T) {
	b := newBed(t)
	s := b.run("dtls")
	u := s.dtls.Load()
	const runs, count = 50, 40
	packet := append([]byte{openconnect.TypeData}, udp("10.77.0.2", s.Tunnel().IPv4.Addr().String(), 1300)...)
	sealer, opener := dtlstest.Pair(t)
	var records [][]byte
	first, err := sealer.Reserve((runs + 1) * count)
	if err != nil {
		t.Fatal(err)
	}
	for i := range (runs + 1) * count {
		records = append(records, sealer.Seal(nil, first+uint64(i), dtls.TypeApplicationData, packet))
	}
	in := &batch{packets: make([][]byte, 0, 256)}
	device := tun.NewWriter(tuntest.Discard())
	n := testing.AllocsPerRun(runs, func() {
		in.packets = in.packets[:0]
		for range count {
			s.open(u, in, opener, records[0])
			records = records[1:]
		}
		if len(in.packets) != count || device.Write(in.packets) != nil {
			t.Fatalf("got %d packets, want %d", len(in.packets), count)
		}
	})
	if n != 0 {
		t.Errorf("got %v allocations for %d packets, want 0", n, count)
	}
}

// settled is a Session over TLS that takes all that is written to it and gives
// what its peer, which is returned too, writes into input.
func settled(t *testing.T, version uint16, framing netio.Framing) (s *Session, peer *tls.Conn) {
	t.Helper()
	var input bytes.Buffer
	a, b := net.Pipe()
	own, theirs := &switchable{Conn: a, input: &input}, &switchable{Conn: b, output: &input}
	cert, log := certificate(t), &tlsrecord.KeyLog{}
	peer = tls.Server(theirs, &tls.Config{
		Certificates: []tls.Certificate{*cert}, MinVersion: version, MaxVersion: version, DynamicRecordSizingDisabled: true, SessionTicketsDisabled: true,
	})
	shaken := make(chan error, 1)
	go func() { shaken <- peer.Handshake() }()
	var asked bool
	conn := netio.NewConn(own)
	std := tls.Client(conn, Config{Trust: pinned(cert)}.tls(log, &asked))
	err := std.Handshake()
	if err == nil {
		err = <-shaken
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := netio.Client(conn, std, log)
	if err != nil {
		t.Fatal(err)
	}
	own.off, theirs.off = true, true
	gso, coalesce := framing.GSO, framing.Coalesce
	framing = made.Framing()
	framing.GSO, framing.Coalesce = gso, coalesce
	return &Session{c: &connection{conn: conn, tls: made}, framing: framing, now: clock.Steady(), notes: make(chan note, 1)}, peer
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

var versions = []uint16{tls.VersionTLS13, tls.VersionTLS12}

func TestRecordsToTheServerDoNotAllocate(t *testing.T) {
	original := super("10.98.0.2", "10.77.0.2", 40)
	for _, version := range versions {
		for name, f := range map[string]netio.Framing{"plain": {}, "gso": {GSO: true}, "extended": {GSO: true, Coalesce: true}} {
			s, _ := settled(t, version, f)
			f := s.framing
			c := netio.NewChunk()
			var seg tun.Segments
			n := testing.AllocsPerRun(50, func() {
				c.Reset()
				if seg.Reset(original) != nil || !f.Fill(&c, &seg) {
					t.Fatal("the frame does not fit")
				}
				if err := s.sendChunk(&c); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s, %s: got %v allocations for 40 packets, want 0", tls.VersionName(version), name, n)
			}
		}
	}
}

func TestRecordsFromTheServerDoNotAllocate(t *testing.T) {
	const runs, batch = 50, 40
	framing := netio.Framing{GSO: true, Coalesce: true}
	for _, version := range versions {
		for name, frame := range map[string][]byte{
			"packets": openconnect.AppendFrame(nil, openconnect.TypeData, udp("10.77.0.2", "10.98.0.2", 1300)),
			"gso":     openconnect.AppendFrame(nil, openconnect.TypeGSO, super("10.77.0.2", "10.98.0.2", 11)),
		} {
			s, peer := settled(t, version, framing)
			for range (runs + 3) * netio.ReadSpace / len(frame) { // each read takes what has room
				if _, err := peer.Write(frame); err != nil {
					t.Fatal(err)
				}
			}
			w := &wires{queues: []tun.Queue{tuntest.Discard()}}
			d, buf := newDeviceWriter(w), make([]byte, netio.ReadSpace)
			n := testing.AllocsPerRun(runs, func() {
				for goal := w.tally.packetsDown.Load() + batch; w.tally.packetsDown.Load() < goal; {
					if err := s.readOnce(d, buf); err != nil {
						t.Fatal(err)
					}
				}
			})
			if n != 0 {
				t.Errorf("%s, %s: got %v allocations for %d packets, want 0", tls.VersionName(version), name, n, batch)
			}
		}
	}
}
