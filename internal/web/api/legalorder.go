package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// OrderScope is what an order of an authority is about.
type OrderScope struct {
	Subjects   []string  `json:"subjects" maxItems:"50" nullable:"false" doc:"Handles"`
	Categories []string  `json:"categories" maxItems:"30" nullable:"false" doc:"Of the data map" example:"contact.email"`
	From       time.Time `json:"from" doc:"Of what happened; how things are is as it is at the execution"`
	Until      time.Time `json:"until" doc:"Not included"`
}

// ForeignApproval is the record that the competent department let something go
// to a foreign authority.
type ForeignApproval struct {
	Authority string `json:"authority" maxLength:"200"`
	DocNo     string `json:"doc_no" maxLength:"200"`
	SHA256    string `json:"sha256" maxLength:"64"`
}

// NewLegalOrder is an order to enter.
type NewLegalOrder struct {
	Authority     string           `json:"authority" minLength:"1" maxLength:"200"`
	Jurisdiction  string           `json:"jurisdiction" minLength:"2" maxLength:"2" example:"CN"`
	DocNo         string           `json:"doc_no" minLength:"1" maxLength:"200"`
	Law           string           `json:"law" minLength:"1" maxLength:"200" example:"CSL 28"`
	Scan          []byte           `json:"scan" doc:"The document, in base64; at most 640 KiB"`
	ScanSHA256    string           `json:"scan_sha256" maxLength:"64" doc:"In lower-case hexadecimal digits"`
	AuthorityKey  string           `json:"authority_key" maxLength:"4000" doc:"Line of the authority's public key, of 'skybridge legal-order keygen'"`
	Scope         OrderScope       `json:"scope"`
	Accounts      []string         `json:"accounts,omitempty" maxItems:"50" doc:"Their owners are added to the subjects"`
	Expires       time.Time        `json:"expires"`
	SuppressUntil *time.Time       `json:"suppress_until,omitempty" doc:"Its people see what was done from then on; at most the end"`
	SuppressLaw   string           `json:"suppress_law,omitempty" maxLength:"200"`
	Approval      *ForeignApproval `json:"approval,omitempty" doc:"Needed for an authority of another place than the stores (PIPL 41, DSL 36)"`
}

// LegalOrder is an order of an authority.
type LegalOrder struct {
	ID            string           `json:"id"`
	Authority     string           `json:"authority"`
	Jurisdiction  string           `json:"jurisdiction"`
	DocNo         string           `json:"doc_no"`
	Law           string           `json:"law"`
	ScanSHA256    string           `json:"scan_sha256"`
	Scope         OrderScope       `json:"scope"`
	Expires       time.Time        `json:"expires"`
	SuppressUntil *time.Time       `json:"suppress_until,omitempty"`
	SuppressLaw   string           `json:"suppress_law"`
	Approval      *ForeignApproval `json:"approval,omitempty"`
	State         string           `json:"state" enum:"entered,approved,refused,executed"`
	EnteredBy     string           `json:"entered_by"`
	EnteredAt     time.Time        `json:"entered_at"`
	Approvers     []string         `json:"approvers" nullable:"false"`
	EndedBy       string           `json:"ended_by" doc:"Who executed or refused it"`
	EndedAt       *time.Time       `json:"ended_at,omitempty"`
	PackageSHA256 string           `json:"package_sha256"`
}

// LegalOrderPart is a part of an order's scope; what is left out is the whole.
type LegalOrderPart struct {
	Subjects   []string   `json:"subjects,omitempty" maxItems:"50"`
	Categories []string   `json:"categories,omitempty" maxItems:"30"`
	From       *time.Time `json:"from,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
}

// LegalOrderFile is a file of an order.
type LegalOrderFile struct {
	Content []byte `json:"content" doc:"In base64"`
}

// LegalOrders registers orders of authorities. Entering, approving and carrying
// out are three permissions.
func LegalOrders(a *API, s *legalorder.Service) {
	const tag, base = "Staff", "/admin/legal-orders"
	read, approve, execute := Staff(account.PermLegalOrderRead), Staff(account.PermLegalOrderApprove), Staff(account.PermLegalOrderExecute)
	Get(a, base, Operation{ID: "list-legal-orders", Summary: "Orders of authorities, the newest first", Tag: tag, Access: read},
		func(ctx context.Context, _ *struct{}) (*Body[List[LegalOrder]], error) {
			all, err := s.Orders(ctx)
			return page(all, "", err, legalOrderOut)
		})
	Post(a, base, Operation{
		ID: "enter-legal-order", Summary: "Enter an order of an authority", Tag: tag, Access: Staff(account.PermLegalOrderEnter), Status: 201,
		Detail: "Two others approve it. What it says never changes.",
	},
		func(ctx context.Context, in *struct{ Body NewLegalOrder }) (*Body[LegalOrder], error) {
			return legalOrder(s.Enter(ctx, Who(ctx), legalOrderIn(in.Body)))
		})
	Get(a, base+"/{id}", Operation{ID: "get-legal-order", Summary: "One order", Tag: tag, Access: read},
		func(ctx context.Context, in *legalOrderPath) (*Body[LegalOrder], error) {
			return legalOrder(s.Order(ctx, in.ID))
		})
	Get(a, base+"/{id}/scan", Operation{ID: "read-legal-order-scan", Summary: "The document; the reading is recorded", Tag: tag, Access: approve, Secret: true},
		func(ctx context.Context, in *legalOrderPath) (*Body[LegalOrderFile], error) {
			return legalOrderFile(s.Scan(ctx, Who(ctx), in.ID))
		})
	Post(a, base+"/{id}/approve", Operation{
		ID: "approve-legal-order", Summary: "Approve an order", Tag: tag, Access: approve, Status: 200,
		Detail: "Not by who entered it, approved it already or is whom it is about. The second approver makes it ready.",
	},
		func(ctx context.Context, in *legalOrderPath) (*Body[LegalOrder], error) {
			return legalOrder(s.Approve(ctx, Who(ctx), in.ID))
		})
	Post(a, base+"/{id}/refuse", Operation{ID: "refuse-legal-order", Summary: "Refuse an order for good", Tag: tag, Access: approve, Status: 200},
		func(ctx context.Context, in *legalOrderPath) (*Body[LegalOrder], error) {
			return legalOrder(s.Refuse(ctx, Who(ctx), in.ID))
		})
	Post(a, base+"/{id}/execute", Operation{
		ID: "execute-legal-order", Summary: "Make the file for the authority", Tag: tag, Access: execute, Status: 200,
		Detail: "Sealed to the authority's key. Each person's register gets an entry with names of fields; what lies beyond the scope is refused with 451.",
	},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body LegalOrderPart
		},
		) (*Body[LegalOrder], error) {
			b := in.Body
			return legalOrder(s.Execute(ctx, Who(ctx), in.ID, scopeIn(OrderScope{b.Subjects, b.Categories, fromTime(b.From), fromTime(b.Until)})))
		})
	Get(a, base+"/{id}/package", Operation{ID: "read-legal-order-package", Summary: "The file for the authority, until the order's end", Tag: tag, Access: execute, Secret: true},
		func(ctx context.Context, in *legalOrderPath) (*Body[LegalOrderFile], error) {
			return legalOrderFile(s.Package(ctx, Who(ctx), in.ID))
		})
}

type legalOrderPath struct {
	ID string `path:"id" maxLength:"40"`
}

func legalOrder(o legalorder.Order, err error) (*Body[LegalOrder], error) {
	if err != nil {
		return nil, err
	}
	return &Body[LegalOrder]{legalOrderOut(o)}, nil
}

func legalOrderFile(b []byte, err error) (*Body[LegalOrderFile], error) {
	if err != nil {
		return nil, err
	}
	return &Body[LegalOrderFile]{LegalOrderFile{b}}, nil
}

func fromTime(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func scopeIn(s OrderScope) legalorder.Scope {
	return legalorder.Scope{
		Subjects:   Items(s.Subjects, func(h string) id.Handle { return id.Handle(h) }),
		Categories: Items(s.Categories, func(c string) holding.Category { return holding.Category(c) }), From: s.From, Until: s.Until,
	}
}

func legalOrderIn(n NewLegalOrder) legalorder.Entry {
	e := legalorder.Entry{
		Order: legalorder.Order{
			Authority: n.Authority, Jurisdiction: n.Jurisdiction, DocNo: n.DocNo, Law: n.Law, ScanSHA256: n.ScanSHA256, AuthorityKey: n.AuthorityKey,
			Scope: scopeIn(n.Scope), Expires: n.Expires, SuppressUntil: fromTime(n.SuppressUntil), SuppressLaw: n.SuppressLaw,
		},
		Accounts: n.Accounts, Scan: n.Scan,
	}
	if n.Approval != nil {
		e.Approval = legalorder.Approval{Authority: n.Approval.Authority, DocNo: n.Approval.DocNo, SHA256: n.Approval.SHA256}
	}
	return e
}

func legalOrderOut(o legalorder.Order) LegalOrder {
	handle := func(h id.Handle) string { return string(h) }
	out := LegalOrder{
		ID: o.ID, Authority: o.Authority, Jurisdiction: o.Jurisdiction, DocNo: o.DocNo, Law: o.Law, ScanSHA256: o.ScanSHA256,
		Scope: OrderScope{
			Items(o.Scope.Subjects, handle), Items(o.Scope.Categories, func(c holding.Category) string { return string(c) }), o.Scope.From, o.Scope.Until,
		},
		Expires: o.Expires, SuppressUntil: toTime(o.SuppressUntil), SuppressLaw: o.SuppressLaw, State: o.State, EnteredBy: string(o.EnteredBy),
		EnteredAt: o.EnteredAt, Approvers: Items(o.Approvers, handle), EndedBy: string(o.EndedBy), EndedAt: toTime(o.EndedAt), PackageSHA256: o.PackageSHA256,
	}
	if a := o.Approval; a.SHA256 != "" {
		out.Approval = &ForeignApproval{a.Authority, a.DocNo, a.SHA256}
	}
	return out
}
