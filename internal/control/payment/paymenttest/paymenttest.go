// Package paymenttest builds a shop that takes money, for tests: an
// ordertest.Shop with books, the payment module and a gateway whose trades a
// test makes by hand.
//
// It is for tests only. The protocol of a real gateway is tested with its
// adapter, against its simulator.
package paymenttest

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Of the shop's one gateway account.
const (
	Token    = "till-token-0123456789abcdefg"
	Merchant = "1001"
	Method   = "till.card" // "till.cash" is there too
	BaseURL  = "https://shop.example"
)

// Sets are the migrations that the shop needs.
func Sets() []db.Migrations {
	return append(ordertest.Sets(), ledger.Migrations(), payment.Migrations())
}

// Shop is a shop that takes money.
type Shop struct {
	*ordertest.Shop
	Till  *Till
	Ends  *Ends
	Books *ledger.Service
	Pay   *payment.Service

	OnRefunded func(ctx context.Context, tx *db.Tx, r payment.Refund) error // of payment.Invoices; nil: nothing
}

// RefundedTx does what OnRefunded says.
func (s *Shop) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if s.OnRefunded == nil {
		return nil
	}
	return s.OnRefunded(ctx, tx, r)
}

// New opens a shop on d.
func New(t testing.TB, d *db.DB) *Shop {
	t.Helper()
	s := &Shop{Shop: ordertest.New(t, d), Till: &Till{trades: map[string]payment.Fact{}}}
	s.Ends = &Ends{Periods: map[string][2]time.Time{}, Earning: map[string]int64{}}
	s.Books = ledger.New(ledger.Deps{DB: d, Clock: s.Clock})
	s.Pay = s.open(t, d, s.Queue, payment.RefundRules{SecondPersonAbove: 1_000_00})
	return s
}

func (s *Shop) open(t testing.TB, d *db.DB, q *job.Queue, rules payment.RefundRules) *payment.Service {
	t.Helper()
	pay, err := payment.New(payment.Deps{
		DB: d, Clock: s.Clock, Queue: q, Log: slog.New(slog.DiscardHandler), Audit: s.Log,
		Ledger: s.Books, Orders: s.Orders, BaseURL: BaseURL, Title: "Skybridge order",
		Services: s.Ends, Refunds: rules, Accounts: []payment.GatewayAccount{
			{
				ID: "till", Token: Token, MerchantID: Merchant, Currency: money.CNY, Min: 1, Max: 100_000_00,
				Methods: []string{"card", "cash"}, Gateway: s.Till,
			},
			{
				ID: "bank", Token: "bank-token-0123456789abcdefg", MerchantID: "bank", Currency: money.CNY, Min: 1, Max: 100_000_00,
				Methods: []string{"transfer"}, Gateway: &Bank{}, Asset: ledger.Bank, Wait: 72 * time.Hour,
			},
		},
		Owners: everybody{}, Invoices: s, Wallet: payment.WalletRules{FourEyes: FourEyes, LowBelow: 10_00},
	})
	if err != nil {
		t.Fatal(err)
	}
	return pay
}

// Strict has two persons approve every refund from now on; jobs go on as before.
func (s *Shop) Strict(t testing.TB) {
	s.Pay = s.open(t, s.DB, job.New(s.DB, s.Clock, slog.New(slog.DiscardHandler)), payment.RefundRules{})
}

// Started places an order and starts its payment.
func (s *Shop) Started(p account.Principal) (order.Order, payment.Attempt) {
	s.T.Helper()
	o := s.Place(p)
	a, _, err := s.Pay.Start(context.Background(), p, o.ID, Method)
	if err != nil {
		s.T.Fatal(err)
	}
	return o, a
}

// Paid is what the gateway says when an attempt was paid in a trade.
func Paid(a payment.Attempt, trade string) payment.Fact {
	return payment.Fact{AttemptNo: a.No, TradeNo: trade, MerchantID: Merchant, Amount: a.Amount, State: payment.FactPaid, DedupeKey: trade + "|paid"}
}

// Raw is the notice of a fact.
func Raw(f payment.Fact) payment.RawRequest {
	body, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return payment.RawRequest{Method: "POST", ContentType: signed, Body: body}
}

// FourEyes is what one member of the staff may book alone within a day, in fen.
const FourEyes = 500_00

// everybody owns what is called after them.
type everybody struct{}

func (everybody) Owner(_ context.Context, a account.ID) (id.Handle, error) {
	return id.Handle("owner-of-" + a), nil
}

// Bank is a gateway whose money a person sees.
type Bank struct{ Till }

// Kind is payment.Manual.
func (*Bank) Kind() string { return payment.Manual }

const signed = "signed"

// Till is the gateway. A notice is the JSON of a fact; its content type says
// whether it is signed.
type Till struct {
	mu     sync.Mutex
	trades map[string]payment.Fact // by attempt
	fail   error
	away   error
	asked  int

	Back // how it closes and pays back
}

// FailCreate makes Create fail with err; nil mends it.
func (g *Till) FailCreate(err error) { g.mu.Lock(); defer g.mu.Unlock(); g.fail = err }

// Away makes Query fail with err; nil mends it.
func (g *Till) Away(err error) { g.mu.Lock(); defer g.mu.Unlock(); g.away = err }

// Know makes a trade known to queries.
func (g *Till) Know(f payment.Fact) { g.mu.Lock(); defer g.mu.Unlock(); g.trades[f.AttemptNo] = f }

// Asked counts questions.
func (g *Till) Asked() int { g.mu.Lock(); defer g.mu.Unlock(); return g.asked }

// Kind is "till".
func (g *Till) Kind() string { return "till" }

// Create sends the browser to a page of its own.
func (g *Till) Create(_ context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return payment.Instruction{Kind: payment.Redirect, URL: "https://till.example/" + r.AttemptNo}, g.fail
}

// ParseNotify refuses what is not signed and cannot read the state "gibberish".
func (g *Till) ParseNotify(r payment.RawRequest) (payment.Notice, error) {
	if r.ContentType != signed {
		return payment.Notice{}, payment.ErrBadSignature
	}
	var n payment.Notice
	if r.Query == refundNotice {
		n.Refund = &payment.RefundFact{}
		return n, json.Unmarshal(r.Body, n.Refund)
	}
	if err := json.Unmarshal(r.Body, &n.Fact); err != nil {
		return n, payment.ErrMalformed
	}
	n.AttemptNo = n.Fact.AttemptNo
	if n.Fact.State == "gibberish" {
		return n, payment.ErrMalformed
	}
	return n, nil
}

// Ack says "thanks", or "again".
func (g *Till) Ack(err error) payment.Answer {
	if err != nil {
		return payment.Answer{Status: 500, ContentType: "text/plain", Body: "again"}
	}
	return payment.Answer{Status: 200, ContentType: "text/plain", Body: "thanks"}
}

// Query answers pending until Know.
func (g *Till) Query(_ context.Context, r payment.AttemptRef) (payment.Fact, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.away != nil {
		return payment.Fact{}, g.away
	}
	f, ok := g.trades[r.AttemptNo]
	if !ok {
		return payment.Fact{AttemptNo: r.AttemptNo, MerchantID: Merchant, State: payment.FactPending}, nil
	}
	return f, nil
}
