package user

import (
	"context"
	"net/netip"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/doctor"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
)

// Target is what the doctor looks at: this machine, and for a profile whose policy
// is accepted its server. private are the words that a report must not hold.
func (h *Home) Target(ctx context.Context, p *profile.Profile) (t doctor.Target, private []string, err error) {
	t.Daemon = func(ctx context.Context) error {
		_, err := h.Daemon.Status(ctx)
		return err
	}
	if p == nil {
		return t, nil, nil
	}
	permit, _, err := h.Permit(*p)
	if err != nil {
		return t, nil, err
	}
	private = []string{p.Name, p.Account, p.Server}
	t.Server, t.WantDTLS = p.Server, p.Options.DTLS
	t.Secure = func(ctx context.Context, at netip.AddrPort) (doctor.Answer, error) {
		cfg, err := h.config(ctx, *p, &ipc.Up{})
		if err != nil {
			return doctor.Answer{}, err
		}
		cfg.Permit, cfg.At = permit, at
		seen, err := client.Look(ctx, cfg)
		if err != nil {
			return doctor.Answer{}, err
		}
		return doctor.Answer{NotAfter: seen.NotAfter, Date: seen.Date, Version: seen.TLS}, nil
	}
	if now, err := h.Daemon.Status(ctx); err == nil {
		for _, c := range now.Connections {
			if c.Profile == p.ID && c.State == ipc.Connected {
				t.Device, t.Channel, t.Includes, t.DNS = c.Device, c.Channel, c.Include, c.DNS
			}
		}
	}
	return t, private, nil
}
