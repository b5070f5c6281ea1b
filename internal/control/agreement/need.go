package agreement

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// Kinds of papers.
const (
	KindContract   = "contract"
	KindAssessment = "assessment"
)

// States of a need. In the first and the last its recipient is shut.
const (
	Missing = "missing"
	Live    = "live"
	Ending  = "ending" // within Warning
	Ended   = "ended"
)

// Need is a paper that a configured recipient cannot be sent to without.
type Need struct {
	Recipient string
	Kind      string // KindContract or KindAssessment
	Name      string // the recipient's id, or the assessment's
	State     string
	Ends      time.Time // zero while missing
}

// Needs lists what the recipients of this deployment need, in the registry's
// order.
func (s *Service) Needs(ctx context.Context) ([]Need, error) {
	contracts, err := s.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	assessments, err := s.Assessments(ctx)
	if err != nil {
		return nil, err
	}
	ends := map[[2]string]time.Time{}
	for _, c := range contracts {
		first(ends, KindContract, c.Recipient, c.Ends)
	}
	for _, a := range assessments {
		first(ends, KindAssessment, a.PIA, a.Ends)
	}
	var all []Need
	for _, n := range needed(s.d.Registry) {
		n.Ends = ends[[2]string{n.Kind, n.Name}]
		n.State = stateOf(n.Ends, s.d.Clock.Now())
		all = append(all, n)
	}
	return all, nil
}

// first keeps the newest entry, which comes first.
func first(ends map[[2]string]time.Time, kind, name string, end time.Time) {
	if key := [2]string{kind, name}; ends[key].IsZero() {
		ends[key] = end
	}
}

func needed(g *egress.Registry) (all []Need) {
	for _, r := range g.Configured() {
		if g.NeedsAgreement(r) {
			all = append(all, Need{Recipient: r.ID, Kind: KindContract, Name: r.ID})
		}
		if g.NeedsAssessment(r) {
			all = append(all, Need{Recipient: r.ID, Kind: KindAssessment, Name: r.PIA})
		}
	}
	return all
}

func stateOf(ends, now time.Time) string {
	switch {
	case ends.IsZero():
		return Missing
	case !now.Before(ends):
		return Ended
	case ends.Sub(now) <= Warning:
		return Ending
	}
	return Live
}

// Warn tells the log what is missing, has ended or soon will. It runs daily.
func (s *Service) Warn(ctx context.Context) error {
	all, err := s.Needs(ctx)
	for _, n := range all {
		if n.State != Live {
			s.d.Log.Warn("a paper that sharing rests on is missing or ends", "recipient", n.Recipient, "kind", n.Kind, "document", n.Name, "state", n.State)
		}
	}
	return err
}
