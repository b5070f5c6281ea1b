package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// RealNameRequest hands in a name and an identity number. They are encrypted,
// never shown again in full and never logged.
type RealNameRequest struct {
	Name         string `json:"name" minLength:"1" maxLength:"120" doc:"As on the identity card"`
	Number       string `json:"number" minLength:"1" maxLength:"72" doc:"18 characters"`
	ConsentToken string `json:"consent_token" minLength:"1" maxLength:"1024" doc:"Of GET /consent-prompts/realname, after the person agreed to the separate notice"`
}

// RealNameVerification is a verification on the wire.
type RealNameVerification struct {
	ID           string     `json:"id" example:"rnv_2b4k7..."`
	State        string     `json:"state" enum:"none,verifying,verified,manual_review,unknown,rejected,change_requested,revoked"`
	Reason       string     `json:"reason" doc:"Code of why it is in this state; empty for none"`
	MaskedName   string     `json:"masked_name" doc:"Empty once the value is erased, and while it is being checked"`
	MaskedNumber string     `json:"masked_number"`
	SubmittedAt  time.Time  `json:"submitted_at"`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
}

// RealNameReview is a verification that waits for a member of staff.
type RealNameReview struct {
	RealNameVerification
	Account string `json:"account"`
	Band    string `json:"band" doc:"≤14, 15 or 16-17 for minors, else empty"`
}

// RealNameDecision is what a member of staff decides.
type RealNameDecision struct {
	Approve bool   `json:"approve" doc:"True attests that the typed values were compared with the document shown; no picture is taken"`
	Reason  string `json:"reason" minLength:"1" maxLength:"64" doc:"Code, or id of the case"`
}

// RealNameValues are the values in clear, for the member of staff who decides.
type RealNameValues struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

// RealName registers the operations of real-name verification.
func RealName(a *API, s *realname.Service) {
	const tag = "Real name"
	Post(a, "/real-name-verifications", Operation{
		ID: "submit-real-name", Summary: "Submit a name and number", Tag: tag, Access: Customer, Status: 202,
		Detail: "Checked in this order: form, age, limits, consent, then the source. What fails before the consent leaves nothing behind. Ask the list for the result.",
	},
		func(ctx context.Context, in *struct{ Body RealNameRequest }) (*Body[RealNameVerification], error) {
			return submitRealName(ctx, s, in.Body)
		})
	Get(a, "/real-name-verifications", Operation{ID: "list-real-name", Summary: "Your verifications, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[RealNameVerification]], error) {
			all, err := s.List(ctx, Who(ctx))
			if err != nil {
				return nil, err
			}
			return &Body[List[RealNameVerification]]{List[RealNameVerification]{Items: Items(all, toRealName)}}, nil
		})
	Post(a, "/real-name-verifications/{id}/manual-review", Operation{ID: "ask-real-name-review", Summary: "Hand a failed verification to a person", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"40"`
		},
		) (*Body[RealNameVerification], error) {
			v, err := s.AskManual(ctx, Who(ctx), in.ID)
			return &Body[RealNameVerification]{toRealName(realname.View{Verification: v})}, err
		})
	realNameStaff(a, s)
}

func realNameStaff(a *API, s *realname.Service) {
	Get(a, "/admin/real-name-verifications", Operation{ID: "admin-list-real-name", Summary: "Verifications that wait for a decision", Tag: "Staff", Access: Staff(account.PermRealnameReview)},
		func(ctx context.Context, _ *struct{}) (*Body[List[RealNameReview]], error) {
			all, err := s.Waiting(ctx)
			if err != nil {
				return nil, err
			}
			return &Body[List[RealNameReview]]{List[RealNameReview]{Items: Items(all, toRealNameReview)}}, nil
		})
	Post(a, "/admin/real-name-verifications/{id}/reveal", Operation{ID: "admin-reveal-real-name", Summary: "Read the values; the person sees that you did", Tag: "Staff", Access: Staff(account.PermRealnameReveal), Secret: true},
		func(ctx context.Context, in *revealInput) (*private[RealNameValues], error) {
			name, number, err := s.Reveal(ctx, Who(ctx), in.ID, in.Body.Reason)
			return &private[RealNameValues]{secretCache, RealNameValues{name, number}}, err
		})
	Post(a, "/admin/real-name-verifications/{id}/decision", Operation{ID: "admin-decide-real-name", Summary: "Decide a manual review", Tag: "Staff", Access: Staff(account.PermRealnameReview), Status: 204},
		func(ctx context.Context, in *decisionInput) (*struct{}, error) {
			return nil, s.Review(ctx, Who(ctx), in.ID, in.Body.Approve, in.Body.Reason)
		})
	Post(a, "/admin/real-name-verifications/{id}/revoke", Operation{ID: "admin-revoke-real-name", Summary: "Revoke a verification", Tag: "Staff", Access: Staff(account.PermRealnameReview), Status: 204},
		func(ctx context.Context, in *revealInput) (*struct{}, error) {
			return nil, s.Revoke(ctx, Who(ctx), in.ID, in.Body.Reason)
		})
}

type revealInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"64" doc:"Id of the ticket or case"`
	}
}

type decisionInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body RealNameDecision
}

func submitRealName(ctx context.Context, s *realname.Service, in RealNameRequest) (*Body[RealNameVerification], error) {
	info := request.From(ctx)
	source := ""
	if info.Source.IsValid() {
		source = info.Source.String()
	}
	v, err := s.Submit(ctx, Who(ctx), realname.Submission{
		Name: in.Name, Number: in.Number, ConsentToken: in.ConsentToken,
		Locale: string(info.Language), SourceIP: source,
	})
	if err != nil {
		return nil, err
	}
	return &Body[RealNameVerification]{toRealName(realname.View{Verification: v})}, nil
}

func toRealName(v realname.View) RealNameVerification {
	return RealNameVerification{
		ID: v.ID, State: string(v.State), Reason: v.Reason, MaskedName: v.MaskedName, MaskedNumber: v.MaskedNumber,
		SubmittedAt: v.SubmittedAt, DecidedAt: toTime(v.DecidedAt),
	}
}

func toRealNameReview(v realname.Verification) RealNameReview {
	return RealNameReview{toRealName(realname.View{Verification: v}), string(v.Account), string(v.Band)}
}
