package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Gateway is a payment provider. An adapter may also be a Querier, a Closer, a
// Refunder, a RefundQuerier, a Biller and a KeyHolder.
// Implementations are safe for concurrent use and keep no state of a payment.
type Gateway interface {
	// Kind names the protocol: "epay".
	Kind() string
	// Create prepares the payment of a committed attempt. Its disclosure is
	// recorded before anything is handed out. Repeating it with the same
	// number is allowed.
	Create(ctx context.Context, r CreateRequest) (Instruction, error)
	// ParseNotify is pure: it verifies, decrypts and parses. ErrBadSignature,
	// ErrProbe, ErrUnknownKey, ErrMalformed; with the last Notice.AttemptNo may
	// be set if the signature was good.
	ParseNotify(r RawRequest) (Notice, error)
	// Ack is what the provider is to be told: nil = do not repeat.
	Ack(err error) Answer
}

// Querier is a Gateway that can be asked. ErrTradeNotFound, ErrTemporary,
// ErrUnknownOutcome.
type Querier interface {
	Query(ctx context.Context, r AttemptRef) (Fact, error)
}

// Closer is a Gateway that can be told to take no money for an attempt any more.
// Nil says that it takes none; ErrDeclined that it will not, because the trade is
// paid perhaps: ask. ErrTemporary, ErrUnknownOutcome.
type Closer interface {
	Close(ctx context.Context, r AttemptRef) error
}

// Refunder is a Gateway that pays back. ErrDeclined is final for this number;
// ErrTemporary: not executed; ErrUnknownOutcome: ask, or where nobody can be
// asked leave it to a person.
type Refunder interface {
	Refund(ctx context.Context, r RefundRequest) (RefundFact, error)
	// IdempotentRefund tells whether a refund number is paid back once however
	// often it is sent. Where it is not, nothing but a person sends it again.
	IdempotentRefund() bool
}

// RefundQuerier is a Refunder that can be asked. ErrTradeNotFound: there is no such refund.
type RefundQuerier interface {
	QueryRefund(ctx context.Context, r RefundRef) (RefundFact, error)
}

// Biller is a Gateway that tells a day's trades, of the billing zone. It calls
// each for a row as it comes; what was told counts only if Bill returns nil,
// because a file is proven whole at its end. ErrTradeNotFound: there is no bill
// of that day, or not yet.
type Biller interface {
	Bill(ctx context.Context, day time.Time, each func(BillRow) error) error
}

// KeyHolder is a Gateway whose provider changes the keys that its messages are
// verified with. RefreshKeys fetches them, at most once a minute.
type KeyHolder interface {
	RefreshKeys(ctx context.Context) error
}

// CreateRequest is what a provider is told. It has no place for an address of
// the customer.
type CreateRequest struct {
	AttemptNo string
	Subject   id.Handle // whose disclosure it is
	Method    string
	Amount    money.Money
	Title     string // constant for the installation
	NotifyURL string
	ReturnURL string
	ExpireAt  time.Time
}

// Instruction is what the customer's browser does next. Exactly one form.
type Instruction struct {
	Kind   InstructionKind
	URL    string            // where to go, or the form's action
	Fields map[string]string // of a form
	QR     string            // text of a code
}

// InstructionKind is a form of instruction.
type InstructionKind string

// Kinds of instruction.
const (
	FormPost InstructionKind = "form"
	Redirect InstructionKind = "redirect"
	QRCode   InstructionKind = "qr"
	Transfer InstructionKind = "transfer" // Fields say to which account, and with which reference
)

// AttemptRef names an attempt to a provider.
type AttemptRef struct {
	AttemptNo string
	Subject   id.Handle
	Amount    money.Money
}

// RefundRequest is what a provider is told of a refund.
type RefundRequest struct {
	RefundNo  string // the key that makes repeating it harmless
	AttemptNo string
	Subject   id.Handle
	Amount    money.Money // to be paid back
	Paid      money.Money // of the attempt
	NotifyURL string      // empty: it is asked about instead
}

// RefundRef names a refund to a provider.
type RefundRef struct {
	RefundNo  string
	AttemptNo string
	Subject   id.Handle
}

// RefundFact is what a provider says about a refund.
type RefundFact struct {
	RefundNo   string
	AttemptNo  string
	MerchantID string
	Amount     money.Money // zero: the provider does not say
	State      RefundState
	At         time.Time // zero: the provider does not say
}

// RefundState is the state of a refund at the provider.
type RefundState string

// States of a refund. Abnormal is failed in a way that a person must settle with
// the provider.
const (
	RefundProcessing RefundState = "processing"
	RefundSucceeded  RefundState = "succeeded"
	RefundFailed     RefundState = "failed"
	RefundAbnormal   RefundState = "abnormal"
)

// BillRow is one line of a provider's bill, of which only this is read: nothing
// in it is the payer's.
type BillRow struct {
	AttemptNo string
	TradeNo   string
	RefundNo  string      // of a refund; empty: a payment
	Amount    money.Money // positive
	Fee       money.Money // positive: kept by the provider; of a refund: given back by it
	At        time.Time
}

// RawRequest is a request as it came; nothing of it is logged.
type RawRequest struct {
	Method      string
	Query       string // undecoded
	ContentType string
	Headers     map[string]string // of signatures, by canonical name: those that came once
	Body        []byte
}

// SignatureHeaders is how the names of headers begin that signatures need.
const SignatureHeaders = "Wechatpay-"

// Notice is a verified message, about a trade or a refund.
type Notice struct {
	AttemptNo string // set even with ErrMalformed, if known
	Fact      Fact
	Refund    *RefundFact // of a refund; then there is no Fact
	Refunded  bool        // the trade's notice tells that money of it went back: ask how much
}

// Answer is an HTTP answer for a provider.
type Answer struct {
	Status      int
	ContentType string
	Body        string
}

// Fact is what a provider says about a trade: the five result fields (order
// number, amount, status, trade number, time) and whose it is.
type Fact struct {
	AttemptNo  string
	TradeNo    string
	MerchantID string
	Amount     money.Money
	State      FactState
	PaidAt     time.Time // zero: the provider does not say
	DedupeKey  string
}

// FactState is the state of a trade at the provider.
type FactState string

// States of a trade.
const (
	FactPending FactState = "pending"
	FactPaid    FactState = "paid"
	FactClosed  FactState = "closed"
	FactFailed  FactState = "failed"
	FactUnknown FactState = "unknown"
)

// Audit joins a leaf to the caller's transaction. audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}

// Owners knows whose an account is, and errs for one that is not there.
// account.Service fills it.
type Owners interface {
	Owner(ctx context.Context, a account.ID) (id.Handle, error)
}

// GatewayAccount is an account of the operator at a provider.
type GatewayAccount struct {
	ID         string // "epay-demo", part of ledger accounts: never change it
	Token      string // random part of the notify address, at least 26 characters
	OldToken   string // accepted too, for 30 days after a change; may be empty
	MerchantID string // pid or app id that facts must bear
	Currency   money.Currency
	Min, Max   int64 // minor units per attempt
	Methods    []string
	Gateway    Gateway
	Asset      ledger.Code   // where its money lies; empty: asset:gateway:ID
	Wait       time.Duration // for money, where that takes longer than the time to pay of an order
}

// Invoices is told in the transaction in which a refund of an order is paid back.
// invoice.Service fills it; nil: nobody is.
type Invoices interface {
	RefundedTx(ctx context.Context, tx *db.Tx, r Refund) error
}
