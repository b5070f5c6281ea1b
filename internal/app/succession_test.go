package app

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const successionsPath = "/admin/successions"

// successor is who takes the business over.
type successor struct {
	private ed25519.PrivateKey
	key     string
}

func newSuccessor(t *testing.T) successor {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	return successor{private, base64.StdEncoding.EncodeToString(public)}
}

func (s successor) transfer(change object) object {
	t := object{
		"successor": "Example Networks Ltd", "contact": "privacy@successor.example", "region": "CN-mainland", "key": s.key,
		"documents": []string{"platform"}, "change": "", "effective_at": time.Now().AddDate(0, 0, 8),
	}
	for k, v := range change {
		t[k] = v
	}
	return t
}

// signs asks for the statement and signs it.
func (s successor) signs(by *person, at string) string {
	by.in.t.Helper()
	text := by.do(200, "GET", at+"/statement", nil).str("text")
	return base64.StdEncoding.EncodeToString(ed25519.Sign(s.private, []byte(text)))
}

// dayIs moves the day of a transfer, which is at least a week away by the API.
func (in *rig) dayIs(transfer string, at time.Time) {
	in.t.Helper()
	must(in.t, in.stores.main.InTx(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), "UPDATE succession_transfer SET effective_at = $1 WHERE id = $2", db.Micros(at), transfer)
		return err
	}))
}

// comes has the jobs of the day run until the transfer has a state.
func (in *rig) comes(by *person, at, state string) {
	in.t.Helper()
	look, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for {
		must(in.t, in.modules.succession.Day(context.Background()))
		got := stateOf(by, at)
		switch got {
		case state:
			return
		case "announced", "signed", "handing_over":
		default:
			in.t.Fatalf("the transfer is %s, want %s", got, state)
		}
		select {
		case <-look.C:
		case <-late:
			in.t.Fatalf("the transfer stays %s, want %s", got, state)
		}
	}
}

// stateOf finds a transfer in the list.
func stateOf(by *person, at string) string {
	for _, x := range by.do(200, "GET", successionsPath, nil).json["items"].([]any) {
		if t := x.(map[string]any); successionsPath+"/"+t["id"].(string) == at {
			return t["state"].(string)
		}
	}
	return ""
}

// renewal tells whether the platform's policy waits for a new act.
func (p *person) renewal() bool {
	p.in.t.Helper()
	for _, x := range p.do(200, "GET", "/consents", nil).json["states"].([]any) {
		if s := x.(map[string]any); s["purpose"] == "platform_policy" {
			return s["renewal"] == true && s["open"] == false
		}
	}
	p.in.t.Error("the platform's policy is not among the consents")
	return false
}

// A successor that signed the policies gets what is held, recorded for each
// person; people are told before, and asked nothing.
func TestASuccessorSignsThePoliciesThroughTheAPI(t *testing.T) {
	t.Parallel()
	in := install(t)
	s := newSuccessor(t)
	alice, bob := in.register("alice"), in.register("bob")
	first, second, desk := in.guard(), in.hired("deputy", account.RoleSecurity), in.boss()
	for what, c := range map[string]struct {
		change object
		code   string
	}{
		"too soon":        {object{"effective_at": time.Now().AddDate(0, 0, 6)}, "succession.day"},
		"no key":          {object{"key": "x"}, "succession.key"},
		"no document":     {object{"documents": []string{}}, "succession.documents"},
		"a line too many": {object{"successor": "A\ndocument platform"}, "succession.incomplete"},
	} {
		wantProblem(t, what, first.try("POST", successionsPath, s.transfer(c.change), id.Random(5)), 422, c.code)
	}
	wantProblem(t, "the desk announces", desk.try("POST", successionsPath, s.transfer(nil), id.Random(5)), 403, "api.forbidden")
	transfer := first.do(201, "POST", successionsPath, s.transfer(nil)).str("id")
	at := successionsPath + "/" + transfer
	in.drain()
	if a := alice.do(200, "GET", "/notices", nil); !strings.Contains(a.text, "Example Networks Ltd") || !strings.Contains(a.text, "privacy@successor.example") {
		t.Errorf("people are not told: %s", a)
	}
	wantProblem(t, "another at once", first.try("POST", successionsPath, s.transfer(nil), id.Random(5)), 409, "succession.other")
	wantProblem(t, "a signature of another", first.try("POST", at+"/sign", object{"signature": newSuccessor(t).signs(first, at)}, id.Random(5)), 422, "succession.signature")
	wantProblem(t, "before the day", second.try("POST", at+"/hand-over", nil, id.Random(5)), 451, "succession.unsigned")
	in.dayIs(transfer, time.Now().Add(3*time.Second))
	text := first.do(200, "GET", at+"/statement", nil).str("text")
	if hash := alice.do(200, "GET", "/policies/platform", nil).str("sha256"); hash == "" || !strings.Contains(text, hash) {
		t.Errorf("the statement lacks the digest of the policy in force: %s", text)
	}
	if a := first.do(200, "POST", at+"/sign", object{"signature": s.signs(first, at)}); a.str("state") != "signed" {
		t.Errorf("signed: got %s", a)
	}
	in.comes(first, at, "effective")
	if alice.renewal() || bob.renewal() {
		t.Error("people are asked again, though nothing changes")
	}
	wantProblem(t, "who announced it hands over", first.try("POST", at+"/hand-over", nil, id.Random(5)), 403, "succession.same_person")
	second.do(200, "POST", at+"/hand-over", nil)
	in.drain()
	in.comes(first, at, "handed_over")
	for _, p := range []*person{alice, bob} {
		a := p.do(200, "GET", "/disclosures", nil)
		if n := strings.Count(a.text, `"successor"`); n != 1 || !strings.Contains(a.text, "Example Networks Ltd") || !strings.Contains(a.text, "contact.email") {
			t.Errorf("%s's register has %d transfers: %s", p.name, n, a)
		}
	}
	wantProblem(t, "the person asks the desk", alice.try("GET", successionsPath, nil, ""), 403, "api.forbidden")
}

// Without a signature every consent waits for a new act, and the person's own act
// opens it for that person alone.
func TestAnUnsignedSuccessionAsksEverybodyAnew(t *testing.T) {
	t.Parallel()
	in := install(t)
	s := newSuccessor(t)
	alice, bob := in.register("alice"), in.register("bob")
	first, second := in.guard(), in.hired("deputy", account.RoleSecurity)
	transfer := first.do(201, "POST", successionsPath, s.transfer(nil)).str("id")
	at := successionsPath + "/" + transfer
	signature := s.signs(first, at)
	first.do(200, "POST", at+"/sign", object{"signature": signature})
	in.drain()
	// The day that the row names now is not the one that was signed.
	in.dayIs(transfer, time.Now())
	in.comes(first, at, "lapsed")
	wantProblem(t, "afterwards", second.try("POST", at+"/hand-over", nil, id.Random(5)), 451, "succession.unsigned")
	if !alice.renewal() || !bob.renewal() {
		t.Error("the consents do not wait for a new act")
	}
	token := alice.do(200, "GET", "/consent-prompts/platform_policy", nil).str("token")
	alice.do(201, "POST", "/consents", object{"token": token, "decision": "grant", "adult": true})
	if alice.renewal() || !bob.renewal() {
		t.Error("the act of one person does not open that person's consents alone")
	}
	if a := alice.do(200, "GET", "/disclosures", nil); strings.Contains(a.text, `"successor"`) {
		t.Errorf("something was handed over: %s", a)
	}
}
