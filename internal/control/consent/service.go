package consent

import (
	"context"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Deps are what the service stands on. All are needed but Log.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Queue *job.Queue
	Log   *slog.Logger
	Facts Facts // operator, profile and the tables that the texts print
}

// Facts are the operator's facts that the documents print. Validate refuses
// what the law wants named (PIPL 17, 52; SUP-1, SUP-5).
type Facts struct {
	Profile     string // mainland or hongkong
	Operator    Operator
	Recipients  []Recipient
	Retention   []RetentionRow
	ProductName string // of the VPN client, "skyconnect"
}

// Operator is the handler of personal data.
type Operator struct {
	Brand          string
	LegalName      string
	Address        string
	Mail           string
	PrivacyMail    string
	Phone          string
	DPO            string // name or office of the person in charge of personal data
	DPOContact     string
	Representative string // PIPL 53; hongkong only
	Complaint      string // the complaint channel
	Authority      string
	URL            string
}

// Recipient is one row of the list of recipients.
type Recipient struct {
	Name, Contact, Role, Region, Purpose string
	Fields                               []string
}

// RetentionRow is one row of the retention table.
type RetentionRow struct {
	Class, Data, Duration, After string
}

// Service is the module.
type Service struct{ d Deps }

// New makes the service.
func New(d Deps) (*Service, error) { return &Service{d}, nil }

var errTODO = errs.New(errs.Unavailable, "consent.unavailable")

// Seed publishes embedded documents that are newer than the stored ones.
func (s *Service) Seed(ctx context.Context) error { return errTODO }

// Prompt returns what a person is to be shown for a purpose and a one-time
// token of 30 minutes for the act. session is empty before sign-in.
func (s *Service) Prompt(ctx context.Context, session, purpose, locale string) (Prompt, error) {
	return Prompt{}, errTODO
}

// GrantTx records the act (Grant or Refused) in the caller's transaction.
func (s *Service) GrantTx(ctx context.Context, tx *db.Tx, a Act) error { return errTODO }

// Decide is GrantTx in a transaction of its own and returns the record.
func (s *Service) Decide(ctx context.Context, a Act) (Record, error) { return Record{}, errTODO }

// Refuse is Decide with the decision Refused.
func (s *Service) Refuse(ctx context.Context, a Act) (Record, error) { return Record{}, errTODO }

// Withdraw takes a consent back, at once.
func (s *Service) Withdraw(ctx context.Context, subject id.Handle, purpose string) error {
	return errTODO
}

// Gate returns nil if processing for the purpose is open.
func (s *Service) Gate(ctx context.Context, subject id.Handle, purpose string) error { return errTODO }

// Records returns a person's events, newest first.
func (s *Service) Records(ctx context.Context, subject id.Handle) ([]Record, error) {
	return nil, errTODO
}

// Pending returns the purposes whose acceptance is to be renewed.
func (s *Service) Pending(ctx context.Context, subject id.Handle) ([]Due, error) { return nil, errTODO }

// InForce returns the version in force of every document.
func (s *Service) InForce(ctx context.Context) ([]Version, error) { return nil, errTODO }

// Versions returns all published versions of a document, newest first.
func (s *Service) Versions(ctx context.Context, document string) ([]Version, error) {
	return nil, errTODO
}

// Text returns a published version; number "" is the version in force.
func (s *Service) Text(ctx context.Context, document, number, locale string) (Text, error) {
	return Text{}, errTODO
}

// Draft is a version that staff publishes.
type Draft struct {
	Document    string
	EffectiveAt time.Time
	By          id.Handle
	Session     string
	Reason      string
}

// Publish publishes the embedded text of a document, rendered with the
// operator's present facts, as a new version.
func (s *Service) Publish(ctx context.Context, d Draft) (Version, error) { return Version{}, errTODO }
