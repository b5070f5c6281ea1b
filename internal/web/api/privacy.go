package api

import (
	"context"
	"errors"
	"mime"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// NewDataSubjectRequest asks for something about the data that is held of you.
type NewDataSubjectRequest struct {
	Kind  string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,misuse,question" doc:"misuse signs you out everywhere and locks your VPN clients at once"`
	Words string `json:"words,omitempty" maxLength:"16000" doc:"At most 4000 characters. Kept encrypted. correct, supplement, deceased, guardian, complaint and question need them"`

	Channel string `json:"channel,omitempty" enum:"console,client,assistant,ticket" default:"console" doc:"client: by a program; assistant: handed over to a person; ticket: by the form of tickets"`
	To      string `json:"to,omitempty" enum:",dpo" doc:"dpo: to the person in charge of personal information; other staff do not see it"`
}

// DataSubjectRequest is a request about personal data on the wire.
type DataSubjectRequest struct {
	ID          string     `json:"id" example:"dsr_2b4k7..."`
	Kind        string     `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,misuse,question"`
	State       string     `json:"state" enum:"received,asked,carrying,done,refused,withdrawn" doc:"asked: we need to know who you are, or a proof; carrying: granted, and being done"`
	Channel     string     `json:"channel" example:"console" doc:"How it arrived"`
	Addressed   string     `json:"addressed" enum:",dpo" doc:"dpo: to the person in charge of personal information"`
	Identity    string     `json:"identity" enum:"ok,asked" doc:"asked: who asks, or on whose behalf, is not known yet"`
	Special     string     `json:"special" doc:"Why the answer takes up to seven days; empty if it does not" enum:",complex,volume,recipient"`
	Decision    string     `json:"decision" enum:",granted,partial,refused"`
	Reason      string     `json:"reason" doc:"Code of why it was not granted; the letter has it in words"`
	Law         string     `json:"law" doc:"Code of the article that the reason rests on"`
	ReceivedAt  time.Time  `json:"received_at"`
	DueAt       *time.Time `json:"due_at,omitempty" doc:"The first moment that is too late for what comes next; left out when nothing is due"`
	Provisional bool       `json:"provisional" doc:"The calendar of holidays is not published yet; the due date can only move earlier"`
	AnsweredAt  *time.Time `json:"answered_at,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
	Copy        *DataCopy  `json:"copy,omitempty" doc:"Of copy and port, once it is granted"`
}

// DataCopy is the file that a request for a copy is answered by.
type DataCopy struct {
	State     string     `json:"state" enum:"making,ready,fetched,over" doc:"ready: it can be downloaded, once; over: 72 hours have passed, or a newer copy took its place"`
	Size      int64      `json:"size" doc:"Bytes, once it is made"`
	SHA256    string     `json:"sha256"`
	MadeAt    *time.Time `json:"made_at,omitempty"`
	Until     *time.Time `json:"until,omitempty" doc:"The first moment at which it is gone"`
	FetchedAt *time.Time `json:"fetched_at,omitempty"`
}

// OwnData is what is held of you under one name, without the values.
type OwnData struct {
	Table      string        `json:"table" example:"account_login"`
	Rows       int64         `json:"rows"`
	Categories []string      `json:"categories" nullable:"false" example:"net.ip" doc:"Kinds of personal data"`
	Kept       []OwnDataKept `json:"kept" nullable:"false" doc:"How long"`
	Law        string        `json:"law" doc:"The law by which it stays, restricted, when the account is erased; empty: it is erased"`
	Until      string        `json:"until" doc:"What ends that" example:"order+3y"`
}

// OwnDataKept is how long a class of data is kept.
type OwnDataKept struct {
	Class string            `json:"class" example:"netlog"`
	Words map[string]string `json:"words" doc:"By language, as the policy has it; empty for a class that it leaves out"`
}

// OwnDataSheet is what is held of you under one name.
type OwnDataSheet struct {
	Columns []string   `json:"columns" nullable:"false"`
	Rows    [][]string `json:"rows" nullable:"false" doc:"The newest, at most 100"`
	Total   int        `json:"total"`
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
	Mails        []CaseMail         `json:"mails" nullable:"false" doc:"Oldest first; of a request that came by mail or by a link"`
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

// TakenRequest is what somebody asked for by phone or on paper.
type TakenRequest struct {
	UserName string `json:"user_name" minLength:"1" maxLength:"64" doc:"As the person gives it"`
	Channel  string `json:"channel" enum:"phone,letter"`
	Kind     string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,question"`
	Words    string `json:"words,omitempty" maxLength:"16000"`
	To       string `json:"to,omitempty" enum:",dpo" doc:"dpo: to the person in charge of personal information"`
}

// DataSubjectLetter is an answer as the person gets it.
type DataSubjectLetter struct {
	Letter map[string]string `json:"letter" doc:"By language: zh-CN, en"`
}

// Arrangement is what a person wants to happen with their data after their death
// (PIPL 49).
type Arrangement struct {
	Words string     `json:"words" maxLength:"16000" doc:"At most 4000 characters. Kept encrypted; empty takes it back"`
	At    *time.Time `json:"at,omitempty" readOnly:"true"`
}

func toArrangement(a privacy.Arrangement) Arrangement { return Arrangement{a.Words, toTime(a.At)} }

// DataSubjectRequests registers the rights desk, for the person and for staff.
func DataSubjectRequests(a *API, s *privacy.Service) {
	const tag = "Privacy"
	Post(a, "/data-subject-requests", Operation{
		ID: "make-data-subject-request", Summary: "Ask for something about your data", Tag: tag, Access: SignedIn, Status: 201,
		Detail: "Needs no consent. misuse ends every session of yours, this one too, and locks all SSL clients of the account.",
	},
		func(ctx context.Context, in *struct{ Body NewDataSubjectRequest }) (*Body[DataSubjectRequest], error) {
			r, err := s.Open(ctx, Who(ctx), privacy.NewRequest{Kind: privacy.Kind(in.Body.Kind), Words: in.Body.Words, Channel: in.Body.Channel, To: in.Body.To})
			if err != nil {
				return nil, err
			}
			v, err := withCopy(ctx, s, toRequest(r))
			return &Body[DataSubjectRequest]{v}, err
		})
	Get(a, "/data-subject-requests", Operation{ID: "list-data-subject-requests", Summary: "Your requests, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[DataSubjectRequest]], error) {
			return mine(ctx, s)
		})
	Get(a, "/data-subject-requests/{id}", Operation{ID: "get-data-subject-request", Summary: "A request of yours with its words and the answer", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *DataSubjectRequestID) (*Body[DataSubjectCase], error) {
			o, err := s.Show(ctx, Who(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			v := toCase(o)
			v.DataSubjectRequest, err = withCopy(ctx, s, v.DataSubjectRequest)
			return &Body[DataSubjectCase]{v}, err
		})
	Post(a, "/data-subject-requests/{id}/withdraw", Operation{ID: "withdraw-data-subject-request", Summary: "Take a request back", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *DataSubjectRequestID) (*Body[DataSubjectRequest], error) {
			r, err := s.Withdraw(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectRequest]{toRequest(r)}, err
		})
	Post(a, "/data-subject-requests/{id}/copy", Operation{
		ID: "fetch-data-copy", Summary: "The file of your copy, which is used up by it", Tag: tag, Access: SignedIn, Secret: true,
		Detail: "A ZIP of JSON and CSV files with a manifest. It can be fetched once, by a session that proved itself within ten minutes.",
	},
		func(ctx context.Context, in *DataSubjectRequestID) (*file, error) {
			b, err := s.FetchCopy(ctx, Who(ctx), in.ID)
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": in.ID + ".zip"}), b}, err
		})
	ownData(a, s)
	arrangements(a, s)
	rightsDesk(a, s)
}

func ownData(a *API, s *privacy.Service) {
	Get(a, "/me/data", Operation{ID: "list-own-data", Summary: "What is held of you, without the values", Tag: "Privacy", Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[OwnData]], error) {
			all, err := s.Inventories(ctx, Who(ctx))
			return page(all, "", err, func(i privacy.Inventory) OwnData { return toOwnData(s, i) })
		})
	Get(a, "/me/data/{table}", Operation{
		ID: "get-own-data", Summary: "What is held of you under one name, opened; the reading is recorded", Tag: "Privacy", Access: SignedIn, Secret: true,
	},
		func(ctx context.Context, in *struct {
			Table string `path:"table" maxLength:"60"`
		},
		) (*Body[OwnDataSheet], error) {
			v, err := s.Look(ctx, Who(ctx), in.Table)
			return &Body[OwnDataSheet]{OwnDataSheet(v)}, err
		})
}

func arrangements(a *API, s *privacy.Service) {
	Get(a, "/me/arrangement", Operation{ID: "get-arrangement", Summary: "What you want to happen with your data after your death", Tag: "Privacy", Access: SignedIn, Secret: true},
		func(ctx context.Context, _ *struct{}) (*Body[Arrangement], error) {
			v, err := s.Arrangement(ctx, Who(ctx))
			return &Body[Arrangement]{toArrangement(v)}, err
		})
	Post(a, "/me/arrangement", Operation{ID: "set-arrangement", Summary: "Say what you want to happen with your data after your death", Tag: "Privacy", Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body Arrangement }) (*struct{}, error) {
			return nil, s.Arrange(ctx, Who(ctx), in.Body.Words)
		})
}

func toOwnData(s *privacy.Service, i privacy.Inventory) OwnData {
	return OwnData{
		Table: i.Table, Rows: i.Rows, Law: i.Law, Until: i.Until,
		Categories: Items(i.Categories, func(c holding.Category) string { return string(c) }),
		Kept: Items(i.Classes, func(class string) OwnDataKept {
			k := OwnDataKept{class, map[string]string{}}
			for _, l := range i18n.Languages {
				if words := s.Kept(class, string(l)); words != "" {
					k.Words[string(l)] = words
				}
			}
			return k
		}),
	}
}

// mine lists a person's requests with their copies.
func mine(ctx context.Context, s *privacy.Service) (*Body[List[DataSubjectRequest]], error) {
	all, err := s.Mine(ctx, Who(ctx))
	if err != nil {
		return nil, err
	}
	copies, err := s.Copies(ctx, Who(ctx))
	return page(all, "", err, func(r privacy.Request) DataSubjectRequest {
		v := toRequest(r)
		if f, ok := copies[r.ID]; ok {
			v.Copy = toDataCopy(f)
		}
		return v
	})
}

// withCopy adds the copy of a person's request, if it has one.
func withCopy(ctx context.Context, s *privacy.Service, v DataSubjectRequest) (DataSubjectRequest, error) {
	f, err := s.CopyOf(ctx, Who(ctx), v.ID)
	if errors.Is(err, privacy.ErrNoCopy) {
		return v, nil
	}
	v.Copy = toDataCopy(f)
	return v, err
}

func toDataCopy(f privacy.CopyFile) *DataCopy {
	return &DataCopy{string(f.State), f.Size, f.Digest, toTime(f.MadeAt), toTime(f.Until), toTime(f.FetchedAt)}
}

// DataSubjectRequestID is the path of one request. It is exported because the
// library does not look into embedded types that are not.
type DataSubjectRequestID struct {
	ID string `path:"id" maxLength:"40"`
}

type deskInput struct {
	Closed bool `query:"closed" doc:"The closed ones, newest first"`
}

type specialInput struct {
	DataSubjectRequestID
	Body struct {
		Reason string `json:"reason" enum:"complex,volume,recipient" doc:"Not knowing who asks is no reason"`
	}
}

type answerInput struct {
	DataSubjectRequestID
	Body DataSubjectAnswer
}

type arrangementInput struct {
	DataSubjectRequestID
	Body struct {
		UserName string `json:"user_name" minLength:"1" maxLength:"64" doc:"Of who died"`
	}
}

func (b DataSubjectAnswer) answer() privacy.Answer {
	return privacy.Answer{Decision: privacy.Decision(b.Decision), Reason: b.Reason, Law: b.Law, Remedies: b.Remedies, Words: b.Words}
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
			all, err := s.Desk(ctx, Who(ctx), in.Closed)
			return page(all, "", err, toRequest)
		})
	Post(a, path, Operation{
		ID: "admin-take-data-subject-request", Summary: "Take a request that arrived by phone or on paper", Tag: "Staff", Access: staff, Status: 201,
		Detail: "The clocks run from now. Who it is has to be asked before anything is done.",
	},
		func(ctx context.Context, in *struct{ Body TakenRequest }) (*Body[DataSubjectRequest], error) {
			b := in.Body
			r, err := s.OpenFor(ctx, Who(ctx), b.UserName, privacy.NewRequest{Kind: privacy.Kind(b.Kind), Words: b.Words, Channel: b.Channel, To: b.To})
			return &Body[DataSubjectRequest]{toRequest(r)}, err
		})
	Get(a, path+"/{id}", Operation{ID: "admin-get-data-subject-request", Summary: "Open a request; the person sees that you did", Tag: "Staff", Access: staff, Secret: true},
		func(ctx context.Context, in *DataSubjectRequestID) (*Body[DataSubjectCase], error) {
			o, err := s.Handle(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectCase]{toCase(o)}, err
		})
	Post(a, path+"/{id}/answer", Operation{ID: "admin-answer-data-subject-request", Summary: "Answer a request", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *answerInput) (*struct{}, error) {
			return nil, s.Answer(ctx, Who(ctx), in.ID, in.Body.answer())
		})
	Post(a, path+"/{id}/letter-preview", Operation{
		ID: "admin-preview-data-subject-letter", Summary: "The letter that an answer would send", Tag: "Staff", Access: staff, Secret: true,
	},
		func(ctx context.Context, in *answerInput) (*Body[DataSubjectLetter], error) {
			l, err := s.Preview(ctx, Who(ctx), in.ID, in.Body.answer())
			return &Body[DataSubjectLetter]{DataSubjectLetter{l}}, err
		})
	Post(a, path+"/{id}/arrangement", Operation{
		ID: "admin-open-arrangement", Summary: "What somebody who died wanted to happen with their data", Tag: "Staff", Access: staff, Secret: true,
		Detail: "For an open request of relatives. The reading is recorded.",
	},
		func(ctx context.Context, in *arrangementInput) (*Body[Arrangement], error) {
			v, err := s.ArrangementOf(ctx, Who(ctx), in.ID, in.Body.UserName)
			return &Body[Arrangement]{toArrangement(v)}, err
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
			func(ctx context.Context, in *DataSubjectRequestID) (*struct{}, error) {
				return nil, act.do(ctx, Who(ctx), in.ID)
			})
	}
}

func toRequest(r privacy.Request) DataSubjectRequest {
	return DataSubjectRequest{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), Channel: r.Channel, Addressed: r.Addressed, Identity: string(r.Identity), Special: r.Special, Decision: string(r.Decision), Reason: r.Reason, Law: r.Law,
		ReceivedAt: r.ReceivedAt, DueAt: toTime(r.Due), Provisional: r.Provisional, AnsweredAt: toTime(r.AnsweredAt), ClosedAt: toTime(r.ClosedAt),
	}
}

func toCase(o privacy.Opened) DataSubjectCase {
	return DataSubjectCase{
		DataSubjectRequest: toRequest(o.Request), Words: o.Words, Letter: o.Letter, LetterSHA256: o.Digest, Mails: Items(o.Mails, toMail),
		Clocks: Items(o.Clocks, func(c privacy.Clock) DataSubjectClock {
			return DataSubjectClock{Rule: c.Rule, DueAt: c.Due, Provisional: c.Provisional, MetAt: toTime(c.MetAt)}
		}),
	}
}
