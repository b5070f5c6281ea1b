package consent

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

func FuzzVerifyToken(f *testing.F) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	s := &Service{d: Deps{Clock: clock.NewFake(at)}, key: make([]byte, 32)}
	c := claim{nonce: "n", session: sessionHash(""), purpose: "p", document: "d", number: "1.0.0", textSHA256: "00", locale: "en", expires: at.Add(time.Minute)}
	enc := base64.RawURLEncoding
	good := enc.EncodeToString([]byte(c.encode())) + "." + enc.EncodeToString(sign(s.key, c.encode()))
	if got, err := s.verify(good); err != nil || got != c {
		f.Fatalf("got %+v, %v", got, err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("." + good)
	f.Fuzz(func(t *testing.T, token string) {
		got, err := s.verify(token)
		if err == nil && got != c {
			t.Errorf("%q is taken as %+v", token, got)
		}
		if err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("got %v, want ErrToken", err)
		}
	})
}
