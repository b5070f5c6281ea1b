package audit

import (
	"context"
	"strings"
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

// ReadOtherwise counts the readings since a time of fields of some tables, and
// those of them for a purpose that may not open the field.
func (s *Service) ReadOtherwise(ctx context.Context, since time.Time, tables []string, allowed func(field, purpose string) bool) (examined, found int64, err error) {
	type reading struct{ fields, purpose string }
	for _, table := range tables {
		all, err := db.Select(ctx, s.db, func(r db.Row) (v reading, err error) { return v, r.Scan(&v.fields, &v.purpose) },
			"SELECT fields, purpose FROM audit_read WHERE at >= $1 AND fields LIKE $2", db.Micros(since), "%"+table+".%")
		if err != nil {
			return examined, found, err
		}
		for _, v := range all {
			for _, field := range strings.Fields(v.fields) {
				if !strings.HasPrefix(field, table+".") {
					continue
				}
				examined++
				if !allowed(field, v.purpose) {
					found++
				}
			}
		}
	}
	return examined, found, nil
}
