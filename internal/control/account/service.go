package account

import (
	"context"
	"log/slog"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Deps are what the service stands on.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Consent *consent.Service
	Demo    bool // staff may enrol the second factor at first login
}

// Service is the module.
type Service struct{ d Deps }

// New makes the service.
func New(d Deps) (*Service, error) { return &Service{d}, nil }

var errTODO = errs.New(errs.Unavailable, "account.unavailable")

// Register makes an account from an act of consent and three fields.
func (s *Service) Register(ctx context.Context, r Registration) (Registered, error) {
	return Registered{}, errTODO
}

// VerifyEmail consumes the token of a verification mail.
func (s *Service) VerifyEmail(ctx context.Context, token string) error { return errTODO }

// AskVerification sends another verification mail.
func (s *Service) AskVerification(ctx context.Context, p Principal) error { return errTODO }

// Login checks password and second factor.
func (s *Service) Login(ctx context.Context, r LoginRequest) (Grant, error) { return Grant{}, errTODO }

// Resume trades a remember-me token for a session and a new token.
func (s *Service) Resume(ctx context.Context, rememberToken string, src Source) (Grant, error) {
	return Grant{}, errTODO
}

// Authenticate returns who holds the session token.
func (s *Service) Authenticate(ctx context.Context, token string) (Principal, error) {
	return Principal{}, errTODO
}

// Logout ends the principal's session.
func (s *Service) Logout(ctx context.Context, p Principal) error { return errTODO }

// Sessions lists the live login sessions of a person.
func (s *Service) Sessions(ctx context.Context, p Principal) ([]Session, error) { return nil, errTODO }

// RevokeSession ends one session of the person.
func (s *Service) RevokeSession(ctx context.Context, p Principal, session string) error {
	return errTODO
}

// StepUp opens sensitive acts for ten minutes.
func (s *Service) StepUp(ctx context.Context, p Principal, password, code string, src Source) error {
	return errTODO
}

// ChangePassword changes the password and ends all other sessions.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, new string, src Source) error {
	return errTODO
}

// AskReset mails a reset token; the answer is the same whether the address is known.
func (s *Service) AskReset(ctx context.Context, email string, src Source) error { return errTODO }

// ConfirmReset sets a new password by a mailed token and ends all sessions.
func (s *Service) ConfirmReset(ctx context.Context, token, password string, src Source) error {
	return errTODO
}

// EnrolTOTP makes a new TOTP secret that waits for confirmation.
func (s *Service) EnrolTOTP(ctx context.Context, p Principal) (Enrolment, error) {
	return Enrolment{}, errTODO
}

// ConfirmTOTP turns the second factor on and returns ten recovery codes.
func (s *Service) ConfirmTOTP(ctx context.Context, p Principal, code string) ([]string, error) {
	return nil, errTODO
}

// DisableTOTP turns the second factor off.
func (s *Service) DisableTOTP(ctx context.Context, p Principal, password, code string, src Source) error {
	return errTODO
}

// Profile returns the person's own data, opened with a read event.
func (s *Service) Profile(ctx context.Context, p Principal) (Profile, error) {
	return Profile{}, errTODO
}

// SetLocale changes the language of mails and console.
func (s *Service) SetLocale(ctx context.Context, p Principal, locale string) error { return errTODO }

// LoginLog returns the newest lines first.
func (s *Service) LoginLog(ctx context.Context, p Principal, cursor string, limit int) ([]LoginEntry, string, error) {
	return nil, "", errTODO
}

// AccessLog returns the newest lines first.
func (s *Service) AccessLog(ctx context.Context, p Principal, cursor string, limit int) ([]AccessEntry, string, error) {
	return nil, "", errTODO
}

// RecordAccess notes a page request; it is written within a second by Run.
func (s *Service) RecordAccess(subject id.Handle, src Source, page string) {}

// Run writes the access log until ctx ends.
func (s *Service) Run(ctx context.Context) error { return errTODO }

// Contact opens a person's address for a job.
func (s *Service) Contact(ctx context.Context, subject id.Handle, reason string) (Contact, error) {
	return Contact{}, errTODO
}

// IssueVerification makes a token for a verification mail.
func (s *Service) IssueVerification(ctx context.Context, subject id.Handle) (string, error) {
	return "", errTODO
}

// IssueReset makes a token for a reset mail.
func (s *Service) IssueReset(ctx context.Context, subject id.Handle) (string, error) {
	return "", errTODO
}

// Staff is an account of the operator.
type Staff struct {
	Name, Password, Email string
	Permissions           []string
}

// EnsureStaff makes the staff account if its name is free.
func (s *Service) EnsureStaff(ctx context.Context, st Staff) (Registered, error) {
	return Registered{}, errTODO
}

// Owner returns the handle of an account's owner.
func (s *Service) Owner(ctx context.Context, a ID) (id.Handle, error) { return "", errTODO }

// Users lists accounts for staff.
func (s *Service) Users(ctx context.Context, cursor string, limit int) ([]UserSummary, string, error) {
	return nil, "", errTODO
}
