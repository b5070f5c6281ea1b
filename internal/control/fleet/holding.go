package fleet

import (
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	if mutant.Off("SUP-6") {
		return nil
	}
	machine := holding.None("describes a machine of the operator", "id", "name", "region", "location", "addresses", "key_sha256",
		"version", "last_seen", "generation", "applied", "draining", "created_at")
	return []holding.Table{
		holding.Of("fleet_node", machine),
		holding.Of("fleet_assignment", holding.None("which machine runs which gateway", "gateway", "node", "generation", "created_at", "leaving", "released_at")),
		holding.Of("fleet_observation", holding.None("state of a gateway's configuration", "gateway", "node", "generation", "state", "problem", "at")),
		sessionTable(),
		usageTable(),
		liveTable(),
		holding.Of("fleet_sample", holding.None("sums of a whole gateway", "gateway", "at", "bytes_in", "bytes_out", "sessions")),
		holding.Of("fleet_closure", holding.None("an order to a machine, kept for minutes", "session", "node", "reason", "generation", "at")),
		holding.Of("fleet_day", holding.None("which day's keys are destroyed", "day", "destroyed_at")),
	}
}

// liveTable is what goes with a session's end. What a client calls itself is in
// no other place.
func liveTable() holding.Table {
	version := holding.Column{
		Name: "client_version", Category: holding.NetSession, Subject: "session", Purposes: []string{readPurpose},
		Basis: holding.ByContract, Retention: retentionClass,
	}
	return holding.Of("fleet_live", []holding.Column{version}, holding.None("counters while a session lives, deleted at its end",
		"session", "gateway", "node", "transport", "bytes_in", "bytes_out", "packets_in", "packets_out", "rate_in", "rate_out", "seen_at"))
}

// usageTable is what allowances are held against: two sums, overwritten as their
// day and month end.
func usageTable() holding.Table {
	of := func(name string) holding.Column {
		return holding.Column{
			Name: name, Category: holding.NetSession, Subject: "client", Purposes: []string{readPurpose},
			Basis: holding.ByContract, Retention: retentionClass,
		}
	}
	return holding.Of("fleet_usage", []holding.Column{of("client"), of("day"), of("day_bytes"), of("month_bytes"), of("changed_at")})
}

// sessionTable is the session log of clause SUP-6.
func sessionTable() holding.Table {
	plain := func(name string) holding.Column {
		return holding.Column{
			Name: name, Category: holding.NetSession, Subject: "client", Purposes: []string{readPurpose},
			Basis: holding.ByDuty, Retention: retentionClass,
		}
	}
	address := func(name string) holding.Column {
		c := plain(name)
		c.Category, c.Sealed = holding.NetIP, true
		return c
	}
	return holding.Of("fleet_session", []holding.Column{
		plain("id"), plain("client"), plain("gateway"), address("source_ip"),
		address("inner_address"), plain("started_at"), plain("ended_at"), plain("reason"), plain("bytes_in"), plain("bytes_out"),
	})
}
