package sslvpn

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// pacing is a pacer without a gateway's goroutines, and time as it is told.
type pacing struct {
	p   *pacer
	now time.Time
}

func newPacing(rate int64) *pacing {
	g := &gateway{log: slog.New(slog.DiscardHandler), up: shape.New(rate), down: shape.New(0), stop: make(chan struct{})}
	g.pacer = newPacer(g)
	return &pacing{p: g.pacer, now: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)}
}

func pacedClient(rate int64) *client { return &client{up: shape.New(rate), down: shape.New(0)} }

// run has senders offer packets without end for a time and returns the bytes
// that each got through.
func (x *pacing) run(d time.Duration, senders map[*client][]int) map[*client]int {
	sent := map[*client]int{}
	var t turn
	for end := x.now.Add(d); x.now.Before(end); {
		for c, sizes := range senders {
			for full := false; !full; { // each flow of the client offers a packet
				for _, n := range sizes {
					full = !x.p.put(c, make([]byte, n), x.now) || full
				}
			}
		}
		wait, ok := x.p.next(x.now, &t)
		if !ok {
			x.now = x.now.Add(max(wait, time.Microsecond))
			continue
		}
		x.now = x.now.Add(x.p.g.up.Reserve(x.now, t.bytes))
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
	senders := map[*client][]int{}
	for i := range 10 {
		sizes := []int{1400 - 130*i}
		if i%2 == 0 {
			sizes = append(sizes, sizes[0], sizes[0], 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60)
		}
		senders[pacedClient(0)] = sizes
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

func TestAClientsOwnRateLeavesTheRestToOthers(t *testing.T) {
	t.Parallel()
	x := newPacing(10_000_000)
	slow, fast := pacedClient(1_000_000), pacedClient(0)
	sent := x.run(10*time.Second, map[*client][]int{slow: {1400}, fast: {1400}})
	mbit := func(c *client) float64 { return float64(sent[c]) * 8 / 10 / 1e6 }
	if s, f := mbit(slow), mbit(fast); s < 0.95 || s > 1.05 || f < 8.7 || f > 9.3 {
		t.Errorf("got %.2f and %.2f Mbit/s, want 1 and the other 9", s, f)
	}
}

func TestWhatWaitsIsBoundedByTime(t *testing.T) {
	t.Parallel()
	for _, rate := range []int64{64_000, 1_000_000, 100_000_000} {
		x, c := newPacing(0), pacedClient(rate)
		for x.p.put(c, make([]byte, 1000), x.now) {
		}
		most := min(max(bytesAt(rate, maxSojourn), heldLeast), heldMost)
		if got := x.p.byOwner[c].bytes; got > most || got < most-1000 {
			t.Errorf("at %d bit/s: %d bytes wait, want about %d", rate, got, most)
		}
		x.p.forget(c)
		if x.p.holds(c) || len(x.p.ring) != 0 {
			t.Error("something waits of a client that is gone")
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
