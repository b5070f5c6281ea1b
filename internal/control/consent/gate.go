package consent

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Gate returns nil if processing for a purpose is open for a person. It reads
// the database each time. ErrGateClosed: no act, a refusal, a withdrawal, or a
// purpose outside the closed list. ErrRenewalNeeded: a new major version, or
// another handler, waits for an act. Errors of Age: something is missing at this
// age. Any other error keeps the gate shut too.
func (s *Service) Gate(ctx context.Context, subject id.Handle, purpose string) error {
	p, err := s.purpose(purpose)
	if err != nil {
		return err
	}
	if subject == "" {
		return ErrGateClosed.With("purpose", purpose)
	}
	if p.Of != "" {
		return s.Gate(ctx, subject, p.Of)
	}
	if !p.Act {
		return nil
	}
	if err := s.d.Age.Gate(ctx, subject); err != nil {
		return err
	}
	if mutant.Off("LT-0c") {
		return nil
	}
	st, err := db.Get(ctx, s.d.DB, ErrGateClosed.With("purpose", purpose).ByClause(p.Clause), scanState, `SELECT e.decision, e.rank,
		COALESCE((SELECT MAX(v.rank) FROM consent_version v WHERE v.document = e.document AND v.change = 'major' AND v.effective_at <= $3
			AND (v.affects = '' OR v.affects LIKE $4)), 0),
		e.epoch, (SELECT count(*) FROM consent_renewal n WHERE n.document = e.document)
		FROM consent_event e WHERE e.subject = $1 AND e.purpose = $2 ORDER BY e.seq DESC LIMIT 1`,
		string(subject), purpose, db.Micros(s.d.Clock.Now()), "% "+purpose+" %")
	switch {
	case err != nil:
		return err
	case st.decision != Grant && !mutant.Off("LT-4.6"):
		return ErrGateClosed.With("purpose", purpose).ByClause(p.Clause)
	case st.renewal():
		return ErrRenewalNeeded.With("purpose", purpose)
	}
	return nil
}

type gateState struct {
	decision    string
	rank, major int64 // of the accepted version; of the last major one in force

	epoch, epochs int64 // renewals that the act came after; all of the document
}

func scanState(r db.Row) (st gateState, err error) {
	return st, r.Scan(&st.decision, &st.rank, &st.major, &st.epoch, &st.epochs)
}
