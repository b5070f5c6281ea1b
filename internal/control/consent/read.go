package consent

import (
	"context"
	"fmt"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// receipt is the hash that a person keeps: over all fields but itself.
func receipt(r Record) string {
	return hashText(strings.Join([]string{
		"skybridge-consent/v1", r.ID, string(r.Subject), r.Purpose, r.Kind, r.Decision, r.Document, r.Version,
		r.TextSHA256, r.Locale, r.Channel, fmt.Sprint(r.Adult), r.At.UTC().Format("2006-01-02T15:04:05.000000Z"),
	}, "\n") + "\n")
}

// Records returns a person's events, newest first.
func (s *Service) Records(ctx context.Context, subject id.Handle) ([]Record, error) {
	return db.Select(ctx, s.d.DB, scanRecord,
		"SELECT "+eventColumns+" FROM consent_event WHERE subject = $1 ORDER BY at DESC, id DESC", string(subject))
}

// StatedAdult tells whether a person's last act that asks for it states adulthood.
func (s *Service) StatedAdult(ctx context.Context, subject id.Handle) (bool, error) {
	for _, p := range s.purposes {
		if !p.Adult {
			continue
		}
		adult, err := db.Get(ctx, s.d.DB, ErrNotFound, db.One[int64],
			"SELECT adult FROM consent_event WHERE subject = $1 AND purpose = $2 AND decision = $3 ORDER BY seq DESC LIMIT 1", string(subject), p.ID, Grant)
		if err != nil && !errs.IsNotFound(err) {
			return false, err
		}
		if adult == 1 {
			return true, nil
		}
	}
	return false, nil
}

// Pending returns the purposes that a person had accepted and that wait for a
// new act since a major version came into force.
func (s *Service) Pending(ctx context.Context, subject id.Handle) ([]Due, error) {
	due := []Due{}
	for _, p := range s.purposes {
		if !p.Act {
			continue
		}
		last, err := lastEvent(ctx, s.d.DB, subject, p.ID)
		if errs.IsNotFound(err) || (err == nil && last.decision != Grant) {
			continue // never asked, refused or withdrawn: not asked again until the feature is opened
		}
		if err != nil {
			return nil, err
		}
		switch err := s.Gate(ctx, subject, p.ID); {
		case errs.CodeOf(err) == ErrRenewalNeeded.Code:
		case err == nil || errs.KindOf(err) == errs.Forbidden:
			continue // open, or shut by what no act of the person opens, as a missing guardian
		default:
			return nil, err
		}
		v, err := versionInForce(ctx, s.d.DB, p.Document, db.Micros(s.d.Clock.Now()))
		if err != nil {
			return nil, err
		}
		due = append(due, Due{Purpose: p.ID, Document: p.Document, Version: v.Number, Accepted: last.number})
	}
	return due, nil
}

// State is where a person stands with a purpose.
type State struct {
	Purpose  Purpose
	Decision string // empty: never asked
	Version  string // that the decision was about
	Open     bool
	Renewal  bool
	Asked    bool // false while a refusal of the version in force stands, or after a grant
}

// States lists all purposes that need an act, for a person's privacy page.
func (s *Service) States(ctx context.Context, subject id.Handle) ([]State, error) {
	var all []State
	for _, p := range s.purposes {
		if !p.Act {
			continue
		}
		st := State{Purpose: p}
		last, err := lastEvent(ctx, s.d.DB, subject, p.ID)
		if err != nil && !errs.IsNotFound(err) {
			return nil, err
		}
		if p.Minors && err != nil {
			continue // a guardian is asked, with the child's registration
		}
		st.Decision, st.Version = last.decision, last.number
		gate := s.Gate(ctx, subject, p.ID)
		if gate != nil && errs.KindOf(gate) != errs.Forbidden {
			return nil, gate
		}
		st.Open, st.Renewal = gate == nil, errs.CodeOf(gate) == ErrRenewalNeeded.Code
		st.Asked = !st.Open && (last.decision != Refused || st.Renewal)
		if last.decision == Refused {
			v, err := versionInForce(ctx, s.d.DB, p.Document, db.Micros(s.d.Clock.Now()))
			if err != nil {
				return nil, err
			}
			st.Asked = v.Number != last.number
		}
		all = append(all, st)
	}
	return all, nil
}

// InForce returns the version in force of every document, in a fixed order.
func (s *Service) InForce(ctx context.Context) ([]Version, error) {
	var all []Version
	for _, document := range documentsOf(s.d.Facts.Profile) {
		v, err := versionInForce(ctx, s.d.DB, document, db.Micros(s.d.Clock.Now()))
		if err != nil {
			return nil, err
		}
		if v, err = s.withTexts(ctx, v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// Versions returns all published versions of a document, newest first;
// ErrNotFound for an unknown document.
func (s *Service) Versions(ctx context.Context, document string) ([]Version, error) {
	all, err := db.Select(ctx, s.d.DB, scanVersion,
		"SELECT "+versionColumns+" FROM consent_version WHERE document = $1 ORDER BY rank DESC", document)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	for i := range all {
		if all[i], err = s.withTexts(ctx, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Service) withTexts(ctx context.Context, v Version) (Version, error) {
	rows, err := texts(ctx, s.d.DB, v.Document, v.Number)
	v.TextSHA256, v.Title = map[string]string{}, map[string]string{}
	for _, t := range rows {
		v.TextSHA256[t.locale], v.Title[t.locale] = t.sha256, t.title
	}
	return v, err
}

// Text returns a published version in a locale (zh-CN if there is none for
// it); number "" is the version in force.
func (s *Service) Text(ctx context.Context, document, number, locale string) (Text, error) {
	v, err := s.find(ctx, document, number)
	if err != nil {
		return Text{}, err
	}
	rows, err := texts(ctx, s.d.DB, document, v.Number)
	if err != nil {
		return Text{}, err
	}
	if locale != "en" {
		locale = Locales[0]
	}
	v.TextSHA256, v.Title = map[string]string{}, map[string]string{}
	var t Text
	for _, r := range rows {
		v.TextSHA256[r.locale], v.Title[r.locale] = r.sha256, r.title
		if r.locale == locale {
			t = Text{Locale: locale, Title: r.title, Plain: r.body, Clauses: clauseIDs(r.body)}
		}
	}
	if t.Locale == "" || hashText(t.Plain) != v.TextSHA256[locale] {
		return Text{}, fmt.Errorf("the stored text of %s %s %s does not have its hash", document, v.Number, locale)
	}
	t.Version = v
	t.HTML, err = s.rendered(v.TextSHA256[locale], t.Plain)
	return t, err
}

func (s *Service) find(ctx context.Context, document, number string) (Version, error) {
	if number == "" {
		return versionInForce(ctx, s.d.DB, document, db.Micros(s.d.Clock.Now()))
	}
	return db.Get(ctx, s.d.DB, ErrNotFound, scanVersion,
		"SELECT "+versionColumns+" FROM consent_version WHERE document = $1 AND number = $2", document, number)
}

// rendered keeps the HTML of published texts, which never change.
func (s *Service) rendered(sha, plain string) (string, error) {
	if kept, ok := s.html.Load(sha); ok {
		return kept.(string), nil
	}
	h, err := toHTML(plain)
	if err == nil {
		s.html.Store(sha, h)
	}
	return h, err
}
