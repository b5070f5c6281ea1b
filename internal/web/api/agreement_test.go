package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

func newPapersAPI(t *testing.T) *trustAPI {
	t.Helper()
	a := &trustAPI{t: t, mux: http.NewServeMux()}
	a.rig = consenttest.New(t, dbtest.SQLite(t, append(consenttest.Migrations(), agreement.Migrations(), realname.Migrations())...), "mainland")
	registry, err := egress.Load("mainland", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	s := agreement.New(agreement.Deps{DB: a.rig.DB, Clock: a.rig.Clock, Queue: a.rig.Queue, Log: quiet, Audit: a.rig.Audit, Consent: a.rig.Consent, Registry: registry})
	api.Agreements(api.New(api.Options{Mux: a.mux, Version: "test", Sessions: a, Gate: everything{}, Log: quiet}), s)
	return a
}

func TestStaffRecordAgreementsAndAssessments(t *testing.T) {
	t.Parallel()
	a := newPapersAPI(t)
	digest, ends := strings.Repeat("ab", 32), `"ends":"2027-11-22T00:00:00+08:00"`
	contract := fmt.Sprintf(`{"recipient":"idv.aliyun","sha256":%q,"purposes":["realname"],"kinds":["UserName"],"method":"m","safeguards":"s","supervision":"v","begins":"2026-11-22T00:00:00Z",%s}`, digest, ends)
	pia := fmt.Sprintf(`{"pia":"PIA-007","sha256":%q,"necessity":"n","impact":"i","measures":"m",%s}`, digest, ends)
	for _, c := range []struct {
		who, path, body string
		want            int
	}{
		{"alice", "/admin/agreements", contract, 403},
		{"nobody", "/admin/agreements", contract, 401},
		{"staff", "/admin/agreements", strings.Replace(contract, `"m"`, `""`, 1), 422},
		{"staff", "/admin/agreements", strings.Replace(contract, "UserName", "Mobile", 1), 422},
		{"staff", "/admin/agreements", contract, 201},
		{"staff", "/admin/impact-assessments", strings.Replace(pia, `"n"`, `""`, 1), 422},
		{"staff", "/admin/impact-assessments", pia, 201},
	} {
		if got := a.call(c.who, http.MethodPost, c.path, c.body, nil); got != c.want {
			t.Errorf("%s at %s with %s: got %d, want %d", c.who, c.path, c.body, got, c.want)
		}
	}
	var needs struct {
		Items []struct{ Recipient, Kind, Name, State, Ends string }
	}
	if got := a.call("staff", http.MethodGet, "/admin/agreement-needs", "", &needs); got != 200 || len(needs.Items) != 2 {
		t.Fatalf("got %d, %+v", got, needs)
	}
	for _, n := range needs.Items {
		if n.Recipient != "idv.aliyun" || n.State != "live" || n.Ends != "2027-11-21T16:00:00Z" {
			t.Errorf("got %+v", n)
		}
	}
	var list struct {
		Items []struct{ Approver, SHA256 string }
	}
	if got := a.call("staff", http.MethodGet, "/admin/agreements", "", &list); got != 200 || len(list.Items) != 1 || list.Items[0].Approver != "sub_s" {
		t.Errorf("got %d, %+v", got, list)
	}
}
