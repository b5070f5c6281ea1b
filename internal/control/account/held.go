package account

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

const (
	digest  = "a keyed digest that tells nothing without its key"
	oneWay  = "a secret kept one-way, of use to a thief only"
	sixMths = "CSL 23"
)

// Held says which rows are a person's. Rows of failed sign-ins hold keyed
// digests that lead to nobody and go with the day's end (retention.go).
// Children stand before their parents: the owner's row is the last.
func Held() []holding.Held {
	of := func(table string, opens []holding.Opens, withheld map[string]string, shows ...string) holding.Held {
		return holding.Held{Table: table, By: holding.ByHandle, Where: "subject = $1", Shows: shows, Opens: opens, Withheld: withheld}
	}
	log := func(table, class string, shows ...string) holding.Held {
		h := of(table, []holding.Opens{{Column: "detail", Row: "id", Class: class, Suffix: "day"}}, nil, shows...)
		h.Keeps, h.Dated = &holding.Keeps{Class: class, Law: sixMths, Until: "day+6m"}, "at"
		return h
	}
	since := func(column string, h holding.Held) holding.Held {
		h.Dated = column
		return h
	}
	token := map[string]string{"token_hash": oneWay, "blind": digest}
	return []holding.Held{
		of("account_email", nil, map[string]string{"blind": digest}, "verified_at"),
		since("at", of("account_email_change", nil, map[string]string{"blind": digest, "email": "an address that waits for its confirmation, a day at most"}, "expires_at")),
		since("created_at", of("account_session", []holding.Opens{{Column: "device", Row: "id", Class: "account_core"}}, token, "expires_at", "revoked_at")),
		since("created_at", of("account_remember", nil, token)),
		since("created_at", of("account_token", nil, token)),
		of("account_totp", nil, map[string]string{"secret": "the seed of a sign-in token: whoever has it can sign in"}, "created_at", "confirmed_at"),
		of("account_recovery", nil, map[string]string{"code_hash": oneWay}),
		of("account_device", nil, map[string]string{"device": digest}, "seen_at"),
		log("account_login", "netlog", "method", "outcome"),
		log("account_access", "access_log"),
		of("account_person", []holding.Opens{{Column: "email", Row: "subject", Class: "account_core"}},
			map[string]string{"email_blind": digest, "password": oneWay}, "locale", "created_at", "password_at", "email_verified_at"),
		{Table: "account_account", By: holding.ByHandle, Where: "owner = $1", Shows: []string{"id", "state", "created_at"}},
	}
}
