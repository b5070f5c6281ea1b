package payment_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// Random histories of one customer's wallet beside payments at a gateway and the
// bank. After each step nothing is lost: what came in and was given is in the
// wallet, held, in suspense, or in paid orders, each of them whole.
func TestRandomHistoriesOfAWallet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			m := &walletMachine{machine: machine{r: r, p: ordertest.Customer(), run: n, paidIn: map[string]int64{}}, suspended: r.balance(ledger.Suspense)}
			rt.Repeat(map[string]func(*rapid.T){
				"order": m.order, "start": m.start, "mixed": m.mixed, "wallet": m.pay, "topup": m.topUp, "gift": m.gift, "goodwill": m.goodwill,
				"notify": m.notify, "second": m.second, "wrong": m.wrong, "repeat": m.repeat, "cancel": m.cancel, "wait": m.wait, "gifts end": m.end,
				"transfer": m.transfer, "": m.whole,
			})
		})
		r.sound()
	}, sets()...)
}

type walletMachine struct {
	machine
	given     int64 // gifts and goodwill
	suspended int64 // before this customer
}

func (m *walletMachine) mixed(t *rapid.T) {
	if len(m.orders) == 0 {
		return
	}
	o := rapid.SampledFrom(m.orders).Draw(t, "order")
	a, _, err := m.r.Pay.StartMixed(bg, m.p, o.ID, rapid.SampledFrom([]string{"till.card", "till.cash", bank}).Draw(t, "method"))
	switch {
	case err == nil:
		m.attempts = append(m.attempts, a)
	case errors.Is(err, payment.ErrCovered), errors.Is(err, payment.ErrNotPayable), errors.Is(err, payment.ErrTooMany):
	default:
		t.Fatalf("starting: %v", err)
	}
}

func (m *walletMachine) pay(t *rapid.T) {
	if len(m.orders) == 0 {
		return
	}
	o := m.r.Order(rapid.SampledFrom(m.orders).Draw(t, "order").ID)
	was := m.r.purse(m.p)
	after, err := m.r.Pay.PayFromWallet(bg, m.p, o.ID)
	switch {
	case err == nil:
		if after.State == order.PendingPayment {
			t.Fatalf("paid, but %s", after.State)
		}
	case errors.Is(err, ledger.ErrBelowMin):
		if was.Spendable().Minor >= o.Total.Minor {
			t.Fatalf("refused %s with %d in the wallet", o.Total, was.Spendable().Minor)
		}
	case errors.Is(err, payment.ErrNotPayable):
	default:
		t.Fatalf("paying: %v", err)
	}
}

func (m *walletMachine) topUp(t *rapid.T) {
	a, _, err := m.r.Pay.TopUp(bg, m.p, rapid.SampledFrom([]string{method, bank}).Draw(t, "method"), cny(rapid.Int64Range(100, 50_000).Draw(t, "amount")))
	if err == nil {
		m.attempts = append(m.attempts, a)
	} else if !errors.Is(err, payment.ErrTooMany) {
		t.Fatal(err)
	}
}

func (m *walletMachine) gift(t *rapid.T) {
	v := rapid.Int64Range(1, 20_000).Draw(t, "amount")
	m.r.given(m.p, payment.GiftGrant, v, time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes"))*time.Minute)
	m.given += v
}

func (m *walletMachine) goodwill(t *rapid.T) {
	v := rapid.Int64Range(1, 5_000).Draw(t, "amount")
	m.r.given(m.p, payment.GoodwillGrant, v, 0)
	m.given += v
}

func (m *walletMachine) end(t *rapid.T) { m.r.tick(time.Minute) }

// notify pays at the provider; bank attempts are for staff.
func (m *walletMachine) notify(t *rapid.T) {
	if a, ok := m.pick(t); ok && a.Gateway == "till" {
		m.bring(paid(a, "N-"+a.No), true)
	}
}

func (m *walletMachine) second(t *rapid.T) {
	if a, ok := m.pick(t); ok && a.Gateway == "till" {
		m.bring(paid(a, m.trade()), true)
	}
}

func (m *walletMachine) wrong(t *rapid.T) {
	if a, ok := m.pick(t); ok && a.Gateway == "till" {
		f := paid(a, m.trade())
		f.Amount.Minor++
		m.bring(f, true)
	}
}

func (m *walletMachine) transfer(t *rapid.T) {
	a, ok := m.pick(t)
	if !ok || a.Gateway != "bank" {
		return
	}
	trade := m.trade()
	w, err := m.r.Pay.EnterTransfer(bg, m.r.clerk(), m.r.transfer(a, trade, a.Amount.Minor))
	if err == nil && w.State == payment.Waiting {
		w, err = m.r.Pay.DecideTransfer(bg, m.r.clerk(), w.ID, payment.Book)
	}
	if err != nil || w.State != payment.Booked {
		t.Fatalf("transfer: %+v, %v", w, err)
	}
	m.paidIn[trade] = a.Amount.Minor
}

// whole is that nothing is lost.
func (m *walletMachine) whole(t *rapid.T) {
	owner := string(m.p.Account)
	purse := m.r.purse(m.p)
	have := m.r.balance(ledger.Wallet(owner)) + m.r.balance(ledger.Gift(owner)) + purse.Held.Minor + m.r.balance(ledger.Suspense) - m.suspended
	for _, o := range m.orders {
		earned := int64(0)
		for _, l := range o.Lines {
			earned += m.r.balance(ledger.Deferred(l.ID))
		}
		now := m.r.Order(o.ID)
		isPaid := now.State == order.Paid || now.State == order.Fulfilling
		if isPaid != (earned == o.Total.Minor) || (!isPaid && earned != 0) {
			t.Fatalf("order %s is %s with %d of %d", o.ID, now.State, earned, o.Total.Minor)
		}
		have += earned
	}
	came := m.given - m.ended(t)
	for _, v := range m.paidIn {
		came += v
	}
	if have != came {
		t.Fatalf("there are %d, came and given %d", have, came)
	}
	if purse.Paid.Minor < 0 || purse.Gift.Minor < 0 {
		t.Fatalf("below zero: %+v", purse)
	}
}

// ended is what gifts ended unspent.
func (m *walletMachine) ended(t *rapid.T) (sum int64) {
	lines, err := m.r.Books.Statement(bg, ledger.Gift(string(m.p.Account)), "CNY", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Kind == "gift_over" {
			sum -= l.Amount.Minor
		}
	}
	return sum
}
