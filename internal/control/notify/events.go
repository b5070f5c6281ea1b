package notify

import (
	"context"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Topics of modules that stand later in the order, with what is read of their
// payloads.
const (
	topicOrderPaid       = "order.paid"
	topicServiceActive   = "service.active"
	topicRealNameDecided = "realname.decided"
)

type orderPaid struct {
	Order   string
	Account account.ID
}

// refundChanged is of the topics that are called like the events.
type refundChanged struct {
	Request, Order string
	Account        account.ID
	Subject        id.Handle
	State          string
}

type serviceActive struct {
	Service, Resource string
	Account           account.ID
}

// lifeOfService are the topics of a service's life with the event that each is
// told as. What makes two of a topic differ is in the key: the end of the paid
// time and the day, the instant, or the order.
var lifeOfService = map[string]string{
	"service.expiring": ServiceExpiring, "service.overdue": ServiceOverdue, "service.suspended": ServiceSuspended, "service.resumed": ServiceUnsuspended,
	"service.final_notice": ServiceTerminating, "service.terminated": ServiceTerminated, "service.renewed": ServiceRenewed,
	"order.auto_renew_failed": AutoRenewFailed,
}

// serviceEvent is of the topics of lifeOfService.
type serviceEvent struct {
	Service, Resource, Order string
	Account                  account.ID
	Days                     int
	Ends, At                 int64
	Date                     string
}

func (e serviceEvent) message(event string) Message {
	all := map[string]string{"resource": e.Resource, "order": e.Order, "date": e.Date}
	key := []string{event, e.Service, strconv.FormatInt(e.Ends, 10), strconv.Itoa(e.Days), strconv.FormatInt(e.At, 10)}
	if event == ServiceRenewed || event == AutoRenewFailed {
		key = append(key, e.Order)
	}
	return Message{Event: event, Params: named(event, all), Dedupe: strings.Join(key, ":")}
}

// walletMoved is of the topics that are called like the events.
type walletMoved struct {
	ID              string
	Account         account.ID
	Amount, Balance string
}

// certificateEnding is of the topics that are called like the events.
type certificateEnding struct {
	Account     account.ID
	Certificate string
	Server      string
	Count, Days int
	Date        string
}

// quotaDecided is of the topics that are called like the events.
type quotaDecided struct {
	ID, Quota string
	Account   account.ID
	Limit     int
}

// limitReached is of the topics that are called like the events.
type limitReached struct {
	Account         account.ID
	Gateway, Client string
	Limit           int
	Ends            int64
}

// message tells of a limit: of each gateway's or client's once for the time that
// ends then.
func (e limitReached) message(event string) Message {
	all := map[string]string{"gateway": e.Gateway, "client": e.Client, "limit": strconv.Itoa(e.Limit)}
	return Message{
		Event: event, Params: named(event, all), Dedupe: event + ":" + e.Gateway + ":" + e.Client + ":" + strconv.FormatInt(e.Ends, 10),
	}
}

// clientLeft is of the topic that is called like the event.
type clientLeft struct {
	Account         account.ID
	Client, Gateway string
}

// rightsRequest is of the topics that are called like the events.
type rightsRequest struct {
	Request, Date string
	Account       account.ID
	Subject       id.Handle
}

// erasureBegun is of the topic that is called like the event.
type erasureBegun struct {
	Case, Date string
	Account    account.ID
	Subject    id.Handle
}

// ticketMoved is of the topics that are called like the events.
type ticketMoved struct {
	ID, Ticket string
	Account    account.ID
	Subject    id.Handle
}

type realNameDecided struct {
	Account             account.ID
	Subject             id.Handle
	Verification, State string
}

func (s *Service) subscribe() {
	for topic, event := range map[string]string{
		account.TopicRegistered: VerifyMail, account.TopicVerifyAsked: VerifyMail, account.TopicResetAsked: PasswordReset,
		account.TopicPasswordChanged: PasswordChanged, account.TopicTOTPChanged: TOTPChanged, account.TopicNewLogin: NewLogin,
	} {
		job.Subscribe(s.d.Queue, topic, "notify", func(ctx context.Context, e account.Event) error {
			return s.Send(ctx, Message{Event: event, Account: e.Account, Subject: e.Subject, Dedupe: topic + ":" + e.ID})
		})
	}
	for event, name := range map[string]string{EmailChanging: "notify", EmailChangeMail: "notify-new"} {
		job.Subscribe(s.d.Queue, account.TopicEmailChange, name, func(ctx context.Context, e account.Event) error {
			return s.Send(ctx, Message{Event: event, Account: e.Account, Subject: e.Subject, Dedupe: event + ":" + e.ID})
		})
	}
	for topic, event := range map[string]string{contact.TopicCode: PhoneCode, contact.TopicChanged: PhoneChanged} {
		job.Subscribe(s.d.Queue, topic, "notify", func(ctx context.Context, e contact.NumberEvent) error {
			return s.Send(ctx, Message{Event: event, Account: e.Account, Subject: e.Subject, Dedupe: topic + ":" + e.ID})
		})
	}
	job.Subscribe(s.d.Queue, topicOrderPaid, "notify", func(ctx context.Context, e orderPaid) error {
		return s.toOwner(ctx, e.Account, Message{Event: OrderPaid, Params: map[string]string{"order": e.Order}, Dedupe: topicOrderPaid + ":" + e.Order})
	})
	for _, event := range []string{RefundRequested, RefundApproved, RefundRejected, RefundSucceeded, RefundFailed} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e refundChanged) error {
			return s.toOwner(ctx, e.Account, Message{Event: event, Params: map[string]string{"order": e.Order, "refund": e.Request}, Dedupe: event + ":" + e.Request})
		})
	}
	job.Subscribe(s.d.Queue, topicServiceActive, "notify", func(ctx context.Context, e serviceActive) error {
		return s.toOwner(ctx, e.Account, Message{Event: ServiceActive, Params: map[string]string{"resource": e.Resource}, Dedupe: topicServiceActive + ":" + e.Service})
	})
	for _, event := range []string{WalletToppedUp, WalletLow} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e walletMoved) error {
			return s.toOwner(ctx, e.Account, Message{
				Event: event, Params: named(event, map[string]string{"amount": e.Amount, "balance": e.Balance}), Dedupe: event + ":" + e.ID,
			})
		})
	}
	job.Subscribe(s.d.Queue, topicRealNameDecided, "notify", s.realNameDecided)
	for topic, event := range lifeOfService {
		job.Subscribe(s.d.Queue, topic, "notify", func(ctx context.Context, e serviceEvent) error {
			return s.toOwner(ctx, e.Account, e.message(event))
		})
	}
	for _, event := range []string{CertificateExpiring, CertificateExpired, ClientCertificatesEnding, ClientCertificatesExpired} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e certificateEnding) error {
			return s.toOwner(ctx, e.Account, e.message(event))
		})
	}
	for _, event := range []string{QuotaSet, QuotaDeclined} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e quotaDecided) error {
			return s.toOwner(ctx, e.Account, Message{
				Event: event, Params: named(event, map[string]string{"quota": e.Quota, "limit": strconv.Itoa(e.Limit)}), Dedupe: event + ":" + e.ID,
			})
		})
	}
	for _, event := range []string{ConnectionsReached, AllowanceReached, ClientLocked} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e limitReached) error {
			return s.toOwner(ctx, e.Account, e.message(event))
		})
	}
	job.Subscribe(s.d.Queue, ClientLeft, "notify", func(ctx context.Context, e clientLeft) error {
		return s.toOwner(ctx, e.Account, Message{
			Event: ClientLeft, Params: map[string]string{"client": e.Client, "gateway": e.Gateway}, Dedupe: ClientLeft + ":" + e.Client,
		})
	})
	job.Subscribe(s.d.Queue, ErasureBegun, "notify", func(ctx context.Context, e erasureBegun) error {
		return s.Send(ctx, Message{
			Event: ErasureBegun, Account: e.Account, Subject: e.Subject, Dedupe: ErasureBegun + ":" + e.Case,
			Params: map[string]string{"case": e.Case, "date": e.Date},
		})
	})
	for _, event := range []string{GuardianLeft, MinorRestricted} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e age.Unguarded) error {
			return s.Send(ctx, Message{
				Event: event, Account: account.ID(e.Account), Subject: e.Subject, Dedupe: event + ":" + string(e.Subject) + ":" + strconv.FormatInt(e.At, 10),
				Params: map[string]string{"date": e.Date},
			})
		})
	}
	for _, event := range []string{TicketReplied, TicketWaiting, TicketResolved} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e ticketMoved) error {
			return s.Send(ctx, Message{
				Event: event, Account: e.Account, Subject: e.Subject, Params: map[string]string{"ticket": e.Ticket}, Dedupe: event + ":" + e.ID,
			})
		})
	}
	for _, event := range []string{RightsReceived, RightsAnswered, RightsCopy} {
		job.Subscribe(s.d.Queue, event, "notify", func(ctx context.Context, e rightsRequest) error {
			if e.Account == "" {
				return nil // a VPN user, who has no address here, reads it on the page of their rights
			}
			return s.Send(ctx, Message{
				Event: event, Account: e.Account, Subject: e.Subject, Dedupe: event + ":" + e.Request,
				Params: named(event, map[string]string{"request": e.Request, "date": e.Date}),
			})
		})
	}
}

// message tells of an event with the parameters that its template names.
func (e certificateEnding) message(event string) Message {
	all := map[string]string{
		"certificate": e.Certificate, "server": e.Server, "count": strconv.Itoa(e.Count), "days": strconv.Itoa(e.Days), "date": e.Date,
	}
	return Message{Event: event, Params: named(event, all), Dedupe: event + ":" + e.Certificate + ":" + all["days"]}
}

// named are the parameters that the template of an event names.
func named(event string, all map[string]string) map[string]string {
	params := map[string]string{}
	for _, name := range kinds()[event].params() {
		params[name] = all[name]
	}
	return params
}

// toOwner sends a message to the owner of an account.
func (s *Service) toOwner(ctx context.Context, a account.ID, m Message) error {
	owner, err := s.d.Account.Owner(ctx, a)
	if err != nil {
		return err
	}
	m.Account, m.Subject = a, owner
	return s.Send(ctx, m)
}

// realNameDecided tells of the two final decisions; what lies between them is
// shown in the console only.
func (s *Service) realNameDecided(ctx context.Context, e realNameDecided) error {
	event := map[string]string{"verified": RealNamePassed, "rejected": RealNameFailed}[e.State]
	if event == "" {
		return nil
	}
	return s.Send(ctx, Message{Event: event, Account: e.Account, Subject: e.Subject, Dedupe: topicRealNameDecided + ":" + e.Verification + ":" + e.State})
}
