package invoice

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the module's tables. A document names its buyer by the number
// of the account, and holds nothing that a customer typed.
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("invoice_document",
			personal("account_id", "id", "kind", "series", "year", "number", "account_id", "subject", "order_id", "order_kind", "refund_no", "invoice_id",
				"currency", "total_minor", "tax_minor", "tax_rate", "paid_at", "issued_at"),
			holding.None("who sells, and where it stands in the books", "seller", "book_key")),
		holding.Of("invoice_line",
			personal("document_id", "document_id", "number", "line_id", "kind", "product", "region", "options", "months", "amount_minor"),
			holding.None("what the catalogue calls it", "names")),
		holding.Of("invoice_series", holding.None("counters of numbers", "series", "year", "last", "ended_at")),
		holding.Of("invoice_backfill", holding.None("how far a job is", "kind", "after", "done_at")),
	}
}

func personal(subject string, names ...string) []holding.Column {
	all := make([]holding.Column, 0, len(names))
	for _, n := range names {
		all = append(all, holding.Column{
			Name: n, Category: holding.Order, Subject: subject, Purposes: []string{"dispute", "finance_audit", "aftersales"},
			Basis: holding.ByDuty, Retention: class,
		})
	}
	return all
}
