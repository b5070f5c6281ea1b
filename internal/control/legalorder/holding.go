package legalorder

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const paper, staff = "what a document of an authority says", "handle of a member of staff acting in office"
	subject := holding.Column{
		Name: "handle", Category: holding.Case, Subject: "handle", Purposes: []string{Purpose}, Basis: holding.ByDuty, Retention: class,
	}
	return []holding.Table{
		holding.Of("legalorder_order", holding.None(paper, "id", "authority", "jurisdiction", "doc_no", "law", "scan", "scan_sha256", "authority_key",
			"categories", "from_at", "until_at", "expires_at", "suppress_until", "suppress_law", "approval_authority", "approval_doc_no",
			"approval_sha256"), holding.None("how an order was dealt with", "state", "entered_at", "ended_at", "package_sha256", "version"),
			holding.None("sealed to the authority and once more in the vault", "package"), holding.None(staff, "entered_by", "ended_by")),
		holding.Of("legalorder_subject", holding.None("opaque name of the order", "order_id"), []holding.Column{subject}),
		holding.Of("legalorder_approval", holding.None("opaque name of the order", "order_id", "at"), holding.None(staff, "approver")),
	}
}

// Held says which rows are a person's: which orders are about them, once the
// order's own day has come.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "legalorder_subject", By: holding.ByHandle, Where: "handle = $1", Shows: []string{"order_id"},
		Hidden: "order_id IN (SELECT id FROM legalorder_order WHERE suppress_until > $2)",
		Keeps:  &holding.Keeps{Class: class, Law: "NDR 12", Until: "event+3y"},
	}}
}
