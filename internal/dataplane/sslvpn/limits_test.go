package sslvpn

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio/netiotest"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

func TestParallelLoginsPassNoLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.spec.SessionLimit = 3
	r.apply()
	r.grant(func(g *gwlink.Grant) { g.MaxSessions = 1 })
	var wg sync.WaitGroup
	for range 6 { // the sink holds sixteen closings
		for _, name := range []string{"ann", "bob"} {
			p := r.dial(nil)
			wg.Go(func() { _, _, _ = p.try(post(reply(name, "pass"))) })
		}
	}
	wg.Wait()
	perClient := map[string]int{}
	for _, rec := range r.svc.Records() {
		perClient[rec.Client]++
	}
	if perClient["sslcli-ann"] != 1 || perClient["sslcli-bob"] != 1 {
		t.Errorf("got %v sessions, want one of each", perClient)
	}
}

func TestAFixedAddressIsKeptForItsClient(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fixed := netip.MustParseAddr("10.98.0.2") // the first that would be handed out
	r.spec.SSLServers[0].Clients = []gwlink.Client{{ID: "sslcli-bob", FixedInner: fixed}}
	r.apply()
	p := r.dial(nil)
	if got := p.connect(p.login("ann")).Get("X-Cstp-Address"); got == fixed.String() {
		t.Errorf("another client got %s", got)
	}
	r.grant(func(g *gwlink.Grant) { g.FixedInner = fixed })
	for range 2 { // the second time in the place of the first
		p := r.dial(nil)
		if got := p.connect(p.login("bob")).Get("X-Cstp-Address"); got != fixed.String() {
			t.Errorf("its client got %s", got)
		}
	}
	if c := r.nextClosed(); c.Reason != gwlink.ReasonReplaced {
		t.Errorf("the former session ended for %s, want %s", c.Reason, gwlink.ReasonReplaced)
	}
}

// TestAWiderPoolKnowsWhoIsThere: sessions that stay through a change of the pool
// keep their addresses to themselves.
func TestAWiderPoolKnowsWhoIsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stays, _ := r.attached("ann")
	r.spec.SSLServers[0].Pool = netip.MustParsePrefix("10.98.0.0/23")
	r.apply()
	p := r.dial(nil)
	if got := p.connect(p.login("bob")).Get("X-Cstp-Address"); got == "10.98.0.2" {
		t.Errorf("another client got %s as well", got)
	}
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("hers"))
	r.queue.Inject(down)
	if f, err := stays.frame(); err != nil || !bytes.Equal(f.Payload, down) {
		t.Errorf("got %v, %v, want the packet of the one who stayed", f, err)
	}
}

// TestSessionsAreThereBeforeTheirClientsComeBack restores between the new
// configuration and the opening of the ports.
func TestSessionsAreThereBeforeTheirClientsComeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cookie := r.dial(nil).login("ann")
	rec := r.svc.Records()[0]
	again := newRig(t, func(s *gwlink.SSLServer) { s.Port = netiotest.FreePort(t) })
	again.key = r.key
	settled := false
	again.spec.SSLServers[0].Port = netiotest.FreePort(t)
	again.settle = func() {
		if p, err := again.tryDial(nil); err == nil {
			_ = p.raw.Close()
			t.Error("the port is open before the sessions are back")
		}
		if err := again.svc.Restore(rec); err != nil {
			t.Error(err)
		}
		settled = true
	}
	again.apply()
	if got := again.dial(nil).connect(cookie).Get("X-Cstp-Address"); !settled || got != rec.Inner.String() {
		t.Errorf("got %s, want %s", got, rec.Inner)
	}
}

func TestAnOverlongProbeIsDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	s := d.client.Association().Sealer
	seq, err := s.Reserve(1)
	if err != nil {
		t.Fatal(err)
	}
	d.write(overlong(s.Seal(nil, seq, 23, bytes.Repeat([]byte{openconnect.TypeDPDRequest}, 1<<14))))
	d.send(openconnect.TypeDPDRequest, []byte("short"))
	if typ, payload := d.frame(); typ != openconnect.TypeDPDResponse || string(payload) != "short" {
		t.Errorf("got %d %d bytes, want the answer to the short probe", typ, len(payload))
	}
	if log := r.log.String(); strings.Contains(log, "panic") {
		t.Error("something panicked")
	}
}

// overlong makes a record one byte longer than it may be.
func overlong(record []byte) []byte {
	record = append(record, 0)
	n := len(record) - 13
	record[11], record[12] = byte(n>>8), byte(n)
	return record
}

func TestDTLSBeginsAgainFromOneAddressAsOftenAsItLikes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, cookie := r.dial(nil), ""
	cookie = p.login("ann")
	h := p.connect(cookie, "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	conn := r.dialUDP()
	for range 3 * maxAttempts {
		d := r.dtlsFor(p, h.Get("X-Dtls-App-Id"))
		d.conn = conn
		d.handshake()
		bye, err := d.client.Association().AppendCloseNotify(nil)
		if err != nil {
			t.Fatal(err)
		}
		d.write(bye)
	}
}

// TestASessionMayBeKeptAtItsAddress: with deny_roaming a cookie connects from
// where it was given only, and the tunnel that is up stays.
func TestASessionMayBeKeptAtItsAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, cookie := r.attached("ann")
	elsewhere := func() *http.Response {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
		raw, err := d.Dial("tcp", r.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		_ = raw.SetDeadline(time.Now().Add(waitLimit))
		moved := &peer{t: t, tls: tls.Client(raw, &tls.Config{InsecureSkipVerify: true}), raw: raw}
		moved.in = bufio.NewReader(moved.tls)
		if _, err := moved.tls.Write([]byte("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=" + cookie + "\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(moved.in, &http.Request{Method: http.MethodConnect})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	r.spec.SSLServers[0].DenyRoaming = true
	r.apply()
	if resp := elsewhere(); resp.StatusCode != 503 || !strings.Contains(resp.Header.Get("X-Reason"), "another network address") {
		t.Errorf("from elsewhere: got %s, %q", resp.Status, resp.Header.Get("X-Reason"))
	}
	r.carries(p, "10.98.0.2")
	again := r.dial(nil)
	again.connect(cookie)
	r.carries(again, "10.98.0.2")
	r.spec.SSLServers[0].DenyRoaming = false
	r.apply()
	if resp := elsewhere(); resp.StatusCode != 200 {
		t.Errorf("where it may roam: got %s", resp.Status)
	}
}

func TestAClientsNameForItselfIsCut(t *testing.T) {
	t.Parallel()
	if got := agentName("a\x00<\xff" + strings.Repeat("x", 1000)); len(got) > maxAgent || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) || got[:2] != "a<" {
		t.Errorf("got %q", got)
	}
}
