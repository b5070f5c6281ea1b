// Package transfer is payment by bank transfer: the customer is shown an account
// and a reference, and a person who sees the money at the bank books it.
//
// It talks to nobody: nothing is sent to anyone, no notice is ever believed, and
// there is nobody to ask.
package transfer

import (
	"context"
	"errors"
	"net/http"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
)

// Account is the operator's account at a bank, as customers need it.
type Account struct {
	Holder string
	Bank   string
	Number string
}

// Gateway is payment into one account.
type Gateway struct{ a Account }

// New returns the gateway; every field of the account is needed.
func New(a Account) (*Gateway, error) {
	if a.Holder == "" || a.Bank == "" || a.Number == "" {
		return nil, errors.New("transfer: holder, bank and number of the account are needed")
	}
	return &Gateway{a}, nil
}

// Kind is payment.Manual.
func (g *Gateway) Kind() string { return payment.Manual }

// Create says to which account, how much, and with which reference.
func (g *Gateway) Create(_ context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	return payment.Instruction{Kind: payment.Transfer, Fields: map[string]string{
		"holder": g.a.Holder, "bank": g.a.Bank, "number": g.a.Number, "amount": r.Amount.String(), "currency": string(r.Amount.Cur),
		"reference": payment.Reference(r.AttemptNo),
	}}, nil
}

// ParseNotify believes nothing.
func (g *Gateway) ParseNotify(payment.RawRequest) (payment.Notice, error) {
	return payment.Notice{}, payment.ErrBadSignature
}

// Ack refuses.
func (g *Gateway) Ack(error) payment.Answer {
	return payment.Answer{Status: http.StatusForbidden, ContentType: "text/plain; charset=utf-8", Body: "fail"}
}
