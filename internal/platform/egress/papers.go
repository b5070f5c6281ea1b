package egress

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Papers tells what a disclosure rests on; nil means that it is in force. The
// module agreement fills it. Any error keeps the door shut.
type Papers interface {
	// Agreement: the processing agreement with a recipient is in force and
	// covers a purpose and these kinds of data (PIPL 21). Else ErrDPA.
	Agreement(ctx context.Context, recipient, purpose string, kinds []string) error
	// Assessment: the impact assessment with this id is in force (PIPL 55).
	// Else ErrPIA.
	Assessment(ctx context.Context, pia string) error
}

// Transfer is what would leave the region of the stores.
type Transfer struct {
	Subject   id.Handle
	Recipient string
	Role      string // "infra": the operator's own
	Region    string // where it goes
	Mechanism string // id in the register of mechanisms
	Sensitive bool   // the operation wants a separate consent for sensitive data
}

// Transfers decides whether data of a person may leave the region, and counts
// it. The module residency fills it. Any error keeps the door shut.
type Transfers interface {
	Transfer(ctx context.Context, t Transfer) error
}

// transfer asks last, so that only what is sent is counted.
func (e *Egress) transfer(ctx context.Context, c Call, r Recipient, op Op) error {
	if e.d.Transfers == nil {
		return ErrTransfer.With("recipient", r.ID)
	}
	return e.d.Transfers.Transfer(ctx, Transfer{
		Subject: c.Subject, Recipient: r.ID, Role: r.Role, Region: r.Region, Mechanism: r.Mechanism, Sensitive: slices.Contains(op.Consent, "separate.sensitive"),
	})
}

// lawful holds a call to the transfer rules, the agreement and the assessment.
func (e *Egress) lawful(ctx context.Context, c Call, r Recipient, op Op) error {
	g := e.d.Registry
	if g.abroad(r) && r.Mechanism == "" {
		return ErrTransfer.With("recipient", r.ID)
	}
	switch {
	case mutant.Off("LT-3.0b"), !g.NeedsAgreement(r) && !g.NeedsAssessment(r):
		return nil
	case e.d.Papers == nil:
		return ErrDPA.With("recipient", r.ID)
	}
	if g.NeedsAgreement(r) {
		kinds := slices.DeleteFunc(slices.Clone(c.Fields), func(f string) bool { return !slices.Contains(op.Fields, f) })
		if err := e.d.Papers.Agreement(ctx, r.ID, c.Purpose, kinds); err != nil {
			return err
		}
	}
	if g.NeedsAssessment(r) {
		return e.d.Papers.Assessment(ctx, r.PIA)
	}
	return nil
}
