package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/platform/spreadsheet"
)

// errSpan refuses days that are none, turned round, or more than a year apart.
var errSpan = errs.New(errs.Unprocessable, "api.span")

// BookAccount is a line of the trial balance: an account, or a class of them that
// differ only in whose they are.
type BookAccount struct {
	Code    string `json:"code" example:"liability:wallet"`
	Kind    string `json:"kind" enum:"asset,liability,income,expense,equity"`
	Count   int    `json:"count" doc:"Accounts in the class"`
	Debit   Money  `json:"debit"`
	Credit  Money  `json:"credit"`
	Balance Money  `json:"balance" doc:"On the account's normal side"`
}

// BookDay is what moved on a day.
type BookDay struct {
	Date       string `json:"date" format:"date"`
	Received   Money  `json:"received" doc:"Came in at providers and the bank"`
	ToppedUp   Money  `json:"topped_up" doc:"Of it, into wallets"`
	Sold       Money  `json:"sold" doc:"Paid for orders, from anywhere"`
	Recognised Money  `json:"recognised" doc:"Earned"`
	Returned   Money  `json:"returned" doc:"Left providers and the bank"`
	Fees       Money  `json:"fees" doc:"Kept by providers"`
	Given      Money  `json:"given" doc:"Gifts and goodwill"`
}

// BookLine is a posting to an account.
type BookLine struct {
	Kind          string    `json:"kind" example:"payment"`
	ReferenceKind string    `json:"reference_kind" example:"order"`
	Reference     string    `json:"reference"`
	Amount        Money     `json:"amount" doc:"On the account's normal side"`
	BalanceAfter  Money     `json:"balance_after"`
	At            time.Time `json:"at"`
}

// DaySpan is the days of a report.
type DaySpan struct {
	From string `query:"from" format:"date" required:"true" doc:"First day, in China"`
	To   string `query:"to" format:"date" required:"true" doc:"Last day"`
}

const maxSpan = 366 * 24 * time.Hour

func (d DaySpan) instants() (from, until time.Time, err error) {
	first, err := civil.ParseDay(d.From)
	if err != nil {
		return from, until, errSpan
	}
	last, err := civil.ParseDay(d.To)
	if err != nil || last.Before(first) || last.End().Sub(first.Start()) > maxSpan {
		return from, until, errSpan
	}
	return first.Start(), last.End(), nil
}

// Books registers the operations of the accounts.
func Books(a *API, s *ledger.Service) {
	read := Staff(account.PermLedgerRead)
	Get(a, "/admin/books/trial-balance", Operation{ID: "admin-trial-balance", Summary: "Trial balance at the end of a day", Tag: "Staff", Access: read},
		func(ctx context.Context, in *struct {
			Day string `query:"day" format:"date" required:"true"`
		},
		) (*Body[List[BookAccount]], error) {
			day, err := civil.ParseDay(in.Day)
			if err != nil {
				return nil, errSpan
			}
			all, err := s.TrialBalance(ctx, day.End())
			return &Body[List[BookAccount]]{List[BookAccount]{Items: Items(all, toBookAccount)}}, err
		})
	Get(a, "/admin/books/days", Operation{ID: "admin-books-by-day", Summary: "What came in, was sold and earned, by day", Tag: "Staff", Access: read},
		func(ctx context.Context, in *struct{ DaySpan }) (*Body[List[BookDay]], error) {
			from, until, err := in.instants()
			if err != nil {
				return nil, err
			}
			all, err := s.Days(ctx, from, until, civil.Zone)
			return &Body[List[BookDay]]{List[BookDay]{Items: Items(all, toBookDay)}}, err
		})
	Get(a, "/admin/books/statement", Operation{ID: "admin-account-statement", Summary: "The newest postings to one account", Tag: "Staff", Access: read},
		func(ctx context.Context, in *struct {
			Code string `query:"code" required:"true" maxLength:"120" example:"asset:bank"`
		},
		) (*Body[List[BookLine]], error) {
			all, err := s.Statement(ctx, ledger.Code(in.Code), money.CNY, 200)
			return &Body[List[BookLine]]{List[BookLine]{Items: Items(all, func(l ledger.Line) BookLine {
				return BookLine{l.Kind, l.RefType, l.RefID, toMoney(l.Amount), toMoney(l.BalanceAfter), l.RecordedAt.UTC()}
			})}}, err
		})
	Get(a, "/admin/books/export", Operation{
		ID: "admin-export-books", Summary: "All postings of some days as CSV", Tag: "Staff", Access: read,
		Detail: "Accounts stand there by class, without whose they are. Cells that a spreadsheet would run as a formula begin with an apostrophe.",
	},
		func(ctx context.Context, in *struct{ DaySpan }) (*file, error) {
			from, until, err := in.instants()
			if err != nil {
				return nil, err
			}
			raw, err := exportBooks(ctx, s, from, until)
			name := `attachment; filename="books-` + in.From + "-" + in.To + `.csv"`
			return &file{"no-store", "text/csv; charset=utf-8", name, raw}, err
		})
}

func exportBooks(ctx context.Context, s *ledger.Service, from, until time.Time) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("\uFEFF")
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	write := func(cells ...string) error {
		for i, c := range cells {
			cells[i] = spreadsheet.Cell(c)
		}
		return w.Write(cells)
	}
	err := write("journal", "line", "recorded_at", "kind", "key", "reference_kind", "reference", "memo", "account", "debit", "credit", "currency")
	if err != nil {
		return nil, err
	}
	err = s.Export(ctx, from, until, func(r ledger.Row) error {
		return write(r.Journal, strconv.FormatInt(r.Line, 10), r.RecordedAt.UTC().Format(time.RFC3339), r.Kind, r.Key, r.RefType, r.RefID, r.Memo,
			string(r.Account), r.Debit.String(), r.Credit.String(), string(r.Debit.Cur))
	})
	w.Flush()
	return out.Bytes(), err
}

func toBookAccount(a ledger.Account) BookAccount {
	return BookAccount{
		string(a.Code), string(a.Kind), a.Count, toMoney(money.New(a.Debit, a.Currency)), toMoney(money.New(a.Credit, a.Currency)), toMoney(a.Balance()),
	}
}

func toBookDay(d ledger.Day) BookDay {
	m := func(v int64) Money { return toMoney(money.New(v, d.Currency)) }
	return BookDay{d.Date, m(d.Received), m(d.ToppedUp), m(d.Sold), m(d.Recognised), m(d.Returned), m(d.Fees), m(d.Given)}
}
