// Package ledger is the double-entry journal: every movement of money, in the
// database and the transaction of the business change that caused it.
//
// A debit is positive, a credit negative. A journal has two lines or more that
// sum to zero in each currency. Nothing is changed or deleted before its ten
// years are over: a correction is a reversing journal.
//
//	Entry ── PostTx ──▶ lock accounts in id order
//	                    ├─ key known, same content  ▶ the journal of the first time
//	                    ├─ key known, other content ▶ ErrKeyReused
//	                    └─ balances and versions compared and set, lines appended
//
// Invariants, recomputed by Prove: postings sum to zero per currency, and so does
// what ended years left; each balance is what was carried of its account and the
// sum of its postings; versions of an account count on from what was carried, or
// 1, 2, 3 ...; balances stay within their bounds.
//
// It is not for deciding what to post: payment, order and service do.
package ledger

import (
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors.
var (
	ErrUnbalanced = errs.New(errs.Internal, "ledger.unbalanced")
	ErrAccount    = errs.New(errs.Internal, "ledger.account_unknown")
	ErrKeyReused  = errs.New(errs.Conflict, "ledger.key_reused")
	ErrBelowMin   = errs.New(errs.Unprocessable, "ledger.insufficient_funds")
	ErrAboveMax   = errs.New(errs.Unprocessable, "ledger.above_limit")
	ErrNotFound   = errs.New(errs.NotFound, "ledger.journal_not_found")
)

// Code names an account of the chart: "asset:gateway:epay-demo",
// "liability:wallet:acc_...". The first part is its kind.
type Code string

// Accounts of the chart that belong to nobody in particular.
const (
	Bank          Code = "asset:bank"
	Suspense      Code = "liability:suspense"
	RefundPayable Code = "liability:refund_payable"
	Sales         Code = "income:sales"
	Opening       Code = "equity:opening"
	Goodwill      Code = "expense:goodwill"
	GatewayFee    Code = "expense:gateway_fee"
	Chargeback    Code = "expense:chargeback" // what a provider took back or says less of
	Promo         Code = "expense:promo"
)

// Gateway is the money that lies with a payment provider.
func Gateway(account string) Code { return Code("asset:gateway:" + account) }

// Wallet is what a customer has paid in and not spent.
func Wallet(owner string) Code { return Code("liability:wallet:" + owner) }

// Gift is what a customer was given and has not spent; it is never paid out.
func Gift(owner string) Code { return Code("liability:wallet_gift:" + owner) }

// Deferred is what was paid for an order line or a service and is not earned.
func Deferred(of string) Code { return Code("liability:deferred:" + of) }

// Hold is the wallet's part of a mixed payment of an order.
func Hold(order string) Code { return Code("liability:hold:" + order) }

// Kind is the class of an account.
type Kind string

// Kinds.
const (
	Asset     Kind = "asset"
	Liability Kind = "liability"
	Income    Kind = "income"
	Expense   Kind = "expense"
	Equity    Kind = "equity"
)

// Kind returns the class that the code begins with; ErrAccount.
func (c Code) Kind() (Kind, error) {
	first, rest, ok := strings.Cut(string(c), ":")
	switch k := Kind(first); k {
	case Asset, Liability, Income, Expense, Equity:
		if ok && rest != "" {
			return k, nil
		}
	}
	return "", ErrAccount.With("account", string(c))
}

// normal turns a balance into one on the account's normal side, where more of
// what the account is for is a greater number.
func (k Kind) normal(balance int64) int64 {
	if k == Asset || k == Expense {
		return balance
	}
	return -balance
}

// bounds returns the lowest balance, on the normal side, of a new account.
// Liabilities to customers never go below zero.
func (c Code) bounds() (min *int64) {
	zero := int64(0)
	for _, prefix := range []string{"liability:wallet:", "liability:wallet_gift:", "liability:hold:", "liability:deferred:"} {
		if strings.HasPrefix(string(c), prefix) {
			return &zero
		}
	}
	if c == Suspense || c == RefundPayable {
		return &zero
	}
	return nil
}

// Posting is one line: a debit is positive, a credit negative, zero refused.
type Posting struct {
	Account Code
	Amount  money.Money
}

// Debit returns a line that debits the account.
func Debit(a Code, m money.Money) Posting { return Posting{a, m} }

// Credit returns a line that credits the account.
func Credit(a Code, m money.Money) Posting { return Posting{a, money.New(-m.Minor, m.Cur)} }

// Entry is a journal to be posted. Key makes it idempotent: it comes from the
// business fact ("pay:rcp_..."). Actor, Memo and Ref are part of the content.
type Entry struct {
	Key        string
	Kind       string // "payment", "refund", "recognition"
	OccurredAt time.Time
	RefType    string // "order", "attempt"
	RefID      string
	Actor      string // handle or "system"
	Memo       string // a code, never free text about a person
	Postings   []Posting
	reverses   string
}

// Journal is a posted entry.
type Journal struct {
	ID         string
	Entry      Entry
	RecordedAt time.Time
	Reverses   string // id of the journal that this one undoes, or empty
}

// Line is a posting in an account's statement.
type Line struct {
	Journal      string
	Kind         string
	RefType      string
	RefID        string
	Amount       money.Money // on the account's normal side
	BalanceAfter money.Money // likewise
	RecordedAt   time.Time
}

// Proof is what Prove found. Problems is empty when the books are right.
type Proof struct {
	Accounts int
	Journals int
	Postings int
	Problems []string // ids and numbers only
}
