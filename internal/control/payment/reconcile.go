package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// reconcile compares a day's bill with what is here. It books fees and takes up
// payments that the bill proves and no notice brought; everything else that differs
// is for a person. absent says that the provider has no bill of the day. It may run any number of times, at any moment, and may end
// anywhere:
//
//	lines, some at a time ─▶ money without a receipt ─▶ what the bill lacks, fees, the bill's row
//	      each its own transaction                        one, if no other process was faster
func (s *Service) reconcile(ctx context.Context, g GatewayAccount, b ProviderBill, rows []BillRow, absent bool) error {
	t, err := sum(g, rows)
	if err != nil {
		return s.billInVain(ctx, b, err)
	}
	c := comparison{s, g, b, b.Readings + 1, absent}
	const some = 100
	for from := 0; from < len(rows); from += some {
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			for i := from; i < min(from+some, len(rows)); i++ {
				if err := c.rowTx(ctx, tx, rows[i], t.seen[i], t.all[rows[i].key()]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fault.Point("bill-after-rows")
	}
	if err := c.takeUp(ctx, rows, t); err != nil {
		return err
	}
	fault.Point("bill-after-money")
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return c.finishTx(ctx, tx, rows, t) })
	fault.Point("bill-after-end")
	return err
}

// tally is what a bill comes to. A line that stands there twice counts once, and a
// fee that no provider takes is not counted.
type tally struct {
	payments, refunds    int
	paid, returned, fees money.Money
	seen                 []int            // how often a line's number has stood before it
	at                   map[string]int   // first line of a trade
	all                  map[string]int64 // of a number: the sum of its lines, in minor units
}

func sum(g GatewayAccount, rows []BillRow) (t tally, err error) {
	zero := money.New(0, g.Currency)
	t = tally{paid: zero, returned: zero, fees: zero, seen: make([]int, len(rows)), at: map[string]int{}, all: map[string]int64{}}
	times := map[string]int{}
	for i, r := range rows {
		if r.Amount.Cur != g.Currency {
			return t, ErrBillForm
		}
		t.seen[i] = times[r.key()]
		times[r.key()]++
		all, err := money.New(t.all[r.key()], g.Currency).Add(r.Amount)
		if err != nil {
			return t, err
		}
		if t.all[r.key()] = all.Minor; t.seen[i] > 0 {
			continue
		}
		fee := r.fee()
		if r.RefundNo == "" {
			t.payments++
			t.at[r.TradeNo] = i
			t.paid, err = t.paid.Add(r.Amount)
		} else {
			t.refunds++
			t.returned, err = t.returned.Add(r.Amount)
			fee.Minor = -fee.Minor // given back with the money
		}
		if err != nil {
			return t, err
		}
		if t.fees, err = t.fees.Add(fee); err != nil {
			return t, err
		}
	}
	return t, nil
}

// tells reports whether the bill has a line of a number.
func (t tally) tells(r BillRow) bool { return t.all[r.key()] > 0 }

func (r BillRow) key() string {
	if r.RefundNo != "" {
		return "refund|" + r.RefundNo
	}
	return "pay|" + r.TradeNo
}

// ref is the number that a line is known by.
func (r BillRow) ref() string {
	if r.RefundNo != "" {
		return r.RefundNo
	}
	return r.TradeNo
}

// oddFee reports whether the fee is more than a tenth and one yuan: no provider
// takes that, and a file that says so is not believed in it.
func (r BillRow) oddFee() bool { return r.Fee.Minor > r.Amount.Minor/10+100 }

func (r BillRow) fee() money.Money {
	if r.oddFee() {
		return money.New(0, r.Amount.Cur)
	}
	return money.New(r.Fee.Minor, r.Amount.Cur)
}

// comparison is one reading of a bill.
type comparison struct {
	s       *Service
	g       GatewayAccount
	b       ProviderBill
	reading int
	absent  bool
}

func (c comparison) difference(kind DifferenceKind, r BillRow) Difference {
	zero := money.New(0, c.g.Currency)
	return Difference{
		Gateway: c.g.ID, Day: c.b.Day, Kind: kind, Ref: r.ref(), Attempt: r.AttemptNo, TradeNo: r.TradeNo, RefundNo: r.RefundNo,
		Here: zero, There: r.Amount, Booked: zero, At: r.At, Reading: c.reading,
	}
}

// rowTx compares a line. above is how often its number stood above it, all the sum
// of its lines: what is told twice is one difference.
func (c comparison) rowTx(ctx context.Context, tx *db.Tx, r BillRow, above int, all int64) error {
	if above > 0 {
		if above > 1 {
			return nil
		}
		d := c.difference(Duplicate, r)
		d.Here, d.There.Minor = r.Amount, all
		return c.s.foundTx(ctx, tx, d)
	}
	if r.oddFee() {
		d := c.difference(FeeNotBooked, r)
		d.There = money.New(r.Fee.Minor, c.g.Currency)
		if err := c.s.foundTx(ctx, tx, d); err != nil {
			return err
		}
	}
	if r.RefundNo != "" {
		return c.refundRowTx(ctx, tx, r)
	}
	return c.paymentRowTx(ctx, tx, r)
}

func (c comparison) paymentRowTx(ctx context.Context, tx *db.Tx, r BillRow) error {
	rc, err := receiptOfTrade(ctx, tx, c.g.ID, r.TradeNo)
	if errs.IsNotFound(err) {
		d := c.difference(MissingHere, r)
		if a, err := getAttempt(ctx, tx, r.AttemptNo); errs.IsNotFound(err) || err == nil && a.Gateway != c.g.ID {
			d.Kind = ForeignTrade // of another shop that uses this account, or of one that lost it
		} else if err != nil {
			return err
		}
		return c.s.foundTx(ctx, tx, d)
	}
	if err != nil {
		return err
	}
	if err := c.billedTx(ctx, tx, "UPDATE payment_receipt SET billed_day = $1 WHERE id = $2 AND billed_day <> $1", rc.ID, r.TradeNo, MissingThere); err != nil {
		return err
	}
	for _, kind := range []DifferenceKind{MissingHere, ForeignTrade} {
		if err := c.s.goneTx(ctx, tx, c.g.ID, kind, r.TradeNo, "taken_up"); err != nil {
			return err
		}
	}
	if rc.Amount != r.Amount {
		d := c.difference(AmountDiffers, r)
		d.Attempt, d.Here = rc.Attempt, rc.Amount
		return c.s.foundTx(ctx, tx, d)
	}
	if r.AttemptNo != "" && r.AttemptNo != rc.Attempt {
		d := c.difference(StateDiffers, r)
		d.Here, d.HereState = rc.Amount, "of_"+rc.Attempt
		return c.s.foundTx(ctx, tx, d)
	}
	return nil
}

func (c comparison) refundRowTx(ctx context.Context, tx *db.Tx, r BillRow) error {
	f, err := getRefund(ctx, tx, r.RefundNo)
	if errs.IsNotFound(err) || err == nil && f.Gateway != c.g.ID {
		return c.s.foundTx(ctx, tx, c.difference(RefundMissingHere, r))
	}
	if err != nil {
		return err
	}
	if err := c.billedTx(ctx, tx, "UPDATE payment_refund SET billed_day = $1 WHERE refund_no = $2 AND billed_day <> $1", f.No, f.No, RefundMissingThere); err != nil {
		return err
	}
	d := c.difference(StateDiffers, r)
	d.Attempt, d.Here, d.HereState = f.Attempt, f.Split().Outside, string(f.Phase)
	switch {
	case d.Here != r.Amount:
		d.Kind = AmountDiffers
	case f.Phase == PhaseSucceeded && f.Target == ToOriginal:
		return nil
	case f.Phase == PhaseSucceeded:
		d.HereState = string(f.Target)
	case f.Phase == PhaseProcessing || f.Phase == PhaseUnknown: // asked about, and gone when the bill is read again
		tx.AfterCommit(func() { _ = c.s.nudgeRefund(context.WithoutCancel(ctx), f) })
	}
	return c.s.foundTx(ctx, tx, d)
}

// billedTx notes in which day's bill something stands, so that no other day misses
// it. Where an earlier one did, it does no more.
func (c comparison) billedTx(ctx context.Context, tx *db.Tx, text, of, ref string, missed DifferenceKind) error {
	if _, err := tx.Exec(ctx, text, db.Micros(c.b.Day.Start()), of); err != nil {
		return err
	}
	return c.s.goneTx(ctx, tx, c.g.ID, missed, ref, "billed")
}

// takeUp brings the money that the bill proves and that no notice brought through
// the one door. A statement that a person brings proves nothing by itself.
func (c comparison) takeUp(ctx context.Context, rows []BillRow, t tally) error {
	if c.g.Gateway.Kind() == Manual {
		return nil
	}
	open, err := db.Select(ctx, c.s.d.DB, scanDifference, differenceColumns+` WHERE gateway_account_id = $1 AND day = $2 AND kind = 'missing_here'
		AND state = 'open' ORDER BY ref`, c.g.ID, db.Micros(c.b.Day.Start()))
	if err != nil {
		return err
	}
	for _, d := range open {
		i, ok := t.at[d.TradeNo]
		if !ok {
			continue
		}
		r := rows[i]
		f := Fact{
			AttemptNo: r.AttemptNo, TradeNo: r.TradeNo, MerchantID: c.g.MerchantID, Amount: r.Amount, State: FactPaid, PaidAt: r.At,
			DedupeKey: r.TradeNo + "|bill",
		}
		result, err := c.s.ApplyFact(ctx, c.g.ID, f, FromReconciliation, factDigest(f))
		if err != nil { // it stays open, and the others do not wait for it
			c.s.d.Log.ErrorContext(ctx, "a payment of a bill could not be taken up", "attempt", r.AttemptNo, "code", errs.CodeOf(err))
			continue
		}
		fault.Point("bill-after-fact")
		c.s.d.Log.WarnContext(ctx, "a bill brought a payment that no notice did", "attempt", r.AttemptNo, "result", string(result))
		if err := c.s.d.DB.InTx(ctx, func(tx *db.Tx) error { return c.paymentRowTx(ctx, tx, r) }); err != nil {
			return err
		}
		fault.Point("bill-after-taken-up")
	}
	return nil
}

// slack is how much later we may have learned of something than the provider did
// it: what comes so shortly before the end of a day is looked for with the next.
const slack = 10 * time.Minute

// finishTx records what is here and not there, closes what the bill does not say
// any more, books fees and notes the reading.
func (c comparison) finishTx(ctx context.Context, tx *db.Tx, rows []BillRow, t tally) error {
	b, err := billOfDay(ctx, tx, c.g.ID, c.b.Day)
	if err != nil || b.Version != c.b.Version { // another process has read it
		return err
	}
	if err := c.missingTx(ctx, tx, t); err != nil {
		return err
	}
	fault.Point("bill-after-missing")
	if err := c.correctedTx(ctx, tx); err != nil {
		return err
	}
	next := b
	if next.Fee, err = c.feesTx(ctx, tx, b, t.fees); err != nil {
		return err
	}
	fault.Point("bill-after-fees")
	now := c.s.d.Clock.Now()
	next.Readings, next.Tries, next.Problem, next.Digest, next.ReadAt = c.reading, 0, "", rowsDigest(rows), now
	next.Payments, next.Refunds, next.Paid, next.Returned = t.payments, t.refunds, t.paid, t.returned
	next.State, next.NextAt = BillRead, lastDue(b.Day)
	switch {
	case c.absent:
		next.State, next.NextAt, next.Problem = BillAbsent, time.Time{}, ErrTradeNotFound.Code
	case !now.Before(lastDue(b.Day)) || c.g.Gateway.Kind() == Manual:
		next.State, next.NextAt = BillSettled, time.Time{}
	}
	if err := saveBill(ctx, tx, b, next); err != nil {
		return err
	}
	return c.s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "payment.reconciled", Actor: system,
		Detail: map[string]string{"bill": b.ID, "gateway": b.Gateway, "day": b.Day.String(), "state": string(next.State), "digest": next.Digest},
	})
}

// correctedTx closes what this reading says no more. Where the books had followed
// it a person has them come back.
func (c comparison) correctedTx(ctx context.Context, tx *db.Tx) error {
	stale, err := db.Select(ctx, tx, scanDifference, differenceColumns+` WHERE gateway_account_id = $1 AND day = $2 AND reading < $3
		AND (state <> 'closed' OR (booked_minor <> 0 AND kind <> 'foreign')) ORDER BY id`, c.g.ID, db.Micros(c.b.Day.Start()), int64(c.reading))
	if err != nil {
		return err
	}
	for _, d := range stale {
		switch {
		case d.Booked.IsZero():
			_, err = c.s.moveDifferenceTx(ctx, tx, d, DifferenceGone, system, "bill_corrected", nil)
		case d.There != d.Here && d.State != DifferenceOpen:
			_, err = c.s.moveDifferenceTx(ctx, tx, d, DifferenceReopen, system, "bill_corrected", d.takenBack)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// missingTx finds what was booked of the day and stands in no bill, and what stood
// in this one when it was read before.
func (c comparison) missingTx(ctx context.Context, tx *db.Tx, t tally) error {
	day := db.Micros(c.b.Day.Start())
	from, to := db.Micros(c.b.Day.Start().Add(-slack)), db.Micros(c.b.Day.End().Add(-slack))
	receipts, err := db.Select(ctx, tx, scanReceipt, receiptColumns+` WHERE gateway_account_id = $1
		AND ((paid_at >= $2 AND paid_at < $3 AND billed_day = 0) OR billed_day = $4) ORDER BY id`, c.g.ID, from, to, day)
	if err != nil {
		return err
	}
	for _, rc := range receipts {
		if t.tells(BillRow{TradeNo: rc.TradeNo}) {
			continue
		}
		d := c.difference(MissingThere, BillRow{AttemptNo: rc.Attempt, TradeNo: rc.TradeNo, Amount: money.New(0, rc.Amount.Cur), At: rc.PaidAt})
		d.Here, d.HereState = rc.Amount, string(rc.Disposition)
		if err := c.s.foundTx(ctx, tx, d); err != nil {
			return err
		}
	}
	if _, tells := c.g.Gateway.(RefundQuerier); !tells || c.g.Gateway.Kind() == Manual { // nor do its bills tell of refunds
		return nil
	}
	refunds, err := db.Select(ctx, tx, scanRefund, refundColumns+` WHERE gateway_account_id = $1 AND phase = 'succeeded' AND target = 'original'
		AND ((settled_at >= $2 AND settled_at < $3 AND billed_day = 0) OR billed_day = $4) ORDER BY refund_no`, c.g.ID, from, to, day)
	if err != nil {
		return err
	}
	for _, f := range refunds {
		if t.tells(BillRow{RefundNo: f.No}) {
			continue
		}
		d := c.difference(RefundMissingThere, BillRow{AttemptNo: f.Attempt, RefundNo: f.No, Amount: money.New(0, f.Amount.Cur), At: f.SettledAt})
		d.Here, d.HereState = f.Split().Outside, string(f.Phase)
		if err := c.s.foundTx(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

// feesTx books what the provider kept of the day and is not in the books yet, and
// returns what is in them then.
func (c comparison) feesTx(ctx context.Context, tx *db.Tx, b ProviderBill, fees money.Money) (money.Money, error) {
	more, err := fees.Sub(b.Fee)
	if err != nil || more.IsZero() {
		return b.Fee, err
	}
	_, err = c.s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "fee:" + b.ID + ":" + itoa(c.reading), Kind: "fee", OccurredAt: b.Day.End().Add(-time.Microsecond), RefType: "bill", RefID: b.ID,
		Actor: "system", Memo: "bill", Postings: []ledger.Posting{ledger.Debit(ledger.GatewayFee, more), ledger.Credit(c.g.asset(), more)},
	})
	return fees, err
}
