package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Account is an account of the books, or a class of them that differ only in
// whose they are. Amounts are minor units.
type Account struct {
	Code     Code // of a class without its last part: "liability:wallet"
	Kind     Kind
	Currency money.Currency
	Debit    int64 // sum of the debits
	Credit   int64 // sum of the credits, positive
	Count    int   // of accounts in the class
}

// Balance is on the account's normal side.
func (a Account) Balance() money.Money {
	return money.New(a.Kind.normal(a.Debit-a.Credit), a.Currency)
}

// owned are the classes of which each customer, order or line has an account.
var owned = []Code{
	"asset:receivable", "liability:wallet", "liability:wallet_gift", "liability:hold", "liability:deferred", "liability:affiliate",
}

// Class is the code without whose it is; other codes are their own class.
func (c Code) Class() Code {
	for _, o := range owned {
		if strings.HasPrefix(string(c), string(o)+":") {
			return o
		}
	}
	return c
}

// TrialBalance sums the postings that were recorded before an instant, by class
// of account, in the order of codes. Debits and credits are equal in each
// currency, or Prove tells why not.
func (s *Service) TrialBalance(ctx context.Context, before time.Time) ([]Account, error) {
	all, err := s.accounts(ctx, s.d.DB, before)
	if err != nil {
		return nil, err
	}
	classes := map[string]Account{}
	for _, a := range all {
		key := string(a.Code.Class()) + "\x00" + string(a.Currency)
		sum := classes[key]
		sum.Code, sum.Kind, sum.Currency = a.Code.Class(), a.Kind, a.Currency
		sum.Debit, sum.Credit, sum.Count = sum.Debit+a.Debit, sum.Credit+a.Credit, sum.Count+1
		classes[key] = sum
	}
	out := make([]Account, 0, len(classes))
	for _, a := range classes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Account) int {
		return strings.Compare(string(a.Code)+string(a.Currency), string(b.Code)+string(b.Currency))
	})
	return out, nil
}

// AccountsIn returns the accounts of a class as they are, read by q, for a module
// that compares them with what it keeps.
func (s *Service) AccountsIn(ctx context.Context, q db.Q, class Code) (map[Code]money.Money, error) {
	all, err := db.Select(ctx, q, scanAccount, accountColumns+" WHERE code LIKE $1 AND balance <> 0 ORDER BY id", string(class)+":%")
	out := map[Code]money.Money{}
	for _, a := range all {
		if a.code.Class() == class { // LIKE takes _ for any character
			out[a.code] = money.New(a.kind.normal(a.balance), a.currency)
		}
	}
	return out, err
}

func (s *Service) accounts(ctx context.Context, q db.Q, before time.Time) ([]Account, error) {
	return db.Select(ctx, q, func(r db.Row) (a Account, err error) {
		return a, r.Scan(&a.Code, &a.Kind, &a.Currency, &a.Debit, &a.Credit)
	}, `SELECT a.code, a.kind, a.currency,
		CAST(SUM(CASE WHEN p.amount > 0 THEN p.amount ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN p.amount < 0 THEN -p.amount ELSE 0 END) AS BIGINT)
		FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id JOIN ledger_journal j ON j.id = p.journal_id
		WHERE j.recorded_at < $1 GROUP BY a.id, a.code, a.kind, a.currency ORDER BY a.code, a.currency`, db.Micros(before))
}

// Day is what moved on one day, in minor units of a currency.
type Day struct {
	Date       string // 2026-11-30, in the zone that was asked for
	Currency   money.Currency
	Received   int64 // came in at providers and the bank
	ToppedUp   int64 // of it, into wallets
	Sold       int64 // paid for orders, from anywhere
	Recognised int64 // earned
	Returned   int64 // left providers and the bank: refunds, chargebacks
	Fees       int64 // kept by providers
	Given      int64 // gifts and goodwill
}

// Days sums what moved from a day to another, the last not included, by civil day
// of a zone. Days without movement are left out.
func (s *Service) Days(ctx context.Context, from, until time.Time, zone *time.Location) ([]Day, error) {
	type sum struct {
		hour, debit, credit int64
		code                Code
		kind                string
		currency            money.Currency
	}
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (x sum, err error) {
		return x, r.Scan(&x.hour, &x.code, &x.currency, &x.kind, &x.debit, &x.credit)
	}, `SELECT j.recorded_at / 3600000000, a.code, a.currency, j.kind,
		CAST(SUM(CASE WHEN p.amount > 0 THEN p.amount ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN p.amount < 0 THEN -p.amount ELSE 0 END) AS BIGINT)
		FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id JOIN ledger_journal j ON j.id = p.journal_id
		WHERE j.recorded_at >= $1 AND j.recorded_at < $2 GROUP BY j.recorded_at / 3600000000, a.code, a.currency, j.kind`,
		db.Micros(from), db.Micros(until))
	if err != nil {
		return nil, err
	}
	days := map[string]*Day{}
	for _, x := range all {
		date := time.Unix(x.hour*3600, 0).In(zone).Format(time.DateOnly)
		d := days[date+string(x.currency)]
		if d == nil {
			d = &Day{Date: date, Currency: x.currency}
			days[date+string(x.currency)] = d
		}
		d.add(x.code, x.kind, x.debit, x.credit)
	}
	out := make([]Day, 0, len(days))
	for _, d := range days {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Day) int { return strings.Compare(a.Date+string(a.Currency), b.Date+string(b.Currency)) })
	return out, nil
}

// add counts the movement of one account in journals of one kind.
func (d *Day) add(c Code, kind string, debit, credit int64) {
	first, _ := c.Kind()
	switch {
	case kind == "settlement": // from a provider to the bank: nothing came, nothing left
	case kind == "fee" && c == GatewayFee:
		d.Fees += debit - credit
	case kind == "fee":
	case c == Bank || strings.HasPrefix(string(c), "asset:gateway:"):
		d.Received, d.Returned = d.Received+debit, d.Returned+credit
	case c.Class() == "liability:wallet" && kind == "payment":
		d.ToppedUp += credit - debit
	case c.Class() == "liability:deferred" && (kind == "payment" || kind == "wallet_payment"):
		d.Sold += credit - debit
	case c == Promo || c == Goodwill:
		d.Given += debit - credit
	case first == Income:
		d.Recognised += credit - debit
	}
}

// Row is a posting as it is exported.
type Row struct {
	Journal, Key, Kind, RefType, RefID, Memo string
	RecordedAt                               time.Time
	Line                                     int64
	Account                                  Code
	Debit, Credit                            money.Money // one of them is zero
}

// Export calls each for every posting that was recorded in the span, in order.
// Accounts are named by class only: whose they are is not for a file that is
// handed on.
func (s *Service) Export(ctx context.Context, from, until time.Time, each func(Row) error) error {
	const page = 1000
	after, line := "", int64(0)
	for {
		rows, err := db.Select(ctx, s.d.DB, scanRow, `SELECT j.id, j.idem_key, j.kind, j.ref_type, j.ref_id, j.memo, j.recorded_at, p.line, a.code, p.amount, p.currency
			FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id JOIN ledger_account a ON a.id = p.account_id
			WHERE j.recorded_at >= $1 AND j.recorded_at < $2 AND (j.id > $3 OR (j.id = $3 AND p.line > $4)) ORDER BY j.id, p.line LIMIT $5`,
			db.Micros(from), db.Micros(until), after, line, int64(page))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := each(r); err != nil {
				return err
			}
			after, line = r.Journal, r.Line
		}
		if len(rows) < page {
			return nil
		}
	}
}

func scanRow(r db.Row) (x Row, err error) {
	var at, amount int64
	var cur money.Currency
	err = r.Scan(&x.Journal, &x.Key, &x.Kind, &x.RefType, &x.RefID, &x.Memo, &at, &x.Line, &x.Account, &amount, &cur)
	x.RecordedAt, x.Account = db.FromMicros(at), x.Account.Class()
	x.Debit, x.Credit = money.New(max(amount, 0), cur), money.New(max(-amount, 0), cur)
	return x, err
}
