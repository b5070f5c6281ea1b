package fleet

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// ErrReport refuses a report of another node or without sense.
var ErrReport = errs.New(errs.Invalid, "fleet.report")

// skew bounds how far in the future a node's times may lie.
const skew = 5 * time.Minute

// Ingest takes a node's report. It may come again, whole or in part, and its
// parts in another order. What concerns gateways that are not the node's is
// left out and logged.
func (s *Service) Ingest(ctx context.Context, node string, r gwlink.Report) error {
	if r.Node != node || len(r.Version) > 64 {
		return ErrReport
	}
	now := s.clock.Now()
	owned, err := s.gatewaysEver(ctx, node)
	if err != nil {
		return err
	}
	opened, err := s.prepare(ctx, owned, r.Opened, now)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		in := intake{s: s, tx: tx, node: node, now: now, owned: owned}
		return in.all(ctx, r, opened)
	})
}

// gatewaysEver tells which gateways a node runs or ran.
func (s *Service) gatewaysEver(ctx context.Context, node string) (map[string]bool, error) {
	all, err := db.Select(ctx, s.db, db.One[string], "SELECT gateway FROM fleet_assignment WHERE node = $1", node)
	owned := make(map[string]bool, len(all))
	for _, g := range all {
		owned[g] = true
	}
	return owned, err
}

// openedRow is an opening with its addresses sealed; sealing asks the key
// store, another database, and so comes before the transaction.
type openedRow struct {
	gwlink.SessionOpened
	source, inner []byte
}

func (s *Service) prepare(ctx context.Context, owned map[string]bool, all []gwlink.SessionOpened, now time.Time) ([]openedRow, error) {
	var rows []openedRow
	for _, o := range all {
		if !owned[o.Gateway] || !id.Has(o.Session, "ses") || !plausible(o.At, now) {
			s.log.WarnContext(ctx, "session report left out", "gateway", o.Gateway, "session", o.Session)
			continue
		}
		known, err := db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM fleet_session WHERE id = $1 AND started_at <> 0", o.Session)
		if err != nil {
			return nil, err
		}
		if known > 0 {
			continue
		}
		row := openedRow{SessionOpened: o}
		if row.source, err = s.sealAddress(ctx, o.Session, "source_ip", o.At, o.SourceIP); err != nil {
			return nil, err
		}
		if row.inner, err = s.sealAddress(ctx, o.Session, "inner_address", o.At, o.Inner, o.Inner6); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func plausible(at, now time.Time) bool {
	return !at.IsZero() && at.Before(now.Add(skew)) && at.After(now.AddDate(0, -6, 0))
}

// intake is one report being taken in.
type intake struct {
	s     *Service
	tx    *db.Tx
	node  string
	now   time.Time
	owned map[string]bool
}

func (in intake) all(ctx context.Context, r gwlink.Report, opened []openedRow) error {
	if err := in.seen(ctx, r); err != nil {
		return err
	}
	for _, o := range r.Gateways {
		if err := in.observe(ctx, o); err != nil {
			return err
		}
	}
	if err := in.removed(ctx, r); err != nil {
		return err
	}
	for _, o := range opened {
		if err := in.open(ctx, o); err != nil {
			return err
		}
	}
	for _, c := range r.Live {
		if err := in.count(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range r.Closed {
		if err := in.close(ctx, c); err != nil {
			return err
		}
	}
	for _, session := range r.Unknown {
		if err := in.forgotten(ctx, session); err != nil {
			return err
		}
	}
	if len(opened)+len(r.Closed) > 0 {
		fault.Point("fleet-before-commit")
		in.tx.AfterCommit(func() { fault.Point("fleet-after-ingest") })
		in.tx.AfterCommit(in.s.changed)
	}
	return in.sessionsInSample(ctx)
}

func (in intake) seen(ctx context.Context, r gwlink.Report) error {
	return in.tx.ExecOne(ctx, ErrNodeNotFound, `UPDATE fleet_node SET last_seen = $1, version = $2,
		applied = CASE WHEN $3 <= generation THEN $3 ELSE applied END WHERE id = $4`,
		db.Micros(in.now), r.Version, int64(min(r.Generation, 1<<62)), in.node)
}

// observe keeps an observation and publishes it when it tells something new:
// another state, or the first one that covers the gateway's last change.
func (in intake) observe(ctx context.Context, o gwlink.ObservedState) error {
	if !in.owned[o.Gateway] || (o.State != "applied" && o.State != "failed") {
		return nil
	}
	old, err := observation(ctx, in.tx, o.Gateway)
	if err != nil && !errs.IsNotFound(err) {
		return err
	}
	if o.Generation < old.Generation {
		return nil // a late report
	}
	problem := o.Problem[:min(len(o.Problem), 500)]
	if old.State == o.State && old.Problem == problem && old.Generation == o.Generation {
		return nil
	}
	_, err = in.tx.Exec(ctx, `INSERT INTO fleet_observation (gateway, node, generation, state, problem, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (gateway) DO UPDATE SET node = excluded.node, generation = excluded.generation, state = excluded.state,
		problem = excluded.problem, at = excluded.at`, o.Gateway, in.node, int64(o.Generation), o.State, problem, db.Micros(in.now))
	if err != nil {
		return err
	}
	a, err := assignment(ctx, in.tx, o.Gateway)
	if errs.IsNotFound(err) {
		return nil // released: nobody waits for it
	}
	if err != nil {
		return err
	}
	covers := old.Generation < a.Generation && a.Generation <= o.Generation
	if old.State == o.State && old.Problem == problem && !covers {
		return nil
	}
	in.tx.AfterCommit(in.s.changed)
	return in.s.queue.PublishTx(ctx, in.tx, TopicObserved, Observed{Gateway: o.Gateway, Generation: o.Generation, State: o.State, Problem: problem})
}

// removed ends the assignments of gateways that the node was told to remove:
// it has applied the generation that says so, and names them no more.
func (in intake) removed(ctx context.Context, r gwlink.Report) error {
	gone, err := db.Select(ctx, in.tx, db.One[string], `SELECT gateway FROM fleet_assignment WHERE node = $1 AND leaving = 1 AND released_at = 0
		AND generation <= $2 ORDER BY gateway`, in.node, int64(min(r.Generation, 1<<62)))
	if err != nil {
		return err
	}
	for _, gateway := range gone {
		if slices.ContainsFunc(r.Gateways, func(o gwlink.ObservedState) bool { return o.Gateway == gateway }) {
			continue
		}
		if _, err := in.tx.Exec(ctx, "UPDATE fleet_assignment SET released_at = $1 WHERE gateway = $2", db.Micros(in.now), gateway); err != nil {
			return err
		}
		if err := in.s.queue.PublishTx(ctx, in.tx, TopicReleased, Released{gateway}); err != nil {
			return err
		}
	}
	return nil
}

func (in intake) open(ctx context.Context, o openedRow) error {
	n, err := in.tx.Exec(ctx, `INSERT INTO fleet_session (id, client, gateway, source_ip, inner_address, started_at, ended_at, reason, bytes_in, bytes_out)
		VALUES ($1, $2, $3, $4, $5, $6, 0, '', 0, 0) ON CONFLICT (id) DO UPDATE SET client = excluded.client, gateway = excluded.gateway,
		source_ip = excluded.source_ip, inner_address = excluded.inner_address, started_at = excluded.started_at
		WHERE fleet_session.started_at = 0`, o.Session, o.Client, o.Gateway, blob(o.source), blob(o.inner), db.Micros(o.At))
	if err != nil || n == 0 {
		return err
	}
	type end struct{ at, bytes int64 }
	ended, err := db.Get(ctx, in.tx, nil, func(r db.Row) (e end, err error) { return e, r.Scan(&e.at, &e.bytes) },
		"SELECT ended_at, bytes_in + bytes_out FROM fleet_session WHERE id = $1", o.Session)
	if err != nil {
		return err
	}
	if ended.at != 0 { // its closing came before, and could not be counted
		if err := in.use(ctx, o.Session, ended.bytes); err != nil {
			return err
		}
		return in.publishClosed(ctx, o.Session)
	}
	_, err = in.tx.Exec(ctx, `INSERT INTO fleet_live (session, gateway, node, transport, bytes_in, bytes_out, packets_in, packets_out, seen_at)
		VALUES ($1, $2, $3, 'tls', 0, 0, 0, 0, $4) ON CONFLICT (session) DO NOTHING`, o.Session, o.Gateway, in.node, db.Micros(in.now))
	return err
}

// close writes the end of a session, once. A closing that comes before its
// opening waits for it in a row without a start.
func (in intake) close(ctx context.Context, c gwlink.SessionClosed) error {
	if !id.Has(c.Session, "ses") || !plausible(c.At, in.now) || len(c.Reason) > 40 {
		return nil
	}
	node, err := db.Get(ctx, in.tx, nil, db.One[string], "SELECT node FROM fleet_live WHERE session = $1", c.Session)
	if err != nil && !errs.IsNotFound(err) {
		return err
	}
	if err == nil && node != in.node {
		return nil
	}
	if err == nil {
		if err := in.total(ctx, c.Session, c.BytesIn, c.BytesOut); err != nil {
			return err
		}
	}
	n, err := in.tx.Exec(ctx, `INSERT INTO fleet_session (id, client, gateway, started_at, ended_at, reason, bytes_in, bytes_out)
		VALUES ($1, '', '', 0, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, reason = excluded.reason,
		bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out WHERE fleet_session.ended_at = 0`,
		c.Session, db.Micros(c.At), c.Reason, clamp(c.BytesIn), clamp(c.BytesOut))
	if err != nil || n == 0 {
		return err
	}
	if _, err := in.tx.Exec(ctx, "DELETE FROM fleet_live WHERE session = $1", c.Session); err != nil {
		return err
	}
	return in.publishClosed(ctx, c.Session)
}

// forgotten ends a session that was to be closed and that its node does not
// have. A login whose grant was never used leaves nothing in the session log.
func (in intake) forgotten(ctx context.Context, session string) error {
	type last struct {
		reason  string
		in, out int64
	}
	l, err := db.Get(ctx, in.tx, nil, func(r db.Row) (l last, err error) { return l, r.Scan(&l.reason, &l.in, &l.out) },
		`SELECT c.reason, l.bytes_in, l.bytes_out FROM fleet_closure c JOIN fleet_live l ON l.session = c.session
			WHERE c.session = $1 AND c.node = $2`, session, in.node)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return in.close(ctx, gwlink.SessionClosed{
		Session: session, At: in.now, Reason: l.reason, BytesIn: uint64(l.in), BytesOut: uint64(l.out),
	})
}

func (in intake) publishClosed(ctx context.Context, session string) error {
	e, err := db.Get(ctx, in.tx, nil, func(r db.Row) (e SessionClosed, err error) {
		return e, r.Scan(&e.Session, &e.Gateway, &e.Client, &e.Reason)
	}, "SELECT id, gateway, client, reason FROM fleet_session WHERE id = $1 AND started_at <> 0 AND ended_at <> 0", session)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return in.s.queue.PublishTx(ctx, in.tx, TopicSessionClosed, e)
}

// clamp fits a counter into a column.
func clamp(n uint64) int64 { return int64(min(n, 1<<62)) }

// count takes the totals of a live session of this node.
func (in intake) count(ctx context.Context, c gwlink.Counters) error {
	if err := in.rate(ctx, c); err != nil {
		return err
	}
	if err := in.total(ctx, c.Session, c.BytesIn, c.BytesOut); err != nil {
		return err
	}
	transport := c.Transport
	if transport != "tls" && transport != "dtls" && transport != "detached" {
		transport = ""
	}
	_, err := in.tx.Exec(ctx, `UPDATE fleet_live SET transport = $1, packets_in = $2, packets_out = $3, seen_at = $4, client_version = $5
		WHERE session = $6 AND node = $7`,
		transport, clamp(c.PacketsIn), clamp(c.PacketsOut), db.Micros(in.now), versionText(c.Client), c.Session, in.node)
	return err
}

// versionText bounds what a client says of itself, which is anything.
func versionText(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return string([]rune(text)[:min(longestVersion, utf8.RuneCountInString(text))])
}

const longestVersion = 100 // characters

// rate takes how fast a session was since its last report. One that comes right
// after another, or again, says nothing of that, nor do counters beyond sense.
func (in intake) rate(ctx context.Context, c gwlink.Counters) error {
	now := db.Micros(in.now)
	_, err := in.tx.Exec(ctx, `UPDATE fleet_live SET rate_in = ($1 - bytes_in) * 1000000 / ($3 - seen_at), rate_out = ($2 - bytes_out) * 1000000 / ($3 - seen_at)
		WHERE session = $4 AND node = $5 AND $3 - seen_at >= $6 
		AND $1 - bytes_in BETWEEN 0 AND $7 AND $2 - bytes_out BETWEEN 0 AND $7`,
		clamp(c.BytesIn), clamp(c.BytesOut), now, c.Session, in.node, time.Second.Microseconds(), int64(1<<40))
	return err
}

// total raises the totals of a live session and adds the difference to the
// gateway's sample, so that a repeated report adds nothing.
func (in intake) total(ctx context.Context, session string, bytesIn, bytesOut uint64) error {
	type old struct {
		gateway string
		in, out int64
	}
	was, err := db.Get(ctx, in.tx, nil, func(r db.Row) (o old, err error) { return o, r.Scan(&o.gateway, &o.in, &o.out) },
		"SELECT gateway, bytes_in, bytes_out FROM fleet_live WHERE session = $1 AND node = $2", session, in.node)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	now := old{was.gateway, max(was.in, clamp(bytesIn)), max(was.out, clamp(bytesOut))}
	if now == was {
		return nil
	}
	if _, err := in.tx.Exec(ctx, "UPDATE fleet_live SET bytes_in = $1, bytes_out = $2 WHERE session = $3", now.in, now.out, session); err != nil {
		return err
	}
	if err := in.use(ctx, session, now.in-was.in+now.out-was.out); err != nil {
		return err
	}
	return addSample(ctx, in.tx, was.gateway, in.now, now.in-was.in, now.out-was.out)
}

func addSample(ctx context.Context, tx *db.Tx, gateway string, at time.Time, bytesIn, bytesOut int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO fleet_sample (gateway, at, bytes_in, bytes_out, sessions) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (gateway, at) DO UPDATE SET bytes_in = fleet_sample.bytes_in + excluded.bytes_in, bytes_out = fleet_sample.bytes_out + excluded.bytes_out`,
		gateway, db.Micros(at.Truncate(SampleEvery)), bytesIn, bytesOut)
	return err
}

// sessionsInSample notes how many sessions each gateway of the node has.
func (in intake) sessionsInSample(ctx context.Context) error {
	_, err := in.tx.Exec(ctx, `INSERT INTO fleet_sample (gateway, at, bytes_in, bytes_out, sessions)
		SELECT gateway, $1, 0, 0, count(*) FROM fleet_live WHERE node = $2 GROUP BY gateway
		ON CONFLICT (gateway, at) DO UPDATE SET sessions = excluded.sessions`, db.Micros(in.now.Truncate(SampleEvery)), in.node)
	return err
}

// dayOf is the day whose key seals the addresses of a session: legal clocks
// run at +08:00.
func dayOf(start time.Time) string {
	return start.In(civil.Zone).Format("20060102")
}

// ref names the place of a sealed address. The key is of the day, not of a
// person, so that the end of retention destroys a whole day.
func ref(session, column string, start time.Time) vaultRef {
	return vaultRef{Table: "fleet_session", Column: column, Row: session, Subject: dayKey(start), Class: retentionClass}
}

// dayKey is whose key seals the addresses of sessions that began at a time.
func dayKey(start time.Time) id.Handle { return id.Handle("day_" + dayOf(start)) }

func (s *Service) sealAddress(ctx context.Context, session, column string, start time.Time, all ...netip.Addr) ([]byte, error) {
	raw := joinAddresses(all...)
	if len(raw) == 0 {
		return nil, nil
	}
	return s.vault.Seal(ctx, ref(session, column, start), raw)
}

// blob makes an empty value NULL on both engines.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
