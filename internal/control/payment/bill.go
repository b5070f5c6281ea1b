package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors of bills and of what differs.
var (
	ErrNoBill         = errs.New(errs.NotFound, "payment.bill_not_found")
	ErrNoDifference   = errs.New(errs.NotFound, "payment.difference_not_found")
	ErrNothingToBook  = errs.New(errs.Conflict, "payment.difference_not_bookable")
	ErrBillForm       = errs.New(errs.Unprocessable, "payment.bill_malformed")
	ErrBillTooEarly   = errs.New(errs.Unprocessable, "payment.bill_day_not_over")
	ErrBillUnreadable = errs.New(errs.Unprocessable, "payment.bill_not_kept_there")
)

// ProviderBill is a day of a gateway account: what the provider says came, went
// back and was kept, in China's days, and whether it was read.
//
//	          read                read again, three days later
//	waiting ───────▶ read ──────────────────────▶ settled
//	  │  ▲ not there yet, or not to be believed      ▲
//	  ├──┘                                           │ staff bring it, or read it again
//	  └── three days without one ──▶ absent ─────────┘
//
// Of its lines nothing stays but a digest and what differs.
type ProviderBill struct {
	ID       string // bil_...
	Gateway  string
	Day      civil.Day
	State    BillState
	Readings int    // how often it was read whole and compared
	Tries    int    // in vain since
	Problem  string // code of the last vain try
	Digest   string // of the lines that were read last
	Payments int
	Refunds  int
	Paid     money.Money
	Returned money.Money
	Fee      money.Money // of this day in the books
	ReadAt   time.Time
	NextAt   time.Time // zero: the program reads it no more
	Version  int64
}

// BillState is how far a day's bill is.
type BillState string

// States of a bill.
const (
	BillWaiting BillState = "waiting"
	BillRead    BillState = "read"
	BillSettled BillState = "settled"
	BillAbsent  BillState = "absent"
)

const (
	billsEvery  = 30 * time.Minute
	billHour    = 10*time.Hour + 30*time.Minute // of the next day, China's time, after which providers have it
	billAgain   = 3                             // days after that it is read once more, and a bill that never came is absent
	billWindow  = 60                            // days back that are still read: WeChat Pay keeps three months
	maxBillRows = 500_000
)

// firstDue and lastDue are when a day's bill is read first and last.
func firstDue(d civil.Day) time.Time { return d.AddDays(1).Start().Add(billHour) }
func lastDue(d civil.Day) time.Time  { return d.AddDays(1 + billAgain).Start().Add(billHour) }

// readBills reads every bill that is due. One that cannot be read stops no other.
func (s *Service) readBills(ctx context.Context) error {
	var all []error
	for _, g := range s.d.Accounts {
		if _, ok := g.Gateway.(Biller); !ok || g.Gateway.Kind() == Manual {
			continue
		}
		due, err := s.dueBills(ctx, g)
		if err != nil {
			return err
		}
		for _, b := range due {
			all = append(all, s.readBill(ctx, g, b))
		}
	}
	return errors.Join(all...)
}

// dueBills returns the days whose bill is to be read now, oldest first, making
// those that are new. Days before the first payment have none.
func (s *Service) dueBills(ctx context.Context, g GatewayAccount) ([]ProviderBill, error) {
	now := s.d.Clock.Now()
	first, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT COALESCE(MIN(created_at), 0) FROM payment_attempt WHERE gateway_account_id = $1", g.ID)
	if err != nil || first == 0 {
		return nil, err
	}
	from, oldest := civil.DayOf(db.FromMicros(first)), civil.DayOf(now).AddDays(-billWindow)
	if from.Before(oldest) {
		from = oldest
	}
	known, err := billsSince(ctx, s.d.DB, g.ID, from)
	if err != nil {
		return nil, err
	}
	var due []ProviderBill
	for d := from; !now.Before(firstDue(d)); d = d.AddDays(1) {
		b, ok := known[d]
		if !ok {
			if b, err = s.openBill(ctx, g, d); err != nil {
				return nil, err
			}
		}
		if !b.NextAt.IsZero() && !now.Before(b.NextAt) {
			due = append(due, b)
		}
	}
	return due, nil
}

// openBill makes the row of a day, or returns the one that is there.
func (s *Service) openBill(ctx context.Context, g GatewayAccount, d civil.Day) (ProviderBill, error) {
	var b ProviderBill
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		if err := insertBill(ctx, tx, newBill(g, d)); err != nil {
			return err
		}
		b, err = billOfDay(ctx, tx, g.ID, d)
		return err
	})
	return b, err
}

// readBill fetches a bill and compares it. One that is not there yet is no error.
func (s *Service) readBill(ctx context.Context, g GatewayAccount, b ProviderBill) error {
	rows, err := fetchBill(ctx, g.Gateway.(Biller), b.Day)
	fault.Point("bill-after-fetch")
	switch {
	case err == nil:
		return s.reconcile(ctx, g, b, rows, false)
	case errors.Is(err, ErrTradeNotFound) && b.State == BillWaiting && !s.d.Clock.Now().Before(lastDue(b.Day)):
		return s.reconcile(ctx, g, b, nil, true) // it never came: what is here of that day is not there
	}
	return s.billInVain(ctx, b, err)
}

// fetchBill reads a day whole. Nothing of a file that was not proven is used.
func fetchBill(ctx context.Context, from Biller, d civil.Day) ([]BillRow, error) {
	var rows []BillRow
	err := from.Bill(ctx, d.Start(), func(r BillRow) error {
		if len(rows) >= maxBillRows || r.TradeNo == "" || r.Amount.Minor <= 0 || r.Fee.Minor < 0 {
			return ErrBillForm
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// billInVain notes that a bill could not be read, and plans the next try: every
// half hour at first, then every six hours.
func (s *Service) billInVain(ctx context.Context, was ProviderBill, why error) error {
	s.d.Log.WarnContext(ctx, "a provider's bill could not be read", "gateway", was.Gateway, "day", was.Day.String(), "code", errs.CodeOf(why))
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		b, err := billOfDay(ctx, tx, was.Gateway, was.Day)
		if err != nil || b.Version != was.Version {
			return err // another process has got further
		}
		next, pause := b, 30*time.Minute
		if b.Tries >= 8 {
			pause = 6 * time.Hour
		}
		next.Tries, next.Problem, next.NextAt = b.Tries+1, errs.CodeOf(why), s.d.Clock.Now().Add(pause)
		if b.State == BillRead && !s.d.Clock.Now().Before(lastDue(b.Day).AddDate(0, 0, billAgain)) {
			next.State, next.NextAt = BillSettled, time.Time{} // it was read once, and is not to be had again
		}
		return saveBill(ctx, tx, b, next)
	})
}

// rowsDigest names the lines of a bill without keeping them.
func rowsDigest(rows []BillRow) string {
	h := sha256.New()
	for _, r := range rows {
		fmt.Fprintf(h, "%q %q %q %d %d %s %d\n", r.AttemptNo, r.TradeNo, r.RefundNo, r.Amount.Minor, r.Fee.Minor, r.Amount.Cur, db.Micros(r.At))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ReadBillAgain has a day's bill fetched and compared now, for staff with
// payment.settle, and returns it as it is then. ErrNoBill, ErrBillUnreadable for a
// gateway whose bills staff bring.
func (s *Service) ReadBillAgain(ctx context.Context, p account.Principal, billID string) (ProviderBill, error) {
	if !p.Can(account.PermPaymentSettle) {
		return ProviderBill{}, ErrStaffOnly
	}
	b, err := getBill(ctx, s.d.DB, billID)
	if err != nil {
		return b, err
	}
	g := s.byID[b.Gateway]
	if _, ok := g.Gateway.(Biller); !ok || g.Gateway.Kind() == Manual {
		return b, ErrBillUnreadable
	}
	if err := s.readBill(ctx, g, b); err != nil {
		return b, err
	}
	return getBill(ctx, s.d.DB, billID)
}

// StatementRow is a line of a bank's statement as staff bring it.
type StatementRow struct {
	Reference string // the bank's number of the entry
	Amount    money.Money
	Fee       money.Money
}

// BringStatement compares a day of a gateway of kind Manual with what stands on
// the bank's statement, for staff with payment.settle who proved themselves just
// now. Bringing it again reads it again. It books nothing but fees: money that is
// not here yet is entered as a transfer.
func (s *Service) BringStatement(ctx context.Context, p account.Principal, gateway string, day civil.Day, lines []StatementRow) (ProviderBill, error) {
	if err := s.maySettle(p); err != nil {
		return ProviderBill{}, err
	}
	g, ok := s.byID[gateway]
	if !ok || g.Gateway.Kind() != Manual {
		return ProviderBill{}, ErrNotFound
	}
	if s.d.Clock.Now().Before(day.End()) {
		return ProviderBill{}, ErrBillTooEarly
	}
	rows := make([]BillRow, 0, len(lines))
	for _, l := range lines {
		if !validText(l.Reference, 64) || l.Amount.Minor <= 0 || l.Amount.Cur != g.Currency || l.Fee.Minor < 0 {
			return ProviderBill{}, ErrBillForm
		}
		rows = append(rows, BillRow{TradeNo: l.Reference, Amount: l.Amount, Fee: money.New(l.Fee.Minor, g.Currency), At: day.Start()})
	}
	b, err := s.openBill(ctx, g, day)
	if err != nil {
		return b, err
	}
	if err := s.reconcile(ctx, g, b, rows, false); err != nil {
		return b, err
	}
	return getBill(ctx, s.d.DB, b.ID)
}

// maySettle is for staff with payment.settle who proved themselves just now.
func (s *Service) maySettle(p account.Principal) error {
	if !p.Can(account.PermPaymentSettle) {
		return ErrStaffOnly
	}
	return p.RequireStepUp(s.d.Clock.Now())
}
