package app

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
)

// A person asks, the desk answers, the person reads the letter; a report of
// misuse ends the session that it came by.
func TestTheRightsDeskAnswersThroughTheAPI(t *testing.T) {
	t.Parallel()
	in := install(t)
	alice, mallory, operator := in.register("alice"), in.register("mallory"), in.operator()
	const path, desk = "/api/v1/data-subject-requests", "/api/v1/admin/data-subject-requests"
	made := in.send(alice.session, http.MethodPost, path, `{"kind":"explain","words":"why?"}`)
	id := made.str("id")
	if made.status != http.StatusCreated || made.str("due_at") == "" {
		t.Fatalf("got %s", made)
	}
	if a := in.send(mallory.session, http.MethodGet, path+"/"+id, ""); a.status != http.StatusNotFound {
		t.Errorf("somebody else's: got %s", a)
	}
	if a := in.send(alice.session, http.MethodGet, desk, ""); a.status != http.StatusForbidden {
		t.Errorf("the desk's queue for a customer: got %s", a)
	}
	if a := in.send(operator.session, http.MethodGet, desk, ""); a.status != http.StatusForbidden {
		t.Errorf("the queue for staff without second factor: got %s", a)
	}
	staff := account.Principal{Account: "acc_staff", Subject: "sub_staff", Session: "ses_staff", Staff: true}
	must(t, in.modules.privacy.Answer(context.Background(), staff, id, privacy.Answer{Decision: privacy.Granted, Words: "because"}))
	if a := in.send(alice.session, http.MethodGet, path+"/"+id, ""); a.str("state") != "done" || !strings.Contains(a.str("letter.zh-CN"), "because") {
		t.Errorf("got %s", a)
	}
	in.drain()
	if a := in.send(alice.session, http.MethodGet, "/api/v1/notices", ""); !strings.Contains(a.text, "privacy.request_received") || !strings.Contains(a.text, "privacy.request_answered") {
		t.Errorf("the notices: got %s", a)
	}
	if a := in.send(alice.session, http.MethodPost, path, `{"kind":"misuse"}`); a.status != http.StatusCreated {
		t.Errorf("got %s", a)
	}
	if a := in.send(alice.session, http.MethodGet, path, ""); a.status != http.StatusUnauthorized {
		t.Errorf("after a report of misuse: got %s", a)
	}
}
