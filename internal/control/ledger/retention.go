package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of the books.
const class = "accounting"

// Stocks are the journals of years that are over. Their postings are carried into
// one sum for each account, which the rest of its postings go on from; an account
// that is empty and has nothing left goes too, and with it whose it was
// (docs/decisions/0042-retention.md).
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: class, Tables: []string{"ledger_journal", "ledger_account"}, Items: s.over, End: s.end}}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

// chained is a posting of a journal that may be over.
type chained struct {
	journal, account string
	version, at      int64
}

// over lists the journals of years that ended on a day or before, which follow no
// journal of a later year on any of their accounts: where two processes wrote
// around midnight the books have an order of their own.
func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	year := until.Year
	if until.AddDays(1).Year == year {
		year--
	}
	end := db.Micros(civil.Day{Year: year, Month: time.December, Day: 31}.End())
	lines, err := db.Select(ctx, s.d.DB, func(r db.Row) (c chained, err error) {
		return c, r.Scan(&c.journal, &c.account, &c.version, &c.at)
	}, `SELECT j.id, p.account_id, p.account_version, j.recorded_at FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
		WHERE j.recorded_at < $1 ORDER BY j.recorded_at, j.id, p.line`, end)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	later, err := s.laterVersions(ctx, end)
	if err != nil {
		return nil, err
	}
	blocked := blockedBy(lines, later)
	var items []retention.Item
	for _, l := range lines {
		if blocked[l.journal] || len(items) > 0 && items[len(items)-1].ID == l.journal {
			continue
		}
		items = append(items, retention.Item{ID: l.journal, From: yearEnd(l.at)})
	}
	return items, nil
}

func yearEnd(at int64) civil.Day {
	return civil.Day{Year: civil.DayOf(db.FromMicros(at)).Year, Month: time.December, Day: 31}
}

// laterVersions is the first version of each account that a later year wrote.
func (s *Service) laterVersions(ctx context.Context, end int64) (map[string]int64, error) {
	first, err := db.Select(ctx, s.d.DB, func(r db.Row) (c chained, err error) { return c, r.Scan(&c.account, &c.version) },
		`SELECT p.account_id, MIN(p.account_version) FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
		WHERE j.recorded_at >= $1 GROUP BY p.account_id`, end)
	later := map[string]int64{}
	for _, f := range first {
		later[f.account] = f.version
	}
	return later, err
}

// blockedBy are the journals that come after a later one on an account of theirs,
// and those that come after such a journal.
func blockedBy(lines []chained, later map[string]int64) map[string]bool {
	blocked := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for _, l := range lines {
			first, ok := later[l.account]
			if !ok {
				first = math.MaxInt64
			}
			switch {
			case l.version > first && !blocked[l.journal]:
				blocked[l.journal], changed = true, true
			case blocked[l.journal] && l.version < first:
				later[l.account], changed = l.version, true
			}
		}
	}
	return blocked
}

// carriedLine is a posting that is carried.
type carriedLine struct {
	account, currency string
	amount, version   int64
}

func (s *Service) end(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		lines, err := db.Select(ctx, tx, func(r db.Row) (l carriedLine, err error) {
			return l, r.Scan(&l.account, &l.currency, &l.amount, &l.version)
		}, "SELECT account_id, currency, amount, account_version FROM ledger_posting WHERE journal_id = $1 ORDER BY account_id, account_version", i.ID)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if err := carry(ctx, tx, l); err != nil {
				return err
			}
		}
		fault.Point("ledger-after-carry")
		for _, text := range []string{"DELETE FROM ledger_posting WHERE journal_id = $1", "DELETE FROM ledger_journal WHERE id = $1"} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return closeEmpty(ctx, tx, lines)
	})
}

// carry adds a posting to what is carried of its account, if it is the next one:
// retention.ErrLater.
func carry(ctx context.Context, tx *db.Tx, l carriedLine) error {
	text := `UPDATE ledger_carried SET amount = amount + $1, version = $2 WHERE account_id = $3 AND version = $4`
	args := []any{l.amount, l.version, l.account, l.version - 1}
	if l.version == 1 {
		text = "INSERT INTO ledger_carried (amount, version, account_id, currency) VALUES ($1, $2, $3, $4)"
		args[3] = l.currency
	}
	if err := tx.ExecOne(ctx, retention.ErrLater, text, args...); err != nil {
		return fmt.Errorf("carrying version %d of account %s: %w", l.version, l.account, err)
	}
	return nil
}

// closeEmpty deletes accounts that have no posting left and no balance. One that is
// written at the same time stays.
func closeEmpty(ctx context.Context, tx *db.Tx, lines []carriedLine) error {
	accounts := make([]string, 0, len(lines))
	for _, l := range lines {
		accounts = append(accounts, l.account)
	}
	slices.SortFunc(accounts, strings.Compare)
	for _, a := range slices.Compact(accounts) {
		r, err := lockAccount(ctx, tx, a)
		if err != nil {
			return err
		}
		if r.balance != 0 {
			continue
		}
		gone, err := tx.Exec(ctx, "DELETE FROM ledger_carried WHERE account_id = $1 AND version = $2", a, r.version)
		if err != nil || gone == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := tx.Exec(ctx, "DELETE FROM ledger_account WHERE id = $1", a); err != nil {
			return err
		}
	}
	return nil
}
