// Package password hashes and checks passwords with Argon2id.
//
// It is not for tokens or codes (those are random and compared by digest). A
// hash is a PHC string, so that its parameters travel with it:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// Invariants: at most a fixed number of hashes run at once, because each takes
// 19 MiB; checking a name that does not exist costs the same work as one that
// does (VerifyAbsent); no error and no log holds a password.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Cost of a hash (OWASP's first recommendation for Argon2id).
const (
	memory    = 19 * 1024 // KiB
	maxMemory = 256 * 1024
	passes    = 2
	threads   = 1
	saltLen   = 16
	keyLen    = 32
)

// ErrHash says that a stored hash cannot be read.
var ErrHash = errors.New("password hash is malformed")

// Hasher hashes with bounded concurrency. It is safe for concurrent use.
type Hasher struct {
	slots  chan struct{}
	memory uint32 // KiB of new hashes
	absent string
}

// NewHasher returns a hasher that runs at most n hashes at once; 0 means one
// for each processor.
func NewHasher(n int) *Hasher {
	if n <= 0 {
		n = runtime.NumCPU()
	}
	return NewHasherAt(n, memory)
}

// NewHasherAt returns a hasher for tests that are not about what a hash costs:
// one that costs kib KiB, which may be too little for a password that matters.
func NewHasherAt(n int, kib uint32) *Hasher {
	return withMemory(make(chan struct{}, n), kib)
}

func withMemory(slots chan struct{}, kib uint32) *Hasher {
	return &Hasher{slots: slots, memory: kib, absent: encode(kib, make([]byte, saltLen), make([]byte, keyLen))}
}

// WithMemory returns a hasher whose new hashes cost kib KiB, at least what
// those of h do (19 MiB) and at most 256 MiB. It shares the slots of h.
func (h *Hasher) WithMemory(kib uint32) *Hasher {
	return withMemory(h.slots, min(max(kib, h.memory), maxMemory))
}

// Stale reports whether a hash was made with other costs than new ones are, so
// that its password should be hashed again when it is known.
func (h *Hasher) Stale(hash string) bool {
	p, err := decode(hash)
	return err != nil || p.memory != h.memory || p.passes != passes || p.threads != threads
}

// Hash returns the PHC string of a password with a new salt. It waits for a
// slot and returns ctx's error if that takes too long.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	if mutant.Off("LT-1.1a") {
		clear(salt)
	}
	key, err := h.derive(ctx, password, salt, h.memory, passes, threads, keyLen)
	if err != nil {
		return "", err
	}
	return encode(h.memory, salt, key), nil
}

// Verify reports whether a password belongs to a hash. An error says that it
// could not be told, and must be treated as no.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	p, err := decode(hash)
	if err != nil {
		return false, err
	}
	key, err := h.derive(ctx, password, p.salt, p.memory, p.passes, p.threads, uint32(len(p.key)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

// VerifyAbsent does the work of Verify for a name that does not exist, so that
// the time taken does not tell which names do.
func (h *Hasher) VerifyAbsent(ctx context.Context, password string) error {
	_, err := h.Verify(ctx, h.absent, password)
	return err
}

func (h *Hasher) derive(ctx context.Context, password string, salt []byte, m, t uint32, p uint8, n uint32) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, t, m, p, n), nil
}

type parts struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

func encode(kib uint32, salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, kib, passes, threads, b.EncodeToString(salt), b.EncodeToString(key))
}

func decode(hash string) (p parts, err error) {
	f := strings.Split(hash, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return parts{}, ErrHash
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil || n != 3 {
		return parts{}, ErrHash
	}
	if p.memory == 0 || p.memory > maxMemory || p.passes == 0 || p.passes > 10 || p.threads == 0 || p.threads > 8 {
		return parts{}, ErrHash
	}
	p.salt, err = base64.RawStdEncoding.DecodeString(f[4])
	if err != nil || len(p.salt) < 8 {
		return parts{}, ErrHash
	}
	p.key, err = base64.RawStdEncoding.DecodeString(f[5])
	if err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return parts{}, ErrHash
	}
	return p, nil
}

// Classes counts which of the four classes a password uses: lower case, upper
// case, digits, everything else.
func Classes(password string) int {
	var seen [4]bool
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			seen[0] = true
		case unicode.IsUpper(r):
			seen[1] = true
		case unicode.IsDigit(r):
			seen[2] = true
		default:
			seen[3] = true
		}
	}
	n := 0
	for _, s := range seen {
		if s {
			n++
		}
	}
	return n
}

// letters leaves out characters that are taken for one another and those that
// shells or XML treat specially.
const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.+"

// Generate returns a random password of n characters (8 or more) of at least
// three classes.
func Generate(n int) string {
	for {
		b := make([]byte, n)
		for i := range b {
			k, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
			if err != nil {
				panic(err) // the system has no randomness
			}
			b[i] = letters[k.Int64()]
		}
		if Classes(string(b)) >= 3 {
			return string(b)
		}
	}
}
