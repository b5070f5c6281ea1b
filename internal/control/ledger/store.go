package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// insertJournal reports false when the key is taken.
func insertJournal(ctx context.Context, tx *db.Tx, j Journal) (bool, error) {
	e, reverses := j.Entry, any(nil)
	if j.Reverses != "" {
		reverses = j.Reverses
	}
	n, err := tx.Exec(ctx, `INSERT INTO ledger_journal (id, idem_key, kind, occurred_at, recorded_at, ref_type, ref_id, actor, memo, reverses_id, content)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (idem_key) DO NOTHING`,
		j.ID, e.Key, e.Kind, db.Micros(e.OccurredAt), db.Micros(j.RecordedAt), e.RefType, e.RefID, e.Actor, e.Memo, reverses, e.content())
	if err != nil {
		return false, fmt.Errorf("appending journal %s: %w", e.Key, err)
	}
	return n == 1, nil
}

func insertPosting(ctx context.Context, tx *db.Tx, journal string, line int, p Posting, r *row) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_posting (journal_id, line, account_id, amount, currency, balance_after, account_version)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, journal, int64(line), r.id, p.Amount.Minor, string(p.Amount.Cur), r.balance, r.version)
	return err
}

// openAccount returns the account's id, opening it at balance 0 if needed.
func openAccount(ctx context.Context, tx *db.Tx, c Code, cur money.Currency, now time.Time) (string, error) {
	kind, err := c.Kind()
	if err != nil {
		return "", err
	}
	const byCode = "SELECT id FROM ledger_account WHERE code = $1 AND currency = $2"
	found, err := db.Get(ctx, tx, ErrAccount, db.One[string], byCode, string(c), string(cur))
	if err == nil || errs.CodeOf(err) != ErrAccount.Code {
		return found, err
	}
	var min any
	if b := c.bounds(); b != nil {
		min = *b
	}
	_, err = tx.Exec(ctx, `INSERT INTO ledger_account (id, code, currency, kind, balance, version, min_balance, max_balance, opened_at)
		VALUES ($1, $2, $3, $4, 0, 0, $5, NULL, $6) ON CONFLICT (code, currency) DO NOTHING`,
		id.New("lac"), string(c), string(cur), string(kind), min, db.Micros(now))
	if err != nil {
		return "", fmt.Errorf("opening an account: %w", err)
	}
	return db.Get(ctx, tx, ErrAccount, db.One[string], byCode, string(c), string(cur))
}

const accountColumns = "SELECT id, code, currency, kind, balance, version, min_balance, max_balance FROM ledger_account"

func lockAccount(ctx context.Context, tx *db.Tx, account string) (row, error) {
	text := accountColumns + " WHERE id = $1"
	if tx.Dialect() == db.Postgres {
		text += " FOR UPDATE"
	}
	return db.Get(ctx, tx, ErrAccount, scanAccount, text, account)
}

func scanAccount(r db.Row) (a row, err error) {
	var min, max sql.NullInt64
	err = r.Scan(&a.id, &a.code, &a.currency, &a.kind, &a.balance, &a.version, &min, &max)
	if min.Valid {
		a.min = &min.Int64
	}
	if max.Valid {
		a.max = &max.Int64
	}
	a.was = a.version
	return a, err
}

func getByKey(ctx context.Context, q db.Q, key string) (journal, content string, err error) {
	type pair struct{ id, content string }
	p, err := db.Get(ctx, q, ErrNotFound, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.id, &p.content) },
		"SELECT id, content FROM ledger_journal WHERE idem_key = $1", key)
	return p.id, p.content, err
}

const journalColumns = `SELECT id, idem_key, kind, occurred_at, recorded_at, ref_type, ref_id, actor, memo, COALESCE(reverses_id, '') FROM ledger_journal`

func scanJournal(r db.Row) (j Journal, err error) {
	var occurred, recorded int64
	e := &j.Entry
	err = r.Scan(&j.ID, &e.Key, &e.Kind, &occurred, &recorded, &e.RefType, &e.RefID, &e.Actor, &e.Memo, &j.Reverses)
	e.OccurredAt, j.RecordedAt, e.reverses = db.FromMicros(occurred), db.FromMicros(recorded), j.Reverses
	return j, err
}

func getJournal(ctx context.Context, q db.Q, journal string) (Journal, error) {
	j, err := db.Get(ctx, q, ErrNotFound, scanJournal, journalColumns+" WHERE id = $1", journal)
	if err != nil {
		return Journal{}, err
	}
	j.Entry.Postings, err = db.Select(ctx, q, scanPosting, `SELECT a.code, p.amount, p.currency
		FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id WHERE p.journal_id = $1 ORDER BY p.line`, journal)
	return j, err
}

func scanPosting(r db.Row) (p Posting, err error) {
	return p, r.Scan(&p.Account, &p.Amount.Minor, &p.Amount.Cur)
}
