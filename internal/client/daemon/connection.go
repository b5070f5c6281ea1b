package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	giveUp     = 2 * time.Minute // to reach a server for the first time, and again
	applyLimit = 20 * time.Second
)

// connection is one user's connection from up to down.
type connection struct {
	hub    *hub
	key    key
	device string
	asked  ipc.Up        // without its secrets
	link   *client.Link  // nil: what a killed daemon left of a kill switch
	done   chan struct{} // closed when no packet moves any more

	host sync.Mutex // held while the host's network is changed for it

	mu       sync.Mutex
	aside    string      // domain of the trusted network in which it is paused; empty = it is not
	plan     netcfg.Plan // what the host's network has of it; zero = nothing
	warnings []string
	refused  error // why the host's network could not be changed
}

// prepare makes a connection that does nothing yet.
func (h *hub) prepare(k key, device string, up ipc.Up) (*connection, error) {
	cfg, err := engine(up)
	if err != nil {
		return nil, ipc.ErrRequest.With(err)
	}
	c := &connection{hub: h, key: k, device: device, asked: up, done: make(chan struct{})}
	c.asked.Key, c.asked.Cookie = ipc.Secret{}, ipc.Secret{}
	cookie := openconnect.NewSecret(slices.Clone(up.Cookie.Reveal())) // the request's own is cleared
	c.link = client.NewLink(cfg, cookie, c.open)
	c.link.OnTunnel = func(t openconnect.Tunnel) error { return c.apply(t, 0) }
	c.link.OnMTU = func(mtu int) error { return c.apply(c.link.Snapshot().Tunnel, mtu) }
	c.link.GiveUp = giveUp
	return c, nil
}

func (c *connection) start() {
	go c.run()
	go c.follow()
}

// follow tells who watches what the link tells.
func (c *connection) follow() {
	for {
		select {
		case <-c.link.Changes():
			c.hub.tell()
		case <-c.done:
			return
		}
	}
}

// run moves packets until the connection is over. After a failure a kill switch
// goes on until its user takes it down; without one the network is restored.
func (c *connection) run() {
	err := c.link.Run(context.Background())
	if err != nil && !c.asked.KillSwitch {
		if err := c.hub.cfg.Host.Remove(context.Background(), c.device); err != nil {
			c.hub.cfg.Log.Error("the network could not be restored", "device", c.device, "error", err)
		}
	}
	close(c.done)
	c.hub.tell()
}

// stop ends it and waits until no packet moves.
func (c *connection) stop() {
	if c.link != nil {
		c.link.Disconnect()
	}
	<-c.done
}

func (c *connection) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *connection) kick() {
	if c.link != nil && !c.over() {
		c.link.Kick()
	}
}

// open makes the device of a first tunnel.
func (c *connection) open(t openconnect.Tunnel) ([]tun.Queue, error) {
	queues, err := c.hub.cfg.Open(c.device, c.hub.cfg.Queues)
	if err != nil {
		return nil, c.refuse(ipc.ErrDevice.With(err))
	}
	if err := c.apply(t, 0); err != nil {
		for _, q := range queues {
			_ = q.Close()
		}
		return nil, err
	}
	return queues, nil
}

// refuse remembers why this machine does not do what the tunnel needs.
func (c *connection) refuse(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = err
	return err
}

// apply gives the host what the server gave, and the MTU that the path has, 0 for
// the tunnel's own.
func (c *connection) apply(t openconnect.Tunnel, mtu int) error {
	p := c.planOf(t)
	if mtu > 0 {
		p.MTU = mtu
	}
	if with := c.hub.conflict(c, p); len(with) > 0 {
		return c.refuse(ipc.ErrConflict.With(fmt.Errorf("%v", with)))
	}
	c.host.Lock()
	defer c.host.Unlock()
	if c.pausedIn() != "" { // it is applied when the machine leaves
		c.mu.Lock()
		defer c.mu.Unlock()
		c.plan = p
		return nil
	}
	return c.applyLocked(p)
}

// applyLocked changes the host's network. The caller holds host.
func (c *connection) applyLocked(p netcfg.Plan) error {
	ctx, cancel := context.WithTimeout(context.Background(), applyLimit)
	defer cancel()
	warnings, err := c.hub.cfg.Host.Apply(ctx, p)
	if err != nil {
		return c.refuse(ipc.ErrSystem.With(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan, c.warnings, c.refused = p, nil, nil
	for _, w := range warnings {
		c.warnings = append(c.warnings, string(w))
	}
	return nil
}

// conflict is what routes of p belong to another connection.
func (h *hub) conflict(c *connection, p netcfg.Plan) []netip.Prefix {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []netip.Prefix
	for _, other := range h.all {
		if other == c || other.over() && !other.asked.KillSwitch {
			continue
		}
		other.mu.Lock()
		q := other.plan
		other.mu.Unlock()
		if q.Device != "" {
			out = append(out, netcfg.Conflicts(p, q)...)
		}
	}
	return out
}

func (c *connection) planOf(t openconnect.Tunnel) netcfg.Plan {
	p := netcfg.Plan{
		Device: c.device, MTU: t.MTU, Include: t.SplitInclude, Exclude: t.SplitExclude,
		DNS: t.DNS, Search: t.Domains, SplitDNS: t.SplitDNS, Bypass: t.ClientBypass,
		KillSwitch: c.asked.KillSwitch, LocalLAN: c.asked.LocalLAN || t.LocalLAN && c.asked.LANPermitted,
	}
	s := c.link.Snapshot()
	if s.Peer.IsValid() {
		p.Servers = []netcfg.Server{{Addr: s.Peer.Addr(), TCP: s.Peer.Port()}}
	}
	if s.Server.IsValid() { // a proxy carries no UDP
		p.Servers[0].UDP = uint16(t.DTLSPort)
	}
	for _, a := range []netip.Prefix{t.IPv4, t.IPv6} {
		if a.IsValid() {
			p.Addresses = append(p.Addresses, a)
		}
	}
	return p
}

// engine is what the protocol's engine is told.
func engine(up ipc.Up) (client.Config, error) {
	cfg := client.Config{
		Server: up.Server, Path: up.Path, At: up.At, DTLS: up.DTLS, Permit: accepted(up.Policy),
		Extensions: []string{openconnect.ExtCoalesce, openconnect.ExtGSO},
	}
	anchors, err := trust.Of(up.Pins, up.Roots)
	if err != nil {
		return cfg, errors.New("the certificates of the issuer cannot be read")
	}
	cfg.Trust = anchors
	if up.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(up.Certificate), up.Key.Reveal())
		if err != nil {
			return cfg, errors.New("the certificate and its key do not fit") // the cause may quote the key
		}
		cfg.Certificate = &pair
	}
	if up.Proxy != "" {
		u, err := url.Parse(up.Proxy)
		if err != nil || u.Host == "" {
			return cfg, errors.New("the proxy makes no sense")
		}
		cfg.Proxy = u
	}
	return cfg, nil
}

// accepted is the permit of a caller who named the policy text accepted. The
// daemon sees that one was accepted; the caller's own gate saw to it that it is
// the one in force, and takes the connection down when it is withdrawn.
type accepted string

func (a accepted) Allows() error {
	if a == "" {
		return ipc.ErrPolicy
	}
	return nil
}

// snapshot is the connection as its user sees it.
func (c *connection) snapshot() ipc.Connection {
	c.mu.Lock()
	p, warnings, refused, aside := c.plan, c.warnings, c.refused, c.aside
	c.mu.Unlock()
	out := ipc.Connection{
		Profile: c.key.profile, Name: c.asked.Name, Server: c.asked.Server, Device: c.device, Warnings: warnings,
		KillSwitch: c.asked.KillSwitch, LocalLAN: c.asked.LocalLAN,
	}
	if len(p.Servers) > 0 {
		out.At = netip.AddrPortFrom(p.Servers[0].Addr, p.Servers[0].TCP)
	}
	if c.link == nil {
		out.State, out.Cause = ipc.Failed, causeLeft
		return out
	}
	s := c.link.Snapshot()
	out.State, out.Since, out.Cause, out.Text = stateOf(s), s.Since, causeOf(s, refused), textOf(s, refused)
	if e := trust.Refused(s.Err); e != nil && refused == nil {
		out.Cause, out.With, out.Text = e.Code, wordsOf(e.Params), ""
	}
	out.BytesIn, out.BytesOut, out.PacketsIn, out.PacketsOut = s.Down.Bytes, s.Up.Bytes, s.Down.Packets, s.Up.Packets
	if out.State.Over() || p.Device == "" {
		return out
	}
	out.Addresses, out.Include, out.Exclude = p.Addresses, p.Include, p.Exclude
	out.DNS, out.Domains, out.SplitDNS = p.DNS, p.Search, p.SplitDNS
	out.Banner, out.Notices, out.MTU, out.Channel, out.TLS, out.Cipher = s.Tunnel.Banner, s.Tunnel.Notices, p.MTU, s.Channel, s.TLSVersion, s.TLSSuite
	if aside != "" {
		out.State, out.Trusted = ipc.Paused, aside
	}
	if s.Channel == "dtls" {
		out.Cipher = s.DTLSSuite
	}
	if out.FullMTU = s.Tunnel.MTU; len(p.Servers) > 0 {
		out.UDPPort = p.Servers[0].UDP
	}
	out.RTT = float64(s.RoundTrip) / float64(time.Millisecond)
	if s.State == client.Connected {
		out.Since = s.ConnectedAt
	}
	if s.Tunnel.SessionLeft > 0 {
		out.Ends = s.Since.Add(s.Tunnel.SessionLeft)
	}
	return out
}

// causeLeft is that of a kill switch which a killed daemon left.
const causeLeft = "left"

// stateOf is a link's state in the words of the user.
func stateOf(s client.Snapshot) ipc.State {
	switch {
	case s.State == client.Connecting:
		return ipc.Connecting
	case s.State == client.Connected:
		return ipc.Connected
	case s.State == client.Reconnecting:
		return ipc.Reconnecting
	case s.Cause == client.CauseUser:
		return ipc.Down
	case s.Cause == client.CauseCookie:
		return ipc.Login
	default:
		return ipc.Failed
	}
}

// causeOf is the code of why a connection does not work, or does not yet.
func causeOf(s client.Snapshot, refused error) string {
	var own *ipc.Error
	switch {
	case errors.As(refused, &own):
		return own.Code
	case s.State == client.Ended:
		return string(s.Cause)
	case s.Err != nil:
		return string(client.CauseUnreachable)
	}
	return ""
}

// wordsOf are the parameters of a sentence as they stand in an answer.
func wordsOf(params map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range params {
		out[name] = fmt.Sprint(v)
	}
	return out
}

func textOf(s client.Snapshot, refused error) string {
	switch {
	case s.Text != "":
		return s.Text
	case refused != nil:
		return refused.Error()
	case s.Err != nil:
		return s.Err.Error()
	}
	return ""
}
