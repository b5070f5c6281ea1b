package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	leastWait   = 200 * time.Millisecond // between two looks
	sleptFor    = 10 * time.Second       // that a look is late, or the clock has jumped
	answerLimit = 3 * time.Second        // of a server that is asked whether it is there
	rekeyRetry  = time.Minute
	leastRekey  = 10 * time.Second
	forgetLimit = 2 * time.Second
	linger      = time.Second // of a session that another has taken the place of
)

// Opener makes the tunnel device, with addresses and MTU, when the first tunnel is
// there. The Link closes its queues at its end.
type Opener func(openconnect.Tunnel) ([]tun.Queue, error)

// Link keeps a tunnel up with one cookie, over connections that come and go. The
// device stays.
//
// Whatever needs another connection while one is there (Kick, rekey, a sleep of
// the machine) makes the new one before it gives up the old.
type Link struct {
	// OnTunnel is told a tunnel that is not like the one before, before packets go
	// through it; what the device's MTU was is forgotten. Its error ends the Link.
	// Set before Run, as all.
	OnTunnel func(openconnect.Tunnel) error
	// OnMTU is told what the path of the UDP channel carries, before packets go by
	// it: the tunnel's MTU or less. On its error they do not.
	OnMTU func(mtu int) error
	// GiveUp is how long to try without a tunnel; 0 = for ever.
	GiveUp time.Duration

	cfg    Config
	cookie openconnect.Secret
	open   Opener
	steady func() time.Duration
	least  time.Duration // of a rekey time

	wires   *wires // nil before the first tunnel
	tunnel  openconnect.Tunnel
	past    Past // of the last tunnel
	retry   backoff
	told    bool       // the server knows that the person wants no more
	brief   int        // sessions in a row that did not hold
	hooks   sync.Mutex // held while one of them runs
	kicks   chan struct{}
	jumps   chan struct{} // the machine has slept, or its clock was set
	leave   chan struct{}
	leaving sync.Once
	over    chan struct{}  // closed when Run comes to its end
	running sync.WaitGroup // sessions

	status status
}

// NewLink returns a Link; Run makes it work.
func NewLink(cfg Config, cookie openconnect.Secret, open Opener) *Link {
	l := &Link{
		cfg: cfg, cookie: cookie, open: open, steady: clock.Steady(), least: leastRekey,
		kicks: make(chan struct{}, 1), jumps: make(chan struct{}, 1), leave: make(chan struct{}), over: make(chan struct{}),
	}
	l.retry.reset()
	l.status.init(cfg.clock())
	return l
}

// Resume makes the Link go on, before Run, where one of a former process was stopped:
// with its device, which is there already, in place of the Opener's.
func (l *Link) Resume(queues []tun.Queue, p Past) {
	l.wires, l.past = newWires(queues), p
	l.wires.tally.up(int(p.Up.Packets), int(p.Up.Bytes))
	l.wires.tally.down(int(p.Down.Packets), int(p.Down.Bytes))
	l.status.resumed(l.wires)
}

// Kick makes the Link connect anew at once: the machine's network has changed.
func (l *Link) Kick() { poke(l.kicks) }

// poke leaves a token in c if there is none.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Disconnect ends the Link and the session with the server, if that can be told so
// within two seconds.
func (l *Link) Disconnect() { l.leaving.Do(func() { close(l.leave) }) }

// errUser ends a Link in the person's name.
var errUser = errors.New("client: disconnected by the user")

// Run keeps the tunnel up until the person ends it (nil), ctx does (its error; the
// session stays for another Link), or it cannot be kept up, for the Cause of
// Snapshot. It is called once.
func (l *Link) Run(ctx context.Context) error {
	inner, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-l.leave:
			cancel(errUser)
		case <-inner.Done():
		}
	}()
	stop := watchClock(l.jumps)
	defer stop()
	s, err := l.reach(inner)
	for err == nil {
		s, err = l.hold(inner, s)
	}
	close(l.over)
	l.running.Wait()
	if l.wires != nil {
		l.wires.close()
	}
	cancel(nil)
	if errors.Is(err, errUser) && !l.told {
		l.forget(ctx)
	}
	l.status.end(err)
	if errors.Is(err, errUser) {
		return nil
	}
	return err
}

// forget makes the cookie worth nothing when the person has ended the Link while no
// session was there to say so on. A server that is away keeps it until it is over.
func (l *Link) forget(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, forgetLimit)
	defer cancel()
	cfg := l.cfg
	if l.past.Server.IsValid() {
		cfg.At = l.past.Server // a kill switch lets no name be looked up
	}
	_ = Logout(ctx, cfg, l.cookie)
}

// reach connects, as often as it takes.
func (l *Link) reach(ctx context.Context) (*Session, error) {
	began := l.steady()
	for {
		if err := l.rest(ctx, l.retry.next()); err != nil {
			return nil, err
		}
		s, err := l.attempt(ctx)
		if err == nil || ctx.Err() != nil || l.final(err) {
			return s, orCause(ctx, err)
		}
		l.status.failed(err)
		if l.GiveUp > 0 && l.steady()-began > l.GiveUp {
			return nil, &giveUpError{err}
		}
	}
}

// orCause is why ctx ended, if it did, else err.
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// rest waits, until Kick at the longest.
func (l *Link) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.kicks:
		l.retry.reset()
		l.retry.next()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// attempt connects once and moves packets to the new session.
func (l *Link) attempt(ctx context.Context) (*Session, error) {
	s, err := connect(ctx, l.cfg, l.cookie, l.past)
	if err != nil {
		return nil, err
	}
	if err := l.adopt(s); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// adopt makes device and session fit, and moves packets to it.
func (l *Link) adopt(s *Session) error {
	l.status.reached(s.c.remote(), s.c.peer())
	if err := l.fit(s.tunnel); err != nil {
		return &deviceError{err}
	}
	s.onMTU, s.rekeyAt = l.setMTU, l.rekeyAt(s.tunnel)
	s.serve(l.wires)
	s.tell(nil, openconnect.TypeDPDRequest, nil) // for the round trip
	l.running.Go(func() { <-s.over })
	l.wires.use(s)
	l.past = s.past()
	l.status.connected(s, l.wires)
	return nil
}

// fit makes the device that the tunnel needs of the one that there is, if any.
func (l *Link) fit(t openconnect.Tunnel) error {
	if l.wires == nil {
		queues, err := l.open(t)
		if err != nil {
			return err
		}
		l.wires = newWires(queues)
	}
	if alike(l.tunnel, t) {
		return nil
	}
	l.hooks.Lock()
	defer l.hooks.Unlock()
	if l.OnTunnel != nil {
		if err := l.OnTunnel(t); err != nil {
			return err
		}
	}
	l.tunnel = t
	l.status.setMTU(t.MTU)
	return nil
}

// setMTU tells what a path carries, if it is not what the device has.
func (l *Link) setMTU(mtu int) error {
	l.hooks.Lock()
	defer l.hooks.Unlock()
	if mtu == l.status.deviceMTU() {
		return nil
	}
	if l.OnMTU != nil {
		if err := l.OnMTU(mtu); err != nil {
			return err
		}
	}
	l.status.setMTU(mtu)
	return nil
}

// final tells whether trying again is of no use: the cookie is no more, the server
// or the person does not want it, or, before there was a tunnel at all, the server
// is not the one that it should be or none at all.
func (l *Link) final(err error) bool {
	var refused *RefusedError
	var local *deviceError
	switch {
	case errors.As(err, &refused):
		return refused.Status < http.StatusInternalServerError
	case errors.As(err, &local), errors.Is(err, ErrNoConsent), errors.Is(err, ErrEnded), errors.Is(err, openconnect.ErrTunnel):
		return true
	case l.wires != nil: // a captive portal after the machine has moved, say
		return false
	}
	return trust.Refused(err) != nil || errors.Is(err, openconnect.ErrAnswer) || errors.Is(err, ErrCertificate)
}

// deviceError is one of this machine, not of the network.
type deviceError struct{ err error }

func (e *deviceError) Error() string { return fmt.Sprintf("client: the tunnel device: %v", e.err) }
func (e *deviceError) Unwrap() error { return e.err }

// giveUpError is the last error after GiveUp.
type giveUpError struct{ err error }

func (e *giveUpError) Error() string {
	return fmt.Sprintf("client: the server cannot be reached: %v", e.err)
}
func (e *giveUpError) Unwrap() error { return e.err }
