package account

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// ErrTraining refuses a training that lies ahead or is older than it lasts.
var ErrTraining = errs.New(errs.Unprocessable, "account.training_days")

// firstTraining is the time that the first operator of an installation has to
// be taught.
const firstTraining = 30 * 24 * time.Hour

// trained ends a training: twelve months after it (clause TY-5.1d).
func trained(at time.Time) time.Time { return at.AddDate(1, 0, 0) }

// opensPersonal are the permissions that show personal data; they lapse while
// their holder's training is not live.
var opensPersonal = []string{
	PermAccountRead, PermOrderRead, PermPaymentRead, PermConsentRead, PermAuditRead, PermRealnameReview, PermRealnameReveal,
	PermRealnameCorrect, PermPrivacyHandle, PermPrivacyDPO, PermMinorHandle, PermLegalOrderRead, PermLegalOrderEnter, PermLegalOrderApprove, PermLegalOrderExecute,
	PermTicketHandle,
}

// AddTraining records that a member of the staff was taught on a day. ErrNoStaff
// or ErrTraining say what is wrong. It returns the end.
func (s *Service) AddTraining(ctx context.Context, name string, at time.Time) (time.Time, error) {
	p, err := s.staffBy(ctx, name)
	if err != nil {
		return time.Time{}, err
	}
	if now := s.d.Clock.Now(); at.After(now) || !now.Before(trained(at)) {
		return time.Time{}, ErrTraining
	}
	return trained(at), s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.trainTx(ctx, tx, p, at, trained(at)) })
}

func (s *Service) trainTx(ctx context.Context, tx *db.Tx, p person, at, until time.Time) error {
	n, err := tx.Exec(ctx, "INSERT INTO account_training (subject, at, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		string(p.subject), db.Micros(at), db.Micros(until))
	if err != nil || n == 0 {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "account.trained", Subject: p.subject, Account: string(p.account), Actor: audit.Actor{Class: "system"},
		Detail: map[string]string{"until": until.UTC().Format(time.RFC3339)},
	})
}

// firstTrainingTx lets a new installation begin: the demonstration's staff count
// as taught, and the first operator has 30 days.
func (s *Service) firstTrainingTx(ctx context.Context, tx *db.Tx, p person) error {
	now := s.d.Clock.Now()
	if s.d.Demo {
		return s.trainTx(ctx, tx, p, now, trained(now))
	}
	n, err := db.Get(ctx, tx, ErrNoStaff, db.One[int64], "SELECT count(*) FROM account_training")
	if err != nil || n > 0 {
		return err
	}
	return s.trainTx(ctx, tx, p, now, now.Add(firstTraining))
}

// Training is until when a member of the staff may open personal data.
type Training struct {
	Name     string
	Subject  id.Handle
	At       time.Time // of the newest; zero: none
	Until    time.Time
	Disabled bool // without any permission
}

// Trainings is the training register: all staff with their newest training,
// those whose time is over first.
func (s *Service) Trainings(ctx context.Context) ([]Training, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (t Training, err error) {
		var at, until, disabled int64
		err = r.Scan(&t.Name, &t.Subject, &at, &until, &disabled)
		t.At, t.Until, t.Disabled = db.FromMicros(at), db.FromMicros(until), disabled != 0
		return t, err
	}, `SELECT p.name, p.subject, COALESCE(max(t.at), 0), COALESCE(max(t.until), 0) AS ends, CASE WHEN p.permissions = '' THEN 1 ELSE 0 END
		FROM account_person p LEFT JOIN account_training t ON t.subject = p.subject WHERE p.staff = 1
		GROUP BY p.name, p.subject, p.permissions ORDER BY ends, p.name LIMIT 500`)
}

// taught narrows permissions to those that a member of the staff may use now.
func (s *Service) taught(ctx context.Context, subject id.Handle, permissions []string) ([]string, error) {
	until, err := db.Get(ctx, s.d.DB, ErrNoStaff, db.One[int64], "SELECT coalesce(max(until), 0) FROM account_training WHERE subject = $1", string(subject))
	if err != nil {
		return nil, err
	}
	if s.d.Clock.Now().Before(db.FromMicros(until)) || mutant.Off("TY-5.1d") {
		return permissions, nil
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(p string) bool { return slices.Contains(opensPersonal, p) }), nil
}
