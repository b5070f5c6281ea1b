package ledger

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's tables.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "ledger", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Queue *job.Queue // nil: no nightly proof (tests, commands)
	Log   *slog.Logger
}

// Service keeps the books.
type Service struct{ d Deps }

// New returns the module and registers its nightly proof.
func New(d Deps) *Service {
	s := &Service{d}
	if d.Queue != nil {
		d.Queue.Every("ledger.prove", 24*time.Hour, s.nightly)
	}
	return s
}

// nightly tells operators when the books are wrong.
func (s *Service) nightly(ctx context.Context) error {
	p, err := s.Prove(ctx)
	if err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		s.d.Log.ErrorContext(ctx, "the books are wrong", "count", len(p.Problems), "problems", p.Problems[:min(len(p.Problems), 20)])
	}
	return nil
}

// Balance returns an account's balance on its normal side: what a customer's
// wallet holds is positive. An account without postings has 0.
func (s *Service) Balance(ctx context.Context, c Code, cur money.Currency) (money.Money, error) {
	return s.BalanceIn(ctx, s.d.DB, c, cur)
}

// BalanceIn is Balance read by q, for a caller's transaction.
func (s *Service) BalanceIn(ctx context.Context, q db.Q, c Code, cur money.Currency) (money.Money, error) {
	kind, err := c.Kind()
	if err != nil {
		return money.Money{}, err
	}
	b, err := db.Get(ctx, q, ErrAccount, db.One[int64],
		"SELECT balance FROM ledger_account WHERE code = $1 AND currency = $2", string(c), string(cur))
	if errs.IsNotFound(err) || errs.CodeOf(err) == ErrAccount.Code {
		return money.New(0, cur), nil
	}
	return money.New(kind.normal(b), cur), err
}

// Journal returns a journal with its postings; ErrNotFound.
func (s *Service) Journal(ctx context.Context, id string) (Journal, error) {
	return s.JournalIn(ctx, s.d.DB, id)
}

// JournalIn is Journal read by q, for a caller's transaction.
func (s *Service) JournalIn(ctx context.Context, q db.Q, id string) (Journal, error) {
	return getJournal(ctx, q, id)
}

// ByRef returns the journals about one thing, oldest first.
func (s *Service) ByRef(ctx context.Context, refType, refID string) ([]Journal, error) {
	heads, err := db.Select(ctx, s.d.DB, scanJournal, journalColumns+" WHERE ref_type = $1 AND ref_id = $2 ORDER BY id", refType, refID)
	if err != nil {
		return nil, err
	}
	for i := range heads {
		if heads[i], err = getJournal(ctx, s.d.DB, heads[i].ID); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// Statement returns an account's newest lines, at most limit.
func (s *Service) Statement(ctx context.Context, c Code, cur money.Currency, limit int) ([]Line, error) {
	kind, err := c.Kind()
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, s.d.DB, func(r db.Row) (l Line, err error) {
		var amount, after, at int64
		err = r.Scan(&l.Journal, &l.Kind, &l.RefType, &l.RefID, &amount, &after, &at)
		l.Amount, l.BalanceAfter = money.New(kind.normal(amount), cur), money.New(kind.normal(after), cur)
		l.RecordedAt = db.FromMicros(at)
		return l, err
	}, `SELECT j.id, j.kind, j.ref_type, j.ref_id, p.amount, p.balance_after, j.recorded_at
		FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id JOIN ledger_account a ON a.id = p.account_id
		WHERE a.code = $1 AND a.currency = $2 ORDER BY p.account_version DESC LIMIT $3`, string(c), string(cur), int64(limit))
}
