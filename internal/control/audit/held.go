package audit

import (
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// Held says which rows are a person's. Payloads go; of leaves the hash must
// stay, or no proof would verify, and it names a handle only.
func Held() []holding.Held {
	kept := &holding.Keeps{Class: "disclosure", Law: "NDR 12", Until: "event+3y"}
	return []holding.Held{
		{
			Table: "audit_payload", By: holding.ByHandle, Where: "handle = $1", Keeps: kept, Dated: "(SELECT l.at FROM audit_leaf l WHERE l.payload = id)",
			Withheld: map[string]string{"body": "particulars of events whose place the log shows"},
			Hidden:   strings.ReplaceAll(hiddenLeaf, "payload IN", "id IN"),
		},
		{Table: "audit_read", By: holding.ByHandle, Dated: "at", Where: "handle = $1", Keeps: kept, Hidden: "shown_from > $2"},
		{Table: "audit_disclosure", By: holding.ByHandle, Dated: "at", Where: "handle = $1", Keeps: kept, Hidden: "shown_from > $2"},
		{
			Table: "audit_leaf", By: holding.ByHandle, Dated: "at", Where: "handle = $1", Hidden: hiddenLeaf,
			Keeps: &holding.Keeps{Class: "log_leaf", Law: "PIPL 56", Until: "log"},
		},
	}
}
