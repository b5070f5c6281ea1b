package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
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

// fetch asks for a copy by the API, has it made and downloads it: its files as
// one text.
func (p *person) fetch(kind string) string {
	p.in.t.Helper()
	id := p.do(201, "POST", "/data-subject-requests", object{"kind": kind}).str("id")
	p.in.drain()
	at := "/data-subject-requests/" + id
	if a := p.do(200, "GET", at, nil); a.str("state") != "done" || a.str("copy.state") != "ready" || a.str("letter.en") == "" {
		p.in.t.Fatalf("got %s", a)
	}
	a := p.do(200, "POST", at+"/copy", object{})
	if sum := sha256.Sum256([]byte(a.text)); hex.EncodeToString(sum[:]) != p.do(200, "GET", at, nil).str("copy.sha256") {
		p.in.t.Error("the file is not what was announced")
	}
	if again := p.try("POST", at+"/copy", object{}, "again"); again.status != http.StatusConflict {
		p.in.t.Errorf("a second time: got %s", again)
	}
	return unzipped(p.in.t, []byte(a.text))
}

func unzipped(t *testing.T, raw []byte) (all string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		all += f.Name + "\n" + string(text) + "\n"
	}
	return all
}

// What is downloaded holds everything that the person put in by the public
// faces and nothing of another; a port holds what they gave and not what the law
// had us record.
func TestADownloadedCopyHoldsItsPersonAloneByTheAPI(t *testing.T) {
	t.Parallel()
	in := install(t)
	own, other := in.customer("canary-own", 1), in.customer("canary-other", 2)
	own.do(201, "POST", "/data-subject-requests", object{"kind": "question", "words": "canary-words"})
	them := other.self()
	text := own.fetch("copy")
	number := civilid.Complete("11000019900101001")
	for _, want := range []string{
		"canary-own@example.org", number, "演示", own.ids["orders"], own.ids["vpn-gateways"], own.ids["payments"], "canary-words",
		"consent_event.json", "audit_read.json", "audit_disclosure.json", "account_login.json", "manifest.json",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the copy lacks %q", want)
		}
	}
	for _, foreign := range []string{"canary-other", string(them.Handle), them.Account, civilid.Complete("11000019900101002"), other.ids["orders"]} {
		if strings.Contains(text, foreign) {
			t.Errorf("the copy holds %q of another person", foreign)
		}
	}
	port := own.fetch("port")
	for _, given := range []string{"canary-own@example.org", own.ids["orders"]} {
		if !strings.Contains(port, given) {
			t.Errorf("what is carried elsewhere lacks %q", given)
		}
	}
	for _, added := range []string{"account_login", "account_access", "audit_read", number} {
		if strings.Contains(port, added) {
			t.Errorf("what is carried elsewhere holds %q", added)
		}
	}
	if a := other.try("POST", "/data-subject-requests/"+own.ids["data-subject-requests"]+"/copy", object{}, "k"); a.status != http.StatusNotFound {
		t.Errorf("somebody else's copy: got %s", a)
	}
	in.drain()
	if a := own.do(200, "GET", "/notices", nil); !strings.Contains(a.text, "privacy.copy_ready") {
		t.Error("nobody was told that the copy is ready")
	}
}

// The page lists what is held, and to open it is a read that the log shows.
func TestWhatIsHeldIsListedAndOpenedWithARecordedRead(t *testing.T) {
	t.Parallel()
	in := install(t)
	own, other := in.customer("canary-own", 1), in.register("canary-other")
	list := own.do(200, "GET", "/me/data", nil)
	for _, table := range []string{"account_person", "realname_verification", "order_order", "consent_event", "account_login"} {
		if !strings.Contains(list.text, `"table":"`+table+`"`) {
			t.Errorf("%s is not listed", table)
		}
	}
	if strings.Contains(list.text, "canary") {
		t.Error("the list shows values")
	}
	before := strings.Count(own.do(200, "GET", "/reads?own=true", nil).text, `"reason":"look"`)
	sheet := own.do(200, "GET", "/me/data/account_person", nil)
	if !strings.Contains(sheet.text, "canary-own@example.org") || strings.Contains(sheet.text, "canary-other") {
		t.Errorf("got %s", sheet)
	}
	if after := strings.Count(own.do(200, "GET", "/reads?own=true", nil).text, `"reason":"look"`); after != before+1 {
		t.Errorf("the opening left %d reads, want 1", after-before)
	}
	for _, table := range []string{"order_order", "job_item", "account_nothing"} {
		if a := other.try("GET", "/me/data/"+table, nil, ""); a.status != http.StatusNotFound {
			t.Errorf("%s of who has none: got %s", table, a)
		}
	}
}
