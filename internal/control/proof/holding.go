package proof

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// erasable is the class of what ends with the account: an erasure destroys its
// key, so that no backup opens a pack.
const erasable = "account_core"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	of := func(name string, sealed bool) holding.Column {
		return holding.Column{
			Name: name, Category: holding.Case, Subject: "subject", Purposes: []string{"rights"}, Basis: holding.ByDuty, Retention: erasable, Sealed: sealed,
		}
	}
	return []holding.Table{
		holding.Of("proof_pack", []holding.Column{of("subject", false), of("content", true)},
			holding.None("how far a proof pack is, and how large", "id", "since", "state", "tries", "percent", "problem", "size", "digest", "asked_at", "made_at", "until")),
	}
}

// Held says which rows are a person's.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "proof_pack", By: holding.ByHandle, Where: "subject = $1", Dated: "asked_at", Shows: []string{"state", "asked_at", "made_at", "until"},
		Withheld: map[string]string{"content": "a proof pack that waits to be fetched: it is made of what the copy shows elsewhere"},
	}}
}
