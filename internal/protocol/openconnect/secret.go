package openconnect

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const hidden = "[secret]"

// Secret is a value that never reaches a log: every way of printing or encoding
// it gives "[secret]". Only Reveal returns the bytes.
type Secret struct{ b []byte }

// NewSecret wraps b without copying it.
func NewSecret(b []byte) Secret { return Secret{b} }

// Reveal returns the bytes themselves, not a copy.
func (s Secret) Reveal() []byte { return s.b }

// Len returns the number of bytes; zero means that there is none.
func (s Secret) Len() int { return len(s.b) }

// Equal compares in constant time. Empty secrets equal nothing, not even each
// other, so that a missing value never opens a door.
func (s Secret) Equal(o Secret) bool {
	return len(s.b) > 0 && subtle.ConstantTimeCompare(s.b, o.b) == 1
}

// Zero overwrites the bytes, which all copies of the Secret share.
func (s Secret) Zero() { clear(s.b) }

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements [encoding.TextMarshaler], and so JSON and XML too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Fields are the answers of a form by field name. Printing shows the names only.
type Fields map[string]string

// Format implements [fmt.Formatter] for every verb.
func (v Fields) Format(f fmt.State, _ rune) { fmt.Fprint(f, v.names()) }

// LogValue implements [slog.LogValuer].
func (v Fields) LogValue() slog.Value { return slog.AnyValue(v.names()) }

// MarshalJSON hides the values from JSON logs.
func (v Fields) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

func (v Fields) names() []string {
	out := make([]string, 0, len(v))
	for name := range v {
		out = append(out, name)
	}
	return out
}
