package realname

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	of := func(c holding.Category, retention string, sealed bool, names ...string) []holding.Column {
		var all []holding.Column
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: c, Subject: "subject", Purposes: []string{purpose},
				Basis: holding.ByDuty, Retention: retention, Sealed: sealed,
			})
		}
		return all
	}
	attempt := func(c holding.Category, names ...string) []holding.Column {
		var all []holding.Column
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: c, Subject: "account", Purposes: []string{"anti_abuse"},
				Basis: holding.ByDuty, Retention: "realname_value", Sealed: true,
			})
		}
		return all
	}
	return []holding.Table{
		holding.Of("realname_verification",
			holding.None("opaque row id or time of the module's own work", "id", "called_at", "erase_at"),
			holding.None("handle of a member of staff acting in office", "decided_by"),
			of(holding.IDResult, "realname_result", false, "account", "subject", "state", "reason", "submitted_at", "decided_at"),
			of(holding.AgeBand, "realname_result", false, "band"),
			of(holding.IDName, classValue, true, "name"),
			of(holding.IDNumber, classValue, true, "number", "number_index")),
		holding.Of("realname_grant", of(holding.IDResult, "realname_result", false, "subject", "kind", "case_id", "at"),
			holding.None("opaque row id", "verification", "replaces"), holding.None("handle of a member of staff acting in office", "officer")),
		holding.Of("realname_attempt",
			holding.None("opaque row id", "id"),
			attempt(holding.IDResult, "account", "at"), attempt(holding.IDNumber, "number_index"), attempt(holding.NetIP, "ip_index")),
	}
}
