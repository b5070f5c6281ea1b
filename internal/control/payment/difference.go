package payment

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Difference is something that a provider's bill and the books do not say alike.
//
//	found                explain, gone
//	──▶ open ──────────────────────────▶ closed
//	     │ ▲ refuse      confirm           │
//	     ▼ │                ┌─────────────▶│
//	   waiting ─────────────┘              │
//	     ▲                                 │ reopen: the bill says something else
//	   propose, of open ◀──────────────────┘
//
// Nothing of it moves money but a booking that one person proposes and another
// confirms: it makes the books follow the bill.
type Difference struct {
	ID        string // dif_...
	Gateway   string
	Day       civil.Day // of the bill
	Kind      DifferenceKind
	Ref       string // the number that it is known by: of a trade or a refund
	Attempt   string // as the bill or the books name it; of a foreign trade not one of ours
	TradeNo   string
	RefundNo  string
	Here      money.Money // in the books; zero: nothing
	There     money.Money // in the bill; zero: nothing
	HereState string      // of a refund its phase, of a receipt its disposition
	State     DifferenceState
	Outcome   string // code of why it is closed
	Proposed  id.Handle
	Booked    money.Money // by which the books have followed the bill
	At        time.Time   // of the trade, as far as known
	FoundAt   time.Time
	ClosedAt  time.Time
	Reading   int // of the bill, that said so last
	Version   int64
}

// DifferenceKind is what differs.
type DifferenceKind string

// Kinds of differences.
const (
	MissingHere        DifferenceKind = "missing_here"         // an attempt of ours, and no receipt: taken up
	ForeignTrade       DifferenceKind = "foreign"              // no attempt of ours
	MissingThere       DifferenceKind = "missing_there"        // a receipt that stands in no bill
	AmountDiffers      DifferenceKind = "amount"               // of a payment or a refund
	StateDiffers       DifferenceKind = "state"                // paid back there and not here, or of another attempt
	Duplicate          DifferenceKind = "duplicate"            // the bill lists it more than once
	FeeNotBooked       DifferenceKind = "fee"                  // a fee that is too high to be believed
	RefundMissingHere  DifferenceKind = "refund_missing_here"  // paid back there, by nobody of ours
	RefundMissingThere DifferenceKind = "refund_missing_there" // paid back here, and not there
)

// DifferenceKinds are all of them.
var DifferenceKinds = []DifferenceKind{
	MissingHere, ForeignTrade, MissingThere, AmountDiffers, StateDiffers, Duplicate, FeeNotBooked, RefundMissingHere, RefundMissingThere,
}

// DifferenceState is where a difference stands.
type DifferenceState string

// States of a difference.
const (
	DifferenceOpen    DifferenceState = "open"
	DifferenceWaiting DifferenceState = "waiting" // for a second person
	DifferenceClosed  DifferenceState = "closed"
)

// DifferenceEvent is what happens to a difference.
type DifferenceEvent string

// Events of a difference. stepFound begins it.
const (
	stepFound         DifferenceEvent = "found"
	DifferenceExplain DifferenceEvent = "explain" // by a person: no money moves
	DifferenceGone    DifferenceEvent = "gone"    // the next reading agrees
	DifferencePropose DifferenceEvent = "propose" // to have the books follow the bill
	DifferenceConfirm DifferenceEvent = "confirm"
	DifferenceRefuse  DifferenceEvent = "refuse"
	DifferenceReopen  DifferenceEvent = "reopen"
)

// DifferenceTransition is one row of the state machine.
type DifferenceTransition struct {
	From  DifferenceState
	Event DifferenceEvent
	To    DifferenceState
}

// DifferenceTransitions is the state machine of a difference.
var DifferenceTransitions = []DifferenceTransition{
	{DifferenceOpen, DifferenceExplain, DifferenceClosed},
	{DifferenceOpen, DifferenceGone, DifferenceClosed},
	{DifferenceOpen, DifferencePropose, DifferenceWaiting},
	{DifferenceWaiting, DifferenceConfirm, DifferenceClosed},
	{DifferenceWaiting, DifferenceRefuse, DifferenceOpen},
	{DifferenceWaiting, DifferenceGone, DifferenceClosed},
	{DifferenceWaiting, DifferenceReopen, DifferenceOpen},
	{DifferenceClosed, DifferenceReopen, DifferenceOpen},
}

// Apply returns the difference after an event; ErrTransition if the table has no such row.
func (d Difference) Apply(e DifferenceEvent) (Difference, error) {
	i := slices.IndexFunc(DifferenceTransitions, func(t DifferenceTransition) bool { return t.From == d.State && t.Event == e })
	if i < 0 {
		return d, ErrTransition.With("state", string(d.State)).With("event", string(e))
	}
	d.State = DifferenceTransitions[i].To
	return d, nil
}

// Due is what the books still have to change by to follow the bill, of the money
// at the provider; zero: nothing can be booked.
func (d Difference) Due() money.Money {
	due := money.New(0, d.Here.Cur)
	switch {
	case d.Kind == MissingHere || d.Kind == StateDiffers: // an act of its own brings it
	case d.Kind == FeeNotBooked:
		due.Minor = -d.There.Minor - d.Booked.Minor
	case d.RefundNo != "":
		due.Minor = d.Here.Minor - d.There.Minor - d.Booked.Minor
	default:
		due.Minor = d.There.Minor - d.Here.Minor - d.Booked.Minor
	}
	return due
}

func (d Difference) sameAs(o Difference) bool {
	return d.Here == o.Here && d.There == o.There && d.HereState == o.HereState && d.Attempt == o.Attempt
}

func itoa(n int) string { return strconv.Itoa(n) }

// foundTx records a difference once. One that is closed or waits opens again when
// the bill says something else than then, or says again what it had taken back.
func (s *Service) foundTx(ctx context.Context, tx *db.Tx, d Difference) error {
	was, err := db.Get(ctx, tx, ErrNoDifference, scanDifference, differenceColumns+" WHERE gateway_account_id = $1 AND day = $2 AND kind = $3 AND ref = $4",
		d.Gateway, db.Micros(d.Day.Start()), string(d.Kind), d.Ref)
	if errs.IsNotFound(err) {
		d.ID, d.State, d.FoundAt, d.Version = id.New("dif"), DifferenceOpen, s.d.Clock.Now(), 1
		if err := insertDifference(ctx, tx, d); err != nil {
			return err
		}
		return s.differenceStepTx(ctx, tx, d, stepFound, system, "", "")
	}
	if err != nil {
		return err
	}
	back := was.State == DifferenceClosed && was.Outcome == "bill_corrected"
	if was.sameAs(d) && !back {
		_, err := tx.Exec(ctx, "UPDATE payment_difference SET reading = $1 WHERE id = $2", int64(d.Reading), was.ID)
		return err
	}
	news := func(n *Difference) {
		n.Here, n.There, n.HereState, n.Attempt, n.At, n.Reading = d.Here, d.There, d.HereState, d.Attempt, d.At, d.Reading
		n.Outcome, n.Proposed, n.ClosedAt = "", "", time.Time{}
	}
	if was.State == DifferenceOpen {
		next := was
		news(&next)
		if next, err = saveDifference(ctx, tx, was, next); err != nil {
			return err
		}
		return s.differenceStepTx(ctx, tx, next, stepFound, system, "", "")
	}
	_, err = s.moveDifferenceTx(ctx, tx, was, DifferenceReopen, system, "", news)
	return err
}

// goneTx closes what was missed and is there now. What the books had followed
// already opens again: they have to come back.
func (s *Service) goneTx(ctx context.Context, tx *db.Tx, gateway string, kind DifferenceKind, ref, why string) error {
	all, err := db.Select(ctx, tx, scanDifference, differenceColumns+" WHERE gateway_account_id = $1 AND kind = $2 AND ref = $3 ORDER BY id", gateway, string(kind), ref)
	if err != nil {
		return err
	}
	for _, d := range all {
		switch {
		case !d.Booked.IsZero() && kind != ForeignTrade && d.There != d.Here && d.State != DifferenceOpen:
			_, err = s.moveDifferenceTx(ctx, tx, d, DifferenceReopen, system, why, d.takenBack)
		case d.State != DifferenceClosed && d.Booked.IsZero():
			_, err = s.moveDifferenceTx(ctx, tx, d, DifferenceGone, system, why, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takenBack makes the bill agree with what was here before the books followed it.
func (d Difference) takenBack(n *Difference) {
	n.There, n.Outcome, n.Proposed, n.ClosedAt = d.Here, "", "", time.Time{}
}

// moveDifferenceTx applies an event, with what else changes, and writes the step
// and the leaf.
func (s *Service) moveDifferenceTx(ctx context.Context, tx *db.Tx, d Difference, e DifferenceEvent, by audit.Actor, reason string, also func(*Difference)) (Difference, error) {
	return s.bookedDifferenceTx(ctx, tx, d, e, by, reason, "", also)
}

func (s *Service) bookedDifferenceTx(ctx context.Context, tx *db.Tx, d Difference, e DifferenceEvent, by audit.Actor, reason, journal string, also func(*Difference)) (Difference, error) {
	next, err := d.Apply(e)
	if err != nil {
		return d, err
	}
	if next.State == DifferenceClosed {
		next.Outcome, next.ClosedAt = reason, s.d.Clock.Now()
	}
	if also != nil {
		also(&next)
	}
	if next, err = saveDifference(ctx, tx, d, next); err != nil {
		return d, err
	}
	return next, s.differenceStepTx(ctx, tx, next, e, by, reason, journal)
}

func (s *Service) differenceStepTx(ctx context.Context, tx *db.Tx, d Difference, e DifferenceEvent, by audit.Actor, reason, journal string) error {
	if err := insertDifferenceStep(ctx, tx, d, e, by, reason, journal, s.d.Clock.Now()); err != nil {
		return err
	}
	if d.State == DifferenceOpen {
		tx.AfterCommit(func() {
			s.d.Log.ErrorContext(ctx, "a provider's bill and the books differ", "difference", d.ID, "kind", string(d.Kind), "gateway", d.Gateway, "day", d.Day.String())
		})
	}
	leaf := audit.Event{Type: "payment.difference", Actor: by, Detail: map[string]string{
		"difference": d.ID, "kind": string(d.Kind), "event": string(e), "state": string(d.State), "reason": reason, "journal": journal, "attempt": d.Attempt,
	}}
	if a, err := getAttempt(ctx, tx, d.Attempt); err == nil {
		leaf.Subject, leaf.Account = a.Subject, string(a.Account)
	} else if !errs.IsNotFound(err) {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, leaf)
}

// changeDifference reads a difference for staff with payment.settle who proved
// themselves just now, and whose own payment it is not, and lets fn decide.
func (s *Service) changeDifference(ctx context.Context, p account.Principal, differenceID string, fn func(tx *db.Tx, d Difference) (Difference, error)) (Difference, error) {
	if err := s.maySettle(p); err != nil {
		return Difference{}, err
	}
	var out Difference
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		d, err := getDifference(ctx, tx, differenceID)
		if err != nil {
			return err
		}
		a, err := getAttempt(ctx, tx, d.Attempt)
		if err == nil && (a.Subject == p.Subject || a.Account == p.Account) {
			return ErrOneself
		}
		if err != nil && !errs.IsNotFound(err) {
			return err
		}
		out, err = fn(tx, d)
		return err
	})
	return out, err
}

// Explain closes a difference by a reason: no money moves. ErrReason,
// ErrNoDifference, ErrTransition, ErrOneself, ErrStaffOnly, account.ErrStepUp.
func (s *Service) Explain(ctx context.Context, p account.Principal, differenceID, reason string) (Difference, error) {
	if !reasonCode.MatchString(reason) {
		return Difference{}, ErrReason
	}
	return s.changeDifference(ctx, p, differenceID, func(tx *db.Tx, d Difference) (Difference, error) {
		return s.moveDifferenceTx(ctx, tx, d, DifferenceExplain, actor(p), reason, nil)
	})
}

// ProposeBooking asks another person to have the books follow the bill. The
// errors of Explain, and ErrNothingToBook.
func (s *Service) ProposeBooking(ctx context.Context, p account.Principal, differenceID, reason string) (Difference, error) {
	if !reasonCode.MatchString(reason) {
		return Difference{}, ErrReason
	}
	return s.changeDifference(ctx, p, differenceID, func(tx *db.Tx, d Difference) (Difference, error) {
		if d.Due().IsZero() {
			return d, ErrNothingToBook
		}
		return s.moveDifferenceTx(ctx, tx, d, DifferencePropose, actor(p), reason, func(n *Difference) { n.Proposed = p.Subject })
	})
}

// DecideBooking books what another person proposed, or refuses it. ErrOneself for
// who proposed it.
func (s *Service) DecideBooking(ctx context.Context, p account.Principal, differenceID string, v Verdict) (Difference, error) {
	d, err := s.changeDifference(ctx, p, differenceID, func(tx *db.Tx, d Difference) (Difference, error) {
		if d.State == DifferenceWaiting && d.Proposed == p.Subject {
			return d, ErrOneself
		}
		if v != Book {
			return s.moveDifferenceTx(ctx, tx, d, DifferenceRefuse, actor(p), "refused", func(n *Difference) { n.Proposed = "" })
		}
		if _, err := d.Apply(DifferenceConfirm); err != nil {
			return d, err
		}
		due := d.Due()
		if due.IsZero() {
			return d, ErrNothingToBook
		}
		journal, err := s.followTx(ctx, tx, d, due, p)
		if err != nil {
			return d, err
		}
		fault.Point("difference-after-ledger")
		return s.bookedDifferenceTx(ctx, tx, d, DifferenceConfirm, actor(p), "booked", journal, func(n *Difference) { n.Booked.Minor += due.Minor })
	})
	fault.Point("difference-after-decision")
	return d, err
}

// followTx posts what makes the books follow the bill. Money of nobody's becomes a
// receipt in suspense; the rest is what differences to providers cost.
func (s *Service) followTx(ctx context.Context, tx *db.Tx, d Difference, due money.Money, p account.Principal) (string, error) {
	g, ok := s.byID[d.Gateway]
	if !ok {
		return "", ErrNotFound
	}
	if d.Kind == ForeignTrade {
		return s.strayTx(ctx, tx, g, d)
	}
	contra := ledger.Chargeback
	if d.Kind == FeeNotBooked {
		contra = ledger.GatewayFee
	}
	less, err := due.Neg()
	if err != nil {
		return "", err
	}
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "dif:" + d.ID + ":" + strconv.FormatInt(d.Version, 10), Kind: "difference", OccurredAt: s.d.Clock.Now(), RefType: "difference", RefID: d.ID,
		Actor: string(p.Subject), Memo: string(d.Kind), Postings: []ledger.Posting{{Account: g.asset(), Amount: due}, {Account: contra, Amount: less}},
	})
	return j.ID, err
}

// strayTx books a trade that no attempt asked for into suspense.
func (s *Service) strayTx(ctx context.Context, tx *db.Tx, g GatewayAccount, d Difference) (string, error) {
	r := Receipt{
		ID: id.New("rcp"), Gateway: g.ID, TradeNo: d.TradeNo, Attempt: d.Attempt, Amount: d.There, Disposition: ToSuspense,
		PaidAt: d.At, ReceivedAt: s.d.Clock.Now(),
	}
	if r.PaidAt.IsZero() {
		r.PaidAt = d.Day.Start()
	}
	fresh, err := insertReceipt(ctx, tx, r)
	if err == nil && !fresh {
		err = ErrBooked
	}
	if err != nil {
		return "", err
	}
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "pay:" + r.ID, Kind: "payment", OccurredAt: r.PaidAt, RefType: "attempt", RefID: r.Attempt, Actor: "system", Memo: "foreign",
		Postings: []ledger.Posting{ledger.Debit(g.asset(), r.Amount), ledger.Credit(ledger.Suspense, r.Amount)},
	})
	if err != nil {
		return "", err
	}
	r.Journal = j.ID
	if err := completeReceipt(ctx, tx, r); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, "UPDATE payment_receipt SET billed_day = $1 WHERE id = $2", db.Micros(d.Day.Start()), r.ID)
	return j.ID, err
}
