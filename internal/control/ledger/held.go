package ledger

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are a person's: the account of the books that carries
// the number of their account.
func Held() []holding.Held {
	return []holding.Held{{
		Table: "ledger_account", By: holding.ByAccount, Where: "code IN ('liability:wallet:' || $1, 'liability:wallet_gift:' || $1)",
		Keeps: &holding.Keeps{Class: "accounting", Law: "ECL 31", Until: "year+operator"},
	}}
}
