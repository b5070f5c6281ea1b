package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// PolicySummary is one version of a document.
type PolicySummary struct {
	Document    string    `json:"document" enum:"platform,client,terms,agreement,sla"`
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
	Document    string    `json:"document" enum:"platform,client,terms,agreement,sla"`
	Major       bool      `json:"major" doc:"People have to accept again; of platform and client only"`
	EffectiveAt time.Time `json:"effective_at" doc:"Seven days from now or later"`
}

type documentPath struct {
	Document string `path:"document" maxLength:"32"`
}

type versionPath struct {
	Document string `path:"document" maxLength:"32"`
	Version  string `path:"version" maxLength:"32"`
}

// Policies registers the documents that people are shown.
func Policies(a *API, s *consent.Service) {
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
		func(ctx context.Context, _ *struct{ Page }) (*Body[List[PolicySummary]], error) {
			return allPolicies(ctx, s)
		})
	Post(a, "/admin/policies", Operation{ID: "publish-policy", Summary: "Publish a version", Tag: "Staff", Access: Staff(account.PermConsentPublish), Status: 201},
		func(ctx context.Context, in *struct{ Body PolicyDraft }) (*Body[PolicySummary], error) {
			p := Who(ctx)
			v, err := s.Publish(ctx, consent.Draft{Document: in.Body.Document, Major: in.Body.Major, EffectiveAt: in.Body.EffectiveAt, By: p.Subject, Session: p.Session})
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

func allPolicies(ctx context.Context, s *consent.Service) (*Body[List[PolicySummary]], error) {
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
	out := List[PolicySummary]{Items: []PolicySummary{}}
	for _, doc := range inForce {
		all, err := s.Versions(ctx, doc.Document)
		if err != nil {
			return nil, err
		}
		for i, v := range all {
			line := summaryIn(ctx)(v)
			line.Drift = i == 0 && changed[doc.Document]
			out.Items = append(out.Items, line)
		}
	}
	return &Body[List[PolicySummary]]{out}, nil
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
