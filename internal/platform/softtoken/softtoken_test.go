package softtoken

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

// vector is a published token (openconnect spec, section 20.3).
const vector = "258491750817210752367175001073261277346642631755724762324173166222072472716737543"

func TestThePublishedTokenIsRead(t *testing.T) {
	t.Parallel()
	got, err := Parse(vector)
	if err != nil {
		t.Fatal(err)
	}
	if got.Serial != "584917508172" || hex.EncodeToString(got.Seed[:]) != "0cd1105cd1aafd893e89f1eb7b800dd8" || got.flags() != 0x43d9 ||
		got.Digits != 8 || got.PIN != PINAdded || got.Interval != time.Minute || !got.Expires.Equal(epoch.AddDate(0, 0, 13897)) {
		t.Errorf("got %+v, flags %#x", got, got.flags())
	}
	if code := got.Code(time.Unix(1409757465, 0)); code != "65366536" {
		t.Errorf("got code %s, want 65366536", code)
	}
	if again := got.CTF(); again != vector {
		t.Errorf("got %s, want %s", again, vector)
	}
}

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "short": vector[:80], "long": vector + "0", "version": "3" + vector[1:], "letters": vector[:80] + "x",
		"one digit of the seed": vector[:20] + string('0'+(vector[20]-'0'+1)%8) + vector[21:],
		"one of the checksum":   vector[:80] + string('0'+(vector[80]-'0'+1)%8),
		"not octal":             vector[:30] + "9" + vector[31:],
	} {
		if _, err := Parse(text); !errors.Is(err, ErrCTF) {
			t.Errorf("%s: got %v, want ErrCTF", name, err)
		}
	}
	dashed := vector[:5] + "-" + vector[5:40] + "-" + vector[40:]
	if _, err := Parse(dashed); err != nil {
		t.Errorf("with dashes: %v", err)
	}
}

func TestTokensComeBackFromTheirString(t *testing.T) {
	t.Parallel()
	day := time.Date(2030, 5, 6, 0, 0, 0, 0, time.UTC)
	for range 50 {
		made := New(day)
		got, err := Parse(made.CTF())
		if err != nil || got != made {
			t.Fatalf("got %+v, %v, want %+v", got, err, made)
		}
		if !strings.HasSuffix(made.URL(), "ctfData="+made.CTF()) {
			t.Errorf("got %s", made.URL())
		}
	}
}

func TestACodeHoldsNearItsStepOnly(t *testing.T) {
	t.Parallel()
	token := New(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	now := time.Date(2026, 11, 22, 2, 0, 30, 0, time.UTC)
	present := now.Unix() / 60
	for _, c := range []struct {
		off, drift int64
		width      int
		ok         bool
	}{
		{0, 0, Near, true},
		{-1, 0, Near, true},
		{1, 0, Near, true},
		{2, 0, Near, false},
		{-2, 0, Near, false},
		{4, 5, Near, true},
		{0, 5, Near, false},
		{10, 0, Wide, true},
		{11, 0, Wide, false},
	} {
		code := token.Code(now.Add(time.Duration(c.off) * time.Minute))
		step, ok := token.Find(code, now, c.drift, c.width)
		if ok != c.ok || (ok && step != present+c.off) {
			t.Errorf("%+v: got %d, %v", c, step-present, ok)
		}
		if ok && token.Drift(step, now) != c.off {
			t.Errorf("%+v: got drift %d", c, token.Drift(step, now))
		}
	}
	if !token.Is(token.Code(now), present) || token.Is(token.Code(now), present+1) {
		t.Error("a code is not that of its step")
	}
}

func TestACodeIsSplitFromWhatStandsBeforeIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"12345678": {"", "12345678"}, "00000000": {"", "00000000"}, "pw12345678": {"pw", "12345678"}, "123456789": {"1", "23456789"},
		"1234567": {}, "1234567a": {}, "a1234567": {}, "+1234567": {}, "": {}, "pässé-12345678": {"pässé-", "12345678"},
	} {
		pin, code, ok := Split(text)
		if pin != want[0] || code != want[1] || ok != (want[1] != "") {
			t.Errorf("%q: got %q, %q, %v", text, pin, code, ok)
		}
	}
}

// FuzzParse gives the parser texts as they are, and with a checksum that holds,
// which chance does not find. What it takes comes back from its own string.
func FuzzParse(f *testing.F) {
	f.Add(vector)
	f.Add(vector[:40] + "-" + vector[40:])
	f.Add("2" + strings.Repeat("0", ctfLength-1))
	f.Add("2")
	f.Fuzz(func(t *testing.T, text string) {
		texts := []string{text}
		if len(text) == ctfLength {
			var sum bits
			sum.put(uint64(shortMAC([]byte(text[:bodyEnd]))), 15)
			texts = append(texts, text[:bodyEnd]+sum.octal())
		}
		for _, text := range texts {
			token, err := Parse(text)
			if err != nil {
				continue
			}
			if code := token.Code(time.Unix(1409757465, 0)); len(code) != token.Digits {
				t.Errorf("%q: got code %q of a token of %d digits", text, code, token.Digits)
			}
			if back, err := Parse(token.CTF()); err != nil || back != token {
				t.Errorf("%q: got %+v, %v back, want %+v", text, back, err, token)
			}
		}
	})
}
