package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// PolicySummary is one version of a document.
type PolicySummary struct {
	Document    string    `json:"document" enum:"platform,client,terms,agreement,sla,children"`
	Version     string    `json:"version" example:"1.0.0"`
	Title       string    `json:"title"`
	Change      string    `json:"change" enum:"major,minor" doc:"A major version has to be accepted again"`
	SHA256      string    `json:"sha256" doc:"Over document, version and the hash of each language's text"`
	PublishedAt time.Time `json:"published_at"`
	EffectiveAt time.Time `json:"effective_at"`
	Drift       bool      `json:"drift,omitempty" doc:"Staff only: the operator's present facts would print another text"`
}

// Policy is a document in the language of the request.
type Policy struct {
	PolicySummary
	Locale     string          `json:"locale" enum:"zh-CN,en"`
	HTML       string          `json:"html" doc:"One section per clause, its id as anchor; safe to show"`
	Text       string          `json:"text" doc:"The text whose SHA-256 is text_sha256"`
	TextSHA256 string          `json:"text_sha256"`
	Clauses    []string        `json:"clauses" nullable:"false"`
	Versions   []PolicySummary `json:"versions" nullable:"false" doc:"All published versions, newest first"`
}

// PolicyDraft publishes the text with the operator's present facts.
type PolicyDraft struct {
	Document    string    `json:"document" enum:"platform,client,terms,agreement,sla,children"`
	Major       bool      `json:"major" doc:"People have to accept again; of platform and client only"`
	EffectiveAt time.Time `json:"effective_at" doc:"Seven days from now or later"`
	SHA256      string    `json:"sha256" minLength:"64" maxLength:"64" doc:"Of the preview; what would be published has to be what was looked at"`
}

// StaffPolicy is one version of a document, for staff.
type StaffPolicy struct {
	PolicySummary
	PublishedBy string `json:"published_by" doc:"system: at the start of a build; shell: by the command"`
}

// PolicyProblem is something that stands against publishing a text.
type PolicyProblem struct {
	Clause  string `json:"clause" doc:"Of the registry; empty: the text as a whole"`
	What    string `json:"what"`
	Promise bool   `json:"promise" doc:"The text is lawful, and the program does not keep it yet"`
}

// PolicyLine is a line of a text, against the newest published version.
type PolicyLine struct {
	Kind string `json:"kind" enum:"same,added,removed"`
	Text string `json:"text"`
}

// PolicyPreview is what would be published today.
type PolicyPreview struct {
	PolicySummary
	Replaces  string          `json:"replaces" doc:"The newest published version"`
	Asked     bool            `json:"asked" doc:"People accept the document by an act of their own: a major version can be"`
	Unchanged bool            `json:"unchanged" doc:"It says what the newest version says"`
	Problems  []PolicyProblem `json:"problems" nullable:"false" doc:"Each refuses the publication"`
	Lines     []PolicyLine    `json:"lines" nullable:"false" doc:"In the language of the request"`
	HTML      string          `json:"html" doc:"Safe to show"`
}

type previewInput struct {
	Document    string    `path:"document" maxLength:"32"`
	Major       bool      `query:"major"`
	EffectiveAt time.Time `query:"effective_at" required:"true"`
}

type documentPath struct {
	Document string `path:"document" maxLength:"32"`
}

type versionPath struct {
	Document string `path:"document" maxLength:"32"`
	Version  string `path:"version" maxLength:"32"`
}

// Policies registers the documents that people are shown.
func Policies(a *API, s *consent.Service, people *account.Service) {
	const tag = "Policies"
	Get(a, "/policies", Operation{ID: "list-policies", Summary: "The documents in force", Tag: tag, Access: Public},
		func(ctx context.Context, _ *struct{}) (*Body[List[PolicySummary]], error) {
			all, err := s.InForce(ctx)
			if err != nil {
				return nil, err
			}
			return &Body[List[PolicySummary]]{List[PolicySummary]{Items: Items(all, summaryIn(ctx))}}, nil
		})
	Get(a, "/policies/{document}", Operation{ID: "get-policy", Summary: "A document in force", Tag: tag, Access: Public},
		func(ctx context.Context, in *documentPath) (*Body[Policy], error) {
			return policy(ctx, s, in.Document, "")
		})
	Get(a, "/policies/{document}/versions/{version}", Operation{ID: "get-policy-version", Summary: "A published version of a document", Tag: tag, Access: Public},
		func(ctx context.Context, in *versionPath) (*Body[Policy], error) {
			return policy(ctx, s, in.Document, in.Version)
		})
	Get(a, "/admin/policies", Operation{ID: "admin-list-policies", Summary: "All published versions", Tag: "Staff", Access: Staff(account.PermConsentRead)},
		func(ctx context.Context, _ *struct{ Page }) (*Body[List[StaffPolicy]], error) {
			return allPolicies(ctx, s)
		})
	Get(a, "/admin/policies/{document}/draft", Operation{
		ID: "preview-policy", Summary: "What would be published, how it differs, and what stands against it", Tag: "Staff", Access: Staff(account.PermConsentRead),
	},
		func(ctx context.Context, in *previewInput) (*Body[PolicyPreview], error) { return preview(ctx, s, in) })
	Post(a, "/admin/policies", Operation{
		ID: "publish-policy", Summary: "Publish a version", Tag: "Staff", Access: Staff(account.PermConsentPublish), Status: 201,
		Detail: "Of a preview that was looked at, by somebody who proved themselves anew.",
	},
		func(ctx context.Context, in *struct{ Body PolicyDraft }) (*Body[PolicySummary], error) {
			p, b := Who(ctx), in.Body
			if err := people.StepUpRequired(p); err != nil {
				return nil, err
			}
			v, err := s.Publish(ctx, consent.Draft{Document: b.Document, Major: b.Major, EffectiveAt: b.EffectiveAt, SHA256: b.SHA256, By: p.Subject, Session: p.Session})
			if err != nil {
				return nil, err
			}
			return &Body[PolicySummary]{summaryIn(ctx)(v)}, nil
		})
}

func policy(ctx context.Context, s *consent.Service, document, version string) (*Body[Policy], error) {
	t, err := s.Text(ctx, document, version, string(request.From(ctx).Language))
	if err != nil {
		return nil, err
	}
	all, err := s.Versions(ctx, document)
	if err != nil {
		return nil, err
	}
	return &Body[Policy]{Policy{
		PolicySummary: summaryIn(ctx)(t.Version), Locale: t.Locale, HTML: t.HTML, Text: t.Plain,
		TextSHA256: t.Version.TextSHA256[t.Locale], Clauses: t.Clauses, Versions: Items(all, summaryIn(ctx)),
	}}, nil
}

func preview(ctx context.Context, s *consent.Service, in *previewInput) (*Body[PolicyPreview], error) {
	v, err := s.Preview(ctx, consent.Draft{Document: in.Document, Major: in.Major, EffectiveAt: in.EffectiveAt, By: Who(ctx).Subject})
	if err != nil {
		return nil, err
	}
	language := string(request.From(ctx).Language)
	html, err := v.HTML(language)
	return &Body[PolicyPreview]{PolicyPreview{
		PolicySummary: summaryIn(ctx)(v.Version), Replaces: v.Newest.Number, Asked: v.Asked, Unchanged: v.Unchanged,
		Problems: Items(v.Problems, func(p clause.Problem) PolicyProblem { return PolicyProblem{p.Clause, p.What, p.Promise} }),
		Lines:    Items(v.Changes(language), func(l consent.Line) PolicyLine { return PolicyLine(l) }), HTML: html,
	}}, err
}

func allPolicies(ctx context.Context, s *consent.Service) (*Body[List[StaffPolicy]], error) {
	drift, err := s.Drift(ctx)
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for _, d := range drift {
		changed[d] = true
	}
	inForce, err := s.InForce(ctx)
	if err != nil {
		return nil, err
	}
	out := List[StaffPolicy]{Items: []StaffPolicy{}}
	for _, doc := range inForce {
		all, err := s.Versions(ctx, doc.Document)
		if err != nil {
			return nil, err
		}
		for i, v := range all {
			line := StaffPolicy{summaryIn(ctx)(v), v.PublishedBy}
			line.Drift = i == 0 && changed[doc.Document]
			out.Items = append(out.Items, line)
		}
	}
	return &Body[List[StaffPolicy]]{out}, nil
}

// summaryIn converts with the title in the language of the request.
func summaryIn(ctx context.Context) func(consent.Version) PolicySummary {
	language := string(request.From(ctx).Language)
	return func(v consent.Version) PolicySummary {
		return PolicySummary{
			Document: v.Document, Version: v.Number, Title: v.Title[language], Change: v.Change, SHA256: v.SHA256,
			PublishedAt: v.PublishedAt, EffectiveAt: v.EffectiveAt,
		}
	}
}
