package consent

import (
	"context"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

// Preview is what Publish would publish today, and what stands against it.
type Preview struct {
	Version
	Newest    Version // that it would follow
	Asked     bool    // a major version can be: people accept the document by an act
	Unchanged bool    // it says what the newest version says
	Problems  []clause.Problem

	anew   []string
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
	view.anew = s.anew(view.Version)
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

// SectionChange is how far a section of a text differs from the version that is
// there: Kind is Added, Removed, or Altered with the lines that came and went.
type SectionChange struct {
	Kind           string
	Title          string // its heading; empty: what stands before the first
	Added, Removed int
}

// Altered is the kind of a section whose heading is in both texts.
const Altered = "changed"

// Sections are the sections of the text in a locale that differ from the newest
// version's, in the order of the new text; those that went come last.
func (p Preview) Sections(locale string) []SectionChange {
	return DiffSections(p.before[locale], p.texts[locale].body)
}

// Anew lists the purposes that are shut from the day of the version until each
// person acts again: those of a major version that rest on an act.
func (p Preview) Anew() []string { return p.anew }

func (s *Service) anew(v Version) (all []string) {
	for _, p := range s.purposes {
		if v.Change == "major" && p.Document == v.Document && p.Act && (len(v.Affects) == 0 || slices.Contains(v.Affects, p.ID)) {
			all = append(all, p.ID)
		}
	}
	return all
}

type section struct{ title, text string }

func cut(text string) (all []section) {
	at := section{}
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			all = append(all, at)
			at = section{title: strings.TrimSpace(title)}
			continue
		}
		at.text += line
	}
	return append(all, at)
}

// DiffSections tells how the sections of a text changed, by their headings.
func DiffSections(before, after string) (changes []SectionChange) {
	was := map[string]string{}
	for _, s := range cut(before) {
		was[s.title] += s.text
	}
	seen := map[string]bool{}
	for _, s := range cut(after) {
		old, ok := was[s.title]
		seen[s.title] = true
		switch {
		case !ok:
			changes = append(changes, SectionChange{Added, s.title, lines(s.text), 0})
		case strings.TrimSpace(old) != strings.TrimSpace(s.text):
			c := SectionChange{Kind: Altered, Title: s.title}
			for _, l := range Diff(old, s.text) {
				if strings.TrimSpace(l.Text) == "" {
					continue
				}
				switch l.Kind {
				case Added:
					c.Added++
				case Removed:
					c.Removed++
				}
			}
			changes = append(changes, c)
		}
	}
	for _, s := range cut(before) {
		if !seen[s.title] {
			changes = append(changes, SectionChange{Removed, s.title, 0, lines(s.text)})
			seen[s.title] = true
		}
	}
	return changes
}

// lines counts those with something in them.
func lines(text string) (n int) {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}
