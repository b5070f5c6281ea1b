package account

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// purge forgets what no rule looks at any more: attempts and mailed tokens,
// and sessions a day after they ended.
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
		{"DELETE FROM account_session WHERE expires_at < $1 OR (revoked_at > 0 AND revoked_at < $1)", yesterday},
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

// logMonths is how long both logs are kept: six calendar months from the day
// of record (LT-5.3), after which they go with the next daily run.
const logMonths = 6

// keptUntil is the last day of a record's six months. A month that has no such
// day ends with its last one.
func keptUntil(day time.Time) time.Time {
	end := day.AddDate(0, logMonths, 0)
	if mutant.Off("LT-5.3") {
		return day.AddDate(0, 0, 180)
	}
	if end.Day() != day.Day() {
		end = end.AddDate(0, 0, -end.Day())
	}
	return end
}

// Retain destroys the keys of days of the login and access log that are older
// than six calendar months, and deletes their rows.
func (s *Service) Retain(ctx context.Context) error {
	for _, l := range []struct{ table, class string }{{"account_login", "netlog/"}, {"account_access", "access_log/"}} {
		if err := s.retain(ctx, l.table, l.class); err != nil {
			return fmt.Errorf("retention of %s: %w", l.table, err)
		}
	}
	return nil
}

type personDay struct {
	subject id.Handle
	day     string
}

func (s *Service) retain(ctx context.Context, table, class string) error {
	find, remove := "SELECT DISTINCT subject, day FROM account_login WHERE day <= $1", "DELETE FROM account_login WHERE subject = $1 AND day = $2"
	if table == "account_access" {
		find, remove = "SELECT DISTINCT subject, day FROM account_access WHERE day <= $1", "DELETE FROM account_access WHERE subject = $1 AND day = $2"
	}
	now := s.d.Clock.Now()
	candidates, err := db.Select(ctx, s.d.DB, func(r db.Row) (p personDay, err error) { return p, r.Scan(&p.subject, &p.day) },
		find, day(now.AddDate(0, -logMonths, 4)))
	if err != nil {
		return err
	}
	for _, c := range candidates {
		at, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			return err
		}
		if day(now) <= day(keptUntil(at)) {
			continue
		}
		if err := s.d.Vault.DestroyClass(ctx, c.subject, class+c.day); err != nil {
			return err
		}
		err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, remove, string(c.subject), c.day)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
