package vpn

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Held says which rows are of an account's owner, whose words are the names of
// things, and which of the user of an SSL client; the client is last.
func Held() []holding.Held {
	const secret = "a secret that signs in: the administrator hands it out anew"
	of := func(table string, opens []holding.Opens, withheld map[string]string, shows ...string) holding.Held {
		return holding.Held{Table: table, By: holding.ByClient, Where: "client = $1", Shows: shows, Opens: opens, Withheld: withheld}
	}
	owned := func(table, dated, where string, shows ...string) holding.Held {
		return holding.Held{Table: table, By: holding.ByAccount, Where: where, Dated: dated, Shows: shows}
	}
	return []holding.Held{
		owned("vpn_gateway", "created_at", "account = $1", "id", "name", "description", "region", "state", "created_at"),
		owned("vpn_certificate", "created_at", "account = $1 AND kind <> 'client'", "kind", "description", "not_after", "created_at"),
		owned("vpn_block", "created_at", "account = $1", "ca_name", "created_at"),
		owned("vpn_quota", "set_at", "account = $1", "name", "value", "set_at"),
		owned("vpn_quota_request", "asked_at", "account = $1", "name", "wanted", "asked_at"),
		of("vpn_attempt", []holding.Opens{{Column: "source_sealed", Row: "origin", Class: retentionClass}}, nil),
		of("vpn_recovery", nil, map[string]string{"code_hash": secret}),
		of("vpn_enrolment", nil, map[string]string{"totp_sealed": secret}),
		of("vpn_device", []holding.Opens{{Column: "label_sealed", Row: "id", Class: retentionClass}}, nil, "state", "created_at", "seen_at"),
		dated(of("vpn_act", []holding.Opens{{Column: "words_sealed", Row: "id", Class: retentionClass}}, nil, "kind", "by_class", "reason", "at"), "at"),
		dated(of("vpn_certificate", nil, nil, "kind", "not_after", "revoked_at", "created_at"), "created_at"),
		{Table: "vpn_client", By: holding.ByClient, Where: "id = $1", Shows: []string{"id", "state", "created_at", "expires_at", "fixed_ip", "fixed_ip6"}, Withheld: map[string]string{
			"password_hash": secret, "password_sealed": secret, "key_sealed": secret, "totp_sealed": secret,
		}},
	}
}

func dated(h holding.Held, column string) holding.Held {
	h.Dated = column
	return h
}
