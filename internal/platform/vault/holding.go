package vault

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the key store.
func Holdings() []holding.Table {
	const key, state = "random key under another key", "state of a key, not of a person"
	handle := []holding.Column{{
		Name: "handle", Category: holding.Case, Subject: "handle", Purposes: []string{"security_audit"},
		Basis: holding.ByDuty, Retention: "log_leaf",
	}}
	return []holding.Table{
		holding.Of("keystore_kek", holding.None(key, "proof"), holding.None(state, "id", "suite", "state", "created_at")),
		holding.Of("keystore_root", handle, holding.None(key, "wrapped"), holding.None(state, "kek", "state", "created_at", "destroyed_at")),
		holding.Of("keystore_key", handle, holding.None(key, "wrapped"),
			holding.None(state, "id", "class", "epoch", "suite", "state", "created_at", "destroyed_at")),
		holding.Of("keystore_blind", holding.None(key, "wrapped"), holding.None(state, "field", "epoch", "kek", "created_at")),
		holding.Of("keystore_tombstone", handle, holding.None("which keys are gone, and when", "class", "account", "client", "buried_at")),
	}
}
