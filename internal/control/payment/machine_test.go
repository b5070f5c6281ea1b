package payment_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

func newShopQueue(t *testing.T) *job.Queue {
	t.Helper()
	return job.New(nil, clock.System{}, slog.New(slog.DiscardHandler))
}

// Random histories of orders, payments and everything that goes wrong with
// notices. After each step the books hold, and the naive model knows what
// every customer has paid and where it lies.
func TestRandomHistoriesKeepTheBooks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			m := &machine{r: r, p: ordertest.Customer(), run: n, paidIn: map[string]int64{}}
			rt.Repeat(map[string]func(*rapid.T){
				"order": m.order, "start": m.start, "notify": m.notify, "repeat": m.repeat, "wrong": m.wrong, "foreign": m.foreign,
				"second": m.second, "cancel": m.cancel, "wait": m.wait, "return": m.back, "learn": m.learn, "": m.check,
			})
		})
		r.provenAll(t)
	}, sets()...)
}

type machine struct {
	r        *rig
	p        account.Principal
	run, no  int
	orders   []order.Order
	attempts []payment.Attempt
	facts    []payment.Fact
	paidIn   map[string]int64 // by trade: what really arrived
}

func (m *machine) trade() string { m.no++; return fmt.Sprintf("R%d-%d", m.run, m.no) }

func (m *machine) order(t *rapid.T) { m.orders = append(m.orders, m.r.Place(m.p)) }

func (m *machine) start(t *rapid.T) {
	if len(m.orders) == 0 {
		return
	}
	o := rapid.SampledFrom(m.orders).Draw(t, "order")
	way := rapid.SampledFrom([]string{"till.card", "till.cash"}).Draw(t, "method")
	a, _, err := m.r.Pay.Start(bg, m.p, o.ID, way)
	if err == nil {
		m.attempts = append(m.attempts, a)
	} else if now := m.r.Order(o.ID); !errors.Is(err, payment.ErrTooMany) && now.State == order.PendingPayment && m.r.Clock.Now().Before(now.ExpiresAt) {
		t.Fatalf("starting: %v", err)
	}
}

func (m *machine) pick(t *rapid.T) (payment.Attempt, bool) {
	if len(m.attempts) == 0 {
		return payment.Attempt{}, false
	}
	return rapid.SampledFrom(m.attempts).Draw(t, "attempt"), true
}

func (m *machine) bring(f payment.Fact, arrives bool) {
	m.r.notify(f)
	m.facts = append(m.facts, f)
	if arrives {
		m.paidIn[f.TradeNo] = f.Amount.Minor
	}
}

func (m *machine) notify(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		m.bring(paid(a, "N-"+a.No), true)
	}
}

func (m *machine) second(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		m.bring(paid(a, m.trade()), true)
	}
}

func (m *machine) wrong(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		f := paid(a, m.trade())
		f.Amount = cny(rapid.Int64Range(1, 100_000).Filter(func(v int64) bool { return v != a.Amount.Minor }).Draw(t, "amount"))
		m.bring(f, true)
	}
}

func (m *machine) foreign(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		f := paid(a, m.trade())
		f.MerchantID = "9"
		m.bring(f, false)
	}
}

func (m *machine) repeat(t *rapid.T) {
	if len(m.facts) > 0 {
		m.r.notify(rapid.SampledFrom(m.facts).Draw(t, "fact"))
	}
}

// learn makes the provider know of a payment whose notice is lost.
func (m *machine) learn(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		f := paid(a, "N-"+a.No)
		m.r.Till.Know(f)
		if _, err := m.r.Pay.Returned(bg, a.No); err != nil {
			t.Fatal(err)
		}
		m.settle(t)
	}
}

func (m *machine) cancel(t *rapid.T) {
	if len(m.orders) > 0 {
		// Refused unless the order waits for payment: check sees the difference.
		_, _ = m.r.Orders.Cancel(bg, m.p, rapid.SampledFrom(m.orders).Draw(t, "order").ID)
	}
}

func (m *machine) back(t *rapid.T) {
	if a, ok := m.pick(t); ok {
		if _, err := m.r.Pay.Returned(bg, a.No); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *machine) wait(t *rapid.T) {
	m.r.Clock.Advance(time.Duration(rapid.IntRange(1, 45).Draw(t, "minutes")) * time.Minute)
	m.settle(t)
}

func (m *machine) settle(t *rapid.T) {
	if err := m.r.Queue.Drain(bg); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) check(t *rapid.T) {
	total, orders := int64(0), map[string]int64{}
	for _, a := range m.seen() {
		for _, rc := range m.r.receipts(a.No) {
			total += rc.Amount.Minor
			if want, ok := m.paidIn[rc.TradeNo]; ok && want != rc.Amount.Minor {
				t.Fatalf("trade %s: booked %d, arrived %d", rc.TradeNo, rc.Amount.Minor, want)
			}
			m.paidIn[rc.TradeNo] = rc.Amount.Minor // learned by a query
			if rc.Disposition == payment.ToOrder {
				orders[a.Order] += rc.Amount.Minor
			}
		}
	}
	arrived := int64(0)
	for _, v := range m.paidIn {
		arrived += v
	}
	if total != arrived {
		t.Fatalf("receipts hold %d, arrived %d", total, arrived)
	}
	for _, o := range m.orders {
		now := m.r.Order(o.ID)
		isPaid := now.State == order.Paid || now.State == order.Fulfilling
		if isPaid != (orders[o.ID] == o.Total.Minor) || (!isPaid && orders[o.ID] != 0) {
			t.Fatalf("order %s is %s and has %d of %d", o.ID, now.State, orders[o.ID], o.Total.Minor)
		}
	}
}

// seen are the attempts without repetition.
func (m *machine) seen() map[string]payment.Attempt {
	all := map[string]payment.Attempt{}
	for _, a := range m.attempts {
		all[a.No] = a
	}
	return all
}

func (r *rig) provenAll(t *testing.T) {
	t.Helper()
	p, err := r.Books.Prove(bg)
	if err != nil || len(p.Problems) > 0 {
		t.Errorf("the books: %v, %v", p.Problems, err)
	}
	receipts, err := db.Get(bg, r.DB, nil, db.One[int64], "SELECT count(*) FROM payment_receipt WHERE disposition <> '' AND journal_id <> ''")
	if err != nil || int(receipts) != p.Journals {
		t.Errorf("got %d receipts and %d journals, %v", receipts, p.Journals, err)
	}
}
