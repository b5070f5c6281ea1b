package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// operation is a route as the API's own description tells it.
type operation struct {
	method, path string
	ID           string                              `json:"operationId"`
	Security     []map[string]any                    `json:"security"`
	Parameters   []parameter                         `json:"parameters"`
	RequestBody  *struct{ Content map[string]media } `json:"requestBody"`
}

type parameter struct {
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
	Schema   schema `json:"schema"`
}

type media struct {
	Schema schema `json:"schema"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Enum       []any             `json:"enum"`
	Examples   []any             `json:"examples"`
	Minimum    float64           `json:"minimum"`
	MinLength  int               `json:"minLength"`
	Format     string            `json:"format"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// description is the API's description, read from the API.
type description struct {
	operations []operation
	schemas    map[string]schema
}

func (in *rig) describe() description {
	in.t.Helper()
	a := in.send("", "GET", "/api/v1/openapi.json", "")
	var all struct {
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]schema }
	}
	must(in.t, json.Unmarshal([]byte(a.text), &all))
	d := description{schemas: all.Components.Schemas}
	for path, methods := range all.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			d.operations = append(d.operations, o)
		}
	}
	// Reading first, ending last: so each thing is there when it is attacked.
	rank := map[string]string{"GET": "0", "POST": "1", "PATCH": "2", "PUT": "3", "DELETE": "4"}
	slices.SortFunc(d.operations, func(a, b operation) int { return strings.Compare(rank[a.method]+a.path, rank[b.method]+b.path) })
	return d
}

func (o operation) String() string { return o.method + " " + o.path }
func (o operation) staff() bool    { return strings.HasPrefix(o.path, "/api/v1/admin/") }
func (o operation) signedIn() bool { return len(o.Security) > 0 && !o.vpnUser() }
func (o operation) resource() string {
	parts := strings.Split(o.path+"//", "/")
	if (parts[3] == "me" || parts[3] == "vpn-user") && parts[4] != "" {
		return parts[4]
	}
	return parts[3]
}

// example is a value that the schema allows.
func (d description) example(s schema) any {
	if s.Ref != "" {
		return d.example(d.schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]])
	}
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind, ok := s.Type.(string)
	if kinds, many := s.Type.([]any); !ok && many {
		kind, _ = kinds[0].(string)
	}
	switch kind {
	case "object":
		o := map[string]any{}
		for _, name := range s.Required {
			o[name] = d.example(s.Properties[name])
		}
		return o
	case "array":
		return []any{}
	case "boolean":
		return true
	case "integer", "number":
		return max(s.Minimum, 1)
	}
	if s.Format == "date-time" {
		return "2030-01-01T00:00:00Z"
	}
	return strings.Repeat("x", max(s.MinLength, 8))
}

// body is a request body that passes the description, or nothing.
func (d description) body(o operation) string {
	if o.RequestBody == nil {
		return ""
	}
	raw, err := json.Marshal(d.example(o.RequestBody.Content["application/json"].Schema))
	if err != nil {
		panic(err) // the description came as JSON
	}
	return string(raw)
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// notIDs are path parameters that name no one's thing.
var notIDs = []string{"purpose", "document", "version", "table"}

// target is the route's address with an id in it, and whether it has one.
func (o operation) target(id string) (path string, has bool) {
	path = placeholder.ReplaceAllStringFunc(o.path, func(p string) string {
		if slices.Contains(notIDs, strings.Trim(p, "{}")) {
			return "realname"
		}
		has = true
		return id
	})
	sep := "?"
	for _, q := range o.Parameters {
		if q.In == "query" && q.Required {
			path += sep + q.Name + "=0"
			sep = "&"
		}
	}
	return path, has
}

// wantProblem holds a refusal to its form: RFC 9457, a status, a stable code,
// and a sentence in the language that was asked for.
func wantProblem(t *testing.T, what string, a answer, status int, code string) {
	t.Helper()
	got, _ := a.json["code"].(string)
	title, _ := a.json["title"].(string)
	if a.status != status || (code != "" && got != code) {
		t.Errorf("%s: got %s, want %d %s", what, a, status, code)
		return
	}
	if a.header.Get("Content-Type") != "application/problem+json" || got == "" || title == "" || title == got || !ascii(title) {
		t.Errorf("%s: no translated problem document: %s %s", what, a.header.Get("Content-Type"), a)
	}
	fields, _ := a.json["problems"].([]any)
	for _, f := range fields {
		if message, _ := f.(map[string]any)["message"].(string); message == "" || strings.Contains(message, "expected") {
			t.Errorf("%s: a field's problem is not translated: %q", what, message)
		}
	}
	if zh := i18n.Text(i18n.Chinese, got, nil); zh == got || ascii(zh) {
		t.Errorf("%s: code %s has no Chinese text: %q", what, got, zh)
	}
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x2fff }) // typographic quotes may be
}

// TestEveryRouteRefusesWhoMayNot walks the API's own description, so that a new
// route is attacked from the day it exists.
func TestEveryRouteRefusesWhoMayNot(t *testing.T) {
	t.Parallel()
	in := install(t)
	alice, mallory, operator := in.customer("alice", 1), in.customer("mallory", 2), in.operator()
	d := in.describe()
	if len(d.operations) < 70 {
		t.Fatalf("the description has %d operations, want all", len(d.operations))
	}
	alice.ids["refunds"] = alice.do(201, "POST", "/orders/"+alice.ids["orders"]+"/refunds", object{"target": "original"}).str("number")
	in.drain() // the notice of it
	before := alice.photograph(d)
	for _, o := range d.operations {
		path, _ := o.target("x")
		body := d.body(o)
		if o.signedIn() {
			wantProblem(t, "nobody: "+o.String(), in.send("", o.method, path, body), 401, "api.unauthenticated")
			wantProblem(t, "an invented session: "+o.String(), in.send("sess_"+strings.Repeat("A", 40), o.method, path, body), 401, "")
		}
		if o.staff() {
			wantProblem(t, "a customer: "+o.String(), in.send(mallory.session, o.method, path, body), 403, "api.forbidden")
			wantProblem(t, "staff without second factor: "+o.String(), in.send(operator.session, o.method, path, body), 403, "api.forbidden")
		}
	}
	// The event stream is outside the library, and so of the description.
	wantProblem(t, "nobody: events", in.send("", "GET", "/api/v1/events", ""), 401, "api.unauthenticated")
	for _, o := range d.operations {
		mallory.reachFor(alice, d, o)
	}
	if after := alice.photograph(d); after != before {
		t.Errorf("the attack changed alice's things:\n%s\n%s", before, after)
	}
	for _, o := range d.operations {
		alice.reachOwn(d, o)
	}
}

// open reports whether a route is for people of this kind.
func (p *person) open(o operation) bool {
	if p.user {
		return o.vpnUser()
	}
	return o.signedIn() && !o.staff()
}

// reachFor tries a route with another's id, and reads every list.
func (p *person) reachFor(victim *person, d description, o operation) {
	t := p.in.t
	t.Helper()
	path, has := o.target(victim.ids[o.resource()])
	switch {
	case !p.open(o):
	case has && victim.ids[o.resource()] == "":
		t.Errorf("%s: give customer() one of %s, so that this route is attacked", o, o.resource())
	case has:
		wantProblem(t, "another's id: "+o.String(), p.in.send(p.session, o.method, path, d.body(o)), 404, "")
	case o.method == "GET":
		p.reads(victim, o.String(), path)
		for _, q := range o.Parameters {
			if id := victim.ids[filters[q.Name]]; q.In == "query" && id != "" {
				p.reads(victim, o.String()+" by "+q.Name, path+"?"+q.Name+"="+id)
			}
		}
	}
}

// filters are the query parameters that take an id, and whose.
var filters = map[string]string{"gateway": "vpn-gateways", "client": "ssl-clients", "server": "ssl-servers", "order": "orders", "cursor": "orders"}

// reads asks for a list and looks for anything of another person in it.
func (p *person) reads(victim *person, what, path string) {
	p.in.t.Helper()
	a := p.in.send(p.session, "GET", path, "")
	if a.status != http.StatusOK {
		wantProblem(p.in.t, what, a, a.status, "")
	}
	for kind, id := range victim.ids {
		if strings.Contains(a.text, id) {
			p.in.t.Errorf("%s told %s's %s: %s", what, victim.name, kind, a)
		}
	}
	if strings.Contains(a.text, victim.name) {
		p.in.t.Errorf("%s told of %s: %s", what, victim.name, a)
	}
}

// innerCodes are what is answered where an id names something within the thing of
// another id, and there is none.
var innerCodes = map[string]string{"{device}": "vpn.device_not_found", "{file}": "ticket.file_not_found"}

func lastID(path string) string {
	all := placeholder.FindAllString(path, -1)
	if len(all) < 2 {
		return ""
	}
	return all[len(all)-1]
}

// reachOwn is the control of the attack: with the owner's session the same
// request is not a 404, so the ids were right.
func (p *person) reachOwn(d description, o operation) {
	p.in.t.Helper()
	path, has := o.target(p.ids[o.resource()])
	if !p.open(o) || !has {
		return
	}
	a := p.in.send(p.session, o.method, path, d.body(o))
	if code, nested := innerCodes[lastID(o.path)]; nested && a.status == http.StatusNotFound && a.str("code") == code {
		return // the outer thing was found; there is nothing in it by its own id
	}
	if a.status == http.StatusNotFound || a.status == http.StatusUnprocessableEntity && a.str("code") == "api.invalid_request" || a.status >= 500 {
		p.in.t.Errorf("the owner: %s: got %s", o, a)
	}
}

// requestID is what two refusals of the same thing differ in.
var requestID = regexp.MustCompile(`req_[a-z2-7]+`)

// photograph is everything that a person can read of their own things.
func (p *person) photograph(d description) string {
	p.in.t.Helper()
	var all []string
	for _, o := range d.operations {
		if path, has := o.target(p.ids[o.resource()]); has && o.method == "GET" && p.open(o) && !strings.HasSuffix(path, "/bundle") {
			all = append(all, fmt.Sprintf("%s: %s", o, requestID.ReplaceAllString(p.in.send(p.session, o.method, path, "").text, "req")))
		}
	}
	return strings.Join(all, "\n")
}

// TestEveryRouteRefusesMalformedBodies: too large, not JSON, of another type,
// with fields that nobody asked for.
func TestEveryRouteRefusesMalformedBodies(t *testing.T) {
	t.Parallel()
	in := install(t)
	who, d := in.customer("alice", 1), in.describe()
	user := who.vpnUser()
	for _, o := range d.operations {
		if o.RequestBody == nil || o.staff() {
			continue
		}
		path, _ := o.target("x")
		good := d.body(o)
		extra := strings.TrimSuffix(good, "}") + `,"discount":1,"price":"0.01"}`
		extra = strings.Replace(extra, "{,", "{", 1)
		for _, c := range []struct {
			what, body, kind string
			status           []int
		}{
			{"too large", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, "application/json", []int{413}},
			{"broken", `{"x":`, "application/json", []int{400}},
			{"not an object", `[1]`, "application/json", []int{422}},
			{"unknown fields", extra, "application/json", []int{422}},
			{"no JSON", good, "text/plain", []int{415}},
			{"a form", "a=b", "application/x-www-form-urlencoded", []int{415}},
			{"deep", strings.Repeat(`{"x":`, 20000) + "1" + strings.Repeat("}", 20000), "application/json", []int{400, 422}},
			{"no UTF-8", "{\"\xff\xfe\":1}", "application/json", []int{422}},
		} {
			for _, key := range []string{"", "key-" + o.ID + c.what} {
				session := who.session
				if o.vpnUser() {
					session = user.session
				}
				a := in.send(session, o.method, path, c.body, "Content-Type", c.kind, "Idempotency-Key", key)
				if !slices.Contains(c.status, a.status) {
					t.Errorf("%s: %s (key %q): got %s, want %d", c.what, o, key, a, c.status)
					continue
				}
				wantProblem(t, c.what+": "+o.String(), a, a.status, "")
			}
		}
	}
}
