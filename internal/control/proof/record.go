package proof

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// policy is a published version. SHA256 is over document, number and the hash of
// each locale's text; the entry policy.published repeats it.
type policy struct {
	Document    string       `json:"document"`
	Version     string       `json:"version"`
	Change      string       `json:"change"`
	SHA256      string       `json:"sha256"`
	PublishedAt time.Time    `json:"published_at"`
	EffectiveAt time.Time    `json:"effective_at"`
	Texts       []policyText `json:"texts"`
}

type policyText struct {
	Locale string `json:"locale"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	SHA256 string `json:"sha256"`
}

func (s *Service) policies(ctx context.Context, p *pack) error {
	all, err := s.d.Consent.Everything(ctx)
	if err != nil {
		return err
	}
	rows := make([]policy, 0, len(all))
	for _, v := range all {
		row := policy{v.Document, v.Number, v.Change, v.SHA256, v.PublishedAt.UTC(), v.EffectiveAt.UTC(), nil}
		for _, t := range v.Texts {
			row.Texts = append(row.Texts, policyText(t))
		}
		rows = append(rows, row)
	}
	return p.putJSON("policies.json", rows)
}

// act is a consent event. Receipt is SHA-256 over the other fields.
type act struct {
	ID         string    `json:"id"`
	Subject    id.Handle `json:"subject"`
	Purpose    string    `json:"purpose"`
	Kind       string    `json:"kind"`
	Decision   string    `json:"decision"`
	Document   string    `json:"document"`
	Version    string    `json:"version"`
	TextSHA256 string    `json:"text_sha256"`
	Locale     string    `json:"locale"`
	Channel    string    `json:"channel"`
	Adult      bool      `json:"adult"`
	At         time.Time `json:"at"`
	Receipt    string    `json:"receipt"`
}

func (s *Service) consents(ctx context.Context, p *pack) error {
	all, err := s.d.Consent.History(ctx, p.Subject)
	if err != nil {
		return err
	}
	rows := make([]act, 0, len(all))
	for _, r := range all {
		rows = append(rows, act(r))
	}
	return p.putJSON("consents.json", rows)
}

// disclosure is one phase of what was sent to whom: names of fields, no values.
type disclosure struct {
	Index     int64     `json:"index"` // of its entry
	ID        string    `json:"id"`
	Subject   id.Handle `json:"subject"`
	Phase     string    `json:"phase"`
	At        time.Time `json:"at"`
	Recipient string    `json:"recipient"`
	LegalName string    `json:"legal_name"`
	Role      string    `json:"role"`
	Region    string    `json:"region"`
	Op        string    `json:"op"`
	Purpose   string    `json:"purpose"`
	Basis     string    `json:"basis"`
	Mechanism string    `json:"mechanism"`
	Fields    []string  `json:"fields"`
}

func (s *Service) disclosures(ctx context.Context, p *pack) error {
	all, err := s.d.Audit.Phases(ctx, p.Subject, p.size)
	if err != nil {
		return err
	}
	rows := make([]disclosure, 0, len(all))
	for _, d := range all {
		rows = append(rows, disclosure{
			d.Index, d.ID, d.Subject, d.Phase, d.At.UTC(), d.Recipient, d.LegalName, d.Role, d.Region, d.Op, d.Purpose, d.Basis, d.Mechanism, d.Fields,
		})
	}
	return p.putJSON("disclosures.json", rows)
}

// read is who read which fields, and why.
type read struct {
	Index   int64     `json:"index"`
	ID      string    `json:"id"`
	Subject id.Handle `json:"subject"`
	At      time.Time `json:"at"`
	Class   string    `json:"class"`
	Reader  id.Handle `json:"reader"`
	Fields  []string  `json:"fields"`
	Purpose string    `json:"purpose"`
	Reason  string    `json:"reason"`
}

func (s *Service) reads(ctx context.Context, p *pack) error {
	all, err := s.d.Audit.ReadsWithin(ctx, p.Subject, p.size)
	if err != nil {
		return err
	}
	rows := make([]read, 0, len(all))
	for _, r := range all {
		rows = append(rows, read{r.Index, r.ID, r.Subject, r.At.UTC(), r.Reader.Class, r.Reader.Handle, r.Fields, r.Purpose, r.Reason})
	}
	return p.putJSON("reads.json", rows)
}
