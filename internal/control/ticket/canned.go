package ticket

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Canned is an answer that staff keep ready. It says nothing of anybody.
type Canned struct {
	ID         string     // tkc_...; empty: a new one
	Department Department // empty: all
	Title      string
	Chinese    string
	English    string
	ChangedAt  time.Time
}

// Errors of answers kept ready.
var (
	ErrCanned   = errs.New(errs.Unprocessable, "ticket.canned") // without a title or a text in both languages
	ErrNoCanned = errs.New(errs.NotFound, "ticket.canned_not_found")
	ErrCanneds  = errs.New(errs.Limited, "ticket.canned_too_many").With("max", maxCanned)
)

const maxCanned = 200

// CannedReplies lists the answers that are kept ready, by title.
func (s *Service) CannedReplies(ctx context.Context) ([]Canned, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (c Canned, err error) {
		var at int64
		err = r.Scan(&c.ID, &c.Department, &c.Title, &c.Chinese, &c.English, &at)
		c.ChangedAt = db.FromMicros(at)
		return c, err
	}, "SELECT id, department, title, chinese, english, changed_at FROM ticket_canned ORDER BY title, id LIMIT 500")
}

// KeepReady keeps an answer ready, or changes one. Errors: ErrCanned,
// ErrDepartment, ErrNoCanned, ErrCanneds.
func (s *Service) KeepReady(ctx context.Context, p account.Principal, c Canned) (Canned, error) {
	if c.Department != "" && !slices.Contains(Departments(), c.Department) {
		return c, ErrDepartment
	}
	c.Title = strings.Join(strings.Fields(c.Title), " ")
	var bad [2]error
	c.Chinese, bad[0] = cleanWords(c.Chinese)
	c.English, bad[1] = cleanWords(c.English)
	if c.Title == "" || len([]rune(c.Title)) > maxTitle || bad[0] != nil || bad[1] != nil {
		return c, ErrCanned
	}
	c.ChangedAt = s.d.Clock.Now()
	return c, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if c.ID != "" {
			return tx.ExecOne(ctx, ErrNoCanned, `UPDATE ticket_canned SET department = $1, title = $2, chinese = $3, english = $4, changed_by = $5, changed_at = $6
				WHERE id = $7`, string(c.Department), c.Title, c.Chinese, c.English, string(p.Subject), db.Micros(c.ChangedAt), c.ID)
		}
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM ticket_canned")
		if err != nil {
			return err
		}
		if n >= maxCanned {
			return ErrCanneds
		}
		c.ID = id.New("tkc")
		_, err = tx.Exec(ctx, "INSERT INTO ticket_canned (id, department, title, chinese, english, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			c.ID, string(c.Department), c.Title, c.Chinese, c.English, string(p.Subject), db.Micros(c.ChangedAt))
		return err
	})
}

// DropReady removes an answer that was kept ready. ErrNoCanned.
func (s *Service) DropReady(ctx context.Context, canned string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNoCanned, "DELETE FROM ticket_canned WHERE id = $1", canned)
	})
}
