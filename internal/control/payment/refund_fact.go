package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// ApplyRefundFact is the same door for money that goes back: it takes what a
// provider says about a refund, by an answer, a notice or a bill, in one
// transaction. An error means that nothing has happened.
func (s *Service) ApplyRefundFact(ctx context.Context, gateway string, f RefundFact, from Source, digest string) (Result, error) {
	g, ok := s.byID[gateway]
	if !ok {
		return "", ErrNotFound
	}
	if f.RefundNo == "" || f.State == "" {
		return "", ErrMalformed
	}
	var result Result
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		result, err = s.refundFactTx(ctx, tx, g, f, from, digest)
		return err
	})
	if err == nil {
		fault.Point("refund-after-fact")
		if result == Orphan || result == Mismatch || result == Foreign {
			s.d.Log.ErrorContext(ctx, "a refund needs attention", "result", string(result), "refund", f.RefundNo, "channel", string(from))
		}
	}
	return result, err
}

func (s *Service) refundFactTx(ctx context.Context, tx *db.Tx, g GatewayAccount, f RefundFact, from Source, digest string) (Result, error) {
	now, key := s.d.Clock.Now(), refundKey(f)
	event := Fact{AttemptNo: f.AttemptNo, TradeNo: "", Amount: f.Amount, State: FactState(f.State), DedupeKey: key}
	if _, err := insertRefundEvent(ctx, tx, g.ID, event, from, digest, now); err != nil {
		return "", err
	}
	// What was said before is settled by the refund's phase, not by the event: a
	// provider may say "processing" many times, and "failed" again after a retry.
	result, err := s.decideRefundFactTx(ctx, tx, g, f)
	if err != nil {
		return "", err
	}
	return result, markRefundEvent(ctx, tx, g.ID, key, result, now)
}

func (s *Service) decideRefundFactTx(ctx context.Context, tx *db.Tx, g GatewayAccount, f RefundFact) (Result, error) {
	r, err := s.lockRefundTx(ctx, tx, f.RefundNo)
	if errs.IsNotFound(err) {
		return Orphan, nil
	}
	if err != nil {
		return "", err
	}
	if f.MerchantID != g.MerchantID || r.Gateway != g.ID {
		return Foreign, nil
	}
	if f.AttemptNo != r.Attempt || (!f.Amount.IsZero() && f.Amount != r.Split().Outside) {
		return Mismatch, nil
	}
	switch f.State {
	case RefundSucceeded:
		return s.paidBackTx(ctx, tx, r)
	case RefundFailed, RefundAbnormal:
		if r.Phase != PhaseProcessing && r.Phase != PhaseUnknown {
			return NoOp, nil
		}
		_, err := s.failedTx(ctx, tx, r, "payment.refund_"+string(f.State), system)
		return Applied, err
	case RefundProcessing:
		if r.Phase != PhaseUnknown {
			return NoOp, nil
		}
		next, err := s.moveRefundTx(ctx, tx, r, RefundUnderWay, system, "", func(r *Refund) { r.NextQueryAt = r.nextQuery(s.d.Clock.Now()) })
		if err != nil {
			return "", err
		}
		return Applied, s.enqueueRefundTx(ctx, tx, next)
	}
	return NoOp, nil
}

// paidBackTx books what the provider has paid back. That it did what was given up
// or settled in another way here is for a person: the money is gone twice.
func (s *Service) paidBackTx(ctx context.Context, tx *db.Tx, r Refund) (Result, error) {
	if r.Phase == PhaseSucceeded && r.Target == ToOriginal {
		return NoOp, nil
	}
	next, err := r.Apply(RefundOK, s.d.Clock.Now())
	if err != nil || r.Target != ToOriginal {
		return Mismatch, nil
	}
	if r.Phase == PhaseFailed && r.Order != "" { // after all: the order goes the way it would have gone
		if err := s.orderBackTx(ctx, tx, r); err != nil {
			return "", err
		}
	}
	home, err := s.homeTx(ctx, tx, r, money.New(0, r.Amount.Cur))
	if err != nil {
		return "", err
	}
	_, err = s.postRefundTx(ctx, tx, next, "rfs:", append(home,
		ledger.Debit(ledger.RefundPayable, r.Amount), ledger.Credit(s.assetOf(r.Gateway), r.Split().Outside)))
	if err != nil {
		return "", err
	}
	fault.Point("refund-after-payback-ledger")
	next, err = s.moveRefundTx(ctx, tx, r, RefundOK, system, "", func(r *Refund) { r.Problem = "" })
	if err != nil {
		return "", err
	}
	return Applied, s.succeededTx(ctx, tx, next)
}

// askAfterRefunds has a provider asked about what is on its way back of an
// attempt, after it said that money of it went back.
func (s *Service) askAfterRefunds(ctx context.Context, attempt string) error {
	all, err := refundsOfAttempt(ctx, s.d.DB, attempt)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Phase != PhaseProcessing && r.Phase != PhaseUnknown || !s.canLearn(r) || r.SentAt.IsZero() {
			continue
		}
		if err := s.nudgeRefund(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// nudgeRefund has a refund asked about now.
func (s *Service) nudgeRefund(ctx context.Context, was Refund) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase != PhaseProcessing && r.Phase != PhaseUnknown {
			return r, errNoChange
		}
		next := r
		next.NextQueryAt = s.d.Clock.Now()
		if next.LastQuery == "" {
			next.LastQuery = "notified"
		}
		next, err := saveRefund(ctx, tx, r, next)
		if err != nil {
			return r, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	return err
}

func refundKey(f RefundFact) string {
	return f.RefundNo + "|" + string(f.State) + "|" + f.MerchantID + "|" + f.Amount.String()
}

func refundDigest(f RefundFact) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", f.RefundNo, f.AttemptNo, f.MerchantID, f.Amount, f.State))
	return hex.EncodeToString(sum[:])
}

func insertRefundEvent(ctx context.Context, tx *db.Tx, gateway string, f Fact, from Source, digest string, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO payment_event (gateway_account_id, kind, dedupe_key, attempt_no, provider_trade_no, amount_minor, currency,
		status, state, source, digest, received_at, processed_at) VALUES ($1, 'refund', $2, $3, '', $4, $5, $6, 'received', $7, $8, $9, 0)
		ON CONFLICT (gateway_account_id, kind, dedupe_key) DO NOTHING`,
		gateway, f.DedupeKey, f.AttemptNo, f.Amount.Minor, string(f.Amount.Cur), string(f.State), string(from), digest, db.Micros(now))
	return n == 1, err
}

func markRefundEvent(ctx context.Context, tx *db.Tx, gateway, key string, r Result, now time.Time) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_event SET state = $1, processed_at = $2
		WHERE gateway_account_id = $3 AND kind = 'refund' AND dedupe_key = $4`, string(r), db.Micros(now), gateway, key)
}
