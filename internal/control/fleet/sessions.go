package fleet

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

type vaultRef = vault.Ref

const (
	retentionClass = "vpn_session"
	// readPurpose is the purpose under which addresses of the log are read.
	readPurpose = "vpn_session"
)

// SampleEvery is the width of a traffic sample; samples are kept SampleLife.
const (
	SampleEvery = 10 * time.Second
	SampleLife  = 24 * time.Hour
)

// Filter chooses sessions.
type Filter struct {
	Gateways []string // required: none means none
	Client   string   // empty = all
	LiveOnly bool
	Before   string // id: older than this; empty = newest
	Limit    int    // 1-500
}

// ErrSessionNotFound is for a session that is absent or of others.
var ErrSessionNotFound = errs.New(errs.NotFound, "fleet.session_not_found")

// Sessions lists sessions of gateways, newest first. Addresses stay closed; see
// OpenAddresses.
func (s *Service) Sessions(ctx context.Context, f Filter) ([]Session, error) {
	var all []Session
	for _, g := range f.Gateways {
		part, err := sessionsOf(ctx, s.db, g, f)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	for i := range all {
		all[i].Live.still(s.clock.Now())
	}
	slices.SortFunc(all, func(a, b Session) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(len(all), f.Limit)], nil
}

// still ends the rate of a session that was not reported for a while: nodes tell
// counters that do not change less often.
func (l *Live) still(now time.Time) {
	if now.Sub(l.Seen) > rateLife {
		l.RateIn, l.RateOut = 0, 0
	}
}

// rateLife is how old the counters of a session that moves something may be; see
// the node's maxLive.
const rateLife = 10 * time.Second

// Session returns one session of one of the gateways.
func (s *Service) Session(ctx context.Context, gateways []string, session string) (Session, error) {
	got, err := db.Get(ctx, s.db, ErrSessionNotFound, scanSession, sessionColumns+" WHERE s.id = $1", session)
	if err == nil && !slices.Contains(gateways, got.Gateway) {
		return Session{}, ErrSessionNotFound
	}
	return got.Session, err
}

// LiveTx returns the ids of a gateway's sessions that have not ended, and of
// one client's among them.
func (s *Service) LiveTx(ctx context.Context, tx *db.Tx, gateway string) (map[string]string, error) {
	type pair struct{ session, client string }
	all, err := db.Select(ctx, tx, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.session, &p.client) },
		"SELECT id, client FROM fleet_session WHERE gateway = $1 AND ended_at = 0", gateway)
	clients := make(map[string]string, len(all))
	for _, p := range all {
		clients[p.session] = p.client
	}
	return clients, err
}

const sessionColumns = `SELECT s.id, s.client, s.gateway, s.source_ip, s.inner_address, s.started_at, s.ended_at, s.reason,
	COALESCE(l.bytes_in, s.bytes_in), COALESCE(l.bytes_out, s.bytes_out), COALESCE(l.transport, ''),
	COALESCE(l.packets_in, 0), COALESCE(l.packets_out, 0), COALESCE(l.seen_at, 0),
	COALESCE(l.rate_in, 0), COALESCE(l.rate_out, 0), COALESCE(l.client_version, '')
	FROM fleet_session s LEFT JOIN fleet_live l ON l.session = s.id`

func sessionsOf(ctx context.Context, q db.Q, gateway string, f Filter) ([]Session, error) {
	before := f.Before
	if before == "" {
		before = "ses_~" // sorts after every id
	}
	rows, err := db.Select(ctx, q, scanSession, sessionColumns+` WHERE s.gateway = $1 AND s.started_at <> 0 AND s.id < $2
		AND ($3 = '' OR s.client = $3) AND ($4 = 0 OR s.ended_at = 0) ORDER BY s.id DESC LIMIT $5`,
		gateway, before, f.Client, db.Bool(f.LiveOnly), int64(f.Limit))
	all := make([]Session, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.Session)
	}
	return all, err
}

type sessionRow struct{ Session }

func scanSession(r db.Row) (row sessionRow, err error) {
	var start, end, bytesIn, bytesOut, packetsIn, packetsOut, seen, rateIn, rateOut int64
	s := &row.Session
	err = r.Scan(&s.ID, &s.Client, &s.Gateway, &s.sealedSource, &s.sealedInner, &start, &end, &s.Reason, &bytesIn, &bytesOut,
		&s.Live.Transport, &packetsIn, &packetsOut, &seen, &rateIn, &rateOut, &s.Live.Version)
	s.Start, s.End, s.Live.Seen = db.FromMicros(start), db.FromMicros(end), db.FromMicros(seen)
	s.BytesIn, s.BytesOut = uint64(bytesIn), uint64(bytesOut)
	s.Live.PacketsIn, s.Live.PacketsOut = uint64(packetsIn), uint64(packetsOut)
	s.Live.RateIn, s.Live.RateOut = uint64(rateIn), uint64(rateOut)
	return row, err
}

// OpenAddresses opens the addresses of sessions for a reader. One read event is
// written for each day among them, before anything opens; an address whose
// day's key is destroyed stays invalid.
func (s *Service) OpenAddresses(ctx context.Context, by vault.Reader, reason string, all []Session) error {
	tickets := map[string]vault.Ticket{}
	for i := range all {
		one := &all[i]
		day := dayOf(one.Start)
		t, ok := tickets[day]
		if !ok {
			var err error
			t, err = s.vault.Begin(ctx, vault.Read{
				Reader: by, Subject: id.Handle("day_" + day), Purpose: readPurpose, Reason: reason,
				Fields: []string{"fleet_session.source_ip", "fleet_session.inner_address"},
			})
			if err != nil {
				return err
			}
			tickets[day] = t
		}
		if err := s.openOne(ctx, t, one); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) openOne(ctx context.Context, t vault.Ticket, one *Session) error {
	source, err := s.openAddresses(ctx, t, ref(one.ID, "source_ip", one.Start), one.sealedSource)
	if err != nil {
		return err
	}
	one.SourceIP = firstValid(source.v4, source.v6)
	inner, err := s.openAddresses(ctx, t, ref(one.ID, "inner_address", one.Start), one.sealedInner)
	one.Inner, one.Inner6 = inner.v4, inner.v6
	return err
}

func firstValid(a, b netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return b
}

func (s *Service) openAddresses(ctx context.Context, t vault.Ticket, r vault.Ref, sealed []byte) (addresses, error) {
	if len(sealed) == 0 {
		return addresses{}, nil
	}
	raw, err := s.vault.Open(ctx, t, r, sealed)
	if errs.KindOf(err) == errs.Gone {
		return addresses{}, nil
	}
	if err != nil {
		return addresses{}, err
	}
	return splitAddresses(raw)
}

// addresses are what one sealed column holds: at most one of each family.
type addresses struct{ v4, v6 netip.Addr }

// joinAddresses is the form that is sealed: 4 bytes, 16 bytes, or both in this
// order. A session's two inner addresses are one fact about it and share a
// column, a key and a retention.
func joinAddresses(all ...netip.Addr) (raw []byte) {
	for _, a := range all {
		if a.IsValid() {
			raw = append(raw, a.Unmap().AsSlice()...)
		}
	}
	return raw
}

func splitAddresses(raw []byte) (a addresses, err error) {
	if len(raw)%16 == 4 {
		a.v4 = netip.AddrFrom4([4]byte(raw))
		raw = raw[4:]
	}
	switch len(raw) {
	case 0:
	case 16:
		a.v6 = netip.AddrFrom16([16]byte(raw))
	default:
		err = errAddresses
	}
	return a, err
}

var errAddresses = errors.New("fleet: sealed addresses of no known length")

// Traffic returns a gateway's samples since a time, oldest first. Ten seconds
// without a report have no sample.
func (s *Service) Traffic(ctx context.Context, gateway string, since time.Time) ([]Sample, error) {
	return db.Select(ctx, s.db, func(r db.Row) (p Sample, err error) {
		var at, in, out, sessions int64
		err = r.Scan(&at, &in, &out, &sessions)
		return Sample{At: db.FromMicros(at), BytesIn: uint64(in), BytesOut: uint64(out), Sessions: int(sessions)}, err
	}, "SELECT at, bytes_in, bytes_out, sessions FROM fleet_sample WHERE gateway = $1 AND at >= $2 ORDER BY at", gateway, db.Micros(since))
}

// Totals is what a gateway's live sessions have come to.
type Totals struct {
	Sessions          int
	BytesIn, BytesOut uint64
}

// Totals sums the live sessions of a gateway.
func (s *Service) Totals(ctx context.Context, gateway string) (Totals, error) {
	return db.Get(ctx, s.db, nil, func(r db.Row) (t Totals, err error) {
		var n, in, out int64
		err = r.Scan(&n, &in, &out)
		return Totals{int(n), uint64(in), uint64(out)}, err
	}, "SELECT count(*), CAST(COALESCE(sum(bytes_in), 0) AS BIGINT), CAST(COALESCE(sum(bytes_out), 0) AS BIGINT) FROM fleet_live WHERE gateway = $1", gateway)
}

// LiveCount counts the live sessions of all gateways.
func (s *Service) LiveCount(ctx context.Context) (int, error) {
	n, err := db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM fleet_live")
	return int(n), err
}

// lost is how long a session may be missing in the reports of a node that
// reports before it counts as ended.
const lost = 2 * time.Minute

// reap ends sessions that their node no longer knows (it was restarted without
// a chance to say so) and forgets old closures.
func (s *Service) reap(ctx context.Context) error {
	now := s.clock.Now()
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := dropClosures(ctx, tx, now); err != nil {
			return err
		}
		type gone struct {
			session, node string
			in, out, seen int64
		}
		all, err := db.Select(ctx, tx, func(r db.Row) (g gone, err error) {
			return g, r.Scan(&g.session, &g.node, &g.in, &g.out, &g.seen)
		}, `SELECT l.session, l.node, l.bytes_in, l.bytes_out, l.seen_at FROM fleet_live l JOIN fleet_node n ON n.id = l.node
			WHERE l.seen_at < n.last_seen - $1`, lost.Microseconds())
		if err != nil {
			return err
		}
		for _, g := range all {
			in := intake{s: s, tx: tx, node: g.node, now: now}
			err := in.close(ctx, gwlink.SessionClosed{
				Session: g.session, At: db.FromMicros(g.seen), Reason: gwlink.ReasonLost,
				BytesIn: uint64(g.in), BytesOut: uint64(g.out),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// LiveClients counts the live sessions of each client of a gateway.
func (s *Service) LiveClients(ctx context.Context, gateway string) (map[string]int, error) {
	type pair struct {
		client string
		n      int64
	}
	all, err := db.Select(ctx, s.db, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.client, &p.n) },
		"SELECT client, count(*) FROM fleet_session WHERE gateway = $1 AND ended_at = 0 GROUP BY client", gateway)
	counts := make(map[string]int, len(all))
	for _, p := range all {
		counts[p.client] = int(p.n)
	}
	return counts, err
}
