package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// answerTime is how long a call of a provider may be under way: before that
// nobody takes its outcome for lost.
const answerTime = 2 * time.Minute

// runRefund takes a refund as far as it goes without waiting. It may run any
// number of times, at any moment, in several processes.
func (s *Service) runRefund(ctx context.Context, no string) error {
	for {
		r, err := getRefund(ctx, s.d.DB, no)
		if errs.IsNotFound(err) {
			return job.Final(err)
		}
		if err != nil {
			return err
		}
		moved, err := s.advance(ctx, r)
		if err != nil || !moved {
			return err
		}
	}
}

// advance does the next thing of a refund and reports whether another may follow
// at once.
func (s *Service) advance(ctx context.Context, r Refund) (moved bool, err error) {
	switch {
	case r.Phase == PhaseApproved && r.HeldAt.IsZero():
		return true, s.hold(ctx, r)
	case r.Phase == PhaseApproved:
		return true, s.execute(ctx, r)
	case r.Phase == PhaseProcessing && r.SentAt.IsZero():
		return false, s.send(ctx, r)
	case r.Phase == PhaseProcessing || r.Phase == PhaseUnknown:
		return s.pursue(ctx, r)
	case r.Phase == PhaseSucceeded && r.EndedAt.IsZero():
		return false, s.finish(ctx, r, stepEnded, Services.EndRefund)
	case r.Phase == PhaseCancelled && !r.HeldAt.IsZero() && r.EndedAt.IsZero():
		return false, s.finish(ctx, r, stepResumed, Services.DropRefund)
	}
	return false, nil
}

// services does something to everything that the refund is of.
func (s *Service) services(ctx context.Context, r Refund, do func(Services, context.Context, string) error) error {
	if s.d.Services == nil || r.Order == "" {
		return nil
	}
	o, err := s.d.Orders.GetIn(ctx, s.d.DB, r.Order)
	if err != nil {
		return err
	}
	for _, l := range affected(o, r.Rule) {
		if l.Service == "" || o.Kind != order.KindNew {
			continue
		}
		if err := do(s.d.Services, ctx, l.Service); err != nil && !errs.IsNotFound(err) {
			return fmt.Errorf("service %s of refund %s: %w", l.Service, r.No, err)
		}
	}
	return nil
}

// hold suspends what is paid back, before any money moves.
func (s *Service) hold(ctx context.Context, r Refund) error {
	if err := s.services(ctx, r, Services.HoldRefund); err != nil {
		return err
	}
	fault.Point("refund-after-hold")
	return s.markRefund(ctx, r, stepHeld, func(r *Refund, now time.Time) { r.HeldAt = now })
}

// finish ends the services of a refund that succeeded, or lets those of one that
// was given up run again. A service that is locked stays as it is: suspended.
func (s *Service) finish(ctx context.Context, r Refund, step RefundEvent, do func(Services, context.Context, string) error) error {
	err := s.services(ctx, r, do)
	if errs.KindOf(err) == errs.Conflict {
		s.d.Log.WarnContext(ctx, "a service stays after its refund", "refund", r.No, "error", err)
		err = nil
	}
	if err != nil {
		return err
	}
	fault.Point("refund-after-end")
	return s.markRefund(ctx, r, step, func(r *Refund, now time.Time) { r.EndedAt = now })
}

// markRefund notes a step that leaves the phase, if nothing else happened to the
// refund since it was read.
func (s *Service) markRefund(ctx context.Context, was Refund, step RefundEvent, mark func(*Refund, time.Time)) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Version != was.Version {
			return r, errNoChange
		}
		next := r
		mark(&next, s.d.Clock.Now())
		next, err := saveRefund(ctx, tx, r, next)
		if err != nil {
			return r, err
		}
		return next, s.stepTx(ctx, tx, next, step, system, "")
	})
	return err
}

// execute posts what the refund is: to the wallet it is done with that, the other
// way the money waits as a debt until the provider says that it has left.
func (s *Service) execute(ctx context.Context, was Refund) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Version != was.Version {
			return r, errNoChange
		}
		event, key, credits := ExecuteOriginal, "rfa:", []ledger.Posting{ledger.Credit(ledger.RefundPayable, r.Amount)}
		if r.Target == TargetWallet {
			var err error
			event, key = ExecuteWallet, "rfs:"
			if credits, err = s.homeTx(ctx, tx, r, r.Split().Outside); err != nil {
				return r, err
			}
		}
		j, err := s.takeTx(ctx, tx, r, key, credits)
		if err != nil {
			return r, err
		}
		fault.Point("refund-after-ledger")
		next, err := s.moveRefundTx(ctx, tx, r, event, system, "", func(r *Refund) { r.Journal = j })
		if err != nil || event == ExecuteOriginal {
			return next, err
		}
		return next, s.succeededTx(ctx, tx, next)
	})
	fault.Point("refund-after-execute")
	return err
}

// takeTx posts the journal that takes the money from where it lies. That of money
// in suspense was posted when it was decided on.
func (s *Service) takeTx(ctx context.Context, tx *db.Tx, r Refund, key string, credits []ledger.Posting) (string, error) {
	if r.Rule == RuleSuspense {
		return r.Journal, nil
	}
	o, err := s.d.Orders.GetIn(ctx, tx, r.Order)
	if err != nil {
		return "", err
	}
	lines, err := s.unearned(ctx, tx, o, r)
	if err != nil {
		return "", err
	}
	return s.postRefundTx(ctx, tx, r, key, append(lines, credits...))
}

// unearned shares the amount out over the lines by what was paid for each, and
// debits what is not earned of it first.
func (s *Service) unearned(ctx context.Context, tx *db.Tx, o order.Order, r Refund) (debits []ledger.Posting, err error) {
	parts, err := r.Parts(o)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		l, left := p.Line, p.Amount
		for _, account := range []ledger.Code{ledger.Deferred(l.ID), ledger.Deferred(l.Service), ledger.Sales} {
			if account == ledger.Deferred("") || left.Minor == 0 {
				continue
			}
			part := left
			if account != ledger.Sales {
				there, err := s.d.Ledger.BalanceIn(ctx, tx, account, left.Cur)
				if err != nil {
					return nil, err
				}
				part.Minor = max(min(part.Minor, there.Minor), 0)
			}
			if part.Minor <= 0 {
				continue
			}
			debits, left.Minor = append(debits, ledger.Debit(account, part)), left.Minor-part.Minor
			if account == ledger.Deferred(l.ID) {
				if err := s.giveBackTx(ctx, tx, l.ID, part); err != nil {
					return nil, err
				}
			}
		}
	}
	return debits, nil
}

func (s *Service) postRefundTx(ctx context.Context, tx *db.Tx, r Refund, key string, lines []ledger.Posting) (string, error) {
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: key + r.No, Kind: "refund", OccurredAt: s.d.Clock.Now(), RefType: "refund", RefID: r.No, Actor: "system",
		Memo: string(r.Rule), Postings: lines,
	})
	return j.ID, err
}

// succeededTx notes that the money is back.
func (s *Service) succeededTx(ctx context.Context, tx *db.Tx, r Refund) error {
	if err := addRefunded(ctx, tx, r.Attempt, r.Split().Outside); err != nil {
		return err
	}
	if r.Order != "" {
		if err := s.d.Orders.EndRefundTx(ctx, tx, r.Order, true); err != nil {
			return err
		}
		if r.Rule == RuleUndelivered {
			if err := s.d.Orders.SettleFailedTx(ctx, tx, r.Order); err != nil {
				return err
			}
		}
		if s.d.Invoices != nil {
			if err := s.d.Invoices.RefundedTx(ctx, tx, r); err != nil {
				return err
			}
		}
	}
	if err := s.tellRefundTx(ctx, tx, r, TopicRefundSucceeded); err != nil {
		return err
	}
	return s.enqueueRefundTx(ctx, tx, r)
}

// send tells the provider, once it is committed that it is told. Of a provider
// that would pay twice, a call whose outcome nobody wrote down is not repeated.
func (s *Service) send(ctx context.Context, was Refund) error {
	provider, ok := s.byID[was.Gateway].Gateway.(Refunder)
	if !ok {
		return s.failRefund(ctx, was, ErrUnsupported.Code)
	}
	again, mine := was.Tries > 0, false
	r, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if mine = r.Version == was.Version; !mine { // another process sends it
			return r, errNoChange
		}
		now, next := s.d.Clock.Now(), r
		next.SentAt, next.Tries, next.NextQueryAt = now, r.Tries+1, now.Add(answerTime)
		next, err := saveRefund(ctx, tx, r, next)
		if err != nil {
			return r, err
		}
		if err := s.stepTx(ctx, tx, next, stepSent, system, ""); err != nil {
			return r, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	if err != nil || !mine {
		return err
	}
	a, err := getAttempt(ctx, s.d.DB, r.Attempt)
	if err != nil {
		return err
	}
	paid := a.Amount
	if r.Rule == RuleSuspense { // of another amount than was asked for, perhaps
		rc, err := getReceipt(ctx, s.d.DB, r.Receipt)
		if err != nil {
			return err
		}
		paid = rc.Amount
	}
	fault.Point("refund-before-call")
	f, failure := provider.Refund(ctx, RefundRequest{
		RefundNo: r.No, AttemptNo: r.Attempt, Subject: r.Subject, Amount: r.Split().Outside, Paid: paid,
		NotifyURL: s.d.BaseURL + "/pay/notify/" + s.byID[r.Gateway].Token,
	})
	fault.Point("refund-after-call")
	return s.sent(ctx, r, provider, f, failure, again)
}

// sent records how the call ended.
func (s *Service) sent(ctx context.Context, r Refund, provider Refunder, f RefundFact, failure error, again bool) error {
	_, asks := provider.(RefundQuerier)
	switch {
	case failure == nil:
		_, err := s.ApplyRefundFact(ctx, r.Gateway, f, FromQuery, refundDigest(f))
		return err
	case errors.Is(failure, ErrDeclined) && again && asks: // perhaps because the first call was carried out
		_, err := s.pursueNow(ctx, r)
		return err
	case errors.Is(failure, ErrDeclined), errors.Is(failure, ErrUnsupported):
		return s.failRefund(ctx, r, errs.CodeOf(failure))
	case errors.Is(failure, ErrTemporary) && provider.IdempotentRefund():
		return s.sendLater(ctx, r, errs.CodeOf(failure))
	case errors.Is(failure, ErrTemporary): // not carried out, and not repeated by itself
		return s.failRefund(ctx, r, errs.CodeOf(failure))
	}
	s.d.Log.WarnContext(ctx, "the outcome of a refund is not known", "refund", r.No, "code", errs.CodeOf(failure))
	return s.unclear(ctx, r, errs.CodeOf(failure))
}

// unclear notes that nobody knows yet; a provider that can be asked will be.
func (s *Service) unclear(ctx context.Context, was Refund, class string) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase != PhaseProcessing || db.Micros(r.SentAt) != db.Micros(was.SentAt) {
			return r, errNoChange
		}
		next, err := s.moveRefundTx(ctx, tx, r, RefundTimeout, system, "", func(r *Refund) {
			r.LastQuery, r.NextQueryAt = class, time.Time{}
			if s.canLearn(*r) {
				r.NextQueryAt = r.nextQuery(s.d.Clock.Now())
			}
		})
		if err != nil || next.NextQueryAt.IsZero() {
			return next, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	return err
}

// canLearn reports whether the program itself can find out what became of a
// refund: by asking, or by saying the same again to a provider that pays once.
func (s *Service) canLearn(r Refund) bool {
	g, ok := s.byID[r.Gateway].Gateway.(Refunder)
	return ok && g.IdempotentRefund()
}

// sendLater has the same number sent again after a pause.
func (s *Service) sendLater(ctx context.Context, was Refund, class string) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Version != was.Version || r.Phase.Over() {
			return r, errNoChange
		}
		now, next, event := s.d.Clock.Now(), r, stepSent
		if r.Phase == PhaseUnknown {
			var err error
			if next, err = r.Apply(RefundUnderWay, now); err != nil {
				return r, err
			}
			event = RefundUnderWay
		}
		next.SentAt, next.LastQuery, next.LastQueryAt, next.NextQueryAt = time.Time{}, class, now, r.nextQuery(now)
		next, err := saveRefund(ctx, tx, r, next)
		if err != nil {
			return r, err
		}
		if err := s.stepTx(ctx, tx, next, event, system, class); err != nil {
			return r, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	return err
}

// failRefund notes that the provider has not paid back and will not. The service
// stays suspended; a person retries, pays to the wallet, or gives it up.
func (s *Service) failRefund(ctx context.Context, was Refund, problem string) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase.Over() || r.Phase == PhaseFailed {
			return r, errNoChange
		}
		return s.failedTx(ctx, tx, r, problem, system)
	})
	return err
}

func (s *Service) failedTx(ctx context.Context, tx *db.Tx, r Refund, problem string, by audit.Actor) (Refund, error) {
	next, err := s.moveRefundTx(ctx, tx, r, RefundFail, by, problem, func(r *Refund) { r.Problem, r.NextQueryAt = problem, time.Time{} })
	if err != nil {
		return r, err
	}
	if r.Order != "" {
		if err := s.d.Orders.EndRefundTx(ctx, tx, r.Order, false); err != nil {
			return r, err
		}
	}
	tx.AfterCommit(func() {
		s.d.Log.ErrorContext(ctx, "a refund failed and waits for a person", "refund", r.No, "code", problem)
	})
	return next, s.tellRefundTx(ctx, tx, next, TopicRefundFailed)
}

// pursue finds out about a refund that the provider was told of. moved means that
// it is to be sent again at once.
func (s *Service) pursue(ctx context.Context, r Refund) (moved bool, err error) {
	if now := s.d.Clock.Now(); r.Phase == PhaseProcessing && r.LastQuery == "" && now.Before(r.SentAt.Add(answerTime)) {
		return false, nil // the call may still be under way; its own job comes back then
	}
	if now := s.d.Clock.Now(); now.Before(r.NextQueryAt) {
		return false, nil
	}
	return s.pursueNow(ctx, r)
}

func (s *Service) pursueNow(ctx context.Context, r Refund) (moved bool, err error) {
	g := s.byID[r.Gateway].Gateway
	q, asks := g.(RefundQuerier)
	var f RefundFact
	failure := error(ErrUnsupported)
	if asks {
		f, failure = q.QueryRefund(ctx, RefundRef{RefundNo: r.No, AttemptNo: r.Attempt, Subject: r.Subject})
		fault.Point("refund-after-query")
	}
	switch {
	case failure == nil:
		if _, err := s.ApplyRefundFact(ctx, r.Gateway, f, FromQuery, refundDigest(f)); err != nil {
			return false, err
		}
		return false, s.askLater(ctx, r, string(f.State))
	case errors.Is(failure, ErrUnsupported) && !s.canLearn(r):
		return false, s.unclear(ctx, r, ErrUnknownOutcome.Code) // it is a person's now
	case errors.Is(failure, ErrUnsupported), errors.Is(failure, ErrTradeNotFound) && s.lost(r):
		return false, s.sendLater(ctx, r, errs.CodeOf(failure))
	}
	return false, s.askLater(ctx, r, errs.CodeOf(failure))
}

// lost reports whether a provider that does not know the refund has never heard
// of it: it was sent a minute ago or longer, and sending it again pays once.
func (s *Service) lost(r Refund) bool {
	return s.canLearn(r) && !s.d.Clock.Now().Before(r.SentAt.Add(time.Minute))
}

// askLater plans the next question about a refund that is still open.
func (s *Service) askLater(ctx context.Context, was Refund, class string) error {
	_, err := s.changeRefund(ctx, was.No, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase != PhaseProcessing && r.Phase != PhaseUnknown {
			return r, errNoChange
		}
		now, next := s.d.Clock.Now(), r
		next.Tries, next.LastQuery, next.LastQueryAt, next.NextQueryAt = r.Tries+1, class, now, r.nextQuery(now)
		next, err := saveRefund(ctx, tx, r, next)
		if err != nil {
			return r, err
		}
		return next, s.enqueueRefundTx(ctx, tx, next)
	})
	return err
}
