package sslvpn

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// superFrameFrom is superFrame between other addresses, with the checksum that
// a kernel leaves to the next.
func superFrameFrom(src, dst string, segments int) []byte {
	f := superFrame()[:tun.HeaderLen+40+1360*segments]
	p := f[tun.HeaderLen:]
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(src).AsSlice())
	copy(p[16:], netip.MustParseAddr(dst).AsSlice())
	return f
}

// A peer that asks for nothing is a stock one: it is promised nothing, gets
// frames of one packet, and what it sends of the private type is no packet.
func TestStockPeersSeeNoExtension(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	h := p.connect(p.login("ann"))
	if got := h.Get("X-Skybridge-Ext"); got != "" {
		t.Errorf("got extensions %q", got)
	}
	r.queue.InjectFrame(superFrameFrom("10.77.0.2", "10.98.0.2", 3))
	for i := range 3 {
		f, err := p.frame()
		if err != nil || f.Type != openconnect.TypeData || len(f.Payload) != 1400 {
			t.Fatalf("frame %d: got type %#x of %d bytes, %v", i, f.Type, len(f.Payload), err)
		}
	}
	p.send(openconnect.TypeGSO, superFrameFrom("10.98.0.2", "10.77.0.2", 3))
	want := udpPacket("10.98.0.2", "10.77.0.2", []byte("after"))
	p.send(openconnect.TypeData, want)
	if got := r.nextPacket(); !bytes.Equal(got, want) {
		t.Errorf("got a packet of %d bytes out of a frame that was not agreed to", len(got))
	}
}

func TestExtensionsMoveSuperPackets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	h := p.connect(p.login("ann"), "X-Skybridge-Ext: coalesce, gso, unknown")
	if got := h.Get("X-Skybridge-Ext"); got != "coalesce,gso" {
		t.Errorf("got extensions %q", got)
	}
	r.queue.InjectFrame(superFrameFrom("10.77.0.2", "10.98.0.2", 40))
	packets := 0
	for packets < 40 {
		f, err := p.frame()
		if err != nil || f.Type != openconnect.TypeGSO || tun.CheckFrame(f.Payload) != nil {
			t.Fatalf("got type %#x of %d bytes, %v", f.Type, len(f.Payload), err)
		}
		packets += (len(f.Payload) - tun.HeaderLen - 40) / 1360
	}
	good := superFrameFrom("10.98.0.2", "10.77.0.2", 3)
	for name, bad := range map[string][]byte{
		"another's address": superFrameFrom("10.98.0.9", "10.77.0.2", 3),
		"outside":           superFrameFrom("10.98.0.2", "192.0.2.1", 3),
		"size 0":            append(append(bytes.Clone(good[:4]), 0, 0), good[6:]...),
		"cut":               good[:len(good)-1],
	} {
		t.Log(name)
		p.send(openconnect.TypeGSO, bad)
	}
	r.eventually("all that are refused are counted", func() bool { return r.svc.Tally().Drops[DropNotAllowedUp] == 4 })
	two := openconnect.AppendFrame(openconnect.AppendFrame(nil, openconnect.TypeGSO, good), openconnect.TypeGSO, good)
	for _, part := range [][]byte{two[:100], two[100:6000], two[6000:]} { // frames in records as they fall
		if _, err := p.tls.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got := r.nextPacket(); !bytes.Equal(got, good[tun.HeaderLen:]) {
			t.Errorf("got another packet, of %d bytes", len(got))
		}
	}
}
