package payment

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

const jobRefund = "payment.refund"

type refundJob struct{ Request string }

var system = audit.Actor{Class: "system"}

func self(p account.Principal) audit.Actor {
	return audit.Actor{Class: "self", Handle: p.Subject, Session: p.Session}
}

func actor(p account.Principal) audit.Actor {
	return audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session}
}

// reasonCode is what a person may give for a reason: a code, never text about
// somebody.
var reasonCode = regexp.MustCompile(`^[a-z0-9_]{2,40}$`)

// AskRefund has what Offer tells go back to the account, to one of its targets.
// The errors of Offer, and ErrTarget. The rules approve it, or staff look at it.
func (s *Service) AskRefund(ctx context.Context, p account.Principal, orderID string, to Target) (Refund, error) {
	return s.request(ctx, ask{p, false}, orderID, to, false, "customer")
}

// StaffRefund asks for a refund of anybody's order: by the rules, or with whole
// of all that is left of it. For staff with refund.handle and a step-up; who asks
// does not count as the second person.
func (s *Service) StaffRefund(ctx context.Context, p account.Principal, orderID string, to Target, whole bool, reason string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	if !reasonCode.MatchString(reason) {
		return Refund{}, ErrReason
	}
	return s.request(ctx, ask{p, true}, orderID, to, whole, reason)
}

// mayHandle asks for the permission and for the person once more.
func (s *Service) mayHandle(p account.Principal) error {
	if !p.Can(account.PermRefundHandle) {
		return ErrRefundStaff
	}
	return p.RequireStepUp(s.d.Clock.Now())
}

// ask is who asks, and as what: staff may be customers too, and have no rights as
// such over orders of others.
type ask struct {
	account.Principal
	staff bool
}

func (s *Service) request(ctx context.Context, p ask, orderID string, to Target, whole bool, reason string) (Refund, error) {
	var r Refund
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		r, err = s.requestTx(ctx, tx, p, orderID, to, whole, reason)
		return err
	})
	fault.Point("refund-after-request")
	return r, err
}

func (s *Service) requestTx(ctx context.Context, tx *db.Tx, p ask, orderID string, to Target, whole bool, reason string) (Refund, error) {
	now := s.d.Clock.Now()
	o, err := s.d.Orders.LockTx(ctx, tx, orderID)
	if err == nil && !p.staff && o.Account != p.Account {
		err = order.ErrNotFound
	}
	if err != nil {
		return Refund{}, err
	}
	offer, src, err := s.offer(ctx, tx, o, whole)
	if err != nil {
		return Refund{}, err
	}
	if !slices.Contains(offer.Targets, to) {
		return Refund{}, ErrTarget
	}
	r := Refund{
		No: number("R", now), Order: o.ID, Attempt: src.Attempt, Receipt: src.ID, Account: o.Account, Subject: o.Subject, Gateway: src.Gateway,
		Rule: offer.Rule, Target: to, Amount: offer.Amount, Wallet: offer.From.Wallet, Gift: offer.From.Gift,
		Phase: PhaseRequested, Version: 1, RequestedAt: now,
	}
	by := self(p.Principal)
	if p.staff {
		r.By, by = string(p.Subject), actor(p.Principal)
	}
	if err := s.openRefundTx(ctx, tx, src, r, by, reason); err != nil {
		return r, err
	}
	return s.decideRefundTx(ctx, tx, r, p)
}

// openRefundTx writes a refund under the lock of the money that it comes out of,
// and refuses it where more would go back than came.
func (s *Service) openRefundTx(ctx context.Context, tx *db.Tx, src source, r Refund, by audit.Actor, reason string) error {
	if r.Attempt != "" {
		if _, err := lockAttempt(ctx, tx, r.Gateway, r.Attempt); err != nil {
			return err
		}
	}
	left, err := s.leftOf(ctx, tx, src)
	if err != nil {
		return err
	}
	left = left.minus(r.Split())
	if r.Amount.Cur != src.Paid.Outside.Cur || min(left.Outside.Minor, left.Wallet.Minor, left.Gift.Minor) < 0 {
		return ErrNotOffered
	}
	if err := insertRefund(ctx, tx, r); err != nil {
		return err
	}
	return s.stepTx(ctx, tx, r, stepRequest, by, reason)
}

// decideRefundTx applies what the installation decided about refunds by rule.
// While the books do not hold a person looks at every one.
func (s *Service) decideRefundTx(ctx context.Context, tx *db.Tx, r Refund, p ask) (Refund, error) {
	event := PolicyManual
	if !p.staff && r.Amount.Minor <= s.d.Refunds.AutomaticUpTo {
		halted, err := haltedIn(ctx, tx)
		if err != nil {
			return r, err
		}
		if !halted {
			event = PolicyAuto
		}
	}
	next, err := s.moveRefundTx(ctx, tx, r, event, system, "", nil)
	if err != nil || event != PolicyAuto {
		return next, err
	}
	return next, s.approvedTx(ctx, tx, next, system)
}

// CancelRefund takes a request back that nobody has decided on yet.
func (s *Service) CancelRefund(ctx context.Context, p account.Principal, no string) (Refund, error) {
	return s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Account != p.Account {
			return r, ErrNoRefund
		}
		if r.Phase == PhaseCancelled {
			return r, errNoChange
		}
		return s.moveRefundTx(ctx, tx, r, RefundCancel, self(p), "", nil)
	})
}

// Approve has the money of a refund go back. Above the limit it takes two persons
// who are not the one that asked; the first answer leaves it in review. For staff
// with refund.handle and a step-up. ErrSecondPerson.
func (s *Service) Approve(ctx context.Context, p account.Principal, no string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	r, err := s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		if r.Phase == PhaseApproved || r.Phase == PhaseProcessing || r.Phase == PhaseSucceeded {
			return r, errNoChange
		}
		me := string(p.Subject)
		if r.Amount.Minor > s.d.Refunds.SecondPersonAbove {
			if me == r.Second {
				return r, ErrSecondPerson
			}
			first := r.Second
			if first == "" && r.By != me {
				first = r.By
			}
			if first == "" { // nobody but this one has looked at it
				next := r
				next.Second = me
				next, err := saveRefund(ctx, tx, r, next)
				if err != nil {
					return r, err
				}
				return next, s.noteTx(ctx, tx, next, stepSecond, "refund.seconded", actor(p), "")
			}
		}
		next, err := s.moveRefundTx(ctx, tx, r, RefundApprove, actor(p), "", nil)
		if err != nil {
			return r, err
		}
		return next, s.approvedTx(ctx, tx, next, actor(p))
	})
	fault.Point("refund-after-approve")
	return r, err
}

// Reject declines a request. For staff with refund.handle and a step-up.
func (s *Service) Reject(ctx context.Context, p account.Principal, no, reason string) (Refund, error) {
	if err := s.mayHandle(p); err != nil {
		return Refund{}, err
	}
	if !reasonCode.MatchString(reason) {
		return Refund{}, ErrReason
	}
	return s.changeRefund(ctx, no, func(tx *db.Tx, r Refund) (Refund, error) {
		next, err := s.moveRefundTx(ctx, tx, r, RefundReject, actor(p), reason, func(r *Refund) { r.Problem = reason })
		if err != nil {
			return r, err
		}
		return next, s.tellRefundTx(ctx, tx, next, TopicRefundRejected)
	})
}

// approvedTx notes that the money goes back: the order too, if it is all of it.
func (s *Service) approvedTx(ctx context.Context, tx *db.Tx, r Refund, by audit.Actor) error {
	if err := s.orderBackTx(ctx, tx, r); err != nil {
		return err
	}
	if err := s.tellRefundTx(ctx, tx, r, TopicRefundApproved); err != nil {
		return err
	}
	return s.enqueueRefundTx(ctx, tx, r)
}

func (s *Service) orderBackTx(ctx context.Context, tx *db.Tx, r Refund) error {
	if r.Order == "" {
		return nil
	}
	o, err := s.d.Orders.LockTx(ctx, tx, r.Order)
	if err != nil || o.Total != r.Amount {
		return err
	}
	return s.d.Orders.BeginRefundTx(ctx, tx, r.Order)
}

func (s *Service) enqueueRefundTx(ctx context.Context, tx *db.Tx, r Refund) error {
	key := fmt.Sprintf("%s:%s:%d", jobRefund, r.No, r.Version)
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobRefund, Payload: refundJob{r.No}, Key: key, RunAt: r.NextQueryAt})
}

// changeRefund locks a refund, lets fn decide and returns it as it is then.
func (s *Service) changeRefund(ctx context.Context, no string, fn func(tx *db.Tx, r Refund) (Refund, error)) (Refund, error) {
	var out Refund
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := s.lockRefundTx(ctx, tx, no)
		if err != nil {
			return err
		}
		out, err = fn(tx, r)
		if errors.Is(err, errNoChange) {
			out = r
			return nil
		}
		return err
	})
	return out, err
}

var errNoChange = errors.New("nothing to change")

// lockRefundTx locks in the order that facts do: order, attempt, refund.
func (s *Service) lockRefundTx(ctx context.Context, tx *db.Tx, no string) (Refund, error) {
	r, err := getRefund(ctx, tx, no)
	if err != nil {
		return r, err
	}
	if r.Order != "" {
		if _, err := s.d.Orders.LockTx(ctx, tx, r.Order); err != nil && !errs.IsNotFound(err) {
			return r, err
		}
	}
	if r.Attempt != "" {
		if _, err := lockAttempt(ctx, tx, r.Gateway, r.Attempt); err != nil {
			return r, err
		}
	}
	return lockRefund(ctx, tx, no)
}

// moveRefundTx applies an event, with what else changes, and writes the step and
// the leaf.
func (s *Service) moveRefundTx(ctx context.Context, tx *db.Tx, r Refund, e RefundEvent, by audit.Actor, reason string, also func(*Refund)) (Refund, error) {
	next, err := r.Apply(e, s.d.Clock.Now())
	if err != nil {
		return r, err
	}
	if also != nil {
		also(&next)
	}
	if next, err = saveRefund(ctx, tx, r, next); err != nil {
		return r, err
	}
	return next, s.stepTx(ctx, tx, next, e, by, reason)
}

// leaves are the events of a refund that the log is told of.
var leaves = map[RefundEvent]string{
	stepRequest: "refund.requested", PolicyAuto: "refund.approved", RefundApprove: "refund.approved", RefundReject: "refund.rejected",
	RefundCancel: "refund.cancelled", ExecuteWallet: "refund.succeeded", RefundOK: "refund.succeeded", ToTheWallet: "refund.succeeded",
	RefundFail: "refund.failed", RefundTimeout: "refund.unclear", RetrySame: "refund.retried", Abandon: "refund.cancelled",
}

func (s *Service) stepTx(ctx context.Context, tx *db.Tx, r Refund, e RefundEvent, by audit.Actor, reason string) error {
	return s.noteTx(ctx, tx, r, e, leaves[e], by, reason)
}

func (s *Service) noteTx(ctx context.Context, tx *db.Tx, r Refund, e RefundEvent, leaf string, by audit.Actor, reason string) error {
	if err := insertStep(ctx, tx, r, e, by, reason, s.d.Clock.Now()); err != nil {
		return err
	}
	if e == stepRequest {
		if err := s.tellRefundTx(ctx, tx, r, TopicRefundRequested); err != nil {
			return err
		}
	}
	if leaf == "" {
		return nil
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: leaf, Subject: r.Subject, Account: string(r.Account), Actor: by,
		Detail: map[string]string{
			"refund": r.No, "order": r.Order, "attempt": r.Attempt, "receipt": r.Receipt, "phase": string(r.Phase),
			"rule": string(r.Rule), "target": string(r.Target), "reason": reason, "problem": r.Problem, "journal": r.Journal,
		},
	})
}

func (s *Service) tellRefundTx(ctx context.Context, tx *db.Tx, r Refund, topic string) error {
	return s.d.Queue.PublishTx(ctx, tx, topic, RefundChanged{r.No, r.Order, r.Account, r.Subject, string(r.Phase)})
}

// Refunds returns the refunds of an order of the account, newest first.
func (s *Service) Refunds(ctx context.Context, owner account.ID, orderID string) ([]Refund, error) {
	if _, err := s.d.Orders.Get(ctx, owner, orderID); err != nil {
		return nil, err
	}
	return refundsOf(ctx, s.d.DB, orderID)
}

// OpenRefunds returns what is on its way back to an account.
func (s *Service) OpenRefunds(ctx context.Context, owner account.ID) ([]Refund, error) {
	return openRefunds(ctx, s.d.DB, owner)
}

// AllRefunds lists refunds of all accounts, newest first, for staff with
// payment.read.
func (s *Service) AllRefunds(ctx context.Context, p account.Principal, f RefundFilter, limit int) ([]Refund, error) {
	if !p.Can(account.PermPaymentRead) {
		return nil, ErrStaffOnly
	}
	return listRefunds(ctx, s.d.DB, f, limit)
}

// RefundHistory returns a refund with all its steps, oldest first, for staff with
// payment.read.
func (s *Service) RefundHistory(ctx context.Context, p account.Principal, no string) (Refund, []RefundStep, error) {
	if !p.Can(account.PermPaymentRead) {
		return Refund{}, nil, ErrStaffOnly
	}
	r, err := getRefund(ctx, s.d.DB, no)
	if err != nil {
		return r, nil, err
	}
	steps, err := stepsOf(ctx, s.d.DB, no)
	return r, steps, err
}
