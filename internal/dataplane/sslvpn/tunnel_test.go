package sslvpn

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// attached logs in and connects.
func (r *rig) attached(name string, headers ...string) (*peer, string) {
	r.t.Helper()
	p := r.dial(nil)
	cookie := p.login(name)
	p.connect(cookie, headers...)
	return p, cookie
}

func TestPacketsPassBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
	p.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		t.Errorf("got %x, want %x", got, up)
	}
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("down"))
	r.queue.Inject(down)
	f, err := p.frame()
	if err != nil || f.Type != openconnect.TypeData || !bytes.Equal(f.Payload, down) {
		t.Errorf("got %v, %v, want %x", f, err, down)
	}
	want := []gwlink.Counters{{
		Session: "ses_1", BytesIn: uint64(len(up)), BytesOut: uint64(len(down)), PacketsIn: 1, PacketsOut: 1,
		Transport: "tls", Client: "Open AnyConnect VPN Agent v9.01",
	}}
	if d := cmp.Diff(want, r.svc.Live()); d != "" {
		t.Errorf("counters (-want +got):\n%s", d)
	}
}

func TestForbiddenPacketsAreDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	for _, forbidden := range [][]byte{
		udpPacket("10.98.0.3", "10.77.0.2", nil), udpPacket("10.98.0.2", "10.78.0.2", nil),
		udpPacket("10.98.0.2", "10.98.0.9", nil), []byte("x"),
		{},
	} {
		p.send(openconnect.TypeData, forbidden)
	}
	allowed := udpPacket("10.98.0.2", "10.77.0.2", []byte("last"))
	p.send(openconnect.TypeData, allowed)
	if got := r.nextPacket(); !bytes.Equal(got, allowed) {
		t.Errorf("got %x, want only %x", got, allowed)
	}
	r.queue.Inject(udpPacket("192.0.2.1", "10.98.0.2", nil))
	r.queue.Inject(udpPacket("10.77.0.2", "10.98.0.77", nil))
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("last"))
	r.queue.Inject(down)
	if f, err := p.frame(); err != nil || !bytes.Equal(f.Payload, down) {
		t.Errorf("got %v, %v, want only %x", f, err, down)
	}
}

func TestOneFrameIsOneRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	const packets = 50
	go func() {
		for range packets {
			r.queue.Inject(udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 1300)))
		}
	}()
	// One Read of crypto/tls returns at most one record: each must be one frame.
	buf := make([]byte, 20000)
	for i := range packets {
		n, err := p.tls.Read(buf)
		if err != nil || n != openconnect.HeaderLen+1328 {
			t.Fatalf("record %d: got %d bytes, %v, want %d", i, n, err, openconnect.HeaderLen+1328)
		}
	}
}

func TestControlFrames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	p.send(openconnect.TypeKeepalive, nil)
	p.send(0x55, []byte("unknown"))
	p.send(openconnect.TypeDPDRequest, []byte("ping"))
	f, err := p.frame()
	if err != nil || f.Type != openconnect.TypeDPDResponse || string(f.Payload) != "ping" {
		t.Errorf("got %v, %v, want the echo and nothing before it", f, err)
	}
	p.send(openconnect.TypeDisconnect, append([]byte{openconnect.ReasonUser}, "bye"...))
	if c := r.nextClosed(); c.Reason != gwlink.ReasonUser || c.Session != "ses_1" {
		t.Errorf("got %+v, want the session closed by its user", c)
	}
	if _, err := p.frame(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the connection closed", err)
	}
}

func TestReconnectKeepsTheAddressAndEndsTheOldConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.dial(nil)
	cookie := first.login("ann")
	one := first.connect(cookie)
	second := r.dial(nil)
	two := second.connect(cookie)
	if a, b := one.Get("X-Cstp-Address"), two.Get("X-Cstp-Address"); a != b || a != "10.98.0.2" {
		t.Errorf("got %s and %s, want 10.98.0.2 twice", a, b)
	}
	if _, err := first.frame(); err == nil {
		t.Error("got a frame on the old connection, want it closed")
	}
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("new"))
	r.queue.Inject(down)
	if f, err := second.frame(); err != nil || !bytes.Equal(f.Payload, down) {
		t.Errorf("got %v, %v on the new connection, want the packet", f, err)
	}
}

func TestDeadCookieIsUnauthorized(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, cookie := r.attached("ann")
	want := []gwlink.Closure{{Session: "ses_9", Reason: gwlink.ReasonRevoked}, {Session: "ses_1", Reason: gwlink.ReasonAdministrator}}
	if got := r.svc.CloseSessions(want); !slices.Equal(got, []string{"ses_9"}) {
		t.Errorf("got %v unknown, want ses_9", got)
	}
	f, err := p.frame()
	if err != nil || f.Type != openconnect.TypeDisconnect || !strings.Contains(string(f.Payload), gwlink.ReasonAdministrator) {
		t.Errorf("got %v, %v, want a DISCONNECT with the reason", f, err)
	}
	for _, c := range []string{cookie, "", "x"} {
		resp, _ := r.dial(nil).request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=" + c + "\r\n\r\n")
		if resp.StatusCode != 401 {
			t.Errorf("cookie %q: got %s, want 401", c, resp.Status)
		}
	}
}

func TestAGrantWhoseSessionIsToBeClosedOpensNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonRevoked}})
	resp, _ := r.dial(nil).request(post(reply("ann", "pass")))
	if resp.StatusCode != 503 || resp.Header.Get("X-Reason") == "" || len(r.svc.Records()) != 0 {
		t.Errorf("got %s and %d sessions, want 503 with a reason and none", resp.Status, len(r.svc.Records()))
	}
	r.dial(nil).login("ann") // the next login is another session
}

func TestOldestSessionYields(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 3 { // two are granted at a time
		r.attached("ann")
	}
	if c := r.nextClosed(); c.Session != "ses_1" || c.Reason != gwlink.ReasonReplaced {
		t.Errorf("got %+v, want ses_1 replaced", c)
	}
	r.spec.SessionLimit = 2
	r.apply()
	if resp, _ := r.dial(nil).request(post(reply("bob", "pass"))); resp.StatusCode != 503 || resp.Header.Get("X-Reason") == "" {
		t.Errorf("over the gateway's limit: got %s, want 503 with a reason", resp.Status)
	}
}

func TestFrozenGateway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	r.spec.State = gwlink.GatewayFrozen
	r.apply()
	if f, err := p.frame(); err != nil || f.Type != openconnect.TypeDisconnect {
		t.Errorf("got %v, %v, want a DISCONNECT", f, err)
	}
	if c := r.nextClosed(); c.Reason != gwlink.ReasonFrozen {
		t.Errorf("got %s, want %s", c.Reason, gwlink.ReasonFrozen)
	}
	if resp, _ := r.dial(nil).request(post(initDocument)); resp.StatusCode != 503 {
		t.Errorf("got %s, want 503", resp.Status)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	cookie := p.login("ann")
	rec := r.svc.Records()[0]
	again := newRig(t)
	again.key = r.key
	again.apply()
	if err := again.svc.Restore(rec); err != nil {
		t.Fatal(err)
	}
	if got := again.dial(nil).connect(cookie).Get("X-Cstp-Address"); got != rec.Inner.String() {
		t.Errorf("got %s, want the former %s", got, rec.Inner)
	}
	if err := again.svc.Restore(rec); err == nil {
		t.Error("got one address restored twice")
	}
	other := newRig(t) // its control never signed this grant
	if err := other.svc.Restore(rec); !errors.Is(err, gwlink.ErrGrant) {
		t.Errorf("got %v, want ErrGrant", err)
	}
}

func TestCloseSendsNoDisconnect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, _ := r.attached("ann")
	_ = r.queue.Close()
	done := make(chan error, 1)
	go func() { done <- r.svc.Close() }()
	if _, err := p.frame(); err == nil {
		t.Error("got a frame, want the connection closed without a word")
	}
	select {
	case <-done:
	case <-time.After(waitLimit):
		t.Error("Close does not return")
	}
}

func TestSlowClientGetsLossAndNoDelay(t *testing.T) {
	t.Parallel()
	q := newDownQueue(func() int { return netio.ChunkSize })
	way := &path{head: openconnect.HeaderLen}
	var seg tun.Segments
	fill := func() {
		for range 4 {
			if err := seg.Reset(superFrame()); err != nil {
				t.Fatal(err)
			}
			q.put(way, &seg)
		}
	}
	fill()
	if len(q.ready) == 0 || q.dropped != 0 {
		t.Fatalf("got %d chunks ready and %d drops, want some and none", len(q.ready), q.dropped)
	}
	q.ready[0].born = q.ready[0].born.Add(-2 * maxSojourn)
	waiting := len(q.ready)
	fill()
	if len(q.ready) != waiting || q.dropped == 0 {
		t.Errorf("behind an old chunk: got %d more chunks and %d drops, want none and some", len(q.ready)-waiting, q.dropped)
	}
	for range 2 * maxReady {
		if _, c, ok := q.take(); ok {
			c.release()
		}
	}
	fill()
	for range 20 {
		fill()
	}
	if len(q.ready) > maxReady {
		t.Errorf("got %d chunks ready, want %d at most", len(q.ready), maxReady)
	}
	q.close()
}

func TestEarlyConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range maxEarlyFrom - 1 {
		r.svc.early.admit(loopback[0], io.NopCloser(nil))
	}
	p := r.dial(nil) // the last one
	if _, err := r.tryDial(nil); err == nil {
		t.Error("got one connection more than allowed")
	}
	p.connect(p.login("ann")) // it counts no more
	r.dial(nil)
}

// TestALateWordOfAReplacedConnectionIsNothing has the reader of a replaced
// connection find a good-bye that came just before: it is not the new one's.
func TestALateWordOfAReplacedConnectionIsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, cookie := r.attached("ann")
	_, old := r.theClient()
	p := r.dial(nil)
	p.connect(cookie)
	late := streamReader{st: old, queue: r.device, readSpace: readSpaces.New().(*readSpace)}
	for _, reason := range []byte{openconnect.ReasonUser, openconnect.ReasonReconnecting} {
		late.deliver(openconnect.AppendFrame(nil, openconnect.TypeDisconnect, []byte{reason}))
	}
	p.send(openconnect.TypeDPDRequest, []byte("still here"))
	if f, err := p.frame(); err != nil || f.Type != openconnect.TypeDPDResponse {
		t.Errorf("got %v, %v, want the new connection untouched", f, err)
	}
}

// TestLongSegmentsEndAtEndHosts: what forwards could not pass them on.
func TestLongSegmentsEndAtEndHosts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	p.connect(p.login("ann"))
	c, live := r.theClient()
	way := *live.tlsPath
	way.framing.Widest = openconnect.MaxPayload
	packets := func() int {
		var seg tun.Segments
		if err := seg.Reset(superFrame()); err != nil {
			t.Fatal(err)
		}
		q := newDownQueue(func() int { return netio.ChunkSize })
		q.put(&way, &seg)
		_, got, _ := q.take()
		return len(got.Items)
	}
	few := packets()
	h := *c.holder.Load()
	h.Routed = []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")}
	c.holder.Store(&h)
	if many := packets(); few >= 10 || many != 40 {
		t.Errorf("got %d packets for an end host and %d for a router, want few and 40", few, many)
	}
}
