package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// RetryRefund sends a failed refund once more, under its own number. For staff
// with refund.handle and a step-up. Of a provider that would pay twice they have
// looked there first.
func (s *Service) RetryRefund(ctx context.Context, p account.Principal, no string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	return s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		next, err := s.moveRefundTx(ctx, tx, r, RetrySame, actor(p), "", func(r *Refund) {
			r.SentAt, r.Problem, r.LastQuery, r.NextQueryAt = time.Time{}, "", "", time.Time{}
		})
		if err != nil {
			return r, err
		}
		if err := s.orderBackTx(ctx, tx, next); err != nil {
			return r, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
}

// RefundToWallet pays a failed refund into the customer's wallet. For staff with
// refund.handle and a step-up. ErrTarget where nothing can be bought from one.
func (s *Service) RefundToWallet(ctx context.Context, p account.Principal, no string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	if s.d.Wallet.NoTopUp {
		return Refund{}, ErrTarget
	}
	return s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		if _, err := r.Apply(ToTheWallet, s.d.Clock.Now()); err != nil {
			return r, err
		}
		home, err := s.homeTx(ctx, tx, r, r.Split().Outside)
		if err != nil {
			return r, err
		}
		j, err := s.postRefundTx(ctx, tx, r, "rfw:", append(home, ledger.Debit(ledger.RefundPayable, r.Amount)))
		if err != nil {
			return r, err
		}
		fault.Point("refund-after-wallet-ledger")
		if err := s.orderBackTx(ctx, tx, r); err != nil {
			return r, err
		}
		next, err := s.moveRefundTx(ctx, tx, r, ToTheWallet, actor(p), "", func(r *Refund) { r.Target, r.Journal, r.Problem = TargetWallet, j, "" })
		if err != nil {
			return r, err
		}
		return next, s.succeededTx(ctx, tx, next)
	})
}

// AbandonRefund gives a failed refund up: the money stays where it was, and what
// was suspended for it runs again. For staff with refund.handle and a step-up.
func (s *Service) AbandonRefund(ctx context.Context, p account.Principal, no string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	return s.abandon(ctx, no, actor(p), func(Refund) bool { return true })
}

// KeepService is AbandonRefund by the customer, who keeps the service by it.
func (s *Service) KeepService(ctx context.Context, p account.Principal, no string) (Refund, error) {
	return s.abandon(ctx, no, self(p), func(r Refund) bool { return r.Account == p.Account })
}

func (s *Service) abandon(ctx context.Context, no string, by audit.Actor, may func(Refund) bool) (Refund, error) {
	r, err := s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		if !may(r) {
			return r, ErrNoRefund
		}
		if r.Phase == PhaseCancelled {
			return r, errNoChange
		}
		if _, err := r.Apply(Abandon, s.d.Clock.Now()); err != nil {
			return r, err
		}
		reversed, err := s.d.Ledger.ReverseTx(ctx, tx, r.Journal, "rfw:"+r.No, "system", string(r.Rule))
		if err != nil {
			return r, err
		}
		if err := s.keepTx(ctx, tx, r, reversed); err != nil {
			return r, err
		}
		if err := s.backToSuspenseTx(ctx, tx, r); err != nil {
			return r, err
		}
		next, err := s.moveRefundTx(ctx, tx, r, Abandon, by, "", nil)
		if err != nil {
			return r, err
		}
		if next.Order != "" {
			if err := s.d.Orders.KeepTx(ctx, tx, next.Order); err != nil {
				return r, err
			}
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	fault.Point("refund-after-abandon")
	return r, err
}

// SettleRefund records what a person has found at a provider that cannot be asked:
// paid back or not. For staff with refund.handle and a step-up; ErrUnsupported
// where the program asks itself.
func (s *Service) SettleRefund(ctx context.Context, p account.Principal, no string, paidBack bool) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	return s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase != PhaseUnknown {
			return r, ErrTransition.With("state", string(r.Phase)).With("event", "settle")
		}
		if s.canLearn(r) {
			return r, ErrUnsupported
		}
		if !paidBack {
			return s.failedTx(ctx, tx, r, "payment.refund_not_there", actor(p))
		}
		if _, err := s.paidBackTx(ctx, tx, r); err != nil {
			return r, err
		}
		return lockRefund(ctx, tx, no)
	})
}

// QueryRefundNow has the provider asked at once, for staff with payment.read.
func (s *Service) QueryRefundNow(ctx context.Context, p account.Principal, no string) error {
	if !p.Can(account.PermPaymentRead) {
		return ErrStaffOnly
	}
	r, err := getRefund(ctx, s.d.DB, no)
	if err != nil {
		return err
	}
	return s.nudgeRefund(ctx, r)
}

// haltedIn reports whether refunds by rule wait for a person because the books did
// not hold when they were proven last.
func haltedIn(ctx context.Context, q db.Q) (bool, error) {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM payment_halt WHERE kind = 'refund'")
	return n > 0, err
}

func (s *Service) halt(ctx context.Context, on bool) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		text, args := "DELETE FROM payment_halt WHERE kind = 'refund'", []any(nil)
		if on {
			text, args = "INSERT INTO payment_halt (kind, since) VALUES ('refund', $1) ON CONFLICT (kind) DO NOTHING", []any{db.Micros(s.d.Clock.Now())}
		}
		_, err := tx.Exec(ctx, text, args...)
		return err
	})
}

// backToSuspenseTx returns the receipt of a refund of money in suspense to where
// it was.
func (s *Service) backToSuspenseTx(ctx context.Context, tx *db.Tx, r Refund) error {
	if r.Rule != RuleSuspense {
		return nil
	}
	return moveReceipt(ctx, tx, r.Receipt, ToRefund, ToSuspense)
}

func moveReceipt(ctx context.Context, tx *db.Tx, receipt string, from, to Disposition) error {
	return tx.ExecOne(ctx, ErrTransition, "UPDATE payment_receipt SET disposition = $1 WHERE id = $2 AND disposition = $3", string(to), receipt, string(from))
}
