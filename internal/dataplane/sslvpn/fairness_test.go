package sslvpn

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// busyRate is low enough that a slow machine keeps up with what is offered.
const busyRate = 4_000_000

// busy is two clients of a gateway with a rate, over DTLS.
func busy(t *testing.T, change func(*gwlink.Gateway)) (*rig, map[netip.Addr]*dtlsPeer) {
	r := newRig(t)
	change(&r.spec)
	r.apply()
	peers := map[netip.Addr]*dtlsPeer{}
	for _, name := range []string{"ann", "bob"} {
		p, d := r.withDTLS(name)
		d.handshake()
		go func() {
			for { // its TLS side is read, so that nothing waits there
				if _, err := p.in.ReadByte(); err != nil {
					return
				}
			}
		}()
	}
	for _, c := range r.svc.all() {
		peers[c.rec.Inner] = nil
	}
	return r, peers
}

// What two clients offer in a burst: the one eight times as much as the other,
// and that five times its share, so that a machine which is late offers enough.
const manyFlows, fewFlows = 32, 4

// offer calls send in bursts until the test says stop.
func offer(stop <-chan struct{}, send func()) {
	for t := time.NewTicker(4 * time.Millisecond); ; <-t.C {
		select {
		case <-stop:
			t.Stop()
			return
		default:
			send()
		}
	}
}

// TestBusyClientsShareTheGatewayDown: one client with many flows and one with few, both
// offered more than passes.
func TestBusyClientsShareTheGatewayDown(t *testing.T) {
	t.Parallel()
	r, peers := busy(t, func(g *gwlink.Gateway) { g.DownRate = busyRate })
	var all []string
	for a := range peers {
		all = append(all, a.String())
	}
	stop := make(chan struct{})
	defer close(stop)
	go offer(stop, func() {
		for i := range manyFlows + fewFlows {
			to := all[i/manyFlows]
			r.queue.Inject(udpPacket("10.77.0.2", to, make([]byte, 1200)))
		}
	})
	sent := func(c gwlink.Counters) uint64 { return c.BytesOut }
	r.compareShares(sent, 200_000)
}

// TestBusyClientsShareTheGatewayUp is the same in the other direction.
func TestBusyClientsShareTheGatewayUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.spec.UpRate = busyRate
	r.apply()
	stop := make(chan struct{})
	defer close(stop)
	var got [2]atomic.Int64
	for i, name := range []string{"ann", "bob"} {
		_, d := r.withDTLS(name)
		d.handshake()
		packet := udpPacket(fmt.Sprintf("10.98.0.%d", 2+i), "10.77.0.2", make([]byte, 1200))
		flows := []int{manyFlows, fewFlows}[i]
		go offer(stop, func() {
			for range flows {
				if _, err := d.conn.Write(d.seal(openconnect.TypeData, packet)); err != nil {
					return
				}
			}
		})
	}
	until := time.After(waitLimit)
	for got[0].Load()+got[1].Load() < 400 {
		select {
		case p := <-r.queue.Packets():
			src, _, _ := filter.Addresses(p)
			got[src.As4()[3]-2].Add(1)
		case <-until:
			t.Fatalf("only %d and %d packets in time", got[0].Load(), got[1].Load())
		}
	}
	a, b := float64(got[0].Load()), float64(got[1].Load())
	if j := jain(a, b); j < 0.95 {
		t.Errorf("got %.0f and %.0f packets, fairness %.3f, want 0.95", a, b, j)
	}
}

// compareShares waits until sessions have moved so many bytes together.
func (r *rig) compareShares(of func(gwlink.Counters) uint64, enough uint64) {
	r.t.Helper()
	for end := time.Now().Add(waitLimit); ; time.Sleep(5 * time.Millisecond) {
		var total uint64
		var shares []float64
		for _, c := range r.svc.Live() {
			total, shares = total+of(c), append(shares, float64(of(c)))
		}
		if total >= enough {
			if j := jain(shares...); j < 0.95 {
				r.t.Errorf("got %v bytes, fairness %.3f, want 0.95", shares, j)
			}
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("only %v bytes in time", shares)
		}
	}
}
