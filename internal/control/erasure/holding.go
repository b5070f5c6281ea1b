package erasure

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	of := func(names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{Name: n, Category: holding.Case, Subject: "subject", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: "case"})
		}
		return all
	}
	return []holding.Table{
		holding.Of("erasure_case", of("subject", "account", "client", "cause"),
			[]holding.Column{{
				Name: "searched", Category: holding.Email, Subject: "subject", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: "case", Sealed: true,
			}},
			holding.None("how far an erasure is, and its proof without personal data", "id", "request", "step", "problem", "settled_by", "settlement",
				"report", "certificate", "asked_at", "due_at", "effective_at", "complete_at", "version")),
		holding.Of("erasure_outcome", holding.None("which tables an erasure emptied, and which a law keeps", "case_id", "part", "deleted", "class", "law", "until")),
		holding.Of("erasure_recipient", holding.None("which recipients were told of an erasure", "case_id", "recipient", "legal_name", "told_at", "acknowledged_at")),
	}
}

// Held says which rows are a person's.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "erasure_case", By: holding.ByHandle, Where: "subject = $1", Dated: "asked_at",
		Shows:    []string{"id", "step", "asked_at", "due_at", "effective_at", "complete_at"},
		Withheld: map[string]string{"searched": "values that the copy shows elsewhere, sealed for the search of the erasure alone"},
		Keeps:    &holding.Keeps{Class: "case", Law: "PIPL 47", Until: "close+3y"},
	}}
}
