package user

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	osuser "os/user"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/doctor"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
)

// Target is what the doctor looks at: this machine, and for a profile whose policy
// is accepted its server. private are the words that a report must not hold.
func (h *Home) Target(ctx context.Context, p *profile.Profile) (t doctor.Target, private []string, err error) {
	t.Status, t.Traces = h.Daemon.Status, netcfg.Traces
	private = here()
	if p == nil {
		return t, private, nil
	}
	permit, _, err := h.Permit(*p)
	if err != nil {
		return t, nil, err
	}
	proxy, err := proxyOf(*p)
	if err != nil {
		return t, nil, err
	}
	t.Profile, t.Server, t.Proxy, t.WantDTLS = p.ID, p.Server, proxyAt(proxy), p.Options.DTLS
	t.Secure = func(ctx context.Context, at netip.AddrPort, segment int) (doctor.Answer, error) {
		cfg, err := h.config(ctx, *p, &ipc.Up{})
		if err != nil {
			return doctor.Answer{}, err
		}
		cfg.Permit, cfg.At, cfg.Segment = permit, at, segment
		seen, err := client.Look(ctx, cfg)
		if err != nil {
			return doctor.Answer{}, err
		}
		return doctor.Answer{NotAfter: seen.NotAfter, Date: seen.Date, Version: seen.TLS}, nil
	}
	return t, append(private, h.named(ctx, *p, t.Proxy)...), nil
}

// here are the names of this machine and of who sits at it.
func here() (all []string) {
	if name, err := os.Hostname(); err == nil {
		all = append(all, name)
	}
	if u, err := osuser.Current(); err == nil && u.Uid != "0" {
		all = append(all, u.Username, u.Name, u.HomeDir)
	}
	return all
}

// named are the names that a profile and its connection bring.
func (h *Home) named(ctx context.Context, p profile.Profile, proxy string) []string {
	all := []string{p.Name, p.Account, p.Server, hostOf(p.Server), proxy, hostOf(proxy)}
	now, err := h.Daemon.Status(ctx)
	if err != nil {
		return all // then no name comes from it either
	}
	for _, c := range now.Connections {
		if c.Profile == p.ID {
			all = append(append(all, c.Domains...), c.SplitDNS...)
		}
	}
	return all
}

func hostOf(hostPort string) string {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return hostPort
	}
	return host
}

// proxyAt is host:port of a proxy, empty for none.
func proxyAt(u *url.URL) string {
	switch {
	case u == nil:
		return ""
	case u.Port() == "":
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}
