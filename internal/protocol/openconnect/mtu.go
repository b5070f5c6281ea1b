package openconnect

const (
	minBaseMTU   = 1280 // a client's base MTU below this counts as this
	minTunnelMTU = 576
	minIPv6MTU   = 1280 // RFC 8200 section 5
	defaultLink  = 1500
)

// TunnelCipher is what the tunnel MTU depends on.
type TunnelCipher int

// Ciphers of the DTLS channel. CipherGCM is the choice while the suite is unknown.
const (
	CipherGCM    TunnelCipher = iota // 8 bytes of explicit nonce
	CipherChaCha                     // none
)

// ClampBaseMTU returns the link MTU to build the tunnel on: what the client
// measured (0 when it said nothing), at least 1280 and at most the server's own
// link MTU (1500 when that is not known). A client that said nothing is taken to
// be on an Ethernet. It is the value of X-CSTP-Base-MTU.
func ClampBaseMTU(client, link int) int {
	if link <= 0 {
		link = defaultLink
	}
	if client <= 0 {
		client = defaultLink
	}
	return min(max(client, minBaseMTU), link)
}

// TunnelMTU returns the MTU of the tunnel device, for both channels: the base
// MTU less IP header, UDP, DTLS record header, nonce, tag and type byte; never
// below 576. outerIPv6 tells over which protocol the client is connected.
func TunnelMTU(base int, outerIPv6 bool, c TunnelCipher) int {
	const udp, record, tag, typ = 8, 13, 16, 1
	ip, nonce := 20, 8
	if outerIPv6 {
		ip = 40
	}
	if c == CipherChaCha {
		nonce = 0
	}
	return max(base-ip-udp-record-nonce-tag-typ, minTunnelMTU)
}

// FitsIPv6 tells whether an IPv6 address may be assigned with a tunnel MTU.
func FitsIPv6(tunnelMTU int) bool { return tunnelMTU >= minIPv6MTU }
