package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

// holder says whose a device is. It is kept so that a kill switch which outlives
// the daemon still has a user who may end it.
type holder struct {
	Device     string `json:"device"`
	User       string `json:"user"`
	Profile    string `json:"profile"`
	Name       string `json:"name"`
	Server     string `json:"server"`
	KillSwitch bool   `json:"kill_switch"`
	LocalLAN   bool   `json:"local_lan"`
}

func (h *hub) holdersFile() string { return filepath.Join(h.cfg.StateDir, "holders.json") }

// remember writes who has which device. It is called with the hub locked, before
// the host's network is changed for a connection.
func (h *hub) remember() error {
	all := []holder{}
	for k, c := range h.all {
		all = append(all, holder{c.device, k.user, k.profile, c.asked.Name, c.asked.Server, c.asked.KillSwitch, c.asked.LocalLAN})
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return durable.Replace(h.holdersFile(), b)
}

// inherit undoes what a killed daemon did to the host's network, but not what was
// handed over. A kill switch stays, as a connection that its user takes down or
// makes anew.
func (h *hub) inherit(ctx context.Context) error {
	holders := map[string]holder{}
	b, err := os.ReadFile(h.holdersFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("who had which device: %w", err)
	}
	var all []holder
	if err == nil {
		_ = json.Unmarshal(b, &all) // of a broken file nobody is left to ask; then kill switches are an administrator's
	}
	for _, o := range all {
		holders[o.Device] = o
	}
	for _, p := range h.cfg.Host.Plans() {
		if h.has(p) {
			continue
		}
		if p.KillSwitch {
			h.keep(p, holders[p.Device])
			continue
		}
		if err := h.cfg.Host.Remove(ctx, p.Device); err != nil {
			return err
		}
		h.cfg.Log.Info("undone what a former daemon left", "device", p.Device)
	}
	return nil
}

// has tells whether a plan is that of a connection which was handed over.
func (h *hub) has(p netcfg.Plan) bool {
	return slices.ContainsFunc(h.list(), func(c *connection) bool {
		return c.device == p.Device && (c.link != nil || p.KillSwitch)
	})
}

// root is who may end a kill switch that nobody else is known to hold.
const root = "0"

func (h *hub) keep(p netcfg.Plan, o holder) {
	if o.User == "" {
		o = holder{Device: p.Device, User: root, Profile: p.Device, Name: p.Device, KillSwitch: true}
	}
	c := &connection{
		hub: h, key: key{o.User, o.Profile}, device: p.Device, plan: p, done: make(chan struct{}),
		asked: ipc.Up{Profile: o.Profile, Name: o.Name, Server: o.Server, KillSwitch: true, LocalLAN: o.LocalLAN},
	}
	close(c.done)
	h.all[c.key] = c
	h.cfg.Log.Warn("a kill switch goes on that a former daemon left", "device", p.Device)
}
