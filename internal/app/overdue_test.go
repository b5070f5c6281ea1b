package app

import (
	"context"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// The evidence of the retention clauses is asked of the tables: a record that no run
// looked at is found, until a run takes it or a law holds it.
func TestARecordThatIsKeptTooLongIsFound(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx := context.Background()
	overdue := func(when string, want int64) {
		t.Helper()
		if _, found, err := in.modules.overdueRecords(ctx, in.stores.main); err != nil || found != want {
			t.Errorf("%s: %d are found too late, want %d (%v)", when, found, want, err)
		}
	}
	put := func(table string, columns string, day civil.Day) {
		t.Helper()
		must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO "+table+" ("+columns+") VALUES ($1, 'sub_x', $2, $3, $4)", table+day.String(), []byte{}, day.String(), db.Micros(day.Start()))
			return err
		}))
	}
	today := civil.DayOf(time.Now())
	first := retention.Gone("access_log", in.modules.privacy.Profile(), today)
	overdue("at first", 0)
	put("account_access", "id, subject, detail, day, at", first)
	overdue("on its last day", 0)
	put("account_access", "id, subject, detail, day, at", first.AddDays(-1))
	overdue("a day later", 1)
	must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO age_read (id, subject, reader, purpose, reason, asked_at, approver, approved_at)
			VALUES ('r', 'sub_x', 'sub_s', 'rights', '', $1, '', 0)`, db.Micros(today.AddMonths(-40).Start()))
		return err
	}))
	overdue("with a question about a minor", 2)
	hold, err := in.modules.privacy.PlaceHold(ctx, account.Principal{Subject: "sub_s", Staff: true},
		privacy.Hold{Class: "access_log", Law: "CSL 28", Authority: "a court", Until: time.Now().AddDate(0, 1, 0)})
	must(t, err)
	overdue("while a law holds the log", 1)
	must(t, in.modules.privacy.EndHold(ctx, account.Principal{Subject: "sub_s", Staff: true}, hold.ID))
	must(t, in.modules.privacy.Retain(ctx))
	must(t, in.modules.privacy.Retain(ctx)) // the first says what it found too late
	overdue("after the runs", 0)
}
