package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// keyClass is the class of the key that seals the detail of an entry. What the
// law wants kept for a time from the day of record has a key for each day or
// month, and what it wants kept from a close a key for each thing that closes, so
// that an end destroys no more than is over.
func keyClass(e Event, at time.Time) string {
	class := Types[e.Type]
	switch {
	case ofObjects[class]:
		return class + "/" + e.Object
	case ofThings[class] && e.Subject == "":
		return class // about nobody
	}
	return class + period(class, at)
}

func period(class string, at time.Time) string {
	switch day := civil.DayOf(at).String(); class {
	case "netlog":
		return "/" + day
	case "disclosure", "order", "consent":
		return "/" + day[:len("2006-01")]
	}
	return ""
}

// fits reports whether an entry of a type and time can have a key of the class that
// its row names: the one of today, or one that an older release chose.
func fits(e entry) bool {
	class := Types[e.Type]
	base, object, split := strings.Cut(e.class, "/")
	if ofObjects[class] && base == class && split && object != "" {
		return true
	}
	return e.class != "" && (e.class == class || e.class == former[e.Type] || e.class == class+period(class, e.At))
}

// lastDay is the last day that a key of keyClass is for; ok is false for a key
// that does not end with time.
func lastDay(class string) (base string, day civil.Day, ok bool) {
	base, when, ok := strings.Cut(class, "/")
	if !ok {
		return base, day, false
	}
	if day, err := civil.ParseDay(when); err == nil {
		return base, day, true
	}
	first, err := civil.ParseDay(when + "-01")
	return base, first.AddMonths(1).AddDays(-1), err == nil
}

// overKey is the key of a person's details of a day or month.
type overKey struct {
	handle id.Handle
	class  string
	count  int64
}

// Retain destroys the keys of details whose floor is over, empties the details,
// also those whose key another module destroyed, and deletes the rows that repeat them. The leaves stay: each proves that
// something happened, not what. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	keys, err := db.Select(ctx, s.db, func(r db.Row) (k overKey, err error) { return k, r.Scan(&k.handle, &k.class, &k.count) },
		`SELECT handle, class, count(*) FROM audit_payload WHERE (class LIKE 'netlog/%' OR class LIKE 'disclosure/%') AND length(body) > 0
			GROUP BY handle, class`)
	if err != nil {
		return nil, fmt.Errorf("retention of the log's details: %w", err)
	}
	sums := map[string]*retention.Result{"netlog": {Class: "netlog"}, "disclosure": {Class: "disclosure"}}
	for _, k := range keys {
		base, last, ok := lastDay(k.class)
		if !ok || run.Today().Before(retention.MayGo(base, last)) {
			continue
		}
		if err := s.retainKey(ctx, run, k, last, sums[base]); err != nil {
			return nil, fmt.Errorf("retention of the log's details: %w", err)
		}
	}
	plain, err := s.retainPlain(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("retention of the log's details: %w", err)
	}
	things, err := s.retainThings(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("retention of the log's details: %w", err)
	}
	if err := s.emptyEnded(ctx); err != nil {
		return nil, fmt.Errorf("emptying details without a key: %w", err)
	}
	return append(append([]retention.Result{*sums["netlog"], *sums["disclosure"]}, plain...), things...), nil
}

// Forget destroys the key of what the log tells of a thing, when its term is over.
// Its details are emptied in the next run.
func (s *Service) Forget(ctx context.Context, class string, subject id.Handle, object string) error {
	ref := payloadRef("", subject, class+"/"+object)
	return s.vault.DestroyClass(ctx, ref.Owner(), ref.Class)
}

// Things tells of what a module keeps until a term after its close.
type Things interface {
	// Keeps reports whether something of a class about a person, or with an empty
	// subject about nobody, began at a time or before, and its term is not over.
	Keeps(ctx context.Context, run retention.Run, class string, subject id.Handle, began time.Time) (bool, error)
}

// Ask names the modules that are asked before a key of older releases ends, which
// sealed the details of all things of a person. Until then none ends.
func (s *Service) Ask(all ...Things) { s.things = all }

// plainKey is the key that an older release sealed details of a class under.
type plainKey struct {
	overKey
	last int64 // its newest entry
}

// retainPlain ends the keys of older releases: nothing is sealed under them any
// more, and each goes when the term of the last thing is over that it told of.
func (s *Service) retainPlain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	keys, err := db.Select(ctx, s.db, func(r db.Row) (k plainKey, err error) { return k, r.Scan(&k.handle, &k.class, &k.count, &k.last) },
		`SELECT p.handle, p.class, count(*), max(l.at) FROM audit_payload p JOIN audit_leaf l ON l.payload = p.id
			WHERE p.class IN ('case', 'legal_order') AND length(p.body) > 0 GROUP BY p.handle, p.class ORDER BY p.handle, p.class`)
	if err != nil || s.things == nil {
		return nil, err
	}
	var all []retention.Result
	for _, k := range keys {
		at := db.FromMicros(k.last)
		if run.Today().Before(retention.MayGo(k.class, civil.DayOf(at))) {
			continue
		}
		kept, err := s.kept(ctx, run, k, at)
		if err != nil {
			return nil, err
		}
		if kept {
			continue
		}
		sum := retention.Result{Class: k.class}
		if err := s.retainKey(ctx, run, k.overKey, civil.DayOf(at), &sum); err != nil {
			return nil, err
		}
		all = append(all, sum)
	}
	return all, nil
}

// retainThings ends the keys of months that sealed what the log tells of orders and
// of acts, once the modules have ended all that began in the month or before. A key
// of the whole class is one of older releases.
func (s *Service) retainThings(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	keys, err := db.Select(ctx, s.db, func(r db.Row) (k plainKey, err error) { return k, r.Scan(&k.handle, &k.class, &k.count, &k.last) },
		`SELECT p.handle, p.class, count(*), max(l.at) FROM audit_payload p JOIN audit_leaf l ON l.payload = p.id
			WHERE (p.class IN ('order', 'consent') OR p.class LIKE 'order/%' OR p.class LIKE 'consent/%') AND p.handle <> '' AND length(p.body) > 0
			GROUP BY p.handle, p.class ORDER BY p.handle, p.class`)
	if err != nil || s.things == nil {
		return nil, err
	}
	sums := map[string]*retention.Result{"order": {Class: "order"}, "consent": {Class: "consent"}}
	for _, k := range keys {
		base, last, ok := lastDay(k.class)
		if !ok {
			last = civil.DayOf(db.FromMicros(k.last))
		}
		if retention.Due(base, run.Profile, run.Today()).Before(last) {
			continue
		}
		about := k
		about.class = base
		kept, err := s.kept(ctx, run, about, last.End())
		if err != nil {
			return nil, err
		}
		if kept {
			continue
		}
		if err := s.retainKey(ctx, run, k.overKey, run.Today(), sums[base]); err != nil {
			return nil, err
		}
	}
	return []retention.Result{*sums["order"], *sums["consent"]}, nil
}

func (s *Service) kept(ctx context.Context, run retention.Run, k plainKey, at time.Time) (bool, error) {
	for _, t := range s.things {
		if kept, err := t.Keeps(ctx, run, k.class, k.handle, at); kept || err != nil {
			return true, err
		}
	}
	return false, nil
}

// emptyEnded empties the details whose key an erasure, or the end of what they
// tell of, has destroyed: a destroyed key never stands alone.
func (s *Service) emptyEnded(ctx context.Context) error {
	all, err := db.Select(ctx, s.db, func(r db.Row) (k overKey, err error) { return k, r.Scan(&k.handle, &k.class) },
		`SELECT DISTINCT handle, class FROM audit_payload WHERE length(body) > 0 AND class NOT LIKE 'netlog/%' AND class NOT LIKE 'disclosure/%'`)
	if err != nil {
		return err
	}
	for _, k := range all {
		ended, err := s.vault.Ended(ctx, payloadRef("", k.handle, k.class).Owner(), k.class)
		if err != nil {
			return err
		}
		if !ended {
			continue
		}
		if err := s.empty(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) retainKey(ctx context.Context, run retention.Run, k overKey, last civil.Day, sum *retention.Result) error {
	sum.Examined += k.count
	if run.Overdue(sum.Class, last) {
		sum.Overdue += k.count
	}
	if run.Held(sum.Class, k.handle) {
		sum.Held += k.count
		return nil
	}
	if err := s.vault.DestroyClass(ctx, payloadRef("", k.handle, k.class).Owner(), k.class); err != nil {
		return err
	}
	sum.Destroyed += k.count
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		for _, statement := range []string{
			"DELETE FROM audit_read WHERE id IN (SELECT id FROM audit_payload WHERE handle = $1 AND class = $2)",
			`DELETE FROM audit_disclosure WHERE handle = $1 AND id || ':' || phase IN (SELECT id FROM audit_payload WHERE handle = $1 AND class = $2)`,
			"UPDATE audit_payload SET body = $3 WHERE handle = $1 AND class = $2",
		} {
			args := []any{string(k.handle), k.class}
			if strings.Contains(statement, "$3") {
				args = append(args, []byte{})
			}
			if _, err := tx.Exec(ctx, statement, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// emptied is how many details one transaction empties: whoever else writes waits
// for no more.
const emptied = 500

func (s *Service) empty(ctx context.Context, k overKey) error {
	for {
		var rows int64
		err := s.db.InTx(ctx, func(tx *db.Tx) (err error) {
			rows, err = tx.Exec(ctx, `UPDATE audit_payload SET body = $3 WHERE id IN (
				SELECT id FROM audit_payload WHERE handle = $1 AND class = $2 AND length(body) > 0 LIMIT $4)`, string(k.handle), k.class, []byte{}, int64(emptied))
			return err
		})
		if err != nil || rows < emptied {
			return err
		}
	}
}

// Latest is the latest time that any of the last thousand entries has: a clock
// that is behind it went backwards. Zero for an empty log.
func (s *Service) Latest(ctx context.Context) (time.Time, error) {
	at, err := db.Get(ctx, s.db, nil, db.One[int64],
		"SELECT coalesce(max(at), 0) FROM audit_leaf WHERE idx >= (SELECT size - 1000 FROM audit_head WHERE id = 1)")
	return db.FromMicros(at), err
}

// Began is when the first entry was made; zero for an empty log.
func (s *Service) Began(ctx context.Context) (time.Time, error) {
	at, err := db.Get(ctx, s.db, nil, db.One[int64], "SELECT coalesce(min(at), 0) FROM audit_leaf WHERE idx = 0")
	return db.FromMicros(at), err
}
