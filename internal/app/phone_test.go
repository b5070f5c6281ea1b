package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
)

// texts are the SMS that the simulated service took for a number as it writes it.
func (in *rig) texts(number string) (all []aliyun.Text) {
	in.t.Helper()
	resp, err := http.Get("http://" + in.cfg.Demo.Aliyun + "/_control/sms")
	must(in.t, err)
	defer resp.Body.Close()
	var taken []aliyun.Text
	must(in.t, json.NewDecoder(resp.Body).Decode(&taken))
	for _, t := range taken {
		if t.To == number {
			all = append(all, t)
		}
	}
	return all
}

// codeOf is the code of the newest SMS to a number.
func (in *rig) codeOf(number string) string {
	in.t.Helper()
	all := in.texts(number)
	if len(all) == 0 {
		in.t.Fatalf("no SMS came to %s", number)
	}
	_, rest, _ := strings.Cut(all[len(all)-1].Text, "验证码 ")
	return rest[:6]
}

// asksForCode enters a number of mainland China, and waits for its code.
func (p *person) asksForCode(number string) {
	p.in.t.Helper()
	p.confirmed()
	token := p.do(200, "GET", "/consent-prompts/contact.phone", nil).str("token")
	p.do(202, "POST", "/me/phone", object{"phone": number, "consent_token": token})
	p.in.drain()
}

// TestATelephoneNumberIsGivenAndServes walks the whole way of a number: notice and
// act, the code by SMS over the provider's protocol, a wrong one, the SMS of a
// security event, what the person sees of it, and the end of it all by taking the
// act back.
func TestATelephoneNumberIsGivenAndServes(t *testing.T) {
	t.Parallel()
	in := install(t)
	alice := in.register("alice")
	const number = "13800138000"
	if own := alice.do(200, "GET", "/me/optional-contact", nil); !strings.Contains(own.text, `"phone_offered":true`) {
		t.Errorf("a number is not offered: %s", own.text)
	}
	alice.asksForCode(number)
	code := in.codeOf(number)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	if got := alice.do(422, "POST", "/me/phone/confirm", object{"code": wrong}); got.str("code") != "contact.code_wrong" {
		t.Errorf("a wrong code: %s", got.text)
	}
	alice.do(204, "POST", "/me/phone/confirm", object{"code": code})
	in.drain()
	if own := alice.do(200, "GET", "/me/optional-contact", nil); own.str("phone") != "+86"+number || !strings.Contains(own.text, `"phone_waiting":false`) {
		t.Errorf("got %s", own.text)
	}
	alice.do(204, "POST", "/me/password", object{"current": alice.password, "next": alice.password + "x"})
	in.drain()
	all := in.texts(number)
	if len(all) != 2 || !strings.Contains(all[1].Text, "您的密码已更改") {
		t.Fatalf("got %+v", all)
	}
	alice.password += "x"
	alice.signIn()
	disclosed := alice.do(200, "GET", "/disclosures", nil).text
	for _, want := range []string{recipientSMS, "phone.verify", "phone.security"} {
		if !strings.Contains(disclosed, want) {
			t.Errorf("the person does not see %s among the disclosures: %s", want, disclosed)
		}
	}
	if strings.Contains(in.log.String(), number) {
		t.Error("the log holds the number")
	}
	alice.do(204, "DELETE", "/me/phone", nil)
	alice.do(204, "POST", "/me/password", object{"current": alice.password, "next": alice.password + "y"})
	in.drain()
	if n := len(in.texts(number)); n != 2 {
		t.Errorf("%d SMS after the act was taken back", n-2)
	}
}

// The simulated service has our texts, each with the parameters that we send.
func TestTheSimulatedServiceKnowsEveryText(t *testing.T) {
	t.Parallel()
	known := demoSMSTemplates()
	for _, id := range notify.SMSTemplates() {
		for _, mainland := range []bool{true, false} {
			if known[demoSMSCode(id, mainland)].Text == "" {
				t.Errorf("%s, mainland %v: no text", id, mainland)
			}
		}
	}
}

// TestPreferencesOfNotices are kept, told back, and refused where something stays.
func TestPreferencesOfNotices(t *testing.T) {
	t.Parallel()
	in := install(t)
	alice := in.register("alice")
	own := alice.do(200, "GET", "/me/notice-preferences", nil).text
	for _, want := range []string{`"quiet_begins":"14:00"`, `"quiet_ends":"00:00"`, `{"channel":"mail","on":true,"fixed":true,"one_stays":false}`} {
		if !strings.Contains(own, want) {
			t.Errorf("%s is not in %s", want, own)
		}
	}
	choice := func(event string) object {
		return object{"off": []object{{"event": event, "channel": "mail"}}, "quiet_begins": "15:30", "quiet_ends": "23:45"}
	}
	if got := alice.do(422, "POST", "/me/notice-preferences", choice("account.new_login")); got.str("code") != "notify.kept" {
		t.Errorf("mail of a login: %s", got.text)
	}
	alice.do(204, "POST", "/me/notice-preferences", choice("order.paid"))
	own = alice.do(200, "GET", "/me/notice-preferences", nil).text
	for _, want := range []string{`"quiet_begins":"15:30"`, `"quiet_ends":"23:45"`, `{"channel":"mail","on":false,"fixed":false,"one_stays":true}`} {
		if !strings.Contains(own, want) {
			t.Errorf("%s is not in %s", want, own)
		}
	}
}
