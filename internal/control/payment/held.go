package payment

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: results of payments, by handle.
func Held() []holding.Held {
	kept := &holding.Keeps{Class: "accounting", Law: "ECL 31", Until: "year+operator"}
	const mine = "attempt_no IN (SELECT attempt_no FROM payment_attempt WHERE account_id = $1)"
	const asked = "(SELECT g.asked_at FROM payment_grant g WHERE g.id = grant_id)"
	return []holding.Held{
		{
			Table: "payment_difference_step", By: holding.ByAccount, Keeps: kept, Dated: "at",
			Where: "difference_id IN (SELECT id FROM payment_difference WHERE " + mine + ")",
		},
		{Table: "payment_difference", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "found_at"},
		{
			Table: "payment_suspense", By: holding.ByAccount, Keeps: kept, Dated: "proposed_at",
			Where: "account_id = $1 OR receipt_id IN (SELECT id FROM payment_receipt WHERE " + mine + ")",
		},
		{
			Table: "payment_refund_step", By: holding.ByAccount, Keeps: kept, Dated: "at",
			Where: "refund_no IN (SELECT refund_no FROM payment_refund WHERE account_id = $1)",
		},
		{Table: "payment_refund", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "requested_at"},
		{Table: "payment_event", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "received_at"},
		{Table: "payment_receipt", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "paid_at"},
		{Table: "payment_transfer", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "entered_at"},
		{Table: "payment_gift_use", By: holding.ByAccount, Where: "grant_id IN (SELECT id FROM payment_grant WHERE account_id = $1)", Keeps: kept, Dated: asked},
		{Table: "payment_grant", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "asked_at"},
		{Table: "payment_attempt", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "created_at"},
	}
}
