// Package account keeps who may enter: accounts, people with their credentials,
// login sessions, second factors, and the login and access logs.
//
// It is not for what people agreed to (consent) or who they are (realname).
//
// Invariants: an account exists only with the act of consent that was written
// in the same transaction; passwords are argon2id hashes; tokens are stored as
// hashes; every try is counted in a committed statement before anything is
// compared; failures slow down an account from a source, never an account by
// its name alone; addresses, secrets and logs are sealed.
package account

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// ID is an account's identifier, acc_... Orders and resources belong to
// accounts; persons (handles) are members of them.
type ID string

// Principal is who acts: a person with a live login session, as the owner of
// an account or as staff.
type Principal struct {
	Account       ID
	Subject       id.Handle
	Session       string // ses_...; empty for API keys
	UserName      string
	Staff         bool
	Permissions   []string // "order.refund.approve"; staff only
	EmailVerified bool
	MFA           bool      // the session passed a second factor
	StepUpUntil   time.Time // until then sensitive acts are open
}

// Can reports whether a staff member holds a permission. Customers hold none.
func (p Principal) Can(permission string) bool {
	return p.Staff && slices.Contains(p.Permissions, permission)
}
