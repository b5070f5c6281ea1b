package agent

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

const (
	reportEvery = 2 * time.Second
	reportSoon  = 100 * time.Millisecond // after an opening or a closing
	keepEvery   = 15                     // reports between writes of counters
	maxEntries  = 500                    // of opened and closed each, in one report
	// maxLive is how many sessions' counters are in one report: those of ten
	// thousand go in the ten seconds that counters may be old, and control takes
	// no report for longer than a moment.
	maxLive    = 2000
	maxProblem = 500 // bytes of a gateway's problem, of which control keeps as many
	// idleEvery is how often a session is reported that moves nothing, well within
	// what control takes for lost.
	idleEvery = 30 * time.Second
)

// reporter keeps the session log until control has taken it. It is the
// sslvpn.Sink of the node.
type reporter struct {
	cfg   Config
	store *store
	link  link
	clock clock.Clock
	log   *slog.Logger
	wake  chan struct{}

	refused bool // the last report was; of the reporting goroutine

	mu      sync.Mutex
	opened  map[string]gwlink.SessionOpened // not yet taken by control
	closed  map[string]gwlink.SessionClosed
	unknown map[string]bool // control wants them closed, and they are not here
	running map[string]bool // sessions whose file may be written

	known map[string]known  // what control knows of live sessions; of run alone
	saved map[string]uint64 // bytes of running sessions in their files, under mu
	told  time.Time         // when control took the last report; at first the start
}

// age is how long ago control took a report.
func (r *reporter) age(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Sub(r.told)
}

// waiting is how many entries of the session log control has not taken.
func (r *reporter) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.opened) + len(r.closed)
}

// ended is what is kept of a session after its end. The opening is with it as
// long as control has not taken it, since the session's own file goes.
type ended struct {
	Opened *gwlink.SessionOpened `json:"opened,omitempty"`
	Closed gwlink.SessionClosed  `json:"closed"`
}

// known is what control was last told of a live session.
type known struct {
	counters gwlink.Counters
	at       time.Time
}

// snapshot is the rest of a report.
type snapshot struct {
	generation uint64
	gateways   []gwlink.ObservedState
	live       []gwlink.Counters
	records    func() []sslvpn.Record
}

func newReporter(cfg Config, st *store, l link) *reporter {
	r := &reporter{
		cfg: cfg, store: st, link: l, clock: clock.System{}, log: cfg.Logger, wake: make(chan struct{}, 1),
		opened: map[string]gwlink.SessionOpened{}, closed: map[string]gwlink.SessionClosed{},
		unknown: map[string]bool{}, running: map[string]bool{}, known: map[string]known{}, saved: map[string]uint64{}, told: time.Now(),
	}
	r.loadClosed()
	return r
}

func (r *reporter) loadClosed() {
	names, err := r.store.list("closed")
	if err != nil {
		r.log.Error("reading closed sessions", "error", err)
	}
	for _, name := range names {
		var e ended
		if err := r.store.load(name, &e); err != nil {
			r.log.Error("reading a closed session", "error", err)
			continue
		}
		r.closed[e.Closed.Session] = e.Closed
		if e.Opened != nil {
			r.opened[e.Opened.Session] = *e.Opened
		}
	}
}

// restored returns the sessions of the last run; their openings are reported
// again, since it is not known whether control took them.
func (r *reporter) restored() []sslvpn.Record {
	names, err := r.store.list("session")
	if err != nil {
		r.log.Error("reading sessions", "error", err)
	}
	var out []sslvpn.Record
	for _, name := range names {
		var rec sslvpn.Record
		if err := r.store.load(name, &rec); err != nil {
			r.log.Error("reading a session", "error", err)
			continue
		}
		if r.hasEnded(rec.Session) { // the last process stopped between keeping its end and forgetting it
			r.forget(rec.Session)
			continue
		}
		out = append(out, rec)
		r.noteOpened(rec)
	}
	return out
}

func (r *reporter) hasEnded(session string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.closed[session]
	return ok
}

func (r *reporter) forget(session string) {
	if err := r.store.remove("session/" + session); err != nil {
		r.log.Error("forgetting a session", "session", session, "error", err)
	}
}

// Opened implements sslvpn.Sink.
func (r *reporter) Opened(rec sslvpn.Record) error {
	fault.Point("gateway-before-session")
	if err := r.store.save("session/"+rec.Session, rec); err != nil {
		return err
	}
	fault.Point("gateway-after-session")
	r.noteOpened(rec)
	r.soon()
	return nil
}

func (r *reporter) noteOpened(rec sslvpn.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[rec.Session] = true
	r.opened[rec.Session] = gwlink.SessionOpened{
		Session: rec.Session, Gateway: rec.Gateway, Server: rec.Server, Client: rec.Client,
		SourceIP: rec.SourceIP, Inner: rec.Inner, Inner6: rec.Inner6, At: rec.OpenedAt,
	}
}

// Closed implements sslvpn.Sink.
func (r *reporter) Closed(c gwlink.SessionClosed) {
	// Not settled on the disk: many sessions may end at once, and one whose end a
	// power cut takes back is found lost later.
	if err := r.store.saveLoosely("closed/"+c.Session, r.end(c)); err != nil {
		r.log.Error("keeping a closed session", "session", c.Session, "error", err)
	}
	fault.Point("gateway-after-closed")
	r.forget(c.Session)
	r.mu.Lock()
	r.closed[c.Session] = c
	r.mu.Unlock()
	r.soon()
}

// end notes that a session's file is not written any more.
func (r *reporter) end(c gwlink.SessionClosed) ended {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, c.Session)
	delete(r.saved, c.Session)
	e := ended{Closed: c}
	if o, waiting := r.opened[c.Session]; waiting {
		e.Opened = &o
	}
	return e
}

// notHere tells control that a session which it wants closed is unknown here:
// it was never opened, or the state of this node was lost. Without that word
// control would take it for live.
func (r *reporter) notHere(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, waiting := r.closed[session]; !waiting {
		r.unknown[session] = true
	}
}

// saveCounters keeps the totals of live sessions for the next process.
func (r *reporter) saveCounters(records []sslvpn.Record) {
	for _, rec := range records {
		if err := r.saveRunning(rec); err != nil {
			r.log.Error("keeping a session", "session", rec.Session, "error", err)
		}
	}
}

// saveRunning writes a session's file unless it has moved nothing since, or has
// ended meanwhile.
func (r *reporter) saveRunning(rec sslvpn.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	bytes := rec.BytesIn + rec.BytesOut
	if !r.running[rec.Session] || r.saved[rec.Session] == bytes {
		return nil
	}
	r.saved[rec.Session] = bytes
	return r.store.saveLoosely("session/"+rec.Session, rec)
}

func (r *reporter) soon() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run reports until ctx ends, and then once more.
func (r *reporter) run(ctx context.Context, snap func() snapshot) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-r.wake:
			sleep(ctx, reportSoon)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportEvery)
			defer cancel()
			r.send(last, snap())
			return
		}
		s := snap()
		if n%keepEvery == 0 {
			r.saveCounters(s.records())
		}
		r.send(ctx, s)
	}
}

// send reports once and forgets what control has taken.
func (r *reporter) send(ctx context.Context, s snapshot) {
	rep := gwlink.Report{
		Node: r.cfg.NodeID, Sent: r.clock.Now(), Generation: s.generation,
		Version: r.cfg.Version, Gateways: s.gateways, Live: r.news(s.live),
	}
	r.mu.Lock()
	rep.Opened = first(slices.SortedFunc(maps.Values(r.opened), func(a, b gwlink.SessionOpened) int { return a.At.Compare(b.At) }))
	rep.Closed = first(slices.SortedFunc(maps.Values(r.closed), func(a, b gwlink.SessionClosed) int { return a.At.Compare(b.At) }))
	rep.Unknown = first(slices.Sorted(maps.Keys(r.unknown)))
	more := len(rep.Opened) < len(r.opened) || len(rep.Closed) < len(r.closed)
	r.mu.Unlock()
	news := len(rep.Opened)+len(rep.Closed) > 0
	if news {
		fault.Point("gateway-before-report")
	}
	err := r.link.report(ctx, rep)
	r.say(ctx, err)
	if err != nil {
		return
	}
	if news {
		fault.Point("gateway-after-report")
	}
	r.taken(rep)
	r.learnt(rep, s.live)
	if more {
		r.soon()
	}
}

// news are sessions whose counters control does not know, or was told long ago:
// at most maxLive, those that waited longest. What was told a moment ago waits,
// however often openings and closings make a report.
func (r *reporter) news(live []gwlink.Counters) []gwlink.Counters {
	now := r.clock.Now()
	all := slices.DeleteFunc(slices.Clone(live), func(c gwlink.Counters) bool {
		last, ok := r.known[c.Session]
		since := now.Sub(last.at)
		return ok && (since < reportEvery/2 || last.counters == c && since < idleEvery)
	})
	if len(all) > maxLive {
		slices.SortFunc(all, func(a, b gwlink.Counters) int { return r.known[a.Session].at.Compare(r.known[b.Session].at) })
		all = all[:maxLive]
	}
	return all
}

// learnt notes what control was told, and forgets sessions that live no more.
func (r *reporter) learnt(rep gwlink.Report, live []gwlink.Counters) {
	for _, c := range rep.Live {
		r.known[c.Session] = known{c, rep.Sent}
	}
	if len(r.known) == len(live) {
		return
	}
	there := make(map[string]bool, len(live))
	for _, c := range live {
		there[c.Session] = true
	}
	maps.DeleteFunc(r.known, func(session string, _ known) bool { return !there[session] })
}

// say tells operators when reports stop being taken, and when they are again.
func (r *reporter) say(ctx context.Context, err error) {
	switch {
	case err != nil && !r.refused && ctx.Err() == nil:
		r.refused = true
		r.log.Warn("control does not take the reports; they are kept and sent again", "error", err)
	case err == nil && r.refused:
		r.refused = false
		r.log.Info("control takes the reports again")
	}
}

func first[T any](all []T) []T { return all[:min(len(all), maxEntries)] }

// taken forgets the entries of a report that control accepted. A closing is
// sent with or after its opening, because openings are never fewer.
func (r *reporter) taken(rep gwlink.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = r.clock.Now()
	for _, o := range rep.Opened {
		delete(r.opened, o.Session)
	}
	for _, c := range rep.Closed {
		delete(r.closed, c.Session)
		if err := r.store.remove("closed/" + c.Session); err != nil {
			r.log.Error("forgetting a closed session", "session", c.Session, "error", err)
		}
	}
	for _, session := range rep.Unknown {
		delete(r.unknown, session)
	}
}
