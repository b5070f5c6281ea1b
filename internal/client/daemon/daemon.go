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

// Config of a daemon.
type Config struct {
	Listener net.Listener
	Host     Host
	StateDir string                                               // who has which device is kept there
	Open     func(device string, queues int) ([]tun.Queue, error) // tun.Open
	Queues   int                                                  // of each device
	Version  string
	Trusted  func(context.Context, []bundle.TrustedNetwork) string // trusted.Detector.At
	Clock    clock.Clock
	Log      *slog.Logger
}

// Run undoes what a killed daemon left, but for kill switches, serves until ctx
// ends, and then takes every connection down.
func Run(ctx context.Context, cfg Config) error {
	h := newHub(cfg)
	if err := h.inherit(ctx); err != nil {
		return fmt.Errorf("undoing what a former daemon left: %w", err)
	}
	defer h.close()
	changes, err := cfg.Host.Watch(ctx)
	if err != nil {
		return fmt.Errorf("watching the network: %w", err)
	}
	go h.follow(ctx, changes)
	if err := ipc.Serve(ctx, cfg.Listener, h.call); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
