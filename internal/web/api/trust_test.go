package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/realname/realnametest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// trustAPI serves real names and the audit log to alice, bob and staff.
type trustAPI struct {
	t   *testing.T
	rig consenttest.Rig
	mux *http.ServeMux
}

// Check fills realname.Checker: everybody is who they say.
func (a *trustAPI) Check(context.Context, realname.CheckRequest) (realname.Result, error) {
	return realname.Match, nil
}

func (a *trustAPI) Authenticate(_ context.Context, token string) (account.Principal, error) {
	switch token {
	case "alice", "bob":
		return account.Principal{Account: account.ID("acc_" + token), Subject: id.Handle("sub_" + token), Session: "ses_" + token}, nil
	case "staff":
		return account.Principal{Account: "acc_s", Subject: "sub_s", Staff: true, Permissions: account.AllPermissions()}, nil
	}
	return account.Principal{}, errs.New(errs.Unauthenticated, "api.unauthenticated")
}

// everything is a gate that is open, for what does not concern real names.
type everything struct{}

func (everything) Gate(context.Context, id.Handle, string) error { return nil }

func newTrustAPI(t *testing.T) *trustAPI {
	t.Helper()
	a := &trustAPI{t: t, mux: http.NewServeMux()}
	a.rig = consenttest.New(t, dbtest.SQLite(t, append(consenttest.Migrations(), realname.Migrations())...), "mainland")
	quiet := slog.New(slog.DiscardHandler)
	s := realname.New(realname.Deps{
		DB: a.rig.DB, Clock: a.rig.Clock, Queue: a.rig.Queue, Log: quiet, Audit: a.rig.Audit, Vault: a.rig.Vault,
		Checker: a, Consent: a.rig.Consent, Ages: &realnametest.Ages{Clock: a.rig.Clock, Profile: "mainland"}, Profile: "mainland",
	})
	all := api.New(api.Options{Mux: a.mux, Version: "test", Sessions: a, Gate: everything{}, Log: quiet})
	api.RealName(all, s)
	api.Audit(all, a.rig.Audit)
	return a
}

func (a *trustAPI) call(who, method, path, body string, out any) int {
	a.t.Helper()
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+who)
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, r)
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			a.t.Fatalf("%s %s answered %d %s: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w.Code
}

// verified hands in for somebody and returns the number.
func (a *trustAPI) verified(who string) string {
	a.t.Helper()
	prompt, err := a.rig.Consent.Prompt(context.Background(), "ses_"+who, "realname", "zh-CN")
	if err != nil {
		a.t.Fatal(err)
	}
	number := realnametest.Number(time.Date(1990, 5, 5, 0, 0, 0, 0, time.UTC), 7)
	var v api.RealNameVerification
	body := `{"name":"王小明","number":"` + number + `","consent_token":"` + prompt.Token + `"}`
	if got := a.call(who, "POST", "/real-name-verifications", body, &v); got != 202 || v.State != "verifying" {
		a.t.Fatalf("got %d, %+v", got, v)
	}
	if err := a.rig.Queue.Drain(context.Background()); err != nil {
		a.t.Fatal(err)
	}
	return number
}

func TestAVerificationOverTheAPIShowsMasksOnly(t *testing.T) {
	t.Parallel()
	a := newTrustAPI(t)
	number := a.verified("alice")
	var list api.List[api.RealNameVerification]
	if got := a.call("alice", "GET", "/real-name-verifications", "", &list); got != 200 || len(list.Items) != 1 {
		t.Fatalf("got %d, %+v", got, list)
	}
	v := list.Items[0]
	if v.State != "verified" || v.MaskedName != "王**" || v.MaskedNumber != number[:1]+strings.Repeat("*", 16)+number[17:] || v.DecidedAt == nil {
		t.Errorf("got %+v", v)
	}
	if got := a.call("bob", "GET", "/real-name-verifications", "", &list); got != 200 || len(list.Items) != 0 {
		t.Errorf("bob sees %d, %+v", got, list)
	}
	var refused struct{ Code string }
	if got := a.call("bob", "POST", "/real-name-verifications", `{"name":"王小明","number":"123","consent_token":"x"}`, &refused); got != 422 || refused.Code != "realname.number_invalid" {
		t.Errorf("a bad number: got %d, %+v", got, refused)
	}
	if got := a.call("alice", "POST", "/real-name-verifications", `{"name":"王小明","number":"`+number+`","consent_token":"x","md5":true}`, nil); got != 400 && got != 422 {
		t.Errorf("an unknown field: got %d", got)
	}
}

func TestAPersonSeesWhoReadAndOnlyStaffSeeTheLog(t *testing.T) {
	t.Parallel()
	a := newTrustAPI(t)
	a.verified("alice")
	var reads api.List[api.ReadEvent]
	if got := a.call("alice", "GET", "/reads", "", &reads); got != 200 || len(reads.Items) != 1 || reads.Items[0].Reader != "job" {
		t.Errorf("got %d, %+v", got, reads)
	}
	if got := a.call("bob", "GET", "/reads?own=true", "", &reads); got != 200 || len(reads.Items) != 0 {
		t.Errorf("bob sees %d, %+v", got, reads)
	}
	var disclosed api.List[api.Disclosure]
	if got := a.call("alice", "GET", "/disclosures", "", &disclosed); got != 200 || disclosed.Items == nil {
		t.Errorf("got %d, %+v", got, disclosed)
	}
	for _, path := range []string{"/admin/audit-log", "/admin/audit-log/checkpoint", "/admin/audit-log/proof", "/admin/real-name-verifications"} {
		if got := a.call("alice", "GET", path, "", nil); got != 403 {
			t.Errorf("a customer on %s: got %d, want 403", path, got)
		}
		if got := a.call("nobody", "GET", path, "", nil); got != 401 {
			t.Errorf("nobody on %s: got %d, want 401", path, got)
		}
	}
	var report api.LogReport
	if got := a.call("staff", "POST", "/admin/audit-log/verify", "", &report); got != 200 || !report.OK || report.Size < 3 {
		t.Errorf("got %d, %+v", got, report)
	}
}

func TestAPersonProvesTheirOwnEntriesOnly(t *testing.T) {
	t.Parallel()
	a := newTrustAPI(t)
	a.verified("alice")
	var reads api.List[api.ReadEvent]
	a.call("alice", "GET", "/reads", "", &reads)
	path := "/audit-log/proof?index=" + strconv.FormatInt(reads.Items[0].LogIndex, 10)
	var p api.LogProof
	if got := a.call("alice", "GET", path, "", &p); got != 200 || !strings.Contains(p.Inclusion.Leaf, "\nread.recorded\n") {
		t.Fatalf("got %d, %+v", got, p)
	}
	tree := treeOf(t, p.Checkpoint)
	if err := tlog.CheckRecord(hashesOf(t, p.Inclusion.Hashes), tree.N, tree.Hash, p.Inclusion.Index, tlog.RecordHash([]byte(p.Inclusion.Leaf))); err != nil {
		t.Error(err)
	}
	if got := a.call("bob", "GET", path, "", nil); got != 404 {
		t.Errorf("somebody else's entry: got %d, want 404", got)
	}
}

func TestTheLogIsPagedToItsFirstEntry(t *testing.T) {
	t.Parallel()
	a := newTrustAPI(t)
	a.verified("alice")
	seen, cursor := []int64{}, ""
	for {
		var page api.List[api.LogLeaf]
		if got := a.call("staff", "GET", "/admin/audit-log?limit=2&cursor="+cursor, "", &page); got != 200 {
			t.Fatalf("got %d", got)
		}
		for _, l := range page.Items {
			seen = append(seen, l.Index)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	for i, index := range seen {
		if index != int64(len(seen)-1-i) {
			t.Fatalf("got %v, want every index once, newest first", seen)
		}
	}
	if got := a.call("staff", "GET", "/admin/audit-log?cursor=x", "", nil); got != 400 {
		t.Errorf("a bad cursor: got %d, want 400", got)
	}
}

func TestAProofFileProves(t *testing.T) {
	t.Parallel()
	a := newTrustAPI(t)
	a.verified("alice")
	var first api.Checkpoint
	if got := a.call("staff", "GET", "/admin/audit-log/checkpoint", "", &first); got != 200 {
		t.Fatalf("got %d", got)
	}
	size := strings.Split(first.Note, "\n")[1]
	a.verified("bob")
	var p api.LogProof
	if got := a.call("staff", "GET", "/admin/audit-log/proof?index=1&from="+size, "", &p); got != 200 || p.Inclusion == nil {
		t.Fatalf("got %d, %+v", got, p)
	}
	if p.Older != first.Note || p.Verifier != first.Verifier {
		t.Error("the older checkpoint is not the one that was signed")
	}
	newer, older := treeOf(t, p.Checkpoint), treeOf(t, p.Older)
	if err := tlog.CheckRecord(hashesOf(t, p.Inclusion.Hashes), newer.N, newer.Hash, 1, tlog.RecordHash([]byte(p.Inclusion.Leaf))); err != nil {
		t.Error(err)
	}
	if err := tlog.CheckTree(hashesOf(t, p.Consistency), newer.N, newer.Hash, older.N, older.Hash); err != nil {
		t.Error(err)
	}
	if got := a.call("staff", "GET", "/admin/audit-log/proof?index=999", "", nil); got != 404 {
		t.Errorf("an entry that is not there: got %d, want 404", got)
	}
}

func treeOf(t *testing.T, note string) tlog.Tree {
	t.Helper()
	lines := strings.Split(note, "\n")
	h, err := tlog.ParseHash(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := json.Unmarshal([]byte(lines[1]), &n); err != nil {
		t.Fatal(err)
	}
	return tlog.Tree{N: n, Hash: h}
}

func hashesOf(t *testing.T, texts []string) []tlog.Hash {
	t.Helper()
	all := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		copy(all[i][:], raw)
	}
	return all
}
