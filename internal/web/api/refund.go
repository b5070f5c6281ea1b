package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// RefundOffer is what goes back of an order if it is asked for now.
type RefundOffer struct {
	Rule     string     `json:"rule" enum:"full,prorata,undelivered" doc:"full: within seven days of the purchase; prorata: the time that is left; undelivered: what could not be made"`
	Amount   Money      `json:"amount"`
	Wallet   *Money     `json:"wallet_share,omitempty" doc:"What of the amount was paid from the wallet: it goes back there, whatever the target"`
	Gift     *Money     `json:"gift_share,omitempty" doc:"What of the amount was paid by gifts: it goes back to those that are not over"`
	Targets  []string   `json:"targets" nullable:"false" doc:"Where the rest may go: original, wallet"`
	Until    *time.Time `json:"until,omitempty" doc:"End of the time for a full refund"`
	Left     int        `json:"left" doc:"Full refunds that are left this year after this one"`
	Services int        `json:"services_ending" doc:"How many services are suspended first, and end when the money is back"`
}

// Refund is money on its way back.
type Refund struct {
	Number      string     `json:"number"`
	Order       string     `json:"order"`
	Rule        string     `json:"rule" enum:"full,prorata,undelivered,suspense"`
	Target      string     `json:"target" enum:"original,wallet"`
	Amount      Money      `json:"amount"`
	Wallet      *Money     `json:"wallet_share,omitempty" doc:"What of the amount goes back to the wallet, whatever the target"`
	Gift        *Money     `json:"gift_share,omitempty" doc:"What of the amount goes back to gifts"`
	State       string     `json:"state" enum:"requested,review,approved,processing,unknown,succeeded,failed,rejected,cancelled"`
	Problem     string     `json:"problem,omitempty" doc:"Code of why it failed or was declined"`
	RequestedAt time.Time  `json:"requested_at"`
	HeldAt      *time.Time `json:"suspended_at,omitempty" doc:"When the services were suspended for it"`
	SettledAt   *time.Time `json:"settled_at,omitempty" doc:"When the money was back, or it came to nothing"`
	EndedAt     *time.Time `json:"ended_at,omitempty" doc:"When the services ended, or ran again"`
}

// StaffRefund is a refund as staff see it.
type StaffRefund struct {
	Refund
	Account     string     `json:"account"`
	Payment     string     `json:"payment"`
	Gateway     string     `json:"gateway"`
	Seconded    bool       `json:"seconded" doc:"One of two persons has approved"`
	LastQuery   string     `json:"last_query,omitempty"`
	LastQueryAt *time.Time `json:"last_query_at,omitempty"`
	NextQueryAt *time.Time `json:"next_query_at,omitempty"`
}

// RefundDetail is a refund with everything that happened to it.
type RefundDetail struct {
	StaffRefund
	Yours bool         `json:"seconded_by_you" doc:"You are that person, and another one approves now"`
	Steps []RefundStep `json:"steps" nullable:"false"`
}

// RefundStep is one line of a refund's history.
type RefundStep struct {
	Event string    `json:"event"`
	State string    `json:"state"`
	Actor string    `json:"handle,omitempty"`
	Class string    `json:"class" enum:"self,staff,system"`
	Why   string    `json:"reason,omitempty"`
	At    time.Time `json:"at"`
}

type refundNumber struct {
	Number string `path:"number" maxLength:"40"`
}

// RefundReason says why, by a code.
type RefundReason struct {
	Reason string `json:"reason" pattern:"^[a-z0-9_]{2,40}$" example:"used_up"`
}

// Refunds registers the operations of refunds.
func Refunds(a *API, s *payment.Service) {
	Get(a, "/orders/{id}/refund-offer", Operation{
		ID: "get-refund-offer", Summary: "What of an order goes back if you ask now", Tag: "Payments", Access: Customer,
		Detail: "Within seven days all of it, twenty times a year, unless it was renewed or upgraded; later the share of the time that is left.",
	},
		func(ctx context.Context, in *orderID) (*Body[RefundOffer], error) {
			o, err := s.Offer(ctx, Who(ctx).Account, in.ID)
			return &Body[RefundOffer]{toRefundOffer(o)}, err
		})
	Post(a, "/orders/{id}/refunds", Operation{
		ID: "ask-refund", Summary: "Ask for a refund", Tag: "Payments", Access: Customer, Status: 201,
		Detail: "The service is suspended first, then the money goes back, then the service ends. No amount is taken from a request.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Target string `json:"target" enum:"original,wallet"`
			}
		},
		) (*Body[Refund], error) {
			r, err := s.AskRefund(ctx, Who(ctx), in.ID, payment.Target(in.Body.Target))
			return &Body[Refund]{toRefund(r)}, err
		})
	Get(a, "/orders/{id}/refunds", Operation{ID: "list-refunds", Summary: "Refunds of an order, newest first", Tag: "Payments", Access: Customer},
		func(ctx context.Context, in *orderID) (*Body[List[Refund]], error) {
			all, err := s.Refunds(ctx, Who(ctx).Account, in.ID)
			return &Body[List[Refund]]{List[Refund]{Items: Items(all, toRefund)}}, err
		})
	Post(a, "/refunds/{number}/cancel", Operation{ID: "cancel-refund", Summary: "Take a request back that nobody has decided on", Tag: "Payments", Access: Customer},
		func(ctx context.Context, in *refundNumber) (*Body[Refund], error) {
			r, err := s.CancelRefund(ctx, Who(ctx), in.Number)
			return &Body[Refund]{toRefund(r)}, err
		})
	Post(a, "/refunds/{number}/keep-service", Operation{
		ID: "keep-service", Summary: "Give up a refund that failed, and have the service run again", Tag: "Payments", Access: Customer,
	},
		func(ctx context.Context, in *refundNumber) (*Body[Refund], error) {
			r, err := s.KeepService(ctx, Who(ctx), in.Number)
			return &Body[Refund]{toRefund(r)}, err
		})
	staffRefunds(a, s)
}

func staffRefunds(a *API, s *payment.Service) {
	Get(a, "/admin/refunds", Operation{ID: "admin-list-refunds", Summary: "All refunds, newest first", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *struct {
			Page
			State   string `query:"state" enum:"requested,review,approved,processing,unknown,succeeded,failed,rejected,cancelled,person" doc:"person: those that nobody but a person takes further"`
			Gateway string `query:"gateway" maxLength:"64"`
			Day     string `query:"day" format:"date" doc:"On which it was asked for, in China's time"`
		},
		) (*Body[List[StaffRefund]], error) {
			day, err := optionalDay(in.Day)
			if err != nil {
				return nil, err
			}
			f := payment.RefundFilter{State: payment.Phase(in.State), Gateway: in.Gateway, Day: day, Before: in.Cursor}
			if in.State == "person" {
				f.State, f.Person = "", true
			}
			all, err := s.AllRefunds(ctx, Who(ctx), f, min(in.Limit, 100))
			if err != nil {
				return nil, err
			}
			next := nextCursor(all, min(in.Limit, 100), func(r payment.Refund) string { return r.No })
			return &Body[List[StaffRefund]]{List[StaffRefund]{Items(all, toStaffRefund), next}}, nil
		})
	Get(a, "/admin/refunds/{number}", Operation{ID: "admin-get-refund", Summary: "A refund with all its steps", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *refundNumber) (*Body[RefundDetail], error) {
			r, steps, err := s.RefundHistory(ctx, Who(ctx), in.Number)
			yours := r.Second != "" && r.Second == string(Who(ctx).Subject)
			return &Body[RefundDetail]{RefundDetail{toStaffRefund(r), yours, Items(steps, toStep)}}, err
		})
	Post(a, "/admin/orders/{id}/refunds", Operation{
		ID: "admin-ask-refund", Summary: "Ask for a refund of an order", Tag: "Staff", Access: Staff("refund.handle"), Status: 201,
		Detail: "By the rules, or with whole of all that is left of it. Somebody approves it still.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body struct {
				Target string `json:"target" enum:"original,wallet"`
				Whole  bool   `json:"whole"`
				Reason string `json:"reason" pattern:"^[a-z0-9_]{2,40}$"`
			}
		},
		) (*Body[StaffRefund], error) {
			r, err := s.StaffRefund(ctx, Who(ctx), in.ID, payment.Target(in.Body.Target), in.Body.Whole, in.Body.Reason)
			return &Body[StaffRefund]{toStaffRefund(r)}, err
		})
	for _, act := range []struct {
		name, summary string
		do            func(context.Context, account.Principal, string) (payment.Refund, error)
	}{
		{"approve", "Approve a refund; above the limit a second person does so too", s.Approve},
		{"retry", "Send a failed refund once more under its number", s.RetryRefund},
		{"to-wallet", "Pay a failed refund into the wallet", s.RefundToWallet},
		{"abandon", "Give up a failed refund: the service runs again", s.AbandonRefund},
	} {
		Post(a, "/admin/refunds/{number}/"+act.name, Operation{ID: "admin-refund-" + act.name, Summary: act.summary, Tag: "Staff", Access: Staff("refund.handle")},
			func(ctx context.Context, in *refundNumber) (*Body[StaffRefund], error) {
				r, err := act.do(ctx, Who(ctx), in.Number)
				return &Body[StaffRefund]{toStaffRefund(r)}, err
			})
	}
	Post(a, "/admin/refunds/{number}/reject", Operation{ID: "admin-refund-reject", Summary: "Decline a refund", Tag: "Staff", Access: Staff("refund.handle")},
		func(ctx context.Context, in *struct {
			Number string `path:"number" maxLength:"40"`
			Body   RefundReason
		},
		) (*Body[StaffRefund], error) {
			r, err := s.Reject(ctx, Who(ctx), in.Number, in.Body.Reason)
			return &Body[StaffRefund]{toStaffRefund(r)}, err
		})
	Post(a, "/admin/refunds/{number}/settle", Operation{
		ID: "admin-refund-settle", Summary: "Say what became of a refund at a provider that cannot be asked", Tag: "Staff", Access: Staff("refund.handle"),
	},
		func(ctx context.Context, in *struct {
			Number string `path:"number" maxLength:"40"`
			Body   struct {
				Outcome string `json:"outcome" enum:"paid_back,not_paid_back"`
			}
		},
		) (*Body[StaffRefund], error) {
			r, err := s.SettleRefund(ctx, Who(ctx), in.Number, in.Body.Outcome == "paid_back")
			return &Body[StaffRefund]{toStaffRefund(r)}, err
		})
	Post(a, "/admin/refunds/{number}/query", Operation{ID: "admin-query-refund", Summary: "Ask the provider about a refund now", Tag: "Staff", Access: Staff("payment.read")},
		func(ctx context.Context, in *refundNumber) (*struct{}, error) {
			return &struct{}{}, s.QueryRefundNow(ctx, Who(ctx), in.Number)
		})
}

func toRefundOffer(o payment.RefundOffer) RefundOffer {
	w := RefundOffer{
		Rule: string(o.Rule), Amount: toMoney(o.Amount), Wallet: toPart(o.From.Wallet), Gift: toPart(o.From.Gift),
		Targets: []string{}, Until: toTime(o.Until), Left: o.Left, Services: o.Services,
	}
	for _, t := range o.Targets {
		w.Targets = append(w.Targets, string(t))
	}
	return w
}

// toPart leaves out a part of which there is nothing.
func toPart(m money.Money) *Money {
	if m.IsZero() {
		return nil
	}
	w := toMoney(m)
	return &w
}

func toRefund(r payment.Refund) Refund {
	return Refund{
		Number: r.No, Order: r.Order, Rule: string(r.Rule), Target: string(r.Target), Amount: toMoney(r.Amount), State: string(r.Phase),
		Wallet: toPart(r.Wallet), Gift: toPart(r.Gift),
		Problem: r.Problem, RequestedAt: r.RequestedAt, HeldAt: toTime(r.HeldAt), SettledAt: toTime(r.SettledAt), EndedAt: toTime(r.EndedAt),
	}
}

func toStaffRefund(r payment.Refund) StaffRefund {
	return StaffRefund{
		Refund: toRefund(r), Account: string(r.Account), Payment: r.Attempt, Gateway: r.Gateway, Seconded: r.Second != "",
		LastQuery: r.LastQuery, LastQueryAt: toTime(r.LastQueryAt), NextQueryAt: toTime(r.NextQueryAt),
	}
}

func toStep(s payment.RefundStep) RefundStep {
	return RefundStep{Event: string(s.Event), State: string(s.Phase), Actor: s.Actor, Class: s.Class, Why: s.Reason, At: s.At}
}
