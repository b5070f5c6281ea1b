package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// ConsentPrompt is what a person is to be shown before an act.
type ConsentPrompt struct {
	Purpose    string    `json:"purpose"`
	Kind       string    `json:"kind" enum:"plain,separate.sensitive,separate.share,separate.crossborder,guardian"`
	Document   string    `json:"document"`
	Version    string    `json:"version"`
	Title      string    `json:"title"`
	Notice     string    `json:"notice" doc:"HTML: what for, which data, to whom, what happens on refusal; safe to show"`
	TextSHA256 string    `json:"text_sha256" doc:"Over the document's text and the notice"`
	Locale     string    `json:"locale"`
	Token      string    `json:"token" doc:"Good for one act, in this session, for thirty minutes"`
	ExpiresAt  time.Time `json:"expires_at"`
	Adult      bool      `json:"adult" doc:"The act must state adulthood"`
}

// ConsentAct is a decision about what a prompt showed.
type ConsentAct struct {
	Token    string `json:"token" minLength:"1" maxLength:"1024"`
	Decision string `json:"decision" enum:"grant,refuse"`
	Adult    bool   `json:"adult,omitempty"`
}

// ConsentRecord is a decision with its receipt.
type ConsentRecord struct {
	ID         string    `json:"id"`
	Purpose    string    `json:"purpose"`
	Kind       string    `json:"kind"`
	Decision   string    `json:"decision" enum:"grant,refuse,withdraw"`
	Document   string    `json:"document"`
	Version    string    `json:"version"`
	TextSHA256 string    `json:"text_sha256"`
	Locale     string    `json:"locale"`
	Channel    string    `json:"channel"`
	Adult      bool      `json:"adult"`
	At         time.Time `json:"at"`
	Receipt    string    `json:"receipt" doc:"SHA-256 over the record"`
}

// ConsentState is where the person stands with a purpose.
type ConsentState struct {
	Purpose  string `json:"purpose"`
	Kind     string `json:"kind"`
	Decision string `json:"decision" doc:"Empty: never asked"`
	Version  string `json:"version" doc:"That the decision was about"`
	Open     bool   `json:"open"`
	Renewal  bool   `json:"renewal" doc:"A new major version waits for an act"`
}

// Consents is a person's record and where it leads.
type Consents struct {
	List[ConsentRecord]
	States []ConsentState `json:"states" nullable:"false"`
}

// Notice is a message in the console.
type Notice struct {
	ID     string     `json:"id"`
	Event  string     `json:"event" example:"order.paid"`
	Title  string     `json:"title"`
	Body   string     `json:"body"`
	Link   string     `json:"link" doc:"Path in the console, may be empty"`
	At     time.Time  `json:"at"`
	ReadAt *time.Time `json:"read_at,omitempty"`
}

type purposePath struct {
	Purpose string `path:"purpose" maxLength:"64"`
}

type promptInput struct {
	Purpose string `path:"purpose" maxLength:"64"`
	Session string `cookie:"__Host-session" hidden:"true"`
}

// ConsentActs registers prompts, acts and withdrawals.
func ConsentActs(a *API, s *consent.Service) {
	const tag = "Consents"
	Get(a, "/consent-prompts/{purpose}", Operation{
		ID: "consent-prompt", Summary: "What to read before an act, and the act's token", Tag: tag, Access: Public,
		Detail: "Before sign-in only for the purposes of registration.",
	},
		func(ctx context.Context, in *promptInput) (*Body[ConsentPrompt], error) { return prompt(ctx, a, s, in) })
	Get(a, "/consents", Operation{ID: "list-consents", Summary: "Your decisions, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{ Page }) (*Body[Consents], error) { return consents(ctx, s) })
	Post(a, "/consents", Operation{ID: "decide", Summary: "Agree or refuse", Tag: tag, Access: SignedIn, Status: 201},
		func(ctx context.Context, in *struct{ Body ConsentAct }) (*Body[ConsentRecord], error) {
			p := Who(ctx)
			r, err := s.Decide(ctx, consent.Act{
				Subject: p.Subject, Session: p.Session, Decision: in.Body.Decision, Token: in.Body.Token,
				Adult: in.Body.Adult, Channel: "console",
			})
			if err != nil {
				return nil, err
			}
			return &Body[ConsentRecord]{toConsentRecord(r)}, nil
		})
	Delete(a, "/consents/{purpose}", Operation{ID: "withdraw", Summary: "Withdraw a consent, at once", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *purposePath) (*struct{}, error) {
			p := Who(ctx)
			_, err := s.Withdraw(ctx, consent.Act{Subject: p.Subject, Purpose: in.Purpose, Session: p.Session, Channel: "console"})
			return nil, err
		})
}

// prompt binds the token to the session if there is a live one.
func prompt(ctx context.Context, a *API, s *consent.Service, in *promptInput) (*Body[ConsentPrompt], error) {
	session := ""
	if in.Session != "" {
		p, err := a.opt.Sessions.Authenticate(ctx, in.Session)
		if err != nil && errs.KindOf(err) != errs.Unauthenticated {
			return nil, err
		}
		session = p.Session
	}
	p, err := s.Prompt(ctx, session, in.Purpose, string(request.From(ctx).Language))
	if err != nil {
		return nil, err
	}
	return &Body[ConsentPrompt]{ConsentPrompt{
		Purpose: p.Purpose, Kind: p.Kind, Document: p.Document, Version: p.Version, Title: p.Title, Notice: p.Notice,
		TextSHA256: p.TextSHA256, Locale: p.Locale, Token: p.Token, ExpiresAt: p.ExpiresAt, Adult: p.Adult,
	}}, nil
}

func consents(ctx context.Context, s *consent.Service) (*Body[Consents], error) {
	who := Who(ctx).Subject
	all, err := s.Records(ctx, who)
	if err != nil {
		return nil, err
	}
	states, err := s.States(ctx, who)
	if err != nil {
		return nil, err
	}
	return &Body[Consents]{Consents{List[ConsentRecord]{Items: Items(all, toConsentRecord)}, Items(states, toConsentState)}}, nil
}

func toConsentRecord(r consent.Record) ConsentRecord {
	return ConsentRecord{
		ID: r.ID, Purpose: r.Purpose, Kind: r.Kind, Decision: r.Decision, Document: r.Document, Version: r.Version,
		TextSHA256: r.TextSHA256, Locale: r.Locale, Channel: r.Channel, Adult: r.Adult, At: r.At, Receipt: r.Receipt,
	}
}

func toConsentState(s consent.State) ConsentState {
	return ConsentState{Purpose: s.Purpose.ID, Kind: s.Purpose.Kind, Decision: s.Decision, Version: s.Version, Open: s.Open, Renewal: s.Renewal}
}

type noticeID struct {
	ID string `path:"id" maxLength:"40"`
}

// Notices registers the console's inbox.
func Notices(a *API, s *notify.Service) {
	const tag = "Notices"
	Get(a, "/notices", Operation{ID: "list-notices", Summary: "Your notices, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[Notice]], error) {
			all, next, err := s.Notices(ctx, Who(ctx).Subject, string(request.From(ctx).Language), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &Body[List[Notice]]{List[Notice]{Items(all, toNotice), next}}, nil
		})
	Post(a, "/notices/{id}/read", Operation{ID: "read-notice", Summary: "Mark a notice as read", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *noticeID) (*struct{}, error) {
			return nil, s.MarkRead(ctx, Who(ctx).Subject, in.ID)
		})
}

func toNotice(n notify.Notice) Notice {
	return Notice{ID: n.ID, Event: n.Event, Title: n.Title, Body: n.Body, Link: n.Link, At: n.At, ReadAt: toTime(n.ReadAt)}
}
