package gwlink

// Reasons why a session ended.
const (
	ReasonUser          = "user"          // the person disconnected
	ReasonAdministrator = "administrator" // disconnected on the console or by API
	ReasonIdle          = "idle-timeout"
	ReasonSessionLimit  = "session-timeout"
	ReasonLost          = "connection-lost" // the cookie's life ran out
	ReasonReplaced      = "replaced"        // over the client's session limit
	ReasonRevoked       = "revoked"         // certificate, password or client withdrawn
	ReasonFrozen        = "gateway-frozen"
	ReasonProtocol      = "protocol-error"
	ReasonQuota         = "quota-used-up" // the client's traffic of the day or month
)

// Reasons are all of them, so that each is worded for people.
var Reasons = []string{
	ReasonUser, ReasonAdministrator, ReasonIdle, ReasonSessionLimit, ReasonLost, ReasonReplaced, ReasonRevoked, ReasonFrozen, ReasonProtocol,
	ReasonQuota,
}

// What a person reads of a login that control or the node by itself turns away.
const (
	TextBanned      = "Too many failed attempts from your network. Try again in 20 minutes."
	TextCertificate = "A valid client certificate is required."
)

// Why a session ended, as the person reads it whose client is told to go.
// Clients show it as it is, and stock ones show ASCII only.
var reasonTexts = map[string]string{
	ReasonUser:          "Disconnected.",
	ReasonAdministrator: "Disconnected by an administrator.",
	ReasonIdle:          "Idle for too long.",
	ReasonSessionLimit:  "Session time is over.",
	ReasonLost:          "The connection was lost for too long.",
	ReasonReplaced:      "Replaced by a newer session.",
	ReasonRevoked:       "Password, certificate or account was withdrawn.",
	ReasonFrozen:        "The VPN gateway is out of service.",
	ReasonProtocol:      "Protocol error.",
	ReasonQuota:         "The traffic allowance is used up.",
}

// ReasonText is a sentence for one of the Reason constants; a reason of a newer
// control is shown as it is.
func ReasonText(reason string) string {
	if text, ok := reasonTexts[reason]; ok {
		return text
	}
	return reason
}
