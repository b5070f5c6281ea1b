package order

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the module's tables: type of service, duration and amount
// for disputes, audits and after-sales (platform policy LT-1.1d).
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("order_order",
			personal("account_id", "id", "account_id", "subject", "kind", "state", "currency", "total_minor", "quote_hash",
				"receipt", "placed_at", "expires_at", "paid_at", "ended_at"),
			holding.None("counters and digests of the machinery", "version", "catalogue_version", "idem_key", "idem_digest")),
		holding.Of("order_line",
			personal("order_id", "id", "order_id", "number", "kind", "product", "region", "options", "months", "amount_minor", "configuration",
				"state", "service_id", "resource", "value_minor", "starts_at", "ends_at", "shares"),
			holding.None("code of a technical problem", "problem")),
		holding.Of("order_upgrade", personal("service", "service", "order_id")),
	}
}

func personal(subject string, names ...string) []holding.Column {
	all := make([]holding.Column, 0, len(names))
	for _, n := range names {
		all = append(all, holding.Column{
			Name: n, Category: holding.Order, Subject: subject, Purposes: []string{"dispute", "finance_audit", "aftersales"},
			Basis: holding.ByContract, Retention: "order",
		})
	}
	return all
}
