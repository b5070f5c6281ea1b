package payment

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors of the desk for money in suspense.
var (
	ErrSuspense   = errs.New(errs.Unprocessable, "payment.suspense_invalid")
	ErrNoSuspense = errs.New(errs.NotFound, "payment.suspense_not_found")
	ErrSettling   = errs.New(errs.Conflict, "payment.suspense_waiting")     // another proposal waits
	ErrNotDue     = errs.New(errs.Conflict, "payment.suspense_not_due")     // the order is not payable, or not by this amount
	ErrNoWayBack  = errs.New(errs.Conflict, "payment.suspense_no_way_back") // the provider cannot be told to pay it back
)

// SuspenseKind is what becomes of money in suspense.
type SuspenseKind string

// Kinds.
const (
	SuspenseToOrder  SuspenseKind = "order"
	SuspenseToWallet SuspenseKind = "wallet"
	SuspenseBack     SuspenseKind = "back" // the way it came
)

// SuspenseRequest says what is to become of a receipt, whole.
type SuspenseRequest struct {
	Receipt   string
	Kind      SuspenseKind
	Order     string     // of SuspenseToOrder
	Account   account.ID // of SuspenseToWallet; empty: the payment's
	Reference string     // of SuspenseBack by a bank: the bank's number of the transfer that staff have made
	Reason    string     // a code
}

// SuspenseAct is a decision about a receipt in suspense, taken or waiting for a
// second person. Its states are those of Decision.
type SuspenseAct struct {
	ID string // sus_...
	SuspenseRequest
	Amount     money.Money
	State      Decision
	ProposedBy id.Handle
	ProposedAt time.Time
	DecidedBy  id.Handle
	DecidedAt  time.Time
	Journal    string
	Version    int64
}

func (r SuspenseRequest) check() error {
	fine := reasonCode.MatchString(r.Reason)
	switch r.Kind {
	case SuspenseToOrder:
		fine = fine && r.Order != "" && r.Account == "" && r.Reference == ""
	case SuspenseToWallet:
		fine = fine && r.Order == "" && r.Reference == ""
	case SuspenseBack:
		fine = fine && r.Order == "" && r.Account == "" && len(r.Reference) <= 64
	default:
		fine = false
	}
	if !fine {
		return ErrSuspense
	}
	return nil
}

// SettleSuspense decides what becomes of money in suspense, for staff with
// payment.settle who proved themselves just now. More than one person may decide
// alone waits for another. ErrSuspense, ErrNotFound, ErrTransition for a receipt
// that is not in suspense, ErrSettling, ErrNotDue, ErrNoWayBack, ErrOneself.
func (s *Service) SettleSuspense(ctx context.Context, p account.Principal, r SuspenseRequest) (SuspenseAct, error) {
	now := s.d.Clock.Now()
	if err := errors.Join(s.maySettle(p), r.check()); err != nil {
		return SuspenseAct{}, err
	}
	var act SuspenseAct
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		rc, a, err := s.strayReceiptTx(ctx, tx, p, r.Receipt)
		if err != nil {
			return err
		}
		if r.Kind == SuspenseToWallet && r.Account == "" {
			r.Account = a.Account
		}
		if err := s.fitsTx(ctx, tx, p, r, rc, a); err != nil {
			return err
		}
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM payment_suspense WHERE receipt_id = $1 AND state = 'waiting'", rc.ID)
		if err == nil && n > 0 {
			err = ErrSettling
		}
		if err != nil {
			return err
		}
		act = SuspenseAct{
			ID: id.New("sus"), SuspenseRequest: r, Amount: rc.Amount, State: Waiting, ProposedBy: p.Subject, ProposedAt: now, Version: 1,
		}
		if err := insertSuspense(ctx, tx, act); err != nil {
			return err
		}
		fault.Point("suspense-after-proposal")
		if err := s.suspenseAuditTx(ctx, tx, "suspense.proposed", act, a, p); err != nil {
			return err
		}
		if alone, err := s.mayAloneTx(ctx, tx, p.Subject, rc.Amount, now); err != nil || !alone {
			return err
		}
		act, err = s.bookSuspenseTx(ctx, tx, act, rc, a, p)
		return err
	})
	fault.Point("suspense-after-decision")
	return act, err
}

// DecideSuspense books or refuses what waits, for another person than who proposed
// it and whose money it is: ErrOneself. ErrNoSuspense, and the errors of
// SettleSuspense.
func (s *Service) DecideSuspense(ctx context.Context, p account.Principal, actID string, v Verdict) (SuspenseAct, error) {
	if err := s.maySettle(p); err != nil {
		return SuspenseAct{}, err
	}
	var out SuspenseAct
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		act, err := db.Get(ctx, tx, ErrNoSuspense, scanSuspense, suspenseColumns+" WHERE id = $1", actID)
		if err != nil {
			return err
		}
		if act.ProposedBy == p.Subject {
			return ErrOneself
		}
		next := act
		if next.State, err = act.State.next(v); err != nil {
			return err
		}
		rc, a, err := s.strayReceiptTx(ctx, tx, p, act.Receipt)
		if err != nil {
			return err
		}
		if v == Book {
			if err := s.fitsTx(ctx, tx, p, act.SuspenseRequest, rc, a); err != nil {
				return err
			}
			out, err = s.bookSuspenseTx(ctx, tx, act, rc, a, p)
			return err
		}
		next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
		if out, err = saveSuspense(ctx, tx, act, next); err != nil {
			return err
		}
		return s.suspenseAuditTx(ctx, tx, "suspense.resolved", out, a, p)
	})
	fault.Point("suspense-after-decision")
	return out, err
}

// strayReceiptTx returns a receipt in suspense with its attempt, under the lock of
// that; of money that no attempt asked for the attempt is empty.
func (s *Service) strayReceiptTx(ctx context.Context, tx *db.Tx, p account.Principal, receipt string) (Receipt, Attempt, error) {
	rc, err := getReceipt(ctx, tx, receipt)
	if err != nil {
		return rc, Attempt{}, err
	}
	if rc.Disposition != ToSuspense {
		return rc, Attempt{}, ErrTransition.With("state", string(rc.Disposition)).With("event", "settle")
	}
	a, err := lockAttempt(ctx, tx, rc.Gateway, rc.Attempt)
	if errs.IsNotFound(err) {
		return rc, Attempt{}, nil
	}
	if err == nil && (a.Subject == p.Subject || a.Account == p.Account) {
		err = ErrOneself
	}
	return rc, a, err
}

// fitsTx holds a request to what is there now, before anything is posted.
func (s *Service) fitsTx(ctx context.Context, tx *db.Tx, p account.Principal, r SuspenseRequest, rc Receipt, a Attempt) error {
	switch r.Kind {
	case SuspenseToOrder:
		_, err := s.dueOrderTx(ctx, tx, p, r.Order, rc.Amount)
		return err
	case SuspenseToWallet:
		if s.d.Wallet.NoTopUp {
			return ErrTarget
		}
		owner, err := s.d.Owners.Owner(ctx, r.Account)
		if err == nil && (owner == p.Subject || r.Account == p.Account) {
			err = ErrOneself
		}
		return err
	}
	g := s.byID[rc.Gateway]
	switch _, pays := g.Gateway.(Refunder); {
	case g.Gateway == nil:
		return ErrNoWayBack
	case g.Gateway.Kind() == Manual:
		if !validText(r.Reference, 64) {
			return ErrSuspense
		}
	case !pays || r.Reference != "" || a.No == "" || (a.TradeNo != "" && a.TradeNo != rc.TradeNo):
		return ErrNoWayBack // it would pay back the other trade of the attempt
	}
	return nil
}

// dueOrderTx returns an order that an amount pays; ErrNotDue.
func (s *Service) dueOrderTx(ctx context.Context, tx *db.Tx, p account.Principal, orderID string, amount money.Money) (order.Order, error) {
	o, err := s.d.Orders.LockTx(ctx, tx, orderID)
	if err != nil {
		return o, err
	}
	if o.Subject == p.Subject || o.Account == p.Account {
		return o, ErrOneself
	}
	held, err := s.d.Ledger.BalanceIn(ctx, tx, ledger.Hold(o.ID), o.Total.Cur)
	if err != nil {
		return o, err
	}
	if due, err := o.Total.Sub(held); err != nil || !o.Payable() || due != amount {
		return o, ErrNotDue
	}
	return o, nil
}

// bookSuspenseTx moves the money out of suspense.
func (s *Service) bookSuspenseTx(ctx context.Context, tx *db.Tx, act SuspenseAct, rc Receipt, a Attempt, p account.Principal) (SuspenseAct, error) {
	next, err := act, error(nil)
	if next.State, err = act.State.next(Book); err != nil {
		return act, err
	}
	next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
	to := ToRefund
	switch act.Kind {
	case SuspenseToOrder:
		to = ToOrder
		next.Journal, err = s.suspenseToOrderTx(ctx, tx, act, rc, p)
	case SuspenseToWallet:
		to = ToWallet
		next.Journal, err = s.outOfSuspenseTx(ctx, tx, act, p, ledger.Credit(ledger.Wallet(string(act.Account)), rc.Amount))
	default:
		next.Journal, err = s.suspenseBackTx(ctx, tx, act, rc, a, p)
	}
	if err != nil {
		return act, err
	}
	fault.Point("suspense-after-ledger")
	if err := moveReceipt(ctx, tx, rc.ID, ToSuspense, to); err != nil {
		return act, err
	}
	if next, err = saveSuspense(ctx, tx, act, next); err != nil {
		return act, err
	}
	return next, s.suspenseAuditTx(ctx, tx, "suspense.resolved", next, a, p)
}

func (s *Service) outOfSuspenseTx(ctx context.Context, tx *db.Tx, act SuspenseAct, p account.Principal, lines ...ledger.Posting) (string, error) {
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "sus:" + act.ID, Kind: "suspense", OccurredAt: s.d.Clock.Now(), RefType: "receipt", RefID: act.Receipt, Actor: string(p.Subject),
		Memo: string(act.Kind), Postings: append([]ledger.Posting{ledger.Debit(ledger.Suspense, act.Amount)}, lines...),
	})
	return j.ID, err
}

func (s *Service) suspenseToOrderTx(ctx context.Context, tx *db.Tx, act SuspenseAct, rc Receipt, p account.Principal) (string, error) {
	o, err := s.dueOrderTx(ctx, tx, p, act.Order, rc.Amount)
	if err != nil {
		return "", err
	}
	held, err := s.spendHoldTx(ctx, tx, o)
	if err != nil {
		return "", err
	}
	lines := earning(o)
	if !held.IsZero() {
		lines = append(lines, ledger.Debit(ledger.Hold(o.ID), held))
	}
	j, err := s.outOfSuspenseTx(ctx, tx, act, p, lines...)
	if err != nil {
		return "", err
	}
	_, err = s.d.Orders.MarkPaidTx(ctx, tx, o.ID, order.Receipt{ID: rc.ID, Amount: o.Total, At: rc.ReceivedAt})
	return j, err
}

// suspenseBackTx sends the money back: by a refund under a number of its own, or,
// of a bank, by noting the transfer that a person has made.
func (s *Service) suspenseBackTx(ctx context.Context, tx *db.Tx, act SuspenseAct, rc Receipt, a Attempt, p account.Principal) (string, error) {
	g := s.byID[rc.Gateway]
	if g.Gateway.Kind() == Manual {
		return s.outOfSuspenseTx(ctx, tx, act, p, ledger.Credit(g.asset(), rc.Amount))
	}
	j, err := s.outOfSuspenseTx(ctx, tx, act, p, ledger.Credit(ledger.RefundPayable, rc.Amount))
	if err != nil {
		return "", err
	}
	now, zero := s.d.Clock.Now(), money.New(0, rc.Amount.Cur)
	r := Refund{
		No: number("R", now), Attempt: rc.Attempt, Receipt: rc.ID, Account: a.Account, Subject: a.Subject, Gateway: rc.Gateway, Rule: RuleSuspense,
		Target: ToOriginal, Amount: rc.Amount, Wallet: zero, Gift: zero, Phase: PhaseRequested, By: string(act.ProposedBy), Journal: j, Version: 1, RequestedAt: now,
	}
	if err := s.openRefundTx(ctx, tx, sourceOfReceipt(rc), r, actor(p), act.Reason); err != nil {
		return "", err
	}
	r, err = s.moveRefundTx(ctx, tx, r, PolicyAuto, actor(p), act.Reason, nil)
	if err != nil {
		return "", err
	}
	return j, s.approvedTx(ctx, tx, r, actor(p))
}

func (s *Service) suspenseAuditTx(ctx context.Context, tx *db.Tx, kind string, act SuspenseAct, a Attempt, p account.Principal) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: a.Subject, Account: string(a.Account), Actor: actor(p),
		Detail: map[string]string{
			"act": act.ID, "receipt": act.Receipt, "kind": string(act.Kind), "order": act.Order, "state": string(act.State), "reason": act.Reason, "journal": act.Journal,
		},
	})
}

// SuspenseActs lists decisions about money in suspense, newest first, older than
// the one with id before (empty = from the newest), for staff with payment.read.
func (s *Service) SuspenseActs(ctx context.Context, p account.Principal, before string, limit int) ([]SuspenseAct, error) {
	if !p.Can(account.PermPaymentRead) {
		return nil, ErrStaffOnly
	}
	if before == "" {
		before = "sus_~" // sorts after every id
	}
	return db.Select(ctx, s.d.DB, scanSuspense, suspenseColumns+" WHERE id < $1 ORDER BY id DESC LIMIT $2", before, int64(min(max(limit, 1), 100)))
}

func insertSuspense(ctx context.Context, tx *db.Tx, a SuspenseAct) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_suspense (id, receipt_id, kind, order_id, account_id, reference, amount_minor, currency, reason, state, version,
		proposed_by, proposed_at, decided_by, decided_at, journal_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', 0, '')`,
		a.ID, a.Receipt, string(a.Kind), a.Order, string(a.Account), a.Reference, a.Amount.Minor, string(a.Amount.Cur), a.Reason, string(a.State), a.Version,
		string(a.ProposedBy), db.Micros(a.ProposedAt))
	return err
}

// saveSuspense compares and sets state and version.
func saveSuspense(ctx context.Context, tx *db.Tx, was, next SuspenseAct) (SuspenseAct, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_suspense SET state = $1, version = $2, decided_by = $3, decided_at = $4, journal_id = $5
		WHERE id = $6 AND state = $7 AND version = $8`,
		string(next.State), next.Version, string(next.DecidedBy), db.Micros(next.DecidedAt), next.Journal, was.ID, string(was.State), was.Version)
	return next, err
}

const suspenseColumns = `SELECT id, receipt_id, kind, order_id, account_id, reference, amount_minor, currency, reason, state, version, proposed_by,
	proposed_at, decided_by, decided_at, journal_id FROM payment_suspense`

func scanSuspense(r db.Row) (a SuspenseAct, err error) {
	var proposed, decided int64
	err = r.Scan(&a.ID, &a.Receipt, &a.Kind, &a.Order, &a.Account, &a.Reference, &a.Amount.Minor, &a.Amount.Cur, &a.Reason, &a.State, &a.Version,
		&a.ProposedBy, &proposed, &a.DecidedBy, &decided, &a.Journal)
	a.ProposedAt, a.DecidedAt = db.FromMicros(proposed), db.FromMicros(decided)
	return a, err
}
