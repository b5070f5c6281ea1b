package agent

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

const (
	retryAfter = 5 * time.Second
	renewEvery = time.Hour // between tries to renew a certificate
	defaultMTU = 1400
)

// reconciler makes the node equal to a Desired. apply and retry belong to one
// goroutine at a time; the rest is safe for any.
type reconciler struct {
	cfg   Config
	store *store
	link  link
	svc   *sslvpn.Service
	rep   *reporter
	log   *slog.Logger

	pending   []sslvpn.Record // sessions of the last run, not yet restored
	networks  map[string]*netcfg.Network
	addresses map[string]place    // by gateway
	have      bool                // a Desired was applied
	own       []*x509.Certificate // of this node's own keys, as shown
	renewNext time.Time           // not before it are they asked for anew

	mu       sync.Mutex
	last     gwlink.Desired
	problems map[string]error
}

func newReconciler(cfg Config, st *store, l link, svc *sslvpn.Service, rep *reporter) *reconciler {
	r := &reconciler{
		cfg: cfg, store: st, link: l, svc: svc, rep: rep, log: cfg.Logger,
		networks: map[string]*netcfg.Network{}, addresses: map[string]place{}, problems: map[string]error{},
	}
	if err := st.load("addresses", &r.addresses); err != nil && !errors.Is(err, errNoState) {
		r.log.Error("reading addresses of gateways", "error", err)
	}
	return r
}

// apply makes the node equal to d.
func (r *reconciler) apply(ctx context.Context, d gwlink.Desired) {
	// What control wants closed does not wait for networks and certificates.
	r.svc.CloseSessions(d.Closures)
	gone := r.release(d)
	r.own, r.renewNext = nil, r.rep.clock.Now().Add(renewEvery)
	problems := map[string]error{}
	var running []sslvpn.Gateway
	for _, g := range d.Gateways {
		queues, err := r.network(g)
		if err != nil {
			problems[g.ID] = explain(err)
		}
		if queues == nil {
			continue
		}
		certs, err := r.certificates(ctx, g)
		problems[g.ID] = errors.Join(problems[g.ID], err)
		running = append(running, sslvpn.Gateway{Spec: g, Queues: queues.Queues, Certificates: certs})
	}
	settle := func() {
		r.restoreSessions(d)
		r.closeSessions(d.Closures)
	}
	for id, err := range r.svc.Apply(d.GrantKeys, running, settle) {
		problems[id] = errors.Join(problems[id], err)
	}
	r.remove(gone, problems)
	r.finish(d, problems)
}

// finish remembers and tells.
func (r *reconciler) finish(d gwlink.Desired, problems map[string]error) {
	r.have = true
	r.mu.Lock()
	r.last, r.problems = d, problems
	r.mu.Unlock()
	for id, err := range problems {
		if err != nil {
			r.log.Error("gateway not as desired", "gateway", id, "error", err)
		}
	}
	if err := forgetKeys(r.store, d); err != nil {
		r.log.Error("forgetting keys of certificates", "error", err)
	}
	r.rep.soon()
}

// release closes the devices of gateways that are not in d. Their sessions end
// in Apply, their namespaces go after it.
func (r *reconciler) release(d gwlink.Desired) []string {
	var gone []string
	for id := range r.addresses {
		if slices.ContainsFunc(d.Gateways, func(g gwlink.Gateway) bool { return g.ID == id }) {
			continue
		}
		gone = append(gone, id)
		if n := r.networks[id]; n != nil {
			_ = n.Close()
			delete(r.networks, id)
		}
	}
	return gone
}

// remove clears away what gone gateways left. What cannot be removed is a
// problem: it is tried again, and control is told that it is still here.
func (r *reconciler) remove(gone []string, problems map[string]error) {
	for _, id := range gone {
		if err := netcfg.Remove(id, nil); err != nil {
			problems[id] = fmt.Errorf("removing the network: %w", explain(err))
			continue
		}
		delete(r.addresses, id)
	}
	if len(gone) > 0 {
		r.keepAddresses()
	}
}

func (r *reconciler) keepAddresses() {
	if err := r.store.save("addresses", r.addresses); err != nil {
		r.log.Error("keeping addresses of gateways", "error", err)
	}
}

// network makes a gateway's network. It returns what there is also with an
// error, so that a fault does not end sessions.
func (r *reconciler) network(g gwlink.Gateway) (*netcfg.Network, error) {
	vpc, ok := r.cfg.Networks[g.Network]
	if !ok {
		return r.networks[g.ID], fmt.Errorf("network %q is not in this node's configuration", g.Network)
	}
	addr, err := r.address(g, vpc)
	if err != nil {
		return r.networks[g.ID], err
	}
	spec := netcfg.Spec{
		Name: g.ID, Queues: r.cfg.Queues, MTU: defaultMTU, Bridge: vpc.Bridge, Parent: vpc.Interface,
		Address: netip.PrefixFrom(addr, vpc.Address.Bits()), Address6: vpc.address6(addr),
		Router: vpc.Router, Router6: vpc.Router6, Masquerade: vpc.Masquerade,
	}
	for i, s := range g.SSLServers {
		if i == 0 || s.MTU > spec.MTU {
			spec.MTU = cmp.Or(s.MTU, defaultMTU)
		}
		spec.Servers = append(spec.Servers, netcfg.Access{
			Pool: s.Pool, Pool6: s.Pool6, Routed: s.Routed(), LocalSubnets: s.LocalSubnets,
			FullTunnel: s.FullTunnel, Isolated: s.ClientIsolation,
		})
	}
	n, err := netcfg.Apply(spec, r.networks[g.ID])
	if n == nil {
		return nil, err
	}
	err = errors.Join(err, withoutIPv6(g, vpc))
	r.networks[g.ID] = n
	if n.Queues == nil {
		return nil, err
	}
	return n, err
}

// withoutIPv6 tells that clients with IPv6 reach nothing by it.
func withoutIPv6(g gwlink.Gateway, vpc Network) error {
	if vpc.Address6.IsValid() || !slices.ContainsFunc(g.SSLServers, func(s gwlink.SSLServer) bool { return s.Pool6.IsValid() }) {
		return nil
	}
	return fmt.Errorf("network %q: %w", g.Network, errNoAddress6)
}

// errNoAddress6 is a problem that trying again does not mend.
var errNoAddress6 = errors.New("no ipv6 address in this node's configuration (address6)")

// address6 is the IPv6 address of the gateway that has addr; invalid if the VPC
// has none.
func (n Network) address6(addr netip.Addr) netip.Prefix {
	if !n.Address6.IsValid() {
		return netip.Prefix{}
	}
	six := n.Address6.Addr()
	for a := n.Address.Addr(); a.Less(addr); a = a.Next() {
		six = six.Next()
	}
	if !n.Address6.Contains(six) {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(six, n.Address6.Bits())
}

// address returns a gateway's address in its VPC, the same as long as the
// gateway exists.
func (r *reconciler) address(g gwlink.Gateway, vpc Network) (netip.Addr, error) {
	if at, ok := r.addresses[g.ID]; ok && at.Network == g.Network && vpc.Address.Contains(at.Address) && !at.Address.Less(vpc.Address.Addr()) {
		return at.Address, nil
	}
	last := vpc.Last
	if !last.IsValid() {
		last = vpc.Address.Addr()
	}
	for a := vpc.Address.Addr(); a.Compare(last) <= 0 && vpc.Address.Contains(a); a = a.Next() {
		at := place{g.Network, a}
		if !r.taken(at) {
			r.addresses[g.ID] = at
			r.keepAddresses()
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("network %q has no address for one more gateway", g.Network)
}

// place is where a gateway stands: customers may use the same addresses in
// networks of their own.
type place struct {
	Network string     `json:"network"`
	Address netip.Addr `json:"address"`
}

func (r *reconciler) taken(at place) bool {
	for _, other := range r.addresses {
		if other == at {
			return true
		}
	}
	return false
}

func (r *reconciler) certificates(ctx context.Context, g gwlink.Gateway) (map[string]*tls.Certificate, error) {
	out := map[string]*tls.Certificate{}
	var errs []error
	for _, s := range g.SSLServers {
		c, err := certificate(ctx, r.store, r.link, s, r.rep.clock.Now())
		if err != nil {
			errs = append(errs, err)
		}
		if c == nil {
			continue // a running server goes on with what it shows
		}
		out[s.ID] = c
		if s.Certificate == "" {
			r.own = append(r.own, c.Leaf)
		}
	}
	return out, errors.Join(errs...)
}

// restoreSessions brings sessions of the last run back to the servers that run
// by now, and closes those whose server is gone.
func (r *reconciler) restoreSessions(d gwlink.Desired) {
	var wait []sslvpn.Record
	for _, rec := range r.pending {
		switch {
		case !desires(d, rec):
			r.rep.Closed(closedRecord(rec, r.rep.clock.Now(), gwlink.ReasonAdministrator))
		case r.networks[rec.Gateway] == nil:
			wait = append(wait, rec)
		default:
			if err := r.svc.Restore(rec); err != nil {
				r.log.Warn("session not restored", "session", rec.Session, "error", err)
				r.rep.Closed(closedRecord(rec, r.rep.clock.Now(), gwlink.ReasonLost))
			}
		}
	}
	r.pending = wait
}

func desires(d gwlink.Desired, rec sslvpn.Record) bool {
	for _, g := range d.Gateways {
		if g.ID == rec.Gateway && g.State == gwlink.GatewayActive {
			return slices.ContainsFunc(g.SSLServers, func(s gwlink.SSLServer) bool { return s.ID == rec.Server })
		}
	}
	return false
}

func closedRecord(rec sslvpn.Record, at time.Time, reason string) gwlink.SessionClosed {
	return gwlink.SessionClosed{Session: rec.Session, At: at, Reason: reason, BytesIn: rec.BytesIn, BytesOut: rec.BytesOut}
}

// closeSessions ends sessions on control's word, and opens none of them later:
// the grant of a login may still be on its way.
func (r *reconciler) closeSessions(closures []gwlink.Closure) {
	for _, c := range r.svc.CloseSessions(closures) {
		r.rep.notHere(c)
	}
}

// retry applies the last Desired again if something failed, or if a certificate
// of this node's own ends soon.
func (r *reconciler) retry(ctx context.Context) {
	r.mu.Lock()
	d, failed := r.last, failing(r.problems)
	r.mu.Unlock()
	if r.have && (failed || r.renewalDue(r.rep.clock.Now())) {
		r.apply(ctx, d)
	}
}

func (r *reconciler) renewalDue(now time.Time) bool {
	return !now.Before(r.renewNext) && slices.ContainsFunc(r.own, func(leaf *x509.Certificate) bool { return !fresh(leaf, now) })
}

// failing tells whether there is a problem that may mend itself.
func failing(problems map[string]error) bool {
	for _, err := range problems {
		if mayMend(err) {
			return true
		}
	}
	return false
}

func mayMend(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(all.Unwrap(), mayMend)
	}
	return err != nil && !errors.Is(err, errNoAddress6)
}

// patience is how long to wait for news: briefly while something is to be
// tried again.
func (r *reconciler) patience() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failing(r.problems) {
		return retryAfter
	}
	return pollLimit
}

func (r *reconciler) generation() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.Generation
}

func (r *reconciler) loaded() bool { return r.have }

// observed is the state of all gateways, for the report.
func (r *reconciler) observed() []gwlink.ObservedState {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []gwlink.ObservedState
	for _, g := range r.last.Gateways {
		o := gwlink.ObservedState{Gateway: g.ID, Generation: r.last.Generation, State: "applied"}
		if err := r.problems[g.ID]; err != nil {
			o.State, o.Problem = "failed", problemText(err)
		}
		out = append(out, o)
	}
	return append(out, r.leftLocked()...)
}

// problemText is what control is told of a problem.
func problemText(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxProblem)], "")
}

// leftLocked are the gateways that should be gone and are not.
func (r *reconciler) leftLocked() (out []gwlink.ObservedState) {
	for id, err := range r.problems {
		if err == nil || slices.ContainsFunc(r.last.Gateways, func(g gwlink.Gateway) bool { return g.ID == id }) {
			continue
		}
		out = append(out, gwlink.ObservedState{Gateway: id, Generation: r.last.Generation, State: "failed", Problem: problemText(err)})
	}
	return out
}

func (r *reconciler) closeNetworks() {
	for _, n := range r.networks {
		_ = n.Close()
	}
}

// explain adds the remedy to errors of an unprivileged process.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (the gateway needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN)", err)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w (is the tun module loaded and /dev/net/tun there?)", err)
	}
	return err
}

func defaultQueues() int { return max(1, runtime.NumCPU()/2) }
