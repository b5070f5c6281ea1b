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
// month, so that its end destroys no more than is over.
func keyClass(kind string, at time.Time) string {
	class, day := Types[kind], civil.DayOf(at).String()
	switch class {
	case "netlog":
		return class + "/" + day
	case "disclosure":
		return class + "/" + day[:len("2006-01")]
	}
	return class
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

// Retain destroys the keys of details whose floor is over, empties the details
// and deletes the rows that repeat them. The leaves stay: each proves that
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
	return []retention.Result{*sums["netlog"], *sums["disclosure"]}, nil
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

// Latest is the latest time that any of the last thousand entries has: a clock
// that is behind it went backwards. Zero for an empty log.
func (s *Service) Latest(ctx context.Context) (time.Time, error) {
	at, err := db.Get(ctx, s.db, nil, db.One[int64],
		"SELECT coalesce(max(at), 0) FROM audit_leaf WHERE idx >= (SELECT size - 1000 FROM audit_head WHERE id = 1)")
	return db.FromMicros(at), err
}
