package payment_test

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// settler is a member of the staff who may settle differences and proved
// themselves just now.
func (r *rig) settler() account.Principal {
	return account.Principal{
		Account: account.ID(id.New("acc")), Subject: id.NewHandle(), Staff: true,
		Permissions: []string{account.PermPaymentRead, account.PermPaymentSettle}, StepUpUntil: r.Clock.Now().Add(10 * time.Minute),
	}
}

// atNoon moves to noon of the next day of China.
func (r *rig) atNoon() civil.Day {
	d := civil.DayOf(r.Clock.Now()).AddDays(1)
	r.Clock.Advance(d.Start().Add(12 * time.Hour).Sub(r.Clock.Now()))
	r.Settle()
	return d
}

// bills reads what is due.
func (r *rig) bills() {
	r.T.Helper()
	must(r.T, r.DB.InTx(bg, func(tx *db.Tx) error { return r.Queue.EnqueueTx(bg, tx, job.Job{Kind: "payment.bills"}) }))
	r.Settle()
}

// paidNow places an order and has it paid, noticed or not, and returns the line of
// the bill that tells of it.
func (r *rig) paidNow(trade string, noticed bool) (account.Principal, order.Order, payment.Attempt, payment.BillRow) {
	r.T.Helper()
	p := ordertest.Customer()
	o, a := r.Started(p)
	f := paid(a, trade)
	if noticed {
		r.notify(f)
	}
	return p, o, a, payment.BillRow{AttemptNo: a.No, TradeNo: trade, Amount: a.Amount, Fee: cny(a.Amount.Minor * 6 / 1000), At: r.Clock.Now()}
}

func (r *rig) differences(f payment.DifferenceFilter) []payment.Difference {
	r.T.Helper()
	all, err := r.Pay.Differences(bg, staff, f, 100)
	must(r.T, err)
	return all
}

// kinds counts differences by what they are and where they stand.
func (r *rig) kinds() map[string]int {
	n := map[string]int{}
	for _, d := range r.differences(payment.DifferenceFilter{}) {
		n[string(d.Kind)+" "+string(d.State)]++
	}
	return n
}

func (r *rig) bill(d civil.Day) payment.ProviderBill {
	r.T.Helper()
	all, err := r.Pay.Bills(bg, staff, payment.BillFilter{Gateway: "till"}, 100)
	must(r.T, err)
	for _, b := range all {
		if b.Day == d {
			return b
		}
	}
	r.T.Fatalf("no bill of %s among %+v", d, all)
	return payment.ProviderBill{}
}

// booksHold proves the books and the receipts.
func (r *rig) booksHold() {
	r.T.Helper()
	p, err := r.Books.Prove(bg)
	if err != nil || len(p.Problems) > 0 {
		r.T.Errorf("the books: %v, %v", p.Problems, err)
	}
	wrong, err := r.Pay.Prove(bg)
	if err != nil || len(wrong) > 0 {
		r.T.Errorf("the receipts: %v, %v", wrong, err)
	}
}

func TestAnHonestDayHasNoDifferenceAndItsFeesAreBooked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		var rows []payment.BillRow
		fees := int64(0)
		for i := range 3 {
			_, _, _, row := r.paidNow(fmt.Sprint("T", i), true)
			rows, fees = append(rows, row), fees+row.Fee.Minor
		}
		r.Till.SetBill(rows, nil)
		r.bills() // the day is not over
		if all, err := r.Pay.Bills(bg, staff, payment.BillFilter{}, 10); err != nil || len(all) != 0 {
			t.Errorf("before the day is over: %+v, %v", all, err)
		}
		r.atNoon()
		for range 50 {
			r.bills()
		}
		if got := r.kinds(); len(got) != 0 {
			t.Errorf("differences: %v", got)
		}
		b := r.bill(day)
		if b.State != payment.BillRead || b.Readings != 1 || b.Payments != 3 || b.Fee.Minor != fees || b.Digest == "" {
			t.Errorf("got %+v", b)
		}
		if got := r.balance(ledger.GatewayFee); got != fees || fees == 0 {
			t.Errorf("fees in the books: %d, want %d", got, fees)
		}
		r.Clock.Advance(72 * time.Hour) // read once more
		for range 5 {
			r.bills()
		}
		if b := r.bill(day); b.State != payment.BillSettled || b.Readings != 2 || r.balance(ledger.GatewayFee) != fees || len(r.kinds()) != 0 {
			t.Errorf("three days later: %+v, fees %d, %v", b, r.balance(ledger.GatewayFee), r.kinds())
		}
		r.booksHold()
	})
}

// planted makes a day on which everything differs, and returns what is to be found.
func (r *rig) planted() (lost order.Order, rows, honest []payment.BillRow, want map[string]int) {
	_, _, _, fine := r.paidNow("T-fine", true)
	_, lost, _, unheard := r.paidNow("T-unheard", false)
	_, _, _, wrong := r.paidNow("T-wrong", true)
	_, _, _, gone := r.paidNow("T-gone", true)
	_, _, _, twice := r.paidNow("T-twice", true)
	_, _, _, dear := r.paidNow("T-dear", true)
	honest = []payment.BillRow{fine, unheard, wrong, gone, twice, dear}
	wrong.Amount.Minor += 7
	dear.Fee = cny(dear.Amount.Minor)
	stray := payment.BillRow{AttemptNo: "X1", TradeNo: "T-stray", Amount: cny(33_00), Fee: cny(0), At: r.Clock.Now()}
	back := payment.BillRow{AttemptNo: fine.AttemptNo, TradeNo: fine.TradeNo, RefundNo: "R-nobody", Amount: cny(5_00), Fee: cny(0), At: r.Clock.Now()}
	rows = []payment.BillRow{fine, unheard, wrong, twice, twice, twice, dear, stray, back}
	r.Till.SetBill(rows, nil)
	return lost, rows, honest, map[string]int{
		"missing_here closed": 1, "amount open": 1, "missing_there open": 1, "duplicate open": 1, "fee open": 1, "foreign open": 1, "refund_missing_here open": 1,
	}
}

func TestEveryPlantedDifferenceIsFoundOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		lost, _, _, want := r.planted()
		// The bill was never told of by a query either: it is taken up by the bill alone.
		r.Till.Away(payment.ErrTemporary)
		r.Clock.Advance(20 * time.Minute)
		r.atNoon()
		for range 3 {
			r.bills()
		}
		if got := r.kinds(); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for _, d := range r.differences(payment.DifferenceFilter{Day: day}) {
			if d.Day != day || d.Gateway != "till" || d.FoundAt.IsZero() || (d.Kind == payment.Duplicate && d.There.Minor != 3*d.Here.Minor) {
				t.Errorf("got %+v", d)
			}
		}
		rc := r.receipts(r.differences(payment.DifferenceFilter{Kind: payment.MissingHere})[0].Attempt)
		if len(rc) != 1 || rc[0].TradeNo != "T-unheard" {
			t.Errorf("taken up: %+v", rc)
		}
		// It came after the order was over: the money is the customer's.
		if got := r.Order(lost.ID); rc[0].Disposition != payment.ToWallet || r.balance(ledger.Wallet(string(got.Account))) != rc[0].Amount.Minor {
			t.Errorf("order %s, receipt %+v", got.State, rc[0])
		}
		r.booksHold()
	})
}

func TestManyReadAtOnceAndFindTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		_, rows, _, want := r.planted()
		r.Till.Away(payment.ErrTemporary)
		r.atNoon()
		r.Till.SetBill(nil, payment.ErrTemporary)
		r.bills()
		b := r.bill(day)
		r.Till.SetBill(rows, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_ = untilDecided(func() error { _, err := r.Pay.ReadBillAgain(bg, r.settler(), b.ID); return err })
			})
		}
		wg.Wait()
		if got := r.kinds(); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		r.booksHold()
	})
}

func TestALateBillIsNotAFailureAndOneThatNeverComesIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		_, _, _, row := r.paidNow("T1", true)
		r.Till.SetBill(nil, payment.ErrTradeNotFound)
		r.atNoon()
		r.bills()
		if b := r.bill(day); b.State != payment.BillWaiting || b.Problem != payment.ErrTradeNotFound.Code || !b.NextAt.After(r.Clock.Now()) || len(r.kinds()) != 0 {
			t.Fatalf("not there yet: %+v, %v", b, r.kinds())
		}
		r.Clock.Advance(time.Hour)
		r.Till.SetBill([]payment.BillRow{row}, nil)
		r.bills()
		if b := r.bill(day); b.State != payment.BillRead || b.Problem != "" || len(r.kinds()) != 0 {
			t.Errorf("late: %+v, %v", b, r.kinds())
		}
		next := r.atNoon()
		r.paidNow("T2", true)
		r.Till.SetBill(nil, payment.ErrTradeNotFound)
		r.atNoon()
		r.bills()
		r.Clock.Advance(73 * time.Hour)
		r.bills()
		if b := r.bill(next); b.State != payment.BillAbsent || r.kinds()["missing_there open"] != 1 {
			t.Errorf("never: %+v, %v", b, r.kinds())
		}
		// A bill that cannot be believed is tried again for ever, and nothing of it is used.
		bad := r.atNoon()
		_, _, _, third := r.paidNow("T3", true)
		third.Amount.Minor++
		r.Till.SetBill([]payment.BillRow{third}, payment.ErrBadSignature)
		r.atNoon()
		r.bills()
		r.Clock.Advance(100 * time.Hour)
		r.bills()
		if b := r.bill(bad); b.State != payment.BillWaiting || b.Problem != payment.ErrBadSignature.Code || b.Tries < 2 || r.kinds()["amount open"] != 0 {
			t.Errorf("not to be believed: %+v, %v", b, r.kinds())
		}
	})
}

func TestWhatADayMissesTheNextOneMayBring(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		_, _, _, row := r.paidNow("T1", true)
		r.Till.SetBill(nil, nil)
		r.atNoon()
		r.bills()
		d := r.differences(payment.DifferenceFilter{State: payment.DifferenceOpen})
		if len(d) != 1 || d[0].Kind != payment.MissingThere || d[0].Day != day {
			t.Fatalf("got %+v", d)
		}
		row.At = r.Clock.Now() // it stands in the bill of the next day
		r.Till.SetBill([]payment.BillRow{row}, nil)
		r.atNoon()
		r.bills()
		got, steps, err := r.Pay.DifferenceHistory(bg, staff, d[0].ID)
		if err != nil || got.State != payment.DifferenceClosed || got.Outcome != "billed" || len(steps) != 2 || len(r.kinds()) != 1 {
			t.Errorf("got %+v, %+v, %v, %v", got, steps, err, r.kinds())
		}
	})
}

func TestADifferenceIsExplainedAndOpensAgainWhenTheBillDisagrees(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		p, _, _, row := r.paidNow("T1", true)
		row.Amount.Minor += 5
		r.Till.SetBill([]payment.BillRow{row}, nil)
		r.atNoon()
		r.bills()
		d := r.differences(payment.DifferenceFilter{})[0]
		for name, who := range map[string]account.Principal{"a reader": staff, "the payer": {Account: p.Account, Subject: p.Subject, Permissions: r.settler().Permissions, StepUpUntil: r.settler().StepUpUntil}} {
			if _, err := r.Pay.Explain(bg, who, d.ID, "rounding"); !errors.Is(err, payment.ErrStaffOnly) && !errors.Is(err, payment.ErrOneself) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := r.Pay.Explain(bg, r.settler(), d.ID, "he said so!"); !errors.Is(err, payment.ErrReason) {
			t.Errorf("a sentence: got %v", err)
		}
		d, err := r.Pay.Explain(bg, r.settler(), d.ID, "rounding")
		if err != nil || d.State != payment.DifferenceClosed || d.Outcome != "rounding" {
			t.Fatalf("got %+v, %v", d, err)
		}
		again := func() { _, err := r.Pay.ReadBillAgain(bg, r.settler(), r.bill(day).ID); must(t, err) }
		again()
		if got := r.kinds(); got["amount closed"] != 1 {
			t.Errorf("the same once more: %v", got)
		}
		row.Amount.Minor += 5
		r.Till.SetBill([]payment.BillRow{row}, nil)
		again()
		if got := r.kinds(); got["amount open"] != 1 {
			t.Errorf("something else: %v", got)
		}
		row.Amount.Minor -= 10
		r.Till.SetBill([]payment.BillRow{row}, nil)
		again()
		if got := r.differences(payment.DifferenceFilter{}); len(got) != 1 || got[0].State != payment.DifferenceClosed || got[0].Outcome != "bill_corrected" {
			t.Errorf("taken back: %+v", got)
		}
		row.Amount.Minor += 10
		r.Till.SetBill([]payment.BillRow{row}, nil)
		again()
		if got := r.kinds(); got["amount open"] != 1 || r.balance(ledger.Chargeback) != 0 {
			t.Errorf("and said again: %v", got)
		}
	})
}

func TestTheBooksFollowABillOnlyByTwo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		_, _, honest, _ := r.planted()
		r.Till.Away(payment.ErrTemporary)
		r.atNoon()
		r.bills()
		before := r.balance(ledger.Gateway("till"))
		due := int64(0)
		for _, d := range r.differences(payment.DifferenceFilter{State: payment.DifferenceOpen}) {
			first, second := r.settler(), r.settler()
			if _, err := r.Pay.DecideBooking(bg, second, d.ID, payment.Book); !errors.Is(err, payment.ErrTransition) {
				t.Errorf("%s, not proposed: got %v", d.Kind, err)
			}
			w, err := r.Pay.ProposeBooking(bg, first, d.ID, "provider_is_right")
			if err != nil || w.State != payment.DifferenceWaiting {
				t.Fatalf("%s: got %+v, %v", d.Kind, w, err)
			}
			if _, err := r.Pay.DecideBooking(bg, first, d.ID, payment.Book); !errors.Is(err, payment.ErrOneself) {
				t.Errorf("%s by the same person: got %v", d.Kind, err)
			}
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					err := untilDecided(func() error { _, err := r.Pay.DecideBooking(bg, second, d.ID, payment.Book); return err })
					if err != nil && !errors.Is(err, payment.ErrTransition) {
						t.Errorf("%s: got %v", d.Kind, err)
					}
				})
			}
			wg.Wait()
			due += d.Due().Minor
		}
		if got := r.balance(ledger.Gateway("till")); got != before+due || due == 0 {
			t.Errorf("money at the provider: %d, want %d", got, before+due)
		}
		if got := r.balance(ledger.Suspense); got != 33_00 {
			t.Errorf("suspense: %d, want what is nobody's", got)
		}
		_, err := r.Pay.ReadBillAgain(bg, r.settler(), r.bill(day).ID)
		must(t, err)
		if open := r.differences(payment.DifferenceFilter{State: payment.DifferenceOpen}); len(open) != 0 {
			t.Errorf("read again: %+v", open)
		}
		r.booksHold()
		// The provider corrects itself: what the books followed has to come back.
		r.Till.SetBill(honest, nil)
		_, err = r.Pay.ReadBillAgain(bg, r.settler(), r.bill(day).ID)
		must(t, err)
		back := int64(0)
		for _, d := range r.differences(payment.DifferenceFilter{State: payment.DifferenceOpen}) {
			back += d.Due().Minor
		}
		if back == 0 || due+back != 0 { // also the receipt of what was nobody's
			t.Errorf("to come back: %d of %d", back, due)
		}
	})
}
