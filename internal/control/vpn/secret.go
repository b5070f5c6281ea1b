package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
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
