package vpn

import "github.com/skybridge-cloud/skybridge/internal/platform/errs"

// Errors. What belongs to another account is answered like what is absent.
var (
	ErrGatewayNotFound = errs.New(errs.NotFound, "vpn.gateway_not_found")
	ErrServerNotFound  = errs.New(errs.NotFound, "vpn.server_not_found")
	ErrClientNotFound  = errs.New(errs.NotFound, "vpn.client_not_found")
	ErrNetworkNotFound = errs.New(errs.Unprocessable, "vpn.network_not_found")

	ErrNameInvalid   = errs.New(errs.Unprocessable, "vpn.name_invalid")
	ErrNameDuplicate = errs.New(errs.Conflict, "vpn.name_duplicate")
	ErrQuota         = errs.New(errs.Unprocessable, "vpn.quota_exceeded")
	ErrLimits        = errs.New(errs.Unprocessable, "vpn.limits_invalid")
	ErrInUse         = errs.New(errs.Conflict, "vpn.in_use")
	ErrStale         = errs.New(errs.Conflict, "vpn.version_conflict")
	ErrState         = errs.New(errs.Conflict, "vpn.wrong_state")

	ErrSubnets       = errs.New(errs.Unprocessable, "vpn.local_subnets_invalid")
	ErrPool          = errs.New(errs.Unprocessable, "vpn.pool_invalid")
	ErrPoolConflict  = errs.New(errs.Unprocessable, "vpn.pool_conflict")
	ErrPoolTooSmall  = errs.New(errs.Unprocessable, "vpn.pool_too_small")
	ErrPool6         = errs.New(errs.Unprocessable, "vpn.pool6_invalid")
	ErrNoIPv6        = errs.New(errs.Unprocessable, "vpn.network_without_ipv6")
	ErrRoutes        = errs.New(errs.Unprocessable, "vpn.routes_invalid")
	ErrRouteConflict = errs.New(errs.Unprocessable, "vpn.route_conflict") // params "prefix", "other"
	ErrPort          = errs.New(errs.Unprocessable, "vpn.port_invalid")
	ErrDNS           = errs.New(errs.Unprocessable, "vpn.dns_invalid")
	ErrSetting       = errs.New(errs.Unprocessable, "vpn.setting_invalid") // param "setting"
	ErrFixedIP       = errs.New(errs.Unprocessable, "vpn.fixed_ip_invalid")
	ErrFixedIPTaken  = errs.New(errs.Conflict, "vpn.fixed_ip_taken")
	ErrRate          = errs.New(errs.Unprocessable, "vpn.rate_invalid")
	ErrPasswordWeak  = errs.New(errs.Unprocessable, "vpn.password_weak")
	ErrCSR           = errs.New(errs.Unprocessable, "vpn.csr_invalid")
	ErrSecretExpired = errs.New(errs.Gone, "vpn.secret_expired")
	ErrLogin         = errs.New(errs.Invalid, "vpn.login_malformed")
)
