package audit

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Received is who was sent fields of a person.
type Received struct {
	Recipient, LegalName string
	Fields               []string  // of those asked for
	Shown                time.Time // from when the person may know; zero: always
}

// ReceivedTx lists whom any of some fields of a person may have reached: all
// disclosures count but those that are known to have failed.
func (s *Service) ReceivedTx(ctx context.Context, tx *db.Tx, subject id.Handle, fields []string) ([]Received, error) {
	rows, err := db.Select(ctx, tx, func(r db.Row) (v Received, err error) {
		var text string
		var shown int64
		err = r.Scan(&v.Recipient, &v.LegalName, &text, &shown)
		v.Fields, v.Shown = strings.Fields(text), db.FromMicros(shown)
		return v, err
	}, `SELECT i.recipient, i.legal_name, i.fields, min(i.shown_from) FROM audit_disclosure i
		WHERE i.handle = $1 AND i.phase = 'intent'
			AND NOT EXISTS (SELECT 1 FROM audit_disclosure o WHERE o.id = i.id AND o.phase = 'failed')
		GROUP BY i.recipient, i.legal_name, i.fields ORDER BY i.recipient, i.legal_name, i.fields`, string(subject))
	var all []Received
	for _, r := range rows {
		r.Fields = slices.DeleteFunc(r.Fields, func(f string) bool { return !slices.Contains(fields, f) })
		if len(r.Fields) == 0 {
			continue
		}
		last := len(all) - 1
		if last < 0 || all[last].Recipient != r.Recipient || all[last].LegalName != r.LegalName {
			all = append(all, r)
			continue
		}
		all[last].Fields = append(all[last].Fields, r.Fields...)
		slices.Sort(all[last].Fields)
		all[last].Fields = slices.Compact(all[last].Fields)
		if r.Shown.Before(all[last].Shown) {
			all[last].Shown = r.Shown
		}
	}
	return all, err
}
