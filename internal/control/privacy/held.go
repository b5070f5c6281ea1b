package privacy

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: what they asked and what was
// answered, and what the law has us keep of them.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "privacy_request", By: holding.ByHandle, Where: "subject = $1", Dated: "received_at",
		Shows: []string{"id", "channel", "state", "received_at", "answered_at", "closed_at"},
		Opens: []holding.Opens{{Column: "words", Row: "id", Class: class, Suffix: "key_case"}, {Column: "letter", Row: "id", Class: class, Suffix: "key_case"}},
		Keeps: &holding.Keeps{Class: "case", Law: "PIPL 50", Until: "close+3y"},
	}, {
		Table: "privacy_mail", By: holding.ByHandle, Where: "subject = $1", Dated: "at", Shows: []string{"request", "channel", "at"},
		Opens:    []holding.Opens{{Column: "content", Row: "id", Class: class, Suffix: "key_case"}},
		Withheld: map[string]string{"sender": "a keyed digest that tells nothing without its key"},
		Clears:   map[string]string{"sender": ""},
		Keeps:    &holding.Keeps{Class: class, Law: "PIPL 50", Until: "close+3y"},
	}, {
		Table: "privacy_arrangement", By: holding.ByHandle, Where: "subject = $1", Dated: "at", Shows: []string{"at"},
		Opens: []holding.Opens{{Column: "words", Row: "subject", Class: erasable}},
	}, {
		Table: "privacy_copy", By: holding.ByHandle, Where: "subject = $1", Dated: "made_at",
		Shows:    []string{"request", "state", "made_at", "until", "fetched_at"},
		Withheld: map[string]string{"content": "a copy that waits to be fetched: a copy holds no copies"},
	}, {
		Table: "privacy_correction_task", By: holding.ByHandle, Where: "subject = $1", Dated: "at", Hidden: "shown_from > $2",
		Shows: []string{"recipient", "legal_name", "via", "at", "due_at", "told_at"},
	}, {
		Table: "privacy_correction", By: holding.ByHandle, Where: "subject = $1", Dated: "at",
	}, {
		Table: "privacy_guardian", By: holding.ByHandle, Where: "child = $1", Dated: "seen_at",
		Shows: []string{"request", "document", "seen_at", "confirmed_at"},
		Keeps: &holding.Keeps{Class: "case", Law: "PIPL 50", Until: "close+3y"},
	}, {
		Table: "privacy_hold", By: holding.ByHandle, Where: "subject = $1", Dated: "placed_at",
		Shows: []string{"class", "law", "authority", "placed_at", "until", "ended_at"},
		Keeps: &holding.Keeps{Class: "case", Law: "PIPL 50", Until: "close+3y"},
	}}
}
