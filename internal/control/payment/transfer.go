package payment

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Manual is the kind of a gateway whose money a person sees at the bank.
const Manual = "manual"

// Reference is what a customer writes on a transfer, so that staff find the
// attempt: the end of its number, 50 bits of it.
func Reference(attemptNo string) string {
	return strings.ToUpper(attemptNo[max(len(attemptNo)-10, 0):])
}

// BankTransfer is money that staff saw at the bank.
type BankTransfer struct {
	ID            string // trf_...
	Attempt       string
	BankReference string // the bank's number of the entry: the trade number of the receipt
	Amount        money.Money
	ReceivedOn    time.Time // day of the entry
	Proof         string    // where the bank's paper is kept
	Reason        string
	State         Decision
	EnteredBy     id.Handle
	EnteredAt     time.Time
	DecidedBy     id.Handle
	DecidedAt     time.Time
	Result        Result // of the fact, once booked
	Version       int64
}

// TransferRequest is what staff enter. The amount is the real one.
type TransferRequest struct {
	Attempt       string
	BankReference string
	Amount        money.Money
	ReceivedOn    time.Time
	Proof         string
	Reason        string
}

func (r TransferRequest) check(now time.Time) error {
	if r.BankReference == "" || len(r.BankReference) > 64 || strings.ContainsFunc(r.BankReference, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ErrTransfer
	}
	if r.Amount.Minor <= 0 || r.ReceivedOn.IsZero() || r.ReceivedOn.After(now) || !validText(r.Proof, maxReason) || !validText(r.Reason, maxReason) {
		return ErrTransfer
	}
	return nil
}

// EnterTransfer books money that came by a bank transfer for an attempt, for staff
// with payment.book who proved themselves just now. More than one person may book
// alone waits for another. ErrTransfer, ErrBooked for a bank reference that is
// known, ErrOneself for one's own payment, ErrNotFound, ErrStaffOnly,
// account.ErrStepUp.
func (s *Service) EnterTransfer(ctx context.Context, p account.Principal, r TransferRequest) (BankTransfer, error) {
	now := s.d.Clock.Now()
	if err := errors.Join(s.mayBook(p), r.check(now)); err != nil {
		return BankTransfer{}, err
	}
	t := BankTransfer{
		ID: id.New("trf"), Attempt: r.Attempt, BankReference: r.BankReference, Amount: r.Amount, ReceivedOn: r.ReceivedOn, Proof: r.Proof,
		Reason: r.Reason, State: Waiting, EnteredBy: p.Subject, EnteredAt: now, Version: 1,
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		a, err := s.manualTx(ctx, tx, p, r.Attempt)
		if err != nil {
			return err
		}
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM payment_transfer WHERE bank_reference = $1 AND state <> 'refused'", r.BankReference)
		if err == nil && n > 0 {
			err = ErrBooked
		}
		if err != nil {
			return err
		}
		if err := insertTransfer(ctx, tx, t); err != nil {
			return err
		}
		if err := s.transferAuditTx(ctx, tx, "payment.transfer_entered", t, a, p); err != nil {
			return err
		}
		if alone, err := s.mayAloneTx(ctx, tx, p.Subject, r.Amount, now); err != nil || !alone {
			return err
		}
		t, err = s.bookTransferTx(ctx, tx, t, a, p)
		return err
	})
	return t, err
}

// DecideTransfer books or refuses a transfer that waits, for another person than
// who entered it and whose payment it is: ErrOneself. ErrNoTransfer, ErrTransition.
func (s *Service) DecideTransfer(ctx context.Context, p account.Principal, transferID string, v Verdict) (BankTransfer, error) {
	if err := s.mayBook(p); err != nil {
		return BankTransfer{}, err
	}
	var out BankTransfer
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := db.Get(ctx, tx, ErrNoTransfer, scanTransfer, transferColumns+" WHERE id = $1", transferID)
		if err != nil {
			return err
		}
		if t.EnteredBy == p.Subject {
			return ErrOneself
		}
		a, err := s.manualTx(ctx, tx, p, t.Attempt)
		if err != nil {
			return err
		}
		if v == Book {
			out, err = s.bookTransferTx(ctx, tx, t, a, p)
			return err
		}
		next := t
		if next.State, err = t.State.next(v); err != nil {
			return err
		}
		next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
		if out, err = saveTransfer(ctx, tx, t, next); err != nil {
			return err
		}
		return s.transferAuditTx(ctx, tx, "payment.transfer_refused", out, a, p)
	})
	return out, err
}

// manualTx returns an attempt at a gateway of kind Manual that is not the staff's own.
func (s *Service) manualTx(ctx context.Context, tx *db.Tx, p account.Principal, no string) (Attempt, error) {
	a, err := getAttempt(ctx, tx, no)
	if err != nil {
		return a, err
	}
	g, ok := s.byID[a.Gateway]
	if !ok || g.Gateway.Kind() != Manual {
		return a, ErrNotFound
	}
	if a.Subject == p.Subject || a.Account == p.Account {
		return a, ErrOneself
	}
	return a, nil
}

// bookTransferTx brings what a person saw through the one door for money.
func (s *Service) bookTransferTx(ctx context.Context, tx *db.Tx, t BankTransfer, a Attempt, p account.Principal) (BankTransfer, error) {
	next, err := t, error(nil)
	if next.State, err = t.State.next(Book); err != nil {
		return t, err
	}
	g := s.byID[a.Gateway]
	f := Fact{
		AttemptNo: a.No, TradeNo: t.BankReference, MerchantID: g.MerchantID, Amount: t.Amount, State: FactPaid, PaidAt: t.ReceivedOn, DedupeKey: t.ID,
	}
	f.DedupeKey = messageKey(f)
	if next.Result, err = s.applyTx(ctx, tx, g, f, FromStaff, factDigest(f)); err != nil {
		return t, err
	}
	if next.Result == NoOp {
		return t, ErrBooked
	}
	fault.Point("transfer-after-fact")
	next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
	if next, err = saveTransfer(ctx, tx, t, next); err != nil {
		return t, err
	}
	return next, s.transferAuditTx(ctx, tx, "payment.transfer_booked", next, a, p)
}

func (s *Service) transferAuditTx(ctx context.Context, tx *db.Tx, kind string, t BankTransfer, a Attempt, p account.Principal) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: a.Subject, Account: string(a.Account), Actor: audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session},
		Detail: map[string]string{"transfer": t.ID, "attempt": a.No, "result": string(t.Result)},
	})
}

// Transfers lists what staff entered, newest first, older than the one with id
// before (empty = from the newest), for staff with payment.read.
func (s *Service) Transfers(ctx context.Context, p account.Principal, before string, limit int) ([]BankTransfer, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	if before == "" {
		before = "trf_~" // sorts after every id
	}
	return db.Select(ctx, s.d.DB, scanTransfer, transferColumns+" WHERE id < $1 ORDER BY id DESC LIMIT $2", before, int64(limit))
}

// Awaited lists attempts that wait for a bank transfer, newest first, for staff
// with payment.read.
func (s *Service) Awaited(ctx context.Context, p account.Principal, limit int) ([]Attempt, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	var all []Attempt
	for _, g := range s.d.Accounts {
		if g.Gateway.Kind() != Manual {
			continue
		}
		some, err := db.Select(ctx, s.d.DB, scanAttempt, attemptColumns+` WHERE gateway_account_id = $1 AND state IN ('created', 'pending')
			ORDER BY attempt_no DESC LIMIT $2`, g.ID, int64(limit))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func insertTransfer(ctx context.Context, tx *db.Tx, t BankTransfer) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_transfer (id, attempt_no, bank_reference, amount_minor, currency, received_on, proof, reason, state, version,
		entered_by, entered_at, decided_by, decided_at, result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0, '')`,
		t.ID, t.Attempt, t.BankReference, t.Amount.Minor, string(t.Amount.Cur), db.Micros(t.ReceivedOn), t.Proof, t.Reason, string(t.State), t.Version,
		string(t.EnteredBy), db.Micros(t.EnteredAt))
	return err
}

// saveTransfer compares and sets state and version.
func saveTransfer(ctx context.Context, tx *db.Tx, was, next BankTransfer) (BankTransfer, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_transfer SET state = $1, version = $2, decided_by = $3, decided_at = $4, result = $5
		WHERE id = $6 AND state = $7 AND version = $8`,
		string(next.State), next.Version, string(next.DecidedBy), db.Micros(next.DecidedAt), string(next.Result), was.ID, string(was.State), was.Version)
	return next, err
}

const transferColumns = `SELECT id, attempt_no, bank_reference, amount_minor, currency, received_on, proof, reason, state, version, entered_by,
	entered_at, decided_by, decided_at, result FROM payment_transfer`

func scanTransfer(r db.Row) (t BankTransfer, err error) {
	var received, entered, decided int64
	err = r.Scan(&t.ID, &t.Attempt, &t.BankReference, &t.Amount.Minor, &t.Amount.Cur, &received, &t.Proof, &t.Reason, &t.State, &t.Version,
		&t.EnteredBy, &entered, &t.DecidedBy, &decided, &t.Result)
	t.ReceivedOn, t.EnteredAt, t.DecidedAt = db.FromMicros(received), db.FromMicros(entered), db.FromMicros(decided)
	return t, err
}
