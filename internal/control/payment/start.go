package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Start begins or resumes the payment of an order that waits for one, by a
// method of Methods, and says what the browser does next. An open attempt of
// the same method is used again; one of another method is closed.
// order.ErrNotFound, ErrNotPayable, ErrMethod, ErrAmount, ErrTooMany, the errors of a
// Gateway, and consent.gate_closed where the provider needs consent.
func (s *Service) Start(ctx context.Context, p account.Principal, orderID, methodID string) (Attempt, Instruction, error) {
	return s.begin(ctx, methodID, func(tx *db.Tx, g GatewayAccount, method string) (Attempt, error) {
		return s.openTx(ctx, tx, p, orderID, want{g, method, false})
	})
}

// StartMixed is Start for what is left when all that the wallet holds is put in,
// which waits in a hold. ErrCovered if the wallet can pay alone.
func (s *Service) StartMixed(ctx context.Context, p account.Principal, orderID, methodID string) (Attempt, Instruction, error) {
	return s.begin(ctx, methodID, func(tx *db.Tx, g GatewayAccount, method string) (Attempt, error) {
		return s.openTx(ctx, tx, p, orderID, want{g, method, true})
	})
}

// want is how a customer wants to pay.
type want struct {
	g      GatewayAccount
	method string
	mixed  bool // with what the wallet holds
}

// begin commits an attempt and then has its gateway prepare it.
func (s *Service) begin(ctx context.Context, methodID string, open func(*db.Tx, GatewayAccount, string) (Attempt, error)) (Attempt, Instruction, error) {
	g, method, err := s.method(methodID)
	if err != nil {
		return Attempt{}, Instruction{}, err
	}
	var a Attempt
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		a, err = open(tx, g, method)
		return err
	})
	if err != nil {
		return Attempt{}, Instruction{}, err
	}
	fault.Point("payment-after-attempt")
	// The attempt is durable: whatever happens now, a notice finds it.
	in, err := g.Gateway.Create(ctx, s.createRequest(a))
	fault.Point("payment-after-create")
	after, saveErr := s.created(ctx, a, err)
	if err = errors.Join(err, saveErr); err != nil {
		return after, Instruction{}, err
	}
	return after, in, nil
}

func (s *Service) createRequest(a Attempt) CreateRequest {
	return CreateRequest{
		AttemptNo: a.No, Subject: a.Subject, Method: a.Method, Amount: a.Amount, Title: s.d.Title,
		NotifyURL: s.d.BaseURL + "/pay/notify/" + s.byID[a.Gateway].Token,
		ReturnURL: s.d.BaseURL + "/pay/return/" + a.No, ExpireAt: a.ExpireAt,
	}
}

func (s *Service) openTx(ctx context.Context, tx *db.Tx, p account.Principal, orderID string, w want) (Attempt, error) {
	now := s.d.Clock.Now()
	o, err := s.d.Orders.LockTx(ctx, tx, orderID)
	if err == nil && o.Account != p.Account {
		err = order.ErrNotFound
	}
	if err != nil {
		return Attempt{}, err
	}
	if !o.Payable() || !now.Before(o.ExpiresAt) {
		return Attempt{}, ErrNotPayable
	}
	same, err := s.makeRoomTx(ctx, tx, orderID, w)
	if err == nil || !errs.IsNotFound(err) {
		return same, err
	}
	if w.g.Wait > 0 {
		if o, err = s.d.Orders.ExtendTx(ctx, tx, orderID, now.Add(w.g.Wait)); err != nil {
			return Attempt{}, err
		}
	}
	a := Attempt{
		No: number("S", now), Purpose: ForOrder, Order: orderID, Account: o.Account, Subject: p.Subject, Gateway: w.g.ID,
		Method: w.method, Amount: o.Total, State: Created, CreatedAt: now,
		ExpireAt: earlier(o.ExpiresAt, now.Add(s.timeToPay(w.g))), Version: 1,
	}
	if w.mixed {
		if a, err = s.holdTx(ctx, tx, a); err != nil {
			return Attempt{}, err
		}
	}
	return s.addTx(ctx, tx, a, w.g)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// addTx commits a new attempt with its first question.
func (s *Service) addTx(ctx context.Context, tx *db.Tx, a Attempt, g GatewayAccount) (Attempt, error) {
	if a.Amount.Cur != g.Currency || a.Amount.Minor < g.Min || a.Amount.Minor > g.Max {
		return Attempt{}, ErrAmount
	}
	a.NextQueryAt = a.nextQuery(a.CreatedAt)
	if err := insertAttempt(ctx, tx, a); err != nil {
		return Attempt{}, err
	}
	if err := s.planTx(ctx, tx, a); err != nil {
		return Attempt{}, err
	}
	return a, s.auditTx(ctx, tx, "payment.started", a, "self", map[string]string{"order": a.Order})
}

// makeRoomTx returns the open attempt of the same method, or closes those of
// other methods and returns ErrNotFound.
func (s *Service) makeRoomTx(ctx context.Context, tx *db.Tx, orderID string, w want) (Attempt, error) {
	all, err := attemptsOf(ctx, tx, orderID)
	if err != nil {
		return Attempt{}, err
	}
	for _, a := range all {
		if a.State == Unknown { // a second try before the first is understood could be paid twice
			return Attempt{}, ErrUnknownOutcome
		}
		if a.State.Open() && a.Gateway == w.g.ID && a.Method == w.method && (a.Hold.State == HoldHeld) == w.mixed {
			return a, nil
		}
	}
	if tooMany(all) {
		return Attempt{}, ErrTooMany
	}
	for _, a := range all {
		if err := s.closeTx(ctx, tx, a); err != nil {
			return Attempt{}, err
		}
	}
	return Attempt{}, ErrNotFound
}

// tooMany counts the attempts of an order. What failed before anything was
// handed out, such as for want of consent, hardly counts.
func tooMany(all []Attempt) bool {
	handed := 0
	for _, a := range all {
		if a.State != Failed {
			handed++
		}
	}
	return handed >= MaxAttempts || len(all) >= 10*MaxAttempts
}

// created records how Create ended.
func (s *Service) created(ctx context.Context, a Attempt, failure error) (Attempt, error) {
	event := CreateOK
	switch {
	case errors.Is(failure, ErrUnknownOutcome):
		event = CreateUnknown
	case failure != nil: // nothing was handed out
		event = Declined
	}
	var out Attempt
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now, err := lockAttempt(ctx, tx, a.Gateway, a.No)
		if err != nil {
			return err
		}
		if out = now; now.State != Created {
			return nil // resumed, or a fact was faster
		}
		next, err := now.Apply(event)
		if err != nil {
			return err
		}
		out, err = s.saveTx(ctx, tx, now, next)
		return err
	})
	return out, err
}

// closeTx closes an open attempt here, and has it closed at the provider where
// that can be done. Until the provider confirms it money may still come: it is
// asked for until a day after the end.
func (s *Service) closeTx(ctx context.Context, tx *db.Tx, a Attempt) error {
	if !a.State.Open() {
		return nil
	}
	next, err := a.Apply(ExpiredEvent)
	if err != nil {
		return err
	}
	next.NextQueryAt = next.nextQuery(s.d.Clock.Now())
	if _, can := s.byID[a.Gateway].Gateway.(Closer); can {
		next.NextQueryAt = s.d.Clock.Now()
	}
	if next, err = s.saveTx(ctx, tx, a, next); err != nil {
		return err
	}
	return s.planTx(ctx, tx, next)
}

// closeOf closes the attempts of an order that will not be paid.
func (s *Service) closeOf(ctx context.Context, c order.Changed) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		all, err := attemptsOf(ctx, tx, c.Order)
		if err != nil {
			return err
		}
		for _, a := range all {
			if err := s.closeTx(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// planTx enqueues the attempt's next query.
func (s *Service) planTx(ctx context.Context, tx *db.Tx, a Attempt) error {
	if a.NextQueryAt.IsZero() {
		return nil
	}
	key := fmt.Sprintf("%s:%s:%d", jobQuery, a.No, db.Micros(a.NextQueryAt))
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobQuery, Payload: queryJob{a.No}, Key: key, RunAt: a.NextQueryAt})
}

func (s *Service) auditTx(ctx context.Context, tx *db.Tx, kind string, a Attempt, class string, detail map[string]string) error {
	detail["attempt"], detail["gateway"] = a.No, a.Gateway
	actor := audit.Actor{Class: class}
	if class == "self" {
		actor.Handle = a.Subject
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: a.Subject, Account: string(a.Account), Actor: actor, Detail: detail})
}

// number returns a merchant number: prefix, UTC time and 19 random characters
// of [a-z2-7], 32 in all.
func number(prefix string, now time.Time) string {
	return prefix + now.UTC().Format("060102150405") + id.Random(12)[:19]
}
