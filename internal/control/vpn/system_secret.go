package vpn

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// secret is an opened system secret with what is public of it.
type secret struct {
	name    string
	private []byte
	public  []byte
}

const (
	grantSecret  = "grant/1"  // Ed25519 seed that signs grants
	originSecret = "origin/1" // keys the digests of login sources
)

// systemSecret returns a secret of the installation, making it at first use.
func (s *Service) systemSecret(ctx context.Context, name string, make func() (private, public []byte, err error)) (secret, error) {
	s.mu.Lock()
	got, ok := s.secrets[name]
	s.mu.Unlock()
	if ok {
		return got, nil
	}
	private, public, err := make()
	if err != nil {
		return secret{}, err
	}
	sealed, err := s.system.SealSystem(ctx, "vpn_secret/"+name, private)
	if err != nil {
		return secret{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO vpn_secret (name, sealed, public, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
			name, sealed, blob(public), db.Micros(s.clock.Now()))
		return err
	})
	if err != nil {
		return secret{}, err
	}
	return s.loadSecret(ctx, name)
}

func (s *Service) loadSecret(ctx context.Context, name string) (secret, error) {
	got := secret{name: name}
	sealed, err := db.Get(ctx, s.db, nil, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b, &got.public) },
		"SELECT sealed, public FROM vpn_secret WHERE name = $1", name)
	if err != nil {
		return secret{}, err
	}
	if got.private, err = s.system.OpenSystem(ctx, "vpn_secret/"+name, sealed); err != nil {
		return secret{}, fmt.Errorf("opening the secret %s: %w", name, err)
	}
	s.mu.Lock()
	s.secrets[name] = got
	s.mu.Unlock()
	return got, nil
}

func (s *Service) grantKey(ctx context.Context) (ed25519.PrivateKey, secret, error) {
	k, err := s.systemSecret(ctx, grantSecret, func() ([]byte, []byte, error) {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("making a grant key: %w", err)
		}
		return private.Seed(), public, nil
	})
	if err != nil {
		return nil, secret{}, err
	}
	if len(k.private) != ed25519.SeedSize {
		return nil, secret{}, fmt.Errorf("grant key has %d bytes", len(k.private))
	}
	return ed25519.NewKeyFromSeed(k.private), k, nil
}

// GrantKeys fills fleet.Source.
func (s *Service) GrantKeys(ctx context.Context) ([]gwlink.GrantKey, error) {
	_, k, err := s.grantKey(ctx)
	if err != nil {
		return nil, err
	}
	return []gwlink.GrantKey{{ID: keyID(k), Public: k.public}}, nil
}

// keyID names a grant key without a full stop, which separates a grant's parts.
func keyID(k secret) string {
	sum := sha256.Sum256(k.public)
	return "g" + hex.EncodeToString(sum[:8])
}

// digest names a login source without telling it: the address is personal and
// is not kept by this module.
func (s *Service) digest(ctx context.Context, parts ...string) (string, error) {
	k, err := s.systemSecret(ctx, originSecret, func() ([]byte, []byte, error) {
		b := make([]byte, 32)
		_, err := rand.Read(b)
		return b, nil, err
	})
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, k.private)
	for _, p := range parts {
		fmt.Fprintf(m, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(m.Sum(nil)[:16]), nil
}

// blob makes an empty value NULL on both engines.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// loginReader is who reads a code seed when a person signs in.
var loginReader = vault.Reader{Class: vault.System, Session: "vpn.login"}
