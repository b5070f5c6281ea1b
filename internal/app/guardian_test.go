package app

import (
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// guardianActs are the tokens of what a guardian reads for a child.
func (p *person) guardianActs() object {
	return object{
		"consent_token":     p.do(200, "GET", "/consent-prompts/platform_policy", nil).str("token"),
		"child_rules_token": p.do(200, "GET", "/consent-prompts/child_rules", nil).str("token"),
	}
}

// needs is what is missing at a person's age.
func (p *person) needs() string { return p.do(200, "GET", "/me", nil).str("age.needs") }

// A guardian takes the consent back, another one comes with the child's code and
// closes the own account: each time the child's account shuts at once, the child
// is told, and who left has no say any more.
func TestGuardiansLeaveAndComeThroughTheAPI(t *testing.T) {
	t.Parallel()
	in := install(t)
	parent, aunt, mallory := in.register("parent"), in.register("canary-aunt"), in.register("mallory")
	for _, p := range []*person{parent, aunt, mallory} {
		p.confirmed()
	}
	kid := &person{in: in, name: "kid", password: id.Random(15), ids: map[string]string{}}
	entry := parent.guardianActs()
	entry["user_name"], entry["password"], entry["email"] = kid.name, kid.password, "kid@example.org"
	at := "/children/" + parent.do(201, "POST", "/children", entry).str("account")
	kid.signIn()
	if got := kid.needs(); got != "" {
		t.Fatalf("with a guardian the child needs %q", got)
	}
	wantProblem(t, "a code while there is a guardian", kid.try("POST", "/me/guardian-code", nil, id.Random(5)), 409, "age.guarded")
	wantProblem(t, "a stranger takes it back", mallory.try("POST", at+"/withdrawal", nil, id.Random(5)), 404, "age.not_found")

	parent.do(204, "POST", at+"/withdrawal", nil)
	if got := kid.needs(); got != "age.guardian_left" {
		t.Errorf("the child needs %q", got)
	}
	quote := object{"product": "vpn-gateway", "region": in.cfg.Node.Region, "cycle": 1, "options": object{"ssl_bandwidth": "5", "ssl_connections": "5"}}
	quote["quote_hash"] = parent.do(200, "POST", "/quotes", quote).str("quote_hash")
	quote["configuration"] = object{"name": "x", "network": "demo"}
	wantProblem(t, "the child orders", kid.try("POST", "/orders", quote, id.Random(5)), 403, "")
	in.drain()
	if a := kid.do(200, "GET", "/notices", nil); !strings.Contains(a.text, "age.guardian_left") {
		t.Errorf("the child is not told: %s", a)
	}
	kid.do(200, "GET", "/me/data", nil) // rights stay open
	if a := parent.do(200, "GET", "/children", nil); a.str("items.withdrawn_at") == "" {
		t.Errorf("the guardian reads %s", a)
	}
	if a := in.boss().do(200, "GET", "/admin/minors", nil); a.str("unguarded.cause") != "withdrew" || a.str("unguarded.restrict_at") == "" {
		t.Errorf("staff read %s", a)
	}

	code := kid.do(201, "POST", "/me/guardian-code", nil).str("code")
	takeOver := func(p *person, code string) answer {
		body := p.guardianActs()
		body["code"] = code
		return p.try("POST", "/guardianships", body, id.Random(10))
	}
	wantProblem(t, "an invented code", takeOver(mallory, "x"), 422, "age.guardian_code")
	if a := takeOver(aunt, code); a.status != 201 || "/children/"+a.str("account") != at {
		t.Fatalf("another guardian: got %s", a)
	}
	wantProblem(t, "the code again", takeOver(mallory, code), 422, "age.guardian_code")
	if got := kid.needs(); got != "" {
		t.Errorf("with another guardian the child needs %q", got)
	}
	if strings.Contains(in.log.String(), code) {
		t.Error("the log has the code")
	}
	wantProblem(t, "who left erases the child", parent.try("POST", at+"/erasure", nil, id.Random(5)), 404, "age.not_found")

	aunt.session = sessionOf(aunt.do(204, "POST", "/me/step-up", object{"password": aunt.password}))
	number := aunt.do(202, "POST", "/account-closure", object{"user_name": aunt.name}).str("id")
	if got := kid.needs(); got != "age.guardian_left" {
		t.Errorf("after the guardian closed the account, before it is erased, the child needs %q", got)
	}
	in.erased(number)
	if got := kid.needs(); got != "age.guardian_left" {
		t.Errorf("after the guardian was erased the child needs %q", got)
	}
	if left := in.places("canary-aunt@example.org"); len(left) > 0 {
		t.Errorf("the guardian's address is left in %v", left)
	}
	in.drain()
	if a := kid.do(200, "GET", "/notices", nil); strings.Count(a.text, `"age.guardian_left"`) != 2 {
		t.Errorf("the child is told once for each: %s", a)
	}
	again := kid.do(201, "POST", "/me/guardian-code", nil).str("code")
	if a := takeOver(parent, again); a.status != 201 {
		t.Errorf("the first guardian comes back: got %s", a)
	}
	if got := kid.needs(); got != "" {
		t.Errorf("in the end the child needs %q", got)
	}
}
