package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

type byName struct{}

func (byName) OwnerBy(_ context.Context, name string) (account.ID, id.Handle, error) {
	if name != "alice" && name != "bob" {
		return "", "", errs.New(errs.NotFound, "account.not_found")
	}
	return account.ID("acc_" + name), id.Handle("sub_" + name), nil
}

func newDeskAPI(t *testing.T) *trustAPI {
	t.Helper()
	a := &trustAPI{t: t, mux: http.NewServeMux()}
	a.rig = consenttest.New(t, dbtest.SQLite(t, append(consenttest.Migrations(), privacy.Migrations(), realname.Migrations())...), "mainland")
	quiet := slog.New(slog.DiscardHandler)
	s := privacy.New(privacy.Deps{
		DB: a.rig.DB, Clock: a.rig.Clock, Queue: a.rig.Queue, Log: quiet, Audit: a.rig.Audit, Vault: a.rig.Vault, Profile: "mainland",
		People: byName{}, Held: privacy.Held(), Tables: privacy.Holdings(),
		Letterhead: privacy.Letterhead{Brand: "B", LegalName: "L", Complaint: "c@b.example", Authority: "the CAC", DPO: "D", DPOContact: "d@b.example"},
	})
	all := api.New(api.Options{Mux: a.mux, Version: "test", Sessions: a, Gate: everything{}, Log: quiet})
	api.DataSubjectRequests(all, s)
	api.Retention(all, s)
	return a
}

const deskPath = "/admin/data-subject-requests"

// Everything that the desk does with a request it does over the API.
func TestTheDeskWorksOverTheAPI(t *testing.T) {
	t.Parallel()
	a := newDeskAPI(t)
	var q api.DataSubjectRequest
	if got := a.call("alice", "POST", "/data-subject-requests", `{"kind":"delete","words":"all of it"}`, &q); got != 201 || q.Channel != "console" {
		t.Fatalf("got %d, %+v", got, q)
	}
	at, refusal := deskPath+"/"+q.ID, `{"decision":"refused","reason":"must_keep","law":"CSL-23","remedies":["court"],"words":"because"}`
	var c api.DataSubjectCase
	var l api.DataSubjectLetter
	for _, step := range []struct {
		who, method, path, body string
		out                     any
		want                    int
	}{
		{"alice", "GET", at, "", nil, 403},
		{"staff", "GET", at, "", &c, 200},
		{"staff", "POST", at + "/ask-identity", "", nil, 204},
		{"staff", "POST", at + "/answer", refusal[:len(refusal)-1] + `,"more":1}`, nil, 422},
		{"staff", "POST", at + "/identified", "", nil, 204},
		{"staff", "POST", at + "/special", `{"reason":"volume"}`, nil, 204},
		{"staff", "POST", at + "/special", `{"reason":"volume"}`, nil, 409},
		{"staff", "POST", at + "/letter-preview", `{"decision":"refused"}`, nil, 422},
		{"staff", "POST", at + "/letter-preview", refusal, &l, 200},
		{"staff", "POST", at + "/arrangement", `{"user_name":"bob"}`, nil, 409},
		{"staff", "POST", at + "/answer", refusal, nil, 204},
		{"staff", "POST", at + "/answer", refusal, nil, 409},
		{"staff", "GET", deskPath + "?closed=true", "", nil, 200},
	} {
		if got := a.call(step.who, step.method, step.path, step.body, step.out); got != step.want {
			t.Errorf("%s %s %s: got %d, want %d", step.who, step.method, step.path, got, step.want)
		}
	}
	if c.Words != "all of it" || !strings.Contains(l.Letter["en"], "because") {
		t.Errorf("got %q, %q", c.Words, l.Letter["en"])
	}
	if got := a.call("alice", "GET", "/data-subject-requests/"+q.ID, "", &c); got != 200 || c.Letter["en"] != l.Letter["en"] || c.Special != "volume" {
		t.Errorf("got %d, %+v", got, c)
	}
}

func TestStaffTakeARequestByPhoneAndOpenAnArrangement(t *testing.T) {
	t.Parallel()
	a := newDeskAPI(t)
	if got := a.call("bob", "POST", "/me/arrangement", `{"words":"canary"}`, nil); got != 204 {
		t.Fatalf("got %d", got)
	}
	var own api.Arrangement
	if got := a.call("bob", "GET", "/me/arrangement", "", &own); got != 200 || own.Words != "canary" || own.At == nil {
		t.Errorf("got %d, %+v", got, own)
	}
	if got := a.call("alice", "GET", "/me/arrangement", "", &own); got != 200 || own.Words != "" {
		t.Errorf("somebody else's: got %d, %+v", got, own)
	}
	for body, want := range map[string]int{
		`{"user_name":"nobody","channel":"phone","kind":"deceased","words":"w"}`: 404,
		`{"user_name":"alice","channel":"fax","kind":"deceased","words":"w"}`:    422,
		`{"user_name":"alice","channel":"phone","kind":"misuse"}`:                422,
	} {
		if got := a.call("staff", "POST", deskPath, body, nil); got != want {
			t.Errorf("%s: got %d, want %d", body, got, want)
		}
	}
	var q api.DataSubjectRequest
	body := `{"user_name":"alice","channel":"phone","kind":"deceased","words":"bob died"}`
	if got := a.call("alice", "POST", deskPath, body, nil); got != 403 {
		t.Errorf("a customer: got %d", got)
	}
	if got := a.call("staff", "POST", deskPath, body, &q); got != 201 || q.State != "asked" || q.Identity != "asked" || q.Channel != "phone" {
		t.Fatalf("got %d, %+v", got, q)
	}
	var left api.Arrangement
	if got := a.call("staff", "POST", deskPath+"/"+q.ID+"/arrangement", `{"user_name":"bob"}`, &left); got != 200 || left.Words != "canary" {
		t.Errorf("got %d, %+v", got, left)
	}
}

func TestStaffSeeFloorAndCeilingOfEachClass(t *testing.T) {
	t.Parallel()
	a := newDeskAPI(t)
	var all api.List[api.RetentionClass]
	if got := a.call("staff", "GET", "/admin/retention-classes", "", &all); got != 200 {
		t.Fatalf("got %d", got)
	}
	for _, c := range all.Items {
		if c.ID == "netlog" && (c.Floor.Months != 6 || c.Ceiling != (api.RetentionSpan{Months: 6, Days: 3}) || len(c.Law) != 1) {
			t.Errorf("got %+v", c)
		}
	}
	if len(all.Items) < 10 {
		t.Errorf("got %d classes", len(all.Items))
	}
}
