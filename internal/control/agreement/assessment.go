package agreement

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Assessment is a protection impact assessment, with what PIPL 56 wants in it.
type Assessment struct {
	ID        string
	PIA       string // "PIA-007", which a recipient of the registry names
	SHA256    string // of the report, 64 hexadecimal digits
	Necessity string // and lawfulness of purpose and method
	Impact    string // on people, and the risks
	Measures  string
	Ends      time.Time
	Approver  Approver
	At        time.Time
}

// RecordAssessment adds an impact assessment. ErrIncomplete, ErrDigest, ErrDays
// and ErrAssessment say what is wrong with it.
func (s *Service) RecordAssessment(ctx context.Context, a Assessment) (Assessment, error) {
	a.ID, a.At = id.New("pia"), s.d.Clock.Now()
	if err := s.checkAssessment(a); err != nil {
		return Assessment{}, err
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO agreement_assessment ("+assessmentColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			a.ID, a.PIA, a.SHA256, a.Necessity, a.Impact, a.Measures, db.Micros(a.Ends), string(a.Approver.Subject), db.Micros(a.At))
		if err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "pia.recorded", Actor: a.Approver.actor(),
			Detail: map[string]string{"entry": a.ID, "pia": a.PIA, "sha256": a.SHA256, "ends": a.Ends.UTC().Format(time.RFC3339)},
		})
	})
	return a, err
}

func (s *Service) checkAssessment(a Assessment) error {
	if !slices.ContainsFunc(s.d.Registry.Recipients(), func(r egress.Recipient) bool { return r.PIA == a.PIA }) {
		return ErrAssessment
	}
	if err := complete(map[string]string{"necessity": a.Necessity, "impact": a.Impact, "measures": a.Measures}); err != nil {
		return err
	}
	return s.document(a.SHA256, a.Ends)
}

// Assessment fills egress.Papers.
func (s *Service) Assessment(ctx context.Context, pia string) error {
	shut := egress.ErrPIA.With("pia", pia)
	a, err := db.Get(ctx, s.d.DB, shut, scanAssessment,
		"SELECT "+assessmentColumns+" FROM agreement_assessment WHERE pia = $1 ORDER BY id DESC LIMIT 1", pia)
	if err != nil {
		return err
	}
	if !s.d.Clock.Now().Before(a.Ends) {
		return shut
	}
	return nil
}

const assessmentColumns = "id, pia, sha256, necessity, impact, measures, ends_at, approver, at"

func scanAssessment(r db.Row) (a Assessment, err error) {
	var ends, at int64
	err = r.Scan(&a.ID, &a.PIA, &a.SHA256, &a.Necessity, &a.Impact, &a.Measures, &ends, &a.Approver.Subject, &at)
	a.Ends, a.At = db.FromMicros(ends), db.FromMicros(at)
	return a, err
}

// Assessments lists all impact assessments, the newest first.
func (s *Service) Assessments(ctx context.Context) ([]Assessment, error) {
	return db.Select(ctx, s.d.DB, scanAssessment, "SELECT "+assessmentColumns+" FROM agreement_assessment ORDER BY id DESC")
}
