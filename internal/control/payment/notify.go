package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// HandleNotify takes a provider's message that came to /pay/notify/{token}.
// The only error is ErrToken; everything else is in the answer. A mismatch, an
// orphan and a foreign message are acknowledged because repeating cannot help.
func (s *Service) HandleNotify(ctx context.Context, token string, r RawRequest) (Answer, error) {
	g, ok := s.byToken[token]
	if !ok {
		return Answer{}, ErrToken
	}
	digest := r.digest()
	n, err := s.parse(ctx, g.Gateway, r)
	if err != nil {
		return g.Gateway.Ack(err), s.refused(ctx, g, n, err, digest)
	}
	if n.Refund != nil {
		result, err := s.ApplyRefundFact(ctx, g.ID, *n.Refund, FromNotify, digest)
		s.d.Log.InfoContext(ctx, "refund notice", "gateway", g.ID, "attempt", n.AttemptNo, "result", string(result), "error", err)
		return g.Gateway.Ack(err), nil
	}
	fault.Point("payment-after-parse")
	result, err := s.ApplyFact(ctx, g.ID, n.Fact, FromNotify, digest)
	if err != nil {
		s.d.Log.ErrorContext(ctx, "payment notice not applied", "gateway", g.ID, "attempt", n.AttemptNo, "error", err)
	} else {
		s.d.Log.InfoContext(ctx, "payment notice", "gateway", g.ID, "attempt", n.AttemptNo, "result", string(result))
	}
	if err == nil && n.Refunded {
		err = s.askAfterRefunds(ctx, n.AttemptNo)
	}
	return g.Gateway.Ack(err), nil
}

// parse reads a message. One of a new key of the provider is read again when the
// keys were fetched.
func (s *Service) parse(ctx context.Context, g Gateway, r RawRequest) (Notice, error) {
	n, err := g.ParseNotify(r)
	holder, ok := g.(KeyHolder)
	if !ok || !errors.Is(err, ErrUnknownKey) {
		return n, err
	}
	if failure := holder.RefreshKeys(ctx); failure != nil {
		s.d.Log.WarnContext(ctx, "fetching a provider's keys", "kind", g.Kind(), "error", failure)
		return n, err
	}
	return g.ParseNotify(r)
}

// refreshKeys fetches the keys of all providers that change them.
func (s *Service) refreshKeys(ctx context.Context) error {
	var all []error
	for _, g := range s.d.Accounts {
		if holder, ok := g.Gateway.(KeyHolder); ok {
			all = append(all, holder.RefreshKeys(ctx))
		}
	}
	return errors.Join(all...)
}

// refused counts a message that was not taken; of it stays a digest.
func (s *Service) refused(ctx context.Context, g GatewayAccount, n Notice, why error, digest string) error {
	now := s.d.Clock.Now()
	level := slog.LevelWarn
	if errors.Is(why, ErrProbe) { // refusing it is what the provider wants to see
		level = slog.LevelInfo
	}
	s.d.Log.Log(ctx, level, "payment notice refused", "gateway", g.ID, "code", errs.CodeOf(why), "digest", digest)
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO payment_refused (gateway_account_id, day, reason, count, last_digest, last_at)
			VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT (gateway_account_id, day, reason)
			DO UPDATE SET count = payment_refused.count + 1, last_digest = $4, last_at = $5`,
			g.ID, db.Micros(now.Truncate(24*time.Hour)), errs.CodeOf(why), digest, db.Micros(now))
		return err
	})
	if err != nil {
		s.d.Log.ErrorContext(ctx, "counting a refused notice", "error", err)
	}
	if !errors.Is(why, ErrMalformed) || n.AttemptNo == "" {
		return nil
	}
	// The signature was good: the provider knows something that we cannot read.
	if a, err := getAttempt(ctx, s.d.DB, n.AttemptNo); err == nil {
		if err := s.nudge(ctx, a); err != nil {
			s.d.Log.ErrorContext(ctx, "asking after an unreadable notice", "error", err)
		}
	}
	return nil
}

// digest is what stays of a message besides the five fields of a result
// (LT-1.1e).
func (r RawRequest) digest() string {
	if mutant.Off("LT-1.1e") {
		return r.Query + string(r.Body)
	}
	h := sha256.New()
	h.Write([]byte(r.Method + "\x00" + r.Query + "\x00"))
	h.Write(r.Body)
	return hex.EncodeToString(h.Sum(nil))
}
