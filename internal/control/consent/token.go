package consent

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// TokenLife is how long an act may follow its prompt.
const TokenLife = 30 * time.Minute

// claim is what a token binds. A token is the claim and a MAC over it, so that
// showing a prompt writes nothing; what is kept is the nonce of a used one.
type claim struct {
	nonce      string
	session    string // hash of the login session's id; of "" at registration
	purpose    string
	document   string
	number     string
	textSHA256 string
	locale     string
	expires    time.Time
}

func (c claim) encode() string {
	return strings.Join([]string{
		"1", c.nonce, c.session, c.purpose, c.document, c.number, c.textSHA256, c.locale,
		strconv.FormatInt(db.Micros(c.expires), 10),
	}, "\n")
}

func decodeClaim(text string) (claim, error) {
	f := strings.Split(text, "\n")
	if len(f) != 9 || f[0] != "1" {
		return claim{}, ErrToken
	}
	micros, err := strconv.ParseInt(f[8], 10, 64)
	if err != nil {
		return claim{}, ErrToken
	}
	return claim{nonce: f[1], session: f[2], purpose: f[3], document: f[4], number: f[5], textSHA256: f[6], locale: f[7], expires: db.FromMicros(micros)}, nil
}

func sessionHash(session string) string {
	sum := sha256.Sum256([]byte("consent session\n" + session))
	return hex.EncodeToString(sum[:16])
}

func sign(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("skybridge consent token\n" + text))
	return m.Sum(nil)
}

func (s *Service) issue(ctx context.Context, c claim) (string, error) {
	key, err := s.tokenKey(ctx)
	if err != nil {
		return "", err
	}
	c.nonce = id.Random(16)
	text := c.encode()
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(text)) + "." + enc.EncodeToString(sign(key, text)), nil
}

// verify checks MAC and expiry; consuming is the transaction's part.
func (s *Service) verify(token string) (claim, error) {
	body, mac, ok := strings.Cut(token, ".")
	if !ok || len(token) > 2048 {
		return claim{}, ErrToken
	}
	enc := base64.RawURLEncoding
	text, err := enc.DecodeString(body)
	if err != nil {
		return claim{}, ErrToken
	}
	given, err := enc.DecodeString(mac)
	if err != nil {
		return claim{}, ErrToken
	}
	key, err := s.loadedKey()
	if err != nil {
		return claim{}, err
	}
	if !hmac.Equal(given, sign(key, string(text))) {
		return claim{}, ErrToken
	}
	c, err := decodeClaim(string(text))
	if err != nil {
		return claim{}, err
	}
	if !s.d.Clock.Now().Before(c.expires) {
		return claim{}, ErrToken
	}
	return c, nil
}

// consumeTx makes the token's use single.
func consumeTx(ctx context.Context, tx *db.Tx, c claim) error {
	return tx.ExecOne(ctx, ErrToken, "INSERT INTO consent_token (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		c.nonce, db.Micros(c.expires))
}

// purge forgets used tokens that have expired.
func (s *Service) purge(ctx context.Context) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM consent_token WHERE expires_at <= $1", db.Micros(s.d.Clock.Now()))
		return err
	})
}

const keyName = "consent.token"

// loadedKey never touches a database, for acts run inside transactions.
func (s *Service) loadedKey() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		return nil, errs.New(errs.Unavailable, "consent.unavailable")
	}
	return s.key, nil
}

// tokenKey returns the key shared by all processes; the first one makes it.
func (s *Service) tokenKey(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	sealed, err := s.d.Vault.SealSystem(ctx, keyName, fresh)
	if err != nil {
		return nil, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO consent_secret (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			keyName, sealed, db.Micros(s.d.Clock.Now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	kept, err := db.Get(ctx, s.d.DB, nil, db.One[[]byte], "SELECT sealed FROM consent_secret WHERE name = $1", keyName)
	if err != nil {
		return nil, err
	}
	s.key, err = s.d.Vault.OpenSystem(ctx, keyName, kept)
	return s.key, err
}
