package client

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// errMoved ends a session whose place another has taken.
var (
	errMoved  = errors.New("client: another connection took its place")
	errSilent = errors.New("client: the server is silent")
)

// hold looks after a session until another has to take its place, which it
// returns.
func (l *Link) hold(ctx context.Context, s *Session) (*Session, error) {
	h := holding{l: l, s: s, ahead: l.ahead()}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		at := s.due()
		t.Reset(max(at-s.now(), leastWait))
		select {
		case <-s.news:
			continue // there is another channel to look after
		case <-l.jumps:
		case <-s.over:
			return h.lost(ctx)
		case <-l.kicks:
			return h.move(ctx)
		case err := <-l.wires.failed:
			s.end(errMoved)
			return nil, &deviceError{err}
		case <-ctx.Done():
			return nil, h.leave(context.Cause(ctx))
		case <-t.C:
		}
		if next, err := h.look(ctx, at); next != s || err != nil {
			return next, err
		}
	}
}

// ahead is how far the machine's clock is ahead of the one that stands still while
// the machine sleeps: a sleep makes it more.
func (l *Link) ahead() time.Duration {
	return time.Duration(l.cfg.clock().Now().UnixNano()) - l.steady()
}

// rekeyAt is at what age a session needs new keys; 0 = never.
func (l *Link) rekeyAt(t openconnect.Tunnel) time.Duration {
	if t.RekeyTime <= 0 {
		return 0
	}
	return max(t.RekeyTime*95/100, l.least)
}

// holding is one session that is looked after.
type holding struct {
	l     *Link
	s     *Session
	ahead time.Duration // when it was last looked at
}

// lost is called when the session has ended.
func (h *holding) lost(ctx context.Context) (*Session, error) {
	err := h.s.err
	if h.l.final(err) {
		return nil, err
	}
	if h.l.brief++; h.s.now() > steadyFor {
		h.l.brief = 0
	}
	if h.l.brief <= 1 {
		h.l.retry.reset() // at once
	}
	h.l.status.failed(err)
	return h.l.reach(ctx)
}

// leave ends the session for this client, and at the server if the person said so.
func (h *holding) leave(why error) error {
	if errors.Is(why, errUser) {
		h.l.told = h.s.bye(errUser)
	} else {
		h.s.end(why)
	}
	return why
}

// move makes another connection and gives up this one. If there is none to be
// had, it stays with this one as long as that answers.
func (h *holding) move(ctx context.Context) (*Session, error) {
	next, err := h.l.attempt(ctx)
	switch {
	case err == nil:
		h.l.retire(h.s)
		return next, nil
	case ctx.Err() != nil:
		return nil, h.leave(context.Cause(ctx))
	case h.l.final(err):
		h.s.end(err)
		return nil, err
	}
	return h.stay(ctx, err)
}

// retire lets a session that another has taken the place of bring what is under
// way to it, for a moment.
func (l *Link) retire(s *Session) {
	l.running.Go(func() {
		select {
		case <-s.done:
		case <-time.After(linger):
		case <-l.over:
		}
		s.end(errMoved)
	})
}

// stay asks the server whether it is there.
func (h *holding) stay(ctx context.Context, why error) (*Session, error) {
	if h.s.answers(ctx, answerLimit) {
		return h.s, nil
	}
	if ctx.Err() != nil {
		return nil, h.leave(context.Cause(ctx))
	}
	h.s.end(why)
	h.l.status.failed(why)
	h.l.retry.reset()
	return h.l.reach(ctx)
}

// look does what is due, since at or by a jump of the clock, and returns the session
// to go on with. After a sleep of the machine, or a stop of this process, the server
// is asked first whether it is there.
func (h *holding) look(ctx context.Context, at time.Duration) (*Session, error) {
	ahead := h.l.ahead()
	slept := ahead-h.ahead > sleptFor || h.s.now()-at > sleptFor
	h.ahead = ahead
	if slept {
		return h.stay(ctx, errSilent)
	}
	if at := h.s.rekeyAt; at != 0 && h.s.now() >= at {
		h.s.rekeyAt = h.s.now() + rekeyRetry
		return h.move(ctx)
	}
	if err := h.s.look(); err != nil {
		h.s.end(err)
	}
	return h.s, nil
}

// never is when nothing is due, less what is added to times.
const never = time.Duration(math.MaxInt64 / 2)

// due is when there is something to do for look or a rekey if nothing comes before.
func (s *Session) due() time.Duration {
	at := s.watch.due(s.tunnel.DPD)
	if u := s.dtls.Load(); u != nil {
		at = min(at, u.watch.due(s.tunnel.DTLSDPD))
	}
	if k := s.tunnel.Keepalive; k > 0 {
		at = min(at, time.Duration(s.sentTLS.Load())+k)
	}
	if s.rekeyAt != 0 {
		at = min(at, s.rekeyAt)
	}
	return at
}

// look asks a server that is silent, gives up one that stays so, and keeps the way
// to it open.
func (s *Session) look() error {
	now := s.now()
	ask, dead := s.watch.look(now, s.tunnel.DPD)
	if dead {
		return errSilent
	}
	if ask {
		s.tell(nil, openconnect.TypeDPDRequest, nil)
	}
	if u := s.dtls.Load(); u != nil {
		ask, dead := u.watch.look(now, s.tunnel.DTLSDPD)
		if dead {
			_ = u.sock.Close() // data goes by TLS until a new handshake
		} else if ask {
			s.tell(u, openconnect.TypeDPDRequest, nil)
		}
	}
	if k := s.tunnel.Keepalive; k > 0 && now-time.Duration(s.sentTLS.Load()) >= k-k/slack {
		s.tell(nil, openconnect.TypeKeepalive, nil)
	}
	return nil
}

// measure asks the server on all channels that there are.
func (s *Session) measure() {
	s.tell(nil, openconnect.TypeDPDRequest, nil)
	if u := s.dtls.Load(); u != nil {
		s.tell(u, openconnect.TypeDPDRequest, nil)
	}
}

// answers asks the server and waits for anything that comes by TLS.
func (s *Session) answers(ctx context.Context, limit time.Duration) bool {
	const every = 20 * time.Millisecond
	asked := int64(s.now())
	s.measure()
	t, end := time.NewTicker(every), time.NewTimer(limit)
	defer t.Stop()
	defer end.Stop()
	for {
		select {
		case <-t.C:
			if s.watch.heard.Load() > asked {
				return true
			}
		case <-end.C:
			return false
		case <-s.done:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
