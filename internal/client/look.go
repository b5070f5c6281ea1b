package client

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"time"
)

// Seen is what a server says of itself before anybody logs in.
type Seen struct {
	NotAfter time.Time // of its certificate
	Date     time.Time // of its clock, to a second; zero = not told
	TLS      string
}

// Look connects, asks for nothing that needs a login, and hangs up. It tells the
// server what every visitor tells: that somebody is there.
func Look(ctx context.Context, cfg Config) (Seen, error) {
	c, err := dial(ctx, cfg, netip.AddrPort{})
	if err != nil {
		return Seen{}, err
	}
	defer c.close()
	out := Seen{TLS: tls.VersionName(c.state.Version)}
	if len(c.state.PeerCertificates) > 0 {
		out.NotAfter = c.state.PeerCertificates[0].NotAfter
	}
	head := "HEAD / HTTP/1.1\r\nHost: " + cfg.host() + "\r\nUser-Agent: " + cfg.agent() + "\r\nConnection: close\r\n\r\n"
	r, err := c.exchange(ctx, []byte(head), http.MethodHead)
	if err != nil {
		return out, nil //nolint:nilerr // a server that does not tell the time is reached all the same
	}
	_ = r.Body.Close()
	out.Date, _ = http.ParseTime(r.Header.Get("Date"))
	return out, nil
}
