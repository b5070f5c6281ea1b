package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// hired is a member of the staff with the permissions of roles and a second
// factor.
func (in *rig) hired(name string, roles ...account.Role) *person {
	in.t.Helper()
	p := &person{in: in, name: name, password: id.Random(15), ids: map[string]string{}}
	_, err := in.modules.account.EnsureStaff(context.Background(), account.Staff{
		Name: name, Password: p.password, Email: name + "@example.org", Permissions: account.PermissionsOf(roles...),
	})
	must(in.t, err)
	p.signIn()
	return p.enrolled()
}

// authority is who orders: a key pair in files.
type authority struct{ dir string }

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t.TempDir()}
	must(t, OrderKey(a.key(), io.Discard))
	return a
}

func (a authority) key() string { return filepath.Join(a.dir, "key") }

// order is what staff enter for somebody's name and address, with changes.
func (a authority) order(t *testing.T, about *person, change object) object {
	t.Helper()
	line, err := os.ReadFile(a.key() + ".pub")
	must(t, err)
	scan := []byte("%PDF-1.7 an order")
	sum, now := sha256.Sum256(scan), time.Now()
	o := object{
		"authority": "A public security bureau", "jurisdiction": "CN", "doc_no": "2026-17", "law": "CSL 28", "scan": scan, "scan_sha256": hex.EncodeToString(sum[:]),
		"authority_key": string(line), "expires": now.AddDate(0, 1, 0),
		"scope": object{
			"subjects": []string{string(about.self().Handle)}, "categories": []string{"contact.email", "account.name"},
			"from": now.AddDate(0, -1, 0), "until": now.AddDate(0, 0, 7),
		},
	}
	for k, v := range change {
		o[k] = v
	}
	return o
}

// opens decrypts the answer to an order as the authority does: all files as one
// text.
func (a authority) opens(t *testing.T, order string, content string) (all string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(content)
	must(t, err)
	sealed, plain := filepath.Join(a.dir, order), filepath.Join(a.dir, order+".zip")
	must(t, os.WriteFile(sealed, raw, 0o600))
	must(t, OpenOrder(a.key(), order, sealed, plain))
	outer, err := os.ReadFile(plain)
	must(t, err)
	z, err := zip.NewReader(bytes.NewReader(outer), int64(len(outer)))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		if strings.HasSuffix(f.Name, ".zip") {
			text = []byte(unzipped(t, text))
		}
		all += f.Name + "\n" + string(text) + "\n"
	}
	return all
}

const ordersPath = "/admin/legal-orders"

// An order goes through the desk, two of the security administration, and the
// desk again; its person reads what was told, and nobody else is in it.
func TestAnOrderOfAnAuthorityThroughTheAPI(t *testing.T) {
	t.Parallel()
	in := install(t)
	a := newAuthority(t)
	alice, bob := in.register("canary-alice"), in.register("canary-bob")
	desk, first, second := in.boss(), in.guard(), in.hired("deputy", account.RoleSecurity)

	for what, c := range map[string]struct {
		change object
		status int
		code   string
	}{
		"another scan than its digest":  {object{"scan": []byte("another")}, 422, "legalorder.document"},
		"no scan":                       {object{"scan": []byte{}}, 422, "legalorder.document"},
		"a foreign one without a paper": {object{"jurisdiction": "US"}, 451, "legalorder.foreign"},
		"one that has ended":            {object{"expires": time.Now().Add(-time.Hour)}, 422, "legalorder.days"},
		"hidden without a law":          {object{"suppress_until": time.Now().Add(time.Hour)}, 422, "legalorder.incomplete"},
		"somebody who is not here":      {object{"accounts": []string{"acc_nobody"}}, 422, "legalorder.scope"},
		"no key to seal for":            {object{"authority_key": "x"}, 422, "legalorder.key"},
	} {
		wantProblem(t, what, desk.try("POST", ordersPath, a.order(t, alice, c.change), id.Random(5)), c.status, c.code)
	}
	body := a.order(t, alice, nil)
	wantProblem(t, "security enters one", first.try("POST", ordersPath, body, id.Random(5)), 403, "api.forbidden")
	order := desk.do(201, "POST", ordersPath, body).str("id")
	at := ordersPath + "/" + order

	wantProblem(t, "the desk approves", desk.try("POST", at+"/approve", nil, id.Random(5)), 403, "api.forbidden")
	wantProblem(t, "the desk reads the scan", desk.try("GET", at+"/scan", nil, ""), 403, "api.forbidden")
	wantProblem(t, "without approvers", desk.try("POST", at+"/execute", object{}, id.Random(5)), 451, "legalorder.not_approved")
	if a := first.do(200, "GET", at+"/scan", nil); a.str("content") != base64.StdEncoding.EncodeToString([]byte("%PDF-1.7 an order")) {
		t.Errorf("the scan: got %s", a)
	}
	if a := first.do(200, "POST", at+"/approve", nil); a.str("state") != "entered" {
		t.Errorf("with one approver: got %s", a)
	}
	wantProblem(t, "the same approver again", first.try("POST", at+"/approve", nil, id.Random(5)), 403, "legalorder.same_person")
	wantProblem(t, "with one approver", desk.try("POST", at+"/execute", object{}, id.Random(5)), 451, "legalorder.not_approved")
	if a := second.do(200, "POST", at+"/approve", nil); a.str("state") != "approved" {
		t.Errorf("with two approvers: got %s", a)
	}
	wantProblem(t, "security executes", first.try("POST", at+"/execute", object{}, id.Random(5)), 403, "api.forbidden")
	wantProblem(t, "before the execution", desk.try("GET", at+"/package", nil, ""), 404, "legalorder.no_package")

	for what, part := range map[string]object{
		"another person":   {"subjects": []string{string(alice.self().Handle), string(bob.self().Handle)}},
		"another category": {"categories": []string{"contact.email", "net.ip"}},
		"earlier":          {"from": time.Now().AddDate(0, -2, 0)},
		"later":            {"until": time.Now().AddDate(0, 0, 8)},
	} {
		wantProblem(t, what, desk.try("POST", at+"/execute", part, id.Random(5)), 451, "legalorder.beyond_scope")
	}
	if a := alice.do(200, "GET", "/disclosures", nil); strings.Contains(a.text, order) {
		t.Errorf("a refused execution is in the register: %s", a)
	}
	done := desk.do(200, "POST", at+"/execute", object{})
	if done.str("state") != "executed" || done.str("package_sha256") == "" {
		t.Errorf("executed: got %s", done)
	}
	wantProblem(t, "a second time", desk.try("POST", at+"/execute", object{}, id.Random(5)), 409, "legalorder.state")
	wantProblem(t, "security takes the file", first.try("GET", at+"/package", nil, ""), 403, "api.forbidden")
	text := a.opens(t, order, desk.do(200, "GET", at+"/package", nil).str("content"))
	for _, want := range []string{"canary-alice@example.org", string(alice.self().Handle), "2026-17"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks %q", want)
		}
	}
	for _, beyond := range []string{"canary-bob", string(bob.self().Handle), "198.18.", alice.password, "consent_event"} {
		if strings.Contains(text, beyond) {
			t.Errorf("the file has %q", beyond)
		}
	}
	alice.toldOf(order)
	for _, path := range []string{"/disclosures", "/reads"} {
		if a := bob.do(200, "GET", path, nil); strings.Contains(a.text, order) {
			t.Errorf("another person's %s: %s", path, a)
		}
	}
	for _, o := range []string{"", "/" + order, "/" + order + "/scan", "/" + order + "/package"} {
		wantProblem(t, "the person asks the desk's "+o, alice.try("GET", ordersPath+o, nil, ""), 403, "api.forbidden")
	}
}

// toldOf wants an order in the person's register and read log, provable.
func (p *person) toldOf(order string) {
	t := p.in.t
	t.Helper()
	sent := p.do(200, "GET", "/disclosures", nil).json["items"].([]any)
	i := slices.IndexFunc(sent, func(x any) bool { return x.(map[string]any)["order"] == order })
	if i < 0 {
		t.Fatalf("the register lacks the order: %v", sent)
	}
	d := sent[i].(map[string]any)
	if d["role"] != "authority" || d["phase"] != "done" || d["legal_name"] != "A public security bureau" || d["basis"] != "duty" {
		t.Errorf("the register says %v", d)
	}
	if names, _ := d["fields"].([]any); !slices.Contains(names, any("account_person.email")) || strings.Contains(strings.Join(texts(names), " "), "@") {
		t.Errorf("the register names %v", d["fields"])
	}
	p.do(200, "GET", "/audit-log/proof?index="+number(d["log_index"]), nil)
	if a := p.do(200, "GET", "/reads", nil); !strings.Contains(a.text, `"authority"`) || !strings.Contains(a.text, order) {
		t.Errorf("the reads lack the order: %s", a)
	}
}

func texts(all []any) (out []string) {
	for _, v := range all {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// What an order with a law and a day has done is not shown before that day.
func TestAnOrderWithADayIsNotShownBeforeIt(t *testing.T) {
	t.Parallel()
	in := install(t)
	a := newAuthority(t)
	alice, desk := in.register("alice"), in.boss()
	order := desk.do(201, "POST", ordersPath, a.order(t, alice, object{"suppress_until": time.Now().AddDate(0, 0, 7), "suppress_law": "CSL 28"})).str("id")
	for _, p := range []*person{in.guard(), in.hired("deputy", account.RoleSecurity)} {
		p.do(200, "POST", ordersPath+"/"+order+"/approve", nil)
	}
	before := alice.do(200, "GET", "/reads", nil).text + alice.do(200, "GET", "/disclosures", nil).text
	desk.do(200, "POST", ordersPath+"/"+order+"/execute", object{})
	after := alice.do(200, "GET", "/reads", nil).text + alice.do(200, "GET", "/disclosures", nil).text
	if strings.Contains(after, order) || after != before {
		t.Errorf("shown before its day: %s", after)
	}
	if text := alice.copy(alice.self()); strings.Contains(text, order) {
		t.Error("the copy tells of the order before its day")
	}
}

// Of fifty that approve at once one counts for each person.
func TestFiftyApproveAnOrderAtOnce(t *testing.T) {
	t.Parallel()
	in := install(t)
	a := newAuthority(t)
	alice, desk, first, second := in.register("alice"), in.boss(), in.guard(), in.hired("deputy", account.RoleSecurity)
	for what, c := range map[string]struct {
		by    []*person
		state string
	}{
		"one person": {[]*person{first}, "entered"},
		"two people": {[]*person{first, second}, "approved"},
	} {
		at := ordersPath + "/" + desk.do(201, "POST", ordersPath, a.order(t, alice, nil)).str("id")
		if n := fifty(t, at+"/approve", c.by, "legalorder.same_person", "legalorder.state"); n != len(c.by) {
			t.Errorf("%s: %d approvals were taken, want %d", what, n, len(c.by))
		}
		got := desk.do(200, "GET", at, nil)
		if approvers := got.json["approvers"].([]any); got.str("state") != c.state || len(approvers) != len(c.by) {
			t.Errorf("%s: got %s", what, got)
		}
	}
	all := first.do(200, "GET", ordersPath, nil).json["items"].([]any)
	if len(all) != 2 {
		t.Errorf("%d orders, want 2", len(all))
	}
}

// fifty send one request at once, in turn by each person, and counts those that
// were taken; the others have one of the codes.
func fifty(t *testing.T, path string, by []*person, codes ...string) (taken int) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 50 {
		wg.Go(func() {
			got := by[i%len(by)].try("POST", path, nil, id.Random(10))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case got.status == http.StatusOK:
				taken++
			case !slices.Contains(codes, got.str("code")):
				t.Errorf("one of fifty: got %s", got)
			}
		})
	}
	wg.Wait()
	return taken
}
