package gwlink

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Grant is what a successful login allows. The node keeps it until the
// session ends and accepts cookie reconnects by it while control is away.
type Grant struct {
	Session     string     `json:"session"` // ses_..., made by control
	Gateway     string     `json:"gateway"`
	Server      string     `json:"server"`
	Client      string     `json:"client"`
	FixedInner  netip.Addr `json:"fixed_inner,omitzero"`
	FixedInner6 netip.Addr `json:"fixed_inner6,omitzero"`
	MaxSessions int        `json:"max_sessions"` // per client; the oldest yields
	UpRate      int64      `json:"up_rate"`      // bit/s, 0 = the gateway's
	DownRate    int64      `json:"down_rate"`
	Serial      string     `json:"serial,omitempty"` // certificate used, upper-case hex
	Issuer      string     `json:"issuer,omitempty"` // of that certificate, see NameHash
	// Path is that certificate with all that it was verified by, see PathOf.
	Path      []CertificateID `json:"path,omitempty"`
	NotBefore time.Time       `json:"not_before"`
	NotAfter  time.Time       `json:"not_after"` // end of the session at the latest
	// Notices is how many notices of the operator the person has not read yet. The
	// client says so; what they say is read in the console.
	Notices int `json:"notices,omitempty"`
}

// ErrGrant is returned for a grant that is malformed, not signed by an
// accepted key, or outside its time.
var ErrGrant = errors.New("grant is not valid")

const grantContext = "skybridge-grant/v1\n"

// SignGrant serialises g and signs it. The form is
// keyID "." base64url(json) "." base64url(signature).
func SignGrant(keyID string, key ed25519.PrivateKey, g Grant) ([]byte, error) {
	body, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encoding grant: %w", err)
	}
	head := keyID + "." + base64.RawURLEncoding.EncodeToString(body)
	sig := ed25519.Sign(key, []byte(grantContext+head))
	return []byte(head + "." + base64.RawURLEncoding.EncodeToString(sig)), nil
}

// VerifyGrant opens a signed grant with one of the accepted keys, at time now.
// A clock difference of two minutes is allowed at the start. A grant has one
// form: of those that mean the same, such as with a line break in the
// signature, only the one that was signed holds. It returns
// ErrGrant for everything that is not a valid grant.
func VerifyGrant(keys []GrantKey, signed []byte, now time.Time) (Grant, error) {
	part := strings.Split(string(signed), ".")
	if len(part) != 3 {
		return Grant{}, ErrGrant
	}
	sig, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || base64.RawURLEncoding.EncodeToString(sig) != part[2] || !verifyAny(keys, part[0], []byte(grantContext+part[0]+"."+part[1]), sig) {
		return Grant{}, ErrGrant
	}
	body, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		return Grant{}, ErrGrant
	}
	var g Grant
	if err := json.Unmarshal(body, &g); err != nil {
		return Grant{}, ErrGrant
	}
	if now.Before(g.NotBefore.Add(-2*time.Minute)) || !now.Before(g.NotAfter) {
		return Grant{}, ErrGrant
	}
	return g, nil
}

func verifyAny(keys []GrantKey, id string, text, sig []byte) bool {
	for _, k := range keys {
		if k.ID == id && len(k.Public) == ed25519.PublicKeySize && ed25519.Verify(k.Public, text, sig) {
			return true
		}
	}
	return false
}
