package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// identityTeller is how the source of identities is told of a corrected name or
// number: it was asked again with the new values before they stood, and the
// receipt is that disclosure. Where it was not reached a member of the staff
// tells it.
type identityTeller struct{ m *modules }

// Tell fills privacy.Teller.
func (t identityTeller) Tell(ctx context.Context, task privacy.Task) (string, error) {
	owner, err := t.m.account.AccountOf(ctx, task.Subject)
	if errs.IsNotFound(err) {
		return "", privacy.ErrByHand
	}
	if err != nil {
		return "", err
	}
	v, err := t.m.realname.Current(ctx, owner)
	if err != nil {
		return "", err
	}
	all, err := t.m.audit.Disclosures(ctx, task.Subject, "", 500)
	if err != nil {
		return "", err
	}
	for _, d := range all {
		if d.Recipient == task.Recipient && d.Phase == string(egress.Done) && !d.At.Before(v.SubmittedAt) && !d.At.After(task.At) {
			return d.ID, nil
		}
	}
	return "", privacy.ErrByHand
}
