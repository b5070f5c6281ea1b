package ledger_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// aged posts at a time.
func aged(t *testing.T, d *db.DB, at time.Time, e ledger.Entry) {
	t.Helper()
	if _, err := post(d, ledger.New(ledger.Deps{DB: d, Clock: clock.NewFake(at)}), e); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB, from string) int64 {
	t.Helper()
	n, err := db.Get(context.Background(), d, nil, db.One[int64], "SELECT count(*) FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Ten years after its end a year is carried: balances and proof stay, what was
// posted and whose it was go, while others post. A day earlier nothing goes, and a
// hold on anybody keeps all.
func TestAYearIsCarriedWhenItsTenYearsAreOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := context.Background(), newService(d)
		zone := time.FixedZone("", 8*3600)
		old, next := time.Date(2026, 12, 31, 23, 59, 0, 0, zone), time.Date(2027, 1, 1, 0, 1, 0, 0, zone)
		stays, went := ledger.Wallet("acc_stays"), ledger.Wallet("acc_went")
		aged(t, d, old, entry("1", ledger.Debit(ledger.Bank, cny(10)), ledger.Credit(stays, cny(10))))
		aged(t, d, old, entry("2", ledger.Debit(ledger.Bank, cny(5)), ledger.Credit(went, cny(5))))
		aged(t, d, old, entry("3", ledger.Debit(went, cny(5)), ledger.Credit(ledger.Sales, cny(5))))
		aged(t, d, next, entry("4", ledger.Debit(stays, cny(4)), ledger.Credit(ledger.Sales, cny(4))))
		aged(t, d, old, entry("5", ledger.Debit(stays, cny(1)), ledger.Credit(ledger.Sales, cny(1)))) // a clock that was behind
		run := func(day time.Time, held bool) retention.Result {
			t.Helper()
			got, err := s.Retain(ctx, retention.Run{Now: day, Profile: "mainland", Held: func(string, id.Handle) bool { return held }})
			if err != nil || len(got) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			proven(t, s)
			return got[0]
		}
		if got := run(time.Date(2036, 12, 31, 23, 0, 0, 0, zone), false); got.Examined != 0 {
			t.Errorf("a day early: %+v", got)
		}
		first := time.Date(2037, 1, 1, 3, 0, 0, 0, zone)
		if got := run(first, true); got.Held != 3 || got.Destroyed != 0 {
			t.Errorf("while something is held: %+v", got)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				e := entry("new"+string(rune('a'+i)), ledger.Debit(ledger.Bank, cny(1)), ledger.Credit(went, cny(1)))
				now := ledger.New(ledger.Deps{DB: d, Clock: clock.NewFake(first)})
				if err := untilDecided(func() error { _, err := post(d, now, e); return err }); err != nil {
					t.Error(err)
				}
			})
		}
		got := run(first, false)
		wg.Wait()
		if got.Destroyed != 3 || got.Overdue != 0 {
			t.Errorf("the first night: %+v", got)
		}
		if n := count(t, d, "ledger_journal"); n != 10 {
			t.Errorf("%d journals are left, want the one of the next year, the one behind it and 8 new", n)
		}
		if a, b, c := balance(t, s, stays), balance(t, s, went), balance(t, s, ledger.Bank); a != 5 || b != 8 || c != 23 {
			t.Errorf("balances %d, %d, %d", a, b, c)
		}
		if got := run(first, false); got.Examined != 0 {
			t.Errorf("again: %+v", got)
		}
		proven(t, s)
	}, ledger.Migrations())
}

// An account that is empty and has nothing left is gone, and opened anew by the next
// posting.
func TestAnEmptyAccountGoesWithItsLastYear(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, wallet := newService(d), ledger.Wallet("acc_a")
		aged(t, d, start, entry("1", ledger.Debit(ledger.Bank, cny(5)), ledger.Credit(wallet, cny(5))))
		aged(t, d, start, entry("2", ledger.Debit(wallet, cny(5)), ledger.Credit(ledger.Sales, cny(5))))
		if _, err := s.Retain(context.Background(), retention.Run{Now: start.AddDate(11, 2, 0), Profile: "mainland", Held: retention.Unheld}); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "ledger_account WHERE code LIKE '%acc_a'"); n != 0 {
			t.Errorf("%d accounts still say whose they were", n)
		}
		aged(t, d, start, entry("3", ledger.Debit(ledger.Bank, cny(2)), ledger.Credit(wallet, cny(2))))
		if proven(t, s); balance(t, s, wallet) != 2 || balance(t, s, ledger.Bank) != 7 {
			t.Errorf("balances %d and %d", balance(t, s, wallet), balance(t, s, ledger.Bank))
		}
	}, ledger.Migrations())
}
