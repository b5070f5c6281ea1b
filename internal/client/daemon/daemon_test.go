package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// host is a machine whose network is in memory.
type host struct {
	mu    sync.Mutex
	plans []netcfg.Plan
	stuck bool // Remove fails
}

func (h *host) Plans() []netcfg.Plan {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.plans)
}

func (h *host) Apply(_ context.Context, p netcfg.Plan) ([]netcfg.Warning, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plans = append(slices.DeleteFunc(h.plans, func(o netcfg.Plan) bool { return o.Device == p.Device }), p)
	return nil, nil
}

func (h *host) Remove(_ context.Context, device string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stuck {
		return errors.New("stuck")
	}
	h.plans = slices.DeleteFunc(h.plans, func(o netcfg.Plan) bool { return o.Device == device })
	return nil
}

func (h *host) Watch(ctx context.Context) (<-chan struct{}, error) {
	c := make(chan struct{})
	context.AfterFunc(ctx, func() { close(c) })
	return c, nil
}

var (
	alice = ipc.User{ID: "1000"}
	bob   = ipc.User{ID: "1001"}
	admin = ipc.User{ID: "0", Admin: true}
)

// left is a machine on which a killed daemon left two tunnels, one of them with a
// kill switch of alice's.
func left(t *testing.T) (*hub, *host) {
	t.Helper()
	m := &host{plans: []netcfg.Plan{{Device: "sky0", KillSwitch: true}, {Device: "sky1"}}}
	h := newHub(Config{
		Host: m, StateDir: t.TempDir(), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Version: "v1",
		Devices: noDevices{t},
	})
	text := `[{"device":"sky0","user":"1000","profile":"p1","name":"office","server":"vpn.example.com:443","kill_switch":true}]`
	if err := os.WriteFile(filepath.Join(h.cfg.StateDir, "holders.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.inherit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h, m
}

// noDevices is a machine on which none may be made.
type noDevices struct{ t *testing.T }

func (n noDevices) Open(string, int) ([]tun.Queue, error) {
	n.t.Error("a device is opened")
	return nil, errors.New("no")
}
func (noDevices) Keep([]tun.Queue) ([]int, error)          { return nil, errors.New("no") }
func (noDevices) Adopt(string, []int) ([]tun.Queue, error) { return nil, errors.New("no") }

func (h *hub) do(who ipc.User, r ipc.Request) (all []ipc.Answer, err error) {
	err = h.call(context.Background(), who, r, func(a ipc.Answer) error { all = append(all, a); return nil })
	return all, err
}

func TestAKillSwitchIsInheritedAndTheRestUndone(t *testing.T) {
	h, m := left(t)
	if len(m.plans) != 1 || m.plans[0].Device != "sky0" {
		t.Errorf("in force: %v", m.plans)
	}
	all, err := h.do(alice, ipc.Request{Op: ipc.OpStatus})
	if err != nil || len(all) != 1 || len(all[0].Status.Connections) != 1 {
		t.Fatalf("got %+v, %v", all, err)
	}
	if c := all[0].Status.Connections[0]; c.Profile != "p1" || c.Name != "office" || c.State != ipc.Failed || c.Cause != "left" || !c.KillSwitch {
		t.Errorf("got %+v", c)
	}
}

// TestOneUsersConnectionIsNoOthers: not to see, not to end, not to take over.
func TestOneUsersConnectionIsNoOthers(t *testing.T) {
	h, m := left(t)
	all, err := h.do(bob, ipc.Request{Op: ipc.OpStatus})
	if err != nil || len(all[0].Status.Connections) != 0 {
		t.Errorf("bob sees %+v, %v", all, err)
	}
	if _, err := h.do(bob, ipc.Request{Op: ipc.OpDown, Profile: "p1"}); !errors.Is(err, ipc.ErrUnknown) {
		t.Errorf("bob ends it: %v", err)
	}
	if _, err := h.do(bob, ipc.Request{Op: ipc.OpDown}); err != nil || len(m.plans) != 1 {
		t.Errorf("bob ends all: %v, %v", err, m.plans)
	}
	if _, err := h.do(bob, ipc.Request{Op: ipc.OpRepair}); !errors.Is(err, ipc.ErrForbidden) {
		t.Errorf("bob repairs: %v", err)
	}
	if _, err := h.do(alice, ipc.Request{Op: ipc.OpDown, Profile: "p1"}); err != nil || len(m.plans) != 0 {
		t.Errorf("alice: %v, %v", err, m.plans)
	}
}

func TestAnAdministratorRepairs(t *testing.T) {
	h, m := left(t)
	m.stuck = true
	if _, err := h.do(admin, ipc.Request{Op: ipc.OpRepair}); !errors.Is(err, ipc.ErrSystem) {
		t.Errorf("a stuck machine: got %v", err)
	}
	if all, _ := h.do(alice, ipc.Request{Op: ipc.OpStatus}); len(all[0].Status.Connections) != 1 {
		t.Error("what could not be undone is forgotten")
	}
	m.stuck = false
	all, err := h.do(admin, ipc.Request{Op: ipc.OpRepair})
	if err != nil || len(all) != 1 || !slices.Equal(all[0].Undone, []string{"sky0"}) || len(m.plans) != 0 {
		t.Errorf("got %+v, %v, %v", all, err, m.plans)
	}
}

func TestABrokenListOfHoldersOpensNothing(t *testing.T) {
	m := &host{plans: []netcfg.Plan{{Device: "sky0", KillSwitch: true}}}
	h := newHub(Config{Host: m, StateDir: t.TempDir(), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	if err := os.WriteFile(filepath.Join(h.cfg.StateDir, "holders.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.inherit(t.Context()); err != nil || len(m.plans) != 1 {
		t.Fatalf("got %v, %v", err, m.plans)
	}
	if _, err := h.do(alice, ipc.Request{Op: ipc.OpDown}); err != nil || len(m.plans) != 1 {
		t.Errorf("somebody ended it: %v, %v", err, m.plans)
	}
	if _, err := h.do(admin, ipc.Request{Op: ipc.OpRepair}); err != nil || len(m.plans) != 0 {
		t.Errorf("nobody can end it: %v, %v", err, m.plans)
	}
}

func TestBadRequestsConnectNothing(t *testing.T) {
	h, m := left(t)
	good := ipc.Up{Profile: "p2", Name: "n", Server: "192.0.2.1:443", Cookie: ipc.NewSecret([]byte("c")), Policy: "digest"}
	for name, c := range map[string]struct {
		change func(*ipc.Up)
		want   error
	}{
		"without a policy":   {func(u *ipc.Up) { u.Policy = "" }, ipc.ErrPolicy},
		"without a cookie":   {func(u *ipc.Up) { u.Cookie = ipc.Secret{} }, ipc.ErrRequest},
		"without a port":     {func(u *ipc.Up) { u.Server = "192.0.2.1" }, ipc.ErrRequest},
		"without a profile":  {func(u *ipc.Up) { u.Profile = "" }, ipc.ErrRequest},
		"a key that is none": {func(u *ipc.Up) { u.Certificate, u.Key = "x", ipc.NewSecret([]byte("y")) }, ipc.ErrRequest},
		"roots that are not": {func(u *ipc.Up) { u.Roots = "x" }, ipc.ErrRequest},
		"a proxy of nothing": {func(u *ipc.Up) { u.Proxy = "::" }, ipc.ErrRequest},
	} {
		up := good
		c.change(&up)
		if _, err := h.do(bob, ipc.Request{Op: ipc.OpUp, Up: &up}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(h.all) != 1 || len(m.plans) != 1 {
		t.Errorf("left %d connections, %v", len(h.all), m.plans)
	}
	if _, err := h.do(bob, ipc.Request{Op: "sudo"}); !errors.Is(err, ipc.ErrRequest) {
		t.Errorf("got %v", err)
	}
}
