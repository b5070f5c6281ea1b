package residency

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const place, number = "where a store stands, as the operator says", "a number of people"
	return []holding.Table{
		holding.Of("residency_store", holding.None(place, "kind", "region", "attestor", "attested_at")),
		holding.Of("residency_export", holding.None("a calendar year and a kind", "year", "sensitive"), []holding.Column{{
			Name: "handle", Category: holding.Case, Subject: "handle", Purposes: []string{"security_audit"}, Basis: holding.ByDuty, Retention: "disclosure",
		}}),
		holding.Of("residency_count", holding.None(number, "year", "sensitive", "people")),
	}
}

// Held says which rows are a person's. The year's number stays without them.
func Held() []holding.Held {
	return []holding.Held{{Table: "residency_export", By: holding.ByHandle, Where: "handle = $1"}}
}
