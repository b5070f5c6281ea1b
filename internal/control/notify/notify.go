// Package notify tells people what happened: a notice in the console and,
// where the event asks for it, a mail.
//
// It is not for marketing and knows no address: the address is opened from the
// vault when the mail is sent, with a committed read event.
//
// Invariants: a message is written in the transaction of the fact that it
// tells of; one dedupe key is one message, however often a job runs again;
// tokens are made when the mail is made and are nowhere at rest.
//
//	pending ── sent
//	   │  └── retry with growing pauses
//	   └───── failed (final answer of the mail server, or tries used up)
package notify

import (
	"context"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Events that have templates.
const (
	VerifyMail      = "account.verify_mail"
	PasswordReset   = "account.password_reset"
	PasswordChanged = "account.password_changed"
	NewLogin        = "account.new_login"
	TOTPChanged     = "account.totp_changed"
	OrderPaid       = "order.paid"
	ServiceActive   = "service.active"
	RealNamePassed  = "realname.passed"
	RealNameFailed  = "realname.failed"
)

// Message is something to tell a person. Params are what the template of the
// event names: ids, amounts, dates; never an address, a name or a secret.
type Message struct {
	Event   string
	Account account.ID
	Subject id.Handle
	Params  map[string]string
	Dedupe  string // e.g. "order.paid:ord_..."; required
}

// Notice is a message in the console's inbox.
type Notice struct {
	ID     string
	Event  string
	Title  string
	Body   string
	At     time.Time
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

// Sender sends a mail. Its errors: Unavailable = try again later;
// Unprocessable = the server refused for good.
type Sender interface {
	Send(ctx context.Context, m Mail) error
}

// Deps are what the service stands on.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Account *account.Service
	Sender  Sender
	URL     string // base address of the console for links, https://...
	Brand   string
}

// Service is the module.
type Service struct{ d Deps }

// New makes the service and registers its jobs.
func New(d Deps) (*Service, error) { return &Service{d}, nil }

var errTODO = errs.New(errs.Unavailable, "notify.unavailable")

// SendTx writes a message in the caller's transaction.
func (s *Service) SendTx(ctx context.Context, tx *db.Tx, m Message) error { return errTODO }

// Notices lists a person's inbox, newest first, in a language.
func (s *Service) Notices(ctx context.Context, subject id.Handle, locale, cursor string, limit int) ([]Notice, string, error) {
	return nil, "", errTODO
}
