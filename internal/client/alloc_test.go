//go:build !race

// Under the race detector sync.Pool drops at random: counts would say nothing.

package client

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

func TestPathToTheServerDoesNotAllocate(t *testing.T) {
	b := newBed(t)
	s := b.run("dtls")
	original := super(s.Tunnel().IPv4.Addr().String(), "10.77.0.2", 40)
	frames := [][]byte{bytes.Clone(original)}
	w := dtlsWriter{}
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
	sealer, opener := loop(t)
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

var peer = netip.MustParseAddrPort("192.0.2.1:1")

// loop is both ends of an association.
func loop(t *testing.T) (*dtls.Sealer, *dtls.Opener) {
	t.Helper()
	id, psk := make([]byte, 32), make([]byte, 32)
	server, err := dtls.NewServer(dtls.ServerConfig{Mode: dtls.ModePSK, SessionID: id, PSK: psk})
	if err != nil {
		t.Fatal(err)
	}
	client, err := dtls.NewClient(dtls.ClientConfig{Mode: dtls.ModePSK, SessionID: id, PSK: psk})
	if err != nil {
		t.Fatal(err)
	}
	flight, err := client.Start()
	for err == nil && client.Association() == nil {
		var back [][]byte
		for _, d := range flight {
			back = append(back, server.Handle(peer, d).Send...)
		}
		flight = nil
		for _, d := range back {
			res, handleErr := client.Handle(d)
			flight, err = append(flight, res.Send...), handleErr
		}
	}
	if err != nil || server.Association() == nil {
		t.Fatalf("no handshake: %v", err)
	}
	return server.Association().Sealer, client.Association().Opener
}
