package audit

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Altered counts the leaves of the log, and what is wrong with it: as CheckRoot.
func (s *Service) Altered(ctx context.Context) (examined, found int64, err error) {
	w, err := s.walk(ctx, false)
	if err != nil {
		return 0, 0, err
	}
	return w.report.Size, int64(len(w.report.Problems)), nil
}

// Outside counts what was sent since a time, and what of it the register of
// recipients does not allow.
func (s *Service) Outside(ctx context.Context, since time.Time, allowed func(Disclosure) bool) (examined, found int64, err error) {
	all, err := db.Select(ctx, s.db, scanPhase, "SELECT "+phaseColumns+" FROM audit_disclosure WHERE phase = 'intent' AND at >= $1", db.Micros(since))
	for _, d := range all {
		examined++
		if !allowed(d) {
			found++
		}
	}
	return examined, found, err
}
