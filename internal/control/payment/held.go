package payment

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: results of payments, by handle.
func Held() []holding.Held {
	kept := &holding.Keeps{Class: "accounting", Law: "ECL 31", Until: "year+operator"}
	const mine = "attempt_no IN (SELECT attempt_no FROM payment_attempt WHERE account_id = $1)"
	return []holding.Held{
		{
			Table: "payment_refund_step", By: holding.ByAccount, Keeps: kept, Dated: "at",
			Where: "refund_no IN (SELECT refund_no FROM payment_refund WHERE account_id = $1)",
		},
		{Table: "payment_refund", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "requested_at"},
		{Table: "payment_event", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "received_at"},
		{Table: "payment_receipt", By: holding.ByAccount, Where: mine, Keeps: kept, Dated: "paid_at"},
		{Table: "payment_attempt", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "created_at"},
	}
}
