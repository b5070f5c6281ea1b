package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
)

// NewDataSubjectRequest asks for something about the data that is held of you.
type NewDataSubjectRequest struct {
	Kind  string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,misuse,question" doc:"misuse signs you out everywhere and locks your VPN clients at once"`
	Words string `json:"words,omitempty" maxLength:"16000" doc:"At most 4000 characters. Kept encrypted. correct, supplement, deceased, guardian, complaint and question need them"`
}

// DataSubjectRequest is a request about personal data on the wire.
type DataSubjectRequest struct {
	ID          string     `json:"id" example:"dsr_2b4k7..."`
	Kind        string     `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,misuse,question"`
	State       string     `json:"state" enum:"received,asked,carrying,done,refused,withdrawn" doc:"asked: we need to know who you are, or a proof; carrying: granted, and being done"`
	Special     string     `json:"special" doc:"Why the answer takes up to seven days; empty if it does not" enum:",complex,volume,recipient"`
	Decision    string     `json:"decision" enum:",granted,partial,refused"`
	Reason      string     `json:"reason" doc:"Code of why it was not granted; the letter has it in words"`
	Law         string     `json:"law" doc:"Code of the article that the reason rests on"`
	ReceivedAt  time.Time  `json:"received_at"`
	DueAt       *time.Time `json:"due_at,omitempty" doc:"The first moment that is too late for what comes next; left out when nothing is due"`
	Provisional bool       `json:"provisional" doc:"The calendar of holidays is not published yet; the due date can only move earlier"`
	AnsweredAt  *time.Time `json:"answered_at,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
}

// DataSubjectClock is one limit of a request.
type DataSubjectClock struct {
	Rule        string     `json:"rule" example:"reply.3wd"`
	DueAt       time.Time  `json:"due_at"`
	Provisional bool       `json:"provisional"`
	MetAt       *time.Time `json:"met_at,omitempty"`
}

// DataSubjectCase is a request with its words and the answer.
type DataSubjectCase struct {
	DataSubjectRequest
	Words        string             `json:"words"`
	Letter       map[string]string  `json:"letter,omitempty" doc:"The answer, by language: zh-CN, en"`
	LetterSHA256 string             `json:"letter_sha256" doc:"Of the letter as it is kept; the audit log has it too"`
	Clocks       []DataSubjectClock `json:"clocks" nullable:"false"`
}

// DataSubjectAnswer is what staff decide. What is not granted in whole needs
// reason, law and remedies.
type DataSubjectAnswer struct {
	Decision string   `json:"decision" enum:"granted,partial,refused"`
	Reason   string   `json:"reason,omitempty" enum:",already_done,authority_not_proven,basis_stands,excessive,identity_not_proven,must_keep,not_feasible,not_held,not_ours,others_harmed"`
	Law      string   `json:"law,omitempty" enum:",CSL-23,CSL-26,ECL-31,NDR-25,PDPO-20,PDPO-24,PIPL-15,PIPL-31,PIPL-44,PIPL-45,PIPL-46,PIPL-47,PIPL-48,PIPL-49,PIPL-50"`
	Remedies []string `json:"remedies,omitempty" maxItems:"3" enum:"authority,complaint,court" doc:"court is among them"`
	Words    string   `json:"words,omitempty" maxLength:"16000" doc:"For the person, as they are; explain, question and complaint need them"`
}

// DataSubjectRequests registers the rights desk, for the person and for staff.
func DataSubjectRequests(a *API, s *privacy.Service) {
	const tag = "Privacy"
	Post(a, "/data-subject-requests", Operation{
		ID: "make-data-subject-request", Summary: "Ask for something about your data", Tag: tag, Access: SignedIn, Status: 201,
		Detail: "Needs no consent. misuse ends every session of yours, this one too, and locks all SSL clients of the account.",
	},
		func(ctx context.Context, in *struct{ Body NewDataSubjectRequest }) (*Body[DataSubjectRequest], error) {
			r, err := s.Open(ctx, Who(ctx), privacy.NewRequest{Kind: privacy.Kind(in.Body.Kind), Words: in.Body.Words, Channel: "console"})
			return &Body[DataSubjectRequest]{toRequest(r)}, err
		})
	Get(a, "/data-subject-requests", Operation{ID: "list-data-subject-requests", Summary: "Your requests, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[DataSubjectRequest]], error) {
			all, err := s.Mine(ctx, Who(ctx))
			return page(all, "", err, toRequest)
		})
	Get(a, "/data-subject-requests/{id}", Operation{ID: "get-data-subject-request", Summary: "A request of yours with its words and the answer", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *requestInput) (*Body[DataSubjectCase], error) {
			o, err := s.Show(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectCase]{toCase(o)}, err
		})
	Post(a, "/data-subject-requests/{id}/withdraw", Operation{ID: "withdraw-data-subject-request", Summary: "Take a request back", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *requestInput) (*Body[DataSubjectRequest], error) {
			r, err := s.Withdraw(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectRequest]{toRequest(r)}, err
		})
	rightsDesk(a, s)
}

type requestInput struct {
	ID string `path:"id" maxLength:"40"`
}

type deskInput struct {
	Closed bool `query:"closed" doc:"The closed ones, newest first"`
}

type specialInput struct {
	requestInput
	Body struct {
		Reason string `json:"reason" enum:"complex,volume,recipient" doc:"Not knowing who asks is no reason"`
	}
}

type answerInput struct {
	requestInput
	Body DataSubjectAnswer
}

type guardianProofInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body GuardianProof
}

func rightsDesk(a *API, s *privacy.Service) {
	const path = "/admin/data-subject-requests"
	staff := Staff(account.PermPrivacyHandle)
	Get(a, path, Operation{ID: "admin-list-data-subject-requests", Summary: "The desk's queue, by due date", Tag: "Staff", Access: staff},
		func(ctx context.Context, in *deskInput) (*Body[List[DataSubjectRequest]], error) {
			all, err := s.Desk(ctx, in.Closed)
			return page(all, "", err, toRequest)
		})
	Get(a, path+"/{id}", Operation{ID: "admin-get-data-subject-request", Summary: "Open a request; the person sees that you did", Tag: "Staff", Access: staff, Secret: true},
		func(ctx context.Context, in *requestInput) (*Body[DataSubjectCase], error) {
			o, err := s.Handle(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectCase]{toCase(o)}, err
		})
	Post(a, path+"/{id}/answer", Operation{ID: "admin-answer-data-subject-request", Summary: "Answer a request", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *answerInput) (*struct{}, error) {
			b := in.Body
			return nil, s.Answer(ctx, Who(ctx), in.ID, privacy.Answer{
				Decision: privacy.Decision(b.Decision), Reason: b.Reason, Law: b.Law, Remedies: b.Remedies, Words: b.Words,
			})
		})
	Post(a, path+"/{id}/special", Operation{ID: "admin-extend-data-subject-request", Summary: "Declare a special case: seven days", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *specialInput) (*struct{}, error) {
			return nil, s.Special(ctx, Who(ctx), in.ID, in.Body.Reason)
		})
	Post(a, path+"/{id}/proof", Operation{
		ID: "admin-see-guardian-proof", Summary: "You saw the proof of a guardian", Tag: "Staff", Access: staff,
		Detail: "Two of the staff see the same document; a guardian's request is granted after the second.",
	},
		func(ctx context.Context, in *guardianProofInput) (*Body[SeenDocument], error) {
			done, err := s.SeeProof(ctx, Who(ctx), in.ID, account.ID(in.Body.Account), in.Body.SHA256)
			return &Body[SeenDocument]{SeenDocument{done}}, err
		})
	for name, act := range map[string]struct {
		summary string
		do      func(context.Context, account.Principal, string) error
	}{
		"ask-identity": {"Ask for a proof, within one working day; no due date moves", s.AskIdentity},
		"identified":   {"The proof is there", s.Identified},
		"carried":      {"What was granted is done", s.Carried},
	} {
		Post(a, path+"/{id}/"+name, Operation{ID: "admin-" + name + "-data-subject-request", Summary: act.summary, Tag: "Staff", Access: staff, Status: 204},
			func(ctx context.Context, in *requestInput) (*struct{}, error) {
				return nil, act.do(ctx, Who(ctx), in.ID)
			})
	}
}

func toRequest(r privacy.Request) DataSubjectRequest {
	return DataSubjectRequest{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), Special: r.Special, Decision: string(r.Decision), Reason: r.Reason, Law: r.Law,
		ReceivedAt: r.ReceivedAt, DueAt: toTime(r.Due), Provisional: r.Provisional, AnsweredAt: toTime(r.AnsweredAt), ClosedAt: toTime(r.ClosedAt),
	}
}

func toCase(o privacy.Opened) DataSubjectCase {
	return DataSubjectCase{
		DataSubjectRequest: toRequest(o.Request), Words: o.Words, Letter: o.Letter, LetterSHA256: o.Digest,
		Clocks: Items(o.Clocks, func(c privacy.Clock) DataSubjectClock {
			return DataSubjectClock{Rule: c.Rule, DueAt: c.Due, Provisional: c.Provisional, MetAt: toTime(c.MetAt)}
		}),
	}
}
