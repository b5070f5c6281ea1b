package realname

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const columns = "id, account, subject, state, reason, band, name, number, number_index, submitted_at, called_at, decided_at"

func scanVerification(r db.Row) (v Verification, err error) {
	var submitted, called, decided int64
	err = r.Scan(&v.ID, &v.Account, &v.Subject, &v.State, &v.Reason, &v.Band, &v.name, &v.number, &v.index, &submitted, &called, &decided)
	v.SubmittedAt, v.calledAt, v.DecidedAt = db.FromMicros(submitted), db.FromMicros(called), db.FromMicros(decided)
	return v, err
}

func latest(ctx context.Context, q db.Q, owner account.ID) (Verification, error) {
	return db.Get(ctx, q, ErrNotFound, scanVerification, "SELECT "+columns+
		" FROM realname_verification WHERE account = $1 ORDER BY submitted_at DESC, id DESC LIMIT 1", owner)
}

func byID(ctx context.Context, q db.Q, verification string) (Verification, error) {
	return db.Get(ctx, q, ErrNotFound, scanVerification, "SELECT "+columns+" FROM realname_verification WHERE id = $1", verification)
}

// Limits of paid calls, per day of UTC+8 but for the total.
const (
	perAccountDay = 3
	perAccount    = 10
	perNumberDay  = 5
	perAddressDay = 20
	perNumber     = 3 // accounts that one number verifies
)

// limitTx counts the attempts that are committed.
func (s *Service) limitTx(ctx context.Context, tx *db.Tx, v Verification, ip string) error {
	y, m, d := v.SubmittedAt.In(civil.Zone).Date()
	day := db.Micros(time.Date(y, m, d, 0, 0, 0, 0, civil.Zone))
	for _, l := range []struct {
		text string
		args []any
		max  int64
		err  error
	}{
		{"SELECT count(*) FROM realname_attempt WHERE account = $1", []any{v.Account}, perAccount, ErrTotalLimit},
		{"SELECT count(*) FROM realname_attempt WHERE account = $1 AND at >= $2", []any{v.Account, day}, perAccountDay, ErrDailyLimit},
		{"SELECT count(*) FROM realname_attempt WHERE number_index = $1 AND at >= $2", []any{v.index, day}, perNumberDay, ErrNumberLimit},
		{"SELECT count(*) FROM realname_attempt WHERE ip_index = $1 AND ip_index <> '' AND at >= $2", []any{ip, day}, perAddressDay, ErrSourceLimit},
	} {
		n, err := db.Get(ctx, tx, nil, db.One[int64], l.text, l.args...)
		if err != nil {
			return err
		}
		if n >= l.max {
			return l.err
		}
	}
	return nil
}

func countAttempt(ctx context.Context, tx *db.Tx, v Verification, ip string) error {
	_, err := tx.Exec(ctx, "INSERT INTO realname_attempt (id, account, number_index, ip_index, at) VALUES ($1, $2, $3, $4, $5)",
		id.New("att"), v.Account, v.index, ip, db.Micros(v.SubmittedAt))
	return err
}

// inUse refuses a number that verifies enough other accounts.
func inUse(ctx context.Context, tx *db.Tx, v Verification) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT count(DISTINCT account) FROM realname_verification
		WHERE number_index = $1 AND number_index <> '' AND state IN ('verified', 'change_requested') AND account <> $2`, v.index, v.Account)
	if err != nil {
		return err
	}
	if n >= perNumber {
		return ErrNumberInUse
	}
	return nil
}
