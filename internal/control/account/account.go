package account

import (
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Source is where a request came from: the caller's address (behind trusted
// proxies already resolved) and the User-Agent header, which is parsed and
// dropped.
type Source struct {
	IP        netip.Addr
	UserAgent string
}

// Registration is what a person enters, and nothing more (LT-1.1a).
type Registration struct {
	Name         string
	Password     string
	Email        string
	Locale       string // zh-CN or en
	ConsentToken string // of consent.Prompt for platform_policy

	CrossborderToken string   // of the prompt for crossborder.platform; profile hongkong only
	Adult            bool     // the statement inside the accept act
	Band             age.Band // a minor's statement, in place of Adult
	ChildRulesToken  string   // of the prompt for child_rules; RegisterChild only
	Channel          string   // console or api
	Source           Source
}

// Registered names what Register made.
type Registered struct {
	Account ID
	Subject id.Handle
	Name    string

	Enrolment *Enrolment // staff outside demo mode: the second factor, shown once
}

// LoginRequest is a try to sign in. Code is a TOTP code or a recovery code.
type LoginRequest struct {
	Name     string
	Password string
	Code     string
	Remember bool
	Source   Source
}

// Grant is a new login session with its secrets, which exist only here.
type Grant struct {
	Token         string // 256 bits; goes into the session cookie
	RememberToken string // empty unless asked for; single use
	Principal     Principal
	ExpiresAt     time.Time     // absolute end
	RememberFor   time.Duration // rest of the 30 days since the person asked
	EnrolTOTP     bool          // staff without second factor: nothing but enrolment is open
}

// Session is a login session as its person sees it.
type Session struct {
	ID         string
	Browser    string
	OS         string
	IP         string
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
	MFA        bool
	Current    bool
	// RememberedUntil is when its browser has to sign in again; zero where the
	// person did not ask to be remembered. Such a session is listed even after it
	// ended: to end it withdraws that.
	RememberedUntil time.Time
}

// LoginEntry is one line of the login log (LT-1.3: exactly these fields).
type LoginEntry struct {
	ID              string
	At              time.Time
	IP, Browser, OS string
	Method, Outcome string // password|totp|recovery|remember; ok|wrong_password|...
}

// AccessEntry is one line of the access log (LT-1.3: exactly these fields).
type AccessEntry struct {
	At              time.Time
	IP, Browser, OS string
	Page            string // path without query
}

// Profile is what a person sees of the own account.
type Profile struct {
	Account         ID
	Subject         id.Handle
	Name            string
	EmailVerifiedAt time.Time
	Locale          string
	TOTP            bool
	RecoveryLeft    int
	Staff           bool
	Permissions     []string
	CreatedAt       time.Time
}

// Enrolment is a TOTP secret before its confirmation.
type Enrolment struct {
	Secret string // base32
	URL    string // otpauth://
}

// Contact is where to reach a person, opened with a committed read event.
type Contact struct {
	Name, Email, Locale string
	Verified            bool
}

// UserSummary is a person in staff lists; it holds no sealed field.
type UserSummary struct {
	Account       ID
	Subject       id.Handle
	Name          string
	EmailVerified bool
	TOTP          bool
	Staff         bool
	CreatedAt     time.Time
}
