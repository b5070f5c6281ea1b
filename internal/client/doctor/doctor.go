// Package doctor finds out why a VPN connection does not work: one check after
// the other, each with a cause and a remedy.
//
// It tells nobody anything: checks look at this machine and, where the person
// asked and accepted the policy, at the profile's own server. A report for
// others names neither servers nor accounts nor addresses of this machine.
package doctor

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
)

// State of a check.
type State string

// States. Skipped means that it could not be asked, and says why.
const (
	OK      State = "ok"
	Warn    State = "warn"
	Fail    State = "fail"
	Skipped State = "skipped"
)

// Check is one finding. Its sentences are in package i18n: client.check.ID for
// what was looked at, client.cause.CAUSE for what is wrong, client.remedy.CAUSE for
// what helps; those of package trust for its refusals.
type Check struct {
	ID     string         `json:"id"`
	State  State          `json:"state"`
	Cause  string         `json:"cause,omitempty"`
	With   map[string]any `json:"with,omitempty"` // parameters of the sentences
	Took   time.Duration  `json:"took_ns"`
	Detail string         `json:"detail,omitempty"` // the system's own words
}

// Target is what is looked at. What is not given is skipped.
type Target struct {
	Server   string // host:port of the profile; empty = this machine alone
	Proxy    string // host:port of the proxy on the way to it; empty = none
	Profile  string // whose connection of Status is looked at
	WantDTLS bool

	Status func(ctx context.Context) (ipc.Status, error) // asks the daemon
	// Traces tells whether a daemon's changes of this machine's network are there.
	Traces func() (bool, error)
	// Secure is the client's own TLS with its trust. segment bounds what is sent and
	// received in one packet, in bytes of TCP; 0 = the path's.
	Secure func(ctx context.Context, addr netip.AddrPort, segment int) (Answer, error)
}

// Answer is what a server says before anybody logs in.
type Answer struct {
	NotAfter time.Time // of its certificate
	Date     time.Time // of its clock, zero = not told
	Version  string    // of TLS
}

// Run makes all checks in turn and gives each to on. begin is told the id of one
// before it is made; it may be nil.
func Run(ctx context.Context, t Target, begin func(id string), on func(Check)) {
	d := &doctor{t: t}
	for _, c := range []struct {
		id string
		do func(context.Context) Check
	}{
		{"daemon", d.daemon},
		{"left", d.left},
		{"connection", d.connection},
		{"device", d.device},
		{"resolver", d.resolver},
		{"name", d.name},
		{"tcp", d.tcp},
		{"certificate", d.certificate},
		{"clock", d.clock},
		{"udp", d.udp},
		{"mtu", d.mtu},
		{"routes", d.routes},
		{"dns", d.dns},
	} {
		if ctx.Err() != nil {
			return
		}
		if begin != nil {
			begin(c.id)
		}
		began := time.Now()
		out := c.do(ctx)
		out.ID, out.Took = c.id, time.Since(began)
		on(out)
	}
}

type doctor struct {
	t      Target
	asked  bool            // the daemon answered
	others []string        // causes of connections that are not up
	conn   *ipc.Connection // of the profile; nil = none
	addrs  []netip.AddrPort
	reach  netip.AddrPort // the one of addrs that answers by TCP
	hole   bool           // packets as long as the path should carry are swallowed
	answer Answer
	known  bool // answer
}

// up tells whether packets go through the profile's tunnel.
func (d *doctor) up() bool { return d.conn != nil && d.conn.State == ipc.Connected }

// ask renews what the daemon says.
func (d *doctor) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	now, err := d.t.Status(ctx)
	if err != nil {
		return err
	}
	d.asked, d.conn, d.others = true, nil, nil
	for _, c := range now.Connections {
		if c.State.Over() {
			d.others = append(d.others, c.Cause)
		}
		if c.Profile == d.t.Profile {
			d.conn = &c
		}
	}
	return nil
}

func ok() Check                { return Check{State: OK} }
func skipped(why string) Check { return Check{State: Skipped, Cause: why} }

func fail(cause string, err error, pairs ...string) Check {
	c := Check{State: Fail, Cause: cause, With: with(pairs)}
	if err != nil {
		c.Detail = err.Error()
	}
	return c
}

func warn(cause string, pairs ...string) Check {
	return Check{State: Warn, Cause: cause, With: with(pairs)}
}

func with(pairs []string) map[string]any {
	if len(pairs) == 0 {
		return nil
	}
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}
