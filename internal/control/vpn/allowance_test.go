package vpn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// metered is a client with an allowance, and its live session.
type metered struct {
	rig
	srv     vpn.SSLServer
	c       vpn.SSLClient
	pw      string
	session string
}

func (r rig) metered(t *testing.T, daily, monthly int64) *metered {
	t.Helper()
	m := &metered{rig: r, srv: r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })}
	var secret vpn.Secret
	m.c, secret = r.client(t, alice, m.srv.ID, "zhang.san")
	m.pw = secret.Password
	m.set(t, daily, monthly)
	m.login(t)
	return m
}

func (m *metered) set(t *testing.T, daily, monthly int64) {
	t.Helper()
	now, err := m.s.Client(ctx, alice.Account, m.c.ID)
	must(t, err)
	now.DailyQuota, now.MonthlyQuota = daily, monthly
	m.c, err = m.s.UpdateClient(ctx, alice, m.c.ID, now.Version, now.ClientSettings)
	must(t, err)
	if m.c.DailyQuota != daily || m.c.MonthlyQuota != monthly {
		t.Errorf("got %d and %d kept, want %d and %d", m.c.DailyQuota, m.c.MonthlyQuota, daily, monthly)
	}
}

func (m *metered) try(t *testing.T) gwlink.LoginAnswer {
	t.Helper()
	a, err := m.say(m.srv, source(1), "", nil, "username", m.c.Name, "password", m.pw)
	must(t, err)
	return a
}

func (m *metered) login(t *testing.T) {
	t.Helper()
	g := m.grantOf(t, m.try(t))
	m.session = g.Session
	m.opened(t, g, "10.9.0.2")
}

// moves reports the session's totals, and lets the periodic job have its turn.
func (m *metered) moves(t *testing.T, in, out uint64) {
	t.Helper()
	must(t, m.fleet.Ingest(ctx, m.node.ID, gwlink.Report{Node: m.node.ID, Live: []gwlink.Counters{{Session: m.session, BytesIn: in, BytesOut: out, Transport: "dtls"}}}))
	must(t, m.s.EnforceQuotas(ctx))
}

// closes tells for which reason the node is to end the session; empty if it is
// not.
func (m *metered) closes(t *testing.T) string {
	t.Helper()
	d, err := m.fleet.Desired(ctx, m.node.ID)
	must(t, err)
	for _, c := range d.Closures {
		if c.Session == m.session {
			return c.Reason
		}
	}
	return ""
}

func (m *metered) ends(t *testing.T) {
	t.Helper()
	must(t, m.fleet.Ingest(ctx, m.node.ID, gwlink.Report{Node: m.node.ID, Closed: []gwlink.SessionClosed{{Session: m.session, At: m.clock.Now(), Reason: gwlink.ReasonQuota}}}))
	must(t, m.queue.Drain(ctx))
}

// TestAUsedUpAllowanceEndsSessionsAndRefusesLogins until its period is over.
func TestAUsedUpAllowanceEndsSessionsAndRefusesLogins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		daily, monthly int64
		says           string
		over           func(u vpn.ClientUsage) time.Time
	}{
		{"daily", 1000, 0, "today", func(u vpn.ClientUsage) time.Time { return u.DayEnds }},
		{"monthly", 0, 1000, "month", func(u vpn.ClientUsage) time.Time { return u.MonthEnds }},
		{"both", 900, 1000, "month", func(u vpn.ClientUsage) time.Time { return u.MonthEnds }},
	} {
		each(t, func(t *testing.T, r rig) {
			m := r.metered(t, c.daily, c.monthly)
			m.moves(t, 300, 599)
			if got := m.closes(t); got != "" {
				t.Fatalf("%s: below the allowance: ended for %s", c.name, got)
			}
			m.moves(t, 300, 700)
			if got := m.closes(t); got != gwlink.ReasonQuota {
				t.Fatalf("%s: got %q, want the session ended for %s", c.name, got, gwlink.ReasonQuota)
			}
			m.ends(t)
			for range 7 { // a right password is no failed try: never locked for it
				if a := m.try(t); a.Outcome != gwlink.OutcomeUnavailable || !strings.Contains(a.Reason, c.says) {
					t.Fatalf("%s: got %s %q, want it refused, saying %q", c.name, a.Outcome, a.Reason, c.says)
				}
			}
			u, err := m.s.Usage(ctx, alice.Account, m.c.ID)
			if err != nil || u.Day != 1000 || u.Month != 1000 {
				t.Errorf("%s: got %+v, %v", c.name, u, err)
			}
			m.clock.Advance(c.over(u).Sub(m.clock.Now()) - time.Second)
			if a := m.try(t); a.Outcome != gwlink.OutcomeUnavailable {
				t.Errorf("%s: a second before the end: got %s", c.name, a.Outcome)
			}
			m.clock.Advance(time.Second)
			if a := m.try(t); a.Outcome != gwlink.OutcomeGranted {
				t.Errorf("%s: in the next period: got %s %q", c.name, a.Outcome, a.Reason)
			}
		})
	}
}

func TestAnAllowanceThatIsChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		m := r.metered(t, 0, 0)
		m.moves(t, 500, 500)
		if got := m.closes(t); got != "" {
			t.Fatalf("without an allowance: ended for %s", got)
		}
		m.set(t, 1000, 0)
		if got := m.closes(t); got != gwlink.ReasonQuota {
			t.Errorf("lowered to what is used: got %q, want the session ended", got)
		}
		m.ends(t)
		m.set(t, 1001, 0)
		m.login(t)
		m.moves(t, 1, 0)
		if got := m.closes(t); got != gwlink.ReasonQuota {
			t.Errorf("one byte later: got %q, want the session ended", got)
		}
		next := m.c.ClientSettings
		for _, wrong := range []int64{-1, 1<<50 + 1} {
			next.DailyQuota = wrong
			if _, err := m.s.UpdateClient(ctx, alice, m.c.ID, 0, next); !errors.Is(err, vpn.ErrSetting) && errs.CodeOf(err) != "vpn.setting_invalid" {
				t.Errorf("%d bytes: got %v, want it refused", wrong, err)
			}
		}
	})
}

// TestAnAllowanceIsHeldByAFreshProcess: whatever was reported before it began.
func TestAnAllowanceIsHeldByAFreshProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		m := r.metered(t, 1000, 0)
		must(t, m.fleet.Ingest(ctx, m.node.ID, gwlink.Report{Node: m.node.ID, Live: []gwlink.Counters{{Session: m.session, BytesIn: 2000, Transport: "tls"}}}))
		m.clock.Advance(time.Hour)
		must(t, m.s.EnforceQuotas(ctx))
		if got := m.closes(t); got != gwlink.ReasonQuota {
			t.Errorf("got %q, want the session ended", got)
		}
		must(t, m.s.DeleteClient(ctx, alice, m.c.ID))
		if u, err := m.fleet.Usage(ctx, m.c.ID); err != nil || u.Month != 0 {
			t.Errorf("a deleted client's usage: got %+v, %v", u, err)
		}
	})
}

// TestAReachedLimitIsToldOnceADay, of the gateway and of each client.
func TestAReachedLimitIsToldOnceADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		told := map[string][]vpn.LimitReached{}
		for _, topic := range []string{vpn.TopicConnectionsReached, vpn.TopicAllowanceReached} {
			job.Subscribe(r.queue, topic, "test", func(_ context.Context, e vpn.LimitReached) error {
				told[topic] = append(told[topic], e)
				return nil
			})
		}
		m := r.metered(t, 1000, 0)
		var other vpn.SSLClient
		var session string
		for i := range 5 { // with the session of m: one too many
			c, secret := r.client(t, alice, m.srv.ID, fmt.Sprint("c", i))
			a, err := r.say(m.srv, source(i), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			if i < 4 {
				g := r.grantOf(t, a)
				r.opened(t, g, fmt.Sprint("10.9.0.", 10+i))
				other, session = c, g.Session
				continue
			}
			for range 2 {
				if a, err = r.say(m.srv, source(i), "", nil, "username", c.Name, "password", secret.Password); err != nil || a.Outcome != gwlink.OutcomeUnavailable {
					t.Fatalf("got %+v, %v", a, err)
				}
			}
		}
		m.moves(t, 999, 1)
		m.ends(t)
		m.try(t)
		must(t, m.fleet.Ingest(ctx, m.node.ID, gwlink.Report{Node: m.node.ID, Live: []gwlink.Counters{{Session: session, BytesIn: 11, Transport: "tls"}}}))
		next := other.ClientSettings
		next.DailyQuota = 10
		must(t, second(r.s.UpdateClient(ctx, alice, other.ID, 0, next)))
		must(t, r.queue.Drain(ctx))
		if full := told[vpn.TopicConnectionsReached]; len(full) != 1 || full[0].Account != alice.Account || full[0].Gateway != m.srv.Gateway || full[0].Limit != 5 {
			t.Errorf("connections: got %+v, want it told once", full)
		}
		if used := told[vpn.TopicAllowanceReached]; len(used) != 2 || used[0].Client != m.c.ID || used[0].Gateway != m.srv.Gateway || used[1].Client != other.ID {
			t.Errorf("allowance: got %+v, want it told once of each client", used)
		}
		r.clock.Advance(24 * time.Hour)
		m.login(t)
		m.moves(t, 1000, 1000)
		must(t, r.queue.Drain(ctx))
		if n := r.events(t, "vpn.limit_reached"); len(told[vpn.TopicAllowanceReached]) != 3 || n != 4 {
			t.Errorf("the next day: told %d times, %d events; want 3 and 4", len(told[vpn.TopicAllowanceReached]), n)
		}
	})
}
