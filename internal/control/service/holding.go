package service

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module. What a person bought is data
// about them (category order); it hangs on the account's handle.
func Holdings() []holding.Table {
	bought := func(names ...string) (all []holding.Column) {
		for _, n := range names {
			all = append(all, holding.Column{
				Name: n, Category: holding.Order, Subject: "subject", Purposes: []string{"order", "provision"},
				Basis: holding.ByContract, Retention: "order",
			})
		}
		return all
	}
	change := bought("order_id", "line", "service", "options")
	for i := range change {
		change[i].Subject = "service"
	}
	return []holding.Table{holding.Of("service_change", change,
		holding.None("state of a paid change", "state", "problem", "created_at", "ended_at")), holding.Of("service_item",
		bought("account", "subject", "order_id", "line", "product", "region", "options", "configuration", "months", "paid_through", "overdue_since"),
		holding.None("state of a resource and of its provision", "id", "resource", "state", "attempt", "provider_key", "problem", "reasons",
			"cancel_at_end", "locked", "version", "created_at", "delivered_at"))}
}
