package notify

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	purposes := []string{"account", "verify", "recovery", "security", "service_change"}
	of := func(c holding.Category, names ...string) []holding.Column {
		var all []holding.Column
		for _, n := range names {
			all = append(all, holding.Column{Name: n, Category: c, Subject: "subject", Purposes: purposes, Basis: holding.ByContract, Retention: "account_core"})
		}
		return all
	}
	return []holding.Table{
		holding.Of("notify_message", holding.None("opaque row id or state", "id", "account", "dedupe", "inbox", "mail", "batch", "sms"),
			of(holding.AccountName, "subject"), of(holding.Order, "event", "params", "at", "read_at")),
		holding.Of("notify_off", holding.None("which notice is switched off: a setting", "event", "channel", "at"), of(holding.AccountName, "subject")),
		holding.Of("notify_quiet", holding.None("minutes of the day in UTC: a setting", "begins", "ends", "at"), of(holding.AccountName, "subject")),
		holding.Of("notify_attempt", holding.None("outcome of a delivery by message id", "message", "number", "at", "outcome", "code", "channel")),
	}
}
