package notify

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
)

func TestEveryTemplateFillsInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		VerifyMail, PasswordReset, PasswordChanged, NewLogin, TOTPChanged, PhoneChanged, OrderPaid, ServiceActive, RealNamePassed, RealNameFailed,
		CertificateExpiring, CertificateExpired, ClientCertificatesEnding, ClientCertificatesExpired,
		ConnectionsReached, AllowanceReached, ClientLocked, QuotaSet, QuotaDeclined,
	} {
		k, ok := kinds()[event]
		if !ok {
			t.Errorf("%s has no template", event)
			continue
		}
		d := data{Brand: "Example", P: map[string]string{}}
		for _, p := range k.params() {
			d.P[p] = "value"
		}
		for _, locale := range []string{"zh-CN", "en"} {
			for _, text := range []string{k.words(locale).Title, k.words(locale).Body, k.Link} {
				if got, err := fill(text, d); err != nil || got == "" || strings.Contains(got, "<no value>") {
					t.Errorf("%s %s: got %q, %v", event, locale, got, err)
				}
			}
		}
		if k.Token != "" && k.Inbox {
			t.Errorf("%s: a token would stand in the inbox", event)
		}
		switch k.Mail {
		case "account", "verify", "recovery", "security", "service_change":
		default:
			t.Errorf("%s: %q is none of the five mail purposes", event, k.Mail)
		}
	}
}

// TestMailServesFivePurposes holds LT-1.1f.
func TestMailServesFivePurposes(t *testing.T) {
	t.Parallel()
	for purpose, taken := range map[string]bool{"recovery": true, "": true, "marketing": false, "newsletter": false} {
		if _, err := readKinds([]byte("- {event: x, mail: " + strconv.Quote(purpose) + "}")); (err == nil) != taken {
			t.Errorf("%q: got %v", purpose, err)
		}
	}
	for event, k := range kinds() {
		if k.Mail != "" && !slices.Contains(mailPurposes, k.Mail) {
			t.Errorf("%s is mailed for %q", event, k.Mail)
		}
	}
}

func TestAMissingParameterIsAnError(t *testing.T) {
	t.Parallel()
	if got, err := fill("{{.P.order}}", data{P: map[string]string{}}); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestMailsEscapeAndLoadNothing(t *testing.T) {
	t.Parallel()
	l := letter{name: `<b>"x"</b>`, locale: "en", brand: "A&B", title: "<t>", body: "one <img src=x> two", link: `https://x/?a=1&b="2"`}
	got := l.html()
	for _, bad := range []string{"<b>", "<img", `"2"`, "A&B", "<t>"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s is not escaped in %s", bad, got)
		}
	}
	for _, loads := range []string{"<img", "<link", "<script", "url(", "src="} {
		if strings.Contains(strings.ReplaceAll(got, "&lt;img src=x&gt;", ""), loads) {
			t.Errorf("the mail loads something: %s", loads)
		}
	}
}

// What an operator registers with a carrier is what the program means.
func TestTheGuideHasTheTextsOfSMS(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/operations/sms.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range smsTexts() {
		row := "| `" + text.ID + "` | " + text.Chinese + " | " + text.English + " |"
		if !strings.Contains(string(guide), row) {
			t.Errorf("docs/operations/sms.md lacks\n%s", row)
		}
		if !slices.Contains(contact.Uses(contact.Phone), text.Purpose) {
			t.Errorf("%s is sent for %s, which no act names", text.ID, text.Purpose)
		}
	}
}

// Nothing is sent by SMS but what the act for a number names (LT-1.2b).
func TestSMSOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an unknown text":      "[{event: a.b, sms: offer}]",
		"a parameter missing":  "[{event: a.b, sms: expiry, zh-CN: {body: '{{.P.date}}'}}]",
		"a misspelt key":       "[{event: a.b, smss: code}]",
		"mail for another use": "[{event: a.b, mail: offer}]",
	} {
		if _, err := readKinds([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := readKinds([]byte("[{event: a.b, sms: expiry, zh-CN: {title: '{{.P.resource}}', body: '{{.P.date}}'}}]")); err != nil {
		t.Error(err)
	}
}
