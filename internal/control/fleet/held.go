package fleet

import (
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Held says which rows are of the user of an SSL client.
func Held() []holding.Held {
	address := func(column string) holding.Opens {
		return holding.Opens{Column: column, Row: "id", Class: retentionClass, Subject: keyOfRow, Needs: "started_at", Text: addressText}
	}
	return []holding.Held{
		{
			Table: "fleet_live", By: holding.ByClient, Where: "session IN (SELECT id FROM fleet_session WHERE client = $1)",
			Each:  "EXISTS (SELECT 1 FROM fleet_session s WHERE s.id = fleet_live.session AND s.client = $1)",
			Dated: "(SELECT s.started_at FROM fleet_session s WHERE s.id = session)",
		},
		{
			Table: "fleet_session", By: holding.ByClient, Where: "client = $1",
			Opens: []holding.Opens{address("source_ip"), address("inner_address")},
			Keeps: &holding.Keeps{Class: retentionClass, Law: "CSL 23", Until: "day+6m"},
			Dated: "started_at",
		},
		{Table: "fleet_usage", By: holding.ByClient, Where: "client = $1"},
	}
}

// keyOfRow is the subject of the key that sealed a session's addresses: its day.
func keyOfRow(row holding.Row) id.Handle {
	started, _ := row["started_at"].(int64)
	return dayKey(db.FromMicros(started))
}

func addressText(raw []byte) (string, error) {
	a, err := splitAddresses(raw)
	var all []string
	if a.v4.IsValid() {
		all = append(all, a.v4.String())
	}
	if a.v6.IsValid() {
		all = append(all, a.v6.String())
	}
	return strings.Join(all, " "), err
}
