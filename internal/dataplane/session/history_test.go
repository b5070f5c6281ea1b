package session

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// maxActions is how much one event may make the shell do.
const maxActions = 6

// TestHistories has peers that say anything at any time, also on connections
// that were replaced long ago, to a configuration that changes under them. The
// number in a failure's name makes its history again.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		if err := play(scriptOf(seed)); err != nil {
			t.Fatalf("history %d: %v", seed, err)
		}
	}
}

func scriptOf(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	script := make([]byte, 4*(1+r.IntN(120)))
	for i := range script {
		script[i] = byte(r.Uint32())
	}
	return script
}

// FuzzHistory is TestHistories with histories that a fuzzer finds.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 2, 0, 0, 1, 4, 0, 5, 3, 0, 0, 0, 2, 7, 0, 0, 40})
	f.Add([]byte{0, 0, 0, 0, 4, 1, 5, 0, 8, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 4, 33, 5, 1, 1, 1, 0, 1, 7, 9, 0, 255})
	for seed := range uint64(20) {
		f.Add(scriptOf(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if err := play(script); err != nil {
			t.Error(err)
		}
	})
}

// history is a session with what must be true of it, kept apart.
type history struct {
	s     *Session
	now   time.Time
	heard Heard
	conns uint64          // connections so far
	open  map[uint64]bool // that were neither lost nor closed
	use   Channel         // by the actions
	dtls  bool            // an association lives, by events and actions
	ends  int
}

// play runs a script of four bytes an event and tells which invariant broke.
func play(script []byte) error {
	h := &history{s: New(t0, limits), now: t0, open: map[uint64]bool{}}
	h.heard = Heard{t0, t0, t0}
	for n := 0; len(script) >= 4 && n < 1000; n++ {
		e := h.event(script[0], script[1], script[2])
		h.now = h.now.Add(time.Duration(script[3]) * time.Second / 4)
		script = script[4:]
		if e.Kind == Tick {
			h.hear(e.Payload)
			e.Heard = h.heard
		}
		if err := h.step(e); err != nil {
			return fmt.Errorf("event %d, %+v: %w", n, e, err)
		}
	}
	return nil
}

// event makes one of three bytes. Half of all name the newest connection, the
// others any that ever was, or none.
func (h *history) event(kind, which, content byte) Event {
	e := Event{
		Kind: EventKind(kind % byte(Renew+1)), Conn: h.conns, Channel: TLS + Channel(which>>1&1), Reason: gwlink.ReasonRevoked,
		Type: content % 10, Payload: []byte{[]byte{0xb0, 0x70, 0x91, 0xd1, 0x00, content}[int(content/10)%6], which}[:int(which>>2)%3],
	}
	if which&1 == 1 {
		e.Conn = uint64(which>>4) % (h.conns + 1)
	}
	switch e.Kind {
	case Attach: // the shell numbers them
		h.conns++
		e.Conn = h.conns
		h.open[e.Conn] = true
	case Configure:
		e.Config = Config{
			DPD: time.Duration(which&15) * time.Second, Idle: time.Duration(which>>4) * 10 * time.Second,
			Cookie: time.Duration(content&31) * 4 * time.Second, End: h.now.Add(time.Duration(content) * time.Minute),
		}
	}
	return e
}

// hear makes bytes come on some channels up to now.
func (h *history) hear(which []byte) {
	for i, at := range []*time.Time{&h.heard.TLS, &h.heard.DTLS, &h.heard.Data} {
		if len(which) > 0 && which[0]>>i&1 == 1 {
			*at = h.now
		}
	}
}

// step gives the session an event and holds what it does against the rules.
func (h *history) step(e Event) error {
	over, conn, deadline := h.s.Ended(), h.s.Conn(), h.s.Deadline(h.heard)
	out := h.s.Step(h.now, e, nil)
	if over && (len(out) > 0 || !deadline.IsZero()) {
		return fmt.Errorf("an ended session acted or waits: %v, %v", out, deadline)
	}
	if e.Kind != Attach && e.Conn != conn && (e.Kind == TLSLost || e.Kind == DTLSLost || e.Kind == Frame) && len(out) > 0 {
		return fmt.Errorf("connection %d is in use, and another did %v", conn, out)
	}
	if err := h.ticked(e, deadline, out); err != nil {
		return err
	}
	if e.Kind == TLSLost {
		delete(h.open, e.Conn)
	}
	if e.Kind == DTLSUp && !over {
		h.dtls = true
	}
	if err := h.actions(e, out); err != nil {
		return err
	}
	if err := h.disconnected(e, conn, over); err != nil {
		return err
	}
	return h.settled()
}

// ticked: time moves a session at its deadline, neither before nor after, and
// each time the deadline moves on.
func (h *history) ticked(e Event, deadline time.Time, out []Action) error {
	if e.Kind != Tick {
		return nil
	}
	due := !deadline.IsZero() && !h.now.Before(deadline)
	if due != (len(out) > 0) {
		return fmt.Errorf("a tick at %s with the deadline %s did %v", h.now, deadline, out)
	}
	if next := h.s.Deadline(h.heard); !next.IsZero() && !next.After(h.now) && h.s.Conn() != 0 {
		return fmt.Errorf("after a tick at %s the deadline is %s", h.now, next)
	}
	return nil
}

// actions: few of them, answers only to what asks for one, as long as what
// asked, and a good-bye before the connection is closed.
func (h *history) actions(e Event, out []Action) error {
	if len(out) > maxActions {
		return fmt.Errorf("%d actions", len(out))
	}
	bye := false
	for _, a := range out {
		switch a.Kind {
		case Send:
			asked := e.Kind == Frame && e.Type == openconnect.TypeDPDRequest && a.Type == openconnect.TypeDPDResponse && a.Channel == e.Channel && string(a.Payload) == string(e.Payload)
			bye = a.Type == openconnect.TypeDisconnect && a.Channel == TLS
			if !asked && !bye {
				return fmt.Errorf("sends %v", a)
			}
		case Use:
			h.use = a.Channel
		case CloseTLS:
			if !h.open[a.Conn] {
				return fmt.Errorf("closes connection %d, which is not open", a.Conn)
			}
			delete(h.open, a.Conn)
			bye = false
		case CloseDTLS:
			h.dtls = false
		case End:
			h.ends++
		}
	}
	if bye {
		return fmt.Errorf("a DISCONNECT without closing: %v", out)
	}
	return nil
}

// disconnected: the client's good-bye ends the session if it is one for good,
// and else leaves it for the cookie; on UDP it is nothing.
func (h *history) disconnected(e Event, conn uint64, over bool) error {
	if e.Kind != Frame || e.Type != openconnect.TypeDisconnect || e.Conn != conn || conn == 0 || over {
		return nil
	}
	ends := openconnect.ParseDisconnect(e.Payload).Ends() && e.Channel == TLS
	stays := e.Channel != TLS
	if h.s.Ended() != ends || (h.s.Conn() == conn) != stays {
		return fmt.Errorf("ended %v, on connection %d", h.s.Ended(), h.s.Conn())
	}
	return nil
}

// settled is what holds between events.
func (h *history) settled() error {
	conn := h.s.Conn()
	if shown := h.s.Transport(); shown != h.use && (shown != DTLS || !h.dtls || h.use != TLS) {
		return fmt.Errorf("shown on %s, with data by %s", shown, h.use)
	}
	switch {
	case h.ends > 1 || h.s.Ended() != (h.ends == 1):
		return fmt.Errorf("ended %v after %d ends", h.s.Ended(), h.ends) // and its addresses are free once, at the end
	case h.s.Ended() && (conn != 0 || !h.s.Deadline(h.heard).IsZero()):
		return fmt.Errorf("an ended session has connection %d", conn)
	case !h.s.Ended() && (len(h.open) > 1 || conn != 0 && !h.open[conn] || conn == 0 && len(h.open) > 0):
		return fmt.Errorf("connections %v are open, %d is in use", h.open, conn)
	case h.use != h.s.Channel() || (h.use != None) != (conn != 0):
		return fmt.Errorf("data goes by %s, session says %s on connection %d", h.use, h.s.Channel(), conn)
	case h.use == DTLS && !h.dtls:
		return fmt.Errorf("data goes by an association that was forgotten")
	case h.dtls && conn == 0:
		return fmt.Errorf("an association outlives its connection")
	}
	return nil
}
