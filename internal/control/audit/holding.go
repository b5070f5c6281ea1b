package audit

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const index, hash = "position in the log", "hash over leaves without personal data"
	return []holding.Table{
		holding.Of("audit_head", holding.None(index, "id", "size"), holding.None(hash, "root")),
		holding.Of("audit_leaf", holding.None(index, "idx"), holding.None("opaque name of a sealed row", "payload"),
			holding.None("salted commitment, meaningless without its key", "commitment"),
			concerns("log_leaf", "at", "type", "handle")),
		holding.Of("audit_payload", holding.None("opaque name of the row", "id"), concerns("log_leaf", "handle", "class"),
			[]holding.Column{{
				Name: "body", Category: holding.Case, Subject: "handle", Purposes: []string{"security_audit"},
				Basis: holding.ByDuty, Retention: "disclosure", Sealed: true,
			}}),
		holding.Of("audit_hash", holding.None(index, "idx"), holding.None(hash, "hash")),
		holding.Of("audit_checkpoint", holding.None(index, "size", "at"), holding.None(hash, "root", "note")),
		holding.Of("audit_signer", holding.None("key of the system, not of a person", "name", "verifier", "sealed", "at")),
		holding.Of("audit_read", holding.None("opaque name of the row", "id"),
			concerns("disclosure", "at", "handle", "class", "reader", "session", "fields", "purpose", "reason", "legal_order", "shown_from")),
		holding.Of("audit_stop", holding.None("opaque name of the row", "id"),
			holding.None("a member of staff acting in office, or a job", "class", "reader", "at", "tries", "releaser", "reason", "released_at")),
		holding.Of("audit_disclosure", holding.None("opaque name of the row", "id"),
			holding.None("registered name of a company", "recipient", "legal_name", "role", "region"),
			concerns("disclosure", "phase", "at", "handle", "op", "purpose", "basis", "mechanism", "fields", "legal_order", "shown_from")),
	}
}

// concerns are columns that tell what happened about a person.
func concerns(retention string, names ...string) []holding.Column {
	all := make([]holding.Column, 0, len(names))
	for _, n := range names {
		all = append(all, holding.Column{
			Name: n, Category: holding.Case, Subject: "handle", Purposes: []string{"security_audit"},
			Basis: holding.ByDuty, Retention: retention,
		})
	}
	return all
}
