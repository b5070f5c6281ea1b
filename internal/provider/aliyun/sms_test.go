package aliyun

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
)

const telephone = "+8613800000000"

type smsRig struct {
	c      *Carrier
	sim    *simulator.Server
	clock  *clock.Fake
	ledger *ledger
	gate   *gate
}

func newSMSRig(t *testing.T) smsRig {
	t.Helper()
	now := clock.NewFake(time.Date(2026, 11, 22, 15, 59, 50, 0, time.UTC)) // ten seconds before midnight in China
	config := simulator.Config{AccessKeyID: keyID, AccessKeySecret: keySecret, Clock: now, SignName: "云桥", Templates: map[string]simulator.Template{}}
	codes := map[bool]map[string]string{true: {}, false: {}}
	for _, id := range notify.SMSTemplates() {
		for mainland, code := range map[bool]string{true: "SMS_" + id, false: "SMS_EN_" + id} {
			config.Templates[code] = simulator.Template{Text: notify.SMSText(id, mainland), Abroad: !mainland, Code: id == "code"}
			codes[mainland][id] = code
		}
	}
	sim, err := simulator.New(config)
	must(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"sms.aliyun": {Endpoint: server.URL}})
	must(t, err)
	r := smsRig{sim: sim, clock: now, ledger: &ledger{}, gate: &gate{}}
	door := egress.New(egress.Deps{Registry: registry, Ledger: r.ledger, Gate: r.gate, Papers: inForce{}, Clock: now})
	r.c, err = NewCarrier(SMSConfig{
		AccessKeyID: keyID, AccessKeySecret: keySecret, SignName: "云桥", Mainland: codes[true], Abroad: codes[false], Egress: door, Clock: now,
	})
	must(t, err)
	return r
}

// message is an expiry notice to a number.
func message(to string) notify.SMS {
	return notify.SMS{
		Reference: "msg_1", Subject: "sub_a", Purpose: "phone.expiry", To: to, Template: "expiry",
		Params: map[string]string{"resource": "gw-1", "date": "2026-12-01"},
	}
}

func TestAnSMSIsWrittenFromItsTemplate(t *testing.T) {
	t.Parallel()
	r := newSMSRig(t)
	ctx := context.Background()
	must(t, r.c.SendSMS(ctx, message(telephone)))
	must(t, r.c.SendSMS(ctx, message("+85251234567")))
	got := r.sim.Texts()
	if len(got) != 2 || got[0].To != "13800000000" || got[0].OutID != "msg_1" || got[0].Text != "【云桥】您的服务 gw-1 将于 2026-12-01 到期，请在此之前续费，以免服务中断。" ||
		got[1].To != "85251234567" || !strings.Contains(got[1].Text, "gw-1 expires on 2026-12-01") {
		t.Errorf("got %+v", got)
	}
	i := r.ledger.intents[0]
	if len(r.ledger.intents) != 2 || i.Recipient != "sms.aliyun" || i.Purpose != "phone.expiry" || !slices.Equal(i.Fields, []string{"phone", "sms"}) ||
		!slices.Equal(r.ledger.outcomes, []egress.Outcome{egress.Done, egress.Done}) {
		t.Errorf("the register: %+v, %v", r.ledger.intents, r.ledger.outcomes)
	}
	code := message(telephone)
	code.Template, code.Purpose, code.Params = "code", "phone.verify", map[string]string{"code": "123456"}
	must(t, r.c.SendSMS(ctx, code))
	if err := r.c.SendSMS(ctx, code); !errors.Is(err, notify.ErrSMSRefused) { // isv.BUSINESS_LIMIT_CONTROL: one a minute
		t.Errorf("a second code within the minute: %v", err)
	}
}

func TestAnswersOfTheCarrier(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults  simulator.Faults
		change  func(r *smsRig, m *notify.SMS)
		want    error
		outcome egress.Outcome
	}{
		"throttled":           {faults: simulator.Faults{Throttle: true}, want: notify.ErrSMSLater, outcome: egress.Done},
		"number's limit":      {faults: simulator.Faults{Code: "isv.BUSINESS_LIMIT_CONTROL"}, want: notify.ErrSMSRefused, outcome: egress.Done},
		"out of money":        {faults: simulator.Faults{Code: "isv.OUT_OF_SERVICE"}, want: notify.ErrSMSLater, outcome: egress.Done},
		"unknown code":        {faults: simulator.Faults{Code: "Whatever"}, want: notify.ErrSMSLater, outcome: egress.Done},
		"taken, then hung up": {faults: simulator.Faults{HangUp: true}, want: notify.ErrSMSUnknown, outcome: egress.Unknown},
		"not JSON":            {faults: simulator.Faults{Garbage: true}, want: notify.ErrSMSUnknown, outcome: egress.Unknown},
		"empty 500":           {faults: simulator.Faults{Status: 500}, want: notify.ErrSMSUnknown, outcome: egress.Unknown},
		"wrong secret":        {change: func(r *smsRig, _ *notify.SMS) { r.c.key.secret = "another" }, want: notify.ErrSMSLater, outcome: egress.Done},
		"another signature":   {change: func(r *smsRig, _ *notify.SMS) { r.c.c.SignName = "别人" }, want: notify.ErrSMSRefused, outcome: egress.Done},
		"no such template":    {change: func(r *smsRig, _ *notify.SMS) { r.c.c.Mainland["expiry"] = "SMS_0" }, want: notify.ErrSMSRefused, outcome: egress.Done},
		"a parameter missing": {change: func(_ *smsRig, m *notify.SMS) { delete(m.Params, "date") }, want: notify.ErrSMSRefused, outcome: egress.Done},
		"no number":           {change: func(_ *smsRig, m *notify.SMS) { m.To = "+8623800000000" }, want: notify.ErrSMSRefused, outcome: egress.Done},
	} {
		r, m := newSMSRig(t), message(telephone)
		r.sim.SetFaults(c.faults)
		if c.change != nil {
			c.change(&r, &m)
		}
		err := r.c.SendSMS(context.Background(), m)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if !slices.Equal(r.ledger.outcomes, []egress.Outcome{c.outcome}) {
			t.Errorf("%s: outcomes %v, want %s", name, r.ledger.outcomes, c.outcome)
		}
		if err != nil && strings.Contains(err.Error(), m.To[3:]) {
			t.Errorf("%s: the error tells the number", name)
		}
	}
}

// After an answer that never came the receipts tell whether the SMS was taken,
// over midnight too.
func TestReceiptsTellWhatBecameOfAnSMS(t *testing.T) {
	t.Parallel()
	r := newSMSRig(t)
	began := r.clock.Now()
	r.clock.Advance(30 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	r.sim.SetFaults(simulator.Faults{Action: "SendSms", SlowMillis: 60_000})
	if err := r.c.SendSMS(ctx, message(telephone)); !errors.Is(err, notify.ErrSMSUnknown) {
		t.Fatalf("a late answer: %v", err)
	}
	r.sim.SetFaults(simulator.Faults{Action: "SendSms", HangUp: true})
	ctx = context.Background()
	for range 60 {
		other := message("+8613900000000")
		other.Reference = "msg_other"
		_ = r.c.SendSMS(ctx, other)
	}
	for reference, want := range map[string]bool{"msg_2": false, "msg_1": true} {
		m := message(telephone)
		m.Reference = reference
		var got bool
		for range 100 { // the late one is taken when its caller hangs up
			var err error
			if got, err = r.c.SentSMS(ctx, m, began); err != nil || got == want {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got != want {
			t.Errorf("%s: got %v", reference, got)
		}
	}
	r.sim.SetFaults(simulator.Faults{Action: "QuerySendDetails", Throttle: true})
	if _, err := r.c.SentSMS(ctx, message(telephone), began); !errors.Is(err, notify.ErrSMSLater) {
		t.Errorf("receipts that cannot be read: %v", err)
	}
}

func TestWithoutConsentNoSMSIsSent(t *testing.T) {
	t.Parallel()
	r := newSMSRig(t)
	r.gate.err = errs.New(errs.Forbidden, "consent.gate_closed")
	if err := r.c.SendSMS(context.Background(), message(telephone)); !errors.Is(err, r.gate.err) {
		t.Errorf("got %v", err)
	}
	if _, err := r.c.SentSMS(context.Background(), message(telephone), r.clock.Now()); !errors.Is(err, r.gate.err) {
		t.Errorf("got %v", err)
	}
	if len(r.sim.Calls()) != 0 || len(r.ledger.intents) != 0 {
		t.Errorf("%d calls, %d intents", len(r.sim.Calls()), len(r.ledger.intents))
	}
}

func TestTheCarriersConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	all := map[string]string{"code": "1", "security": "2", "expiry": "3"}
	whole := SMSConfig{AccessKeyID: "a", AccessKeySecret: "b", SignName: "c", Mainland: all}
	c, err := NewCarrier(whole)
	must(t, err)
	if !c.Reaches(telephone) || c.Reaches("+85251234567") {
		t.Error("without templates for abroad mainland China alone is reached")
	}
	for name, change := range map[string]func(*SMSConfig){
		"no secret":           func(c *SMSConfig) { c.AccessKeySecret = "" },
		"no signature":        func(c *SMSConfig) { c.SignName = "" },
		"a template missing":  func(c *SMSConfig) { c.Mainland = map[string]string{"code": "1", "security": "2"} },
		"one of those abroad": func(c *SMSConfig) { c.Abroad = map[string]string{"code": "1"} },
	} {
		c := whole
		change(&c)
		if _, err := NewCarrier(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
