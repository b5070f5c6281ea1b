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
