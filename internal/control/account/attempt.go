package account

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Limits slow down guessing. No limit shuts an account by its name alone, for
// that would let anybody lock out its owner.
type Limits struct {
	PairFailures   int           // failures of one name from one source
	PairWindow     time.Duration //   within this time
	PairFree       int           // failures before the pauses 2 s, 4 s, 8 s ... begin
	SourceFailures int           // failures from one source per hour, whatever the names
	SourceNames    int           // different names that failed from one source per hour: credential stuffing
	CodeFailures   int           // wrong second factors of one person per 15 minutes
	SignupsPerHour int           // per source
	ResetsSource   int           // reset mails asked per source and hour
	ResetsAddress  int           // per address and hour
	VerifyPerHour  int           // verification mails per person and hour
}

// DefaultLimits are the limits of a public deployment.
func DefaultLimits() Limits {
	return Limits{
		PairFailures: 5, PairWindow: 15 * time.Minute, PairFree: 3, SourceFailures: 10, SourceNames: 6, CodeFailures: 5,
		SignupsPerHour: 5, ResetsSource: 10, ResetsAddress: 3, VerifyPerHour: 3,
	}
}

// DemoLimits keep the pauses and let a demonstration register many people
// from one machine.
func DemoLimits() Limits {
	l := DefaultLimits()
	l.SignupsPerHour, l.SourceFailures, l.ResetsSource, l.SourceNames = 1000, 100, 100, 30
	return l
}

// tally is what happened before, from one source.
type tally struct {
	pair     int       // failures of this name from this source within PairWindow
	lastPair time.Time // the newest of them
	source   int       // failures from this source within an hour
	names    int       // different names among them
}

// wait returns how long the next try has to wait; zero lets it in.
func (l Limits) wait(t tally, now time.Time) time.Duration {
	switch {
	case t.names > l.SourceNames, t.source >= l.SourceFailures:
		return time.Hour
	case t.pair >= l.PairFailures:
		return l.PairWindow
	case t.pair >= l.PairFree:
		pause := time.Second << (t.pair - l.PairFree + 1)
		return max(0, pause-now.Sub(t.lastPair))
	}
	return 0
}

// origin is a source as counters know it: blind indexes, no address.
type origin struct{ source, pair, name string }

// sourceKey is the network that is counted as one: an IPv4 address or an IPv6 /64.
func sourceKey(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		p, err := a.WithZone("").Prefix(64)
		if err == nil {
			return p.String()
		}
	}
	return a.String()
}

func (s *Service) origin(ctx context.Context, name string, src Source) (origin, error) {
	var o origin
	var err error
	key := sourceKey(src.IP)
	if o.source, err = s.d.Vault.Blind(ctx, "account.source", key); err != nil {
		return o, err
	}
	if o.name, err = s.d.Vault.Blind(ctx, "account.name_tried", name); err != nil {
		return o, err
	}
	o.pair, err = s.d.Vault.Blind(ctx, "account.pair", name+"\n"+key)
	return o, err
}

// count writes a try into a committed row before anything is compared. The row
// stays if the try fails; forget removes it.
func (s *Service) count(ctx context.Context, scope string, o origin) (string, error) {
	row := id.New("try")
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return countTx(ctx, tx, row, scope, o, s.d.Clock.Now())
	})
	return row, err
}

func countTx(ctx context.Context, tx *db.Tx, row, scope string, o origin, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO account_attempt (id, scope, source, pair, name, at) VALUES ($1, $2, $3, $4, $5, $6)",
		row, scope, o.source, o.pair, o.name, db.Micros(now))
	return err
}

func (s *Service) forget(ctx context.Context, row string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM account_attempt WHERE id = $1", row)
		return err
	})
}

// tally counts the rows besides own. Rows of tries that are under way count as
// failures, so that parallel tries cannot pass the limit together.
func (s *Service) tally(ctx context.Context, scope string, o origin, own string) (tally, error) {
	now := s.d.Clock.Now()
	return db.Get(ctx, s.d.DB, nil, func(r db.Row) (t tally, err error) {
		var pair, source, names, last int64
		err = r.Scan(&source, &names, &pair, &last)
		return tally{int(pair), db.FromMicros(last), int(source), int(names)}, err
	}, `SELECT COALESCE(SUM(CASE WHEN id <> $2 THEN 1 ELSE 0 END), 0), COUNT(DISTINCT name),
		COALESCE(SUM(CASE WHEN id <> $2 AND pair = $3 AND at > $4 THEN 1 ELSE 0 END), 0),
		COALESCE(MAX(CASE WHEN id <> $2 AND pair = $3 THEN at ELSE 0 END), 0)
		FROM account_attempt WHERE scope = $5 AND source = $1 AND at > $6`,
		o.source, own, o.pair, db.Micros(now.Add(-s.d.Limits.PairWindow)), scope, db.Micros(now.Add(-time.Hour)))
}

// enter counts a try and holds it to the limits; the returned row is to be
// forgotten when the try succeeds.
func (s *Service) enter(ctx context.Context, scope string, o origin) (string, error) {
	row, err := s.count(ctx, scope, o)
	if err != nil {
		return "", err
	}
	t, err := s.tally(ctx, scope, o, row)
	if err != nil {
		return "", err
	}
	wait := s.d.Limits.wait(t, s.d.Clock.Now())
	if wait == 0 {
		return row, nil
	}
	if t.names == s.d.Limits.SourceNames+1 {
		s.reportStuffing(ctx, t)
	}
	// A refused try was not compared and does not prolong the pause.
	if t.names <= s.d.Limits.SourceNames {
		if err := s.forget(ctx, row); err != nil {
			return "", err
		}
	}
	return "", ErrTooMany.With("seconds", int(wait/time.Second)+1)
}

// reportStuffing leaves a leaf for the operator; failing to write it does not
// open the door, for the try is refused anyway.
func (s *Service) reportStuffing(ctx context.Context, t tally) {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "account.stuffing", Actor: audit.Actor{Class: "system"},
			Detail: map[string]string{"names": itoa(t.names), "failures": itoa(t.source)},
		})
	})
	s.d.Log.WarnContext(ctx, "credential stuffing", "count", t.names, "error", err)
}

// perHour counts a try of a scope and refuses beyond the limits per source and
// per name within an hour; a limit of 0 is none.
func (s *Service) perHour(ctx context.Context, scope string, o origin, perSource, perName int) (string, error) {
	row, err := s.count(ctx, scope, o)
	if err != nil {
		return "", err
	}
	since := db.Micros(s.d.Clock.Now().Add(-time.Hour))
	bySource, err := db.Get(ctx, s.d.DB, nil, db.One[int64],
		"SELECT COUNT(*) FROM account_attempt WHERE scope = $1 AND source = $2 AND at > $3", scope, o.source, since)
	if err != nil {
		return "", err
	}
	byName, err := db.Get(ctx, s.d.DB, nil, db.One[int64],
		"SELECT COUNT(*) FROM account_attempt WHERE scope = $1 AND name = $2 AND at > $3", scope, o.name, since)
	if err != nil {
		return "", err
	}
	if (perSource > 0 && int(bySource) > perSource) || (perName > 0 && int(byName) > perName) {
		return "", ErrTooMany.With("seconds", 3600)
	}
	return row, nil
}

// CountHour counts a sensitive act of a person in its own committed row, and refuses
// it with ErrTooMany beyond so many within an hour from one source or of one
// person.
func (s *Service) CountHour(ctx context.Context, scope string, p Principal, src Source, perSource, perPerson int) error {
	o, err := s.origin(ctx, string(p.Subject), src)
	if err != nil {
		return err
	}
	_, err = s.perHour(ctx, scope, o, perSource, perPerson)
	return err
}

// enterCode counts a second factor of a person who has passed the first.
func (s *Service) enterCode(ctx context.Context, subject id.Handle) error {
	o := origin{name: string(subject)}
	if _, err := s.count(ctx, "code", o); err != nil {
		return err
	}
	since := s.d.Clock.Now().Add(-15 * time.Minute)
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64],
		"SELECT COUNT(*) FROM account_attempt WHERE scope = 'code' AND name = $1 AND at > $2", string(subject), db.Micros(since))
	if err != nil {
		return err
	}
	if int(n) > s.d.Limits.CodeFailures {
		return ErrTooMany.With("seconds", 900)
	}
	return nil
}
