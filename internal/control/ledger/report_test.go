package ledger_test

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// A few days of a shop, told again by day, by account and line by line.
func TestReportsTellWhatWasPosted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := clock.NewFake(time.Date(2026, 11, 3, 15, 59, 0, 0, time.UTC)) // 23:59 in China
		s := ledger.New(ledger.Deps{DB: d, Clock: now})
		post := func(key, kind string, lines ...ledger.Posting) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx *db.Tx) error {
				_, err := s.PostTx(t.Context(), tx, ledger.Entry{Key: key, Kind: kind, RefType: "x", RefID: "=1+1", Actor: "system", Postings: lines})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		cny := func(v int64) money.Money { return money.New(v, money.CNY) }
		till := ledger.Gateway("till")
		post("a", "payment", ledger.Debit(till, cny(500)), ledger.Credit(ledger.Wallet("acc_1"), cny(500)))
		post("b", "gift", ledger.Debit(ledger.Promo, cny(50)), ledger.Credit(ledger.Gift("acc_1"), cny(50)))
		now.Advance(2 * time.Minute) // the next day
		post("c", "wallet_payment", ledger.Debit(ledger.Gift("acc_1"), cny(50)), ledger.Debit(ledger.Wallet("acc_1"), cny(100)), ledger.Credit(ledger.Deferred("orl_1"), cny(150)))
		post("d", "payment", ledger.Debit(till, cny(70)), ledger.Credit(ledger.Deferred("orl_2"), cny(70)))
		post("e", "recognition", ledger.Debit(ledger.Deferred("orl_1"), cny(30)), ledger.Credit(ledger.Sales, cny(30)))
		post("f", "refund", ledger.Debit(ledger.Deferred("orl_2"), cny(20)), ledger.Credit(till, cny(20)))
		post("g", "fee", ledger.Debit(ledger.GatewayFee, cny(3)), ledger.Credit(till, cny(3)))
		post("h", "settlement", ledger.Debit(ledger.Bank, cny(400)), ledger.Credit(till, cny(400)))

		from := civil.Day{Year: 2026, Month: 11, Day: 3}
		days, err := s.Days(t.Context(), from.Start(), from.AddDays(1).End(), civil.Zone)
		if err != nil || len(days) != 2 {
			t.Fatalf("days: got %+v, %v", days, err)
		}
		if want := (ledger.Day{Date: "2026-11-03", Currency: money.CNY, Received: 500, ToppedUp: 500, Given: 50}); days[0] != want {
			t.Errorf("got %+v, want %+v", days[0], want)
		}
		if want := (ledger.Day{Date: "2026-11-04", Currency: money.CNY, Received: 70, Sold: 220, Recognised: 30, Returned: 20, Fees: 3}); days[1] != want {
			t.Errorf("got %+v, want %+v", days[1], want)
		}

		trial, err := s.TrialBalance(t.Context(), now.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		debit, credit, balances := int64(0), int64(0), map[ledger.Code]int64{}
		for _, a := range trial {
			debit, credit = debit+a.Debit, credit+a.Credit
			balances[a.Code] = a.Balance().Minor
			if a.Code == "liability:deferred" && a.Count != 2 {
				t.Errorf("deferred: got %d accounts, want 2", a.Count)
			}
		}
		if debit != credit || debit == 0 {
			t.Errorf("trial balance: debits %d, credits %d", debit, credit)
		}
		for code, want := range map[ledger.Code]int64{till: 147, ledger.Bank: 400, "liability:wallet": 400, "liability:wallet_gift": 0, "liability:deferred": 170, ledger.Sales: 30} {
			if balances[code] != want {
				t.Errorf("%s: got %d, want %d", code, balances[code], want)
			}
		}
		early, err := s.TrialBalance(t.Context(), from.End())
		if err != nil || len(early) != 4 {
			t.Errorf("at the end of the first day: got %+v, %v", early, err)
		}

		sum, lines := int64(0), 0
		err = s.Export(t.Context(), from.Start(), from.AddDays(1).End(), func(r ledger.Row) error {
			sum, lines = sum+r.Debit.Minor-r.Credit.Minor, lines+1
			if r.Account != r.Account.Class() {
				t.Errorf("the export tells whose %s is", r.Account)
			}
			return nil
		})
		if err != nil || sum != 0 || lines != 17 {
			t.Errorf("export: %d lines, off by %d, %v", lines, sum, err)
		}
		gifts, err := s.AccountsIn(t.Context(), d, "liability:wallet")
		if err != nil || len(gifts) != 1 || gifts[ledger.Wallet("acc_1")].Minor != 400 {
			t.Errorf("accounts of a class: got %v, %v", gifts, err)
		}
	}, ledger.Migrations())
}
