package api

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// IntakeChannel is a channel by which requests about personal data arrive.
type IntakeChannel struct {
	ID      string     `json:"id" enum:"service_mail,privacy_mail,phone,ticket,assistant,console,client,qq,dpo"`
	Adapter string     `json:"adapter" enum:",mailbox,form,staff" doc:"What answers it; empty: nothing"`
	Owner   string     `json:"owner" doc:"Permission of who answers it"`
	Printed bool       `json:"printed" doc:"A policy prints it"`
	Silent  bool       `json:"silent" doc:"No adapter, or not seen working for ten minutes"`
	TriedAt *time.Time `json:"tried_at,omitempty"`
	BeatAt  *time.Time `json:"beat_at,omitempty" doc:"When it was last seen working"`
	Problem string     `json:"problem" doc:"Code of why the last try failed"`
}

// RequestLink is a one-time link to a form for a request.
type RequestLink struct {
	URL   string    `json:"url" doc:"A random token behind the #, and nothing else"`
	Until time.Time `json:"until"`
}

// RequestToken is what stands behind the # of such a link.
type RequestToken struct {
	Token string `json:"token" minLength:"1" maxLength:"100"`
}

// RequestLinkState tells of a link that can be used.
type RequestLinkState struct {
	Until time.Time `json:"until"`
}

// LinkedRequest is a request of somebody who has a link and did not sign in.
type LinkedRequest struct {
	RequestToken
	Kind   string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,question"`
	Words  string `json:"words" minLength:"1" maxLength:"16000" doc:"At most 4000 characters. Kept encrypted"`
	Answer string `json:"answer" minLength:"3" maxLength:"254" doc:"Mail address for the answer. Kept encrypted, with the request"`
}

// TakenReceipt is what whoever did not sign in gets of a request.
type TakenReceipt struct {
	Request string    `json:"request" example:"dsr_2b4k7..."`
	DueAt   time.Time `json:"due_at"`
}

// AssistantQuestion is a question to the assistant. It is not kept.
type AssistantQuestion struct {
	Text     string `json:"text" minLength:"1" maxLength:"2000"`
	Language string `json:"language" enum:"zh-CN,en"`
}

// AssistantAnswer is what the assistant found.
type AssistantAnswer struct {
	Answers []AssistantLine `json:"answers" nullable:"false" doc:"None: a person has to look"`
}

// AssistantLine is an answer and where to go.
type AssistantLine struct {
	Topic string `json:"topic"`
	Words string `json:"words"`
	Page  string `json:"page" doc:"Path in the console; empty for none"`
}

// CaseMail is a mail of a request.
type CaseMail struct {
	From        string    `json:"from"`
	Subject     string    `json:"subject"`
	Text        string    `json:"text"`
	Attachments []string  `json:"attachments" nullable:"false" doc:"Names only: attachments are not taken"`
	Cut         bool      `json:"cut" doc:"There is more in the mailbox"`
	At          time.Time `json:"at"`
}

// Limiter bounds what one source may do. web.Limiter fills it.
type Limiter interface {
	Allow(source netip.Addr, now time.Time) bool
}

var errSource = errs.New(errs.Limited, "privacy.link_limit")

// Intake registers the ways in that need no sign-in, and what staff see of all
// of them. A source makes and tries links as often as limit allows.
func Intake(a *API, s *privacy.Service, limit Limiter, now func() time.Time) {
	const tag, staffTag = "Privacy", "Staff"
	staff := Staff(account.PermPrivacyHandle)
	few := func(ctx context.Context) error {
		if !limit.Allow(request.From(ctx).Source, now()) {
			return errSource
		}
		return nil
	}
	Post(a, "/request-links", Operation{
		ID: "make-request-link", Summary: "A one-time link to a form, for a place where others read along", Tag: tag, Access: Public, Status: 201, Secret: true,
		Detail: "Good for 24 hours and one request. It says nothing of anybody.",
	},
		func(ctx context.Context, _ *struct{}) (*private[RequestLink], error) {
			if err := few(ctx); err != nil {
				return nil, err
			}
			l, err := s.MakeLink(ctx, account.Principal{})
			return &private[RequestLink]{secretCache, RequestLink(l)}, err
		})
	Post(a, "/request-links/open", Operation{ID: "open-request-link", Summary: "Whether a link can be used; it is not used up by it", Tag: tag, Access: Public},
		func(ctx context.Context, in *struct{ Body RequestToken }) (*Body[RequestLinkState], error) {
			if err := few(ctx); err != nil {
				return nil, err
			}
			until, err := s.OpenLink(ctx, in.Body.Token)
			return &Body[RequestLinkState]{RequestLinkState{until}}, err
		})
	Post(a, "/request-links/use", Operation{
		ID: "use-request-link", Summary: "Ask for something by a link, which is used up by it", Tag: tag, Access: Public, Status: 201, Secret: true,
		Detail: "Who it is has to be asked before anything is done. Whoever has an account signs in and asks there.",
	},
		func(ctx context.Context, in *struct{ Body LinkedRequest }) (*private[TakenReceipt], error) {
			if err := few(ctx); err != nil {
				return nil, err
			}
			r, err := s.UseLink(ctx, in.Body.Token, privacy.LinkRequest{
				NewRequest: privacy.NewRequest{Kind: privacy.Kind(in.Body.Kind), Words: in.Body.Words}, Answer: in.Body.Answer,
			})
			return &private[TakenReceipt]{secretCache, TakenReceipt{r.ID, r.Due}}, err
		})
	Post(a, "/assistant/questions", Operation{
		ID: "ask-assistant", Summary: "Where to find what, by rules; nothing is kept", Tag: tag, Access: Public,
		Detail: "Whoever wants a person makes a data-subject request with the channel assistant.",
	},
		func(_ context.Context, in *struct{ Body AssistantQuestion }) (*Body[AssistantAnswer], error) {
			all := privacy.Assist(in.Body.Text, i18n.Language(in.Body.Language))
			return &Body[AssistantAnswer]{AssistantAnswer{Items(all, func(l privacy.Hint) AssistantLine { return AssistantLine(l) })}}, nil
		})
	Post(a, "/admin/request-links", Operation{ID: "admin-make-request-link", Summary: "A one-time link to post in a group", Tag: staffTag, Access: staff, Status: 201, Secret: true},
		func(ctx context.Context, _ *struct{}) (*private[RequestLink], error) {
			l, err := s.MakeLink(ctx, Who(ctx))
			return &private[RequestLink]{secretCache, RequestLink(l)}, err
		})
	Get(a, "/admin/intake-channels", Operation{ID: "admin-list-intake-channels", Summary: "The channels for requests, and which of them work", Tag: staffTag, Access: staff},
		func(ctx context.Context, _ *struct{}) (*Body[List[IntakeChannel]], error) {
			all, err := s.Channels(ctx)
			return page(all, "", err, toChannel)
		})
	Post(a, "/admin/intake-channels/{id}/try", Operation{ID: "admin-try-intake-channel", Summary: "Try a channel now", Tag: staffTag, Access: staff, Status: 204},
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"40"`
		},
		) (*struct{}, error) {
			return nil, s.Try(ctx, in.ID)
		})
	Post(a, "/admin/data-subject-requests/{id}/classify", Operation{
		ID: "admin-classify-data-subject-request", Summary: "Say what a request asks for that arrived as words", Tag: staffTag, Access: staff, Status: 204,
		Detail: "Once. The clocks of the kind run from the receipt; none ends by it.",
	},
		func(ctx context.Context, in *classifyInput) (*struct{}, error) {
			return nil, s.Classify(ctx, Who(ctx), in.ID, privacy.Kind(in.Body.Kind))
		})
}

type classifyInput struct {
	DataSubjectRequestID
	Body struct {
		Kind string `json:"kind" enum:"access,copy,port,correct,supplement,delete,restrict,explain,withdraw,cancel,deceased,guardian,complaint,question"`
	}
}

func toChannel(c privacy.Channel) IntakeChannel {
	return IntakeChannel{
		ID: c.ID, Adapter: c.Adapter, Owner: c.Owner, Printed: c.Printed, Silent: c.Silent, TriedAt: toTime(c.TriedAt), BeatAt: toTime(c.BeatAt), Problem: c.Problem,
	}
}

func toMail(m privacy.MailWords) CaseMail {
	return CaseMail{m.From, m.Subject, m.Text, append([]string{}, m.Attachments...), m.Cut, m.At}
}
