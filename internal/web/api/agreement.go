package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
)

// PaperNeed is a paper that a recipient cannot be sent to without.
type PaperNeed struct {
	Recipient string     `json:"recipient" example:"idv.aliyun"`
	Kind      string     `json:"kind" enum:"contract,assessment"`
	Name      string     `json:"name" doc:"The recipient, or the assessment's id" example:"PIA-007"`
	State     string     `json:"state" enum:"missing,live,ending,ended" doc:"Ending: within 30 days. While it is missing or has ended nothing is sent to the recipient"`
	Ends      *time.Time `json:"ends,omitempty"`
}

// ProcessingAgreement is an agreement with a recipient that works on the
// operator's behalf.
type ProcessingAgreement struct {
	ID          string    `json:"id" readOnly:"true"`
	Recipient   string    `json:"recipient" maxLength:"60" example:"idv.aliyun"`
	SHA256      string    `json:"sha256" maxLength:"64" doc:"Of the signed document, in lower-case hexadecimal digits; the document itself is not stored"`
	Purposes    []string  `json:"purposes" maxItems:"20" nullable:"false"`
	Kinds       []string  `json:"kinds" maxItems:"50" nullable:"false" doc:"Kinds of data: names of the registry"`
	Method      string    `json:"method" maxLength:"500"`
	Safeguards  string    `json:"safeguards" maxLength:"500"`
	Supervision string    `json:"supervision" maxLength:"500"`
	Begins      time.Time `json:"begins"`
	Ends        time.Time `json:"ends"`
	Approver    string    `json:"approver" readOnly:"true" doc:"Handle of the member of staff; empty: the demonstration"`
	At          time.Time `json:"at" readOnly:"true"`
}

// ImpactAssessment is a protection impact assessment.
type ImpactAssessment struct {
	ID        string    `json:"id" readOnly:"true"`
	PIA       string    `json:"pia" maxLength:"20" example:"PIA-007"`
	SHA256    string    `json:"sha256" maxLength:"64" doc:"Of the report, in lower-case hexadecimal digits"`
	Necessity string    `json:"necessity" maxLength:"1000" doc:"Whether purpose and method are lawful, proper and necessary"`
	Impact    string    `json:"impact" maxLength:"1000" doc:"On people, and the risks"`
	Measures  string    `json:"measures" maxLength:"1000"`
	Ends      time.Time `json:"ends"`
	Approver  string    `json:"approver" readOnly:"true"`
	At        time.Time `json:"at" readOnly:"true"`
}

func approver(ctx context.Context) agreement.Approver {
	p := Who(ctx)
	return agreement.Approver{Subject: p.Subject, Session: p.Session}
}

func contractOut(c agreement.Contract) ProcessingAgreement {
	return ProcessingAgreement{
		ID: c.ID, Recipient: c.Recipient, SHA256: c.SHA256, Purposes: c.Purposes, Kinds: c.Kinds, Method: c.Method, Safeguards: c.Safeguards,
		Supervision: c.Supervision, Begins: c.Begins, Ends: c.Ends, Approver: string(c.Approver.Subject), At: c.At,
	}
}

func assessmentOut(a agreement.Assessment) ImpactAssessment {
	return ImpactAssessment{
		ID: a.ID, PIA: a.PIA, SHA256: a.SHA256, Necessity: a.Necessity, Impact: a.Impact, Measures: a.Measures, Ends: a.Ends,
		Approver: string(a.Approver.Subject), At: a.At,
	}
}

// Agreements registers what staff record of the papers that sharing rests on.
func Agreements(a *API, s *agreement.Service) {
	const tag = "Staff"
	Get(a, "/admin/agreement-needs", Operation{ID: "admin-list-agreement-needs", Summary: "What recipients need, and whether it is in force", Tag: tag, Access: Staff(account.PermAgreementRead)},
		func(ctx context.Context, _ *struct{}) (*Body[List[PaperNeed]], error) {
			all, err := s.Needs(ctx)
			return page(all, "", err, func(n agreement.Need) PaperNeed {
				return PaperNeed{Recipient: n.Recipient, Kind: n.Kind, Name: n.Name, State: n.State, Ends: toTime(n.Ends)}
			})
		})
	Get(a, "/admin/agreements", Operation{ID: "admin-list-agreements", Summary: "Processing agreements, the newest first", Tag: tag, Access: Staff(account.PermAgreementRead)},
		func(ctx context.Context, _ *struct{}) (*Body[List[ProcessingAgreement]], error) {
			all, err := s.Contracts(ctx)
			return page(all, "", err, contractOut)
		})
	Post(a, "/admin/agreements", Operation{
		ID: "admin-record-agreement", Summary: "Record a processing agreement", Tag: tag, Access: Staff(account.PermAgreementWrite), Status: 201,
		Detail: "You answer for it. It takes the place of an earlier one with the recipient; entries are never changed or removed.",
	},
		func(ctx context.Context, in *struct{ Body ProcessingAgreement }) (*Body[ProcessingAgreement], error) {
			b := in.Body
			c, err := s.RecordContract(ctx, agreement.Contract{
				Recipient: b.Recipient, SHA256: b.SHA256, Purposes: b.Purposes, Kinds: b.Kinds, Method: b.Method, Safeguards: b.Safeguards,
				Supervision: b.Supervision, Begins: b.Begins, Ends: b.Ends, Approver: approver(ctx),
			})
			if err != nil {
				return nil, err
			}
			return &Body[ProcessingAgreement]{contractOut(c)}, nil
		})
	Get(a, "/admin/impact-assessments", Operation{ID: "admin-list-impact-assessments", Summary: "Impact assessments, the newest first", Tag: tag, Access: Staff(account.PermAgreementRead)},
		func(ctx context.Context, _ *struct{}) (*Body[List[ImpactAssessment]], error) {
			all, err := s.Assessments(ctx)
			return page(all, "", err, assessmentOut)
		})
	Post(a, "/admin/impact-assessments", Operation{
		ID: "admin-record-impact-assessment", Summary: "Record an impact assessment", Tag: tag, Access: Staff(account.PermAgreementWrite), Status: 201,
		Detail: "You answer for it. It takes the place of an earlier one with this id; entries are never changed or removed.",
	},
		func(ctx context.Context, in *struct{ Body ImpactAssessment }) (*Body[ImpactAssessment], error) {
			b := in.Body
			as, err := s.RecordAssessment(ctx, agreement.Assessment{
				PIA: b.PIA, SHA256: b.SHA256, Necessity: b.Necessity, Impact: b.Impact, Measures: b.Measures, Ends: b.Ends, Approver: approver(ctx),
			})
			if err != nil {
				return nil, err
			}
			return &Body[ImpactAssessment]{assessmentOut(as)}, nil
		})
}
