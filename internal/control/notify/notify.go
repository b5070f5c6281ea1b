// Package notify tells people what happened: a notice in the console and,
// where the event asks for it, a mail and an SMS.
//
// It is not for marketing and knows no address and no number: they are opened from
// the vault when mail or SMS is sent, with a committed read event. A number is
// opened for what its act names alone (contact), and a withdrawal stops what waits.
//
// Invariants: a message is written in the transaction of the fact that it
// tells of; one dedupe key is one message, however often a job runs again;
// tokens are made when the mail is made and are nowhere at rest.
//
//	pending ── sent
//	   │  └── retry with growing pauses (the job's)
//	   ├───── failed   the mail server refused for good, or the person is gone
//	   └───── skipped  nobody has verified the address
//	none              events without mail
//
// An SMS has the same states, but a carrier does not know a message again: each
// attempt is committed as started before it is made, and what an attempt came to
// that nobody heard of is read from the carrier's receipts before another is made.
// One that is not of security waits for the end of the person's quiet time.
//
// A person may switch channels of an event off, where templates.yaml lets them.
//
// Tables: notify_message, notify_attempt, notify_off, notify_quiet.
package notify

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Events that have templates.
const (
	VerifyMail         = "account.verify_mail"
	EmailChangeMail    = "account.email_change_mail"
	EmailChanging      = "account.email_changing"
	PasswordReset      = "account.password_reset"
	PasswordChanged    = "account.password_changed"
	NewLogin           = "account.new_login"
	TOTPChanged        = "account.totp_changed"
	PhoneCode          = "account.phone_code"
	PhoneChanged       = "account.phone_changed"
	OrderPaid          = "order.paid"
	ServiceActive      = "service.active"
	ServiceExpiring    = "service.expiring"
	ServiceOverdue     = "service.overdue"
	ServiceSuspended   = "service.suspended"
	ServiceUnsuspended = "service.unsuspended"
	ServiceTerminating = "service.terminating" // the last warning before it
	ServiceTerminated  = "service.terminated"
	ServiceRenewed     = "service.renewed"
	AutoRenewFailed    = "service.auto_renew_failed"
	RefundRequested    = "refund.requested"
	RefundApproved     = "refund.approved"
	RefundRejected     = "refund.rejected"
	RefundSucceeded    = "refund.succeeded"
	RefundFailed       = "refund.failed"
	WalletToppedUp     = "wallet.topup"
	WalletLow          = "wallet.low"
	RealNamePassed     = "realname.passed"
	RealNameFailed     = "realname.failed"

	CertificateExpiring       = "vpn.certificate_expiring"
	CertificateExpired        = "vpn.certificate_expired"
	ClientCertificatesEnding  = "vpn.client_certificates_expiring"
	ClientCertificatesExpired = "vpn.client_certificates_expired"

	ConnectionsReached = "vpn.connections_reached"
	AllowanceReached   = "vpn.allowance_reached"
	ClientLocked       = "vpn.client_locked"
	ClientLeft         = "vpn.client_left"

	QuotaSet      = "vpn.quota_set"
	QuotaDeclined = "vpn.quota_declined"

	SuccessionAnnounced = "succession.announced"
	SuccessionChanges   = "succession.changes"

	RightsReceived = "privacy.request_received"
	RightsAnswered = "privacy.request_answered"
	RightsCopy     = "privacy.copy_ready"

	TicketReplied  = "ticket.replied"
	TicketWaiting  = "ticket.waiting"
	TicketResolved = "ticket.resolved"

	IncidentNotice = "incident.notice"
	ErasureBegun   = "erasure.begun"

	GuardianLeft    = age.TopicGuardianLeft
	MinorRestricted = age.TopicRestricted
)

// Message is something to tell a person. Params are what the template of the
// event names: ids, amounts, dates; never an address, a name or a secret.
type Message struct {
	Event   string
	Account account.ID
	Subject id.Handle
	Params  map[string]string
	Dedupe  string // e.g. "order.paid:ord_..."; required
	Batch   string // what it belongs to; then a Receipt is published of it
}

// TopicReceipt is published in the transaction that notes what became of the
// mail of a message with a batch. The payload is a Receipt.
const TopicReceipt = "notify.receipt"

// Receipt tells what became of a mail for good: sent, failed or skipped.
type Receipt struct {
	Batch, Mail string
	Subject     id.Handle
}

// Text writes the body of an event's messages, where a template is not enough.
type Text func(ctx context.Context, params map[string]string, locale string) (string, error)

// Notice is a message in the console's inbox.
type Notice struct {
	ID     string
	Event  string
	Title  string
	Body   string
	At     time.Time
	Link   string // path in the console, may be empty
	ReadAt time.Time
}

// Mail is a rendered message with its address, as it goes to a Sender.
type Mail struct {
	Reference string // the message's id; becomes the Message-ID
	Subject   id.Handle
	Purpose   string // mail purpose of the recipients' registry: verify, recovery, security, service_change
	To        string
	Title     string
	Text      string
	HTML      string
}

// Sender sends a mail. An error that wraps ErrRefused is final; after any other
// one the job tries again with the same Reference, so that a mail of which the
// server's answer was lost can be recognised as the same.
type Sender interface {
	Send(ctx context.Context, m Mail) error
}

// Errors of a Sender.
var (
	ErrLater   = errs.New(errs.Unavailable, "notify.mail_unavailable")
	ErrRefused = errs.New(errs.Unprocessable, "notify.mail_refused")
)
