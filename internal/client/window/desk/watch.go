package desk

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

const (
	leastApart  = 250 * time.Millisecond // between two Views
	firstPause  = time.Second            // before a daemon that is away is asked again
	longPause   = 15 * time.Second
	drawn       = 60                  // rates kept
	soon        = 30 * 24 * time.Hour // before a certificate ends
	healthyCall = 10 * time.Second    // a call that lasted so long had a daemon
)

// Watch gives a View at once, and a new one whenever something changed.
func (d *Desk) Watch(ctx context.Context) <-chan window.View {
	w := &watcher{Desk: d, began: d.clock.Now(), meters: map[string]*meter{}}
	out := make(chan window.View)
	go func() {
		defer close(out)
		followed := make(chan struct{})
		go func() { defer close(followed); w.follow(ctx) }()
		w.show(ctx, out)
		<-followed
	}()
	return out
}

// watcher is one Watch.
type watcher struct {
	*Desk
	began time.Time

	mu     sync.Mutex
	now    ipc.Status
	away   error // why the daemon does not tell
	meters map[string]*meter
}

// show makes Views until ctx ends.
func (w *watcher) show(ctx context.Context, out chan<- window.View) {
	for {
		changed := w.changes() // before looking, so that no change is missed
		v, next := w.view()
		select {
		case out <- v:
		case <-ctx.Done():
			return
		}
		if !pause(ctx, leastApart) {
			return
		}
		var day <-chan time.Time
		if !next.IsZero() {
			day = time.After(next.Sub(w.clock.Now()))
		}
		select {
		case <-changed:
		case <-day:
		case <-ctx.Done():
			return
		}
	}
}

func pause(ctx context.Context, t time.Duration) bool {
	select {
	case <-time.After(t):
		return true
	case <-ctx.Done():
		return false
	}
}

// follow listens to the daemon, from the acceptance of the policy on. One that is
// away is asked again, ever more rarely.
func (w *watcher) follow(ctx context.Context) {
	wait := firstPause
	for ctx.Err() == nil {
		changed := w.changes()
		if st, err := w.home.Policy.Standing(policy.BuiltIn); err != nil || st.Refused != nil {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		began := w.clock.Now()
		err := w.home.Daemon.Call(ctx, ipc.Request{Op: ipc.OpWatch}, func(a ipc.Answer) error {
			if a.Status != nil {
				w.take(*a.Status)
			}
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		w.lose(err)
		if w.clock.Now().Sub(began) > healthyCall {
			wait = firstPause
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, longPause)
	}
}

// take notes what the daemon tells.
func (w *watcher) take(s ipc.Status) {
	at := w.clock.Now()
	w.mu.Lock()
	same := w.away == nil && reflect.DeepEqual(w.now, s)
	was := w.now
	w.now, w.away = s, nil
	for _, c := range s.Connections {
		if w.meters[c.Profile] == nil {
			w.meters[c.Profile] = &meter{}
		}
		w.meters[c.Profile].take(at, c)
	}
	w.mu.Unlock()
	if !s.Began.Equal(was.Began) { // another daemon says itself what it runs
		w.setRenewed(false)
	}
	if !same {
		w.note(was, s)
		w.change()
	}
}

// lose notes that the daemon tells nothing any more: what it told is not true for
// longer.
func (w *watcher) lose(err error) {
	if err == nil {
		err = ipc.ErrCut
	}
	w.mu.Lock()
	same := w.away != nil && user.CodeOf(w.away) == user.CodeOf(err)
	w.now, w.away = ipc.Status{}, err
	w.meters = map[string]*meter{}
	w.mu.Unlock()
	if !same {
		w.change()
	}
}

// note writes into the log what befell connections that were up.
func (w *watcher) note(was, now ipc.Status) {
	for _, c := range now.Connections {
		i := slices.IndexFunc(was.Connections, func(o ipc.Connection) bool { return o.Profile == c.Profile })
		if i < 0 {
			continue
		}
		before := was.Connections[i].State
		switch {
		case before == ipc.Connected && c.State == ipc.Reconnecting:
			w.home.Tell(user.Lost, c.Profile, c.Cause)
		case before == ipc.Reconnecting && c.State == ipc.Connected:
			w.home.Tell(user.Back, c.Profile, "")
		case (before == ipc.Connected || before == ipc.Reconnecting) && (c.State == ipc.Failed || c.State == ipc.Login):
			w.home.Tell(user.Over, c.Profile, c.Cause)
		}
	}
}

// meter makes rates of the counters of one connection.
type meter struct {
	at      time.Time
	in, out uint64
	rateIn  []float64 // bytes per second, the newest last
	rateOut []float64
}

// take adds a reading, as many rates as seconds have gone by.
func (m *meter) take(at time.Time, c ipc.Connection) {
	took := at.Sub(m.at).Seconds()
	switch {
	case m.at.IsZero() || took < 0 || c.BytesIn < m.in || c.BytesOut < m.out: // another connection
		*m = meter{at: at, in: c.BytesIn, out: c.BytesOut}
		return
	case took < 0.9:
		return
	}
	in, out := float64(c.BytesIn-m.in)/took, float64(c.BytesOut-m.out)/took
	for range min(int(math.Round(took)), drawn) {
		m.rateIn, m.rateOut = append(m.rateIn, in), append(m.rateOut, out)
	}
	if n := len(m.rateIn) - drawn; n > 0 {
		m.rateIn, m.rateOut = slices.Clone(m.rateIn[n:]), slices.Clone(m.rateOut[n:])
	}
	m.at, m.in, m.out = at, c.BytesIn, c.BytesOut
}

// view is how everything stands. next is when it will change by itself.
func (w *watcher) view() (v window.View, next time.Time) {
	lang := w.lang()
	v.Version = w.cfg.Version
	st, err := w.home.Policy.Standing(policy.BuiltIn)
	if err != nil {
		v.Trouble = explain(err, lang)
		return v, next
	}
	v.Policy = standing(st)
	profiles, broken, err := w.home.Profiles.All()
	if err != nil {
		v.Trouble = explain(err, lang)
		return v, next
	}
	v.Update = w.waiting()
	w.mu.Lock()
	defer w.mu.Unlock()
	v.Renewed = w.now.Renewed || w.isRenewed()
	if w.away != nil && v.Policy == window.PolicyAccepted {
		v.Trouble = explain(w.away, lang)
	}
	for i, s := range user.Join(profiles, w.now) {
		v.Profiles = append(v.Profiles, w.connection(profiles[i], s, lang))
		v.Notices = append(v.Notices, w.notices(profiles[i], s.Connection, lang)...)
	}
	if all := user.Consoles(profiles); len(all) > 0 {
		v.Console = all[0]
	}
	for _, b := range broken {
		v.Notices = append(v.Notices, window.Notice{
			ID: "broken:" + b.Error(), At: w.began, Level: window.Warning, Title: user.Say(lang, "notice.broken"), Text: user.Sentence(lang, b),
		})
	}
	more, next := w.policies(lang)
	v.Notices = append(v.Notices, more...)
	slices.SortStableFunc(v.Notices, func(a, b window.Notice) int { return b.At.Compare(a.At) })
	return v, next
}

// standing is what the window does with the client's own policy.
func standing(st policy.Standing) window.PolicyState {
	switch {
	case st.Refused == nil:
		return window.PolicyAccepted
	case errors.Is(st.Refused, policy.ErrWithdrawn):
		return window.PolicyWithdrawn
	case errors.Is(st.Refused, policy.ErrMajorPending):
		return window.PolicyRenewal
	}
	return window.PolicyPending
}

var states = map[ipc.State]window.State{
	ipc.Connecting: window.Connecting, ipc.Connected: window.Connected, ipc.Reconnecting: window.Reconnecting, ipc.Paused: window.Paused,
	ipc.Login: window.Failed, ipc.Failed: window.Failed, ipc.Down: window.Disconnected,
}

var channels = map[string]window.Channel{"tls": window.TLS, "dtls": window.DTLS}

// connection joins a profile, the daemon's word and what is under way here.
func (w *watcher) connection(p profile.Profile, s user.Status, lang i18n.Language) window.Connection {
	c := s.Connection
	out := window.Connection{
		ID: p.ID, Name: p.Name, Server: p.Server, Account: p.Account, State: states[c.State], Since: c.Since,
		Addresses: texts(c.Addresses), Routes: texts(c.Include), Excludes: texts(c.Exclude), DNS: texts(c.DNS),
		Domains: append(slices.Clone(c.SplitDNS), c.Domains...), Channel: channels[c.Channel], MTU: c.MTU,
		RTT: time.Duration(c.RTT * float64(time.Millisecond)), BytesIn: c.BytesIn, BytesOut: c.BytesOut, Cipher: c.Cipher,
		Banner: user.Clean(c.Banner), SessionEnds: c.Ends, CertificateEnds: ends(p), KillSwitch: p.Options.KillSwitch, Trouble: troubleOf(c, lang), Trusted: user.Clean(c.Trusted),
	}
	if c.At.IsValid() {
		out.Gateway = c.At.String()
	}
	if m := w.meters[p.ID]; m != nil {
		out.RateIn, out.RateOut = slices.Clone(m.rateIn), slices.Clone(m.rateOut)
	}
	trying, ending := w.underWayOf(p.ID)
	switch {
	case ending:
		out.State, out.Trouble = window.Disconnecting, nil
	case trying && c.State.Over():
		out.State, out.Step, out.Trouble = window.Connecting, user.Say(lang, "step.login"), nil
	case c.State == ipc.Connecting:
		out.Step = user.Say(lang, "step.tunnel")
	}
	return out
}

// waiting is the release that was found.
func (d *Desk) waiting() *window.Update {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found == nil {
		return nil
	}
	return &window.Update{Version: user.Clean(d.found.Version), Notes: user.Clean(d.found.Notes)}
}

func (d *Desk) underWayOf(id string) (trying, ending bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attempts[id] != nil, d.ending[id]
}

func texts[T fmt.Stringer](all []T) []string {
	var out []string
	for _, v := range all {
		out = append(out, v.String())
	}
	return out
}

// troubleOf is why a connection is not up, or what of it does not work.
func troubleOf(c ipc.Connection, lang i18n.Language) *window.Problem {
	switch {
	case c.Cause != "" && c.State != ipc.Down && c.State != ipc.Connected:
		err := &user.FailedError{Connection: c}
		p := explain(err, lang)
		if c.Cause == left {
			p.Remedy = user.Say(lang, "window.left_remedy")
		}
		return p
	case len(c.Warnings) > 0:
		var all []string
		for _, code := range c.Warnings {
			all = append(all, user.Say(lang, code))
		}
		return &window.Problem{Code: c.Warnings[0], Cause: strings.Join(all, " ")}
	}
	return nil
}

// left is the daemon's cause of a kill switch without a connection.
const left = "left"

// ends is when the certificate of a profile ends; zero where it has none.
func ends(p profile.Profile) time.Time {
	block, _ := pem.Decode([]byte(p.Certificate))
	if block == nil {
		return time.Time{}
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return c.NotAfter
}

// notices are what the person should know of a connection.
func (w *watcher) notices(p profile.Profile, c ipc.Connection, lang i18n.Language) (all []window.Notice) {
	if end := ends(p); !end.IsZero() && end.Sub(w.clock.Now()) < soon {
		all = append(all, window.Notice{
			ID: "certificate:" + p.ID, At: end.Add(-soon).Local(), Level: window.Warning, Title: user.Say(lang, "notice.certificate", "name", p.Name),
			Text: user.Say(lang, "notice.certificate_text", "day", end.Local().Format(time.DateOnly)),
		})
	}
	if c.Notices > 0 {
		n := window.Notice{
			ID: "operator:" + p.ID, At: orElse(c.Since, w.began).Local(), Level: window.Severe,
			Title: user.Say(lang, "notice.operator", "name", p.Name), Text: user.Say(lang, "notice.operator_text"),
		}
		if p.Links.Rights != "" {
			n.Text = user.Say(lang, "notice.operator_at", "url", p.Links.Rights)
		}
		all = append(all, n)
	}
	if c.KillSwitch && c.State.Over() && c.State != ipc.Down {
		all = append(all, window.Notice{
			ID: "kill:" + p.ID, At: orElse(c.Since, w.began).Local(), Level: window.Severe,
			Title: user.Say(lang, "notice.kill", "name", p.Name), Text: user.Say(lang, "notice.kill_text"),
		})
	}
	return all
}

func orElse(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

// policies tells of texts that are newer than what was accepted, and of those whose
// day comes; next is the first of these days.
func (w *watcher) policies(lang i18n.Language) (all []window.Notice, next time.Time) {
	scopes, err := w.scopes()
	if err != nil {
		return nil, next
	}
	for _, scope := range scopes {
		st, err := w.home.Policy.Standing(scope)
		if st.Next != nil {
			day := st.Next.Effective
			if next.IsZero() || day.Before(next) {
				next = day
			}
			all = append(all, window.Notice{
				ID: "next:" + scope, At: w.began, Title: user.Say(lang, "notice.policy_next", "version", st.Next.Version, "day", day.Local().Format(time.DateOnly)),
				Text: user.Say(lang, "notice.policy_next_text"),
			})
		}
		if err == nil && st.Told {
			all = append(all, window.Notice{
				ID: "newer:" + scope, At: st.InForce.Effective.Local(), Title: user.Say(lang, "notice.policy_newer", "version", st.InForce.Version),
				Text: user.Say(lang, "notice.policy_newer_text"),
			})
		}
	}
	return all, next
}
