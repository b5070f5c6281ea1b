package account

import "slices"

// The permissions of staff. An operation names one; a role is a set of them.
const (
	PermAccountRead    = "account.read"
	PermOrderRead      = "order.read"
	PermOrderRetry     = "order.retry"
	PermPaymentRead    = "payment.read"
	PermFleetRead      = "fleet.read"
	PermFleetWrite     = "fleet.write"
	PermConsentRead    = "consent.read"
	PermConsentPublish = "consent.publish"
	PermAuditRead      = "audit.read"
	PermAuditVerify    = "audit.verify"
	PermRealnameReview = "realname.review"
	PermRealnameReveal = "realname.reveal"
	PermPrivacyHandle  = "privacy.handle"
	PermPrivacyDPO     = "privacy.dpo" // requests to the person in charge of personal data
	PermRetentionHold  = "retention.hold"
	PermMinorHandle    = "minor.handle" // guardians' consents, second person for readings, the yearly audit

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
)

var permissions = []string{
	PermAccountRead, PermOrderRead, PermOrderRetry, PermPaymentRead, PermFleetRead, PermFleetWrite, PermConsentRead, PermConsentPublish,
	PermAuditRead, PermAuditVerify, PermRealnameReview, PermRealnameReveal, PermPrivacyHandle, PermPrivacyDPO, PermRetentionHold, PermMinorHandle,
	PermAgreementRead, PermAgreementWrite, PermIncidentRead, PermIncidentHandle, PermIncidentSign,
	PermLegalOrderRead, PermLegalOrderEnter, PermLegalOrderApprove, PermLegalOrderExecute, PermSuccessionRead, PermSuccessionWrite,
}

// AllPermissions lists every permission, for the demonstration's operator.
func AllPermissions() []string { return slices.Clone(permissions) }
