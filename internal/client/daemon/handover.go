package daemon

import (
	"fmt"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
)

// Handover is what a daemon gives the program that takes its place in the same
// process: connections with their cookies and keys, and the descriptors of their
// devices. It is in memory alone and goes with the process.
type Handover struct {
	Version     int      `json:"version"`
	Connections []handed `json:"connections"`
}

// handoverVersion is that of a Handover's form. What a program of another one hands
// over is not taken up: then it is as after a kill.
const handoverVersion = 1

// Takes refuses a version of a Handover's form that is not taken up.
func Takes(version int) error {
	if version != handoverVersion {
		return fmt.Errorf("connections are taken up from version %d of a handover, not from %d", handoverVersion, version)
	}
	return nil
}

// handed is one connection.
type handed struct {
	User     string          `json:"user"`
	Device   string          `json:"device"`
	Queues   []int           `json:"queues,omitempty"` // descriptors of the device; none: it is to be made
	Up       ipc.Up          `json:"up"`               // with its secrets, unless it is over
	Past     client.Past     `json:"past"`
	Plan     netcfg.Plan     `json:"plan"`
	Aside    string          `json:"aside,omitempty"` // domain of the trusted network in which it is paused
	Over     *ipc.Connection `json:"over,omitempty"`  // nil: it goes on
	Warnings []string        `json:"warnings,omitempty"`
}

// queues are the descriptors of all devices.
func (o *Handover) queues() (all []int) {
	for _, c := range o.Connections {
		all = append(all, c.Queues...)
	}
	return all
}

// handOver stops every link, in a way that its session goes on at the server, and
// keeps the devices: what the system sends into a tunnel waits there.
func (h *hub) handOver() *Handover {
	out := &Handover{Version: handoverVersion}
	all := h.list()
	kept := map[*connection][]int{}
	for _, c := range all {
		kept[c] = c.keep()
	}
	close(h.halt)
	for _, c := range all {
		<-c.done
		out.Connections = append(out.Connections, c.hand(kept[c]))
	}
	return out
}

// keep has the device outlive its queues. Without, a tunnel comes back with a new one.
func (c *connection) keep() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil || c.over() || len(c.queues) == 0 {
		return nil
	}
	fds, err := c.hub.cfg.Devices.Keep(c.queues)
	if err != nil {
		c.hub.cfg.Log.Error("a device does not outlive the restart", "device", c.device, "error", err)
	}
	return fds
}

// hand is a connection whose link has stopped.
func (c *connection) hand(kept []int) handed {
	out := handed{User: c.key.user, Device: c.device, Up: c.asked}
	if c.link == nil || !c.halted() {
		closeAll(kept)
		over := c.snapshot()
		out.Plan, out.Over, out.Up.Key, out.Up.Cookie = c.planned(), &over, ipc.Secret{}, ipc.Secret{}
		return out
	}
	s := c.link.Snapshot()
	if out.Queues = kept; s.Server.IsValid() {
		out.Up.At = s.Server // a kill switch lets no name be looked up
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out.Plan, out.Aside, out.Warnings = c.plan, c.aside, c.warnings
	out.Past = client.Past{Server: s.Server, Up: s.Up, Down: s.Down}
	for _, a := range c.plan.Addresses {
		out.Past.Addresses = append(out.Past.Addresses, a.Addr())
	}
	return out
}

func (c *connection) planned() netcfg.Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plan
}

// takeUp makes the connections that were handed over, those to be started returned.
// What cannot be taken up is as after a kill.
func (h *hub) takeUp(from *Handover) (all []*connection) {
	if from == nil {
		return nil
	}
	for _, o := range from.Connections {
		c, err := h.takeUpOne(o)
		o.Up.Key.Clear()
		o.Up.Cookie.Clear()
		if err != nil {
			h.cfg.Log.Error("a connection is not taken up", "device", o.Device, "error", err)
			continue
		}
		h.all[c.key] = c
		if c.link != nil {
			all = append(all, c)
		}
	}
	return all
}

func (h *hub) takeUpOne(o handed) (*connection, error) {
	k := key{o.User, o.Up.Profile}
	if o.Over != nil {
		c := &connection{hub: h, key: k, device: o.Device, asked: o.Up, was: o.Over, plan: o.Plan, done: make(chan struct{})}
		close(c.done)
		return c, nil
	}
	err := check(o.Up)
	var c *connection
	if err == nil {
		c, err = h.prepare(k, o.Device, o.Up)
	}
	if err != nil {
		closeAll(o.Queues)
		return nil, err
	}
	c.plan, c.aside, c.warnings = o.Plan, o.Aside, slices.Clone(o.Warnings)
	if len(o.Queues) == 0 {
		return c, nil
	}
	if c.queues, err = h.cfg.Devices.Adopt(o.Device, o.Queues); err != nil {
		h.cfg.Log.Error("a device did not outlive the restart", "device", o.Device, "error", err)
		return c, nil // it gets another one
	}
	c.link.Resume(c.queues, o.Past)
	return c, nil
}
