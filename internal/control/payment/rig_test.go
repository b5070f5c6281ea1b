package payment_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var bg = context.Background()

const (
	tillToken = "till-token-0123456789abcdefg"
	merchant  = "1001"
	method    = "till.card"
)

// till is a gateway whose trades a test makes by hand. A notice is the JSON of
// a fact with the word "signed" as content type.
type till struct {
	mu     sync.Mutex
	trades map[string]payment.Fact // by attempt
	fail   error                   // of Create
	away   error                   // of Query
	asked  int
}

func (g *till) Kind() string { return "till" }

func (g *till) Create(_ context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	return payment.Instruction{Kind: payment.Redirect, URL: "https://till.example/" + r.AttemptNo}, g.fail
}

func (g *till) ParseNotify(r payment.RawRequest) (payment.Notice, error) {
	if r.ContentType != "signed" {
		return payment.Notice{}, payment.ErrBadSignature
	}
	var n payment.Notice
	if err := json.Unmarshal(r.Body, &n.Fact); err != nil {
		return n, payment.ErrMalformed
	}
	n.AttemptNo = n.Fact.AttemptNo
	if n.Fact.State == "gibberish" {
		return n, payment.ErrMalformed
	}
	return n, nil
}

func (g *till) Ack(err error) payment.Answer {
	if err != nil {
		return payment.Answer{Status: 500, Body: "again"}
	}
	return payment.Answer{Status: 200, Body: "thanks"}
}

func (g *till) Query(_ context.Context, r payment.AttemptRef) (payment.Fact, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.away != nil {
		return payment.Fact{}, g.away
	}
	f, ok := g.trades[r.AttemptNo]
	if !ok {
		return payment.Fact{AttemptNo: r.AttemptNo, MerchantID: merchant, State: payment.FactPending}, nil
	}
	return f, nil
}

// pay makes the trade known to queries.
func (g *till) pay(f payment.Fact) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trades[f.AttemptNo] = f
}

func (g *till) questions() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

type rig struct {
	*ordertest.Shop
	till  *till
	books *ledger.Service
	pay   *payment.Service
}

func sets() []db.Migrations {
	return append(ordertest.Sets(), ledger.Migrations(), payment.Migrations())
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, sets()...)
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{Shop: ordertest.New(t, d), till: &till{trades: map[string]payment.Fact{}}}
	r.books = ledger.New(ledger.Deps{DB: d, Clock: r.Clock})
	var err error
	r.pay, err = payment.New(payment.Deps{DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Audit: r.Log,
		Ledger: r.books, Orders: r.Orders, BaseURL: "https://shop.example", Title: "Skybridge order", Accounts: []payment.GatewayAccount{
			{ID: "till", Token: tillToken, MerchantID: merchant, Currency: money.CNY, Min: 1, Max: 100_000_00,
				Methods: []string{"card", "cash"}, Gateway: r.till}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func cny(minor int64) money.Money { return money.New(minor, money.CNY) }

// started is an order with an open attempt.
func (r *rig) started(p account.Principal) (order.Order, payment.Attempt) {
	r.T.Helper()
	o := r.Place(p)
	a, _, err := r.pay.Start(bg, p, o.ID, method)
	if err != nil {
		r.T.Fatal(err)
	}
	return o, a
}

func paid(a payment.Attempt, trade string) payment.Fact {
	return payment.Fact{AttemptNo: a.No, TradeNo: trade, MerchantID: merchant, Amount: a.Amount, State: payment.FactPaid, DedupeKey: trade + "|paid"}
}

func raw(f payment.Fact) payment.RawRequest {
	body, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return payment.RawRequest{Method: "POST", ContentType: "signed", Body: body}
}

// notify delivers a notice until it is acknowledged, as providers do.
func (r *rig) notify(f payment.Fact) {
	for {
		a, err := r.pay.HandleNotify(bg, tillToken, raw(f))
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
	all, err := r.pay.ListAll(bg, staff, "", 100)
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
	all, err := r.pay.Receipts(bg, staff, no)
	if err != nil {
		r.T.Fatal(err)
	}
	return all
}

func (r *rig) balance(c ledger.Code) int64 {
	r.T.Helper()
	m, err := r.books.Balance(bg, c, money.CNY)
	if err != nil {
		r.T.Fatal(err)
	}
	return m.Minor
}

// proven checks the books and that they agree with the receipts.
func (r *rig) proven() {
	r.T.Helper()
	p, err := r.books.Prove(bg)
	if err != nil || len(p.Problems) > 0 {
		r.T.Errorf("the books: %v, %v", p.Problems, err)
	}
	all, err := r.pay.ListAll(bg, staff, "", 100)
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
			if _, err := r.books.Journal(bg, rc.Journal); err != nil {
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
