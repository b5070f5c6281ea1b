package audit

// Types is the closed list of event types, each with the retention class whose
// key seals its detail. After that class is destroyed for a person, the leaf
// proves that something happened, not to whom or what. Append one line for each
// new type.
var Types = map[string]string{
	"read.recorded":       "disclosure",
	"disclosure.intent":   "disclosure",
	"disclosure.finished": "disclosure",

	"realname.submitted": "realname_result",
	"realname.decided":   "realname_result",
	"realname.revoked":   "realname_result",
	"realname.erased":    "realname_result",

	"consent.grant":    "consent",
	"consent.refuse":   "consent",
	"consent.withdraw": "consent",
	"policy.published": "consent",

	"account.registered":       "account_core",
	"account.staff_created":    "account_core",
	"account.staff_disabled":   "account_core",
	"account.staff_reset":      "account_core",
	"account.email_verified":   "account_core",
	"account.login":            "netlog",
	"account.logout":           "netlog",
	"account.session_revoked":  "netlog",
	"account.remember_reuse":   "netlog",
	"account.password_changed": "account_core",
	"account.password_reset":   "account_core",
	"account.totp_enabled":     "account_core",
	"account.totp_disabled":    "account_core",
	"account.stuffing":         "netlog",

	"order.placed":          "order",
	"order.paid":            "order",
	"order.cancelled":       "order",
	"order.expired":         "order",
	"order.completed":       "order",
	"order.needs_attention": "order",
	"payment.started":       "order",
	"payment.succeeded":     "order",
	"payment.suspense":      "order",

	"vpn.gateway_created":      "account_core",
	"vpn.gateway_changed":      "account_core",
	"vpn.gateway_frozen":       "account_core",
	"vpn.gateway_thawed":       "account_core",
	"vpn.gateway_deleted":      "account_core",
	"vpn.server_created":       "account_core",
	"vpn.server_changed":       "account_core",
	"vpn.server_deleted":       "account_core",
	"vpn.client_created":       "account_core",
	"vpn.client_changed":       "account_core",
	"vpn.client_deleted":       "account_core",
	"vpn.client_password":      "account_core",
	"vpn.client_totp":          "account_core",
	"vpn.client_unlocked":      "account_core",
	"vpn.secret_read":          "account_core",
	"vpn.client_disconnected":  "account_core",
	"vpn.session_disconnected": "account_core",

	"service.ordered":          "order",
	"service.active":           "order",
	"service.provision_failed": "order",
	"service.retried":          "order",
	"service.suspended":        "order",
	"service.resumed":          "order",
	"service.terminating":      "order",
	"service.terminated":       "order",
}
