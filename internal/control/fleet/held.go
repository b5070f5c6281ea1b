package fleet

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are of the user of an SSL client.
func Held() []holding.Held {
	const day = "sealed with the key of a day, which the session list of the console opens"
	return []holding.Held{
		{Table: "fleet_live", By: holding.ByClient, Where: "session IN (SELECT id FROM fleet_session WHERE client = $1)"},
		{
			Table: "fleet_session", By: holding.ByClient, Where: "client = $1",
			Withheld: map[string]string{"source_ip": day, "inner_address": day},
			Keeps:    &holding.Keeps{Class: retentionClass, Law: "CSL 23", Until: "day+6m"},
		},
		{Table: "fleet_usage", By: holding.ByClient, Where: "client = $1"},
	}
}
