package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/totp"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// enrolmentLife is how long a link to set a token up is good for, and
// enrolmentTries how many codes it takes before it is not.
const (
	enrolmentLife  = 72 * time.Hour
	enrolmentTries = 10
)

// EnrolmentPath is the console's page that a link leads to.
const EnrolmentPath = "/enrol"

// Invitation is a link that the administrator hands to the person behind a
// client, who alone sees the seed then (docs/decisions/0020-enrolment-links.md).
//
//	invited ─open─▶ opened, with a seed ─code─▶ bound; the link is gone
//	                   ▲  │
//	                   └──┘ each opening makes another seed
type Invitation struct {
	URL   string // the token stands behind the #, which reaches no server; from "/" where the console's address is not known
	Until time.Time
}

// Enrolment is what the page of a link shows.
type Enrolment struct {
	UserName string
	Server   string // its name
	TOTP     string // base32 seed
	TokenURI string // otpauth://, for a QR code
	Until    time.Time
}

// InviteEnrolment makes a link by which a client's token is set up, in place of
// one of before. The present token, if there is one, works until the new one is
// bound.
func (s *Service) InviteEnrolment(ctx context.Context, p account.Principal, client string) (Invitation, error) {
	token := id.Random(32)
	hash, err := s.digest(ctx, "enrolment", token)
	if err != nil {
		return Invitation{}, err
	}
	until := s.clock.Now().Add(enrolmentLife)
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := clientFor(ctx, tx, p.Account, client)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO vpn_enrolment (client, token_hash, totp_sealed, tries, expires_at) VALUES ($1, $2, NULL, 0, $3)
			ON CONFLICT (client) DO UPDATE SET token_hash = excluded.token_hash, totp_sealed = NULL, tries = 0, expires_at = excluded.expires_at`,
			c.ID, hash, db.Micros(until))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.enrolment_invited", map[string]string{"client": c.ID})
	})
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{s.config.URL + EnrolmentPath + "#token=" + token, until}, nil
}

// OpenEnrolment makes a seed for whoever holds a link. Each opening makes
// another: whoever looked before knows nothing of the token that is bound.
func (s *Service) OpenEnrolment(ctx context.Context, token string) (Enrolment, error) {
	hash, err := s.digest(ctx, "enrolment", token)
	if err != nil {
		return Enrolment{}, err
	}
	c, until, err := s.invited(ctx, hash)
	if err != nil {
		return Enrolment{}, err
	}
	srv, err := serverByID(ctx, s.db, c.Server)
	if err != nil {
		return Enrolment{}, err
	}
	seed := totp.NewSeed()
	sealed, err := s.vault.Seal(ctx, enrolmentRef(c), []byte(seed))
	if err != nil {
		return Enrolment{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrEnrolment, "UPDATE vpn_enrolment SET totp_sealed = $1 WHERE client = $2 AND token_hash = $3", sealed, c.ID, hash)
	})
	return Enrolment{c.Name, srv.Name, seed, totp.URI("Skybridge "+c.Server, c.Name, seed), until}, err
}

// invited is the client of a link that is good. A client that may not sign in
// has none.
func (s *Service) invited(ctx context.Context, hash string) (SSLClient, time.Time, error) {
	now := s.clock.Now()
	type row struct {
		client string
		until  int64
	}
	got, err := db.Get(ctx, s.db, ErrEnrolment, func(r db.Row) (v row, err error) { return v, r.Scan(&v.client, &v.until) },
		"SELECT client, expires_at FROM vpn_enrolment WHERE token_hash = $1 AND expires_at > $2 AND tries < $3", hash, db.Micros(now), int64(enrolmentTries))
	if err != nil {
		return SSLClient{}, time.Time{}, err
	}
	c, err := clientByID(ctx, s.db, got.client)
	if err == nil && !c.able(now) {
		err = ErrEnrolment
	}
	return c, db.FromMicros(got.until), err
}

// able reports whether a client may sign in at all.
func (c SSLClient) able(now time.Time) bool {
	return c.State == ClientEnabled && (c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt))
}

// ConfirmEnrolment binds the seed that was last shown, by a code of it: the
// client's sessions end, as with another token, and the link is used up. It
// returns recovery codes, shown this once. The try is counted before the code
// is compared.
func (s *Service) ConfirmEnrolment(ctx context.Context, token, code string) ([]string, error) {
	hash, err := s.digest(ctx, "enrolment", token)
	if err != nil {
		return nil, err
	}
	c, _, err := s.invited(ctx, hash)
	if err != nil {
		return nil, err
	}
	seed, sealed, err := s.tryEnrolment(ctx, c, hash)
	if err != nil {
		return nil, err
	}
	step, ok := totp.Step(string(seed), code, s.clock.Now())
	if !ok {
		return nil, ErrEnrolmentCode
	}
	bound, err := s.seal(ctx, c, "totp_sealed", seed)
	if err != nil {
		return nil, err
	}
	codes, hashes, err := s.newRecoveryCodes(ctx, c)
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.ExecOne(ctx, ErrEnrolment, "DELETE FROM vpn_enrolment WHERE token_hash = $1 AND totp_sealed = $2", hash, sealed); err != nil {
			return err
		}
		if err := replaceRecovery(ctx, tx, c.ID, hashes); err != nil {
			return err
		}
		return s.bindTokenTx(ctx, tx, c, bound, step)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// tryEnrolment counts a try of a link and returns the seed that it is of.
func (s *Service) tryEnrolment(ctx context.Context, c SSLClient, hash string) (seed, sealed []byte, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		sealed, err = db.Get(ctx, tx, ErrEnrolment, db.One[[]byte],
			"UPDATE vpn_enrolment SET tries = tries + 1 WHERE token_hash = $1 AND tries < $2 AND totp_sealed IS NOT NULL RETURNING totp_sealed",
			hash, int64(enrolmentTries))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	ticket, err := s.vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.System, Session: "vpn.enrol"}, Subject: c.Subject,
		Fields: []string{"vpn_enrolment.totp_sealed"}, Purpose: accessPurpose, Reason: "vpn",
	})
	if err != nil {
		return nil, nil, err
	}
	seed, err = s.vault.Open(ctx, ticket, enrolmentRef(c), sealed)
	return seed, sealed, err
}

// bindTokenTx puts a token in place that a person has set up: nobody can read
// it again.
func (s *Service) bindTokenTx(ctx context.Context, tx *db.Tx, c SSLClient, sealed []byte, step int64) error {
	now := db.Micros(s.clock.Now())
	err := tx.ExecOne(ctx, ErrEnrolment, `UPDATE vpn_client SET totp_sealed = $1, token_kind = $2, totp_step = $3, token_drift = 0, token_until = $4,
		version = version + 1, updated_at = $4 WHERE id = $5`, sealed, string(TokenTOTP), step, now, c.ID)
	if err != nil {
		return err
	}
	if err := s.endClientTx(ctx, tx, c, gwlink.ReasonRevoked); err != nil {
		return err
	}
	if err := endUserSessionsTx(ctx, tx, c.ID); err != nil {
		return err
	}
	return s.record(ctx, tx, account.Principal{Account: c.Account, Subject: c.Subject}, "vpn.token_enrolled", map[string]string{"client": c.ID})
}

func enrolmentRef(c SSLClient) vault.Ref {
	return vault.Ref{Table: "vpn_enrolment", Column: "totp_sealed", Row: c.ID, Subject: c.Subject, Class: retentionClass}
}
