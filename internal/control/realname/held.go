package realname

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's. An erasure comes after the services are
// gone, when no duty keeps a verification any longer.
func Held() []holding.Held {
	const digest = "a keyed digest that tells nothing without its key"
	return []holding.Held{
		{
			Table: "realname_verification", By: holding.ByHandle, Where: "subject = $1", Dated: "submitted_at",
			Opens:    []holding.Opens{{Column: "name", Row: "id", Class: classValue}, {Column: "number", Row: "id", Class: classValue}},
			Withheld: map[string]string{"number_index": digest},
		},
		{Table: "realname_grant", By: holding.ByHandle, Where: "subject = $1", Dated: "at"},
		{
			Table: "realname_attempt", By: holding.ByAccount, Where: "account = $1", Dated: "at",
			Withheld: map[string]string{"number_index": digest, "ip_index": digest, "account": "the number of the account, which the copy shows elsewhere", "at": "the time of an attempt to verify, kept for a day to hold back abuse"},
		},
	}
}
