package account

import "slices"

// The permissions of staff. An operation names one; a role is a set of them.
const (
	PermAccountRead     = "account.read"
	PermOrderRead       = "order.read"
	PermOrderRetry      = "order.retry"
	PermServiceWrite    = "service.write" // to suspend and to lock services, and the days of their end
	PermPaymentRead     = "payment.read"
	PermPaymentSettle   = "payment.settle" // money in suspense, differences to a provider's bill
	PermRefundHandle    = "refund.handle"
	PermPaymentBook     = "payment.book" // bank transfers, gifts, goodwill
	PermLedgerRead      = "ledger.read"  // the books
	PermFleetRead       = "fleet.read"
	PermFleetWrite      = "fleet.write"
	PermConsentRead     = "consent.read"
	PermConsentPublish  = "consent.publish"
	PermAuditRead       = "audit.read"
	PermAuditVerify     = "audit.verify"
	PermRealnameReview  = "realname.review"
	PermRealnameReveal  = "realname.reveal"
	PermRealnameCorrect = "realname.correct" // of the identity-verification officer (clause LT-4.2)
	PermPrivacyHandle   = "privacy.handle"
	PermPrivacyDPO      = "privacy.dpo" // requests to the person in charge of personal data
	PermRetentionRead   = "retention.read"
	PermRetentionHold   = "retention.hold"
	PermMinorHandle     = "minor.handle" // guardians' consents, second person for readings, the yearly audit

	// Staff: who holds what; to give and to take; to allow more than the readings of an hour.
	PermStaffRead   = "staff.read"
	PermStaffWrite  = "staff.write"
	PermReadRelease = "read.release"

	// Agreements with recipients, impact assessments.
	PermAgreementRead  = "agreement.read"
	PermAgreementWrite = "agreement.write"

	// Orders of authorities: who enters one does not approve it.
	PermLegalOrderRead    = "legal_order.read"
	PermLegalOrderEnter   = "legal_order.enter"
	PermLegalOrderApprove = "legal_order.approve"
	PermLegalOrderExecute = "legal_order.execute"

	// Transfer of the business to a successor.
	PermSuccessionRead  = "succession.read"
	PermSuccessionWrite = "succession.write"

	// Incidents: to see them, to deal with them, to answer for not telling people.
	PermIncidentRead   = "incident.read"
	PermIncidentHandle = "incident.handle"
	PermIncidentSign   = "incident.sign"

	PermTicketHandle = "ticket.handle"
)

// duty is what a permission is: the power that it belongs to, if any, and
// whether it only looks.
type duty struct {
	name  string
	power Power
	looks bool
}

var duties = []duty{
	{PermFleetWrite, System, false},
	{PermOrderRetry, System, false},
	{PermServiceWrite, System, false},

	{PermStaffWrite, Security, false},
	{PermReadRelease, Security, false},
	{PermConsentPublish, Security, false},
	{PermAgreementWrite, Security, false},
	{PermRetentionHold, Security, false},
	{PermLegalOrderApprove, Security, false},
	{PermSuccessionWrite, Security, false},
	{PermIncidentSign, Security, false},

	{PermAuditRead, Audit, true},
	{PermAuditVerify, Audit, true},

	{PermAccountRead, None, true},
	{PermOrderRead, None, true},
	{PermPaymentRead, None, true},
	{PermLedgerRead, None, true},
	{PermFleetRead, None, true},
	{PermConsentRead, None, true},
	{PermAgreementRead, None, true},
	{PermRetentionRead, None, true},
	{PermStaffRead, None, true},
	{PermLegalOrderRead, None, true},
	{PermSuccessionRead, None, true},
	{PermIncidentRead, None, true},

	{PermPaymentSettle, None, false},
	{PermRefundHandle, None, false},
	{PermPaymentBook, None, false},
	{PermRealnameReview, None, false},
	{PermRealnameReveal, None, false},
	{PermRealnameCorrect, None, false},
	{PermPrivacyHandle, None, false},
	{PermPrivacyDPO, None, false},
	{PermMinorHandle, None, false},
	{PermLegalOrderEnter, None, false},
	{PermLegalOrderExecute, None, false},
	{PermIncidentHandle, None, false},
	{PermTicketHandle, None, false},
}

func dutyOf(permission string) duty {
	i := slices.IndexFunc(duties, func(d duty) bool { return d.name == permission })
	if i < 0 {
		return duty{name: permission}
	}
	return duties[i]
}

// AllPermissions lists every permission. Nobody holds all but who begins an
// installation alone.
func AllPermissions() []string { return permissionsOf(func(duty) bool { return true }) }

func permissionsOf(which func(duty) bool) (names []string) {
	for _, d := range duties {
		if which(d) {
			names = append(names, d.name)
		}
	}
	return names
}

// Role is a set of permissions that are given together.
type Role string

// Roles. The first three carry a power and exclude one another; the auditor acts
// in nothing else either. Identity is the officer who verifies identities.
const (
	RoleSystem   Role = "system"
	RoleSecurity Role = "security"
	RoleAudit    Role = "audit"
	RoleDesk     Role = "desk"
	RoleIdentity Role = "identity"
)

// Roles lists them.
func Roles() []Role { return []Role{RoleSystem, RoleSecurity, RoleAudit, RoleDesk, RoleIdentity} }

// PermissionsOf lists what roles may do together.
func PermissionsOf(roles ...Role) (names []string) {
	for _, r := range roles {
		for _, p := range r.Permissions() {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}

// beside are the permissions of a role that no power binds.
var beside = map[Role][]string{
	RoleSystem:   {PermFleetRead, PermOrderRead, PermIncidentRead, PermStaffRead},
	RoleSecurity: {PermConsentRead, PermAgreementRead, PermRetentionRead, PermLegalOrderRead, PermSuccessionRead, PermIncidentRead, PermStaffRead},
	RoleIdentity: {PermRealnameReview, PermRealnameReveal, PermRealnameCorrect},
}

// Permissions lists what a role may do; empty for an unknown role.
func (r Role) Permissions() []string {
	switch r {
	case RoleAudit:
		return permissionsOf(func(d duty) bool { return d.power == Audit || d.looks })
	case RoleDesk:
		return permissionsOf(func(d duty) bool { return d.power == None && !slices.Contains(beside[RoleIdentity], d.name) })
	case RoleSystem, RoleSecurity:
		return append(permissionsOf(func(d duty) bool { return string(d.power) == string(r) }), beside[r]...)
	}
	return slices.Clone(beside[r])
}
