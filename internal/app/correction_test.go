package app

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// A new address and a corrected real name reach whoever was sent the old ones: the
// mail carrier by a member of the staff, the source of identities by asking again.
func TestACorrectionReachesEveryRecipient(t *testing.T) {
	t.Parallel()
	in, ctx := install(t), context.Background()
	alice := in.register("alice")
	alice.realName(7)
	in.drain()
	alice.do(202, "POST", "/me/email", object{"email": "alice.new@example.org"})
	in.drain()
	if notices := alice.do(200, "GET", "/notices", nil); !strings.Contains(notices.text, "account.email_changing") {
		t.Errorf("the old address is not told: %s", notices)
	}
	if got := alice.do(200, "GET", "/me/corrections", nil); strings.Contains(got.text, "cor_") {
		t.Errorf("before the confirmation: got %s", got)
	}
	token, err := in.modules.account.IssueEmailChange(ctx, alice.self().Handle)
	must(t, err)
	alice.do(204, "POST", "/email-verifications", object{"token": token})
	if got := alice.do(200, "GET", "/me/contact", nil).str("email"); got != "alice.new@example.org" {
		t.Errorf("got %s", got)
	}
	boss := in.boss()
	waiting := boss.do(200, "GET", "/admin/corrections", nil)
	if waiting.str("items.recipient") != recipientMail || !strings.Contains(waiting.text, `"fields":["email"]`) {
		t.Fatalf("the staff's task: got %s", waiting)
	}
	boss.do(422, "POST", "/admin/corrections/"+waiting.str("items.id")+"/told", object{"receipt": "told alice.new@example.org"})
	boss.do(204, "POST", "/admin/corrections/"+waiting.str("items.id")+"/told", object{"receipt": "letter 12"})
	if got := alice.do(200, "GET", "/me/corrections", nil); !strings.Contains(got.text, "letter 12") {
		t.Errorf("the person sees %s", got)
	}

	asks := alice.do(201, "POST", "/data-subject-requests", object{"kind": "correct", "words": "my name changed"}).str("id")
	next := object{"case": asks, "name": "改名", "number": civilid.Complete("11000019900101007")}
	alice.do(403, "POST", "/admin/real-name-corrections", next)
	boss.do(202, "POST", "/admin/real-name-corrections", next)
	in.drain()
	got := alice.do(200, "GET", "/me/corrections", nil)
	if !strings.Contains(got.text, `"realname_verification.name"`) || !strings.Contains(got.text, `"receipt":"dis_`) {
		t.Errorf("the source of identities: got %s", got)
	}
	if names := alice.do(200, "GET", "/real-name-verifications", nil); !strings.Contains(names.text, "改**") || !strings.Contains(names.text, "realname.corrected") {
		t.Errorf("the verifications: got %s", names)
	}
	for _, query := range []string{"corrections_untold", "realname_ungranted", "powers_combined"} {
		if f, err := in.modules.queries(in.cfg, in.stores, nil)[query](ctx); err != nil || f.Found != 0 || f.Examined == 0 {
			t.Errorf("%s: got %+v, %v", query, f, err)
		}
	}
}

// What a recipient may be sent of a person is either told of when it is corrected,
// or cannot be corrected.
func TestEveryFieldThatIsSentIsToldOfOrCannotBeCorrected(t *testing.T) {
	t.Parallel()
	fixed := map[string]string{
		"ParamType": "how the others are enciphered", "order_no": "a number of ours", "amount": "what was to be paid", "message": "a letter that was sent",
		"phone": "a number is replaced by another, with a code of its own", "sms": "a message that was sent",
	}
	registry, err := egress.Load("mainland", false, nil)
	must(t, err)
	for _, r := range registry.Recipients() {
		for _, op := range r.Ops {
			for _, field := range op.Fields {
				told := false
				for _, as := range privacy.SentAs {
					told = told || slices.Contains(as, field)
				}
				if told == (fixed[field] != "") {
					t.Errorf("%s of %s: told of: %v, said to be fixed: %q", field, r.ID, told, fixed[field])
				}
			}
		}
	}
}
