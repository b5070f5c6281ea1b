package account

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

type columns = []holding.Column

// personal describes columns of one category.
func personal(c holding.Category, basis holding.Basis, retention string, sealed bool, purposes []string, names ...string) columns {
	var all columns
	for _, n := range names {
		all = append(all, holding.Column{Name: n, Category: c, Subject: "subject", Purposes: purposes, Basis: basis, Retention: retention, Sealed: sealed})
	}
	return all
}

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const opaque = "opaque row id, counter or code"
	acc, sec, logs := []string{"account"}, []string{"account", "security"}, []string{"security_audit", "anti_abuse", "troubleshooting", "log_retention"}
	mails := []string{"account", "verify", "recovery", "security", "service_change"}
	core := func(sealed bool, c holding.Category, purposes []string, names ...string) columns {
		return personal(c, holding.ByContract, "account_core", sealed, purposes, names...)
	}
	log := func(class string, sealed bool, c holding.Category, names ...string) columns {
		return personal(c, holding.ByDuty, class, sealed, logs, names...)
	}
	return []holding.Table{
		holding.Of("account_account", holding.None(opaque, "id", "state", "created_at"),
			columns{{Name: "owner", Category: holding.AccountName, Subject: "owner", Purposes: acc, Basis: holding.ByContract, Retention: "account_core"}}),
		holding.Of("account_person", holding.None(opaque, "account", "staff", "permissions", "locale", "created_at", "password_at", "email_verified_at"),
			core(false, holding.AccountName, acc, "subject", "name", "name_key"), core(true, holding.Email, mails, "email", "email_blind"),
			core(true, holding.AccountSecret, acc, "password")),
		holding.Of("account_email", holding.None(opaque, "verified_at"), core(false, holding.AccountName, acc, "subject"), core(true, holding.Email, mails, "blind")),
		holding.Of("account_email_change", holding.None(opaque, "expires_at"), core(false, holding.AccountName, acc, "subject", "at"), core(true, holding.Email, mails, "email", "blind")),
		holding.Of("account_session", holding.None(opaque, "id", "family", "mfa", "idle_micros", "expires_at", "revoked_at", "reason", "step_up_until"),
			core(false, holding.NetSession, sec, "subject", "created_at", "last_seen_at"), core(true, holding.AccountSecret, sec, "token_hash"),
			core(true, holding.NetIP, sec, "device")),
		holding.Of("account_remember", holding.None(opaque, "family", "created_at", "expires_at", "used_at", "revoked_at"),
			core(false, holding.AccountName, sec, "subject"), core(true, holding.AccountSecret, sec, "token_hash")),
		holding.Of("account_token", holding.None(opaque, "kind", "created_at", "expires_at", "used_at"),
			core(false, holding.AccountName, mails, "subject"), core(true, holding.AccountSecret, mails, "token_hash"), core(true, holding.Email, mails, "blind")),
		holding.Of("account_totp", holding.None(opaque, "created_at", "confirmed_at", "last_step"),
			core(false, holding.AccountName, sec, "subject"), core(true, holding.AccountSecret, sec, "secret")),
		holding.Of("account_recovery", holding.None(opaque, "used_at"),
			core(false, holding.AccountName, sec, "subject"), core(true, holding.AccountSecret, sec, "code_hash")),
		holding.Of("account_device", holding.None(opaque, "seen_at"),
			core(false, holding.AccountName, sec, "subject"), core(true, holding.NetUserAgent, sec, "device")),
		holding.Of("account_training", holding.None("training of a member of staff acting in office", "subject", "at", "until")),
		holding.Of("account_power", holding.None("power of a member of staff acting in office", "subject", "power", "since", "emergency", "emergency_until")),
		holding.Of("account_attempt", holding.None(opaque, "id", "scope", "at"),
			log("netlog", true, holding.NetIP, "source", "pair"), log("netlog", true, holding.AccountName, "name")),
		holding.Of("account_login", holding.None(opaque, "id", "session", "method", "outcome", "day"),
			log("netlog", false, holding.NetSession, "subject", "at"), log("netlog", true, holding.NetIP, "detail")),
		holding.Of("account_access", holding.None(opaque, "id", "day"),
			log("access_log", false, holding.NetSession, "subject", "at"), log("access_log", true, holding.NetPage, "detail")),
	}
}
