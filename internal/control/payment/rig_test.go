package payment_test

import (
	"context"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var bg = context.Background()

// Short names of what tests name often.
const (
	tillToken = paymenttest.Token
	method    = paymenttest.Method
)

var (
	paid = paymenttest.Paid
	raw  = paymenttest.Raw
	sets = paymenttest.Sets
)

type rig struct{ *paymenttest.Shop }

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, sets()...)
}

func newRig(t testing.TB, d *db.DB) *rig { return &rig{paymenttest.New(t, d)} }

func cny(minor int64) money.Money { return money.New(minor, money.CNY) }

// notify delivers a notice until it is acknowledged, as providers do.
func (r *rig) notify(f payment.Fact) {
	for {
		a, err := r.Pay.HandleNotify(bg, tillToken, raw(f))
		if err != nil {
			r.T.Errorf("notify: %v", err)
			return
		}
		if a.Status == 200 {
			return
		}
	}
}

// untilDecided repeats what lost against others.
func untilDecided(fn func() error) error {
	for {
		err := fn()
		if err == nil || (errs.KindOf(err) != errs.Internal && !errors.Is(err, db.ErrRetry)) {
			return err
		}
	}
}

func (r *rig) attempt(no string) payment.Attempt {
	r.T.Helper()
	all, err := r.Pay.ListAll(bg, staff, "", 100)
	if err != nil {
		r.T.Fatal(err)
	}
	for _, a := range all {
		if a.No == no {
			return a
		}
	}
	r.T.Fatalf("no attempt %s", no)
	return payment.Attempt{}
}

var staff = account.Principal{Staff: true, Permissions: []string{"payment.read"}}

func (r *rig) receipts(no string) []payment.Receipt {
	r.T.Helper()
	all, err := r.Pay.Receipts(bg, staff, no)
	if err != nil {
		r.T.Fatal(err)
	}
	return all
}

func (r *rig) balance(c ledger.Code) int64 {
	r.T.Helper()
	m, err := r.Books.Balance(bg, c, money.CNY)
	if err != nil {
		r.T.Fatal(err)
	}
	return m.Minor
}

// proven checks the books and that they agree with the receipts.
func (r *rig) proven() {
	r.T.Helper()
	p, err := r.Books.Prove(bg)
	if err != nil || len(p.Problems) > 0 {
		r.T.Errorf("the books: %v, %v", p.Problems, err)
	}
	all, err := r.Pay.ListAll(bg, staff, "", 100)
	if err != nil {
		r.T.Fatal(err)
	}
	sum, journals := int64(0), 0
	for _, a := range all {
		toOrder := 0
		for _, rc := range r.receipts(a.No) {
			sum, journals = sum+rc.Amount.Minor, journals+1
			switch rc.Disposition {
			case payment.ToOrder:
				toOrder++
			case payment.ToWallet, payment.ToSuspense:
			default:
				r.T.Errorf("receipt %s lies in %q", rc.ID, rc.Disposition)
			}
			if _, err := r.Books.Journal(bg, rc.Journal); err != nil {
				r.T.Errorf("journal of receipt %s: %v", rc.ID, err)
			}
		}
		if toOrder > 1 {
			r.T.Errorf("attempt %s paid an order %d times", a.No, toOrder)
		}
	}
	if got := r.balance(ledger.Gateway("till")); got != sum || p.Journals != journals {
		r.T.Errorf("money at the gateway: got %d in %d journals, receipts say %d in %d", got, p.Journals, sum, journals)
	}
}
