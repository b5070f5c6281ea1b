package consent

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	record := func(names ...string) []holding.Column {
		var all []holding.Column
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: holding.Consent, Subject: "subject", Purposes: []string{"consent_record"},
				Basis: holding.ByDuty, Retention: "consent",
			})
		}
		return all
	}
	return []holding.Table{
		holding.Of("consent_version", holding.None("published text of the operator", "document", "number", "major", "rank", "change", "affects",
			"imports", "sha256", "published_at", "effective_at"), holding.None("handle of a staff member acting in office", "published_by")),
		holding.Of("consent_text", holding.None("published text of the operator", "document", "number", "locale", "title", "body", "sha256")),
		holding.Of("consent_event", holding.None("opaque row id or position", "id", "seq", "rank"),
			record("subject", "purpose", "kind", "decision", "act", "document", "number", "text_sha256", "locale", "channel", "adult", "at", "receipt", "epoch")),
		holding.Of("consent_renewal", holding.None("what shuts the consents of everybody to a document", "cause", "document", "at")),
		holding.Of("consent_token", holding.None("random number of a used token", "nonce", "expires_at")),
		holding.Of("consent_secret", holding.None("sealed key of the system", "name", "sealed", "created_at")),
	}
}
