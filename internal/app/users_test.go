package app

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// vpnUser is the user of the person's SSL client, signed in to the page of their
// rights: a person of their own.
func (p *person) vpnUser() *person {
	p.in.t.Helper()
	client, server := "/ssl-clients/"+p.ids["ssl-clients"], p.ids["ssl-servers"]
	p.do(200, "PATCH", client, object{"two_factor_exempt": true})
	secret := p.do(200, "POST", client+"/secret", nil)
	u := &person{in: p.in, name: secret.str("user_name"), password: secret.str("password"), ids: map[string]string{"ssl-servers": server}, user: true}
	u.enter()
	return u
}

var sessionToken = regexp.MustCompile(`<session-token>([^<]+)</session-token>`)

// notices signs in and connects, and returns of how many unread notices the client is told.
func (g *gatewayRig) notices(t *testing.T, n int, u *person) string {
	t.Helper()
	c := g.dial(t, n)
	status, text, err := c.answer("username", u.name, "password", u.password)
	token := sessionToken.FindStringSubmatch(text)
	if err != nil || status != 200 || token == nil {
		t.Fatalf("got %d %.300s, %v", status, text, err)
	}
	_, err = fmt.Fprintf(c.conn, "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=%s\r\nX-CSTP-Version: 1\r\n\r\n", token[1])
	must(t, err)
	r, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodConnect})
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("got %v, %v", r, err)
	}
	return r.Header.Get("X-Skybridge-Notices")
}

func (u *person) enter() {
	u.in.t.Helper()
	a := u.do(200, "POST", "/vpn-user/session", object{"server": u.ids["ssl-servers"], "user_name": u.name, "password": u.password})
	u.session = sessionOf(a)
	if a.json["signed_in"] != true || !strings.HasPrefix(u.session, "vpnu_") || strings.Contains(a.text, u.session) {
		u.in.t.Fatalf("got %s", a)
	}
}

// number writes a JSON number as it stands in a query.
func number(v any) string {
	n, _ := v.(float64)
	return strconv.FormatInt(int64(n), 10)
}

func (o operation) vpnUser() bool {
	return slices.ContainsFunc(o.Security, func(s map[string]any) bool { _, ok := s["vpn_user"]; return ok })
}

// A login identity is a subject of its own, whoever made it: its user sees what is
// held, exports it, asks, and has it erased, without the administrator; and
// nothing of the administrator's is among it (clause TY-0e).
func TestAVPNUserHasRightsOfTheirOwn(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("canary-owner", 1)
	u := owner.vpnUser()
	owner.do(200, "GET", "/vpn-sessions", nil)
	u.sees(owner)
	text := u.export()
	for _, want := range []string{u.name, "203.0.113.7", "10.9.0.2", "vpn_act.json", "audit_read.json", "why is it kept?"} {
		if !strings.Contains(text, want) {
			t.Errorf("the copy lacks %q", want)
		}
	}
	for _, foreign := range []string{"canary-owner@example.org", owner.ids["orders"], string(owner.self().Handle) + `","kind`, "key_sealed", u.password} {
		if strings.Contains(text, foreign) {
			t.Errorf("the copy holds %q", foreign)
		}
	}
	u.leaves(owner)
}

// sees looks at the page.
func (u *person) sees(owner *person) {
	t := u.in.t
	t.Helper()
	profile := u.do(200, "GET", "/vpn-user/profile", nil)
	if profile.str("user_name") != u.name || profile.str("client") != owner.ids["ssl-clients"] || profile.str("serial") == "" || profile.str("token_kind") != "totp" {
		t.Errorf("the profile: got %s", profile)
	}
	if strings.Contains(profile.text, u.password) || strings.Contains(profile.text, "canary-owner@") {
		t.Error("the profile tells too much")
	}
	if a := u.do(200, "GET", "/vpn-user/sessions", nil); a.str("items.source_ip") != "203.0.113.7" || a.str("items.id") != owner.ids["vpn-sessions"] {
		t.Errorf("the sessions: got %s", a)
	}
	if a := u.do(200, "GET", "/vpn-user/acts", nil); a.str("items.kind") != "addresses_read" || !strings.Contains(a.text, `"secret_read"`) || a.str("items.by") != "administrator" {
		t.Errorf("the acts: got %s", a)
	}
	if a := u.do(200, "GET", "/vpn-user/reads", nil); !strings.Contains(a.text, `"administrator"`) || !strings.Contains(a.text, "vpn_client.password_sealed") {
		t.Errorf("the reads: got %s", a)
	}
	for _, table := range []string{"fleet_session", "vpn_client", "vpn_certificate", "audit_read", "vpn_act"} {
		if a := u.do(200, "GET", "/vpn-user/data", nil); !strings.Contains(a.text, `"`+table+`"`) {
			t.Errorf("what is held lacks %s: %s", table, a)
		}
		u.do(200, "GET", "/vpn-user/data/"+table, nil)
	}
	for _, table := range []string{"account_person", "order_order", "vpn_gateway"} {
		if a := u.try("GET", "/vpn-user/data/"+table, nil, id.Random(5)); a.status != http.StatusNotFound {
			t.Errorf("%s of the customer: got %s", table, a)
		}
	}
	index := u.do(200, "GET", "/vpn-user/reads", nil).json["items"].([]any)[0].(map[string]any)["log_index"]
	u.do(200, "GET", "/vpn-user/log-proof?index="+number(index), nil)
}

// export asks and takes a copy away.
func (u *person) export() string {
	t := u.in.t
	t.Helper()
	asked := u.do(201, "POST", "/vpn-user/requests", object{"kind": "correct", "words": "why is it kept?"})
	if asked.str("due_at") == "" || asked.str("channel") != "vpn_user" {
		t.Errorf("got %s", asked)
	}
	u.do(200, "GET", "/vpn-user/requests/"+asked.str("id"), nil)
	if a := u.try("POST", "/vpn-user/requests", object{"kind": "cancel"}, "k"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("cancelling an account that is not theirs: got %s", a)
	}
	made := u.do(201, "POST", "/vpn-user/requests", object{"kind": "copy"}).str("id")
	u.in.drain()
	text := unzipped(t, []byte(u.do(200, "POST", "/vpn-user/requests/"+made+"/copy", nil).text))
	u.do(200, "POST", "/vpn-user/requests/"+asked.str("id")+"/withdraw", nil)
	if a := u.do(200, "GET", "/vpn-user/requests", nil); len(a.json["items"].([]any)) != 2 {
		t.Errorf("the requests: got %s", a)
	}
	return text
}

// leaves has everything of the user erased.
func (u *person) leaves(owner *person) {
	t := u.in.t
	t.Helper()
	if a := u.try("POST", "/vpn-user/erasure", object{"user_name": "somebody"}, "k"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without the name: got %s", a)
	}
	first := u.do(202, "POST", "/vpn-user/erasure", object{"user_name": u.name})
	if a := owner.do(200, "GET", "/ssl-clients/"+owner.ids["ssl-clients"], nil); a.str("state") != "disabled" {
		t.Errorf("at once: got %s", a)
	}
	again := u.do(202, "POST", "/vpn-user/erasure", object{"user_name": u.name})
	if again.str("request") != first.str("request") || again.str("erasure.id") != first.str("erasure.id") {
		t.Errorf("twice: got %s and %s", first, again)
	}
	u.in.erased(first.str("erasure.id"))
	if a := u.try("GET", "/vpn-user/profile", nil, ""); a.status != http.StatusUnauthorized {
		t.Errorf("afterwards: got %s", a)
	}
	u.session = ""
	if a := u.try("POST", "/vpn-user/session", object{"server": u.ids["ssl-servers"], "user_name": u.name, "password": u.password}, ""); a.str("code") != "vpn.user_login" {
		t.Errorf("signing in again: got %s", a)
	}
	u.in.holds(u.do(200, "GET", "/erasures/"+first.str("erasure.id")+"/certificate", nil).text)
	owner.do(404, "GET", "/ssl-clients/"+owner.ids["ssl-clients"], nil)
	if a := owner.do(200, "GET", "/notices", nil); !strings.Contains(a.text, "vpn.client_left") {
		t.Errorf("the administrator is not told: %s", a)
	}
	if left := u.in.places(u.name); len(left) > 0 {
		t.Errorf("the login name is left in %v", left)
	}
}

// Nothing but the page opens to a VPN user, by cookie or header, and the page to
// nobody else.
func TestNoVPNUserReachesARouteOfOthers(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner, boss := in.customer("alice", 1), in.boss()
	u := owner.vpnUser()
	d, theirs, others := in.describe(), 0, 0
	for _, o := range d.operations {
		path, _ := o.target("x")
		body := d.body(o)
		switch {
		case o.vpnUser():
			theirs++
			for who, session := range map[string]string{"nobody": "", "a customer": owner.session, "staff": boss.session, "an invented user": "vpnu_" + strings.Repeat("a", 52)} {
				wantProblem(t, who+": "+o.String(), in.send(session, o.method, path, body), 401, "")
			}
			wantProblem(t, "by header: "+o.String(), in.send("", o.method, path, body, "Authorization", "Bearer "+u.session), 401, "api.unauthenticated")
		case len(o.Security) > 0:
			others++
			wantProblem(t, "a VPN user: "+o.String(), in.send(u.session, o.method, path, body), 401, "api.unauthenticated")
			wantProblem(t, "a VPN user by header: "+o.String(), in.send("", o.method, path, body, "Authorization", "Bearer "+u.session), 401, "api.unauthenticated")
		}
	}
	if theirs < 15 || others < 100 {
		t.Errorf("the walk saw %d routes of users and %d of others", theirs, others)
	}
	wantProblem(t, "a VPN user: events", in.send(u.session, "GET", "/api/v1/events", ""), 401, "api.unauthenticated")
	u.do(200, "GET", "/vpn-user/profile", nil)
}

// A VPN user who has an id of another's gets nothing by it, and no list tells of
// another: the walk over all routes, as among customers.
func TestNoVPNUserReachesAnothersThings(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner, other := in.customer("alice", 1), in.customer("mallory", 2)
	victim, mallory := owner.vpnUser(), other.vpnUser()
	owner.usedDevice(victim)
	for _, u := range []*person{victim, mallory} {
		u.ids["requests"] = u.do(201, "POST", "/vpn-user/requests", object{"kind": "explain", "words": "mine alone"}).str("id")
		u.ids["incident-notices"] = u.do(200, "GET", "/vpn-user/incident-notices", nil).str("items.id")
	}
	victim.ids["devices"] = victim.do(200, "GET", "/vpn-user/devices", nil).str("items.id")
	index := number(victim.do(200, "GET", "/vpn-user/reads", nil).json["items"].([]any)[0].(map[string]any)["log_index"])
	victim.do(200, "GET", "/vpn-user/log-proof?index="+index, nil)
	wantProblem(t, "another's entry of the log", mallory.try("GET", "/vpn-user/log-proof?index="+index, nil, ""), 404, "")
	d, ids := in.describe(), 0
	before := victim.photograph(d)
	for _, o := range d.operations {
		if _, has := o.target("x"); has && o.vpnUser() {
			ids++
		}
		mallory.reachFor(victim, d, o)
	}
	if after := victim.photograph(d); after != before || !strings.Contains(before, "mine alone") {
		t.Errorf("the attack changed the victim's things:\n%s\n%s", before, after)
	}
	if ids < 5 {
		t.Errorf("the walk saw %d routes with an id", ids)
	}
	for _, o := range d.operations {
		victim.reachOwn(d, o)
	}
}

// usedDevice has the user of the person's SSL client come with a device that
// waits for approval.
func (p *person) usedDevice(u *person) {
	p.in.t.Helper()
	p.do(200, "PATCH", "/ssl-clients/"+p.ids["ssl-clients"], object{"device_approval": true})
	c := p.gateway().dial(p.in.t, 7)
	status, text, err := c.answer("username", u.name, "password", u.password)
	if err != nil || !strings.Contains(text, "waits for your administrator") {
		p.in.t.Fatalf("the device does not wait: got %d %s, %v", status, text, err)
	}
}

// There is no way to another VPN password but by the administrator, who says why,
// and the user reads it (clause TY-2.3).
func TestAVPNPasswordIsResetByTheAdministratorAlone(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("alice", 1)
	u := owner.vpnUser()
	for _, o := range in.describe().operations {
		asks := strings.Contains(o.path, "password") || strings.Contains(o.path, "secret") || strings.Contains(o.path, "totp") || strings.Contains(o.ID, "reset")
		if asks && o.vpnUser() {
			t.Errorf("%s is there for a VPN user", o)
		}
	}
	for _, path := range []string{"/vpn-user/password", "/vpn-user/reset-password", "/vpn-user/secret", "/vpn-user/totp", "/vpn-user/password-resets"} {
		for _, session := range []string{u.session, ""} {
			wantProblem(t, path, in.send(session, "POST", "/api/v1"+path, "{}"), 404, "api.not_found")
		}
	}
	at := "/ssl-clients/" + owner.ids["ssl-clients"] + "/reset-password"
	if a := owner.try("POST", at, object{}, "k"); a.str("code") != "vpn.reset_reason" {
		t.Errorf("without a reason: got %s", a)
	}
	owner.do(200, "POST", at, object{"password": "Blue-Kettle-42", "reason": "other", "reason_text": "you asked by phone"})
	if a := u.try("GET", "/vpn-user/acts", nil, ""); a.status != http.StatusUnauthorized {
		t.Errorf("the session of the old password: got %s", a)
	}
	u.password = "Blue-Kettle-42"
	u.enter()
	a := u.do(200, "GET", "/vpn-user/acts", nil)
	if a.str("items.kind") != "password_reset" || a.str("items.reason") != "other" || a.str("items.words") != "you asked by phone" {
		t.Errorf("got %s", a)
	}
}

// A notice of an incident is before a VPN user when they sign in, and reading it
// counts as reached.
func TestAnIncidentReachesAVPNUserOnTheirPage(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("alice", 1) // an incident of the account was told of
	u := owner.vpnUser()
	notice := u.do(200, "GET", "/vpn-user/incident-notices", nil).str("items.id")
	if notice == "" {
		t.Fatal("no notice")
	}
	g := owner.gateway()
	if told := g.notices(t, 0, u); told != "1" {
		t.Errorf("before it is read the client is told of %q", told)
	}
	u.do(204, "POST", "/vpn-user/incident-notices/"+notice+"/seen", nil)
	if told := g.notices(t, 1, u); told != "" {
		t.Errorf("after it was read the client is told of %q", told)
	}
	if a := u.do(200, "GET", "/vpn-user/incident-notices", nil); a.str("items.seen_at") == "" {
		t.Errorf("got %s", a)
	}
	if a := u.try("POST", "/vpn-user/incident-notices/ntc_x/seen", nil, ""); a.status != http.StatusNotFound {
		t.Errorf("another's: got %s", a)
	}
}
