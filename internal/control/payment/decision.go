package payment

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Decision is the state of what staff book by hand: a transfer, a gift, goodwill.
type Decision string

// States of a decision.
const (
	Waiting Decision = "waiting" // for a second person
	Booked  Decision = "booked"
	Refused Decision = "refused"
)

// Verdict is what a person says to what waits.
type Verdict string

// Verdicts.
const (
	Book   Verdict = "book"
	Refuse Verdict = "refuse"
)

// DecisionTransition is one row of the state machine of decisions.
type DecisionTransition struct {
	From    Decision
	Verdict Verdict
	To      Decision
}

// Decisions is the state machine of what staff book by hand. What is booked is
// undone by another booking only.
var Decisions = []DecisionTransition{
	{Waiting, Book, Booked},
	{Waiting, Refuse, Refused},
}

// next returns the state after a verdict; ErrTransition if the table has no such row.
func (d Decision) next(v Verdict) (Decision, error) {
	i := slices.IndexFunc(Decisions, func(t DecisionTransition) bool { return t.From == d && t.Verdict == v })
	if i < 0 {
		return d, ErrTransition.With("state", string(d)).With("event", string(v))
	}
	return Decisions[i].To, nil
}

// mayBook is for staff with payment.book who proved themselves just now.
func (s *Service) mayBook(p account.Principal) error {
	if !p.Can(account.PermPaymentBook) {
		return ErrStaffOnly
	}
	return p.RequireStepUp(s.d.Clock.Now())
}

// mayAloneTx tells whether one person may book an amount, after all that the same
// person has booked alone within a day: transfers, gifts, goodwill and money in suspense together.
func (s *Service) mayAloneTx(ctx context.Context, tx *db.Tx, by id.Handle, amount money.Money, now time.Time) (bool, error) {
	before, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT CAST(COALESCE(sum(amount_minor), 0) AS BIGINT) FROM (
		SELECT amount_minor FROM payment_transfer WHERE entered_by = $1 AND decided_by = $1 AND state = 'booked' AND entered_at > $2 UNION ALL
		SELECT amount_minor FROM payment_grant WHERE asked_by = $1 AND decided_by = $1 AND state = 'booked' AND asked_at > $2 UNION ALL
		SELECT amount_minor FROM payment_suspense WHERE proposed_by = $1 AND decided_by = $1 AND state = 'booked' AND proposed_at > $2) alone`,
		string(by), db.Micros(now.Add(-24*time.Hour)))
	most := s.d.Wallet.FourEyes
	return amount.Minor <= most && before <= most-amount.Minor, err
}
