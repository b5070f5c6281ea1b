package order

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Errors of renewals.
var (
	ErrNotRenewable = errs.New(errs.Conflict, "order.service_not_renewable")
	ErrTooFar       = errs.New(errs.Unprocessable, "order.renewal_too_far")
	ErrNoWallet     = errs.New(errs.Unavailable, "order.wallet_unavailable")
)

// RenewalTime is how long a renewal or an upgrade may be paid: it is no cart
// that somebody forgot, and an unpaid one is void then.
const RenewalTime = 7 * 24 * time.Hour

// Wallet pays an order from its account's wallet, whole or not at all; the
// error of an empty one is errs.Unprocessable. Paying twice pays once.
type Wallet interface {
	PayFromWallet(ctx context.Context, o Order) error
}

// TopicAutoRenewFailed is published when a renewal could not be paid from the
// wallet. The payload is a service.Changed.
const TopicAutoRenewFailed = "order.auto_renew_failed"

// timeToPay is how long an order waits for its money.
func (k Kind) timeToPay() time.Duration {
	if k == KindNew {
		return PaymentTime
	}
	return RenewalTime
}

// quoteRenew prices more time for what an account has, as the price list is now.
// Without an owner it prices a renewal of what the request describes.
func (s *Service) quoteRenew(ctx context.Context, q db.Q, r QuoteRequest, expires time.Time) (Quote, error) {
	var rest Rest
	if r.Resource != "" || r.Owner != "" {
		item, err := s.d.Services.Owned(ctx, q, r.Owner, r.Resource)
		if err != nil {
			return Quote{}, err
		}
		if item.State != service.Active && item.State != service.Suspended {
			return Quote{}, ErrNotRenewable
		}
		r.Product, r.Region, r.Options = item.Product, item.Region, item.Options
		if r.Cycle == 0 {
			r.Cycle = item.Months
		}
		rest.service = item.ID
		list, err := s.d.Catalog.Current(ctx, q, item.Product, item.Region)
		if err != nil {
			return Quote{}, err
		}
		at := later(item.PaidThrough, expires.Add(-QuoteLife))
		if at.AddDate(0, r.Cycle, 0).After(expires.Add(-QuoteLife).AddDate(0, list.MaxCycle, 1)) {
			return Quote{}, ErrTooFar.With("max", list.MaxCycle)
		}
	}
	r.Kind, r.Count = KindNew, 1
	out, err := s.quote(ctx, q, r, expires)
	if err != nil {
		return Quote{}, err
	}
	out.Request.Kind, out.Rest = KindRenew, rest
	out.Hash = out.digest()
	return out, nil
}

// supersedeTx voids the unpaid order of another kind that would change what a
// service costs: each is priced by what there is. One that is paid and not
// delivered, or of the same kind of change, is in the way.
func (s *Service) supersedeTx(ctx context.Context, tx *db.Tx, serviceID string, kind Kind) error {
	before, err := openOrderOf(ctx, tx, serviceID)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if before.State != PendingPayment || (kind == KindUpgrade && before.Kind == KindUpgrade) {
		return nil // claimUpgradeTx decides
	}
	return s.voidTx(ctx, tx, before)
}

// voidTx cancels an order that waits for payment and that nothing is bought with
// any more.
func (s *Service) voidTx(ctx context.Context, tx *db.Tx, o Order) error {
	next, err := o.Apply(AdminCancel, s.d.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.moveTx(ctx, tx, o, next, TopicCancelled, system)
	return err
}

// openOrderOf is the order that last claimed a service.
func openOrderOf(ctx context.Context, tx *db.Tx, serviceID string) (Order, error) {
	orderID, err := db.Get(ctx, tx, ErrNotFound, db.One[string], "SELECT order_id FROM order_upgrade WHERE service = $1", serviceID)
	if err != nil {
		return Order{}, err
	}
	return lockOrder(ctx, tx, orderID)
}

// onEnding voids what was to be paid for a service that ends: nobody is dunned
// for something cancelled.
func (s *Service) onEnding(ctx context.Context, c service.Changed) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err := openOrderOf(ctx, tx, c.Service)
		if errs.IsNotFound(err) {
			return nil
		}
		if err != nil || o.State != PendingPayment {
			return err
		}
		return s.voidTx(ctx, tx, o)
	})
}

// onRenewalDue places the order that a service's next period is paid by.
func (s *Service) onRenewalDue(ctx context.Context, c service.Changed) error {
	_, err := s.renewal(ctx, c)
	return unlessPlain(err)
}

// onPaymentDue pays the renewal of a service from the wallet, as its customer
// wished.
func (s *Service) onPaymentDue(ctx context.Context, c service.Changed) error {
	o, err := s.renewal(ctx, c)
	if err != nil {
		return unlessPlain(err)
	}
	if o.State != PendingPayment {
		return nil
	}
	err = ErrNoWallet
	if s.d.Wallet != nil {
		err = s.d.Wallet.PayFromWallet(ctx, o)
	}
	switch errs.KindOf(err) {
	case errs.Unprocessable, errs.Conflict:
	default:
		if err == nil || !errors.Is(err, ErrNoWallet) {
			return err
		}
	}
	s.d.Log.InfoContext(ctx, "a renewal was not paid from the wallet", "order", o.ID, "error", err)
	c.Order, c.Problem = o.ID, errs.CodeOf(err)
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.d.Queue.PublishTx(ctx, tx, TopicAutoRenewFailed, c) })
}

// unlessPlain takes a renewal that is not possible (any more) for the end of it.
func unlessPlain(err error) error {
	switch errs.KindOf(err) {
	case errs.Conflict, errs.NotFound, errs.Unprocessable:
		return nil
	}
	return err
}

// renewal returns the order that renews a service from the end of its paid time
// on. It is placed once for each such end, whoever asks how often; one that the
// customer has placed serves as well.
func (s *Service) renewal(ctx context.Context, c service.Changed) (o Order, err error) {
	r := QuoteRequest{Kind: KindRenew, Owner: account.ID(c.Account), Resource: c.Resource}
	item, err := s.d.Services.Owned(ctx, s.d.DB, r.Owner, r.Resource)
	if err != nil {
		return Order{}, err
	}
	if item.PaidThrough.UnixMicro() != c.Ends || item.CancelAtEnd {
		return Order{}, ErrNotRenewable // it was renewed, or is to end
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err = openOrderOf(ctx, tx, c.Service)
		if err == nil && o.Kind == KindRenew && !o.State.Terminal() && o.State != Completed {
			return nil
		}
		if err == nil && !o.State.Terminal() && o.State != Completed {
			return ErrUpgradePending
		}
		if err != nil && !errs.IsNotFound(err) {
			return err
		}
		q, err := s.quote(ctx, tx, r, s.d.Clock.Now().Add(QuoteLife).Truncate(time.Second))
		if err != nil {
			return err
		}
		p := account.Principal{Account: item.Account, Subject: item.Subject}
		now := s.d.Clock.Now()
		if o, err = draft(p, q, nil).Apply(Submit, now); err != nil {
			return err
		}
		o.PlacedAt, o.ExpiresAt, o.Version = now, now.Add(RenewalTime), 1
		if err := claimUpgradeTx(ctx, tx, item.ID, o.ID); err != nil {
			return err
		}
		key := "renew:" + item.ID + ":" + strconv.FormatInt(c.Ends, 10) + ":" + strconv.FormatInt(now.Unix(), 10)
		fresh, err := insertOrder(ctx, tx, o, key, "")
		if err != nil {
			return err
		}
		if !fresh {
			return db.ErrRetry
		}
		return s.openTx(ctx, tx, &o, system)
	})
	return o, err
}

// openTx tells of an order that was placed, and plans the end of its time to
// pay; one that costs nothing is paid.
func (s *Service) openTx(ctx context.Context, tx *db.Tx, o *Order, by audit.Actor) (err error) {
	if err := s.tellTx(ctx, tx, *o, TopicPlaced, by); err != nil {
		return err
	}
	if o.Total.IsZero() {
		*o, err = s.settleFreeTx(ctx, tx, *o)
		return err
	}
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobExpire, Payload: Changed{o.ID, o.Account}, RunAt: o.ExpiresAt})
}
