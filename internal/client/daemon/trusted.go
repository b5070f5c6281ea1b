package daemon

import (
	"context"
	"time"
)

// settles is how long after a change of the network its resolver is known too.
const settles = 5 * time.Second

// lookAround has connections see whether they are in a trusted network, at each
// change and once more when it has settled.
func (h *hub) lookAround(ctx context.Context, moved <-chan struct{}) {
	var settled <-chan time.Time
	for {
		first := false
		select {
		case _, ok := <-moved:
			if !ok {
				return
			}
			first, settled = true, time.After(settles)
		case <-settled:
			settled = nil
		case <-ctx.Done():
			return
		}
		for _, c := range h.list() {
			c.look(ctx, first)
		}
	}
}

// look pauses the connection in a trusted network, and has it go on elsewhere. A
// machine that moved is taken to have left, until the network proves itself:
// packets wait for no answer.
func (c *connection) look(ctx context.Context, moved bool) {
	if len(c.asked.Trusted) == 0 || c.asked.KillSwitch || c.link == nil || c.over() || c.hub.cfg.Trusted == nil {
		return
	}
	if moved {
		c.goOn()
	}
	if at := c.hub.cfg.Trusted(ctx, c.asked.Trusted); at != "" {
		c.pause(at)
	} else {
		c.goOn()
	}
}

// pausedIn is the domain of the network in which it is paused; empty: it is not.
func (c *connection) pausedIn() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.aside
}

func (c *connection) setAside(at string) {
	c.mu.Lock()
	c.aside = at
	c.mu.Unlock()
	c.hub.tell()
}

// pause takes the tunnel's routes and names out of the host's network. The session
// stays, so that nobody has to log in again; what cannot be undone stays as it is.
func (c *connection) pause(at string) {
	c.host.Lock()
	defer c.host.Unlock()
	if c.pausedIn() != "" || c.over() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), applyLimit)
	defer cancel()
	if err := c.hub.cfg.Host.Remove(ctx, c.device); err != nil {
		c.hub.cfg.Log.Error("the network could not be restored", "device", c.device, "error", err)
		return
	}
	c.setAside(at)
}

// goOn puts them back. A machine that refuses ends the connection, for its user to
// see: packets would go beside a tunnel that is said to be up.
func (c *connection) goOn() {
	c.host.Lock()
	if c.pausedIn() == "" {
		c.host.Unlock()
		return
	}
	c.mu.Lock()
	p := c.plan
	c.mu.Unlock()
	var err error
	if p.Device != "" {
		err = c.applyLocked(p)
	}
	c.host.Unlock()
	c.setAside("")
	if err != nil {
		c.hub.cfg.Log.Error("the tunnel does not come back", "device", c.device, "error", err)
		c.stop()
	}
}
