//go:build linux

package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// TestTheServersWordAboutSeedsIsHeard has the real gateway say it with its forms.
func TestTheServersWordAboutSeedsIsHeard(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, keep := range []bool{true, false} {
		b.spec.SSLServers[0].KeepSeed = keep
		b.apply()
		var said []bool
		b.cfg.Seeds = func(keep bool) { said = append(said, keep) }
		if _, err := Login(t.Context(), b.cfg, Password("ann", []byte("pass"))); err != nil {
			t.Fatal(err)
		}
		if len(said) != 1 || said[0] != keep {
			t.Errorf("got %v, want %v once: there is one form", said, keep)
		}
	}
}

// TestAStockServerIsNotTakenAtAWordItDidNotSay.
func TestAStockServerIsNotTakenAtAWordItDidNotSay(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-Other: seed=keep", "X-Skybridge-Ext: coalesce", "X-Skybridge-Ext: seed", "X-Skybridge-Ext: seed=maybe"} {
		s := newScript(t, func(n int, _ request) string {
			if n == 0 {
				return ok(form("main", nameInput, passwordInput).AppendTo(nil), header)
			}
			return done()
		})
		s.cfg.Seeds = func(keep bool) { t.Errorf("%s: heard %v", header, keep) }
		if _, err := s.login(person().Answer); err != nil {
			t.Fatal(err)
		}
		if got := s.seen()[0].Header.Get("X-Skybridge-Ext"); got != openconnect.ExtSeed {
			t.Errorf("asked %q", got)
		}
	}
}

func TestASeedIsReadInEveryFormThatPeopleGet(t *testing.T) {
	t.Parallel()
	at := time.Unix(59, 0)
	own := softtoken.New(time.Unix(4e9, 0))
	for name, c := range map[string]struct{ text, want string }{
		"a link":            {"otpauth://totp/S:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=S", "287082"},
		"a seed":            {" gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n", "287082"},
		"a CTF string":      {own.CTF(), own.Code(at)},
		"one with dashes":   {own.CTF()[:5] + "-" + own.CTF()[5:], own.Code(at)},
		"its link":          {own.URL(), own.Code(at)},
		"its link for a PC": {"http://127.0.0.1/securid/ctf?ctfData=" + own.CTF(), own.Code(at)},
	} {
		s, err := ParseSeed(c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(s.Text, "ann") {
			t.Errorf("%s: the name is kept in %s", name, s.Text)
		}
		again, err := ParseSeed(s.Text) // as it is kept
		if err != nil || again != s {
			t.Errorf("%s: got %v, %v, want %v", name, again, err, s)
		}
		k, err := again.Token()
		if err != nil {
			t.Fatal(err)
		}
		if code, err := k.Code(at); err != nil || code != c.want {
			t.Errorf("%s: got %q, %v, want %s", name, code, err, c.want)
		}
	}
	for _, text := range []string{"", "hunter2", "<TKNBatch>", own.CTF()[:80], strings.Repeat("1", 81), "otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ"} {
		if _, err := ParseSeed(text); !errors.Is(err, ErrSeed) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// TestTheTokenIsAskedForWhenACodeIsWanted, so that no key store is opened for a
// login without one.
func TestTheTokenIsAskedForWhenACodeIsWanted(t *testing.T) {
	t.Parallel()
	n := 0
	k := person()
	k.Token = func() *Token { n++; return Code("123456") }
	if _, err := k.Answer(form("main", nameInput, passwordInput)); err != nil || n != 0 {
		t.Errorf("asked %d times, %v", n, err)
	}
	got, err := k.Answer(form("challenge", input(openconnect.InputPassword, openconnect.FieldAnswer)))
	if err != nil || n != 1 || string(got[openconnect.FieldAnswer].Reveal()) != "123456" {
		t.Errorf("asked %d times, got %v, %v", n, got, err)
	}
}
