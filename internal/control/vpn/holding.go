package vpn

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module. The person behind an SSL
// client is known by its handle in vpn_client.subject.
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("vpn_gateway", holding.None("configuration of a bought resource", "id", "origin", "account", "name", "region", "network", "state",
			"problem", "description", "local_subnets", "ssl_bandwidth", "ssl_connections", "node", "version", "created_at", "updated_at")),
		holding.Of("vpn_server", holding.None("configuration of a bought resource", "id", "gateway", "account", "name", "port", "udp", "state",
			"settings", "ca", "ca_key", "chain", "version", "created_at", "updated_at")),
		clientTable(),
		certificateTable(),
		holding.Of("vpn_certificate_use", holding.None("which resource uses which certificate", "certificate", "resource", "purpose")),
		holding.Of("vpn_server_alias", holding.None("host names of SSL servers", "name", "server")),
		holding.Of("vpn_crl", holding.None("signed lists of serial numbers that open nothing any more",
			"server", "revision", "made_for", "number", "der", "this_update", "next_update")),
		holding.Of("vpn_revoked", holding.None("serial numbers that open nothing any more", "serial", "server", "not_after", "revoked_at")),
		holding.Of("vpn_block", holding.None("certificates of other CAs that open nothing any more, as serial numbers",
			"id", "server", "account", "issuer", "serial", "ca_name", "client", "not_after", "created_at")),
		holding.Of("vpn_conversation", holding.None("a login under way, five minutes at most", "id", "server", "client", "origin", "expires_at",
			"awaits", "step", "drift", "chosen_group", "version")),
		holding.Of("vpn_attempt",
			[]holding.Column{{
				Name: "source_sealed", Category: holding.NetIP, Subject: "client", Purposes: []string{accessPurpose},
				Basis: holding.ByContract, Retention: retentionClass, Sealed: true,
			}},
			holding.None("keyed digest and a count, minutes at most", "origin", "count", "until", "client", "throttle")),
		holding.Of("vpn_recovery",
			[]holding.Column{{
				Name: "code_hash", Category: holding.AccountSecret, Subject: "client", Purposes: []string{accessPurpose},
				Basis: holding.ByContract, Retention: retentionClass, Sealed: true,
			}},
			holding.None("whose codes they are", "client")),
		holding.Of("vpn_enrolment",
			[]holding.Column{{
				Name: "totp_sealed", Category: holding.AccountSecret, Subject: "client", Purposes: []string{accessPurpose},
				Basis: holding.ByContract, Retention: retentionClass, Sealed: true,
			}},
			holding.None("a link to set a token up, three days at most; keyed digest of its token", "client", "token_hash", "tries", "expires_at")),
		holding.Of("vpn_bundle_link", holding.None("a link to a client's bundle, three days at most; keyed digest of its token", "client", "token_hash", "expires_at")),
		holding.Of("vpn_device",
			[]holding.Column{{
				Name: "label_sealed", Category: holding.NetUserAgent, Subject: "client", Purposes: []string{accessPurpose},
				Basis: holding.ByContract, Retention: retentionClass, Sealed: true,
			}},
			holding.None("which devices may sign in; of a device's id a keyed digest", "id", "client", "known_by", "digest", "state", "created_at", "seen_at")),
		holding.Of("vpn_act",
			[]holding.Column{{
				Name: "words_sealed", Category: holding.AccountName, Subject: "client", Purposes: []string{accessPurpose},
				Basis: holding.ByContract, Retention: retentionClass, Sealed: true,
			}},
			holding.None("what an administrator did with a login account, as a code", "id", "client", "kind", "by_class", "reason", "at")),
		holding.Of("vpn_user_session", holding.None("a session on the page of a user's rights, minutes at most; digests of its token and proof",
			"id", "token_hash", "client", "proof", "created_at", "expires_at")),
		holding.Of("vpn_grant", holding.None("which session was allowed, until it ends", "session", "gateway", "server", "client", "device", "issued_at", "not_after")),
		holding.Of("vpn_gone", holding.None("ids that are never used again", "id", "gone_at")),
		holding.Of("vpn_secret", holding.None("keys of the installation itself", "name", "sealed", "public", "created_at")),
		holding.Of("vpn_told", holding.None("what the owner of a gateway was told of, and until when that is enough", "gateway", "client", "kind", "until")),
		holding.Of("vpn_limit", holding.None("the same of the release before, which nothing writes any more", "gateway", "kind", "day")),
		holding.Of("vpn_quota", holding.None("how much an account may make", "account", "name", "value", "set_at")),
		holding.Of("vpn_quota_request", holding.None("how much an account asks to make", "account", "name", "wanted", "asked_at")),
		holding.Of("vpn_ban", holding.None("keyed digest and a score, minutes at most", "source", "score", "until")),
		holding.Of("vpn_ban_share", holding.None("whose failures a score holds: keyed digest and client, minutes at most", "source", "client", "score")),
	}
}

// personal describes columns about the person behind an SSL client.
func personal(c holding.Category, sealed bool, names ...string) (all []holding.Column) {
	for _, n := range names {
		all = append(all, holding.Column{
			Name: n, Category: c, Subject: "subject", Purposes: []string{accessPurpose},
			Basis: holding.ByContract, Retention: retentionClass, Sealed: sealed,
		})
	}
	return all
}

// certificateTable holds what names a person only in the rows of kind client;
// they lose it when the client is deleted.
func certificateTable() holding.Table {
	return holding.Of("vpn_certificate",
		personal(holding.AccountName, false, "name"),
		personal(holding.Certificate, false, "serial", "chain"),
		holding.None("a machine's certificate, its sealed key and its dates", "id", "account", "kind", "server", "client", "subject", "key_sealed",
			"not_after", "retire_at", "revoked_at", "warned", "description", "version", "created_at", "updated_at"))
}

func clientTable() holding.Table {
	of := personal
	return holding.Of("vpn_client",
		of(holding.AccountName, false, "name", "description"),
		of(holding.AccountSecret, true, "password_hash", "password_sealed", "key_sealed", "totp_sealed"),
		of(holding.Certificate, false, "serial", "certificate"),
		holding.None("settings and counters of a login account", "id", "server", "gateway", "account", "subject", "state", "totp_step", "token_kind", "token_drift",
			"member_of", "secret_until", "password_until", "key_until", "token_until", "pardoned_at", "device_approval",
			"not_after", "up_rate", "down_rate", "fixed_ip", "fixed_ip6", "routes", "two_factor_exempt", "max_sessions", "expires_at",
			"daily_quota", "monthly_quota", "version", "created_at", "updated_at"))
}
