package account

import "slices"

// The permissions of staff. An operation names one; a role is a set of them.
const (
	PermAccountRead   = "account.read"
	PermOrderRead     = "order.read"
	PermPaymentRead   = "payment.read"
	PermFleetRead     = "fleet.read"
	PermPolicyRead    = "policy.read"
	PermPolicyPublish = "policy.publish"
	PermAuditRead     = "audit.read"
	PermAuditVerify   = "audit.verify"
	PermRealnameRead  = "realname.read"
)

var permissions = []string{PermAccountRead, PermOrderRead, PermPaymentRead, PermFleetRead, PermPolicyRead, PermPolicyPublish,
	PermAuditRead, PermAuditVerify, PermRealnameRead}

// AllPermissions lists every permission, for the demonstration's operator.
func AllPermissions() []string { return slices.Clone(permissions) }
