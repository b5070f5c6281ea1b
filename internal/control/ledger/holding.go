package ledger

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the module's tables. An account's code may end in a
// customer's account id: whose money it is.
func Holdings() []holding.Table {
	const why = "figures of the books, without a person"
	owner := holding.Column{
		Name: "code", Category: holding.Order, Subject: "code", Purposes: []string{"dispute", "finance_audit", "aftersales"},
		Basis: holding.ByDuty, Retention: "accounting",
	}
	actor := holding.Column{
		Name: "actor", Category: holding.Order, Subject: "actor", Purposes: []string{"finance_audit"},
		Basis: holding.ByDuty, Retention: "accounting",
	}
	return []holding.Table{
		holding.Of("ledger_account", []holding.Column{owner},
			holding.None(why, "id", "currency", "kind", "balance", "version", "min_balance", "max_balance", "opened_at")),
		holding.Of("ledger_journal", []holding.Column{actor},
			holding.None(why, "id", "idem_key", "kind", "occurred_at", "recorded_at", "ref_type", "ref_id", "memo", "reverses_id", "content")),
		holding.Of("ledger_carried", holding.None(why, "account_id", "currency", "amount", "version")),
		holding.Of("ledger_posting", holding.None(why, "journal_id", "line", "account_id", "amount", "currency", "balance_after", "account_version")),
	}
}
