package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
)

// PaymentMethod is a way to pay.
type PaymentMethod struct {
	ID      string `json:"id" example:"epay-demo.alipay"`
	Kind    string `json:"kind" example:"epay" doc:"Protocol of the provider"`
	Type    string `json:"type" example:"alipay"`
	Purpose string `json:"purpose" example:"payment.epay" doc:"Purpose whose consent the provider may need"`
	Min     Money  `json:"min"`
	Max     Money  `json:"max"`
}

// Payment is an attempt to pay.
type Payment struct {
	Number    string     `json:"number"`
	Order     string     `json:"order"`
	Method    string     `json:"method"`
	Amount    Money      `json:"amount"`
	Held      *Money     `json:"held,omitempty" doc:"The wallet's part of a mixed payment, beside the amount"`
	State     string     `json:"state" enum:"created,pending,unknown,succeeded,succeeded_late,failed,closed"`
	CreatedAt time.Time  `json:"created_at"`
	ExpireAt  time.Time  `json:"expire_at"`
	PaidAt    *time.Time `json:"paid_at,omitempty"`
}

// PaymentStart is a payment and what the browser does next.
type PaymentStart struct {
	Payment     Payment     `json:"payment"`
	Instruction Instruction `json:"instruction"`
}

// Instruction is a form to submit by POST, a page to go to, a code to show, or the
// account that a bank transfer goes to.
type Instruction struct {
	Kind   string            `json:"kind" enum:"form,redirect,qr,transfer"`
	URL    string            `json:"url,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	QR     string            `json:"qr,omitempty"`
}

// StaffPayment is a payment as staff see it.
type StaffPayment struct {
	Payment
	Account        string     `json:"account"`
	Gateway        string     `json:"gateway"`
	TradeNumber    string     `json:"trade_number,omitempty" doc:"The provider's number"`
	CloseConfirmed bool       `json:"close_confirmed"`
	LastNotifyAt   *time.Time `json:"last_notify_at,omitempty"`
	LastQueryAt    *time.Time `json:"last_query_at,omitempty"`
	LastQuery      string     `json:"last_query,omitempty" doc:"Class of the last answer"`
	NextQueryAt    *time.Time `json:"next_query_at,omitempty"`
}

// StaffReceipt is money that arrived.
type StaffReceipt struct {
	ID          string    `json:"id"`
	Gateway     string    `json:"gateway"`
	TradeNumber string    `json:"trade_number"`
	Payment     string    `json:"payment" doc:"Number of the payment that it came for"`
	Amount      Money     `json:"amount"`
	PaidAt      time.Time `json:"paid_at"`
	ReceivedAt  time.Time `json:"received_at"`
}

type startInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Method string `json:"method" maxLength:"100" example:"epay-demo.alipay"`
		Mixed  bool   `json:"mixed,omitempty" doc:"Put in all that the wallet holds, and pay the rest by this method"`
	}
}

// Payments registers the operations of payments.
func Payments(a *API, s *payment.Service) {
	Get(a, "/payment-methods", Operation{ID: "list-payment-methods", Summary: "Ways to pay", Tag: "Payments", Access: Customer},
		func(context.Context, *struct{}) (*Body[List[PaymentMethod]], error) {
			return &Body[List[PaymentMethod]]{List[PaymentMethod]{Items: Items(s.Methods(), toMethod)}}, nil
		})
	Post(a, "/orders/{id}/payments", Operation{
		ID: "start-payment", Summary: "Pay an order", Tag: "Payments", Access: Customer, Status: 201,
		Detail: "Nothing but the provider's own message makes an order paid; coming back from its page does not.",
	},
		func(ctx context.Context, in *startInput) (*Body[PaymentStart], error) {
			start := s.Start
			if in.Body.Mixed {
				start = s.StartMixed
			}
			p, next, err := start(ctx, Who(ctx), in.ID, in.Body.Method)
			if err != nil {
				return nil, err
			}
			return &Body[PaymentStart]{toStart(p, next)}, nil
		})
	Get(a, "/orders/{id}/payments", Operation{ID: "list-payments", Summary: "Payments of an order, newest first", Tag: "Payments", Access: Customer},
		func(ctx context.Context, in *orderID) (*Body[List[Payment]], error) {
			all, err := s.List(ctx, Who(ctx).Account, in.ID)
			if err != nil {
				return nil, err
			}
			return &Body[List[Payment]]{List[Payment]{Items: Items(all, toPayment)}}, nil
		})
	Get(a, "/admin/payments", Operation{ID: "admin-list-payments", Summary: "All payments, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[StaffPayment]], error) {
			all, err := s.ListAll(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			if err != nil {
				return nil, err
			}
			next := nextCursor(all, min(in.Limit, 100), func(p payment.Attempt) string { return p.No })
			return &Body[List[StaffPayment]]{List[StaffPayment]{Items(all, toStaffPayment), next}}, nil
		})
	Get(a, "/admin/receipts-in-suspense", Operation{
		ID: "admin-list-suspense", Summary: "Money that belongs to nobody yet, newest first", Tag: "Staff", Access: Staff("payment.read"),
		Detail: "A second payment, a late one or one of another amount: it is in the books, and a person decides what becomes of it.",
	},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[StaffReceipt]], error) {
			all, err := s.InSuspense(ctx, Who(ctx), in.Cursor, min(in.Limit, 100))
			if err != nil {
				return nil, err
			}
			next := nextCursor(all, min(in.Limit, 100), func(r payment.Receipt) string { return r.ID })
			return &Body[List[StaffReceipt]]{List[StaffReceipt]{Items(all, toStaffReceipt), next}}, nil
		})
	Post(a, "/admin/payments/{number}/query", Operation{ID: "admin-query-payment", Summary: "Ask the provider now", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct {
			Number string `path:"number" maxLength:"40"`
		},
		) (*struct{}, error) {
			return &struct{}{}, s.QueryNow(ctx, Who(ctx), in.Number)
		})
}

func toStaffReceipt(r payment.Receipt) StaffReceipt {
	return StaffReceipt{
		ID: r.ID, Gateway: r.Gateway, TradeNumber: r.TradeNo, Payment: r.Attempt, Amount: toMoney(r.Amount), PaidAt: r.PaidAt, ReceivedAt: r.ReceivedAt,
	}
}

func toMethod(m payment.Method) PaymentMethod {
	return PaymentMethod{ID: m.ID, Kind: m.Kind, Type: m.Type, Purpose: "payment." + m.Kind, Min: toMoney(m.Min), Max: toMoney(m.Max)}
}

func toPayment(a payment.Attempt) Payment {
	var held *Money
	if sum := a.Hold.Sum(); !sum.IsZero() {
		m := toMoney(sum)
		held = &m
	}
	return Payment{
		Held: held, Number: a.No, Order: a.Order, Method: a.Gateway + "." + a.Method, Amount: toMoney(a.Amount), State: string(a.State),
		CreatedAt: a.CreatedAt, ExpireAt: a.ExpireAt, PaidAt: toTime(a.PaidAt),
	}
}

func toStaffPayment(a payment.Attempt) StaffPayment {
	return StaffPayment{
		Payment: toPayment(a), Account: string(a.Account), Gateway: a.Gateway, TradeNumber: a.TradeNo,
		CloseConfirmed: a.CloseConfirmed, LastNotifyAt: toTime(a.LastNotifyAt), LastQueryAt: toTime(a.LastQueryAt),
		LastQuery: a.LastQuery, NextQueryAt: toTime(a.NextQueryAt),
	}
}
