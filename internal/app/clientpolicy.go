package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// clientPolicy hands the client policy in force to the module vpn, which puts it
// into the profiles of skyconnect.
type clientPolicy struct{ consent *consent.Service }

func (c clientPolicy) ClientPolicy(ctx context.Context) (bundle.Policy, error) {
	var p bundle.Policy
	for _, locale := range bundle.Languages {
		t, err := c.consent.Text(ctx, consent.DocClient, p.Version, locale)
		if err != nil {
			return bundle.Policy{}, err
		}
		p.Version, p.Change, p.Effective, p.SHA256 = t.Version.Number, t.Version.Change, t.Version.EffectiveAt, t.Version.SHA256
		p.Texts = append(p.Texts, bundle.Text{Locale: locale, Title: t.Title, Body: t.Plain})
	}
	return p, nil
}
