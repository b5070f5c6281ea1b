package journal

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// secretKeys are words that name a secret, in a key of a line. "code" is a code
// of the second factor here.
var secretKeys = []string{"password", "passphrase", "passcode", "cookie", "code", "seed", "secret", "key", "token", "pin"}

const cut = "‹removed›"

// handler cuts secrets before the next handler sees a line.
type handler struct {
	next    slog.Handler
	secrets *secrets
}

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *handler) WithAttrs(as []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(as))
	for i, a := range as {
		clean[i] = h.attr(a)
	}
	return &handler{h.next.WithAttrs(clean), h.secrets}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.secrets}
}

func (h *handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		var group []slog.Attr
		for _, x := range v.Group() {
			group = append(group, h.attr(x))
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(group...)}
	case namesSecret(a.Key):
		return slog.String(a.Key, cut)
	case v.Kind() == slog.KindString, v.Kind() == slog.KindAny:
		return slog.String(a.Key, h.text(v.String()))
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// namesSecret takes a key apart at its underscores: session_cookie is one.
func namesSecret(key string) bool {
	for _, part := range strings.FieldsFunc(strings.ToLower(key), func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
		if slices.Contains(secretKeys, part) {
			return true
		}
	}
	return false
}

func (h *handler) text(s string) string { return string(h.secrets.cut([]byte(s))) }

// shortest is the length from which a secret is looked for: to cut each "1" out
// of a log would tell more than it hides.
const shortest = 4

// secrets are what no line may have.
type secrets struct {
	mu  sync.Mutex
	all map[*byte][]byte
}

func (s *secrets) add(secret []byte) (release func()) {
	if len(secret) < shortest {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*byte][]byte{}
	}
	s.all[&secret[0]] = secret
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, &secret[0])
	}
}

func (s *secrets) cut(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.all {
		b = bytes.ReplaceAll(b, secret, []byte(cut))
	}
	return b
}
