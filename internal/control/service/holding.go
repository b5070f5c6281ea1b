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
	paid, earned := bought("service", "order_id", "line", "period_start", "period_end", "months"), bought("service", "order_id", "line", "period_start", "period_end", "currency", "value_minor")
	for _, all := range [][]holding.Column{paid, earned} {
		for i := range all {
			all[i].Subject = "service"
		}
	}
	return []holding.Table{
		holding.Of("service_period", paid), holding.Of("service_earning", earned, holding.None("when the books took it", "earned_at")),
		holding.Of("service_setting", holding.None("days that the operator has set", "scope", "name", "days")), holding.Of("service_change", change,
			holding.None("state of a paid change", "state", "problem", "created_at", "ended_at")), holding.Of("service_item",
			bought("account", "subject", "order_id", "line", "product", "region", "options", "configuration", "months", "paid_through", "overdue_since",
				"currency", "value_minor", "anchor", "anchor_months", "auto_renew"),
			holding.None("state of a resource and of its provision", "id", "resource", "state", "attempt", "provider_key", "problem", "reasons",
				"cancel_at_end", "locked", "looked_at", "next_due", "overdue_stop", "final_notice", "data_until", "version", "created_at", "delivered_at")),
	}
}
