package vpn

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
	"github.com/skybridge-cloud/skybridge/internal/platform/totp"
)

// check fills in the usual kind and refuses unknown ones.
func (k TokenKind) check() (TokenKind, error) {
	switch k {
	case "":
		return TokenTOTP, nil
	case TokenTOTP, TokenStoken:
		return k, nil
	}
	return "", ErrSetting.With("setting", "token")
}

// tokenEnd is when software tokens end: about the last day that their format can
// say. A certificate is renewed and tells its owner before; a token does neither.
var tokenEnd = time.Date(2044, 10, 1, 0, 0, 0, 0, time.UTC)

// newToken makes what totp_sealed holds: the base32 seed of a TOTP token, or
// the CTF string of a software token.
func newToken(c SSLClient) string {
	if c.Token == TokenStoken {
		return softtoken.New(tokenEnd).CTF()
	}
	return totp.NewSeed()
}

// setToken shows the token in the forms that programs import.
func (v *Secret) setToken(c SSLClient, plain string) error {
	if c.Token != TokenStoken {
		v.TOTP, v.TokenURI = plain, totp.URI("Skybridge "+c.Server, c.Name, plain)
		return nil
	}
	t, err := softtoken.Parse(plain)
	if err != nil {
		return fmt.Errorf("reading the token of %s: %w", c.ID, err)
	}
	v.CTF, v.TokenURI = plain, t.URL()
	return nil
}

// ResetToken gives a client a new token of a kind (empty = the same as before),
// which Secret returns for a time, for a reason that its user reads. Its sessions end, its recovery codes and
// a link to set it up are forgotten; the password stays.
func (s *Service) ResetToken(ctx context.Context, p account.Principal, client string, kind TokenKind, why Reset) (SSLClient, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return SSLClient{}, err
	}
	if err := why.check(); err != nil {
		return SSLClient{}, err
	}
	if kind != "" {
		c.Token = kind
	}
	if c.Token, err = c.Token.check(); err != nil {
		return SSLClient{}, err
	}
	sealed, err := s.seal(ctx, c, "totp_sealed", []byte(newToken(c)))
	if err != nil {
		return SSLClient{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error { return s.replaceTokenTx(ctx, tx, p, c, sealed, why) })
	if err != nil {
		return SSLClient{}, err
	}
	return s.Client(ctx, p.Account, c.ID)
}

func (s *Service) replaceTokenTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient, sealed []byte, why Reset) error {
	now := s.clock.Now()
	err := tx.ExecOne(ctx, ErrClientNotFound, `UPDATE vpn_client SET totp_sealed = $1, token_kind = $2, totp_step = 0, token_drift = 0, token_until = $3,
		version = version + 1, updated_at = $4 WHERE id = $5 AND account = $6`,
		sealed, string(c.Token), db.Micros(s.secretUntil(now)), db.Micros(now), c.ID, string(p.Account))
	if err != nil {
		return err
	}
	if err := endLinksTx(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := replaceRecovery(ctx, tx, c.ID, nil); err != nil {
		return err
	}
	if err := s.endClientTx(ctx, tx, c, gwlink.ReasonRevoked); err != nil {
		return err
	}
	if err := endUserSessionsTx(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := s.resetTx(ctx, tx, p, c, ActToken, why); err != nil {
		return err
	}
	return s.record(ctx, tx, p, "vpn.client_totp", map[string]string{"client": c.ID})
}

// found is what a code belongs to.
type found struct {
	recovery string // digest of a recovery code, in place of the rest
	step     int64
	drift    int64 // steps that the token's clock is ahead; a TOTP token is not followed
	near     bool  // else only the code that follows makes it good
}

// match looks for the step of a code. ok is false if there is none, or if it is
// not after the last one that was accepted.
func (c SSLClient) match(plain, code string, now time.Time) (f found, ok bool, err error) {
	if c.Token != TokenStoken {
		f.step, ok = totp.Step(plain, code, now)
		f.near = true
		return f, ok && f.step > c.tokenStep, nil
	}
	t, err := softtoken.Parse(plain)
	if err != nil {
		return found{}, false, fmt.Errorf("reading the token of %s: %w", c.ID, err)
	}
	f.step, ok = t.Find(code, now, c.tokenDrift, softtoken.Near)
	f.near = ok
	if !ok {
		f.step, ok = t.Find(code, now, c.tokenDrift, softtoken.Wide)
	}
	f.drift = t.Drift(f.step, now)
	return f, ok && f.step > c.tokenStep, nil
}

// follows reports whether a code is the one after a step.
func (c SSLClient) follows(plain, code string, step int64) (bool, error) {
	t, err := softtoken.Parse(plain)
	if err != nil {
		return false, fmt.Errorf("reading the token of %s: %w", c.ID, err)
	}
	return t.Is(code, step+1), nil
}
