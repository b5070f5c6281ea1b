package sslvpn

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// pacing is a pacer without a gateway's goroutines, and time as it is told.
type pacing struct {
	p   *upPacer
	now time.Time
}

func newPacing(rate int64) *pacing {
	g := &gateway{log: slog.New(slog.DiscardHandler), up: shape.New(rate), down: shape.New(0), stop: make(chan struct{})}
	g.upPacer = newUpPacer(g)
	return &pacing{p: g.upPacer, now: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)}
}

func pacedOwner(rate int64) *sslClient { return &sslClient{up: shape.New(rate), down: shape.New(0)} }

// run has senders offer packets without end for a time and returns the bytes
// that each got through.
func (x *pacing) run(d time.Duration, senders map[*sslClient][]int) map[*sslClient]int {
	sent := map[*sslClient]int{}
	var t turn
	for end := x.now.Add(d); x.now.Before(end); {
		for o, sizes := range senders {
			for full := false; !full; { // each flow of the client offers a packet
				for _, n := range sizes {
					full = !x.p.put(o, make([]byte, n), x.now) || full
				}
			}
		}
		wait, ok := x.p.next(x.now, &t)
		if !ok {
			x.now = x.now.Add(max(wait, time.Microsecond))
			continue
		}
		sent[t.client] += t.bytes
	}
	return sent
}

// jain is the fairness index: 1 where all got the same.
func jain(shares ...float64) float64 {
	var sum, squares float64
	for _, s := range shares {
		sum += s
		squares += s * s
	}
	return sum * sum / (float64(len(shares)) * squares)
}

func TestTheGatewaysRateIsSharedByClients(t *testing.T) {
	t.Parallel()
	const rate = 10_000_000
	x := newPacing(rate)
	// Clients with packets of other sizes, and with sixteen flows beside one.
	senders := map[*sslClient][]int{}
	for i := range 10 {
		sizes := []int{1400 - 130*i}
		if i%2 == 0 {
			sizes = append(sizes, sizes[0], sizes[0], 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60)
		}
		senders[pacedOwner(0)] = sizes
	}
	var shares []float64
	total := 0
	for _, n := range x.run(10*time.Second, senders) {
		shares, total = append(shares, float64(n)), total+n
	}
	if len(shares) != 10 || jain(shares...) < 0.99 {
		t.Errorf("got fairness %.4f of %d clients: %v", jain(shares...), len(shares), shares)
	}
	if got := float64(total) * 8 / 10; got < 0.97*rate || got > 1.03*rate {
		t.Errorf("got %.0f bit/s together, want about %d", got, rate)
	}
}

// TestAClientsOwnRate: one below its share leaves the rest to others, one above
// it gets its share like they do, and a rate may change at any time.
func TestAClientsOwnRate(t *testing.T) {
	t.Parallel()
	x := newPacing(10_000_000)
	slow, fast := pacedOwner(1_000_000), pacedOwner(0)
	check := func(when string, wantSlow, wantFast float64) {
		t.Helper()
		sent := x.run(10*time.Second, map[*sslClient][]int{slow: {1400}, fast: {1400}})
		for o, want := range map[*sslClient]float64{slow: wantSlow, fast: wantFast} {
			if got := float64(sent[o]) * 8 / 10 / 1e6; got < 0.95*want || got > 1.05*want {
				t.Errorf("%s: got %.2f Mbit/s, want %.2f", when, got, want)
			}
		}
	}
	check("below its share", 1, 9)
	slow.up.SetRate(6_000_000)
	check("above its share", 5, 5)
	slow.up.SetRate(2_000_000)
	check("changed once more", 2, 8)
}

func TestWhatWaitsIsBoundedByTime(t *testing.T) {
	t.Parallel()
	for _, rate := range []int64{64_000, 1_000_000, 100_000_000} {
		x, o := newPacing(0), pacedOwner(rate)
		for x.p.put(o, make([]byte, 1000), x.now) {
		}
		most := min(max(bytesAt(rate, maxSojourn), queueLeast), queueMost)
		if got := x.p.byClient[o].bulk.bytes; got > most || got < most-1000 {
			t.Errorf("at %d bit/s: %d bytes wait, want about %d", rate, got, most)
		}
		x.p.forget(o)
		if x.p.holds(o) || x.p.fair.Asking() != 0 {
			t.Error("something waits of a client that is gone")
		}
	}
}

// TestWhatWaitedTooLongTakesNoMore: the bound is one of time, also where others
// take most of the rate.
func TestWhatWaitedTooLongTakesNoMore(t *testing.T) {
	t.Parallel()
	x, o := newPacing(10_000_000), pacedOwner(0)
	for x.p.byClient[o] == nil || x.p.byClient[o].bulk.bytes <= queueLeast {
		x.p.put(o, make([]byte, 1000), x.now)
	}
	x.now = x.now.Add(maxSojourn + 1)
	if x.p.put(o, make([]byte, 1000), x.now) {
		t.Error("got a packet taken behind one that has waited for too long")
	}
	for x.p.holds(o) {
		var turn turn
		if _, ok := x.p.next(x.now, &turn); !ok {
			x.now = x.now.Add(time.Millisecond)
		}
	}
	if !x.p.put(o, make([]byte, 1000), x.now) {
		t.Error("got a packet refused by an empty queue")
	}
}

// ack is a segment that only acknowledges, and data the same with a payload.
func ack() []byte  { return tcpSegment(0x10, 0) }
func data() []byte { return tcpSegment(0x18, 1000) }

func tcpSegment(flags byte, payload int) []byte {
	p := make([]byte, 40+payload)
	p[0], p[2], p[3], p[9] = 0x45, byte(len(p)>>8), byte(len(p)), 6
	p[32], p[33] = 5<<4, flags
	return p
}

// TestAcksOvertakeUploads: a client that uploads as much as it can still
// acknowledges what it downloads.
func TestAcksOvertakeUploads(t *testing.T) {
	t.Parallel()
	x, o := newPacing(0), pacedOwner(1_000_000)
	for x.p.put(o, data(), x.now) {
	}
	for i := range 50 {
		if !x.p.put(o, ack(), x.now) {
			t.Fatalf("ack %d was dropped behind uploads", i)
		}
	}
	var turn turn
	acks := 0
	for acks < 50 {
		wait, ok := x.p.next(x.now, &turn)
		if !ok {
			x.now = x.now.Add(wait)
			continue
		}
		for i, p := range turn.packets {
			if len(p) == 40 {
				acks++
			} else if acks < 50 && i == 0 {
				t.Fatalf("an upload goes before the last %d acks", 50-acks)
			}
		}
	}
}

func TestIsAck(t *testing.T) {
	t.Parallel()
	v6 := make([]byte, 60)
	v6[0], v6[5], v6[6], v6[52], v6[53] = 0x60, 20, 6, 5<<4, 0x10
	fragment := ack()
	fragment[6] = 0x20
	short := ack()
	short[3] = 39
	options := ack()
	options[32] = 15 << 4
	for _, c := range []struct {
		name string
		p    []byte
		want bool
	}{
		{"ack", ack(), true},
		{"ack over IPv6", v6, true},
		{"data", data(), false},
		{"syn", tcpSegment(0x12, 0), false},
		{"fin", tcpSegment(0x11, 0), false},
		{"fragment", fragment, false},
		{"shorter than it says", ack()[:39], false},
		{"too short", short, false},
		{"header beyond the end", options, false},
		{"udp", udpPacket("10.0.0.1", "10.0.0.2", nil), false},
		{"nothing", nil, false},
	} {
		if got := isAck(c.p); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// twoGateways puts another customer's gateway on the rig's port and returns its
// device.
func (r *rig) twoGateways(limited int64) *tuntest.Queue {
	r.t.Helper()
	queue := tuntest.New(1024)
	second := r.spec
	second.ID, second.UpRate = "vpngw-2", limited
	srv := r.spec.SSLServers[0]
	srv.ID, srv.ServerNames = "sslsrv-2", []string{"two.example.com"}
	second.SSLServers = []gwlink.SSLServer{srv}
	r.certs[srv.ID] = selfSigned(r.t, srv.ServerNames)
	r.t.Cleanup(func() { _ = queue.Close() })
	r.applyAll(Gateway{Spec: second, Queues: []tun.Queue{queue}, Certificates: r.certs})
	return queue
}

func (r *rig) applyAll(others ...Gateway) {
	r.t.Helper()
	keys := []gwlink.GrantKey{{ID: "k1", Public: r.key.Public().(ed25519.PublicKey)}}
	all := append([]Gateway{{Spec: r.spec, Queues: []tun.Queue{r.device}, Certificates: r.certs}}, others...)
	for id, err := range r.svc.Apply(keys, all, nil) {
		if err != nil {
			r.t.Fatalf("%s: %v", id, err)
		}
	}
}

// dtlsAt is a session over DTLS at the server of a name.
func (r *rig) dtlsAt(server, user string) *dtlsPeer {
	r.t.Helper()
	p := r.dial(&tls.Config{ServerName: server})
	h := p.connect(p.login(user), "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	d := r.dtlsFor(p, h.Get("X-Dtls-App-Id"))
	d.handshake()
	return d
}

// TestACustomerOverItsRateHoldsNobodyElseUp: the packets of one customer wait,
// those of another on the same port do not. Then the busy one is removed, and
// still nothing is stuck.
func TestACustomerOverItsRateHoldsNobodyElseUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	device := r.twoGateways(1_000_000)
	busy, calm := r.dtlsAt("two.example.com", "eve"), r.dtlsAt("one.example.com", "ann")
	flood := udpPacket("10.98.0.2", "10.77.0.2", make([]byte, 1200))
	for i := range 10 {
		for range 60 { // together some 50 times what may pass
			busy.send(openconnect.TypeData, flood)
		}
		want := udpPacket("10.98.0.2", "10.77.0.2", []byte{'a', byte(i)})
		calm.send(openconnect.TypeData, want)
		if got := r.took(); !bytes.Equal(got, want) {
			t.Fatalf("packet %d of the other customer: got %d bytes", i, len(got))
		}
	}
	_ = device.Close() // as its owner does first
	r.applyAll()       // without the busy one
	want := udpPacket("10.98.0.2", "10.77.0.2", []byte("after"))
	calm.send(openconnect.TypeData, want)
	if got := r.took(); !bytes.Equal(got, want) {
		t.Errorf("after the busy gateway is gone: got %d bytes", len(got))
	}
}

// took is the next packet that reached the first gateway's device.
func (r *rig) took() []byte {
	r.t.Helper()
	select {
	case p := <-r.queue.Packets():
		return p
	case <-time.After(waitLimit):
		r.t.Fatal("no packet reached the device")
		return nil
	}
}

// TestChatterIsNoActivity: what IPv6 neighbours say of themselves keeps no idle
// session alive (openconnect specification 10.6).
func TestChatterIsNoActivity(t *testing.T) {
	t.Parallel()
	v6 := func(next byte, rest ...byte) []byte {
		p := make([]byte, 80)
		p[0], p[6] = 0x60, next
		copy(p[40:], rest)
		return p
	}
	for _, c := range []struct {
		name string
		p    []byte
		want bool
	}{
		{"router solicitation", v6(58, 133), true},
		{"neighbour solicitation", v6(58, 135), true},
		{"neighbour advertisement", v6(58, 136), true},
		{"listener report behind hop-by-hop options", v6(0, 58, 0, 5, 2, 0, 0, 0, 0, 143), true},
		{"ping", v6(58, 128), false},
		{"unreachable", v6(58, 1), false},
		{"udp", v6(17, 133), false},
		{"options beyond the end", v6(0, 58, 200), false},
		{"short", v6(58, 135)[:45], false},
		{"IPv4", udpPacket("10.0.0.1", "10.0.0.2", nil), false},
		{"nothing", nil, false},
	} {
		if got := isChatter(c.p); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	c := &liveSession{}
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	c.received(session.DTLS, 1, 80, false, now)
	if c.lastData.Load() != 0 || c.packetsIn.Load() != 1 {
		t.Error("want chatter counted, but not as activity")
	}
	c.received(session.DTLS, 1, 80, true, now)
	if c.lastData.Load() != now.UnixNano() {
		t.Error("want data to be activity")
	}
}

// TestNothingIsKeptOfAnSSLClientThatIsGone: what still comes of it after it was
// forgotten makes no entry that nobody would remove.
func TestNothingIsKeptOfAnSSLClientThatIsGone(t *testing.T) {
	t.Parallel()
	x := newPacing(1_000_000)
	o := pacedOwner(0)
	gate := newDownPacer(x.p.g)
	defer gate.stop()
	x.p.put(o, make([]byte, 100), x.now)
	o.gone.Store(true)
	x.p.forget(o)
	gate.forget(o)
	pass := newPass()
	gate.ask(o, pass, 1<<20)
	select {
	case <-pass.granted:
	default:
		t.Error("its writer waits for a turn that never comes")
	}
	if x.p.put(o, make([]byte, 100), x.now) || len(x.p.byClient) != 0 || len(gate.byOwner) != 0 {
		t.Errorf("kept %d queues and %d lines, want none", len(x.p.byClient), len(gate.byOwner))
	}
}

// TestAClientsRateChangesUnderItsSession by what is desired, and back to what its
// grant said when nothing is; the tunnel goes on.
func TestAClientsRateChangesUnderItsSession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.grant(func(g *gwlink.Grant) { g.UpRate, g.DownRate = 0, 9_000_000 })
	p, _ := r.attached("ann")
	c, st := r.theClient()
	for _, want := range []struct{ up, down int64 }{{1_000_000, 2_000_000}, {0, 0}, {3_000_000, 0}} {
		r.spec.SSLServers[0].Clients = []gwlink.Client{{ID: "sslcli-ann", UpRate: want.up, DownRate: want.down}}
		r.apply()
		if up, down := c.sslClient.up.Rate(), c.sslClient.down.Rate(); up != want.up || down != want.down || c.upPaced.Load() != (up > 0) || c.paced.Load() != (down > 0) {
			t.Errorf("got %d up and %d down, paced %v and %v, want %v", up, down, c.upPaced.Load(), c.paced.Load(), want)
		}
		r.carries(p, "10.98.0.2")
	}
	r.spec.SSLServers[0].Clients = nil
	r.apply()
	if up, down := c.sslClient.up.Rate(), c.sslClient.down.Rate(); up != 0 || down != 9_000_000 {
		t.Errorf("without a word of it: got %d and %d, want the grant's", up, down)
	}
	if now, same := r.theClient(); now != c || same != st || len(r.sink.closed) != 0 {
		t.Error("the tunnel was made anew")
	}
}
