package daemon

import (
	"cmp"
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	maxConnections = 8               // of all users together
	watchEvery     = time.Second     // while somebody watches a connection that is up
	downLimit      = 5 * time.Second // for taking one connection down
)

// key names a connection: profiles of two users are two, whatever they are called.
type key struct{ user, profile string }

// hub knows all connections.
type hub struct {
	cfg Config

	mu      sync.Mutex
	all     map[key]*connection
	changed chan struct{} // closed and replaced at every change
	closed  bool
	handing bool // closed, and another program takes the connections up

	began    time.Time
	restarts func()        // ends serving
	halt     chan struct{} // closed when links have to stop, without ending their sessions
}

func newHub(cfg Config) *hub {
	return &hub{
		cfg: cfg, all: map[key]*connection{}, changed: make(chan struct{}),
		began: cfg.Clock.Now(), restarts: func() {}, halt: make(chan struct{}),
	}
}

// call is the [ipc.Handler].
func (h *hub) call(ctx context.Context, who ipc.User, r ipc.Request, send func(ipc.Answer) error) error {
	switch r.Op {
	case ipc.OpStatus:
		s := h.status(who)
		return send(ipc.Answer{Status: &s})
	case ipc.OpWatch:
		return h.watch(ctx, who, send)
	case ipc.OpUp:
		return h.up(ctx, who, *r.Up, send)
	case ipc.OpDown:
		return h.down(ctx, who, r.Profile)
	case ipc.OpRepair:
		return h.repair(ctx, who, send)
	case ipc.OpRestart:
		return h.restart(ctx, who)
	}
	return ipc.ErrRequest
}

// status is what who may see: their own connections.
func (h *hub) status(who ipc.User) ipc.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := ipc.Status{Version: h.cfg.Version, Began: h.began, Renewed: h.cfg.Program.Replaced(), Stayed: h.cfg.Stayed, Connections: []ipc.Connection{}}
	for k, c := range h.all {
		if k.user == who.ID {
			out.Connections = append(out.Connections, c.snapshot())
		}
	}
	slices.SortFunc(out.Connections, func(a, b ipc.Connection) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Profile, b.Profile))
	})
	return out
}

// watch sends the status at once, after changes, and every second while one of
// the connections counts.
func (h *hub) watch(ctx context.Context, who ipc.User, send func(ipc.Answer) error) error {
	for {
		h.mu.Lock()
		changed := h.changed
		h.mu.Unlock()
		s := h.status(who)
		if err := send(ipc.Answer{Status: &s}); err != nil {
			return err
		}
		var tick <-chan time.Time
		if slices.ContainsFunc(s.Connections, func(c ipc.Connection) bool { return c.State == ipc.Connected }) {
			tick = time.After(watchEvery)
		}
		select {
		case <-ctx.Done():
			if h.restarting() {
				return ipc.ErrRestarting
			}
			return ctx.Err()
		case <-changed:
		case <-tick:
		}
	}
}

// tell wakes who waits for a change.
func (h *hub) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}

// up makes a connection and tells its caller how it comes up. A caller who leaves
// before that takes it down; a restart does not.
func (h *hub) up(ctx context.Context, who ipc.User, up ipc.Up, send func(ipc.Answer) error) error {
	c, err := h.begin(who, up)
	if err != nil {
		return err
	}
	for {
		h.mu.Lock()
		changed := h.changed
		h.mu.Unlock()
		now := c.snapshot()
		if err := send(ipc.Answer{Connection: &now}); err != nil {
			_ = h.end(ctx, c)
			return err
		}
		if now.State == ipc.Connected || now.State == ipc.Paused || now.State.Over() {
			return nil
		}
		select {
		case <-ctx.Done():
			if h.restarting() {
				return ipc.ErrRestarting
			}
			return h.end(context.WithoutCancel(ctx), c)
		case <-changed:
		}
	}
}

// begin registers a connection and starts it. One that is over makes room for
// its successor, which takes the device and the kill switch over.
func (h *hub) begin(who ipc.User, up ipc.Up) (*connection, error) {
	if err := check(up); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	k := key{who.ID, up.Profile}
	old := h.all[k]
	switch {
	case h.handing:
		return nil, ipc.ErrRestarting
	case h.closed:
		return nil, ipc.ErrSystem
	case old != nil && !old.over():
		return nil, ipc.ErrBusy
	case old == nil && len(h.all) >= maxConnections:
		return nil, ipc.ErrTooMany
	}
	device := h.freeDevice()
	if old != nil {
		device = old.device
	}
	c, err := h.prepare(k, device, up)
	if err != nil {
		return nil, err
	}
	h.all[k] = c
	if err := h.remember(); err != nil {
		if delete(h.all, k); old != nil {
			h.all[k] = old
		}
		return nil, ipc.ErrSystem.With(err)
	}
	c.start()
	return c, nil
}

func (h *hub) freeDevice() string {
	for i := 0; ; i++ {
		name := tun.Name(i)
		used := false
		for _, c := range h.all {
			used = used || c.device == name
		}
		if _, err := net.InterfaceByName(name); !used && err != nil {
			return name
		}
	}
}

// check bounds what a caller says.
func check(up ipc.Up) error {
	host, port, err := net.SplitHostPort(up.Server)
	switch {
	case up.Policy == "":
		return ipc.ErrPolicy
	case up.Profile == "" || len(up.Profile) > 64 || len(up.Name) > 256:
		return ipc.ErrRequest
	case err != nil || host == "" || port == "" || len(host) > 253:
		return ipc.ErrRequest
	case !bundle.GoodTrusted(up.Trusted):
		return ipc.ErrRequest
	case up.Cookie.IsZero() || len(up.Cookie.Reveal()) > 4096:
		return ipc.ErrRequest
	}
	return nil
}

func (h *hub) down(ctx context.Context, who ipc.User, profile string) error {
	var mine []*connection
	h.mu.Lock()
	for k, c := range h.all {
		if k.user == who.ID && (profile == "" || k.profile == profile) {
			mine = append(mine, c)
		}
	}
	h.mu.Unlock()
	if profile != "" && len(mine) == 0 {
		return ipc.ErrUnknown
	}
	var err error
	for _, c := range mine {
		if e := h.end(ctx, c); e != nil {
			err = e
		}
	}
	return err
}

// end takes a connection down and restores the host's network. A connection
// whose traces cannot be removed stays in the list, so that it can be tried again.
func (h *hub) end(ctx context.Context, c *connection) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downLimit)
	defer cancel()
	defer h.tell()
	c.stop()
	if err := h.cfg.Host.Remove(ctx, c.device); err != nil {
		h.cfg.Log.Error("the network could not be restored", "device", c.device, "error", err)
		return ipc.ErrSystem.With(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all[c.key] == c {
		delete(h.all, c.key)
	}
	return nil
}

// repair takes down, for an administrator, what is over and whoever's it was: the
// kill switches that go on.
func (h *hub) repair(ctx context.Context, who ipc.User, send func(ipc.Answer) error) error {
	if !who.Admin {
		return ipc.ErrForbidden
	}
	var undone []string
	for _, c := range h.list() {
		if !c.over() {
			continue
		}
		if err := h.end(ctx, c); err != nil {
			return err
		}
		undone = append(undone, c.device)
	}
	return send(ipc.Answer{Undone: undone})
}

// list is all connections now.
func (h *hub) list() []*connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.all))
}

// follow has every connection look at its path, and where it is, when the network
// changed.
func (h *hub) follow(ctx context.Context, changes <-chan struct{}) {
	moved, around := make(chan struct{}, 1), make(chan struct{})
	defer func() { close(moved); <-around }()
	go func() { defer close(around); h.lookAround(ctx, moved) }()
	for range changes {
		for _, c := range h.list() {
			c.kick()
		}
		select {
		case moved <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// close takes everything down, kill switches too: who stops the daemon in order
// wants the machine's network back.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, c := range h.list() {
		_ = h.end(context.Background(), c) // what it cannot undo the journal knows
	}
}
