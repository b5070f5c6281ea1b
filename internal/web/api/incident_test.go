package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

type noMail struct{ notify.Sender }

// newIncidentAPI serves the desk over real modules; alice has an account.
func newIncidentAPI(t *testing.T) *trustAPI {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	d := dbtest.SQLite(t, append(accounttest.Migrations(), notify.Migrations(), vpn.Migrations(), fleet.Migrations(), incident.Migrations())...)
	people := accounttest.New(t, d, "mainland", false)
	a := &trustAPI{t: t, mux: http.NewServeMux(), rig: people.Rig}
	mailer, err := notify.New(notify.Deps{
		DB: d, Clock: people.Clock, Queue: people.Queue, Log: quiet, Account: people.Account, Sender: noMail{}, URL: "https://console.example.org", Brand: "Example",
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes := fleet.New(fleet.Deps{DB: d, Clock: people.Clock, Queue: people.Queue, Log: quiet, Audit: people.Audit, Vault: people.Vault})
	tunnels := vpn.New(vpn.Deps{DB: d, Clock: people.Clock, Queue: people.Queue, Log: quiet, Audit: people.Audit, Fleet: nodes, Vault: people.Vault})
	s := incident.New(incident.Deps{
		DB: d, Clock: people.Clock, Queue: people.Queue, Log: quiet, Audit: people.Audit, Notify: mailer, People: people.Account, Users: tunnels, Session: nodes,
		Profile: "mainland", Sender: incident.Operator{Brand: "Example"},
	})
	api.Incidents(api.New(api.Options{Mux: a.mux, Version: "test", Sessions: a, Gate: everything{}, Log: quiet}), s)
	if _, err := people.Account.EnsureStaff(t.Context(), account.Staff{Name: "keeper", Password: accounttest.Password, Email: "k@example.org"}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *trustAPI) drain() {
	a.t.Helper()
	for ran := true; ran; {
		var err error
		if ran, err = a.rig.Queue.RunOne(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
	}
}

func TestStaffDealWithAnIncident(t *testing.T) {
	t.Parallel()
	a := newIncidentAPI(t)
	at := consenttest.Start.Add(-time.Hour).Format(time.RFC3339)
	open := fmt.Sprintf(`{"kind":"leak","discovered_at":%q,"detected_by":"monitoring","scope":[{"kind":"everyone"},{"kind":"tunnels","from":%q,"to":"2026-11-23T00:00:00Z"},{"kind":"logins","from":%q,"to":"2026-11-23T00:00:00Z"},{"kind":"stores","stores":["gateways"]}]}`, at, at, at)
	for who, want := range map[string]int{"alice": 403, "nobody": 401} {
		if got := a.call(who, "POST", "/admin/incidents", open, nil); got != want {
			t.Errorf("%s: got %d", who, got)
		}
	}
	var f api.IncidentFile
	if got := a.call("staff", "POST", "/admin/incidents", open, &f); got != 201 || f.State != "counting" || len(f.Clocks) != 2 {
		t.Fatalf("got %d, %+v", got, f)
	}
	a.drain()
	path := "/admin/incidents/" + f.ID
	get := func() (f api.IncidentFile) {
		t.Helper()
		if got := a.call("staff", "GET", path, "", &f); got != 200 {
			t.Fatalf("got %d", got)
		}
		return f
	}
	if f = get(); f.People != 1 || f.Grade != "ordinary" || f.State != "assessed" || len(f.Fields) != 9 || len(f.Channels) != 4 {
		t.Fatalf("got %+v", f)
	}
	words := map[string]string{}
	for _, l := range []string{"zh-CN", "en"} {
		var all []string
		for _, n := range f.Fields {
			all = append(all, fmt.Sprintf("%q:%q", n, n+" "+l))
		}
		words[l] = "{" + strings.Join(all, ",") + "}"
	}
	whole := fmt.Sprintf(`{"words":{"zh-CN":%s,"en":%s}}`, words["zh-CN"], words["en"])
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/send-notice", "", 404},
		{"/notice", `{"words":{"en":{"cause":"x"}}}`, 200},
		{"/send-notice", "", 422},
		{"/grade", `{"grade":"ordinary"}`, 422},
		{"/grade", `{"grade":"large"}`, 204},
		{"/grade", `{"grade":"large"}`, 422},
		{"/notice", whole, 200},
		{"/signatures", `{"reason":"the laptop came back unopened"}`, 204},
		{"/signatures", `{"reason":"the laptop came back unopened"}`, 409},
		{"/send-notice", "", 204},
		{"/facts", `{"facts":{"systems":"a","place":"b","data":"c","impact":"d","measures":"e"}}`, 204},
		{"/facts", `{"facts":{"blame":"x"}}`, 400},
		{"/reports", `{"kind":"first"}`, 201},
		{"/reports/1/sent", fmt.Sprintf(`{"sent_at":%q,"reference":"CAC-1"}`, consenttest.Start.Format(time.RFC3339)), 204},
		{"/reports/9/sent", fmt.Sprintf(`{"sent_at":%q}`, consenttest.Start.Format(time.RFC3339)), 404},
		{"/reports/x/sent", fmt.Sprintf(`{"sent_at":%q}`, consenttest.Start.Format(time.RFC3339)), 404},
		{"/announce", "", 204},
		{"/scope", `{"scope":[{"kind":"logins"}]}`, 422},
		{"/handled", "", 204},
		{"/close", "", 409},
	} {
		if got := a.call("alice", "POST", path+c.path, c.body, nil); got != 403 {
			t.Errorf("alice at %s: got %d", c.path, got)
		}
		if got := a.call("staff", "POST", path+c.path, c.body, nil); got != c.want {
			t.Errorf("%s with %s: got %d, want %d", c.path, c.body, got, c.want)
		}
	}
	f = get()
	if f.Grade != "large" || len(f.Reports) != 1 || !strings.Contains(f.Reports[0].Markdown, "一、单位名称") || !f.Notices[0].Announced || len(f.Steps) < 10 {
		t.Errorf("got %+v", f)
	}
	var public api.List[api.IncidentAnnouncement]
	if got := a.call("nobody", "GET", "/incident-announcements", "", &public); got != 200 || len(public.Items) != 1 || !strings.Contains(public.Items[0].Text, "advice zh-CN") {
		t.Errorf("got %d, %+v", got, public)
	}
}

func TestAPersonSeesOwnNoticesOnly(t *testing.T) {
	t.Parallel()
	a := newIncidentAPI(t)
	var list api.List[api.OwnIncidentNotice]
	if got := a.call("nobody", "GET", "/me/incident-notices", "", nil); got != 401 {
		t.Errorf("got %d", got)
	}
	if got := a.call("alice", "GET", "/me/incident-notices", "", &list); got != 200 || len(list.Items) != 0 {
		t.Errorf("got %d, %+v", got, list)
	}
	if got := a.call("alice", "POST", "/me/incident-notices/ntc_x/seen", "", nil); got != 404 {
		t.Errorf("got %d", got)
	}
}
