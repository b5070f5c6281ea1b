package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
)

// ClosurePlan tells what closing the account does, before it is done.
type ClosurePlan struct {
	Open  []Unsettled `json:"open" nullable:"false" doc:"What would be ended, and what you are owed"`
	Goes  []string    `json:"goes" nullable:"false" doc:"Tables whose rows about you are deleted and whose keys are destroyed"`
	Stays []Retained  `json:"stays" nullable:"false" doc:"What a law has us keep: locked, and read for the law alone"`
}

// Unsettled is something that an account still has, or is owed.
type Unsettled struct {
	Kind  string `json:"kind" enum:"service,order,payment,balance"`
	ID    string `json:"id" doc:"Of the thing; of a balance its currency"`
	State string `json:"state" doc:"Of the thing; of a balance its amount"`
}

// Retained is what a law has us keep.
type Retained struct {
	Table string `json:"table"`
	Class string `json:"class" doc:"Retention class"`
	Law   string `json:"law"`
	Until string `json:"until" doc:"What ends it, as a code: order+3y"`
}

// NewClosure closes an account.
type NewClosure struct {
	UserName string `json:"user_name" maxLength:"64" doc:"Yours, typed, so that nobody does it by mistake"`
}

// Erasure is how far the erasure of a person is, for whoever has its number. It
// tells nothing about the person.
type Erasure struct {
	ID          string     `json:"id" example:"ers_2b4k7..."`
	Step        string     `json:"step" enum:"freeze,settle,search,tell,bury,rows,keys,files,scan,certify,done"`
	Problem     string     `json:"problem" enum:",unsettled,letter,held,scan_failed,error" doc:"Why it does not go on; empty if it does"`
	AskedAt     time.Time  `json:"asked_at"`
	DueAt       time.Time  `json:"due_at" doc:"The first moment that is too late"`
	EffectiveAt *time.Time `json:"effective_at,omitempty" doc:"From then on no key opens anything"`
	CompleteAt  *time.Time `json:"complete_at,omitempty" doc:"When the last backup of a key is gone"`
	Certified   bool       `json:"certified"`
}

// ErasureCase is an erasure for the staff.
type ErasureCase struct {
	Erasure
	Subject    string             `json:"subject"`
	Trigger    string             `json:"trigger" enum:"asked,granted,purpose_over,minor,canary"`
	Request    string             `json:"request" doc:"At the rights desk; empty without one"`
	Outcomes   []ErasureOutcome   `json:"outcomes" nullable:"false"`
	Recipients []ErasureRecipient `json:"recipients" nullable:"false"`
	Unsettled  []Unsettled        `json:"unsettled" nullable:"false"`
}

// ErasureOutcome is what an erasure did with one table.
type ErasureOutcome struct {
	Table   string `json:"table"`
	Deleted int64  `json:"deleted"`
	Class   string `json:"class" doc:"That keeps the rows; empty: deleted"`
	Law     string `json:"law"`
	Until   string `json:"until"`
}

// ErasureRecipient is who was sent something about the person.
type ErasureRecipient struct {
	ID             string     `json:"id"`
	LegalName      string     `json:"legal_name"`
	ToldAt         time.Time  `json:"told_at"`
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
}

// ErasureCertificate is the certificate as skybridge-verify reads it.
type ErasureCertificate struct {
	ContentDisposition string `header:"Content-Disposition"`
	Body               json.RawMessage
}

// ErasureNumber names an erasure.
type ErasureNumber struct {
	ID string `path:"id" maxLength:"40"`
}

type settledInput struct {
	ErasureNumber
	Body struct {
		Paper string `json:"paper" maxLength:"800" doc:"By which paper it was settled: 3 to 200 characters, no name"`
	}
}

type acknowledgedInput struct {
	ErasureNumber
	Recipient string `path:"recipient" maxLength:"64"`
}

// Erasures registers the closing of an account and what follows from it.
func Erasures(a *API, s *erasure.Service) {
	const tag = "Privacy"
	Get(a, "/account-closure", Operation{
		ID: "plan-account-closure", Summary: "What closing your account would do", Tag: tag, Access: SignedIn,
		Detail: "Nothing is done. Closing needs no reason and no data that we do not have.",
	},
		func(ctx context.Context, _ *struct{}) (*Body[ClosurePlan], error) {
			p, err := s.Plan(ctx, Who(ctx))
			return &Body[ClosurePlan]{ClosurePlan{Open: Items(p.Open, toUnsettled), Goes: Items(p.Goes, func(v string) string { return v }), Stays: Items(p.Stays, toRetained)}}, err
		})
	Post(a, "/account-closure", Operation{
		ID: "close-account", Summary: "Close your account and have your data erased", Tag: tag, Access: SignedIn, Status: 202,
		Detail: "Cannot be undone. Needs the password again (step-up). Services end at once, sessions too. Asked twice it is one erasure. Keep the number: it shows how it stands, to anybody who has it.",
	},
		func(ctx context.Context, in *struct{ Body NewClosure }) (*Body[Erasure], error) {
			c, err := s.Ask(ctx, Who(ctx), in.Body.UserName)
			return &Body[Erasure]{toErasure(c)}, err
		})
	Get(a, "/erasures/{id}", Operation{ID: "get-erasure", Summary: "How far an erasure is, by its number", Tag: tag, Access: Public},
		func(ctx context.Context, in *ErasureNumber) (*Body[Erasure], error) {
			c, err := s.Case(ctx, in.ID)
			return &Body[Erasure]{toErasure(c)}, err
		})
	Get(a, "/erasures/{id}/certificate", Operation{
		ID: "get-erasure-certificate", Summary: "The certificate of an erasure, for skybridge-verify", Tag: tag, Access: Public,
		Detail: "Holds a handle, codes and times. It is proven by the audit log: skybridge-verify --key log.pub certificate.json",
	},
		func(ctx context.Context, in *ErasureNumber) (*ErasureCertificate, error) {
			text, err := s.Certificate(ctx, in.ID)
			return &ErasureCertificate{ContentDisposition: `attachment; filename="` + erasureFile + `"`, Body: text}, err
		})
	erasureDesk(a, s)
}

const erasureFile = "certificate.json"

func erasureDesk(a *API, s *erasure.Service) {
	const path = "/admin/erasures"
	staff := Staff(account.PermPrivacyHandle)
	Get(a, path, Operation{ID: "admin-list-erasures", Summary: "Erasures, those under way first", Tag: "Staff", Access: staff},
		func(ctx context.Context, _ *struct{}) (*Body[List[ErasureCase]], error) {
			all, err := s.List(ctx)
			return page(all, "", err, func(c erasure.Case) ErasureCase { return toErasureCase(erasure.Detail{Case: c}) })
		})
	Get(a, path+"/{id}", Operation{ID: "admin-get-erasure", Summary: "An erasure with what it did and whom it told", Tag: "Staff", Access: staff},
		func(ctx context.Context, in *ErasureNumber) (*Body[ErasureCase], error) {
			d, err := s.Detail(ctx, in.ID)
			return &Body[ErasureCase]{toErasureCase(d)}, err
		})
	Post(a, path+"/{id}/run", Operation{ID: "admin-run-erasure", Summary: "Look at an erasure that waits at once", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *ErasureNumber) (*struct{}, error) { return nil, s.Run(ctx, in.ID) })
	Post(a, path+"/{id}/settled", Operation{ID: "admin-settle-erasure", Summary: "What the account was owed is settled by hand", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *settledInput) (*struct{}, error) {
			return nil, s.Settled(ctx, Who(ctx), in.ID, in.Body.Paper)
		})
	Post(a, path+"/{id}/recipients/{recipient}/acknowledged", Operation{
		ID: "admin-acknowledge-erasure", Summary: "A recipient confirmed that it erased too", Tag: "Staff", Access: staff, Status: 204,
	},
		func(ctx context.Context, in *acknowledgedInput) (*struct{}, error) {
			return nil, s.Acknowledged(ctx, Who(ctx), in.ID, in.Recipient)
		})
}

func toUnsettled(u erasure.Unsettled) Unsettled { return Unsettled(u) }

func toRetained(o erasure.Outcome) Retained { return Retained{o.Table, o.Class, o.Law, o.Until} }

func toErasure(c erasure.Case) Erasure {
	return Erasure{
		ID: c.ID, Step: string(c.Step), Problem: c.Problem, AskedAt: c.AskedAt, DueAt: c.DueAt,
		EffectiveAt: toTime(c.EffectiveAt), CompleteAt: toTime(c.CompleteAt), Certified: c.Certified(),
	}
}

func toErasureCase(d erasure.Detail) ErasureCase {
	return ErasureCase{
		Erasure: toErasure(d.Case), Subject: string(d.Subject), Trigger: string(d.Trigger), Request: d.Request,
		Outcomes:  Items(d.Outcomes, func(o erasure.Outcome) ErasureOutcome { return ErasureOutcome(o) }),
		Unsettled: Items(d.Unsettled, toUnsettled),
		Recipients: Items(d.Recipients, func(r erasure.Recipient) ErasureRecipient {
			return ErasureRecipient{r.ID, r.LegalName, r.ToldAt, toTime(r.AcknowledgedAt)}
		}),
	}
}
