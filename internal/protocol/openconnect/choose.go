package openconnect

import (
	"net/http"
	"slices"
)

// PSKExporterLabel is the label under which both ends export the 32 byte PSK
// from the TLS connection that carried CONNECT, without a context.
const PSKExporterLabel = "EXPORTER-openconnect-psk"

// DTLSMode is how the DTLS channel gets its keys.
type DTLSMode int

// Modes of DTLS.
const (
	DTLSOff    DTLSMode = iota // no X-DTLS header at all
	DTLSPSK                    // X-DTLS-App-ID, full PSK handshake
	DTLSResume                 // X-DTLS-Session-ID, resumption from the client's master secret
)

// DTLSChoice is the method for one session.
type DTLSChoice struct {
	Mode   DTLSMode
	Suite  uint16 // DTLSResume: the IANA number of the one suite
	Header string // the header that names the choice
	Name   string
}

const (
	headerDTLS   = "X-DTLS-CipherSuite"
	headerDTLS12 = "X-DTLS12-CipherSuite"
	pskNegotiate = "PSK-NEGOTIATE"
)

// resumeNames are the names that may be chosen, in order: ECDHE-RSA names first,
// since some clients bind the plain ones to another suite, and the AES-256 ones
// first among equals, as stock servers choose. There is no ECDSA name (stock
// openconnect has none) and nothing of DTLS "0.9".
var resumeNames = []DTLSChoice{
	{DTLSResume, 0xc030, headerDTLS12, "ECDHE-RSA-AES256-GCM-SHA384"},
	{DTLSResume, 0xc02f, headerDTLS12, "ECDHE-RSA-AES128-GCM-SHA256"},
	{DTLSResume, 0x009d, headerDTLS12, "AES256-GCM-SHA384"},
	{DTLSResume, 0x009c, headerDTLS12, "AES128-GCM-SHA256"},
	{DTLSResume, 0x009d, headerDTLS, "OC-DTLS1_2-AES256-GCM"},
	{DTLSResume, 0x009c, headerDTLS, "OC-DTLS1_2-AES128-GCM"},
}

// ChooseDTLS picks the DTLS method for a client. exporter tells whether the TLS
// connection could export the PSK (Go refuses on TLS 1.2 without extended master
// secret). The lists are searched whole; their order means nothing.
func ChooseDTLS(r ConnectRequest, exporter bool) DTLSChoice {
	if exporter && slices.Contains(r.DTLSCiphers, pskNegotiate) {
		return DTLSChoice{Mode: DTLSPSK, Header: headerDTLS, Name: pskNegotiate}
	}
	if r.MasterSecret.Len() != MasterSecretLen {
		return DTLSChoice{}
	}
	for _, c := range resumeNames {
		offered := r.DTLSCiphers
		if c.Header == headerDTLS12 {
			offered = r.DTLS12Ciphers
		}
		if slices.Contains(offered, c.Name) {
			return c
		}
	}
	return DTLSChoice{}
}

// Private extensions of X-Skybridge-Ext, which only our own ends know. Without
// the other end's word for them nothing private is sent.
const (
	ExtCoalesce = "coalesce" // a TLS record may hold several frames, a frame may span records
	ExtGSO      = "gso"      // both directions may send TypeGSO
)

// extHeader carries the private extensions, in both directions.
const extHeader = "X-Skybridge-Ext"

// noticesHeader says how many notices of the operator the person has not read.
const noticesHeader = "X-Skybridge-Notices"

// What a client asks in a request of a login, and what it is told with the form:
// whether it may keep the seed of a software token.
const (
	ExtSeed       = "seed"
	extSeedKeep   = "seed=keep"
	extSeedForbid = "seed=forbid"
)

// SeedRule is the header's value for the answer to a request; "" for a client that
// did not ask.
func SeedRule(request http.Header, keep bool) string {
	switch {
	case !slices.Contains(list(request.Get(extHeader), ","), ExtSeed):
		return ""
	case keep:
		return extSeedKeep
	}
	return extSeedForbid
}

// HeardSeedRule reads it from an answer; said is false where it does not say.
func HeardSeedRule(answer http.Header) (keep, said bool) {
	switch answer.Get(extHeader) {
	case extSeedKeep:
		return true, true
	case extSeedForbid:
		return false, true
	}
	return false, false
}

// ChooseExtensions returns those of the offered extensions that this end knows.
func ChooseExtensions(offered []string) []string {
	var out []string
	for _, e := range []string{ExtCoalesce, ExtGSO} {
		if slices.Contains(offered, e) {
			out = append(out, e)
		}
	}
	return out
}
