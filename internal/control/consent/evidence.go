package consent

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// AlteredReceipts counts all acts, and those whose receipt is not the digest of
// what the row says now: somebody changed it in the database.
func (s *Service) AlteredReceipts(ctx context.Context) (examined, found int64, err error) {
	all, err := s.History(ctx, "")
	for _, r := range all {
		examined++
		if was := r.Receipt; receipt(r) != was {
			found++
		}
	}
	return examined, found, err
}

// AlteredTexts counts the published texts, and those that do not have the digest
// that people accepted, or whose days are not those at their top.
func (s *Service) AlteredTexts(ctx context.Context) (examined, found int64, err error) {
	all, err := s.Everything(ctx)
	for _, v := range all {
		n, err := parseNumber(v.Number)
		if err != nil {
			return examined, found, err
		}
		for _, t := range v.Texts {
			examined++
			p := publication{number: n, now: v.PublishedAt, effective: v.EffectiveAt}
			if hashText(t.Body) != t.SHA256 || len(dated(t.Body, t.Locale, p)) > 0 {
				found++
			}
		}
	}
	return examined, found, err
}

// OpenWithoutAct counts the series of acts whose last is no grant, and of those
// the ones whose gate is open all the same.
func (s *Service) OpenWithoutAct(ctx context.Context) (examined, found int64, err error) {
	all, err := db.Select(ctx, s.d.DB, scanRecord, "SELECT "+eventColumns+` FROM consent_event
		WHERE decision <> 'grant' AND seq = (SELECT MAX(o.seq) FROM consent_event o WHERE o.subject = consent_event.subject AND o.purpose = consent_event.purpose)`)
	for _, r := range all {
		examined++
		if s.Gate(ctx, r.Subject, r.Purpose) == nil {
			found++
		}
	}
	return examined, found, err
}
