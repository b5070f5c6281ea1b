package notify_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// always is no quiet time.
var always = notify.Quiet{}

func TestAPersonChoosesHowTheyAreTold(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.at(12)
		p := r.person(t, "alice", telephone)
		must(t, r.s.Prefer(ctx, p.Subject, []notify.Choice{
			{Event: notify.ServiceExpiring, Channel: notify.ChannelSMS},
			{Event: notify.OrderPaid, Channel: notify.ChannelMail},
			{Event: notify.WalletToppedUp, Channel: notify.ChannelMail},
			{Event: notify.WalletToppedUp, Channel: notify.ChannelInbox},
		}, always))
		r.expiring(t, p)
		r.send(t, p, notify.OrderPaid, map[string]string{"order": "ord_1"})
		r.send(t, p, notify.WalletToppedUp, map[string]string{"amount": "1.00", "balance": "1.00"})
		r.settle(t)
		if len(r.tower.taken) != 0 || r.state(t, notify.ServiceExpiring) != "none" {
			t.Errorf("an SMS that was switched off: %+v", r.tower.taken)
		}
		if len(r.box.mails) != 1 { // of the service alone
			t.Errorf("got %d mails", len(r.box.mails))
		}
		if got := r.inbox(t, p); slices.Contains(got, notify.WalletToppedUp) || !slices.Contains(got, notify.OrderPaid) {
			t.Errorf("the notices: %v", got)
		}
		all, _, err := r.s.Preferences(ctx, p.Subject, "en")
		must(t, err)
		for _, told := range all {
			for _, c := range told.Channels {
				off := told.Event == notify.ServiceExpiring && c.Channel == notify.ChannelSMS || told.Event == notify.OrderPaid && c.Channel == notify.ChannelMail ||
					told.Event == notify.WalletToppedUp
				if c.On == off {
					t.Errorf("%s by %s: on is %v", told.Event, c.Channel, c.On)
				}
			}
		}
		must(t, r.s.Prefer(ctx, p.Subject, nil, always))
		r.expiring(t, p)
		r.settle(t)
		if len(r.tower.taken) != 1 {
			t.Errorf("switched on again: %d SMS", len(r.tower.taken))
		}
	})
}

func (r *smsRig) inbox(t *testing.T, p account.Principal) (events []string) {
	t.Helper()
	all, _, err := r.s.Notices(ctx, p.Subject, "en", "", 100)
	must(t, err)
	for _, n := range all {
		events = append(events, n.Event)
	}
	return events
}

func TestWhatCannotBeSwitchedOff(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		p := r.person(t, "alice", telephone)
		for name, c := range map[string]struct {
			off  []notify.Choice
			want string
		}{
			"mail of security":   {[]notify.Choice{{Event: notify.PasswordChanged, Channel: notify.ChannelMail}}, "notify.kept"},
			"the last warning":   {[]notify.Choice{{Event: notify.ServiceTerminating, Channel: notify.ChannelInbox}}, "notify.kept"},
			"an incident":        {[]notify.Choice{{Event: notify.IncidentNotice, Channel: notify.ChannelMail}}, "notify.kept"},
			"both of an order":   {[]notify.Choice{{Event: notify.OrderPaid, Channel: notify.ChannelMail}, {Event: notify.OrderPaid, Channel: notify.ChannelInbox}}, "notify.kept"},
			"an unknown event":   {[]notify.Choice{{Event: "a.b", Channel: notify.ChannelMail}}, "notify.not_found"},
			"an unknown channel": {[]notify.Choice{{Event: notify.OrderPaid, Channel: "pigeon"}}, "notify.not_found"},
			"a code":             {[]notify.Choice{{Event: notify.PhoneCode, Channel: notify.ChannelSMS}}, "notify.not_found"},
		} {
			if err := r.s.Prefer(ctx, p.Subject, c.off, always); errs.CodeOf(err) != c.want {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for _, q := range []notify.Quiet{{Begins: -1}, {Ends: 1440}} {
			if err := r.s.Prefer(ctx, p.Subject, nil, q); !errors.Is(err, notify.ErrQuiet) {
				t.Errorf("%+v: got %v", q, err)
			}
		}
		must(t, r.s.Prefer(ctx, p.Subject, []notify.Choice{{Event: notify.PasswordChanged, Channel: notify.ChannelSMS}}, always)) // SMS rests on consent
		r.send(t, p, notify.PasswordChanged, nil)
		r.settle(t)
		if len(r.tower.taken) != 0 || len(r.box.mails) != 1 {
			t.Errorf("%d SMS, %d mails", len(r.tower.taken), len(r.box.mails))
		}
	})
}

func TestQuietHoursAreThePersons(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.at(9)
		p := r.person(t, "alice", telephone)
		now := r.Clock.Now().UTC()
		minute := now.Hour()*60 + now.Minute()
		must(t, r.s.Prefer(ctx, p.Subject, nil, notify.Quiet{Begins: (minute + 1439) % 1440, Ends: (minute + 90) % 1440}))
		r.expiring(t, p)
		r.send(t, p, notify.NewLogin, nil)
		r.settle(t)
		if len(r.tower.taken) != 1 || r.last(t).Purpose != "phone.security" {
			t.Fatalf("in the quiet time: %+v", r.tower.taken)
		}
		r.Clock.Advance(80 * time.Minute)
		r.settle(t)
		if len(r.tower.taken) != 1 {
			t.Errorf("before its end: %+v", r.tower.taken)
		}
		r.Clock.Advance(10 * time.Minute)
		r.settle(t)
		if len(r.tower.taken) != 2 {
			t.Errorf("after its end: %+v", r.tower.taken)
		}
	})
}
