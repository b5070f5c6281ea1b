package consent

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// RenewTx shuts every purpose that people consented to with a document until
// they act anew, when the transaction commits: another handler stands behind the
// text that they accepted (PIPL 22). cause is the id of what brought it about; the
// same cause shuts a document once. ErrNotFound for an unknown document.
//
// Acts are counted, not timed: one that began before the commit is one of before.
func (s *Service) RenewTx(ctx context.Context, tx *db.Tx, document, cause string) error {
	if !slices.Contains(documentNames, document) {
		return ErrNotFound
	}
	n, err := tx.Exec(ctx, "INSERT INTO consent_renewal (cause, document, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		cause, document, db.Micros(s.d.Clock.Now()))
	if err != nil || n == 0 {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "consent.renewal_needed", Actor: audit.Actor{Class: "system"}, Detail: map[string]string{"cause": cause, "document": document},
	})
}

// renewal reports whether an act was one of before the last renewal.
func (st gateState) renewal() bool {
	return st.rank < st.major && !mutant.Off("TY-8.1", "LT-6") || st.epoch < st.epochs && !mutant.Off("TY-4.2", "LT-3e")
}
