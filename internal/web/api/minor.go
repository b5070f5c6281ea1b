package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// AgeGroup is a group of minors and what this deployment asks of it.
type AgeGroup struct {
	AgeGroup string `json:"age_group" enum:"≤14,15,16-17"`
	Rule     string `json:"rule" enum:"screen,guardian,written,refused" doc:"screen: the minors' clauses, read with a guardian; guardian: a guardian opens the account; written: a guardian's signed consent"`
}

// Age is what is known of a minor's age; adults have none.
type Age struct {
	AgeGroup string `json:"age_group" enum:",≤14,15,16-17"`
	Needs    string `json:"needs" enum:",age.screen_needed,age.guardian_needed,age.guardian_left,age.erasing" doc:"What is missing before anything is open"`
}

// AgeStatement is a minor's statement after the screen that was read with a guardian.
type AgeStatement struct {
	AgeGroup string `json:"age_group" enum:"15,16-17"`
}

// NewChild is what a guardian enters for a child of 14 or younger.
type NewChild struct {
	UserName        string `json:"user_name" minLength:"3" maxLength:"32" example:"alice"`
	Password        string `json:"password" minLength:"1" maxLength:"1024"`
	Email           string `json:"email" minLength:"3" maxLength:"254" example:"alice@example.org"`
	ConsentToken    string `json:"consent_token" maxLength:"1024" doc:"Of GET /consent-prompts/platform_policy, in the guardian's session"`
	ChildRulesToken string `json:"child_rules_token" maxLength:"1024" doc:"Of GET /consent-prompts/child_rules, in the guardian's session"`
}

// Child is a child's account that a guardian opened.
type Child struct {
	Account   string    `json:"account" example:"acc_..."`
	CreatedAt time.Time `json:"created_at"`

	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty" doc:"You took your consent back; another guardian may give theirs"`
}

// GuardianCode lets another guardian take over.
type GuardianCode struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewGuardianship is what another guardian enters for a child whose guardian left.
type NewGuardianship struct {
	Code            string `json:"code" minLength:"1" maxLength:"100" doc:"That the child made in their account"`
	ConsentToken    string `json:"consent_token" maxLength:"1024" doc:"Of GET /consent-prompts/platform_policy, in the guardian's session"`
	ChildRulesToken string `json:"child_rules_token" maxLength:"1024" doc:"Of GET /consent-prompts/child_rules, in the guardian's session"`
}

// UnguardedMinor is an account whose guardian left.
type UnguardedMinor struct {
	Account      string     `json:"account" example:"acc_..."`
	Cause        string     `json:"cause" enum:"erased,withdrew,minor,unknown" doc:"Why the guardian is gone"`
	Since        time.Time  `json:"since"`
	RestrictAt   time.Time  `json:"restrict_at" doc:"Sessions end and VPN access is locked on this day unless another guardian consents"`
	RestrictedAt *time.Time `json:"restricted_at,omitempty"`
	EraseAt      time.Time  `json:"erase_at"`
}

// WaitingMinor is an account that waits for a guardian's written consent.
type WaitingMinor struct {
	Account  string    `json:"account" example:"acc_..."`
	AgeGroup string    `json:"age_group" enum:"16-17"`
	Since    time.Time `json:"since"`
	EraseAt  time.Time `json:"erase_at" doc:"What is held is erased on this day unless two of the staff saw the consent before"`
	SeenBy   string    `json:"seen_by" doc:"The first of two of the staff who saw the signed document; empty: nobody did"`
}

// SignedDocument is a document that a member of the staff saw. Only its digest is
// sent and kept.
type SignedDocument struct {
	SHA256 string `json:"sha256" pattern:"^[0-9a-f]{64}$" doc:"Of the signed document; the second person computes it again"`
}

// GuardianProof is the proof of a guardian's request, by its digest.
type GuardianProof struct {
	SignedDocument
	Account string `json:"account" maxLength:"40" doc:"The child's"`
}

// SeenDocument tells whether two of the staff saw a document.
type SeenDocument struct {
	Confirmed bool `json:"confirmed"`
}

// MinorReading is a reading of a minor's data that waits for a second person.
type MinorReading struct {
	ID      string    `json:"id" example:"mrd_..."`
	Subject string    `json:"subject" example:"sub_..."`
	Reader  string    `json:"reader" example:"sub_..."`
	Purpose string    `json:"purpose"`
	Reason  string    `json:"reason" doc:"The ticket or case"`
	AskedAt time.Time `json:"asked_at"`
	Own     bool      `json:"own" doc:"You asked; somebody else has to approve"`
}

// MinorAudit is the yearly audit of how minors' data were handled.
type MinorAudit struct {
	Year   int        `json:"year"`
	DueAt  time.Time  `json:"due_at"`
	MadeAt *time.Time `json:"made_at,omitempty"`
	SHA256 string     `json:"sha256"`
	Pack   *MinorPack `json:"pack,omitempty"`
}

// MinorPack is what an audit says. It names nobody.
type MinorPack struct {
	Year   int              `json:"year"`
	MadeAt time.Time        `json:"made_at"`
	Bands  map[string]int64 `json:"bands" nullable:"false" doc:"Minors on that day, by age group"`
	Counts map[string]int64 `json:"counts" nullable:"false" doc:"Of the year: refused, guardian_consent, read, read_approved, read_refused, erasure"`
}

// Minors is what waits for staff.
type Minors struct {
	Waiting   []WaitingMinor   `json:"waiting" nullable:"false"`
	Unguarded []UnguardedMinor `json:"unguarded" nullable:"false"`
	Readings  []MinorReading   `json:"readings" nullable:"false"`
	Audits    []MinorAudit     `json:"audits" nullable:"false"`
}

type accountPath struct {
	Account string `path:"account" maxLength:"40"`
}

type writtenInput struct {
	Account string `path:"account" maxLength:"40"`
	Body    SignedDocument
}

func by(ctx context.Context) age.By {
	p := Who(ctx)
	return age.By{Handle: p.Subject, Session: p.Session}
}

// AgesOf registers what minors and guardians do, and the staff's part in it.
func AgesOf(a *API, s *age.Service, people *account.Service) {
	const tag = "Account"
	Get(a, "/age-groups", Operation{ID: "list-age-groups", Summary: "What is asked of minors here", Tag: tag, Access: Public},
		func(context.Context, *struct{}) (*Body[List[AgeGroup]], error) {
			return page(age.Minors(), "", nil, func(b age.Band) AgeGroup { return AgeGroup{string(b), string(age.RuleFor(s.Profile(), b))} })
		})
	Post(a, "/age-statements", Operation{
		ID: "state-age", Summary: "State your age group as a minor", Tag: tag, Access: SignedIn, Status: 204,
		Detail: "After the minors' clauses were read with a guardian, where an identity number told of the age first.",
	},
		func(ctx context.Context, in *struct{ Body AgeStatement }) (*struct{}, error) {
			return nil, s.State(ctx, by(ctx), string(Who(ctx).Account), age.Band(in.Body.AgeGroup))
		})
	Post(a, "/children", Operation{
		ID: "register-child", Summary: "Open an account for your child", Tag: tag, Access: Customer, Status: 201,
		Detail: "For a child of 14 or younger. You are the guardian, read the policy and the rules for children, and act for the child.",
	},
		func(ctx context.Context, in *struct{ Body NewChild }) (*Body[Account], error) {
			b := in.Body
			got, err := people.RegisterChild(ctx, Who(ctx), account.Registration{
				Name: b.UserName, Password: b.Password, Email: b.Email, Locale: string(request.From(ctx).Language),
				ConsentToken: b.ConsentToken, ChildRulesToken: b.ChildRulesToken, Source: source(ctx),
			})
			if err != nil {
				return nil, err
			}
			return &Body[Account]{Account{string(got.Account), got.Name}}, nil
		})
	Get(a, "/children", Operation{ID: "list-children", Summary: "Accounts that you opened as a guardian", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[Child]], error) {
			all, err := s.Children(ctx, Who(ctx).Subject)
			return page(all, "", err, func(c age.Ward) Child { return Child{c.Account, c.SeenAt, toTime(c.LeftAt)} })
		})
	guardianships(a, s, people)
	Post(a, "/children/{account}/erasure", Operation{
		ID: "erase-child", Summary: "Have your child's data deleted and the services cancelled", Tag: tag, Access: SignedIn, Status: 202,
		Detail: "Begins at once and needs no other proof than that you opened the account.",
	},
		func(ctx context.Context, in *accountPath) (*struct{}, error) {
			return nil, s.EraseChild(ctx, by(ctx), in.Account)
		})
	minorsDesk(a, s)
}

// guardianships registers how a guardian leaves and another one comes.
func guardianships(a *API, s *age.Service, people *account.Service) {
	const tag = "Account"
	Post(a, "/children/{account}/withdrawal", Operation{
		ID: "withdraw-guardian-consent", Summary: "Take back your consent as a guardian, at once", Tag: tag, Access: SignedIn, Status: 204,
		Detail: "What rests on it is shut. The child has 30 days to name another guardian.",
	},
		func(ctx context.Context, in *accountPath) (*struct{}, error) {
			return nil, people.LeaveChild(ctx, Who(ctx), account.ID(in.Account))
		})
	Post(a, "/me/guardian-code", Operation{
		ID: "make-guardian-code", Summary: "Make a code for another guardian, good for a day", Tag: tag, Access: SignedIn, Secret: true, Status: 201,
		Detail: "Where the guardian who had consented has left.",
	},
		func(ctx context.Context, _ *struct{}) (*Body[GuardianCode], error) {
			code, until, err := s.GuardianCode(ctx, by(ctx))
			return &Body[GuardianCode]{GuardianCode{code, until}}, err
		})
	Post(a, "/guardianships", Operation{
		ID: "take-over-guardianship", Summary: "Become the guardian of a child whose guardian left", Tag: tag, Access: Customer, Status: 201,
		Detail: "You are the guardian, read the policy and the rules for children, and act for the child.",
	},
		func(ctx context.Context, in *struct{ Body NewGuardianship }) (*Body[Child], error) {
			b := in.Body
			child, at, err := people.Succeed(ctx, Who(ctx), account.Guardianship{Code: b.Code, ConsentToken: b.ConsentToken, ChildRulesToken: b.ChildRulesToken})
			return &Body[Child]{Child{Account: string(child), CreatedAt: at}}, err
		})
}

func minorsDesk(a *API, s *age.Service) {
	staff := Staff(account.PermMinorHandle)
	Post(a, "/admin/minors/{account}/withdrawal", Operation{
		ID: "admin-see-withdrawal", Summary: "A guardian took a written consent back", Tag: "Staff", Access: staff, Status: 204,
		Detail: "Shuts the account at once; one member of the staff is enough.",
	},
		func(ctx context.Context, in *writtenInput) (*struct{}, error) {
			return nil, s.WithdrawWritten(ctx, by(ctx), in.Account, in.Body.SHA256)
		})
	Get(a, "/admin/minors", Operation{ID: "admin-list-minors", Summary: "What waits for staff about minors", Tag: "Staff", Access: staff},
		func(ctx context.Context, _ *struct{}) (*Body[Minors], error) { return minors(ctx, s) })
	Post(a, "/admin/minors/{account}/written-consent", Operation{
		ID: "admin-see-written-consent", Summary: "You saw a guardian's signed consent", Tag: "Staff", Access: staff,
		Detail: "Two of the staff see the same document; the account opens with the second.",
	},
		func(ctx context.Context, in *writtenInput) (*Body[SeenDocument], error) {
			done, err := s.SeeWritten(ctx, by(ctx), in.Account, in.Body.SHA256)
			return &Body[SeenDocument]{SeenDocument{done}}, err
		})
	Post(a, "/admin/minor-readings/{id}/approve", Operation{ID: "admin-approve-minor-reading", Summary: "Open a reading to who asked for it, for an hour", Tag: "Staff", Access: staff, Status: 204},
		func(ctx context.Context, in *DataSubjectRequestID) (*struct{}, error) {
			return nil, s.ApproveReading(ctx, by(ctx), in.ID)
		})
	Post(a, "/admin/minor-audits/{year}", Operation{ID: "admin-make-minor-audit", Summary: "Make the audit of a year that is over", Tag: "Staff", Access: staff},
		func(ctx context.Context, in *struct {
			Year int `path:"year" minimum:"2020" maximum:"2200"`
		},
		) (*Body[MinorPack], error) {
			p, err := s.MakeAudit(ctx, by(ctx), in.Year)
			return &Body[MinorPack]{toPack(p)}, err
		})
}

func minors(ctx context.Context, s *age.Service) (*Body[Minors], error) {
	waiting, err := s.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	gone, err := s.Vacancies(ctx)
	if err != nil {
		return nil, err
	}
	readings, err := s.Readings(ctx)
	if err != nil {
		return nil, err
	}
	audits, err := s.Audits(ctx)
	if err != nil {
		return nil, err
	}
	me := Who(ctx).Subject
	return &Body[Minors]{Minors{
		Items(waiting, func(w age.Waiter) WaitingMinor {
			return WaitingMinor{w.Account, string(w.Band), w.Since, w.EraseAt(), string(w.SeenBy)}
		}),
		Items(gone, func(v age.Vacancy) UnguardedMinor {
			return UnguardedMinor{v.Account, v.Cause, v.Since, v.RestrictAt(), toTime(v.RestrictedAt), v.EraseAt()}
		}),
		Items(readings, func(r age.Reading) MinorReading {
			return MinorReading{r.ID, string(r.Subject), string(r.Reader), r.Purpose, r.Reason, r.AskedAt, r.Reader == me}
		}),
		Items(audits, toMinorAudit),
	}}, nil
}

func toMinorAudit(a age.Audit) MinorAudit {
	m := MinorAudit{Year: a.Year, DueAt: a.Due, MadeAt: toTime(a.MadeAt), SHA256: a.SHA256}
	var p age.Pack
	if json.Unmarshal([]byte(a.Body), &p) == nil {
		pack := toPack(p)
		m.Pack = &pack
	}
	return m
}

func toPack(p age.Pack) MinorPack {
	m := MinorPack{p.Year, p.MadeAt, map[string]int64{}, p.Counts}
	for b, n := range p.Bands {
		m.Bands[string(b)] = n
	}
	return m
}
