package gwlink

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestGrantHoldsOnlyAsSigned(t *testing.T) {
	t.Parallel()
	pub, key, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	signed, err := SignGrant("k1", key, Grant{Session: "ses_1", NotBefore: now, NotAfter: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), signed...)
	flipped[len("k1.")+3] ^= 1
	cases := []struct {
		name   string
		keys   []GrantKey
		signed []byte
		at     time.Time
		ok     bool
	}{
		{"as signed", []GrantKey{{"k1", pub}}, signed, now, true},
		{"small clock difference", []GrantKey{{"k1", pub}}, signed, now.Add(-time.Minute), true},
		{"before", []GrantKey{{"k1", pub}}, signed, now.Add(-time.Hour), false},
		{"after", []GrantKey{{"k1", pub}}, signed, now.Add(time.Hour), false},
		{"other key", []GrantKey{{"k1", other}}, signed, now, false},
		{"unknown key id", []GrantKey{{"k2", pub}}, signed, now, false},
		{"changed", []GrantKey{{"k1", pub}}, flipped, now, false},
		{"line break in the signature", []GrantKey{{"k1", pub}}, append(append([]byte(nil), signed...), '\n'), now, false},
		{"not a grant", []GrantKey{{"k1", pub}}, []byte("k1.x"), now, false},
		{"empty", nil, nil, now, false},
	}
	for _, c := range cases {
		g, err := VerifyGrant(c.keys, c.signed, c.at)
		if c.ok && (err != nil || g.Session != "ses_1") {
			t.Errorf("%s: got %v, %v, want the grant", c.name, g, err)
		}
		if !c.ok && !errors.Is(err, ErrGrant) {
			t.Errorf("%s: got %v, want ErrGrant", c.name, err)
		}
	}
}

// FuzzVerifyGrant gives a node what control or a stranger may send: as it is,
// and its middle part signed, which only control can. Nothing is a grant but
// what was signed, as it was signed.
func FuzzVerifyGrant(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	keys := []GrantKey{{"k1", key.Public().(ed25519.PublicKey)}}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	whole, err := SignGrant("k1", key, Grant{Session: "ses_1", MaxSessions: 2, NotBefore: now, NotAfter: now.Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(string(whole), ".")[1])
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{whole, body, []byte("k1.e30.AA"), []byte(`{"session":1}`), []byte(`{"fixed_inner":"10.0.0.256"}`), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := VerifyGrant(keys, b, now); err == nil && string(b) != string(whole) {
			t.Errorf("%q was taken for a grant: %+v", b, g)
		}
		head := "k1." + base64.RawURLEncoding.EncodeToString(b)
		sig := ed25519.Sign(key, []byte(grantContext+head))
		signed := []byte(head + "." + base64.RawURLEncoding.EncodeToString(sig))
		g, err := VerifyGrant(keys, signed, now)
		if err != nil && !errors.Is(err, ErrGrant) {
			t.Errorf("got %v, want ErrGrant", err)
		}
		if err == nil && (!now.Before(g.NotAfter) || now.Before(g.NotBefore.Add(-2*time.Minute))) {
			t.Errorf("out of its time: %+v", g)
		}
		signed[len(head)+1] ^= 1
		if _, err := VerifyGrant(keys, signed, now); err == nil {
			t.Error("a grant with another signature was taken")
		}
	})
}
