package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// post takes mails and keeps the newest.
type post struct{ last notify.Mail }

func (p *post) Send(_ context.Context, m notify.Mail) error { p.last = m; return nil }

// place serves the resources of people over TLS, as browsers need for cookies.
type place struct {
	accounttest.Rig
	server *httptest.Server
	mail   *post
}

func newPlace(t *testing.T, demo bool) place {
	t.Helper()
	r := accounttest.New(t, dbtest.SQLite(t, append(accounttest.Migrations(), notify.Migrations())...), consent.Mainland, demo)
	p := place{Rig: r, mail: &post{}}
	n, err := notify.New(notify.Deps{
		DB: r.DB, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Account: r.Account,
		Sender: p.mail, URL: "https://console.example.org", Brand: "Example",
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	a := api.New(api.Options{Mux: mux, Version: "test", Sessions: r.Account, Gate: r.Consent, Log: slog.New(slog.DiscardHandler)})
	api.Accounts(a, r.Account, r.Consent, r.Age)
	api.AgesOf(a, r.Age, r.Account)
	api.LoginSessions(a, r.Account)
	api.Cookies(a)
	api.Policies(a, r.Consent, r.Account)
	api.ConsentActs(a, r.Consent)
	api.Notices(a, n)
	p.server = httptest.NewTLSServer(request.Reader{}.Handler(mux))
	t.Cleanup(p.server.Close)
	return p
}

// browser is one person's browser.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func (p place) browser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := p.server.Client().Transport
	return browser{t, p.server.URL, &http.Client{Jar: jar, Transport: transport}}
}

// do asks and returns the status and the decoded answer.
func (b browser) do(method, path string, body any) (int, map[string]any) {
	b.t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, b.base+"/api/v1"+path, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("User-Agent", accounttest.From.UserAgent)
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	for _, c := range answer.Cookies() {
		if _, ok := webstore.Get().Cookie(c.Name); !ok || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			b.t.Errorf("%s %s sets cookie %s without its flags", method, path, c.Name)
		}
	}
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			b.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, raw)
		}
	}
	return answer.StatusCode, out
}

// want asks and holds the answer to a status and, for problems, a code.
func (b browser) want(method, path string, body any, status int, code string) map[string]any {
	b.t.Helper()
	got, out := b.do(method, path, body)
	if got != status || (code != "" && out["code"] != code) {
		b.t.Errorf("%s %s: got %d %v, want %d %s", method, path, got, out, status, code)
	}
	return out
}

func (b browser) cookie(name string) string {
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

type body map[string]any

func (b browser) register(name string) {
	b.t.Helper()
	p := b.want("GET", "/consent-prompts/platform_policy", nil, 200, "")
	b.want("POST", "/accounts", body{
		"user_name": name, "password": accounttest.Password, "email": name + "@example.org",
		"consent_token": p["token"], "adult": true,
	}, 201, "")
	b.login(name)
}

func (b browser) login(name string) {
	b.t.Helper()
	b.want("POST", "/login-sessions", body{"user_name": name, "password": accounttest.Password, "remember": true}, 201, "")
}

func TestAPersonComesVerifiesAndLeaves(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	b := p.browser(t)
	b.want("GET", "/me", nil, 401, "api.unauthenticated")
	b.want("POST", "/accounts", body{"user_name": "alice", "password": accounttest.Password, "email": "alice@example.org", "consent_token": "", "adult": true},
		422, "account.consent_required")
	b.want("POST", "/accounts", body{"user_name": "alice", "password": accounttest.Password, "email": "a@example.org", "consent_token": "x", "adult": true, "phone": "1"},
		422, "api.invalid_request")
	b.register("alice")
	me := b.want("GET", "/me", nil, 200, "")
	if me["user_name"] != "alice" || me["email"] != nil || me["email_verified"] != false || me["staff"] != false || me["totp"] != false {
		t.Errorf("got %v", me)
	}
	if c := b.want("GET", "/me/contact", nil, 200, ""); c["email"] != "alice@example.org" {
		t.Errorf("got %v", c)
	}
	if err := p.Queue.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, token, ok := strings.Cut(strings.Fields(p.mail.last.Text[strings.Index(p.mail.last.Text, "https://"):])[0], "#token=")
	if !ok {
		t.Fatalf("no token in %s", p.mail.last.Text)
	}
	p.browser(t).want("POST", "/email-verifications", body{"token": token}, 204, "") // from another browser
	b.want("POST", "/email-verifications", body{}, 409, "account.email_already_verified")
	p.browser(t).want("POST", "/email-verifications", body{}, 401, "")
	if me := b.want("GET", "/me", nil, 200, ""); me["email_verified"] != true {
		t.Errorf("got %v", me)
	}
	b.want("PATCH", "/me", body{"locale": "zh-CN"}, 200, "")
	b.want("DELETE", "/login-sessions/current", nil, 204, "")
	if b.cookie(cookie.Session) != "" || b.cookie(cookie.Remember) != "" {
		t.Error("cookies remain after signing out")
	}
	b.want("GET", "/me", nil, 401, "")
	b.want("POST", "/password-resets", body{"email": "nobody@example.org"}, 202, "")
	b.want("POST", "/password-resets/confirm", body{"token": "x", "password": "wide rivers run 9 miles"}, 409, "account.token_invalid")
}

func TestRememberBringsASessionBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	b := p.browser(t)
	b.register("alice")
	first := b.cookie(cookie.Remember)
	u, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: cookie.Session, Value: "", MaxAge: -1, Path: "/", Secure: true}}) // the browser was closed
	b.want("GET", "/me", nil, 401, "")
	b.want("POST", "/login-sessions/resume", body{}, 201, "")
	b.want("GET", "/me", nil, 200, "")
	if second := b.cookie(cookie.Remember); second == first || second == "" {
		t.Error("the remember cookie is not replaced")
	}
	p.browser(t).want("POST", "/login-sessions/resume", body{}, 401, "account.session_ended")
}

// TestTheActOfBeingRememberedIsTheOnlyOneThatLasts: clause LT-2.3.
func TestTheActOfBeingRememberedIsTheOnlyOneThatLasts(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	p.browser(t).register("alice")
	for _, tick := range []bool{false, true} {
		b := p.browser(t)
		raw, err := json.Marshal(body{"user_name": "alice", "password": accounttest.Password, "remember": tick})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := b.http.Post(p.server.URL+"/api/v1/login-sessions", "application/json", bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		var lasting []string
		for _, c := range answer.Cookies() {
			if c.MaxAge != 0 || !c.Expires.IsZero() {
				lasting = append(lasting, c.Name)
			}
		}
		if len(lasting) > 0 != tick || tick && lasting[0] != cookie.Remember {
			t.Errorf("ticked %v: %v outlive the browser", tick, lasting)
		}
	}
}

// TestBeingRememberedIsWithdrawn on the page about cookies, and in the list of
// sessions even after the session ended.
func TestBeingRememberedIsWithdrawn(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	b := p.browser(t)
	b.register("alice")
	present := func() (got []string) {
		for _, c := range b.want("GET", "/cookies", nil, 200, "")["cookies"].([]any) {
			if c := c.(map[string]any); c["present"] == true {
				got = append(got, c["name"].(string))
			}
		}
		return got
	}
	if got := present(); !slices.Equal(got, []string{cookie.Session, cookie.Remember}) {
		t.Errorf("got %v", got)
	}
	token := b.cookie(cookie.Remember)
	b.want("DELETE", "/login-sessions/remember", nil, 204, "")
	if got := present(); !slices.Equal(got, []string{cookie.Session}) {
		t.Errorf("afterwards got %v", got)
	}
	b.want("GET", "/me", nil, 200, "") // the session goes on
	b.want("DELETE", "/login-sessions/remember", nil, 204, "")
	u, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: cookie.Remember, Value: token, Path: "/", Secure: true}})
	b.want("POST", "/login-sessions/resume", body{}, 401, "account.session_ended")
}

func TestSessionsAndLogsAreTheirPersons(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	alice, bob := p.browser(t), p.browser(t)
	alice.register("alice")
	bob.register("bob")
	list := alice.want("GET", "/login-sessions", nil, 200, "")["items"].([]any)
	if len(list) != 1 {
		t.Fatalf("got %v", list)
	}
	mine := list[0].(map[string]any)
	if mine["browser"] != "Firefox 128" || mine["ip"] != "127.0.0.1" || mine["current"] != true {
		t.Errorf("got %v", mine)
	}
	bob.want("DELETE", "/login-sessions/"+mine["id"].(string), nil, 404, "account.not_found")
	log := alice.want("GET", "/me/login-log?limit=1", nil, 200, "")
	if items := log["items"].([]any); len(items) != 1 || items[0].(map[string]any)["outcome"] != "ok" {
		t.Errorf("got %v", log)
	}
	alice.want("GET", "/me/access-log", nil, 200, "")
	alice.want("GET", "/notices", nil, 200, "")
	alice.want("POST", "/notices/msg_x/read", nil, 404, "notify.not_found")
	alice.want("GET", "/admin/users", nil, 403, "api.forbidden")
	alice.want("GET", "/admin/policies", nil, 403, "api.forbidden")
	alice.want("POST", "/me/password", body{"current": "wrong password x", "next": "wide rivers run 9 miles"}, 403, "account.wrong_password")
	before := alice.cookie(cookie.Session)
	alice.want("POST", "/me/password", body{"current": accounttest.Password, "next": "wide rivers run 9 miles"}, 204, "")
	if alice.cookie(cookie.Session) == before {
		t.Error("the session token is the same after a change of password")
	}
	alice.want("GET", "/me", nil, 200, "")
}

func TestSecondFactorOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	b := p.browser(t)
	b.register("alice")
	e := b.want("POST", "/me/totp", body{}, 200, "")
	b.want("POST", "/me/totp/confirm", body{"code": "000000"}, 401, "account.wrong_code")
	codes := b.want("POST", "/me/totp/confirm", body{"code": p.Code(t, e["secret"].(string), 0)}, 200, "")["recovery_codes"].([]any)
	if me := b.want("GET", "/me", nil, 200, ""); me["totp"] != true || me["mfa"] != true || me["recovery_left"] != 10.0 {
		t.Errorf("got %v", me)
	}
	other := p.browser(t)
	in := body{"user_name": "alice", "password": accounttest.Password}
	other.want("POST", "/login-sessions", in, 401, "account.code_required")
	in["code"] = codes[0]
	other.want("POST", "/login-sessions", in, 201, "")
	p.Clock.Advance(time.Minute)
	b.want("POST", "/me/step-up", body{"code": p.Code(t, e["secret"].(string), 0)}, 204, "")
	p.Clock.Advance(time.Minute)
	b.want("DELETE", "/me/totp", body{"password": accounttest.Password, "code": p.Code(t, e["secret"].(string), 0)}, 204, "")
	if me := b.want("GET", "/me", nil, 200, ""); me["totp"] != false {
		t.Errorf("got %v", me)
	}
}

func TestPoliciesAndConsentsOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPlace(t, false)
	b := p.browser(t)
	if list := b.want("GET", "/policies", nil, 200, "")["items"].([]any); len(list) != 6 {
		t.Errorf("got %d documents, want 6", len(list))
	}
	doc := b.want("GET", "/policies/platform", nil, 200, "")
	if doc["locale"] != "en" || !strings.Contains(doc["html"].(string), `id="LT-1.1a"`) || doc["title"] != "示例云 platform privacy policy" {
		t.Errorf("got %v", doc["title"])
	}
	b.want("GET", "/policies/platform/versions/1.0.0", nil, 200, "")
	b.want("GET", "/policies/platform/versions/9.9.9", nil, 404, "consent.not_found")
	b.want("GET", "/policies/nothing", nil, 404, "consent.not_found")
	b.want("GET", "/consent-prompts/realname", nil, 404, "consent.not_found") // before sign-in
	b.register("alice")
	prompt := b.want("GET", "/consent-prompts/realname", nil, 200, "")
	stranger := p.browser(t)
	stranger.register("mallory")
	stranger.want("POST", "/consents", body{"token": prompt["token"], "decision": "grant"}, 409, "consent.token_invalid")
	b.want("POST", "/consents", body{"token": prompt["token"], "decision": "maybe"}, 422, "api.invalid_request")
	rec := b.want("POST", "/consents", body{"token": prompt["token"], "decision": "grant"}, 201, "")
	if rec["purpose"] != "realname" || rec["kind"] != "separate.sensitive" || len(rec["receipt"].(string)) != 64 {
		t.Errorf("got %v", rec)
	}
	b.want("DELETE", "/consents/realname", nil, 204, "")
	b.want("DELETE", "/consents/realname", nil, 409, "consent.nothing_to_withdraw")
	b.want("DELETE", "/consents/account", nil, 404, "consent.not_found")
	got := b.want("GET", "/consents", nil, 200, "")
	if n := len(got["items"].([]any)); n != 3 {
		t.Errorf("got %d records, want the policy, the grant and the withdrawal", n)
	}
	for _, s := range got["states"].([]any) {
		if st := s.(map[string]any); st["purpose"] == "platform_policy" && st["open"] != true {
			t.Errorf("got %v", st)
		}
	}
}

func TestStaffPublishAPolicyAndPeopleAreAskedAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t, true)
	_, err := p.Account.EnsureStaff(context.Background(), account.Staff{
		Name: "operator", Password: accounttest.Password, Email: "op@example.org",
		Founder: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, staff := p.browser(t), p.browser(t)
	b.register("alice")
	staff.login("operator")
	staff.want("GET", "/admin/users", nil, 403, "api.forbidden") // no second factor yet
	e := staff.want("POST", "/me/totp", body{}, 200, "")
	staff.want("POST", "/me/totp/confirm", body{"code": p.Code(t, e["secret"].(string), 0)}, 200, "")
	if users := staff.want("GET", "/admin/users", nil, 200, "")["items"].([]any); len(users) != 2 {
		t.Errorf("got %v", users)
	}
	at := p.Clock.Now().Add(consent.NoticePeriod)
	draft := func(major bool, at time.Time) string {
		return "/admin/policies/platform/draft?major=" + strconv.FormatBool(major) + "&effective_at=" + url.QueryEscape(at.Format(time.RFC3339Nano))
	}
	b.want("GET", draft(true, at), nil, 403, "api.forbidden")
	staff.want("GET", draft(true, at.Add(-time.Hour)), nil, 422, "consent.notice_too_short")
	minor := staff.want("GET", draft(false, at), nil, 200, "")
	if minor["version"] == "2.0.0" || minor["unchanged"] != true || minor["asked"] != true || minor["replaces"] != "1.0.0" {
		t.Errorf("a minor version would be %v", minor)
	}
	seen := staff.want("GET", draft(true, at), nil, 200, "")
	if all := seen["lines"].([]any); len(all) < 50 || seen["version"] != "2.0.0" || !strings.Contains(seen["html"].(string), "<h2") {
		t.Errorf("the preview has %d lines: %v", len(all), seen["version"])
	}
	publish := body{"document": "platform", "major": true, "effective_at": at, "sha256": minor["sha256"]}
	staff.want("POST", "/admin/policies", publish, 409, "consent.preview_old")
	publish["sha256"], publish["effective_at"] = seen["sha256"], at.Add(48*time.Hour)
	staff.want("POST", "/admin/policies", publish, 409, "consent.preview_old")
	publish["effective_at"] = at.Add(-time.Hour)
	staff.want("POST", "/admin/policies", publish, 422, "consent.notice_too_short")
	publish["effective_at"] = at
	p.Clock.Advance(account.StepUpLife)
	staff.want("POST", "/admin/policies", publish, 403, "account.step_up_required")
	staff.want("POST", "/me/step-up", body{"code": p.Code(t, e["secret"].(string), 0)}, 204, "")
	at = at.Add(account.StepUpLife)
	publish["effective_at"] = at
	v := staff.want("POST", "/admin/policies", publish, 201, "")
	if v["version"] != "2.0.0" {
		t.Errorf("got %v", v)
	}
	if all := staff.want("GET", "/admin/policies", nil, 200, "")["items"].([]any); len(all) != 7 {
		t.Errorf("got %d versions, want 7", len(all))
	}
	p.Clock.Advance(consent.NoticePeriod)
	b.login("alice")
	me := b.want("GET", "/me", nil, 200, "")
	if due := me["consents_due"].([]any); len(due) != 1 || due[0] != "platform_policy" {
		t.Errorf("got %v", me["consents_due"])
	}
	prompt := b.want("GET", "/consent-prompts/platform_policy", nil, 200, "")
	b.want("POST", "/consents", body{"token": prompt["token"], "decision": "grant"}, 422, "consent.adult_statement_required")
	b.want("POST", "/consents", body{"token": prompt["token"], "decision": "grant", "adult": true}, 201, "")
	if me := b.want("GET", "/me", nil, 200, ""); len(me["consents_due"].([]any)) != 0 {
		t.Errorf("got %v", me["consents_due"])
	}
}
