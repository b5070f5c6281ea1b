package gwlink

import (
	"crypto/ed25519"
	"errors"
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
