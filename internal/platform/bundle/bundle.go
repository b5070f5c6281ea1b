// Package bundle is the file by which an operator hands a VPN profile to
// skyconnect: NAME.skyconnect, or the same as a link for a QR code.
//
// It answers: where the server is, by what it is known, who signs in with which
// certificate, what the operator allows and asks for, and the privacy policy that
// is to be accepted before a packet leaves. The server writes it, the client
// reads it; it is pure: no file, no socket, no clock.
//
//	Bundle ── Sign ──▶ Marshal ──▶ NAME.skyconnect ──▶ Parse ── Verify ──▶ Bundle
//	                └▶ Link ─────▶ skyconnect://import#… ─▶ ParseLink ─┘
//
// Invariants: unknown keys, another version, control characters, paths in names
// and anything above its bound are refused; what is signed is the canonical form
// of what was understood, so that no two readings of a file share a signature;
// there is no field for a password, and none may come.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Version is the only one there is.
const Version = 1

// MaxSize bounds a file, and what a link unpacks to.
const MaxSize = 256 << 10

// Extension ends the name of a bundle's file.
const Extension = ".skyconnect"

// Errors of reading. Each has a sentence in both languages.
var (
	ErrTooLarge  = errs.New(errs.TooLarge, "bundle.too_large").With("limit", MaxSize>>10)
	ErrMalformed = errs.New(errs.Invalid, "bundle.malformed")
	ErrVersion   = errs.New(errs.Invalid, "bundle.version")
	ErrField     = errs.New(errs.Invalid, "bundle.field") // parameter field
	ErrSignature = errs.New(errs.Forbidden, "bundle.signature")
	ErrLink      = errs.New(errs.Invalid, "bundle.link")
	ErrKey       = errs.New(errs.Invalid, "bundle.key")
	ErrPhrase    = errs.New(errs.Unauthenticated, "bundle.passphrase")
)

// Bundle is one profile, the private key that may come with it, and the
// signature of the operator.
type Bundle struct {
	Version   int        `json:"version"`
	Profile   Profile    `json:"profile"`
	Key       *Key       `json:"key,omitempty"`
	Signature *Signature `json:"signature,omitempty"`
}

// Profile is what a bundle says of a VPN. It holds no secret.
type Profile struct {
	Name        string   `json:"name"`                  // for people, 1 to 64 characters
	Server      string   `json:"server"`                // host:port
	Group       string   `json:"group,omitempty"`       // of the server's groups, without the slash
	Account     string   `json:"account,omitempty"`     // the login name
	Pins        []string `json:"pins,omitempty"`        // pin-sha256:BASE64 of the server's public key; any of them
	CA          string   `json:"ca,omitempty"`          // PEM, trusted for this server beside the system's
	Certificate string   `json:"certificate,omitempty"` // PEM, the client's first; without its key
	Options     Options  `json:"options"`
	Links       Links    `json:"links"`
	Policy      *Policy  `json:"policy,omitempty"` // nil: the client's own
}

// Options are what the operator proposes; the person may change those that are
// not about the second factor.
type Options struct {
	DTLS            bool             `json:"dtls"`
	KillSwitch      bool             `json:"kill_switch"`
	LocalLAN        bool             `json:"local_lan"`
	TrustedNetworks []TrustedNetwork `json:"trusted_networks,omitempty"` // where no VPN is needed
	Proxy           string           `json:"proxy,omitempty"`            // http://host:port
	Token           Token            `json:"token,omitempty"`
	KeepSeed        bool             `json:"keep_seed"` // the key store may hold the token's seed
}

// TrustedNetwork is a network of the operator's. It is known by a host that only it
// reaches, whose key proves it; the domain says where to ask at all.
type TrustedNetwork struct {
	Domain string `json:"domain"` // which the network's resolver searches, or one above it
	Host   string `json:"host"`   // address:port; a name would be asked for through the tunnel
	Pin    string `json:"pin"`    // pin-sha256:BASE64 of its public key
}

// ParseTrusted reads DOMAIN@ADDRESS:PORT@PIN, as people and the API write one.
func ParseTrusted(text string) (TrustedNetwork, error) {
	part := strings.Split(text, "@")
	if len(part) != 3 {
		return TrustedNetwork{}, bad("trusted_networks")
	}
	n := TrustedNetwork{part[0], part[1], part[2]}
	return n, n.Check()
}

// String is the form that ParseTrusted reads.
func (n TrustedNetwork) String() string { return n.Domain + "@" + n.Host + "@" + n.Pin }

// Key is the pin without its name.
func (n TrustedNetwork) Key() string { return strings.TrimPrefix(n.Pin, PinPrefix) }

// Check holds the parts of a trusted network to their forms.
func (n TrustedNetwork) Check() error {
	at, err := netip.ParseAddrPort(n.Host)
	switch {
	case !goodDomain(n.Domain), err != nil, at.Port() == 0, at.Addr().Zone() != "", !at.Addr().IsGlobalUnicast(), !goodPin(n.Pin):
		return bad("trusted_networks")
	}
	return nil
}

// Token is what makes the codes of the second factor.
type Token string

// Kinds of tokens.
const (
	TokenNone  Token = ""
	TokenTOTP  Token = "totp"
	TokenSoft  Token = "stoken"
	maxTrusted       = 16
	maxPins          = 8
)

// Links lead to what the client itself does not do. All are https.
type Links struct {
	Console string `json:"console,omitempty"` // accounts are made and cancelled, passwords reset there
	Rights  string `json:"rights,omitempty"`  // the page of the user's own data
	Update  string `json:"update,omitempty"`  // where newer clients are: a TUF repository's metadata
	// UpdateRoot is the SHA-256, in hex, of the repository's first root.json, so that
	// its keys are as trusted as the bundle.
	UpdateRoot string `json:"update_root,omitempty"`
}

// Key is a private key in one of two forms.
type Key struct {
	PKCS8  string `json:"pkcs8,omitempty"`  // PEM
	PKCS12 string `json:"pkcs12,omitempty"` // base64; opened by a passphrase that comes another way
}

// Parse reads a file's content strictly and checks every field. It does not
// check the signature: Verify does.
func Parse(text []byte) (Bundle, error) {
	if len(text) > MaxSize {
		return Bundle{}, ErrTooLarge
	}
	if !utf8.Valid(text) { // the decoder would put other characters there
		return Bundle{}, ErrMalformed
	}
	var b Bundle
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return Bundle{}, errs.Wrap(errs.Invalid, "bundle.malformed", reason(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Bundle{}, ErrMalformed
	}
	return b, b.check()
}

// reason keeps of an error of decoding what cannot quote the file: that may have
// a key in it.
func reason(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return errors.New("wrong kind of value for " + kind.Field)
	}
	return errors.New("not the JSON that was expected")
}

// Marshal writes the file, for people to look at too.
func (b Bundle) Marshal() ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	return encode(b, "  ")
}

// encode is JSON whose bytes depend on the value alone.
func encode(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if out.Len() > MaxSize {
		return nil, ErrTooLarge
	}
	return out.Bytes(), nil
}
