package sslvpn

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// gateway is one VPN gateway as it runs: its tunnel device and the sessions
// behind it.
type gateway struct {
	id        string
	log       *slog.Logger
	tally     *tally
	queues    []tun.Queue
	up, down  *shape.Bucket
	state     atomic.Pointer[gwlink.Gateway] // as desired
	paced     atomic.Bool                    // it has a rate towards the clients
	upPaced   atomic.Bool                    // it has a rate from the clients
	upPacer   *upPacer                       // from the clients
	downPacer *downPacer                     // towards them
	stop      chan struct{}
	wg        sync.WaitGroup

	opening sync.Mutex // one session at a time is counted and let in

	table *table
}

func newGateway(id string, queues []tun.Queue, log *slog.Logger, t *tally) *gateway {
	g := &gateway{
		id: id, log: log, tally: t, queues: queues, up: shape.New(0), down: shape.New(0),
		stop: make(chan struct{}), table: newTable(),
	}
	g.upPacer, g.downPacer = newUpPacer(g), newDownPacer(g)
	for i, q := range queues {
		g.wg.Go(func() { (&pump{g: g, number: i}).run(q) })
	}
	g.wg.Go(g.upPacer.run)
	return g
}

func (g *gateway) configure(spec gwlink.Gateway) {
	g.state.Store(&spec)
	g.up.SetRate(spec.UpRate)
	g.down.SetRate(spec.DownRate)
	g.paced.Store(spec.DownRate > 0)
	g.upPaced.Store(spec.UpRate > 0)
}

func (g *gateway) frozen() bool { return g.state.Load().State != gwlink.GatewayActive }

// pause waits after an error of the device; false when the gateway stops.
func (g *gateway) pause() bool {
	select {
	case <-time.After(100 * time.Millisecond):
		return true
	case <-g.stop:
		return false
	}
}

// close ends the goroutines. The queues must be closed by their owner first.
func (g *gateway) close() {
	close(g.stop)
	g.downPacer.stop()
	g.wg.Wait()
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
