package vpn

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// retentionClass is the vault's class of what belongs to an SSL client.
const retentionClass = "account_core"

// accessPurpose is the purpose for which a client's secrets are read.
const accessPurpose = "vpn_access"

func ref(c SSLClient, column string) vault.Ref {
	return vault.Ref{Table: "vpn_client", Column: column, Row: c.ID, Subject: c.Subject, Class: retentionClass}
}

func (s *Service) seal(ctx context.Context, c SSLClient, column string, plain []byte) ([]byte, error) {
	return s.vault.Seal(ctx, ref(c, column), plain)
}

// open reads sealed columns of one client under one read event. A column that
// is empty is left out of the answer.
func (s *Service) open(ctx context.Context, by vault.Reader, c SSLClient, columns ...string) (map[string][]byte, error) {
	sealed, err := sealedOf(ctx, s.db, c.ID)
	if err != nil {
		return nil, err
	}
	return s.openSealed(ctx, by, c, sealed, columns...)
}

func (s *Service) openSealed(ctx context.Context, by vault.Reader, c SSLClient, sealed map[string][]byte, columns ...string) (map[string][]byte, error) {
	var fields []string
	for _, name := range columns {
		fields = append(fields, "vpn_client."+name)
	}
	ticket, err := s.vault.Begin(ctx, vault.Read{Reader: by, Subject: c.Subject, Fields: fields, Purpose: accessPurpose, Reason: "vpn"})
	if err != nil {
		return nil, err
	}
	plain := map[string][]byte{}
	for _, name := range columns {
		if len(sealed[name]) == 0 {
			continue
		}
		if plain[name], err = s.vault.Open(ctx, ticket, ref(c, name), sealed[name]); err != nil {
			return nil, err
		}
	}
	return plain, nil
}

func sealedOf(ctx context.Context, q db.Q, client string) (map[string][]byte, error) {
	return db.Get(ctx, q, ErrClientNotFound, func(r db.Row) (map[string][]byte, error) {
		var pw, key, totp []byte
		err := r.Scan(&pw, &key, &totp)
		return map[string][]byte{"password_sealed": pw, "key_sealed": key, "totp_sealed": totp}, err
	}, "SELECT password_sealed, key_sealed, totp_sealed FROM vpn_client WHERE id = $1", client)
}

func readerOf(p account.Principal) vault.Reader {
	class := vault.Self
	if p.Staff {
		class = vault.Staff
	}
	return vault.Reader{Class: class, Handle: p.Subject, Session: p.Session}
}

// Secret returns a client's generated password and token while each may be
// read; ErrSecretExpired when neither may. The token is shown once: whoever
// reads next gets the password alone. Each reading is recorded.
func (s *Service) Secret(ctx context.Context, p account.Principal, client string) (Secret, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return Secret{}, err
	}
	columns, until := c.readable(s.clock.Now())
	if len(columns) == 0 {
		return Secret{}, ErrSecretExpired
	}
	plain, err := s.open(ctx, readerOf(p), c, columns...)
	if err != nil {
		return Secret{}, err
	}
	first, err := s.recordRead(ctx, p, c, len(plain["totp_sealed"]) > 0)
	if err != nil {
		return Secret{}, err
	}
	out := Secret{UserName: c.Name, Password: string(plain["password_sealed"]), Until: until}
	if !first {
		return out, nil
	}
	return out, out.setToken(c, string(plain["totp_sealed"]))
}

// readable names the sealed columns that Secret may open, and until when all of
// them may be.
func (c SSLClient) readable(now time.Time) (columns []string, until time.Time) {
	for _, v := range []struct {
		column string
		until  time.Time
	}{{"password_sealed", c.Readable.Password}, {"totp_sealed", c.Readable.Token}} {
		if !now.Before(v.until) {
			continue
		}
		columns = append(columns, v.column)
		if until.IsZero() || v.until.Before(until) {
			until = v.until
		}
	}
	return columns, until
}

// recordRead commits that a secret was handed out before it is. first tells
// whether the token goes with it: of two that read at once, one gets it.
func (s *Service) recordRead(ctx context.Context, p account.Principal, c SSLClient, token bool) (first bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if token {
			n, err := db.Select(ctx, tx, db.One[string], "UPDATE vpn_client SET token_until = $1 WHERE id = $2 AND token_until = $3 RETURNING id",
				db.Micros(s.clock.Now()), c.ID, db.Micros(c.Readable.Token))
			if err != nil {
				return err
			}
			first = len(n) > 0
		}
		if err := s.actTx(ctx, tx, p, c, ActSecret, Reset{}); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.secret_read", map[string]string{"client": c.ID})
	})
	return first, err
}

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
