package vpn

import "github.com/skybridge-cloud/skybridge/internal/platform/errs"

// Errors. What belongs to another account is answered like what is absent.
var (
	ErrGatewayNotFound = errs.New(errs.NotFound, "vpn.gateway_not_found")
	ErrServerNotFound  = errs.New(errs.NotFound, "vpn.server_not_found")
	ErrClientNotFound  = errs.New(errs.NotFound, "vpn.client_not_found")
	ErrNetworkNotFound = errs.New(errs.Unprocessable, "vpn.network_not_found")

	ErrNameInvalid    = errs.New(errs.Unprocessable, "vpn.name_invalid")
	ErrDescription    = errs.New(errs.Unprocessable, "vpn.description_invalid")
	ErrNameDuplicate  = errs.New(errs.Conflict, "vpn.name_duplicate")
	ErrQuota          = errs.New(errs.Unprocessable, "vpn.quota_exceeded")
	ErrQuotaDecision  = errs.New(errs.Unprocessable, "vpn.quota_decision") // params "names", "most"
	ErrQuotaRequest   = errs.New(errs.NotFound, "vpn.quota_request_not_found")
	ErrLimits         = errs.New(errs.Unprocessable, "vpn.limits_invalid")
	ErrServiceMissing = errs.New(errs.Conflict, "vpn.service_missing") // param "service"
	ErrInUse          = errs.New(errs.Conflict, "vpn.in_use")
	ErrStale          = errs.New(errs.Conflict, "vpn.version_conflict")
	ErrState          = errs.New(errs.Conflict, "vpn.wrong_state")

	ErrSubnets        = errs.New(errs.Unprocessable, "vpn.local_subnets_invalid")
	ErrGatewaySubnets = errs.New(errs.Unprocessable, "vpn.gateway_subnets_invalid") // param "limit"
	ErrSubnetInUse    = errs.New(errs.Conflict, "vpn.subnet_in_use")                // param "subnet"
	ErrPool           = errs.New(errs.Unprocessable, "vpn.pool_invalid")
	ErrPoolConflict   = errs.New(errs.Unprocessable, "vpn.pool_conflict")
	ErrPoolTooSmall   = errs.New(errs.Unprocessable, "vpn.pool_too_small")
	ErrPool6          = errs.New(errs.Unprocessable, "vpn.pool6_invalid")
	ErrNoIPv6         = errs.New(errs.Unprocessable, "vpn.network_without_ipv6")
	ErrRoutes         = errs.New(errs.Unprocessable, "vpn.routes_invalid")
	ErrRouteConflict  = errs.New(errs.Unprocessable, "vpn.route_conflict") // params "prefix", "other"
	ErrPort           = errs.New(errs.Unprocessable, "vpn.port_invalid")
	ErrPortConflict   = errs.New(errs.Conflict, "vpn.port_conflict")
	ErrDNS            = errs.New(errs.Unprocessable, "vpn.dns_invalid")
	ErrSetting        = errs.New(errs.Unprocessable, "vpn.setting_invalid") // param "setting"
	ErrGroups         = errs.New(errs.Unprocessable, "vpn.groups_invalid")
	ErrGroupUnknown   = errs.New(errs.Unprocessable, "vpn.group_unknown")            // param "group"
	ErrACL            = errs.New(errs.Unprocessable, "vpn.acl_invalid")              // param "rule", from 1
	ErrTrusted        = errs.New(errs.Unprocessable, "vpn.trusted_networks_invalid") // param "network", from 1
	ErrFixedIP        = errs.New(errs.Unprocessable, "vpn.fixed_ip_invalid")
	ErrFixedIPTaken   = errs.New(errs.Conflict, "vpn.fixed_ip_taken")
	ErrRate           = errs.New(errs.Unprocessable, "vpn.rate_invalid")
	ErrPasswordWeak   = errs.New(errs.Unprocessable, "vpn.password_weak")
	ErrCSR            = errs.New(errs.Unprocessable, "vpn.csr_invalid")
	ErrSecretExpired  = errs.New(errs.Gone, "vpn.secret_expired")
	ErrDeviceNotFound = errs.New(errs.NotFound, "vpn.device_not_found")
	ErrEnrolment      = errs.New(errs.NotFound, "vpn.enrolment_over")
	ErrBundleLink     = errs.New(errs.NotFound, "vpn.bundle_link_over")
	ErrBundleLinkLife = errs.New(errs.Unprocessable, "vpn.bundle_link_life")
	ErrEnrolmentCode  = errs.New(errs.Unprocessable, "vpn.enrolment_code")
	ErrNoToken        = errs.New(errs.Conflict, "vpn.client_without_token")
	ErrUserSession    = errs.New(errs.Unauthenticated, "vpn.user_session")
	ErrUserLogin      = errs.New(errs.Unauthenticated, "vpn.user_login")
	ErrUserLocked     = errs.New(errs.Limited, "vpn.user_locked")
	ErrUserToken      = errs.New(errs.Conflict, "vpn.user_without_token")
	ErrResetReason    = errs.New(errs.Unprocessable, "vpn.reset_reason").ByClause("TY-2.3")
	ErrLogin          = errs.New(errs.Invalid, "vpn.login_malformed")

	ErrKeyRequest               = errs.New(errs.Invalid, "vpn.key_request_malformed")
	ErrCertificateNotFound      = errs.New(errs.NotFound, "vpn.certificate_not_found")
	ErrCertificateInUse         = errs.New(errs.Conflict, "vpn.certificate_in_use") // param "users"
	ErrCertificateIssued        = errs.New(errs.Conflict, "vpn.certificate_issued")
	ErrCertificateNotIssued     = errs.New(errs.Conflict, "vpn.certificate_not_issued")
	ErrBlockNotFound            = errs.New(errs.NotFound, "vpn.block_not_found")
	ErrBlockForeign             = errs.New(errs.Unprocessable, "vpn.block_not_foreign")
	ErrBlockSerial              = errs.New(errs.Unprocessable, "vpn.block_serial_invalid")
	ErrCertificateErased        = errs.New(errs.Gone, "vpn.certificate_erased")
	ErrCertificateUse           = errs.New(errs.Unprocessable, "vpn.certificate_unsuited") // param "kind"
	ErrServerNameTaken          = errs.New(errs.Conflict, "vpn.server_name_taken")         // param "name"
	ErrCertificateKind          = errs.New(errs.Unprocessable, "vpn.certificate_type_unknown")
	ErrCertificateGM            = errs.New(errs.Unprocessable, "vpn.certificate_gm_unsupported")
	ErrCertificateClient        = errs.New(errs.Unprocessable, "vpn.certificate_client_upload")
	ErrCertificateLarge         = errs.New(errs.Unprocessable, "vpn.certificate_too_large")
	ErrCertificatePEM           = errs.New(errs.Unprocessable, "vpn.certificate_not_pem")
	ErrCertificateUnreadable    = errs.New(errs.Unprocessable, "vpn.certificate_unreadable")
	ErrCertificateKeyInside     = errs.New(errs.Unprocessable, "vpn.certificate_key_inside")
	ErrCertificateEnded         = errs.New(errs.Unprocessable, "vpn.certificate_expired")
	ErrCertificateEarly         = errs.New(errs.Unprocessable, "vpn.certificate_not_yet_valid")
	ErrCertificateWeakKey       = errs.New(errs.Unprocessable, "vpn.certificate_weak_key")
	ErrCertificateWeakSignature = errs.New(errs.Unprocessable, "vpn.certificate_weak_signature")
	ErrCertificateChain         = errs.New(errs.Unprocessable, "vpn.certificate_chain_order")
	ErrCertificateIsCA          = errs.New(errs.Unprocessable, "vpn.certificate_is_ca")
	ErrCertificateNoCA          = errs.New(errs.Unprocessable, "vpn.certificate_no_ca")
	ErrCertificateUsage         = errs.New(errs.Unprocessable, "vpn.certificate_not_for_servers")
	ErrCertificateKeyMissing    = errs.New(errs.Unprocessable, "vpn.certificate_key_missing")
	ErrCertificateKeyUnwanted   = errs.New(errs.Unprocessable, "vpn.certificate_key_unwanted")
	ErrCertificateKeyUnreadable = errs.New(errs.Unprocessable, "vpn.certificate_key_unreadable")
	ErrCertificateKeyEncrypted  = errs.New(errs.Unprocessable, "vpn.certificate_key_encrypted")
	ErrCertificateKeyForeign    = errs.New(errs.Unprocessable, "vpn.certificate_key_mismatch")
)
