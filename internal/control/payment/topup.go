package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// TopUp begins to pay an amount into the wallet of who asks, by a method of
// Methods. The amount is the only one that a customer may name. It has no order:
// nothing is priced, delivered or cancelled. ErrTopUp where nobody may pay in,
// ErrAmount outside TopUpRange, ErrMethod, ErrTooMany and the errors of Start.
func (s *Service) TopUp(ctx context.Context, p account.Principal, methodID string, amount money.Money) (Attempt, Instruction, error) {
	least, most, open := s.TopUpRange(amount.Cur)
	if !open {
		return Attempt{}, Instruction{}, ErrTopUp
	}
	if amount.Minor < least.Minor || amount.Minor > most.Minor {
		return Attempt{}, Instruction{}, ErrAmount
	}
	return s.begin(ctx, methodID, func(tx *db.Tx, g GatewayAccount, method string) (Attempt, error) {
		now := s.d.Clock.Now()
		if err := s.fewTx(ctx, tx, p.Account, now); err != nil {
			return Attempt{}, err
		}
		return s.addTx(ctx, tx, Attempt{
			No: number("S", now), Purpose: ForTopUp, Account: p.Account, Subject: p.Subject, Gateway: g.ID, Method: method,
			Amount: amount, State: Created, CreatedAt: now, ExpireAt: now.Add(s.timeToPay(g)), Version: 1,
		}, g)
	})
}

// TopUpRange returns the least and the most of one top-up; false where nobody may
// pay in, or not in this currency.
func (s *Service) TopUpRange(cur money.Currency) (least, most money.Money, open bool) {
	w := s.d.Wallet
	return money.New(w.TopUpMin, cur), money.New(w.TopUpMax, cur), !w.NoTopUp && cur == money.CNY
}

// TopUps returns an account's newest top-ups, at most limit.
func (s *Service) TopUps(ctx context.Context, owner account.ID, limit int) ([]Attempt, error) {
	return topUpsOf(ctx, s.d.DB, string(owner), limit)
}

// fewTx is ErrTooMany for an account that began MaxAttempts top-ups within an hour.
func (s *Service) fewTx(ctx context.Context, tx *db.Tx, owner account.ID, now time.Time) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT count(*) FROM payment_attempt
		WHERE account_id = $1 AND purpose = 'topup' AND state <> 'succeeded' AND created_at > $2`, string(owner), db.Micros(now.Add(-time.Hour)))
	if err == nil && n >= MaxAttempts {
		return ErrTooMany
	}
	return err
}

// timeToPay is how long a gateway account waits for money.
func (s *Service) timeToPay(g GatewayAccount) time.Duration { return max(g.Wait, order.PaymentTime) }

// toldOfTopUpTx publishes that money was paid in.
func (s *Service) toldOfTopUpTx(ctx context.Context, tx *db.Tx, a Attempt, r Receipt) error {
	p, err := s.purse(ctx, tx, a.Account, r.Amount.Cur)
	if err != nil {
		return err
	}
	return s.d.Queue.PublishTx(ctx, tx, TopicToppedUp, Moved{ID: r.Journal, Account: a.Account, Amount: r.Amount.String(), Balance: p.Spendable().String()})
}
