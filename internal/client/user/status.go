package user

import (
	"context"
	"net/netip"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
)

// Status is what is known of one profile.
type Status struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Server     string         `json:"server"`
	Account    string         `json:"account,omitempty"`
	Connection ipc.Connection `json:"connection"`
}

// Join puts the profiles and the daemon's connections together; a profile without
// one is down.
func Join(profiles []profile.Profile, now ipc.Status) []Status {
	out := []Status{}
	for _, p := range profiles {
		s := Status{
			ID: p.ID, Name: p.Name, Server: p.Server, Account: p.Account,
			Connection: ipc.Connection{Profile: p.ID, Name: p.Name, Server: p.Server, State: ipc.Down},
		}
		if i := slices.IndexFunc(now.Connections, func(c ipc.Connection) bool { return c.Profile == p.ID }); i >= 0 {
			s.Connection = now.Connections[i]
		}
		out = append(out, s)
	}
	return out
}

// Status asks the daemon. With a daemon that does not run, every profile is down
// and the error says so.
func (h *Home) Status(ctx context.Context) ([]Status, error) {
	profiles, _, err := h.Profiles.All()
	if err != nil {
		return nil, err
	}
	now, err := h.Daemon.Status(ctx)
	return Join(profiles, now), err
}

// reached is where the daemon last reached a profile's server, which need not be
// looked up then.
func (h *Home) reached(ctx context.Context, p profile.Profile) netip.AddrPort {
	now, err := h.Daemon.Status(ctx)
	if err != nil {
		return netip.AddrPort{}
	}
	for _, c := range now.Connections {
		if c.Profile == p.ID {
			return c.At
		}
	}
	return netip.AddrPort{}
}
