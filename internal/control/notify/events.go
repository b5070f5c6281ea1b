package notify

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
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

type serviceActive struct {
	Service, Resource string
	Account           account.ID
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
	job.Subscribe(s.d.Queue, topicOrderPaid, "notify", func(ctx context.Context, e orderPaid) error {
		return s.toOwner(ctx, e.Account, Message{Event: OrderPaid, Params: map[string]string{"order": e.Order}, Dedupe: topicOrderPaid + ":" + e.Order})
	})
	job.Subscribe(s.d.Queue, topicServiceActive, "notify", func(ctx context.Context, e serviceActive) error {
		return s.toOwner(ctx, e.Account, Message{Event: ServiceActive, Params: map[string]string{"resource": e.Resource}, Dedupe: topicServiceActive + ":" + e.Service})
	})
	job.Subscribe(s.d.Queue, topicRealNameDecided, "notify", s.realNameDecided)
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
