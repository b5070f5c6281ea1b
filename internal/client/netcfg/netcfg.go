// Package netcfg is what skyconnect changes in the network of the host it runs
// on, and how that is undone: addresses, routes, resolvers and the kill switch.
// It opens no tunnel and moves no packet.
//
// On Linux the main routing table is never touched. Each tunnel has a routing
// table and sixteen rule priorities of its own, the first that nobody uses:
//
//	priority  rule                                          table of the tunnel
//	base      to SERVER [port] goto the rules after ours     include   dev tunnel
//	base+1    to fe80::/10     goto the rules after ours     exclude   throw
//	base+2    to PRIVATE lookup main, no default route       blocked   unreachable
//	base+3    lookup the tunnel's table
//	32766     lookup main
//
// The server's packets see the rules as if ours were not there, so they follow
// the host from Wi-Fi to LTE without anybody's help: a host route by the gateway
// of the moment would not. A later tunnel's block comes after the former ones, so
// a server that was reached through an older tunnel still is. What an exclude throws goes on to main. NetworkManager
// and DHCP clients rewrite main and know nothing of our table. Base+2 is there
// with Plan.LocalLAN only. No packet is marked, so nobody else's marks matter.
//
// Names go to systemd-resolved (D-Bus), else to resolvconf, else /etc/resolv.conf
// is replaced and comes back. The kill switch is one nftables table, `inet
// skyconnect`, for all tunnels: a packet that one table accepts another may
// still reject, so two tables would shut out each other's tunnel.
//
//	       journal            host
//	Apply: intent, fsync ──▶ change ──▶ intent … ──▶ settled
//	        └── killed here or there: Repair undoes what the journal names
//
// Invariants: nothing is changed that the journal does not name already; what is
// undone is ours by a number, a name or its content, and what others changed in
// the meantime stays theirs; a new plan of a device is in force before the former
// ends; an error leaves the host as it was before the call.
//
// Windows and macOS have the same interface, build, and are untested. They have no
// rules beside the routes: the server's routes are by the router of the moment, and
// all of a family goes inside as its two halves. Networks that the host is on keep
// their own, longer routes, so that they stay outside with Plan.LocalLAN and without.
// The kill switch is refused there rather than pretended.
package netcfg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Config says where things are on the host.
type Config struct {
	Journal    string   // directory of ours (mode 0700), made where it is missing
	Resolver   Resolver // "" = whichever the host uses
	ResolvConf string   // "" = the one that the journal says was replaced, else /etc/resolv.conf
	Bus        string   // D-Bus address of the system bus; "" = the system's
}

// Resolver is a way to have names asked of a tunnel.
type Resolver string

// The resolvers of Linux, best first.
const (
	Resolved   Resolver = "resolved"   // systemd-resolved by D-Bus
	Resolvconf Resolver = "resolvconf" // the program, openresolv's or Debian's
	File       Resolver = "file"       // resolv.conf itself
)

// Warning is what Apply could not do as the plan asks, though the tunnel is
// usable. Its text is a stable code.
type Warning string

// The warnings of Apply.
const (
	// NoSplitDNS: the host's resolver knows no split DNS; all names are asked
	// of the tunnel's servers.
	NoSplitDNS Warning = "netcfg.no_split_dns"
	// NoIPv6: IPv6 is off on this host, the tunnel carries IPv4 alone.
	NoIPv6 Warning = "netcfg.no_ipv6"
)

// Errors of the host. Each wraps its cause.
var (
	ErrInUse       = errors.New("netcfg: another process changes the network")
	ErrJournal     = errors.New("netcfg: the journal is not usable")
	ErrDevice      = errors.New("netcfg: there is no such device")
	ErrRoutes      = errors.New("netcfg: routes cannot be set")
	ErrResolvers   = errors.New("netcfg: name servers cannot be set")
	ErrKillSwitch  = errors.New("netcfg: the kill switch cannot be set")
	ErrUnsupported = errors.New("netcfg: this system cannot do it")
)

// undoing is how long an undoing may take that nobody waits for any more.
const undoing = 15 * time.Second

// Host is the network of this machine. One process holds it at a time. Its
// methods may be called from several goroutines; they wait for each other.
type Host struct {
	mu      sync.Mutex
	journal *journal
	sys     *system
	state   state
}

// state is what the journal remembers of the host.
type state struct {
	Tunnels []*tunnel `json:"tunnels"` // in the order of their first Apply
	Shared  shared    `json:"shared"`  // what is there once for all tunnels
}

// tunnel is what was done, or is being done, for one device.
type tunnel struct {
	Device string `json:"device"`
	Claim  claim  `json:"claim"` // what of the host it has, and how that was before
	Plans  []Plan `json:"plans"` // the last is wanted; those before it may still be in force
}

func (t *tunnel) plan() Plan { return t.Plans[len(t.Plans)-1] }

func (s state) find(device string) *tunnel {
	if i := slices.IndexFunc(s.Tunnels, func(t *tunnel) bool { return t.Device == device }); i >= 0 {
		return s.Tunnels[i]
	}
	return nil
}

func (s state) plans() (all []Plan) {
	for _, t := range s.Tunnels {
		all = append(all, t.plan())
	}
	return all
}

// New opens the journal and reads what a former process left; it changes
// nothing of the network. The caller closes the Host.
func New(cfg Config) (*Host, error) {
	j, err := openJournal(cfg.Journal)
	if err != nil {
		return nil, err
	}
	s, err := j.read()
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	sys, err := newSystem(cfg, s)
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	return &Host{journal: j, sys: sys, state: s}, nil
}

// Close lets another process have the Host. What was applied stays.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sys.close()
	return h.journal.close()
}

// Plans returns the plans in force, also those that a killed process left: a
// caller that wants a kill switch to last applies them again and repairs nothing.
func (h *Host) Plans() []Plan {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state.plans()
}

// Apply makes the host's network what p asks for its device. It may be repeated,
// and changes only what differs. On error the host is as it was before the call:
// without the device, or with its former plan.
func (h *Host) Apply(ctx context.Context, p Plan) ([]Warning, error) {
	p, err := p.normal()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.state.find(p.Device)
	if t == nil {
		claim, err := h.sys.claim(p, h.state)
		if err != nil {
			return nil, err
		}
		t = &tunnel{Device: p.Device, Claim: claim}
		h.state.Tunnels = append(h.state.Tunnels, t)
	}
	t.Plans = append(t.Plans, p)
	c := h.change(ctx)
	if err = c.save(); err != nil {
		t.Plans = t.Plans[:len(t.Plans)-1]
		h.forgetEmpty()
		return nil, err
	}
	warnings, err := h.sys.set(c, t)
	if err != nil {
		return nil, errors.Join(err, h.back(ctx, t))
	}
	t.Plans = []Plan{p}
	return warnings, h.settle()
}

// back returns to the plan before the last one, whoever may have given up
// waiting.
func (h *Host) back(ctx context.Context, t *tunnel) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoing)
	defer cancel()
	if len(t.Plans) == 1 {
		return h.remove(ctx, t)
	}
	failed, former := t.Plans[len(t.Plans)-1], t.Plans[len(t.Plans)-2]
	t.Plans = []Plan{failed, former}
	if _, err := h.sys.set(h.change(ctx), t); err != nil {
		return fmt.Errorf("returning to the former network: %w", err)
	}
	t.Plans = []Plan{former}
	return h.settle()
}

// Remove undoes what was applied for a device, its kill switch too. To remove
// what is not there is no error. After an error it may be called again.
func (h *Host) Remove(ctx context.Context, device string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.state.find(device)
	if t == nil {
		return nil
	}
	return h.remove(ctx, t)
}

func (h *Host) remove(ctx context.Context, t *tunnel) error {
	if err := h.sys.unset(h.change(ctx), t); err != nil {
		return fmt.Errorf("undoing the network of %s: %w", t.Device, err)
	}
	h.state.Tunnels = slices.DeleteFunc(h.state.Tunnels, func(o *tunnel) bool { return o == t })
	return h.settle()
}

// Undone is what Repair found and undid.
type Undone struct {
	Devices []string // whose network was restored
}

// Repair undoes all that the journal names, which is all that a killed process
// did. It may be repeated; where one part cannot be undone the others still are.
func (h *Host) Repair(ctx context.Context) (Undone, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var done Undone
	var all error
	for _, t := range slices.Backward(slices.Clone(h.state.Tunnels)) {
		if err := h.remove(ctx, t); err != nil {
			all = errors.Join(all, err)
			continue
		}
		done.Devices = append(done.Devices, t.Device)
	}
	return done, all
}

// Watch tells that addresses, links or default routes of the host changed in a
// way that may concern a tunnel's outer connection. Changes that come together
// are told once, and those of tunnels that were applied not at all. The channel
// is closed when ctx ends.
func (h *Host) Watch(ctx context.Context) (<-chan struct{}, error) {
	return h.sys.watch(ctx, func() []string {
		h.mu.Lock()
		defer h.mu.Unlock()
		var devices []string
		for _, t := range h.state.Tunnels {
			devices = append(devices, t.Device)
		}
		return devices
	})
}

func (h *Host) forgetEmpty() {
	h.state.Tunnels = slices.DeleteFunc(h.state.Tunnels, func(t *tunnel) bool { return len(t.Plans) == 0 })
}

// settle writes the journal anew without its history. If it cannot be, what it
// says already names more than is there, which does no harm to a repair.
func (h *Host) settle() error {
	step()
	return h.journal.settle(h.state)
}

// change is one call's way through the host: every intent is saved before it
// is carried out.
type change struct {
	ctx   context.Context
	state *state
	save  func() error
}

func (h *Host) change(ctx context.Context) change {
	return change{ctx: ctx, state: &h.state, save: func() error {
		step()
		err := h.journal.append(h.state)
		step()
		return err
	}}
}
