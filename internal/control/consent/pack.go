package consent

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// History lists the events of a person, or with an empty subject of all, in the
// order in which they happened.
func (s *Service) History(ctx context.Context, subject id.Handle) ([]Record, error) {
	return db.Select(ctx, s.d.DB, scanRecord,
		"SELECT "+eventColumns+" FROM consent_event WHERE $1 = '' OR subject = $1 ORDER BY at, id", string(subject))
}

// Published is a version with its texts, as they were published.
type Published struct {
	Version
	Texts []PublishedText
}

// PublishedText is a version in one locale: the text that its hash is over.
type PublishedText struct{ Locale, Title, Body, SHA256 string }

// Everything lists all versions of all documents, the oldest of each document
// first.
func (s *Service) Everything(ctx context.Context) ([]Published, error) {
	versions, err := db.Select(ctx, s.d.DB, scanVersion, "SELECT "+versionColumns+" FROM consent_version ORDER BY document, rank")
	if err != nil {
		return nil, err
	}
	all := make([]Published, 0, len(versions))
	for _, v := range versions {
		rows, err := texts(ctx, s.d.DB, v.Document, v.Number)
		if err != nil {
			return nil, err
		}
		p := Published{Version: v}
		for _, r := range rows {
			p.Texts = append(p.Texts, PublishedText{r.locale, r.title, r.body, r.sha256})
		}
		all = append(all, p)
	}
	return all, nil
}
