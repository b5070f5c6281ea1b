package vpn

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Recovery codes stand in for a code of the token, each once. They are shown
// when they are made and kept as keyed digests only.
const (
	recoveryCodes  = 10
	recoveryLength = 16 // characters without hyphens; a code of a token has 6 or 8 digits
)

// RecoveryCodes gives a client ten new recovery codes in place of those of
// before. ErrNoToken for a client without a token, which has nothing to recover.
func (s *Service) RecoveryCodes(ctx context.Context, p account.Principal, client string) ([]string, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return nil, err
	}
	if !c.HasToken {
		return nil, ErrNoToken
	}
	codes, hashes, err := s.newRecoveryCodes(ctx, c)
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		// A token that was reset meanwhile has no codes of before.
		err := tx.ExecOne(ctx, ErrStale, "UPDATE vpn_client SET version = version + 1, updated_at = $1 WHERE id = $2 AND version = $3",
			db.Micros(s.clock.Now()), c.ID, c.Version)
		if err != nil {
			return err
		}
		if err := replaceRecovery(ctx, tx, c.ID, hashes); err != nil {
			return err
		}
		if err := s.actTx(ctx, tx, p, c, ActRecovery, Reset{}); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.recovery_codes_made", map[string]string{"client": c.ID})
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func (s *Service) newRecoveryCodes(ctx context.Context, c SSLClient) (codes, hashes []string, err error) {
	for range recoveryCodes {
		r := id.Random(10) // 80 bits
		codes = append(codes, r[:4]+"-"+r[4:8]+"-"+r[8:12]+"-"+r[12:])
		hash, err := s.digest(ctx, "recovery", c.ID, r)
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	return codes, hashes, nil
}

func replaceRecovery(ctx context.Context, tx *db.Tx, client string, hashes []string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM vpn_recovery WHERE client = $1", client); err != nil {
		return err
	}
	for _, hash := range hashes {
		if _, err := tx.Exec(ctx, "INSERT INTO vpn_recovery (client, code_hash) VALUES ($1, $2)", client, hash); err != nil {
			return err
		}
	}
	return nil
}

// recovery reads what was typed as a recovery code; ok is false if it does not
// look like one.
func (l login) recovery(ctx context.Context, c SSLClient, typed string) (f found, ok bool, err error) {
	code := recoveryText(typed)
	if len(code) != recoveryLength {
		return found{}, false, nil
	}
	f.recovery, err = l.s.digest(ctx, "recovery", c.ID, code)
	return f, true, err
}

// recoveryText is a recovery code as it is digested, however it was typed.
func recoveryText(typed string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(typed))
}

// knowsRecovery makes sure of a recovery code before anything is told of the
// client. It is spent later, by a login that succeeds.
func knowsRecovery(ctx context.Context, tx *db.Tx, c SSLClient, f found) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM vpn_recovery WHERE client = $1 AND code_hash = $2", c.ID, f.recovery)
	if err == nil && n != 1 {
		err = errUsed
	}
	return err
}

// spendRecovery uses a recovery code up. Of two logins with one code the second
// finds none.
func (l login) spendRecovery(ctx context.Context, tx *db.Tx, c SSLClient, f found) error {
	if f.recovery == "" {
		return nil
	}
	if err := tx.ExecOne(ctx, errUsed, "DELETE FROM vpn_recovery WHERE client = $1 AND code_hash = $2", c.ID, f.recovery); err != nil {
		return err
	}
	return l.s.recordJob(ctx, tx, c.Account, c.Subject, "vpn.recovery_code_used", map[string]string{"client": c.ID})
}
