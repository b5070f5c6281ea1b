package notify_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// tower is a Carrier that keeps what it takes, and answers as told.
type tower struct {
	mu    sync.Mutex
	taken []notify.SMS
	fail  []error // of the next calls of SendSMS; ErrSMSUnknown is answered to one that was taken
	lost  bool    // what is sent now is answered as unknown and was not taken
	asked int
}

func (c *tower) SendSMS(_ context.Context, m notify.SMS) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return notify.ErrSMSUnknown
	}
	var err error
	if len(c.fail) > 0 {
		err, c.fail = c.fail[0], c.fail[1:]
	}
	if err == nil || errors.Is(err, notify.ErrSMSUnknown) {
		c.taken = append(c.taken, m)
	}
	return err
}

func (c *tower) SentSMS(_ context.Context, m notify.SMS, _ time.Time) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	for _, t := range c.taken {
		if t.Reference == m.Reference {
			return true, nil
		}
	}
	return false, nil
}

type smsRig struct {
	rig
	contact *contact.Service
	tower   *tower
}

func eachSMS(t *testing.T, ceiling int64, fn func(t *testing.T, r *smsRig)) {
	t.Helper()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		quiet := slog.New(slog.DiscardHandler)
		all := &smsRig{tower: &tower{}}
		all.contact = contact.New(contact.Deps{
			DB: r.DB, Clock: r.Clock, Queue: r.Queue, Log: quiet, Audit: r.Audit, Consent: r.Consent, Account: r.Account, Vault: r.Vault,
			Reach: func(string) bool { return true },
		})
		box := &postbox{}
		s, err := notify.New(notify.Deps{
			DB: r.DB, Clock: r.Clock, Queue: r.Queue, Log: quiet, Account: r.Account, Sender: box, URL: "https://console.example.org/", Brand: "Example",
			Contact: all.contact, Carrier: all.tower, SMSADay: ceiling,
		})
		must(t, err)
		all.rig = rig{r, s, box}
		fn(t, all)
	}, contact.Migrations(), notify.Migrations())
}

const telephone = "+8613800000000"

// person is a customer who gave a number and sent its code back.
func (r *smsRig) person(t *testing.T, name, number string) account.Principal {
	t.Helper()
	r.verified(t, name)
	p := r.Login(t, name).Principal
	r.ask(t, p, number)
	r.settle(t)
	m := r.last(t)
	if m.To != number || m.Purpose != "phone.verify" || m.Template != "code" || len(m.Params["code"]) != 6 {
		t.Fatalf("the code went out as %+v", m)
	}
	must(t, r.contact.Confirm(ctx, p, m.Params["code"]))
	r.settle(t)
	r.tower.taken, r.box.mails = nil, nil
	return p
}

func (r *smsRig) ask(t *testing.T, p account.Principal, number string) {
	t.Helper()
	prompt, err := r.Consent.Prompt(ctx, p.Session, contact.Phone, "en")
	must(t, err)
	must(t, r.contact.Ask(ctx, p, number, prompt.Token, accounttest.From))
}

func (r *smsRig) last(t *testing.T) notify.SMS {
	t.Helper()
	if len(r.tower.taken) == 0 {
		t.Fatal("no SMS was sent")
	}
	return r.tower.taken[len(r.tower.taken)-1]
}

// state is what became of the newest message of an event.
func (r *smsRig) state(t *testing.T, event string) string {
	t.Helper()
	all, err := db.Select(ctx, r.DB, db.One[string], "SELECT sms FROM notify_message WHERE event = $1 ORDER BY id DESC LIMIT 1", event)
	must(t, err)
	if len(all) == 0 {
		t.Fatalf("no message of %s", event)
	}
	return all[0]
}

func (r *smsRig) send(t *testing.T, p account.Principal, event string, params map[string]string) {
	t.Helper()
	must(t, r.s.Send(ctx, notify.Message{Event: event, Account: p.Account, Subject: p.Subject, Params: params, Dedupe: id.New("evt")}))
}

func (r *smsRig) expiring(t *testing.T, p account.Principal) {
	t.Helper()
	r.send(t, p, notify.ServiceExpiring, map[string]string{"resource": "gw-1", "date": "2026-12-01"})
}

// at moves the clock to the next time of day in China.
func (r *smsRig) at(hour int) {
	for r.Clock.Now().In(time.FixedZone("", 8*3600)).Hour() != hour {
		r.Clock.Advance(10 * time.Minute)
	}
}

func TestSMSGoesOutForWhatItsActNames(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.at(12)
		alice := r.person(t, "alice", telephone)
		bob := r.verified(t, "bob") // gave no number
		r.tower.taken = nil
		r.expiring(t, alice)
		r.send(t, account.Principal{Account: bob.Account, Subject: bob.Subject}, notify.PasswordChanged, nil)
		r.send(t, alice, notify.OrderPaid, map[string]string{"order": "ord_1"})
		r.settle(t)
		if len(r.tower.taken) != 1 || r.last(t).To != telephone || r.last(t).Purpose != "phone.expiry" || r.last(t).Params["resource"] != "gw-1" || r.last(t).Params["date"] != "2026-12-01" {
			t.Errorf("of expiry: %+v", r.tower.taken)
		}
		if got := r.state(t, notify.PasswordChanged); got != "skipped" {
			t.Errorf("to whom gave no number: %s", got)
		}
		if got := r.state(t, notify.OrderPaid); got != "none" {
			t.Errorf("of an order, which no act names: %s", got)
		}
		r.send(t, alice, notify.NewLogin, nil)
		r.settle(t)
		if m := r.last(t); m.Purpose != "phone.security" || m.Params["event"] != "新设备登录" {
			t.Errorf("of a login: %+v", m)
		}
		examined, found, err := r.Audit.ReadOtherwise(ctx, time.Time{}, contact.Tables(), contact.Serves)
		if err != nil || found != 0 || examined == 0 {
			t.Errorf("%d of %d readings for another use, %v", found, examined, err)
		}
		// A withdrawal holds for what waits already.
		r.send(t, alice, notify.NewLogin, nil)
		r.expiring(t, alice)
		sent := len(r.tower.taken)
		_, err = r.Consent.Withdraw(ctx, consent.Act{Subject: alice.Subject, Session: alice.Session, Purpose: contact.Phone, Channel: "console"})
		must(t, err)
		r.settle(t)
		if len(r.tower.taken) != sent || r.state(t, notify.NewLogin) != "skipped" || r.state(t, notify.ServiceExpiring) != "skipped" {
			t.Errorf("after the withdrawal: %d more", len(r.tower.taken)-sent)
		}
	})
}

func TestANumberAbroadIsWrittenToInEnglish(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		p := r.person(t, "alice", "+85251234567")
		r.send(t, p, notify.PasswordChanged, nil)
		r.settle(t)
		if m := r.last(t); m.Params["event"] != "Your password was changed" {
			t.Errorf("got %+v", m)
		}
	})
}

func TestExpiryWaitsForTheMorningAndSecurityDoesNot(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.at(21)
		p := r.person(t, "alice", telephone)
		r.at(22)
		r.expiring(t, p)
		r.send(t, p, notify.PasswordChanged, nil)
		r.settle(t)
		if len(r.tower.taken) != 1 || r.last(t).Purpose != "phone.security" {
			t.Errorf("at night: %+v", r.tower.taken)
		}
		r.at(7)
		r.settle(t)
		if len(r.tower.taken) != 1 {
			t.Errorf("before eight: %+v", r.tower.taken)
		}
		r.at(8)
		r.settle(t)
		if len(r.tower.taken) != 2 || r.last(t).Purpose != "phone.expiry" {
			t.Errorf("in the morning: %+v", r.tower.taken)
		}
	})
}

// TestAnSMSIsSentOnce: the carrier's answer gets lost, the process dies before it
// is noted, or nothing arrived.
func TestAnSMSIsSentOnce(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.at(12)
		p := r.person(t, "alice", telephone)
		for name, c := range map[string]struct {
			fail []error
			want int
		}{
			"taken, the answer lost": {[]error{notify.ErrSMSUnknown}, 1},
			"throttled twice":        {[]error{notify.ErrSMSLater, notify.ErrSMSLater}, 1},
			"refused":                {[]error{notify.ErrSMSRefused}, 0},
		} {
			r.tower.taken, r.tower.fail, r.tower.asked = nil, c.fail, 0
			r.expiring(t, p)
			for range 20 {
				r.settle(t)
			}
			want := map[int]string{1: "sent", 0: "failed"}[c.want]
			if got := r.state(t, notify.ServiceExpiring); len(r.tower.taken) != c.want || got != want {
				t.Errorf("%s: %d were taken, %s", name, len(r.tower.taken), got)
			}
		}
		r.tower.taken, r.tower.lost, r.tower.asked = nil, true, 0
		r.expiring(t, p)
		r.settle(t)
		if r.tower.asked != 0 {
			t.Error("receipts are read before they can be there")
		}
		r.Clock.Advance(time.Minute)
		r.tower.lost = false
		for range 4 {
			r.settle(t)
		}
		if r.tower.asked != 1 || len(r.tower.taken) != 1 || r.state(t, notify.ServiceExpiring) != "sent" {
			t.Errorf("not taken, the answer lost: asked %d times, %d taken", r.tower.asked, len(r.tower.taken))
		}
	})
}

func TestACodeOfWhichNothingIsHeardIsNotSentAgain(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		r.verified(t, "alice")
		p := r.Login(t, "alice").Principal
		r.tower.fail = []error{notify.ErrSMSUnknown}
		r.ask(t, p, telephone)
		for range 5 {
			r.settle(t)
		}
		if len(r.tower.taken) != 1 || r.state(t, notify.PhoneCode) != "failed" {
			t.Errorf("%d were taken, %s", len(r.tower.taken), r.state(t, notify.PhoneCode))
		}
		p = r.Login(t, "alice").Principal
		must(t, r.contact.Confirm(ctx, p, r.last(t).Params["code"])) // it arrived all the same
		// One that could not be sent in its ten minutes is not sent later.
		r.Clock.Advance(2 * time.Minute)
		r.tower.taken = nil
		p = r.Login(t, "alice").Principal
		r.ask(t, p, "+8613900000000")
		r.Clock.Advance(contact.CodeLife)
		r.settle(t)
		if len(r.tower.taken) != 0 || r.state(t, notify.PhoneCode) != "skipped" {
			t.Errorf("a code too old: %d taken, %s", len(r.tower.taken), r.state(t, notify.PhoneCode))
		}
	})
}

func TestNobodyIsFloodedAndTheBillHasACeiling(t *testing.T) {
	t.Parallel()
	eachSMS(t, 14, func(t *testing.T, r *smsRig) {
		alice := r.person(t, "alice", telephone)
		for range 12 {
			r.send(t, alice, notify.NewLogin, nil)
			r.settle(t)
		}
		if n := len(r.tower.taken); n != 9 { // with the code that confirmed the number: ten
			t.Errorf("%d were sent to one person within a day", n)
		}
		bob := r.person(t, "bob", "+8613900000000")
		for range 5 {
			r.send(t, bob, notify.NewLogin, nil)
			r.settle(t)
		}
		if n := len(r.tower.taken); n != 3 {
			t.Errorf("%d were sent, beyond the ceiling of 14", n)
		}
		r.Clock.Advance(25 * time.Hour)
		r.send(t, bob, notify.NewLogin, nil)
		r.settle(t)
		if n := len(r.tower.taken); n != 4 {
			t.Errorf("a day later: %d", n)
		}
	})
}

func TestAChangedNumberIsToldByMail(t *testing.T) {
	t.Parallel()
	eachSMS(t, 0, func(t *testing.T, r *smsRig) {
		p := r.person(t, "alice", telephone)
		n, _, err := r.s.Notices(ctx, p.Subject, "en", "", 10)
		must(t, err)
		told := false
		for _, one := range n {
			told = told || one.Event == notify.PhoneChanged
		}
		if !told {
			t.Errorf("got %+v", n)
		}
	})
}

// A carrier without a service of numbers is a mistake of assembly.
func TestACarrierNeedsNumbers(t *testing.T) {
	t.Parallel()
	_, err := notify.New(notify.Deps{Sender: &postbox{}, URL: "https://x", Brand: "x", Carrier: &tower{}})
	if err == nil || !strings.Contains(err.Error(), "numbers") {
		t.Errorf("got %v", err)
	}
}
