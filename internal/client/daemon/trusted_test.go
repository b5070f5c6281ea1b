package daemon

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// standing is a connection of alice's whose tunnel is in force, on a machine that
// stands where at says.
func standing(t *testing.T, change func(*ipc.Up)) (h *hub, c *connection, m *host, at *place) {
	t.Helper()
	m, at = &host{}, new(place)
	h = newHub(Config{
		Host: m, StateDir: t.TempDir(), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
		Trusted: func(context.Context, []bundle.TrustedNetwork) string { return at.get() },
	})
	up := ipc.Up{Profile: "p1", Policy: "digest", Trusted: []bundle.TrustedNetwork{{Domain: "corp.example.org"}}}
	if change != nil {
		change(&up)
	}
	c = &connection{hub: h, key: key{alice.ID, "p1"}, device: "sky0", asked: up, done: make(chan struct{})}
	c.link = client.NewLink(client.Config{}, openconnect.Secret{}, c.open)
	h.all[c.key] = c
	if err := c.apply(openconnect.Tunnel{MTU: 1400}, 0); err != nil {
		t.Fatal(err)
	}
	return h, c, m, at
}

// place is the domain of the network in which the machine stands.
type place struct{ atomic.Value }

func (p *place) set(domain string) { p.Store(domain) }

func (p *place) get() string {
	domain, _ := p.Load().(string)
	return domain
}

func (h *host) has() bool { return len(h.Plans()) == 1 }

// TestInATrustedNetworkNothingGoesThroughTheTunnel and everything again elsewhere,
// with what the server said meanwhile.
func TestInATrustedNetworkNothingGoesThroughTheTunnel(t *testing.T) {
	_, c, m, at := standing(t, nil)
	c.look(t.Context(), true)
	if !m.has() || c.snapshot().State == ipc.Paused {
		t.Errorf("elsewhere: got %v, %s", m.Plans(), c.snapshot().State)
	}
	at.set("corp.example.org")
	c.look(t.Context(), true)
	if s := c.snapshot(); m.has() || s.State != ipc.Paused || s.Trusted != at.get() {
		t.Errorf("inside: got %v, %+v", m.Plans(), s)
	}
	if err := c.apply(openconnect.Tunnel{MTU: 1300}, 0); err != nil || m.has() {
		t.Errorf("the server says more: got %v, %v", m.Plans(), err)
	}
	at.set("")
	c.look(t.Context(), false)
	if !m.has() || m.Plans()[0].MTU != 1300 || c.snapshot().State == ipc.Paused {
		t.Errorf("outside again: got %v, %s", m.Plans(), c.snapshot().State)
	}
}

// TestAMachineThatMovedWaitsForNoAnswer: the tunnel is back before the network is
// asked.
func TestAMachineThatMovedWaitsForNoAnswer(t *testing.T) {
	h, c, m, at := standing(t, nil)
	at.set("corp.example.org")
	c.look(t.Context(), true)
	h.cfg.Trusted = func(context.Context, []bundle.TrustedNetwork) string {
		if !m.has() {
			t.Error("the tunnel waits for the answer")
		}
		return ""
	}
	c.look(t.Context(), true)
}

func TestSomeConnectionsKnowNoTrustedNetwork(t *testing.T) {
	for name, change := range map[string]func(*ipc.Up){
		"a kill switch": func(u *ipc.Up) { u.KillSwitch = true },
		"none is named": func(u *ipc.Up) { u.Trusted = nil },
	} {
		_, c, m, at := standing(t, change)
		at.set("corp.example.org")
		if c.look(t.Context(), true); !m.has() {
			t.Errorf("%s: paused", name)
		}
	}
}

// TestWhatCannotBeUndoneIsNotSaidToBe: then the tunnel goes on.
func TestWhatCannotBeUndoneIsNotSaidToBe(t *testing.T) {
	_, c, m, at := standing(t, nil)
	at.set("corp.example.org")
	m.stuck = true
	if c.look(t.Context(), true); c.snapshot().State == ipc.Paused {
		t.Error("said to be paused with its routes in force")
	}
}

// TestTheNetworkIsLookedAtOnceMore when its resolver is known.
func TestTheNetworkIsLookedAtOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, m, at := standing(t, nil)
		changes, done := make(chan struct{}), make(chan struct{})
		go func() { defer close(done); h.follow(context.Background(), changes) }()
		changes <- struct{}{}
		synctest.Wait()
		at.set("corp.example.org") // DHCP is through
		time.Sleep(settles + time.Second)
		synctest.Wait()
		if m.has() {
			t.Error("not paused")
		}
		close(changes)
		<-done
	})
}
