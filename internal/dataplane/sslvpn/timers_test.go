package sslvpn

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// idle is a Service with n attached sessions that nothing is heard of, two of
// each SSL client, and a clock to move.
func idle(tb testing.TB, n int) (*Service, *clock.Fake, *memorySink) {
	tb.Helper()
	at := clock.NewFake(time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC))
	sink := &memorySink{closed: make(chan gwlink.SessionClosed, n)}
	s := New(Config{Clock: at, Sink: sink, Log: slog.New(slog.DiscardHandler)})
	device := tuntest.Discard()
	tb.Cleanup(func() { _, _ = device.Close(), s.Close() })
	g := newGateway("vpngw-1", []tun.Queue{device}, s.cfg.Log, &s.tally)
	g.configure(gwlink.Gateway{State: gwlink.GatewayActive})
	srv := newServer(gwlink.SSLServer{ID: "sslsrv-1", DPD: 90, IdleTimeout: 600, CookieTimeout: 300}, g, nil, nil)
	s.gateways[g.id], s.servers["sslsrv-1"] = g, srv
	for i := range n {
		r := Record{Session: fmt.Sprintf("ses_%d", i), Server: "sslsrv-1", Client: fmt.Sprintf("sslcli-%d", i/2), OpenedAt: at.Now()}
		r.Cookie[0], r.Cookie[1] = byte(i), byte(i>>8)
		c := newLiveSession(s, srv, gwlink.Grant{Client: r.Client, NotAfter: at.Now().Add(24 * time.Hour)}, r, at.Now())
		s.enter(c)
		c.mu.Lock()
		c.actions = c.state.Step(at.Now(), session.Event{Kind: session.Attach, Conn: 1}, c.actions[:0])
		c.settleLocked()
		c.mu.Unlock()
	}
	return s, at, sink
}

func TestTimersWakeOnlyWhatIsDue(t *testing.T) {
	t.Parallel()
	s, at, sink := idle(t, 20)
	s.timers.mu.Lock()
	waiting := len(s.timers.heap)
	s.timers.mu.Unlock()
	if waiting != 20 {
		t.Fatalf("got %d timers, want one a session", waiting)
	}
	at.Advance(269 * time.Second)
	if due := s.tick(nil); len(due) != 0 {
		t.Errorf("got %d sessions looked at before three probes, want none", len(due))
	}
	heard := s.sessions["ses_3"]
	heard.heardTLS.Store(at.Now().UnixNano())
	heard.lastData.Store(at.Now().UnixNano())
	at.Advance(time.Second) // the others are silent for three intervals
	s.tick(nil)
	if heard.state.Conn() == 0 || s.sessions["ses_4"].state.Conn() != 0 {
		t.Error("want the silent ones detached, and the one that was heard not")
	}
	at.Advance(300 * time.Second) // their cookies' life
	s.tick(nil)
	if len(sink.closed) != 19 || len(s.all()) != 1 {
		t.Errorf("got %d ended and %d left, want 19 and 1", len(sink.closed), len(s.all()))
	}
}

func most(n int) gwlink.Grant { return gwlink.Grant{MaxSessions: n} }

func TestYieldFindsTheOldestOfOneClient(t *testing.T) {
	t.Parallel()
	s, _, _ := idle(t, 20)
	key := sslClientKey{"sslsrv-1", "sslcli-4"}
	if c := s.oldest(key, most(2)); c == nil || c.rec.Session != "ses_8" {
		t.Errorf("got %v, want ses_8", c)
	}
	if c := s.oldest(key, most(3)); c != nil {
		t.Errorf("got %s of a client that has two", c.rec.Session)
	}
	s.sessions["ses_8"].step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonReplaced})
	if c := s.oldest(key, most(1)); c == nil || c.rec.Session != "ses_9" {
		t.Errorf("got %v, want ses_9", c)
	}
	s.sessions["ses_9"].step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonReplaced})
	if s.oldest(key, most(1)) != nil || len(s.sslClients) != 9 {
		t.Error("an SSL client without sessions is still there")
	}
}

// BenchmarkIdle is a second's timers of sessions with nothing to do, and one
// login's look at the sessions of its SSL client.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		s, _, _ := idle(b, n)
		b.Run(fmt.Sprintf("tick/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var due []*liveSession
			for b.Loop() {
				due = s.tick(due[:0])
			}
		})
		b.Run(fmt.Sprintf("login/%d", n), func(b *testing.B) {
			srv, grant := s.servers["sslsrv-1"], gwlink.Grant{Client: "sslcli-7", MaxSessions: 3}
			for b.Loop() {
				s.yieldOldest(srv, grant)
			}
		})
	}
}

// TestAPhoneHasThePatienceItWasTold: it is silent for as long as it may be.
func TestAPhoneHasThePatienceItWasTold(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Clock: at}, "127.0.0.1", func(s *gwlink.SSLServer) {
		s.DPD, s.MobileDPD, s.IdleTimeout, s.CookieTimeout = 90, 1800, 0, 36000
	})
	r.attached("phone", "X-AnyConnect-Identifier-Platform: apple-ios", "X-CSTP-License: mobile")
	r.attached("desk")
	channels := func() map[string]session.Channel {
		r.svc.tick(nil)
		got := map[string]session.Channel{}
		for _, c := range r.svc.all() {
			c.mu.Lock()
			got[c.grant.Client] = c.state.Channel()
			c.mu.Unlock()
		}
		return got
	}
	at.Advance(3 * 90 * time.Second)
	if got := channels(); got["sslcli-phone"] != session.TLS || got["sslcli-desk"] != session.None {
		t.Errorf("after 270 s: got %v, want the phone alone", got)
	}
	at.Advance(3 * 1800 * time.Second)
	if got := channels(); got["sslcli-phone"] != session.None {
		t.Errorf("after three intervals of its own: got %v", got)
	}
}

// TestAPhoneMayBeIdleForItsOwnTime: the limit is the phone's while one is
// connected, and the desktop's for the same session when that takes over.
func TestAPhoneMayBeIdleForItsOwnTime(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1", func(s *gwlink.SSLServer) {
		s.DPD, s.IdleTimeout, s.MobileIdle = 0, 600, 1800
	})
	mobile := []string{"X-AnyConnect-Identifier-Platform: android", "X-CSTP-License: mobile"}
	r.attached("phone", mobile...)
	r.attached("desk")
	_, cookie := r.attached("both", mobile...)
	r.dial(nil).connect(cookie)
	ended := func(n int) (who []string) {
		t.Helper()
		r.svc.tick(nil)
		for range n {
			if c := r.nextClosed(); c.Reason != gwlink.ReasonIdle {
				t.Errorf("%s ended for %s", c.Session, c.Reason)
			}
		}
		for _, c := range r.svc.all() {
			who = append(who, c.grant.Client)
		}
		return who
	}
	at.Advance(601 * time.Second)
	if left := ended(2); len(left) != 1 || left[0] != "sslcli-phone" {
		t.Errorf("after the desktop's time: got %v left, want the phone", left)
	}
	at.Advance(1200 * time.Second)
	if left := ended(1); len(left) != 0 {
		t.Errorf("after the phone's time: got %v left", left)
	}
}

// TestAChangedExpiryHoldsForLiveSessions: sooner ends them then, past at once
// with their cookies, and later leaves them what their grants said.
func TestAChangedExpiryHoldsForLiveSessions(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1", func(s *gwlink.SSLServer) { s.DPD, s.CookieTimeout = 0, 36000 })
	_, cookie := r.attached("past")
	r.attached("soon")
	r.attached("late") // its grant is of one hour
	r.spec.SSLServers[0].Clients = []gwlink.Client{
		{ID: "sslcli-past", Expires: at.Now().Add(-time.Minute)},
		{ID: "sslcli-soon", Expires: at.Now().Add(10 * time.Minute)},
		{ID: "sslcli-late", Expires: at.Now().Add(5 * time.Hour)},
	}
	r.apply()
	ended := func(session string) {
		t.Helper()
		if c := r.nextClosed(); c.Session != session || c.Reason != gwlink.ReasonSessionLimit {
			t.Errorf("got %s ended for %s, want %s", c.Session, c.Reason, session)
		}
	}
	ended("ses_1")
	p := r.dial(nil)
	if resp, _ := p.request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=" + cookie + "\r\n\r\n"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("its cookie: got %s", resp.Status)
	}
	at.Advance(10 * time.Minute)
	r.svc.tick(nil)
	ended("ses_2")
	if left := len(r.svc.all()); left != 1 {
		t.Errorf("got %d left, want the late one", left)
	}
	at.Advance(51 * time.Minute)
	r.svc.tick(nil)
	ended("ses_3")
}

// TestADownloadIsActivity on either channel, and what neighbours say is none.
func TestADownloadIsActivity(t *testing.T) {
	t.Parallel()
	neighbour := udp6("fd00:77::2", "fd00:98::2", "as long as one")
	neighbour[6], neighbour[40] = 58, 136
	for _, channel := range []session.Channel{session.TLS, session.DTLS} {
		at := clock.NewFake(time.Now())
		r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1", dual, func(s *gwlink.SSLServer) { s.DPD, s.IdleTimeout = 0, 600 })
		p := r.dial(nil)
		h := p.connect(p.login("ann"), "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-CSTP-Address-Type: IPv6,IPv4")
		r.dtlsFor(p, h.Get("X-Dtls-App-Id")).handshake()
		r.uses(session.DTLS)
		c, live := r.theClient()
		way := live.tlsPath
		if channel == session.DTLS {
			way = live.link.path.Load()
		}
		from := pump{g: c.server.Load().gateway}
		gets := func(packet []byte) {
			t.Helper()
			c.path.Store(way) // which a tick may have changed, since nothing is heard by DTLS
			before := c.packetsOut.Load()
			if err := from.seg.Reset(append(make([]byte, tun.HeaderLen), packet...)); err != nil {
				t.Fatal(err)
			}
			from.deliver()
			from.flush()
			r.eventually("the packet is sent", func() bool { return c.packetsOut.Load() > before })
		}
		lives := func(after time.Duration) {
			t.Helper()
			at.Advance(after)
			if r.svc.tick(nil); c.ended.Load() {
				t.Fatalf("%s: the session ended", channel)
			}
		}
		lives(500 * time.Second)
		gets(neighbour)
		lives(99 * time.Second)
		gets(udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 1000)))
		lives(599 * time.Second)
		gets(neighbour)
		at.Advance(time.Second)
		r.svc.tick(nil)
		if e := r.nextClosed(); e.Reason != gwlink.ReasonIdle {
			t.Errorf("%s: it ended for %s", channel, e.Reason)
		}
	}
}
