package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Gateway is a payment provider. An adapter may also be a Querier.
// Implementations are safe for concurrent use and keep no state of a payment.
type Gateway interface {
	// Kind names the protocol: "epay".
	Kind() string
	// Create prepares the payment of a committed attempt. Its disclosure is
	// recorded before anything is handed out. Repeating it with the same
	// number is allowed.
	Create(ctx context.Context, r CreateRequest) (Instruction, error)
	// ParseNotify is pure: it verifies, decrypts and parses. ErrBadSignature,
	// ErrMalformed; with the latter Notice.AttemptNo may be set if the
	// signature was good.
	ParseNotify(r RawRequest) (Notice, error)
	// Ack is what the provider is to be told: nil = do not repeat.
	Ack(err error) Answer
}

// Querier is a Gateway that can be asked. ErrTradeNotFound, ErrTemporary,
// ErrUnknownOutcome.
type Querier interface {
	Query(ctx context.Context, r AttemptRef) (Fact, error)
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
)

// AttemptRef names an attempt to a provider.
type AttemptRef struct {
	AttemptNo string
	Subject   id.Handle
	Amount    money.Money
}

// RawRequest is a request as it came; nothing of it is logged.
type RawRequest struct {
	Method      string
	Query       string // undecoded
	ContentType string
	Body        []byte
}

// Notice is a verified message.
type Notice struct {
	AttemptNo string // set even with ErrMalformed, if known
	Fact      Fact
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
}
