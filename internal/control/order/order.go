// Package order is the state machine of a purchase: quotes, orders and lines.
//
// The server computes every price, from the current catalogue and the chosen
// options; nothing that a client sends is an amount. A quote is not stored: its
// hash covers the catalogue version, all inputs, the lines and the total, and
// the transaction that places an order computes it again.
//
//	draft ─submit─▶ pending_payment ─fact_paid─▶ paid ─start─▶ fulfilling ─all_ok─▶ completed
//	                 │         │                  │                │
//	              cancel    timeout          risk_rule      some or all lines failed
//	                 ▼         ▼                  ▼                ▼
//	             cancelled  expired        awaiting_review  partially_fulfilled / needs_attention
//	                                                               └─▶ refunding ─▶ refunded
//
// The table Transitions is the whole of it. Invariants: an order becomes paid
// at most once and for exactly its total; an idempotency key is one order; an
// order is seen by its account only; a snapshot of options and configuration
// is kept with each line and never changed.
//
// It is not for money (payment, ledger) nor for delivery (service).
package order

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors.
var (
	ErrNotFound          = errs.New(errs.NotFound, "order.not_found")
	ErrTransition        = errs.New(errs.Conflict, "order.wrong_state")
	ErrPriceChanged      = errs.New(errs.Conflict, "order.price_changed")
	ErrQuoteExpired      = errs.New(errs.Conflict, "order.quote_expired")
	ErrQuoteHash         = errs.New(errs.Invalid, "order.quote_hash_invalid")
	ErrKind              = errs.New(errs.Unprocessable, "order.kind_unsupported")
	ErrCount             = errs.New(errs.Unprocessable, "order.count_invalid")
	ErrConfiguration     = errs.New(errs.Unprocessable, "order.configuration_invalid")
	ErrIdempotencyKey    = errs.New(errs.Invalid, "order.idempotency_key_invalid")
	ErrKeyReused         = errs.New(errs.Conflict, "order.idempotency_key_reused")
	ErrAmount            = errs.New(errs.Conflict, "order.amount_differs")
	ErrTooMany           = errs.New(errs.Limited, "order.too_many_open")
	ErrNotOwner          = errs.New(errs.Forbidden, "order.staff_only")
	ErrDowngrade         = errs.New(errs.Unprocessable, "order.downgrade_not_supported")
	ErrServiceNotOffered = errs.New(errs.Unprocessable, "order.service_not_offered")
	ErrServiceThere      = errs.New(errs.Conflict, "order.service_enabled")
	ErrNoChange          = errs.New(errs.Unprocessable, "order.nothing_to_upgrade")
	ErrUpgradePending    = errs.New(errs.Conflict, "order.upgrade_pending")
	ErrNotRunning        = errs.New(errs.Conflict, "order.service_not_running")
)

// Times of an order's life.
const (
	QuoteLife   = 15 * time.Minute
	PaymentTime = 30 * time.Minute
)

// MaxOpen is how many orders of one account may wait for payment.
const MaxOpen = 50

// MaxCount is the highest number of equal things in one order.
const MaxCount = 10

// Kind is what an order is for.
type Kind string

// Kinds.
const (
	KindNew     Kind = "new"
	KindRenew   Kind = "renew"
	KindUpgrade Kind = "upgrade"
)

// LineKind tells what a line charges; period lengths come from Recurring only.
type LineKind string

// Line kinds.
const (
	Recurring LineKind = "recurring"
	Setup     LineKind = "setup"
)

// Order is a purchase.
type Order struct {
	ID        string // ord_...
	Account   account.ID
	Subject   id.Handle // the person who placed it
	Kind      Kind
	State     State
	Total     money.Money
	Catalogue int64 // version that it was priced with
	QuoteHash string
	Receipt   string // of payment, or the wallet's journal; empty before it is paid
	Lines     []Line
	PlacedAt  time.Time
	ExpiresAt time.Time // of the time to pay
	PaidAt    time.Time
	EndedAt   time.Time // cancelled, expired, completed or refunded
	Version   int64
}

// Line is one thing bought.
type Line struct {
	ID            string // orl_...
	Number        int    // from 1
	Kind          LineKind
	Product       string
	Region        string
	Options       map[string]string
	Months        int
	Amount        money.Money
	Configuration map[string]string // "name", "network": as chosen when the order was placed
	State         LineState
	Service       string // svc_..., once delivered; that of an upgrade from the beginning
	Problem       string // code of a final failure
	Resource      string // of an upgrade: what is changed, vpngw-...
	// Value and StartsAt are of an upgrade: what the rest of the period, from
	// StartsAt on, has been paid with in all. Later changes give credit for it.
	Value    int64 // minor units
	StartsAt time.Time
	EndsAt   time.Time       // of the time that an upgrade is paid for
	Shares   []service.Share // what an upgrade adds to each paid period
}

// LineState is how far the delivery of a line is.
type LineState string

// Line states.
const (
	LineWaiting   LineState = "waiting"
	LineDelivered LineState = "delivered"
	LineFailed    LineState = "failed"
	LineRefunded  LineState = "refunded" // could not be delivered, and was paid back
)

// Receipt is what payment hands over for money that has arrived, or that was
// taken from the wallet.
type Receipt struct {
	ID     string // rcp_...; of the wallet the journal, jnl_...
	Amount money.Money
	At     time.Time
	Wallet bool // all of it is the wallet's
}

// QuoteRequest is everything that decides a price. It holds no amount.
type QuoteRequest struct {
	Kind    Kind
	Product string
	Region  string
	Options map[string]string
	Cycle   int // months
	Count   int
	// Owner and Resource are of an upgrade or a renewal, which is priced by what
	// the account has; Product, Region and Count follow from it, and the Cycle of
	// an upgrade. A renewal without them is priced like something new.
	Owner    account.ID
	Resource string // vpngw-...
}

// Quote is a price that holds until ExpiresAt or the next catalogue.
type Quote struct {
	Request   QuoteRequest
	Catalogue int64
	Lines     []QuoteLine
	Total     money.Money
	Hash      string
	ExpiresAt time.Time
	Rest      Rest // of an upgrade
}

// Rest is the part of a paid period that an upgrade is priced for.
type Rest struct {
	From, Until time.Time

	service string // svc_...
	value   int64  // of the rest, once the upgrade is paid
	shares  []service.Share
}

// QuoteLine is one line of a quote.
type QuoteLine struct {
	Number int
	Kind   LineKind
	Items  []QuoteItem
	Amount money.Money
}

// QuoteItem explains a part of a line: an option's price for all months.
type QuoteItem struct {
	Option string // empty for the base price
	Value  string
	Amount money.Money
}

// PlaceRequest places an order for a quote.
type PlaceRequest struct {
	QuoteRequest
	QuoteHash      string
	IdempotencyKey string            // 8..64 visible characters, chosen by the client
	Configuration  map[string]string // keys "name" and "network"
}

// StaleQuote is returned by Place when the price is not that of the quote any
// more, or the quote is too old. It wraps ErrPriceChanged or ErrQuoteExpired
// and carries the quote of now.
type StaleQuote struct {
	Now Quote
	err error
}

// Error is for logs.
func (s *StaleQuote) Error() string { return s.err.Error() }

// Unwrap returns the coded error.
func (s *StaleQuote) Unwrap() error { return s.err }
