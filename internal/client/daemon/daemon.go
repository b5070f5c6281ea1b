// Package daemon is the privileged half of skyconnect: it makes tunnel devices,
// moves their packets and changes the host's network, for the users of one
// machine who ask it by package ipc.
//
//	ipc ── up, down, watch ──▶ hub ──▶ connection ── client.Link ──▶ packets
//	                                        └─ netcfg.Host ──▶ routes, names, kill switch
//
// It holds neither profiles nor passwords: a caller logs in and hands over the
// cookie, which stays in memory. What it changed in the host's network is in
// netcfg's journal, so that its next start undoes what a killed one left.
//
// A restart for another version of the program loses nothing:
//
//	restart ─▶ links stop, devices stay ─▶ Handover ── exec, sealed memory ─▶ the
//	other program: takes up what was handed over, then inherits the rest ─▶ links go on
//
// Killed anywhere there, it is as killed anywhere else.
//
// Invariants: a connection belongs to the user who made it; without the digest
// of an accepted policy no socket is opened; no packet of a connection with a
// kill switch leaves the machine beside the tunnel until its user says so, also
// when the server refuses or the daemon was killed; nothing of a login is on disk.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// Host changes the host's network; [netcfg.Host] is the real one.
type Host interface {
	Plans() []netcfg.Plan
	Apply(ctx context.Context, p netcfg.Plan) ([]netcfg.Warning, error)
	Remove(ctx context.Context, device string) error
	Watch(ctx context.Context) (<-chan struct{}, error)
}

// Devices makes tunnel devices and has them outlive a restart; [System] is the real
// one.
type Devices interface {
	Open(device string, queues int) ([]tun.Queue, error)
	// Keep returns descriptors by which a device outlives its queues, the caller's to
	// close.
	Keep(queues []tun.Queue) ([]int, error)
	// Adopt makes queues of what Keep returned, and owns it also when it fails.
	Adopt(device string, fds []int) ([]tun.Queue, error)
}

// Config of a daemon.
type Config struct {
	Listener net.Listener
	Host     Host
	StateDir string // who has which device is kept there
	Devices  Devices
	Queues   int // of each device
	Version  string
	Program  *Program                                              // that takes this one's place at a restart; nil = none can
	Taken    *Handover                                             // of the program before; nil = none
	Stayed   bool                                                  // the other program did not start, and this one goes on
	Trusted  func(context.Context, []bundle.TrustedNetwork) string // trusted.Detector.At
	Clock    clock.Clock
	Log      *slog.Logger
}

// Run undoes what a killed daemon left, but for kill switches, serves until ctx
// ends, and then takes every connection down. When a restart was asked for, it
// returns instead what the next one takes up.
func Run(ctx context.Context, cfg Config) (*Handover, error) {
	h := newHub(cfg)
	taken := h.takeUp(cfg.Taken)
	if err := h.inherit(ctx); err != nil {
		return nil, fmt.Errorf("undoing what a former daemon left: %w", err)
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	h.restarts = stop
	changes, err := cfg.Host.Watch(serving)
	if err != nil {
		return nil, fmt.Errorf("watching the network: %w", err)
	}
	for _, c := range taken {
		c.start()
	}
	following := make(chan struct{})
	go func() { defer close(following); h.follow(serving, changes) }()
	err = ipc.Serve(serving, cfg.Listener, h.call)
	stop()
	<-following
	if h.restarting() && ctx.Err() == nil {
		return h.handOver(), nil
	}
	h.close()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return nil, err
}
