package privacy

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: what they asked and what was answered.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "privacy_request", By: holding.ByHandle, Where: "subject = $1",
		Opens: []holding.Opens{{Column: "words", Row: "id", Class: "case"}},
		Keeps: &holding.Keeps{Class: "case", Law: "PIPL 50", Until: "close+3y"},
	}}
}
