// Package id makes identifiers.
//
// An identifier is a prefix naming its type, an underscore and 26 lower-case
// base32 characters of a UUIDv7, so that keys sort by time of creation. A
// person's handle is the exception: its 26 characters are random, so that it
// tells nothing, not even when the person came.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// The digits come first so that encoded identifiers sort like their bytes.
var encoding = base32.NewEncoding("234567abcdefghijklmnopqrstuvwxyz").WithPadding(base32.NoPadding)

// Handle is a person's handle, "sub_" and 26 random characters (128 bits). It
// is the only name of a person in tables, logs and other modules.
type Handle string

// New returns prefix + "_" + 26 characters of a UUIDv7. It panics only if the
// system has no randomness.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// NewHandle returns a random person's handle.
func NewHandle() Handle { return Handle("sub_" + Random(16)) }

// Random returns n random bytes as base32, for tokens: 16 or more for a secret.
func Random(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return encoding.EncodeToString(b)
}

// Resource returns prefix + "-" + 16 random characters [a-z2-7], the form of
// identifiers that customers see on VPN objects.
func Resource(prefix string) string { return prefix + "-" + Random(10) }

// ResourceOf is Resource for something that is to be made once for parts: the
// same parts give the same identifier.
func ResourceOf(prefix string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return prefix + "-" + encoding.EncodeToString(h.Sum(nil)[:10])
}

// Has reports whether s has the form that New gives for prefix.
func Has(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != 26 {
		return false
	}
	return strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
