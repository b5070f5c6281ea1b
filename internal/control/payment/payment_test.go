package payment_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func TestANoticePaysTheOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, a := r.Started(p)
		if a.State != payment.Pending || len(a.No) != 32 || !strings.HasPrefix(a.No, "S261122100000") {
			t.Errorf("attempt: got %s %q", a.State, a.No)
		}
		r.notify(paid(a, "T1"))
		r.Settle()
		got := r.attempt(a.No)
		if got.State != payment.Succeeded || got.TradeNo != "T1" || !got.NextQueryAt.IsZero() || !got.LastNotifyAt.Equal(r.Clock.Now()) {
			t.Errorf("attempt: got %+v", got)
		}
		if s := r.Order(o.ID); s.State != order.Fulfilling || s.Receipt != r.receipts(a.No)[0].ID {
			t.Errorf("order: got %s, receipt %q", s.State, s.Receipt)
		}
		if d := r.balance(ledger.Deferred(o.Lines[0].ID)); d != o.Total.Minor {
			t.Errorf("deferred: got %d, want %d", d, o.Total.Minor)
		}
		if r.Log.Count("order.paid") != 1 || r.Log.Count("payment.succeeded") != 1 || r.Log.Count("payment.started") != 1 {
			t.Error("a leaf is missing or there twice")
		}
		r.proven()
	})
}

func TestFiftyIdenticalNoticesAreOnePayment(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { r.notify(paid(a, "T1")) })
		}
		wg.Wait()
		r.Settle()
		rc := r.receipts(a.No)
		if len(rc) != 1 || rc[0].Disposition != payment.ToOrder {
			t.Errorf("receipts: got %+v, want one to the order", rc)
		}
		if journals, err := r.Books.ByRef(bg, "attempt", a.No); err != nil || len(journals) != 1 {
			t.Errorf("journals: got %d, %v, want 1", len(journals), err)
		}
		if n := r.Log.Count("order.paid"); n != 1 || r.Order(o.ID).PaidAt.IsZero() {
			t.Errorf("the order was paid %d times", n)
		}
		r.proven()
	})
}

// Whoever wins, the money lies in one place and the books are right.
func TestNoticeCancelExpiryAndQueryAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		for round := range 6 {
			p := ordertest.Customer()
			o, a := r.Started(p)
			f := paid(a, "T-"+a.No)
			r.Till.Know(f)
			r.Clock.Advance(order.PaymentTime)
			var wg sync.WaitGroup
			wg.Go(func() { r.notify(f) })
			wg.Go(func() {
				_ = untilDecided(func() error { _, err := r.Orders.Cancel(bg, p, o.ID); return err })
			})
			wg.Go(func() { // expiry and query are jobs
				for ran := true; ran; {
					var err error
					if ran, err = r.Queue.RunOne(bg); err != nil {
						ran = true
					}
				}
			})
			wg.Wait()
			for range 10 { // jobs that lost come again
				r.Clock.Advance(2 * time.Minute)
				for ran := true; ran; {
					var err error
					if ran, err = r.Queue.RunOne(bg); err != nil {
						t.Fatal(err)
					}
				}
			}
			rc := r.receipts(a.No)
			if len(rc) != 1 {
				t.Fatalf("round %d: got %d receipts, want 1", round, len(rc))
			}
			state := r.Order(o.ID).State
			if (rc[0].Disposition == payment.ToOrder) != (state == order.Fulfilling) {
				t.Errorf("round %d: money to %s, order %s", round, rc[0].Disposition, state)
			}
			if wallet := r.balance(ledger.Wallet(string(p.Account))); (rc[0].Disposition == payment.ToWallet) != (wallet == o.Total.Minor) {
				t.Errorf("round %d: money to %s, wallet %d", round, rc[0].Disposition, wallet)
			}
		}
		r.proven()
	})
}

func TestWhatIsNotTheRightMoneyNeverPays(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		change      func(*payment.Fact)
		result      payment.Result
		receipts    int
		disposition payment.Disposition
	}{
		{"one fen less", func(f *payment.Fact) { f.Amount.Minor-- }, payment.Mismatch, 1, payment.ToSuspense},
		{"one fen more", func(f *payment.Fact) { f.Amount.Minor++ }, payment.Mismatch, 1, payment.ToSuspense},
		{"another currency", func(f *payment.Fact) { f.Amount.Cur = money.USD }, payment.Mismatch, 1, payment.ToSuspense},
		{"another merchant", func(f *payment.Fact) { f.MerchantID = "1002" }, payment.Foreign, 0, ""},
		{"nobody's attempt", func(f *payment.Fact) { f.AttemptNo = "S" }, payment.Orphan, 0, ""},
		{"pending", func(f *payment.Fact) { f.State = payment.FactPending }, payment.NoOp, 0, ""},
		{"unknown", func(f *payment.Fact) { f.State = payment.FactUnknown }, payment.NoOp, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, r *rig) {
				o, a := r.Started(ordertest.Customer())
				f := paid(a, "T1")
				c.change(&f)
				for i, want := range []payment.Result{c.result, payment.NoOp} {
					if c.result == payment.Orphan { // stays open for a later match
						want = payment.Orphan
					}
					got, err := r.Pay.ApplyFact(bg, "till", f, payment.FromNotify, "digest")
					if err != nil || got != want {
						t.Errorf("delivery %d: got %s, %v, want %s", i, got, err, want)
					}
				}
				rc := r.receipts(a.No)
				if len(rc) != c.receipts || (len(rc) == 1 && (rc[0].Disposition != c.disposition || rc[0].Amount != f.Amount)) {
					t.Errorf("receipts: got %+v, want %d in %q", rc, c.receipts, c.disposition)
				}
				if s := r.Order(o.ID).State; s != order.PendingPayment || r.attempt(a.No).State != payment.Pending {
					t.Errorf("got order %s, attempt %s, want both waiting", s, r.attempt(a.No).State)
				}
				if p, err := r.Books.Prove(bg); err != nil || len(p.Problems) > 0 {
					t.Errorf("the books: %v, %v", p.Problems, err)
				}
				// The right notice still pays, also one of the same trade unless that is
				// in the books with another amount: only a person knows which is true.
				trade := "T1"
				if c.receipts > 0 {
					r.notify(paid(a, "T1"))
					trade = "T2"
				}
				r.notify(paid(a, trade))
				if s := r.Order(o.ID).State; s != order.Paid {
					t.Errorf("after the right notice: got %s", s)
				}
			})
		})
	}
}

func TestForgedAndUnreadableNoticesLeaveACountOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		forged := raw(paid(a, "T1"))
		forged.ContentType = "forged"
		for range 3 {
			if got, err := r.Pay.HandleNotify(bg, tillToken, forged); err != nil || got.Status == 200 {
				t.Errorf("forged: got %d, %v", got.Status, err)
			}
		}
		if _, err := r.Pay.HandleNotify(bg, "another-token", raw(paid(a, "T1"))); !errs.IsNotFound(err) {
			t.Errorf("an unknown token: got %v, want NotFound", err)
		}
		n, err := db.Get(bg, r.DB, nil, db.One[int64], "SELECT count FROM payment_refused WHERE reason = 'payment.bad_signature'")
		if err != nil || n != 3 {
			t.Errorf("counted %d, %v, want 3", n, err)
		}
		if s := r.Order(o.ID).State; s != order.PendingPayment || len(r.receipts(a.No)) != 0 {
			t.Errorf("a forged notice changed the order: %s", s)
		}
		// Well signed but unreadable: the provider is asked.
		r.Till.Know(paid(a, "T1"))
		odd := paid(a, "T1")
		odd.State = "gibberish"
		if got, err := r.Pay.HandleNotify(bg, tillToken, raw(odd)); err != nil || got.Status == 200 {
			t.Errorf("unreadable: got %d, %v", got.Status, err)
		}
		r.Settle()
		if s := r.Order(o.ID).State; s != order.Fulfilling {
			t.Errorf("after the question: got %s", s)
		}
	})
}

// TestANoticeLeavesItsResultOnly holds LT-1.1e: whatever else a provider sends,
// the five fields of the result are kept and nothing more.
func TestANoticeLeavesItsResultOnly(t *testing.T) {
	t.Parallel()
	const canary = "6222020000000000018"
	each(t, func(t *testing.T, r *rig) {
		_, a := r.Started(ordertest.Customer())
		for _, typ := range []string{"", "forged"} {
			m := raw(paid(a, "T1"))
			m.Body = []byte(strings.Replace(string(m.Body), "{", `{"card_no":"`+canary+`","buyer":"`+canary+`",`, 1))
			m.Query = "card_no=" + canary
			if typ != "" {
				m.ContentType = typ
			}
			if _, err := r.Pay.HandleNotify(bg, tillToken, m); err != nil {
				t.Fatal(err)
			}
		}
		r.Settle()
		if got := r.attempt(a.No); got.State != payment.Succeeded {
			t.Errorf("attempt: got %s", got.State)
		}
		tables, err := r.DB.Schema(bg)
		if err != nil {
			t.Fatal(err)
		}
		looked := 0
		for table, columns := range tables {
			for _, c := range columns {
				rows, err := db.Select(bg, r.DB, db.One[string], "SELECT CAST("+c+" AS TEXT) FROM "+table+" WHERE "+c+" IS NOT NULL")
				if err != nil {
					t.Fatalf("%s.%s: %v", table, c, err)
				}
				looked += len(rows)
				if strings.Contains(strings.Join(rows, "\n"), canary) {
					t.Errorf("%s.%s has what a notice brought", table, c)
				}
			}
		}
		if looked < 50 {
			t.Errorf("looked at %d values: too few", looked)
		}
	})
}

func TestAFactWithoutNumbersIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		_, a := r.Started(ordertest.Customer())
		for name, change := range map[string]func(*payment.Fact){
			"no attempt": func(f *payment.Fact) { f.AttemptNo = "" }, "no trade": func(f *payment.Fact) { f.TradeNo = "" },
			"no key": func(f *payment.Fact) { f.DedupeKey = "" }, "nothing": func(f *payment.Fact) { f.Amount.Minor = 0 },
			"negative": func(f *payment.Fact) { f.Amount.Minor = -1 },
		} {
			f := paid(a, "T1")
			change(&f)
			if _, err := r.Pay.ApplyFact(bg, "till", f, payment.FromNotify, "d"); !errors.Is(err, payment.ErrMalformed) {
				t.Errorf("%s: got %v, want ErrMalformed", name, err)
			}
		}
		r.proven()
	})
}

func TestASecondPaymentGoesToSuspense(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		r.notify(paid(a, "T1"))
		r.notify(paid(a, "T2"))
		rc := r.receipts(a.No)
		if len(rc) != 2 || rc[0].Disposition != payment.ToOrder || rc[1].Disposition != payment.ToSuspense {
			t.Errorf("receipts: got %+v", rc)
		}
		if got := r.balance(ledger.Suspense); got != o.Total.Minor || r.attempt(a.No).TradeNo != "T1" {
			t.Errorf("suspense: got %d, attempt's trade %s", got, r.attempt(a.No).TradeNo)
		}
		if r.Log.Count("payment.suspense") != 1 {
			t.Error("no leaf tells of the suspense")
		}
		r.proven()
	})
}

func TestLateMoneyGoesToTheWallet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, a := r.Started(p)
		if _, err := r.Orders.Cancel(bg, p, o.ID); err != nil {
			t.Fatal(err)
		}
		r.Settle()
		closed := r.attempt(a.No)
		if closed.State != payment.Closed || closed.CloseConfirmed || closed.NextQueryAt.IsZero() {
			t.Errorf("after the cancel: got %+v, want closed, not confirmed, still asked for", closed)
		}
		r.notify(paid(a, "T1"))
		if got := r.attempt(a.No).State; got != payment.SucceededLate {
			t.Errorf("attempt: got %s", got)
		}
		if w, err := r.Pay.Wallet(bg, p.Account, money.CNY); err != nil || w != o.Total {
			t.Errorf("wallet: got %v, %v, want %v", w, err, o.Total)
		}
		if s := r.Order(o.ID).State; s != order.Cancelled {
			t.Errorf("order: got %s", s)
		}
		r.proven()
	})
}

// Money for an attempt that was closed in favour of another one pays the order
// if it is still due, and the second payment is not lost.
func TestTwoMethodsOneOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, first := r.Started(p)
		second, _, err := r.Pay.Start(bg, p, o.ID, "till.cash")
		if err != nil || second.No == first.No || r.attempt(first.No).State != payment.Closed {
			t.Fatalf("got %s, %v, first %s", second.No, err, r.attempt(first.No).State)
		}
		r.notify(paid(first, "T1"))
		if s := r.Order(o.ID).State; s != order.Paid {
			t.Errorf("the closed attempt's money: order %s, want paid", s)
		}
		r.notify(paid(second, "T2"))
		if w := r.balance(ledger.Wallet(string(p.Account))); w != o.Total.Minor {
			t.Errorf("wallet: got %d, want %d", w, o.Total.Minor)
		}
		r.proven()
	})
}

func TestStartUsesAnOpenAttemptAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, a := r.Started(p)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				err := untilDecided(func() error {
					again, in, err := r.Pay.Start(bg, p, o.ID, method)
					if err == nil && (again.No != a.No || in.URL == "") {
						t.Errorf("got %s %q, want %s", again.No, in.URL, a.No)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if all, err := r.Pay.List(bg, p.Account, o.ID); err != nil || len(all) != 1 {
			t.Errorf("got %d attempts, %v, want 1", len(all), err)
		}
	})
}

func TestWhatCannotBePaidIsNotStarted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, stranger := ordertest.Customer(), ordertest.Customer()
		o, _ := r.Started(p)
		if _, _, err := r.Pay.Start(bg, stranger, o.ID, method); !errs.IsNotFound(err) {
			t.Errorf("another customer's order: got %v, want NotFound", err)
		}
		if _, err := r.Pay.List(bg, stranger.Account, o.ID); !errs.IsNotFound(err) {
			t.Errorf("another customer's payments: got %v, want NotFound", err)
		}
		for _, m := range []string{"", "till", "till.", "till.gold", "bank.card", ".card"} {
			if _, _, err := r.Pay.Start(bg, p, o.ID, m); !errors.Is(err, payment.ErrMethod) {
				t.Errorf("method %q: got %v, want ErrMethod", m, err)
			}
		}
		r.Clock.Advance(order.PaymentTime) // the expiry job has not run yet
		if _, _, err := r.Pay.Start(bg, p, o.ID, method); !errors.Is(err, payment.ErrNotPayable) {
			t.Errorf("past the time to pay: got %v, want ErrNotPayable", err)
		}
		big := ordertest.Request("hk-1")
		big.Options, big.Cycle = map[string]string{"ssl_bandwidth": "1000", "ssl_connections": "1000"}, 36
		dear, err := r.Orders.Place(bg, p, r.PlaceRequest(big))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Pay.Start(bg, p, dear.ID, method); !errors.Is(err, payment.ErrAmount) {
			t.Errorf("above the limit: got %v, want ErrAmount", err)
		}
		if _, err := r.Pay.ListAll(bg, p, "", 10); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("a customer lists all payments: got %v, want Forbidden", err)
		}
	})
}

func TestHowCreateFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		for fail, want := range map[error]payment.State{
			payment.ErrDeclined: payment.Failed, payment.ErrTemporary: payment.Failed,
			errs.New(errs.Forbidden, "consent.gate_closed"): payment.Failed, payment.ErrUnknownOutcome: payment.Unknown,
		} {
			p := ordertest.Customer()
			o := r.Place(p)
			r.Till.FailCreate(fail)
			a, in, err := r.Pay.Start(bg, p, o.ID, method)
			if !errors.Is(err, fail) || a.State != want || in.URL != "" {
				t.Errorf("%v: got %s, %v, %q, want %s", fail, a.State, err, in.URL, want)
			}
			r.Till.FailCreate(nil)
			again, _, err := r.Pay.Start(bg, p, o.ID, method)
			if want == payment.Unknown {
				if !errors.Is(err, payment.ErrUnknownOutcome) {
					t.Errorf("%v: starting again: got %v, want ErrUnknownOutcome", fail, err)
				}
			} else if err != nil || again.No == a.No {
				t.Errorf("%v: starting again: got %s, %v, want a new attempt", fail, again.No, err)
			}
			r.notify(paid(a, "T"+a.No)) // it was paid all the same
			if s := r.Order(o.ID).State; s != order.Paid {
				t.Errorf("%v: got order %s", fail, s)
			}
		}
		r.proven()
	})
}

func TestAttemptsOfAnOrderAreCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		r.Till.FailCreate(payment.ErrDeclined)
		for range 10 * payment.MaxAttempts { // nothing was handed out: they count little
			if _, _, err := r.Pay.Start(bg, p, o.ID, method); !errors.Is(err, payment.ErrDeclined) {
				t.Fatalf("got %v, want ErrDeclined", err)
			}
		}
		if _, _, err := r.Pay.Start(bg, p, o.ID, method); !errors.Is(err, payment.ErrTooMany) {
			t.Errorf("one too many: got %v, want ErrTooMany", err)
		}
	})
}

func TestTheQueryLoopSettlesWithoutANotice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		r.Settle()
		if n := r.Till.Asked(); n != 0 {
			t.Errorf("asked %d times at once, want 0", n)
		}
		for _, after := range []time.Duration{10, 20, 30, 60} { // seconds between 10 s, 30 s, 1 min, 2 min
			before := r.Till.Asked()
			r.Clock.Advance(after*time.Second - time.Microsecond)
			r.Settle()
			if n := r.Till.Asked() - before; n != 0 {
				t.Errorf("asked %d times too early", n)
			}
			r.Clock.Advance(time.Microsecond)
			r.Settle()
			if n := r.Till.Asked() - before; n != 1 {
				t.Errorf("asked %d times, want once", n)
			}
		}
		if got := r.attempt(a.No); got.LastQuery != "pending" || !got.LastQueryAt.Equal(r.Clock.Now()) {
			t.Errorf("last query: got %q at %v", got.LastQuery, got.LastQueryAt)
		}
		r.Till.Know(paid(a, "T1"))
		r.Clock.Advance(3 * time.Minute)
		r.Settle()
		if s := r.Order(o.ID).State; s != order.Fulfilling {
			t.Errorf("got %s", s)
		}
		asked := r.Till.Asked()
		r.Clock.Advance(48 * time.Hour)
		r.Settle()
		if n := r.Till.Asked(); n != asked {
			t.Errorf("a paid attempt was asked for %d times more", n-asked)
		}
		r.proven()
	})
}

func TestAnExpiredAttemptIsAskedForUntilADayLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, a := r.Started(p)
		r.Till.Away(payment.ErrTemporary)
		for range 7 {
			r.Clock.Advance(5 * time.Minute)
			r.Settle()
		}
		got := r.attempt(a.No)
		if s := r.Order(o.ID).State; s != order.Expired || got.State != payment.Closed || got.CloseConfirmed {
			t.Errorf("got order %s, attempt %s, confirmed %v", s, got.State, got.CloseConfirmed)
		}
		if got.LastQuery != payment.ErrTemporary.Code {
			t.Errorf("last query: got %q", got.LastQuery)
		}
		r.Till.Away(nil)
		for range 60 {
			r.Clock.Advance(30 * time.Minute)
			r.Settle()
		}
		if got := r.attempt(a.No); !got.NextQueryAt.IsZero() {
			t.Errorf("a day after the end the next question is at %v", got.NextQueryAt)
		}
		asked := r.Till.Asked()
		r.Clock.Advance(24 * time.Hour)
		r.Settle()
		if r.Till.Asked() != asked {
			t.Error("asked after the last day")
		}
		r.notify(paid(a, "T1"))
		if w := r.balance(ledger.Wallet(string(p.Account))); w != o.Total.Minor {
			t.Errorf("wallet: got %d", w)
		}
	})
}

func TestComingBackProvesNothingAndAsksAtMostOnceInFiveSeconds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		for i, want := range []int{1, 1, 2} {
			for range 5 {
				id, err := r.Pay.Returned(bg, a.No)
				if err != nil || id != o.ID {
					t.Fatalf("got %q, %v", id, err)
				}
				r.Settle()
			}
			if n := r.Till.Asked(); n != want {
				t.Errorf("round %d: asked %d times, want %d", i, n, want)
			}
			r.Clock.Advance(2500 * time.Millisecond)
		}
		if s := r.Order(o.ID).State; s != order.PendingPayment {
			t.Errorf("a return paid the order: %s", s)
		}
		if _, err := r.Pay.Returned(bg, "S000000000000xxxxxxxxxxxxxxxxxxx"); !errs.IsNotFound(err) {
			t.Errorf("an unknown number: got %v, want NotFound", err)
		}
	})
}

func TestAnOrphanIsMatchedLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		o, a := r.Started(ordertest.Customer())
		// As after restoring an old copy of the database: the notice comes first.
		f := paid(a, "T1")
		if err := r.DB.InTx(bg, func(tx *db.Tx) error {
			_, err := tx.Exec(bg, "UPDATE payment_attempt SET gateway_account_id = 'elsewhere'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Pay.ApplyFact(bg, "till", f, payment.FromNotify, "d"); err != nil || got != payment.Orphan {
			t.Fatalf("got %s, %v, want orphan", got, err)
		}
		if err := r.DB.InTx(bg, func(tx *db.Tx) error {
			_, err := tx.Exec(bg, "UPDATE payment_attempt SET gateway_account_id = 'till'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Pay.ApplyFact(bg, "till", f, payment.FromNotify, "d"); err != nil || got != payment.Applied {
			t.Errorf("again: got %s, %v, want applied", got, err)
		}
		if s := r.Order(o.ID).State; s != order.Paid {
			t.Errorf("got %s", s)
		}
		r.proven()
	})
}

func TestAMisconfiguredGatewayIsRefused(t *testing.T) {
	t.Parallel()
	good := payment.GatewayAccount{ID: "g", Token: tillToken, MerchantID: "1", Currency: money.CNY, Min: 1, Max: 2, Methods: []string{"m"}, Gateway: &paymenttest.Till{}}
	for name, change := range map[string]func(*payment.GatewayAccount){
		"no id": func(g *payment.GatewayAccount) { g.ID = "" }, "a colon in the id": func(g *payment.GatewayAccount) { g.ID = "a:b" },
		"short token": func(g *payment.GatewayAccount) { g.Token = "short" }, "no merchant": func(g *payment.GatewayAccount) { g.MerchantID = "" },
		"a slash in the token": func(g *payment.GatewayAccount) { g.Token += "/" }, "no minimum": func(g *payment.GatewayAccount) { g.Min = 0 },
		"no methods": func(g *payment.GatewayAccount) { g.Methods = nil }, "no gateway": func(g *payment.GatewayAccount) { g.Gateway = nil },
	} {
		g := good
		change(&g)
		s := newShopQueue(t)
		_, err := payment.New(payment.Deps{Queue: s, BaseURL: "https://shop.example", Title: "x", Accounts: []payment.GatewayAccount{g}})
		if !errors.Is(err, payment.ErrSetup) {
			t.Errorf("%s: got %v, want ErrSetup", name, err)
		}
	}
}

func TestAReceiptThatLeftTheBooksIsNoticed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		_, a := r.Started(ordertest.Customer())
		r.notify(paid(a, "T1"))
		r.notify(paid(a, "T2"))
		if wrong, err := r.Pay.Prove(bg); err != nil || len(wrong) != 0 {
			t.Fatalf("before: got %v, %v", wrong, err)
		}
		rc := r.receipts(a.No)
		for _, tamper := range []string{
			"UPDATE payment_receipt SET amount_minor = amount_minor + 1 WHERE id = $1",
			"UPDATE payment_receipt SET journal_id = 'jnl_absent' WHERE id = $1",
			"UPDATE payment_receipt SET journal_id = '" + rc[1].Journal + "' WHERE id = $1",
			"UPDATE payment_receipt SET disposition = '', amount_minor = amount_minor - 1, journal_id = '" + rc[0].Journal + "' WHERE id = $1",
		} {
			if err := r.DB.InTx(bg, func(tx *db.Tx) error {
				_, err := tx.Exec(bg, tamper, rc[0].ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if wrong, err := r.Pay.Prove(bg); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], rc[0].ID) {
				t.Errorf("%s: got %v, %v, want one problem", tamper, wrong, err)
			}
		}
	})
}
