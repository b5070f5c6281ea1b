package age

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	of := func(c holding.Category, subject, class, purpose string, names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{Name: n, Category: c, Subject: subject, Purposes: []string{purpose}, Basis: holding.ByDuty, Retention: class})
		}
		return all
	}
	const office = "handle of a member of staff acting in office"
	return []holding.Table{
		holding.Of("age_event", holding.None("opaque row id or account id", "id", "account"), of(holding.AgeBand, "subject", "account_core", "account", "subject", "band", "source", "at")),
		holding.Of("age_guardian", of(holding.Guardian, "subject", "account_core", "account", "subject", "kind", "document", "seen_at", "confirmed_at"),
			of(holding.Guardian, "guardian", "account_core", "account", "guardian"), holding.None("opaque account id", "account"), holding.None(office, "seen_by", "confirmed_by")),
		holding.Of("age_vacancy", of(holding.Guardian, "subject", "account_core", "account", "subject", "cause", "since", "restricted_at"),
			holding.None("opaque account id", "account"), holding.None("digest of a one-time code of a day, and its end", "code", "code_until")),
		holding.Of("age_read", of(holding.Case, "subject", "disclosure", "security_audit", "subject", "purpose", "reason", "asked_at", "approved_at"),
			holding.None("opaque row id", "id"), holding.None(office, "reader", "approver")),
		holding.Of("age_count", holding.None("sums of a year over everybody", "year", "what", "n")),
		holding.Of("age_audit", holding.None("sums of a year over everybody, and when they were made", "year", "due_at", "made_at", "sha256", "body"), holding.None(office, "made_by")),
	}
}

// Held says which rows are a person's. When a guardian goes, so does the consent
// that was given, and the child's account is shut.
func Held() []holding.Held {
	return []holding.Held{
		{Table: "age_event", By: holding.ByHandle, Where: "subject = $1", Dated: "at"}, // first: without it nobody is found unguarded
		{Table: "age_guardian", By: holding.ByHandle, Where: "subject = $1 OR guardian = $1", Dated: "seen_at", Shows: []string{"account"}},
		{Table: "age_vacancy", By: holding.ByHandle, Where: "subject = $1", Dated: "since"},
		{Table: "age_read", By: holding.ByHandle, Where: "subject = $1", Dated: "asked_at", Keeps: &holding.Keeps{Class: "disclosure", Law: "NDR 12", Until: "event+3y"}},
	}
}
