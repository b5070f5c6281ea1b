package consent

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

// Preview is what Publish would publish today, and what stands against it.
type Preview struct {
	Version
	Newest    Version // that it would follow
	Asked     bool    // a major version can be: people accept the document by an act
	Unchanged bool    // it says what the newest version says
	Problems  []clause.Problem

	texts  map[string]rendered
	before map[string]string
}

// HTML is the text in a locale, as it would be shown.
func (p Preview) HTML(locale string) (string, error) { return toHTML(p.texts[locale].body) }

// Changes are the lines of the text in a locale, against the newest version's.
func (p Preview) Changes(locale string) []Line {
	return Diff(p.before[locale], p.texts[locale].body)
}

// Preview makes what Publish would make of a draft and stores nothing. Its SHA256
// in the draft holds Publish to it. Errors are those of Publish, without
// consent.nothing_changed and consent.text_refused, which Unchanged and Problems
// say.
func (s *Service) Preview(ctx context.Context, d Draft) (Preview, error) {
	c, newest, p, err := s.prepare(ctx, s.d.DB, d, s.d.Clock.Now())
	if err != nil {
		return Preview{}, err
	}
	view := Preview{Newest: newest, Asked: s.asked(d.Document), before: map[string]string{}}
	if view.texts, err = c.render(s.d.Facts, p.number.String(), p.now, p.effective); err != nil {
		return Preview{}, err
	}
	view.Version = c.version(view.texts, p)
	if view.Problems, err = s.against(ctx, c, view.texts, p); err != nil {
		return Preview{}, err
	}
	if view.Unchanged, err = s.unchanged(ctx, s.d.DB, c, newest); err != nil {
		return Preview{}, err
	}
	stored, err := texts(ctx, s.d.DB, newest.Document, newest.Number)
	for _, t := range stored {
		view.before[t.locale] = t.body
	}
	return view, err
}
