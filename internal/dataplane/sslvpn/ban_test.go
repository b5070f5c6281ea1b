package sslvpn

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/ban"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// newBanRig is a rig that bans, with a clock of the test's.
func newBanRig(t *testing.T) (*rig, *clock.Fake) {
	t.Helper()
	now := clock.NewFake(time.Now())
	cfg := Config{Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Clock: now, MaxBanScore: ban.DefaultMax}
	return newRigWith(t, cfg, "127.0.0.1"), now
}

func TestWrongPasswordsBanTheSourceFromLogins(t *testing.T) {
	t.Parallel()
	r, now := newBanRig(t)
	holder := r.dial(nil)
	cookie := holder.login("ann")
	p := r.dial(nil)
	for i := range 8 {
		if resp, body := p.request(post(reply("ann", "wrong"))); resp.StatusCode != 200 || !strings.Contains(body, `name="password"`) {
			t.Fatalf("failure %d: got %s %q, want the form again", i+1, resp.Status, body)
		}
	}
	for name, request := range map[string]string{
		"init": post(initDocument), "the right password": post(reply("ann", "pass")), "GET": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		resp, _ := r.dial(nil).request(request)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("X-Reason") != gwlink.TextBanned {
			t.Errorf("%s: got %s, reason %q, want 503 and why", name, resp.Status, resp.Header.Get("X-Reason"))
		}
	}
	r.dial(nil).connect(cookie) // a cookie of before opens its tunnel
	if f := r.svc.Tally().LoginFails; f[FailBanned] != 3 || f[FailCredentials] != 8 {
		t.Errorf("got %v, want three banned and eight wrong", f)
	}
	if n := strings.Count(r.log.String(), "logins of one source are refused"); n != 1 {
		t.Errorf("the operator was told %d times, want once", n)
	}
	now.Advance(ban.Reset)
	r.dial(nil).login("ann")
}

// TestUnlockingAClientLiftsItsBanHere: control unlocks a client, and the node
// forgets what that one earned its source, not what others did.
func TestUnlockingAClientLiftsItsBanHere(t *testing.T) {
	t.Parallel()
	r, now := newBanRig(t)
	from := netip.MustParseAddr("127.0.0.1")
	unlock := func(client string) {
		now.Advance(time.Second)
		for i, c := range r.spec.SSLServers[0].Clients {
			if c.ID == client {
				r.spec.SSLServers[0].Clients[i].Pardoned = now.Now().UnixMicro()
			}
		}
		r.apply()
	}
	r.spec.SSLServers[0].Clients = append(r.spec.SSLServers[0].Clients, gwlink.Client{ID: "sslcli-ann"}, gwlink.Client{ID: "sslcli-bob", Pardoned: 5})
	r.apply()
	guess := func(name string, times int) {
		p := r.dial(nil)
		for range times {
			p.request(post(reply(name, "wrong")))
		}
	}
	guess("ann", 8)
	if unlock("sslcli-bob"); !r.svc.bans.Banned(from, now.Now()) {
		t.Fatal("unlocking another client lifted the ban")
	}
	if unlock("sslcli-ann"); r.svc.bans.Banned(from, now.Now()) {
		t.Fatal("banned after the client was unlocked")
	}
	r.dial(nil).login("ann")
	guess("bob", 8)
	if unlock("sslcli-ann"); !r.svc.bans.Banned(from, now.Now()) {
		t.Error("unlocking lifted what the failures of another client had made")
	}
}

func TestConnectionsThatComeToNothingBanTheSource(t *testing.T) {
	t.Parallel()
	r, now := newBanRig(t)
	from := netip.MustParseAddr("127.0.0.1")
	useless := func() {
		p := r.dial(nil)
		p.request(post(initDocument))
		_ = p.raw.Close()
	}
	for range ban.DefaultMax {
		useless()
	}
	r.quiet()
	if !r.svc.bans.Banned(from, now.Now()) {
		t.Fatal("80 connections that came to nothing made no ban")
	}
	if resp, _ := r.dial(nil).request(post(initDocument)); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %s, want 503", resp.Status)
	}
}

func TestAnOfficeThatReconnectsIsNotBanned(t *testing.T) {
	t.Parallel()
	r, now := newBanRig(t)
	cookie := r.dial(nil).login("ann")
	for range 2 * ban.DefaultMax { // far more than the score allows
		p := r.dial(nil)
		p.connect(cookie)
		_ = p.raw.Close()
	}
	if r.svc.bans.Banned(netip.MustParseAddr("127.0.0.1"), now.Now()) {
		t.Error("reconnections made a ban")
	}
	r.dial(nil).login("bob")
}

// quiet waits until every connection without a session has ended and been weighed.
func (r *rig) quiet() {
	r.t.Helper()
	early := func() int {
		r.svc.early.mu.Lock()
		defer r.svc.early.mu.Unlock()
		return r.svc.early.all
	}
	for end := time.Now().Add(waitLimit); early() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%d connections do not end", early())
		}
	}
}

// TestOurOwnFaultsBanNobody: control is away, the gateway frozen, or a cookie is
// over; an office that tries again and again is not to blame.
func TestOurOwnFaultsBanNobody(t *testing.T) {
	t.Parallel()
	r, now := newBanRig(t)
	tries := map[string]string{
		"control is away": post(reply("ann", "away")), "an old cookie": "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=b2xk\r\n\r\n",
	}
	for name, text := range tries {
		for range 2 * ban.DefaultMax {
			p := r.dial(nil)
			if resp, _ := p.request(text); resp.StatusCode == http.StatusOK {
				t.Fatalf("%s: got %s", name, resp.Status)
			}
			_ = p.raw.Close()
		}
	}
	r.quiet()
	if r.svc.bans.Banned(netip.MustParseAddr("127.0.0.1"), now.Now()) {
		t.Fatal("what was our fault made a ban")
	}
	r.dial(nil).login("ann")
}
