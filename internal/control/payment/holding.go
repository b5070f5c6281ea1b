package payment

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the module's tables. Of what a provider says only the
// result is kept: order number, amount, status, trade number and time
// (platform policy LT-1.1e).
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("payment_attempt",
			personal("account_id", "attempt_no", "order_id", "account_id", "subject", "method", "amount_minor", "currency", "state",
				"provider_trade_no", "refunded_minor", "disputed", "created_at", "paid_at", "hold_wallet_minor", "hold_gift_minor"),
			holding.None("machinery of asking and closing", "purpose", "gateway_account_id", "version", "close_confirmed", "expire_at",
				"last_notify_at", "last_query_at", "last_query", "next_query_at", "nudged_at", "hold")),
		holding.Of("payment_event",
			personal("attempt_no", "dedupe_key", "attempt_no", "provider_trade_no", "amount_minor", "currency", "status"),
			holding.None("machinery of receiving once", "gateway_account_id", "kind", "state", "source", "digest", "received_at", "processed_at")),
		holding.Of("payment_receipt",
			personal("attempt_no", "id", "provider_trade_no", "attempt_no", "amount_minor", "currency", "disposition", "journal_id", "paid_at"),
			holding.None("which account, when we learned of it, and in which bill it stands", "gateway_account_id", "received_at", "billed_day")),
		holding.Of("payment_refund",
			personal("account_id", "refund_no", "order_id", "attempt_no", "receipt_id", "account_id", "subject", "rule", "target", "amount_minor",
				"wallet_minor", "gift_minor", "currency", "phase", "problem", "journal_id", "requested_at", "settled_at"),
			holding.None("machinery of approving, asking and ending; staff by handle", "gateway_account_id", "version", "requested_by", "seconded_by", "tries",
				"last_query", "sent_at", "last_query_at", "next_query_at", "held_at", "ended_at", "billed_day")),
		holding.Of("payment_refund_step",
			personal("refund_no", "refund_no", "event", "phase", "reason", "at"),
			holding.None("who acted, by handle", "version", "actor_class", "actor")),
		holding.Of("payment_halt", holding.None("refunds by rule wait for a person", "kind", "since")),
		holding.Of("payment_grant",
			personal("account_id", "id", "kind", "account_id", "amount_minor", "currency", "left_minor", "expires_at", "reason", "state",
				"asked_by", "asked_at", "decided_by", "decided_at", "journal_id"),
			holding.None("counter of the machinery", "version")),
		holding.Of("payment_gift_use", personal("ref", "grant_id", "ref", "amount_minor")),
		holding.Of("payment_transfer",
			personal("attempt_no", "id", "attempt_no", "bank_reference", "amount_minor", "currency", "received_on", "proof", "reason", "state",
				"entered_by", "entered_at", "decided_by", "decided_at", "result"),
			holding.None("counter of the machinery", "version")),
		holding.Of("payment_bill", holding.None("sums of a day of a provider, of nobody in particular", "id", "gateway_account_id", "day", "state", "version", "readings",
			"tries", "problem", "digest", "payments", "refunds", "currency", "paid_minor", "returned_minor", "fee_minor", "read_at", "next_at")),
		holding.Of("payment_difference",
			personal("attempt_no", "id", "ref", "attempt_no", "provider_trade_no", "refund_no", "kind", "currency", "here_minor", "there_minor", "here_state",
				"state", "outcome", "booked_minor", "at"),
			holding.None("in which bill it was found; staff by handle", "gateway_account_id", "day", "version", "reading", "proposed_by", "found_at", "closed_at")),
		holding.Of("payment_difference_step",
			personal("difference_id", "difference_id", "event", "state", "reason", "here_minor", "there_minor", "journal_id", "at"),
			holding.None("who acted, by handle", "version", "actor_class", "actor")),
		holding.Of("payment_suspense",
			personal("receipt_id", "id", "receipt_id", "kind", "order_id", "account_id", "reference", "amount_minor", "currency", "reason", "state", "journal_id"),
			holding.None("who decided, by handle, and when", "version", "proposed_by", "proposed_at", "decided_by", "decided_at")),
		holding.Of("payment_refused", holding.None("a count of messages that were not taken", "gateway_account_id", "day", "reason", "count",
			"last_digest", "last_at")),
	}
}

func personal(subject string, names ...string) []holding.Column {
	all := make([]holding.Column, 0, len(names))
	for _, n := range names {
		all = append(all, holding.Column{
			Name: n, Category: holding.PayResult, Subject: subject,
			Purposes: []string{"payment", "dispute", "finance_audit", "aftersales"}, Basis: holding.ByContract, Retention: "accounting",
		})
	}
	return all
}
