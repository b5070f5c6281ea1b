package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

var (
	t0     = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	limits = Config{DPD: 10 * time.Second, Idle: 100 * time.Second, Cookie: 60 * time.Second, End: t0.Add(time.Hour)}
)

func after(d time.Duration) time.Time { return t0.Add(d) }

// attached brings a session to a connection, with DTLS if asked.
func attached(dtls bool) *Session {
	s := New(t0, limits)
	s.Step(t0, Event{Kind: Attach, Conn: 1}, nil)
	if dtls {
		s.Step(t0, Event{Kind: DTLSUp}, nil)
	}
	return s
}

func detached() *Session {
	s := attached(true)
	s.Step(t0, Event{Kind: TLSLost, Conn: 1}, nil)
	return s
}

// silent has an association that data has left for TLS.
func silent() *Session {
	s := attached(true)
	s.Step(after(25*time.Second), Event{Kind: Tick, Heard: Heard{TLS: after(20 * time.Second)}}, nil)
	return s
}

func onTLS() *Session  { return attached(false) }
func onDTLS() *Session { return attached(true) }

func TestStep(t *testing.T) {
	t.Parallel()
	use := func(c Channel) Action { return Action{Kind: Use, Channel: c} }
	closed := Action{Kind: CloseTLS, Conn: 1}
	ended := func(reason string) []Action { return []Action{closed, use(None), {Kind: End, Reason: reason}} }
	bye := func(text string) Action {
		return Action{Kind: Send, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: append([]byte{0xb0}, text...)}
	}
	ping := []byte{1, 2, 3}
	heard := func(d time.Duration) Event {
		return Event{Kind: Tick, Heard: Heard{TLS: after(d), DTLS: after(d), Data: after(d)}}
	}
	cases := []struct {
		name string
		from *Session
		at   time.Duration
		e    Event
		want []Action
	}{
		{"first connection", New(t0, limits), 0, Event{Kind: Attach, Conn: 1}, []Action{use(TLS)}},
		{"take-over", onTLS(), 0, Event{Kind: DTLSUp}, []Action{use(DTLS)}},
		{"new tunnel on TLS", onTLS(), 0, Event{Kind: Attach, Conn: 2}, []Action{closed}},
		{"new tunnel voids DTLS", onDTLS(), 0, Event{Kind: Attach, Conn: 2}, []Action{closed, {Kind: CloseDTLS}, use(TLS)}},
		{"old connection's end is nothing", onTLS(), 0, Event{Kind: TLSLost, Conn: 7}, nil},
		{"old connection's good-bye is nothing", onTLS(), 0, Event{Kind: Frame, Conn: 7, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: []byte{0xb0}}, nil},
		{"nor is what it asks", onTLS(), 0, Event{Kind: Frame, Conn: 7, Channel: TLS, Type: openconnect.TypeDPDRequest, Payload: ping}, nil},
		{"old association's end is nothing", onDTLS(), 0, Event{Kind: DTLSLost, Conn: 7}, nil},
		{"connection lost", onDTLS(), 0, Event{Kind: TLSLost, Conn: 1}, []Action{{Kind: CloseDTLS}, use(None)}},
		{"DTLS closed by its peer", onDTLS(), 0, Event{Kind: DTLSLost, Conn: 1}, []Action{{Kind: CloseDTLS}, use(TLS)}},
		{"DTLS without connection", detached(), 0, Event{Kind: DTLSUp}, []Action{{Kind: CloseDTLS}}},
		{"client falls back to TLS", onDTLS(), 0, Event{Kind: DataOn, Channel: TLS}, []Action{use(TLS)}},
		{"DTLS data without association", onTLS(), 0, Event{Kind: DataOn, Channel: DTLS}, nil},
		{
			"DPD is echoed on TLS", onTLS(), 0,
			Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeDPDRequest, Payload: ping},
			[]Action{{Kind: Send, Channel: TLS, Type: openconnect.TypeDPDResponse, Payload: ping}},
		},
		{
			"DPD is echoed on DTLS", onDTLS(), 0,
			Event{Kind: Frame, Conn: 1, Channel: DTLS, Type: openconnect.TypeDPDRequest, Payload: ping},
			[]Action{{Kind: Send, Channel: DTLS, Type: openconnect.TypeDPDResponse, Payload: ping}},
		},
		{"keepalive is not answered", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeKeepalive}, nil},
		{"unknown type is ignored", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: 0x77}, nil},
		{"user disconnects", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: []byte{0xb0, 'x'}}, ended(gwlink.ReasonUser)},
		{"client error", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: []byte{0x70}}, ended(gwlink.ReasonProtocol)},
		{"empty disconnect keeps", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeDisconnect}, []Action{use(None), closed}},
		{"pause keeps", onTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: []byte{0xd1}}, []Action{use(None), closed}},
		{"disconnect on UDP is ignored", onDTLS(), 0, Event{Kind: Frame, Conn: 1, Channel: DTLS, Type: openconnect.TypeDisconnect, Payload: []byte{0xb0}}, nil},
		{"kick", onTLS(), 0, Event{Kind: Kick, Reason: "revoked"}, append([]Action{bye(gwlink.ReasonText("revoked"))}, ended("revoked")...)},
		{"kick while detached", detached(), 0, Event{Kind: Kick, Reason: "revoked"}, []Action{use(None), {Kind: End, Reason: "revoked"}}},
		{"a new tunnel is wanted", onDTLS(), 0, Event{Kind: Renew}, []Action{{Kind: CloseDTLS}, use(None), closed}},
		{"a new tunnel is wanted of nobody", detached(), 0, Event{Kind: Renew}, nil},
		{"quiet but alive", onDTLS(), 40 * time.Second, heard(35 * time.Second), nil},
		{"DTLS silent", onDTLS(), 30 * time.Second, Event{Kind: Tick, Heard: Heard{TLS: after(20 * time.Second)}}, []Action{{Kind: CloseDTLS}, use(TLS)}},
		{"DTLS silent, not yet dead", onDTLS(), 25 * time.Second, Event{Kind: Tick, Heard: Heard{TLS: after(20 * time.Second)}}, []Action{use(TLS)}},
		{"DTLS silent a moment less", onDTLS(), 25*time.Second - 1, Event{Kind: Tick, Heard: Heard{TLS: after(20 * time.Second)}}, nil},
		{"DTLS heard again", silent(), 26 * time.Second, Event{Kind: Frame, Conn: 1, Channel: DTLS, Type: openconnect.TypeKeepalive}, []Action{use(DTLS)}},
		{"TLS silent", onTLS(), 30 * time.Second, Event{Kind: Tick}, []Action{use(None), closed}},
		{
			"idle", onTLS(), 100 * time.Second,
			Event{Kind: Tick, Heard: Heard{TLS: after(99 * time.Second)}},
			append([]Action{bye("Idle for too long.")}, ended(gwlink.ReasonIdle)...),
		},
		{"session time over", onTLS(), time.Hour, heard(time.Hour), append([]Action{bye("Session time is over.")}, ended(gwlink.ReasonSessionLimit)...)},
		{"cookie lives", detached(), 59 * time.Second, Event{Kind: Tick}, nil},
		{"cookie over", detached(), 60 * time.Second, Event{Kind: Tick}, []Action{use(None), {Kind: End, Reason: gwlink.ReasonLost}}},
		{"reconnect", detached(), 59 * time.Second, Event{Kind: Attach, Conn: 2}, []Action{use(TLS)}},
	}
	for _, c := range cases {
		got := c.from.Step(after(c.at), c.e, nil)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// An idle client is on DTLS for who looks at it, though data would go down by TLS
// after 25 s, until the association is given up or the client goes to TLS itself.
func TestTransportOfASilentClient(t *testing.T) {
	t.Parallel()
	s := onDTLS()
	tls := Heard{TLS: after(29 * time.Second)}
	s.Step(after(25*time.Second), Event{Kind: Tick, Heard: tls}, nil)
	if s.Channel() != TLS || s.Transport() != DTLS {
		t.Errorf("silent: data by %s, shown %s; want TLS and DTLS", s.Channel(), s.Transport())
	}
	s.Step(after(30*time.Second), Event{Kind: Tick, Heard: tls}, nil)
	if s.Transport() != TLS {
		t.Errorf("dead: shown %s, want TLS", s.Transport())
	}
	s = onDTLS()
	s.Step(after(time.Second), Event{Kind: DataOn, Channel: TLS}, nil)
	if s.Transport() != TLS {
		t.Errorf("the client's own choice is shown as %s, want TLS", s.Transport())
	}
}

func TestConfigureChangesLimits(t *testing.T) {
	t.Parallel()
	s := onTLS()
	s.Step(t0, Event{Kind: Configure, Config: Config{}}, nil)
	if got := s.Step(after(1000*time.Hour), Event{Kind: Tick}, nil); len(got) != 0 || s.Ended() {
		t.Errorf("got %v, want no limit to act", got)
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	s, out := onDTLS(), make([]Action, 0, 8)
	e := Event{Kind: Frame, Conn: 1, Channel: DTLS, Type: openconnect.TypeDPDRequest, Payload: []byte{1}}
	if n := testing.AllocsPerRun(100, func() { out = s.Step(t0, e, out[:0]) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
