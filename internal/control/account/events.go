package account

import "github.com/skybridge-cloud/skybridge/internal/platform/id"

// Topics that this module publishes in the transaction of the fact. The
// payload of all of them is Event; secrets and addresses are not in it.
const (
	TopicRegistered      = "account.registered"
	TopicVerifyAsked     = "account.email_verification_asked"
	TopicEmailVerified   = "account.email_verified"
	TopicResetAsked      = "account.password_reset_asked"
	TopicPasswordChanged = "account.password_changed"
	TopicTOTPChanged     = "account.totp_changed"
	TopicNewLogin        = "account.new_login"
	TopicEmailChange     = "account.email_change_asked"
)

// Event is the payload of this module's topics. ID is unique per fact.
type Event struct {
	ID      string
	Account ID
	Subject id.Handle
	Detail  string // a code, such as the login session's id
}
