package order

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: transaction records, by handle.
func Held() []holding.Held {
	const placed = "(SELECT o.placed_at FROM order_order o WHERE o.id = order_id)"
	kept := &holding.Keeps{Class: "order", Law: "ECL 31", Until: "order+3y"}
	const each = "EXISTS (SELECT 1 FROM order_order o WHERE o.id = order_line.order_id AND o.account_id = $1)"
	typed := map[string]string{"configuration": "{}"} // names that the customer gave to things
	return []holding.Held{
		{Table: "order_upgrade", By: holding.ByAccount, Where: "order_id IN (SELECT id FROM order_order WHERE account_id = $1)", Keeps: kept, Dated: placed},
		{Table: "order_line", By: holding.ByAccount, Where: "order_id IN (SELECT id FROM order_order WHERE account_id = $1)", Keeps: kept, Dated: placed, Clears: typed, Each: each},
		{Table: "order_order", By: holding.ByAccount, Where: "account_id = $1", Keeps: kept, Dated: "placed_at"},
	}
}
