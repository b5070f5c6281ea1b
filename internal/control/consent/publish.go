package consent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// NoticePeriod is how long a changed text is shown before it takes effect
// (ECL 34).
const NoticePeriod = 7 * 24 * time.Hour

// rendered is a document in one locale with the operator's facts in it.
type rendered struct{ title, body string }

// candidate is the embedded document of this build, before its publication.
type candidate struct {
	head    head
	sources map[string]source // by locale
}

func (s *Service) candidate(document string) (candidate, error) {
	c := candidate{sources: map[string]source{}}
	for _, locale := range Locales {
		src, err := loadText(document, locale, s.d.Facts.Profile)
		if err != nil {
			return c, err
		}
		if err := s.within(src); err != nil {
			return c, err
		}
		c.sources[locale] = src
	}
	c.head = c.sources[Locales[0]].head
	if err := c.check(); err != nil {
		return c, fmt.Errorf("document %s: %w", document, err)
	}
	return c, nil
}

// within holds a document to the platform policy, which it must import and may
// not widen: nothing is collected, or done with it, that the policy does not say.
func (s *Service) within(src source) error {
	if src.Document == DocPlatform {
		return nil
	}
	platform, err := loadText(DocPlatform, src.Locale, s.d.Facts.Profile)
	if err != nil {
		return err
	}
	return src.widensNothing(platform)
}

func (s source) widensNothing(platform source) error {
	if mutant.Off("TY-1.2", "LT-0d") {
		return nil
	}
	if !slices.Contains(s.Imports, platform.Document) {
		return fmt.Errorf("document %s does not import the platform policy", s.Document)
	}
	for _, list := range [][2][]string{{s.Collects, platform.Collects}, {s.Purposes, platform.Purposes}} {
		for _, x := range list[0] {
			if !slices.Contains(list[1], x) {
				return fmt.Errorf("document %s declares %s, which the platform policy does not", s.Document, x)
			}
		}
	}
	return nil
}

// check holds the locales to the same version and the same clauses.
func (c candidate) check() error {
	first := c.sources[Locales[0]]
	for _, locale := range Locales[1:] {
		other := c.sources[locale]
		if other.Version != first.Version || other.Change != first.Change {
			return fmt.Errorf("%s has another version or change than %s", locale, Locales[0])
		}
		if !slices.Equal(other.clauses(), first.clauses()) {
			return fmt.Errorf("%s has other clauses than %s", locale, Locales[0])
		}
	}
	return nil
}

func (c candidate) render(f Facts, number string, updated, effective time.Time) (map[string]rendered, error) {
	all := map[string]rendered{}
	for locale, src := range c.sources {
		values := f.values(locale, updated, effective, number)
		if err := nameDocuments(values, locale); err != nil {
			return nil, err
		}
		body, err := src.canonical(values)
		if err != nil {
			return nil, err
		}
		title, err := fill(src.Title, values)
		if err != nil {
			return nil, err
		}
		all[locale] = rendered{title, body}
	}
	return all, nil
}

func (n number) rank() int64 { return int64(n[0])*1e8 + int64(n[1])*1e4 + int64(n[2]) }

// Seed publishes the embedded documents whose version is newer than the newest
// published one. The first version of a document takes effect at once, later
// ones after NoticePeriod. Every process calls it at start, before the first
// act.
func (s *Service) Seed(ctx context.Context) error {
	for _, document := range documentsOf(s.d.Facts.Profile) {
		c, err := s.candidate(document)
		if err != nil {
			return err
		}
		if err := s.seed(ctx, c); err != nil {
			return fmt.Errorf("seeding document %s: %w", document, err)
		}
	}
	// An act may be the first thing that this process is asked for: its prompt
	// was shown by another one.
	_, err := s.tokenKey(ctx)
	return err
}

func (s *Service) seed(ctx context.Context, c candidate) error {
	embedded, err := parseNumber(c.head.Version)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		newest, err := newestVersion(ctx, tx, c.head.Document)
		if err != nil && !errs.IsNotFound(err) {
			return err
		}
		if err == nil && embedded.rank() <= newest.rank {
			return nil
		}
		now := s.d.Clock.Now()
		effective := now // the first version: nobody is bound by an earlier one
		if err == nil {
			effective = now.Add(NoticePeriod)
		}
		_, err = s.publishTx(ctx, tx, c, publication{number: embedded, change: c.head.Change, now: now, effective: effective, by: "system"})
		return err
	})
}

type publication struct {
	number         number
	change         string
	now, effective time.Time
	by             string
	session        string
	previewed      string // digest of the version that was looked at; empty: none was
}

// version is what a publication makes of a document's texts.
func (c candidate) version(all map[string]rendered, p publication) Version {
	v := Version{
		Document: c.head.Document, Number: p.number.String(), Major: p.number[0], rank: p.number.rank(), Change: p.change,
		Affects: c.head.Affects, Imports: c.head.Imports, PublishedAt: p.now, EffectiveAt: p.effective, PublishedBy: p.by,
		TextSHA256: map[string]string{}, Title: map[string]string{},
	}
	for locale, t := range all {
		v.TextSHA256[locale], v.Title[locale] = hashText(t.body), t.title
	}
	v.SHA256 = hashVersion(v)
	return v
}

func (s *Service) publishTx(ctx context.Context, tx *db.Tx, c candidate, p publication) (Version, error) {
	all, err := c.render(s.d.Facts, p.number.String(), p.now, p.effective)
	if err != nil {
		return Version{}, err
	}
	if err := s.admissible(ctx, c, all, p); err != nil {
		return Version{}, err
	}
	v := c.version(all, p)
	if p.previewed != "" && p.previewed != v.SHA256 {
		return Version{}, ErrPreview
	}
	fresh, err := insertVersion(ctx, tx, v)
	if err != nil || !fresh {
		return v, err // another process was first with the same version
	}
	for _, locale := range Locales {
		if err := insertText(ctx, tx, v, locale, all[locale]); err != nil {
			return v, err
		}
	}
	actor := audit.Actor{Class: "system", Session: p.session}
	switch p.by {
	case "system":
	case string(Shell):
		actor.Session = p.by
	default:
		actor = audit.Actor{Class: "staff", Handle: id.Handle(p.by), Session: p.session}
	}
	return v, s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "policy.published", Actor: actor,
		Detail: map[string]string{"document": v.Document, "version": v.Number, "change": v.Change, "sha256": v.SHA256},
	})
}

// hashVersion covers document, number and the hash of each locale's text.
func hashVersion(v Version) string {
	lines := []string{v.Document, v.Number}
	for _, locale := range Locales {
		lines = append(lines, locale+" "+v.TextSHA256[locale])
	}
	return hashText(strings.Join(lines, "\n") + "\n")
}

// Draft is a version that staff publishes: the embedded text with the
// operator's present facts.
type Draft struct {
	Document    string
	Major       bool      // people have to accept again
	EffectiveAt time.Time // NoticePeriod from now or later
	By          id.Handle
	Session     string
	SHA256      string // of the Preview that was looked at; empty: by the shell, which looks at nothing
}

// ErrPreview says that what would be published is not what was looked at: a fact
// of the operator, a text or the day changed meanwhile.
var ErrPreview = errs.New(errs.Conflict, "consent.preview_old")

// Shell is who publishes by the command skybridge policy publish: whoever may
// open the installation's files.
const Shell id.Handle = "shell"

// Publish publishes a draft as the next version. It refuses a text that is the
// same as the newest one (consent.nothing_changed), a notice that is too short
// (consent.notice_too_short), one that would be in force before its predecessor
// (consent.before_newest), a major version of a document that nobody accepts
// by an act of its own (consent.nobody_asked), and a text that the registry of
// clauses objects to (consent.text_refused).
func (s *Service) Publish(ctx context.Context, d Draft) (Version, error) {
	now := s.d.Clock.Now()
	var v Version
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		c, newest, p, err := s.prepare(ctx, tx, d, now)
		if err != nil {
			return err
		}
		same, err := s.unchanged(ctx, tx, c, newest)
		if err != nil {
			return err
		}
		if same && !d.Major {
			return errs.New(errs.Conflict, "consent.nothing_changed")
		}
		v, err = s.publishTx(ctx, tx, c, p)
		return err
	})
	return v, err
}

// prepare holds a draft to the versions that are there and numbers it.
func (s *Service) prepare(ctx context.Context, q db.Q, d Draft, now time.Time) (c candidate, newest Version, p publication, err error) {
	switch {
	case d.EffectiveAt.Before(now.Add(NoticePeriod)):
		return c, newest, p, errs.New(errs.Unprocessable, "consent.notice_too_short").With("days", 7)
	case !slices.Contains(documentsOf(s.d.Facts.Profile), d.Document):
		return c, newest, p, ErrNotFound
	case d.Major && !s.asked(d.Document):
		return c, newest, p, errs.New(errs.Unprocessable, "consent.nobody_asked").With("document", d.Document)
	}
	if c, err = s.candidate(d.Document); err != nil {
		return c, newest, p, err
	}
	if newest, err = newestVersion(ctx, q, d.Document); err != nil {
		return c, newest, p, err
	}
	// A lesser version in force before a major one would bring its text without
	// its question.
	if d.EffectiveAt.Before(newest.EffectiveAt) {
		return c, newest, p, errs.New(errs.Unprocessable, "consent.before_newest").With("version", newest.Number)
	}
	next, change, err := nextNumber(newest.Number, d.Major)
	p = publication{number: next, change: change, now: now, effective: d.EffectiveAt, by: string(d.By), session: d.Session, previewed: d.SHA256}
	return c, newest, p, err
}

// asked tells whether people accept a document by an act of their own. The
// terms, the agreement and the service level only import what the policies say.
func (s *Service) asked(document string) bool {
	for _, p := range s.purposes {
		if p.Document == document && p.Act {
			return true
		}
	}
	return false
}

func nextNumber(newest string, major bool) (number, string, error) {
	n, err := parseNumber(newest)
	if err != nil {
		return n, "", err
	}
	if major {
		return number{n[0] + 1, 0, 0}, "major", nil
	}
	return number{n[0], n[1], n[2] + 1}, "minor", nil
}

// unchanged tells whether the candidate says what the newest version says.
func (s *Service) unchanged(ctx context.Context, q db.Q, c candidate, newest Version) (bool, error) {
	again, err := c.render(s.d.Facts, newest.Number, newest.PublishedAt, newest.EffectiveAt)
	if err != nil {
		return false, err
	}
	stored, err := texts(ctx, q, newest.Document, newest.Number)
	if err != nil {
		return false, err
	}
	for _, t := range stored {
		if again[t.locale].body != t.body {
			return false, nil
		}
	}
	return len(stored) == len(Locales), nil
}

// Drift lists the documents whose published text differs from what this build
// and the operator's facts would say: staff should publish them.
func (s *Service) Drift(ctx context.Context) ([]string, error) {
	var changed []string
	for _, document := range documentsOf(s.d.Facts.Profile) {
		c, err := s.candidate(document)
		if err != nil {
			return nil, err
		}
		newest, err := newestVersion(ctx, s.d.DB, document)
		if err != nil {
			return nil, err
		}
		same, err := s.unchanged(ctx, s.d.DB, c, newest)
		if err != nil {
			return nil, err
		}
		if !same {
			changed = append(changed, document)
		}
	}
	return changed, nil
}
