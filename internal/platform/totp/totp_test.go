package totp

import (
	"net/url"
	"testing"
	"time"
)

// seed is "12345678901234567890" of RFC 6238, appendix B; its codes are cut to
// six digits.
const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestStep(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, seed, code string
		at, step         int64
		ok               bool
	}{
		{"appendix B, 1", seed, "287082", 59, 1, true},
		{"appendix B, 2", seed, "081804", 1111111109, 37037036, true},
		{"appendix B, 3", seed, "005924", 1234567890, 41152263, true},
		{"appendix B, 4", seed, "279037", 2000000000, 66666666, true},
		{"one step late", seed, "287082", 89, 1, true},
		{"one step early", seed, "081804", 1111111079, 37037036, true},
		{"two steps late", seed, "287082", 90, 0, false},
		{"another code", seed, "287083", 59, 0, false},
		{"eight digits", seed, "94287082", 59, 0, false},
		{"empty", seed, "", 59, 0, false},
		{"no seed", "1", "287082", 59, 0, false},
	}
	for _, c := range cases {
		step, ok := Step(c.seed, c.code, time.Unix(c.at, 0))
		if step != c.step || ok != c.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", c.name, step, ok, c.step, c.ok)
		}
	}
}

func TestSeedsAreReadable(t *testing.T) {
	t.Parallel()
	a, b := NewSeed(), NewSeed()
	if len(a) != 32 || a == b {
		t.Errorf("got %d characters and the same twice: %v, want 32 and two different", len(a), a == b)
	}
	u, err := url.Parse(URI("Some Cloud", "ada", seed))
	if err != nil || u.Path != "/Some Cloud:ada" || u.Query().Get("issuer") != "Some Cloud" || u.Query().Get("secret") != seed {
		t.Errorf("got %v, %v, want issuer, name and seed in it", u, err)
	}
}
