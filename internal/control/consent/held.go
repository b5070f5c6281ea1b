package consent

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: the proof that they agreed or refused,
// by handle only.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "consent_event", By: holding.ByHandle, Where: "subject = $1", Dated: "at",
		Keeps: &holding.Keeps{Class: "consent", Law: "PIPL 14", Until: "end+3y"},
	}}
}
