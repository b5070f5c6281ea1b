package totp

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestCodesOfRFC6238 are the vectors of its appendix B.
func TestCodesOfRFC6238(t *testing.T) {
	t.Parallel()
	seeds := map[string]string{
		"SHA1":   "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
		"SHA256": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
		"SHA512": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
	}
	for _, c := range []struct {
		algorithm, want string
		at              int64
	}{
		{"SHA1", "94287082", 59},
		{"SHA256", "46119246", 59},
		{"SHA512", "90693936", 59},
		{"SHA1", "07081804", 1111111109},
		{"SHA256", "68084774", 1111111109},
		{"SHA512", "25091201", 1111111109},
	} {
		k, err := ParseKey("otpauth://totp/Example:alice?issuer=Example&digits=8&algorithm=" + c.algorithm + "&secret=" + seeds[c.algorithm])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Code(time.Unix(c.at, 0)); err != nil || got != c.want {
			t.Errorf("%s at %d: got %q, %v, want %s", c.algorithm, c.at, got, err, c.want)
		}
		if strings.Contains(k.URI(), "alice") || strings.Contains(k.URI(), "Example") {
			t.Errorf("a name is in %s", k.URI())
		}
		if again, err := ParseKey(k.URI()); err != nil || again != k {
			t.Errorf("got %v, %v, want %v", again, err, k)
		}
	}
}

func TestABareSeedIsOfTheUsualParameters(t *testing.T) {
	t.Parallel()
	k, err := ParseKey("gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
	if err != nil || k != (Key{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "SHA1", 6, Period}) {
		t.Errorf("got %+v, %v", k, err)
	}
	if k, err = ParseKey(URI("Skybridge", "alice", NewSeed())); err != nil || k.Digits != 6 {
		t.Errorf("our own: got %+v, %v", k, err)
	}
}

func TestWhatIsNoSeedIsRefusedWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "hunter2", "correct horse", "GEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "https://example.org/?secret=GEZDGNBVGY3TQOJQ",
		"otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ&counter=0", "otpauth://totp/a", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&digits=4",
		"otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&period=0", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&algorithm=MD5", "otpauth://totp/%zz",
	} {
		if _, err := ParseKey(text); !errors.Is(err, ErrURI) || err.Error() != ErrURI.Error() {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&digits=8")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		if err != nil {
			return
		}
		if again, err := ParseKey(k.URI()); err != nil || again != k {
			t.Errorf("got %v, %v, want %v", again, err, k)
		}
		if _, err := k.Code(time.Unix(0, 0)); err != nil {
			t.Error(err)
		}
	})
}
