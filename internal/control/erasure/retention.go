package erasure

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of cases.
const class = "case"

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, r retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject == "" {
		return false, nil
	}
	c, err := bySubject(ctx, s.d.DB, subject)
	if errs.IsNotFound(err) {
		return false, nil
	}
	return !c.AskedAt.After(began) && (c.Step != Done || r.Today().Before(retention.MayGo(class, civil.DayOf(c.CompleteAt)))), err
}

// termed are the classes that a law keeps of a person after the erasure, under one
// key of the person, and that nobody else ends: their term begins with the erasure
// at the latest.
var termed = map[string]bool{"order": true, "consent": true}

// Retain ends what an erasure left to the law, once its term is over: the keys and
// rows of the person's kept classes, and the key of what the log tells of the erasure. The
// case goes when no key of the person is left: while one is, the gate stands
// before what it opens. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, r retention.Run) ([]retention.Result, error) {
	all, err := db.Select(ctx, s.d.DB, scanCase, columns+" WHERE step = 'done' AND effective_at <= $1 ORDER BY id", db.Micros(r.Now.AddDate(-3, 0, 0)))
	if err != nil {
		return nil, err
	}
	var results []retention.Result
	for _, c := range all {
		got, err := s.retain(ctx, r, c)
		results = append(results, got...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

func (s *Service) retain(ctx context.Context, r retention.Run, c Case) (results []retention.Result, err error) {
	classes, err := s.d.Vault.Classes(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	left := 0
	if err := s.endRows(ctx, r, c); err != nil {
		return nil, err
	}
	for _, key := range classes {
		base, from, mine := c.term(key)
		if !mine || r.Today().Before(after(base, r.Profile, from)) {
			left++
			continue
		}
		sum := retention.Result{Class: base, Examined: 1}
		if r.Overdue(base, from) {
			sum.Overdue++
		}
		if r.Held(base, c.Subject) {
			sum.Held++
			left++
		} else if err := s.d.Vault.DestroyClass(ctx, c.Subject, key); err != nil {
			return results, err
		} else {
			sum.Destroyed++
		}
		results = append(results, sum)
	}
	if left > 0 || r.Today().Before(after(class, r.Profile, civil.DayOf(c.CompleteAt))) || r.Held(class, c.Subject) {
		return results, nil
	}
	return results, s.forget(ctx, c.ID)
}

// endRows deletes the rows of kept classes whose term is over.
func (s *Service) endRows(ctx context.Context, r retention.Run, c Case) error {
	var over []holding.Held
	for _, h := range s.d.Held {
		if h.Keeps == nil || !termed[h.Keeps.Class] || r.Held(h.Keeps.Class, c.Subject) {
			continue
		}
		if !r.Today().Before(after(h.Keeps.Class, r.Profile, civil.DayOf(c.EffectiveAt))) {
			h.Keeps = nil
			over = append(over, h)
		}
	}
	return EraseRows(ctx, s.d.DB, over, c.person(), nil)
}

// term is the class of a key that ends with the case, and the day that its term
// begins with; mine is false for keys that end otherwise.
func (c Case) term(key string) (base string, from civil.Day, mine bool) {
	base, object, split := strings.Cut(key, "/")
	if split && !termed[base] {
		return base, civil.DayOf(c.CompleteAt), base == class && object == c.ID
	}
	return base, civil.DayOf(c.EffectiveAt), termed[base]
}

// after is the first day on which what began on a day has to be gone or, where the
// law sets a floor, may be.
func after(class, profile string, from civil.Day) civil.Day {
	if may := retention.MayGo(class, from); may != from.AddDays(1) {
		return may
	}
	return retention.MustGo(class, profile, from)
}

func (s *Service) forget(ctx context.Context, caseID string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM erasure_outcome WHERE case_id = $1", "DELETE FROM erasure_recipient WHERE case_id = $1", "DELETE FROM erasure_case WHERE id = $1",
		} {
			if _, err := tx.Exec(ctx, text, caseID); err != nil {
				return err
			}
		}
		return nil
	})
}
