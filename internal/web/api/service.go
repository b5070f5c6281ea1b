package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
)

// Service is what was bought, and until when it is paid.
type Service struct {
	ID          string             `json:"id" example:"svc_..."`
	Resource    string             `json:"resource" doc:"vpngw-...; empty until it is made"`
	Product     string             `json:"product"`
	Region      string             `json:"region"`
	State       string             `json:"state" enum:"pending,cancelled,provisioning,provision_failed,active,suspended,terminating,terminated"`
	Reasons     []string           `json:"reasons" nullable:"false" doc:"Why it is suspended: overdue, realname, abuse, admin, upstream, user, refund"`
	Cycle       int                `json:"cycle" doc:"Months that it was bought for"`
	PaidThrough *time.Time         `json:"paid_through,omitempty"`
	DaysLeft    int                `json:"days_left" doc:"Below zero: days since the paid time ended"`
	Overdue     bool               `json:"overdue"`
	AutoRenew   bool               `json:"auto_renew"`
	CancelAtEnd bool               `json:"cancel_at_period_end"`
	Timeline    []ServiceMilestone `json:"timeline" nullable:"false" doc:"What happens if nobody does anything"`
}

// ServiceMilestone is something that will happen of itself.
type ServiceMilestone struct {
	What string    `json:"what" enum:"renewal_order,auto_renew,due,suspend,final_notice,terminate,data_deleted,ends"`
	At   time.Time `json:"at"`
}

// StaffService is a service as staff see it.
type StaffService struct {
	Service
	Account string `json:"account"`
	Locked  bool   `json:"locked" doc:"Staff keep it from being terminated"`
}

// ServiceSwitch sets something of a service.
type ServiceSwitch struct {
	On bool `json:"on"`
}

// ServiceReason is why staff suspend a service.
type ServiceReason struct {
	Reason string `json:"reason" enum:"abuse,admin"`
}

// ServiceTerms are the days around the end of the paid time; null is off.
type ServiceTerms struct {
	RenewalOrder *int `json:"renewal_order" doc:"Days before the end at which the order of the next period is placed"`
	Suspend      *int `json:"suspend" doc:"Days after the end"`
	FinalNotice  *int `json:"final_notice"`
	Terminate    *int `json:"terminate"`
	KeepData     *int `json:"keep_data" doc:"Days after the termination"`
}

// ServiceTerm sets one of them.
type ServiceTerm struct {
	Product string `json:"product,omitempty" maxLength:"64" doc:"Empty: of all products"`
	Name    string `json:"name" enum:"renewal_order,suspend,final_notice,terminate,keep_data"`
	Days    *int   `json:"days" minimum:"0" maximum:"365" doc:"null turns it off; 0 is at once"`
}

// Services registers what customers and staff do about what was bought.
func Services(a *API, s *service.Service, now func() time.Time) {
	one := func(ctx context.Context, v service.Item, err error) (*Body[Service], error) {
		if err != nil {
			return nil, err
		}
		t, _, err := s.Terms(ctx, v.Product)
		return &Body[Service]{toService(v, t, now())}, err
	}
	Get(a, "/vpn-gateways/{id}/service", Operation{
		ID: "get-vpn-gateway-service", Summary: "Until when a VPN gateway is paid, and what happens then", Tag: "VPN gateways", Access: Customer,
	},
		func(ctx context.Context, in *struct{ ResourceID }) (*Body[Service], error) {
			v, err := s.ByResource(ctx, Who(ctx).Account, in.ID)
			return one(ctx, v, err)
		})
	Post(a, "/services/{id}/auto-renew", Operation{
		ID: "set-auto-renew", Summary: "Have renewals paid from your wallet, or not", Tag: "Orders", Access: Customer,
		Detail: "Off unless you choose it. Your wallet is tried 3 days, 1 day and 0 days before the end.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body ServiceSwitch
		},
		) (*Body[Service], error) {
			v, err := s.SetAutoRenew(ctx, Who(ctx), in.ID, in.Body.On)
			return one(ctx, v, err)
		})
	Post(a, "/services/{id}/cancel-at-period-end", Operation{
		ID: "set-cancel-at-period-end", Summary: "End a service with its paid time, or not", Tag: "Orders", Access: Customer,
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body ServiceSwitch
		},
		) (*Body[Service], error) {
			v, err := s.SetCancelAtEnd(ctx, Who(ctx), in.ID, in.Body.On)
			return one(ctx, v, err)
		})
	staffServices(a, s, now)
}

func staffServices(a *API, s *service.Service, now func() time.Time) {
	one := func(ctx context.Context, v service.Item, err error) (*Body[StaffService], error) {
		if err != nil {
			return nil, err
		}
		t, _, err := s.Terms(ctx, v.Product)
		return &Body[StaffService]{toStaffService(v, t, now())}, err
	}
	Get(a, "/admin/services", Operation{ID: "admin-list-services", Summary: "Services, by what is the matter with them", Tag: "Staff", Access: Staff("order.read")},
		func(ctx context.Context, in *struct {
			Page
			Watch string `query:"watch" enum:"all,due,overdue,suspended,locked,ending" default:"all"`
		},
		) (*Body[List[StaffService]], error) {
			limit := min(in.Limit, 100)
			all, err := s.Watched(ctx, Who(ctx), service.Watch(in.Watch), in.Cursor, limit)
			if err != nil {
				return nil, err
			}
			t, _, err := s.Terms(ctx, catalog.VPNGateway)
			if err != nil {
				return nil, err
			}
			item := func(v service.Item) StaffService { return toStaffService(v, t, now()) }
			return &Body[List[StaffService]]{List[StaffService]{Items(all, item), nextCursor(all, limit, func(v service.Item) string { return v.ID })}}, nil
		})
	Post(a, "/admin/services/{id}/suspend", Operation{ID: "admin-suspend-service", Summary: "Suspend a service", Tag: "Staff", Access: Staff("service.write")},
		func(ctx context.Context, in *struct {
			ResourceID
			Body ServiceReason
		},
		) (*Body[StaffService], error) {
			v, err := s.SuspendBy(ctx, Who(ctx), in.ID, service.Reason(in.Body.Reason))
			return one(ctx, v, err)
		})
	Post(a, "/admin/services/{id}/resume", Operation{ID: "admin-resume-service", Summary: "Take away a reason that staff gave", Tag: "Staff", Access: Staff("service.write")},
		func(ctx context.Context, in *struct {
			ResourceID
			Body ServiceReason
		},
		) (*Body[StaffService], error) {
			v, err := s.ResumeBy(ctx, Who(ctx), in.ID, service.Reason(in.Body.Reason))
			return one(ctx, v, err)
		})
	Post(a, "/admin/services/{id}/lock", Operation{ID: "admin-lock-service", Summary: "Keep a service from being terminated, or no more", Tag: "Staff", Access: Staff("service.write")},
		func(ctx context.Context, in *struct {
			ResourceID
			Body ServiceSwitch
		},
		) (*Body[StaffService], error) {
			v, err := s.SetLocked(ctx, Who(ctx), in.ID, in.Body.On)
			return one(ctx, v, err)
		})
	Get(a, "/admin/service-terms", Operation{ID: "admin-get-service-terms", Summary: "The days around the end of the paid time", Tag: "Staff", Access: Staff("order.read")},
		func(ctx context.Context, _ *struct{}) (*Body[ServiceTerms], error) {
			t, _, err := s.Terms(ctx, catalog.VPNGateway)
			return &Body[ServiceTerms]{toTerms(t)}, err
		})
	Post(a, "/admin/service-terms", Operation{ID: "admin-set-service-term", Summary: "Set one of these days", Tag: "Staff", Access: Staff("service.write")},
		func(ctx context.Context, in *struct{ Body ServiceTerm }) (*Body[ServiceTerms], error) {
			set := service.Setting{Scope: in.Body.Product, Name: in.Body.Name, Days: service.Days{Off: in.Body.Days == nil}}
			if in.Body.Days != nil {
				set.Days.N = *in.Body.Days
			}
			if err := s.SetTerm(ctx, Who(ctx), set); err != nil {
				return nil, err
			}
			t, _, err := s.Terms(ctx, catalog.VPNGateway)
			return &Body[ServiceTerms]{toTerms(t)}, err
		})
}

func toTerms(t service.Terms) ServiceTerms {
	days := func(d service.Days) *int {
		if d.Off {
			return nil
		}
		return &d.N
	}
	return ServiceTerms{days(t.RenewalOrder), days(t.Suspend), days(t.FinalNotice), days(t.Terminate), days(t.KeepData)}
}

func toService(v service.Item, t service.Terms, now time.Time) Service {
	out := Service{
		ID: v.ID, Resource: v.Resource, Product: v.Product, Region: v.Region, State: string(v.State), Cycle: v.Months,
		Reasons: Items(v.Reasons, func(r service.Reason) string { return string(r) }), PaidThrough: toTime(v.PaidThrough),
		AutoRenew: v.AutoRenew, CancelAtEnd: v.CancelAtEnd, Overdue: !v.OverdueSince.IsZero(),
		Timeline: Items(v.Timeline(t, now), func(m service.Milestone) ServiceMilestone { return ServiceMilestone{m.What, m.At} }),
	}
	if !v.PaidThrough.IsZero() {
		out.DaysLeft = v.DaysLeft(now)
	}
	return out
}

func toStaffService(v service.Item, t service.Terms, now time.Time) StaffService {
	return StaffService{toService(v, t, now), string(v.Account), v.Locked}
}
