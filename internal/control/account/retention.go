package account

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// purge forgets what no rule looks at any more: attempts and mailed tokens,
// and sessions a day after they, and the chance to resume them, ended.
func (s *Service) purge(ctx context.Context) error {
	now := s.d.Clock.Now()
	yesterday := db.Micros(now.Add(-24 * time.Hour))
	statements := []struct {
		text string
		at   int64
	}{
		{"DELETE FROM account_attempt WHERE at < $1", yesterday},
		{"DELETE FROM account_token WHERE expires_at < $1", db.Micros(now)},
		{"DELETE FROM account_remember WHERE expires_at < $1", db.Micros(now)},
		// One that its browser may come back to is what its person revokes.
		{`DELETE FROM account_session WHERE (revoked_at > 0 AND revoked_at < $1) OR (expires_at < $1 AND NOT EXISTS (
			SELECT 1 FROM account_remember m WHERE m.family = account_session.family AND m.used_at = 0 AND m.revoked_at = 0 AND m.expires_at >= $1))`, yesterday},
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, st := range statements {
			if _, err := tx.Exec(ctx, st.text, st.at); err != nil {
				return err
			}
		}
		return nil
	})
}

// Retain destroys the keys of days of the login and access log whose floor is
// over, and deletes their rows. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	var all []retention.Result
	for _, l := range []struct{ table, class string }{{"account_login", "netlog"}, {"account_access", "access_log"}} {
		got, err := s.retain(ctx, run, l.table, l.class)
		if err != nil {
			return all, fmt.Errorf("retention of %s: %w", l.table, err)
		}
		all = append(all, got)
	}
	return all, nil
}

type personDay struct {
	subject id.Handle
	day     string
	lines   int64
}

func (s *Service) retain(ctx context.Context, run retention.Run, table, class string) (retention.Result, error) {
	find := "SELECT subject, day, count(*) FROM account_login WHERE day <= $1 GROUP BY subject, day"
	remove := "DELETE FROM account_login WHERE subject = $1 AND day = $2"
	if table == "account_access" {
		find = "SELECT subject, day, count(*) FROM account_access WHERE day <= $1 GROUP BY subject, day"
		remove = "DELETE FROM account_access WHERE subject = $1 AND day = $2"
	}
	got := retention.Result{Class: class}
	over, err := db.Select(ctx, s.d.DB, func(r db.Row) (p personDay, err error) { return p, r.Scan(&p.subject, &p.day, &p.lines) },
		find, retention.LastPast(class, run.Today()).String())
	if err != nil {
		return got, err
	}
	for _, p := range over {
		from, err := civil.ParseDay(p.day)
		if err != nil {
			return got, err
		}
		got.Examined += p.lines
		if run.Overdue(class, from) {
			got.Overdue += p.lines
		}
		if run.Held(class, p.subject) {
			got.Held += p.lines
			continue
		}
		if err := s.d.Vault.DestroyClass(ctx, p.subject, class+"/"+p.day); err != nil {
			return got, err
		}
		err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, remove, string(p.subject), p.day)
			return err
		})
		if err != nil {
			return got, err
		}
		got.Destroyed += p.lines
	}
	return got, nil
}
