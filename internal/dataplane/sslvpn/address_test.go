package sslvpn

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// udp6 makes an IPv6 UDP packet without checksum.
func udp6(src, dst, payload string) []byte {
	p := make([]byte, 48+len(payload))
	p[0], p[6], p[7] = 0x60, 17, 64
	binary.BigEndian.PutUint16(p[4:], uint16(8+len(payload)))
	copy(p[8:], netip.MustParseAddr(src).AsSlice())
	copy(p[24:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(p[44:], uint16(8+len(payload)))
	copy(p[48:], payload)
	return p
}

func (r *rig) attachedDual(name string) (*peer, string) {
	r.t.Helper()
	p := r.dial(nil)
	cookie := p.login(name)
	p.connectRaw(cookie, agents["openconnect"]...)
	return p, cookie
}

// passes sends a packet from the client, and tells whether it comes out of the
// device before one that surely does.
func (r *rig) passes(p *peer, packet []byte) bool {
	r.t.Helper()
	last := udpPacket("10.98.0.2", "10.77.0.2", []byte("last"))
	p.send(openconnect.TypeData, packet)
	p.send(openconnect.TypeData, last)
	first := r.nextPacket()
	if bytes.Equal(first, last) {
		return false
	}
	r.nextPacket()
	return bytes.Equal(first, packet)
}

// arrives injects a packet for the client, likewise.
func (r *rig) arrives(p *peer, packet []byte) bool {
	r.t.Helper()
	last := udpPacket("10.77.0.2", "10.98.0.2", []byte("last"))
	r.queue.Inject(packet)
	r.queue.Inject(last)
	first, err := p.frame()
	if err != nil {
		r.t.Fatal(err)
	}
	if bytes.Equal(first.Payload, last) {
		return false
	}
	if _, err := p.frame(); err != nil {
		r.t.Fatal(err)
	}
	return bytes.Equal(first.Payload, packet)
}

func TestIPv6PassesBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, dual)
	p, _ := r.attachedDual("ann")
	for name, c := range map[string]struct{ got, want bool }{
		"up":                {r.passes(p, udp6("fd00:98::2", "fd00:77::2", "up")), true},
		"down":              {r.arrives(p, udp6("fd00:77::2", "fd00:98::2", "down")), true},
		"foreign source":    {r.passes(p, udp6("fd00:98::3", "fd00:77::2", "up")), false},
		"outside":           {r.passes(p, udp6("fd00:98::2", "fd00:78::2", "up")), false},
		"down, from beside": {r.arrives(p, udp6("fd00:78::2", "fd00:98::2", "down")), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	if got := r.sink.record(0); got.Inner.String() != "10.98.0.2" || got.Inner6.String() != "fd00:98::2" {
		t.Errorf("got %s and %s in the record", got.Inner, got.Inner6)
	}
	if n := r.svc.gateways["vpngw-1"].table.len(); n != 1 {
		t.Errorf("got %d sessions of one with two addresses, want 1", n)
	}
}

func TestFamilyThatWasNotTakenIsShut(t *testing.T) {
	t.Parallel()
	r := newRig(t, dual)
	p := r.dial(nil)
	cookie := p.login("ann")
	p.connectRaw(cookie, agents["openconnect --disable-ipv6"]...)
	if r.passes(p, udp6("fd00:98::2", "fd00:77::2", "up")) || r.arrives(p, udp6("fd00:77::2", "fd00:98::2", "down")) {
		t.Error("got IPv6 through for a client that refused it")
	}
	again := r.dial(nil)
	again.connectRaw(cookie, agents["openconnect"]...) // now it wants IPv6, at the same address
	if !r.passes(again, udp6("fd00:98::2", "fd00:77::2", "up")) {
		t.Error("got no IPv6 through after a CONNECT that took it")
	}
}

func TestIPv6AddressIsStickyAndFixed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dual)
	r.grant(func(g *gwlink.Grant) { g.MaxSessions = 1 })
	r.attachedDual("ann")
	r.attachedDual("bob")
	r.attachedDual("ann") // replaces the first
	if a, b := r.sink.record(0).Inner6, r.sink.record(2).Inner6; a != b {
		t.Errorf("got %s at first and %s again, want the same", a, b)
	}
	r.grant(func(g *gwlink.Grant) { g.FixedInner6 = netip.MustParseAddr("fd00:98::abcd") })
	r.attachedDual("cid")
	if got := r.sink.record(3).Inner6.String(); got != "fd00:98::abcd" {
		t.Errorf("got %s, want the fixed address", got)
	}
	resp, _ := r.dial(nil).request(post(reply("dan", "pass"))) // taken
	if resp.StatusCode != 503 {
		t.Errorf("got %s for an address that is taken, want 503", resp.Status)
	}
	if n := r.svc.servers["sslsrv-1"].pool.Len(); n != 3 {
		t.Errorf("got %d IPv4 leases for 3 sessions", n)
	}
}

func TestRestoreBringsBothAddressesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, dual)
	p := r.dial(nil)
	cookie := p.login("ann")
	rec := r.svc.Records()[0]
	again := newRig(t, dual)
	again.key = r.key
	again.apply()
	if err := again.svc.Restore(rec); err != nil {
		t.Fatal(err)
	}
	p = again.dial(nil)
	p.connectRaw(cookie, agents["openconnect"]...)
	if !again.passes(p, udp6(rec.Inner6.String(), "fd00:77::2", "up")) {
		t.Error("got the former IPv6 address refused")
	}
	plain := newRig(t)
	plain.key = r.key
	plain.apply()
	if err := plain.svc.Restore(rec); err == nil || plain.svc.servers["sslsrv-1"].pool.Len() != 0 {
		t.Errorf("got %v and %d leases without an IPv6 pool, want an error and none", err, plain.svc.servers["sslsrv-1"].pool.Len())
	}
	r.spec.SSLServers[0].Pool6 = netip.Prefix{}
	r.apply()
	if c := r.nextClosed(); c.Reason != gwlink.ReasonAdministrator {
		t.Errorf("got %+v, want the session of the pool that went closed", c)
	}
}

func TestNetworksBehindAClient(t *testing.T) {
	t.Parallel()
	site, site6 := netip.MustParsePrefix("192.168.5.0/24"), netip.MustParsePrefix("fd00:5::/64")
	r := newRig(t, dual, func(s *gwlink.SSLServer) {
		s.Clients = []gwlink.Client{{ID: "sslcli-ann", Routes: []netip.Prefix{site, site6}}}
	})
	p, _ := r.attachedDual("ann")
	for name, got := range map[string]bool{
		"up":        r.passes(p, udpPacket("192.168.5.7", "10.77.0.2", []byte("up"))),
		"up, IPv6":  r.passes(p, udp6("fd00:5::7", "fd00:77::2", "up")),
		"down":      r.arrives(p, udpPacket("10.77.0.2", "192.168.5.7", []byte("down"))),
		"down, six": r.arrives(p, udp6("fd00:77::2", "fd00:5::7", "down")),
	} {
		if !got {
			t.Errorf("%s: got nothing through", name)
		}
	}
	if r.passes(p, udpPacket("192.168.6.7", "10.77.0.2", []byte("up"))) || r.arrives(p, udpPacket("10.77.0.2", "192.168.6.7", []byte("down"))) {
		t.Error("got through for a network that is not routed to the client")
	}
	r.spec.SSLServers[0].Clients = []gwlink.Client{{ID: "sslcli-ann", Routes: []netip.Prefix{site6}}}
	r.apply() // the session goes on
	if r.passes(p, udpPacket("192.168.5.7", "10.77.0.2", []byte("up"))) || r.arrives(p, udpPacket("10.77.0.2", "192.168.5.7", []byte("down"))) {
		t.Error("got through for a network that was withdrawn")
	}
	if !r.arrives(p, udp6("fd00:77::2", "fd00:5::7", "down")) {
		t.Error("got nothing through for the network that stays")
	}
}

// A network follows its client's newest session, and goes back when that ends.
func TestNetworkFollowsTheNewestSession(t *testing.T) {
	t.Parallel()
	r := newRig(t, dual, func(s *gwlink.SSLServer) {
		s.Clients = []gwlink.Client{{ID: "sslcli-ann", Routes: []netip.Prefix{netip.MustParsePrefix("192.168.5.0/24")}}}
	})
	r.attachedDual("ann")
	r.attachedDual("ann")
	find := func() string {
		return r.svc.gateways["vpngw-1"].table.find(netip.MustParseAddr("192.168.5.9")).rec.Session
	}
	if got := find(); got != "ses_2" {
		t.Errorf("got %s, want the newest", got)
	}
	r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_2", Reason: gwlink.ReasonAdministrator}})
	if got := find(); got != "ses_1" {
		t.Errorf("got %s, want the one that is left", got)
	}
	r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_2"}, {Session: "ses_1"}})
	if c := r.svc.gateways["vpngw-1"].table.find(netip.MustParseAddr("192.168.5.9")); c != nil {
		t.Errorf("got session %s after all ended", c.rec.Session)
	}
}

func TestTableFindsWithoutAllocating(t *testing.T) {
	r := newRig(t, dual, func(s *gwlink.SSLServer) {
		s.Clients = []gwlink.Client{{ID: "sslcli-ann", Routes: []netip.Prefix{netip.MustParsePrefix("192.168.5.0/24"), netip.MustParsePrefix("fd00:5::/64")}}}
	})
	r.attachedDual("ann")
	g, at, beside := r.svc.gateways["vpngw-1"], netip.MustParseAddr("fd00:5::9"), netip.MustParseAddr("192.168.6.0")
	if n := testing.AllocsPerRun(100, func() { g.table.find(at); g.table.find(beside) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	if g.table.find(at) == nil || g.table.find(beside) != nil {
		t.Error("got the wrong sessions")
	}
}
