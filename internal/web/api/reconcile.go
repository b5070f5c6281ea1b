package api

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// ProviderBill is a day of a gateway account as its provider tells it.
type ProviderBill struct {
	ID       string     `json:"id"`
	Gateway  string     `json:"gateway"`
	Day      string     `json:"day" format:"date" doc:"In China's time"`
	State    string     `json:"state" enum:"waiting,read,settled,absent" doc:"read: once, and again three days later; absent: none came"`
	Readings int        `json:"readings"`
	Problem  string     `json:"problem,omitempty" doc:"Code of why it could not be read the last time"`
	Payments int        `json:"payments"`
	Refunds  int        `json:"refunds"`
	Paid     Money      `json:"paid"`
	Returned Money      `json:"returned"`
	Fee      Money      `json:"fee" doc:"What is in the books of what the provider kept"`
	ReadAt   *time.Time `json:"read_at,omitempty"`
	NextAt   *time.Time `json:"next_at,omitempty"`
}

// Difference is something that a provider's bill and the books do not say alike.
type Difference struct {
	ID          string     `json:"id"`
	Gateway     string     `json:"gateway"`
	Day         string     `json:"day" format:"date"`
	Kind        string     `json:"kind" enum:"missing_here,foreign,missing_there,amount,state,duplicate,fee,refund_missing_here,refund_missing_there"`
	Payment     string     `json:"payment,omitempty" doc:"Number as the bill or the books name it"`
	TradeNumber string     `json:"trade_number,omitempty"`
	Refund      string     `json:"refund,omitempty"`
	Here        Money      `json:"here" doc:"In the books"`
	There       Money      `json:"there" doc:"In the bill"`
	HereState   string     `json:"here_state,omitempty"`
	State       string     `json:"state" enum:"open,waiting,closed"`
	Outcome     string     `json:"outcome,omitempty" doc:"Code of why it is closed"`
	Due         *Money     `json:"due,omitempty" doc:"What the books would change by to follow the bill"`
	FoundAt     time.Time  `json:"found_at"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
}

// DifferenceDetail is a difference with all that happened to it.
type DifferenceDetail struct {
	Difference
	Yours bool             `json:"seconded_by_you" doc:"You proposed the booking that waits, and another one decides"`
	Steps []DifferenceStep `json:"steps" nullable:"false"`
}

// DifferenceStep is one line of its history.
type DifferenceStep struct {
	Event   string    `json:"event"`
	State   string    `json:"state"`
	Class   string    `json:"class" enum:"self,staff,system"`
	Actor   string    `json:"handle,omitempty"`
	Why     string    `json:"reason,omitempty"`
	Here    Money     `json:"here"`
	There   Money     `json:"there"`
	Journal string    `json:"journal,omitempty"`
	At      time.Time `json:"at"`
}

// StatementRequest brings a day of a bank's statement.
type StatementRequest struct {
	Day   string         `json:"day" format:"date"`
	Lines []StatementRow `json:"lines" maxItems:"2000" nullable:"false"`
}

// StatementRow is money that came in by it.
type StatementRow struct {
	BankReference string `json:"bank_reference" maxLength:"64"`
	Amount        string `json:"amount" maxLength:"20" doc:"Yuan"`
	Fee           string `json:"fee,omitempty" maxLength:"20" doc:"Yuan that the bank kept of it"`
}

// SuspenseAct is a decision about money in suspense.
type SuspenseAct struct {
	ID            string     `json:"id"`
	Receipt       string     `json:"receipt"`
	Kind          string     `json:"kind" enum:"order,wallet,back"`
	Order         string     `json:"order,omitempty"`
	Account       string     `json:"account,omitempty"`
	BankReference string     `json:"bank_reference,omitempty"`
	Amount        Money      `json:"amount"`
	Reason        string     `json:"reason"`
	State         string     `json:"state" enum:"waiting,booked,refused"`
	EnteredBy     string     `json:"entered_by"`
	EnteredAt     time.Time  `json:"entered_at"`
	ConfirmedBy   string     `json:"confirmed_by,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
}

// SuspenseRequest says what becomes of money in suspense.
type SuspenseRequest struct {
	Kind          string `json:"kind" enum:"order,wallet,back" doc:"back: the way it came"`
	Order         string `json:"order,omitempty" maxLength:"40"`
	Account       string `json:"account,omitempty" maxLength:"40" doc:"Whose wallet; empty: the payment's"`
	BankReference string `json:"bank_reference,omitempty" maxLength:"64" doc:"Of the transfer by which you have sent it back, where a bank brought it"`
	Reason        string `json:"reason" pattern:"^[a-z0-9_]{2,40}$" example:"paid_twice"`
}

type differenceID struct {
	ID string `path:"id" maxLength:"40"`
}

// Reconciliations registers the operations of bills, differences and of the desk
// for money in suspense.
func Reconciliations(a *API, s *payment.Service) {
	bills(a, s)
	differences(a, s)
	suspense(a, s)
}

func bills(a *API, s *payment.Service) {
	Get(a, "/admin/provider-bills", Operation{ID: "admin-list-provider-bills", Summary: "Bills of payment providers, newest day first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct {
			Page
			State   string `query:"state" enum:"waiting,read,settled,absent"`
			Gateway string `query:"gateway" maxLength:"64"`
		},
		) (*Body[List[ProviderBill]], error) {
			f := payment.BillFilter{State: payment.BillState(in.State), Gateway: in.Gateway}
			day, gateway, _ := strings.Cut(in.Cursor, ".")
			var err error
			if f.AfterDay, err = optionalDay(day); err != nil {
				return nil, err
			}
			f.AfterGateway = gateway
			all, err := s.Bills(ctx, Who(ctx), f, min(in.Limit, 100))
			next := nextCursor(all, min(in.Limit, 100), func(b payment.ProviderBill) string { return b.Day.String() + "." + b.Gateway })
			return &Body[List[ProviderBill]]{List[ProviderBill]{Items(all, toProviderBill), next}}, err
		})
	Get(a, "/admin/provider-bills/{id}", Operation{ID: "admin-get-provider-bill", Summary: "A day's bill of a provider", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *differenceID) (*Body[ProviderBill], error) {
			b, err := s.Bill(ctx, Who(ctx), in.ID)
			return &Body[ProviderBill]{toProviderBill(b)}, err
		})
	Post(a, "/admin/provider-bills/{id}/read", Operation{
		ID: "admin-read-provider-bill", Summary: "Fetch and compare a day's bill now", Tag: "Staff", Access: Staff(account.PermPaymentSettle),
	},
		func(ctx context.Context, in *differenceID) (*Body[ProviderBill], error) {
			b, err := s.ReadBillAgain(ctx, Who(ctx), in.ID)
			return &Body[ProviderBill]{toProviderBill(b)}, err
		})
	Post(a, "/admin/payment-gateways/{gateway}/statements", Operation{
		ID: "admin-bring-statement", Summary: "Compare a day with what stands on the bank's statement", Tag: "Staff", Access: Staff(account.PermPaymentSettle),
		Detail: "It books nothing but fees: money that is not here yet is entered as a bank transfer. Bringing a day again compares it again.",
	},
		func(ctx context.Context, in *struct {
			Gateway string `path:"gateway" maxLength:"64"`
			Body    StatementRequest
		},
		) (*Body[ProviderBill], error) {
			day, err := civil.ParseDay(in.Body.Day)
			if err != nil {
				return nil, err
			}
			lines := make([]payment.StatementRow, 0, len(in.Body.Lines))
			for _, l := range in.Body.Lines {
				r := payment.StatementRow{Reference: l.BankReference, Fee: money.New(0, money.CNY)}
				if r.Amount, err = money.Parse(l.Amount, money.CNY); err != nil {
					return nil, err
				}
				if l.Fee != "" {
					if r.Fee, err = money.Parse(l.Fee, money.CNY); err != nil {
						return nil, err
					}
				}
				lines = append(lines, r)
			}
			b, err := s.BringStatement(ctx, Who(ctx), in.Gateway, day, lines)
			return &Body[ProviderBill]{toProviderBill(b)}, err
		})
}

func differences(a *API, s *payment.Service) {
	Get(a, "/admin/differences", Operation{ID: "admin-list-differences", Summary: "What providers' bills and the books do not say alike, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct {
			Page
			State   string `query:"state" enum:"open,waiting,closed"`
			Kind    string `query:"kind" enum:"missing_here,foreign,missing_there,amount,state,duplicate,fee,refund_missing_here,refund_missing_there"`
			Gateway string `query:"gateway" maxLength:"64"`
			Day     string `query:"day" format:"date"`
		},
		) (*Body[List[Difference]], error) {
			day, err := optionalDay(in.Day)
			if err != nil {
				return nil, err
			}
			f := payment.DifferenceFilter{
				Gateway: in.Gateway, Kind: payment.DifferenceKind(in.Kind), State: payment.DifferenceState(in.State), Day: day, Before: in.Cursor,
			}
			all, err := s.Differences(ctx, Who(ctx), f, min(in.Limit, 100))
			next := nextCursor(all, min(in.Limit, 100), func(d payment.Difference) string { return d.ID })
			return &Body[List[Difference]]{List[Difference]{Items(all, toDifference), next}}, err
		})
	Get(a, "/admin/differences/{id}", Operation{ID: "admin-get-difference", Summary: "A difference with all that happened to it", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *differenceID) (*Body[DifferenceDetail], error) {
			d, steps, err := s.DifferenceHistory(ctx, Who(ctx), in.ID)
			yours := d.Proposed != "" && d.Proposed == Who(ctx).Subject
			return &Body[DifferenceDetail]{DifferenceDetail{toDifference(d), yours, Items(steps, toDifferenceStep)}}, err
		})
	for _, act := range []struct {
		name, summary string
		do            func(context.Context, account.Principal, string, string) (payment.Difference, error)
	}{
		{"explain", "Close a difference by a reason: no money moves", s.Explain},
		{"propose", "Ask another person to have the books follow the bill", s.ProposeBooking},
	} {
		Post(a, "/admin/differences/{id}/"+act.name, Operation{ID: "admin-difference-" + act.name, Summary: act.summary, Tag: "Staff", Access: Staff(account.PermPaymentSettle)},
			func(ctx context.Context, in *struct {
				ID   string `path:"id" maxLength:"40"`
				Body RefundReason
			},
			) (*Body[Difference], error) {
				d, err := act.do(ctx, Who(ctx), in.ID, in.Body.Reason)
				return &Body[Difference]{toDifference(d)}, err
			})
	}
	Post(a, "/admin/differences/{id}/decision", Operation{
		ID: "admin-decide-difference", Summary: "Book or refuse what another proposed about a difference", Tag: "Staff", Access: Staff(account.PermPaymentSettle),
	},
		func(ctx context.Context, in *verdictInput) (*Body[Difference], error) {
			d, err := s.DecideBooking(ctx, Who(ctx), in.ID, payment.Verdict(in.Body.Verdict))
			return &Body[Difference]{toDifference(d)}, err
		})
}

func suspense(a *API, s *payment.Service) {
	Get(a, "/admin/suspense-acts", Operation{ID: "admin-list-suspense-acts", Summary: "Decisions about money in suspense, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[SuspenseAct]], error) {
			all, err := s.SuspenseActs(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			next := nextCursor(all, min(in.Limit, 100), func(d payment.SuspenseAct) string { return d.ID })
			return &Body[List[SuspenseAct]]{List[SuspenseAct]{Items(all, toSuspenseAct), next}}, err
		})
	Post(a, "/admin/receipts-in-suspense/{id}/settle", Operation{
		ID: "admin-settle-suspense", Summary: "Decide what becomes of money in suspense", Tag: "Staff", Access: Staff(account.PermPaymentSettle), Status: 201,
		Detail: "It pays an order of exactly this amount, goes to a wallet, or back the way it came. More than one person may decide alone waits for another.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body SuspenseRequest
		},
		) (*Body[SuspenseAct], error) {
			act, err := s.SettleSuspense(ctx, Who(ctx), payment.SuspenseRequest{
				Receipt: in.ID, Kind: payment.SuspenseKind(in.Body.Kind), Order: in.Body.Order, Account: account.ID(in.Body.Account),
				Reference: in.Body.BankReference, Reason: in.Body.Reason,
			})
			return &Body[SuspenseAct]{toSuspenseAct(act)}, err
		})
	Post(a, "/admin/suspense-acts/{id}/decision", Operation{
		ID: "admin-decide-suspense", Summary: "Book or refuse what another decided about money in suspense", Tag: "Staff", Access: Staff(account.PermPaymentSettle),
	},
		func(ctx context.Context, in *verdictInput) (*Body[SuspenseAct], error) {
			act, err := s.DecideSuspense(ctx, Who(ctx), in.ID, payment.Verdict(in.Body.Verdict))
			return &Body[SuspenseAct]{toSuspenseAct(act)}, err
		})
}

// optionalDay reads a day that may be left out.
func optionalDay(text string) (civil.Day, error) {
	if text == "" {
		return civil.Day{}, nil
	}
	day, err := civil.ParseDay(text)
	if err != nil {
		return day, errDay
	}
	return day, nil
}

var errDay = errs.New(errs.Invalid, "api.day")

func toProviderBill(b payment.ProviderBill) ProviderBill {
	return ProviderBill{
		ID: b.ID, Gateway: b.Gateway, Day: b.Day.String(), State: string(b.State), Readings: b.Readings, Problem: b.Problem, Payments: b.Payments,
		Refunds: b.Refunds, Paid: toMoney(b.Paid), Returned: toMoney(b.Returned), Fee: toMoney(b.Fee), ReadAt: toTime(b.ReadAt), NextAt: toTime(b.NextAt),
	}
}

func toDifference(d payment.Difference) Difference {
	w := Difference{
		ID: d.ID, Gateway: d.Gateway, Day: d.Day.String(), Kind: string(d.Kind), Payment: d.Attempt, TradeNumber: d.TradeNo, Refund: d.RefundNo,
		Here: toMoney(d.Here), There: toMoney(d.There), HereState: d.HereState, State: string(d.State), Outcome: d.Outcome, FoundAt: d.FoundAt, ClosedAt: toTime(d.ClosedAt),
	}
	if d.State != payment.DifferenceClosed {
		w.Due = toPart(d.Due())
	}
	return w
}

func toDifferenceStep(t payment.DifferenceStep) DifferenceStep {
	return DifferenceStep{
		Event: string(t.Event), State: string(t.State), Class: t.Class, Actor: t.Actor, Why: t.Reason, Here: toMoney(t.Here), There: toMoney(t.There),
		Journal: t.Journal, At: t.At,
	}
}

func toSuspenseAct(a payment.SuspenseAct) SuspenseAct {
	return SuspenseAct{
		ID: a.ID, Receipt: a.Receipt, Kind: string(a.Kind), Order: a.Order, Account: string(a.Account), BankReference: a.Reference, Amount: toMoney(a.Amount),
		Reason: a.Reason, State: string(a.State), EnteredBy: string(a.ProposedBy), EnteredAt: a.ProposedAt, ConfirmedBy: string(a.DecidedBy), DecidedAt: toTime(a.DecidedAt),
	}
}
