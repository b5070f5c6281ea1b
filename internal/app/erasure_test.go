package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// close has the person close their account, and the erasure run to its end.
func (p *person) close() (number string) {
	p.in.t.Helper()
	proof := object{"password": p.password}
	if p.recovery != "" {
		proof = object{"code": p.recovery}
	}
	p.session = sessionOf(p.do(204, "POST", "/me/step-up", proof))
	number = p.do(202, "POST", "/account-closure", object{"user_name": p.name}).str("id")
	p.in.erased(number)
	return number
}

// erased runs jobs and the node's reports until an erasure is done.
func (in *rig) erased(number string) {
	in.t.Helper()
	ctx := context.Background()
	for range 20 {
		in.drain()
		in.report()
		must(in.t, in.modules.erasure.Resume(ctx))
		c, err := in.modules.erasure.Case(ctx, number)
		must(in.t, err)
		if c.Step == erasure.Done {
			return
		}
	}
	d, err := in.modules.erasure.Detail(ctx, number)
	must(in.t, err)
	in.t.Fatalf("the erasure stands at %s: %s %v; %s", d.Step, d.Problem, d.Unsettled, in.log)
}

// The whole of an erasure by the public faces (clauses TY-3.2b, LT-4.3, LT-4.4,
// LT-4.5): the account is shut at once, its things end, rows and keys go, what a
// law keeps is named and locked, others are untouched, and the certificate is
// proven by the log.
func TestAClosedAccountIsErasedAndCertified(t *testing.T) {
	t.Parallel()
	in := install(t)
	p, other := in.customer("canary-closer", 1), in.customer("bystander", 2)
	me := p.self()
	ctx := context.Background()
	user, err := db.Get(ctx, in.stores.main, nil, db.One[string], "SELECT subject FROM vpn_client WHERE id = $1", p.ids["ssl-clients"])
	must(t, err)
	serial, err := db.Get(ctx, in.stores.main, nil, db.One[string], "SELECT serial FROM vpn_client WHERE id = $1", p.ids["ssl-clients"])
	must(t, err)
	canaries := []string{p.name + "@example.org", civilid.Complete("11000019900101001"), "laptop-" + p.name, serial}
	for _, c := range canaries[2:] {
		if !in.inFiles(c) {
			t.Fatalf("the search is blind: %q of a living person is not found", c)
		}
	}
	theirs := len(other.copy(other.self()))
	if copied := p.copy(me); !strings.Contains(copied, p.ids["invoices"]) {
		t.Errorf("the copy lacks the invoice %s", p.ids["invoices"])
	}

	plan := p.do(200, "GET", "/account-closure", nil).text
	for _, want := range []string{`"kind":"service"`, "account_person", "realname_verification", "order_order", "invoice_document", "ECL 31"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan lacks %s: %s", want, plan)
		}
	}
	if a := p.try("POST", "/account-closure", object{"user_name": "somebody"}, "k1"); a.status != 422 {
		t.Errorf("another name typed: %s, want 422", a)
	}
	number := p.close()

	for _, c := range canaries {
		if at := in.places(c); len(at) > 0 {
			t.Errorf("%q is in %v", c, at)
		}
	}
	// A child's name begins with the guardian's here, so the name is asked for whole.
	if n, err := db.Get(ctx, in.stores.main, nil, db.One[int64], "SELECT count(*) FROM account_person WHERE name = $1 OR subject = $2", p.name, string(me.Handle)); err != nil || n != 0 {
		t.Errorf("%d rows of the person, %v", n, err)
	}
	if a := p.try("GET", "/me", nil, "k2"); a.status != 401 {
		t.Errorf("the old session: %s, want 401", a)
	}
	if a := p.try("POST", "/login-sessions", object{"user_name": p.name, "password": p.password}, "k3"); a.status < 400 {
		t.Errorf("an erased person signs in: %s", a)
	}
	for _, class := range []string{"account_core", "realname_value", "realname_result"} {
		if gone, err := in.stores.vault.Destroyed(ctx, me.Handle, class); err != nil || !gone {
			t.Errorf("keys of class %s: destroyed %v, %v", class, gone, err)
		}
	}
	if len(other.copy(other.self())) < theirs {
		t.Error("another person lost something")
	}
	other.do(200, "GET", "/vpn-gateways/"+other.ids["vpn-gateways"], nil)

	of, err := in.modules.erasure.Of(ctx, id.Handle(user))
	if err != nil || of.Step != erasure.Done || of.Trigger != erasure.PurposeOver {
		t.Errorf("the user of the deleted client: step %s, trigger %s, %v; want done, because the purpose is over", of.Step, of.Trigger, err)
	}

	// The invoice stays as the law wants it, whole and provable, with no value of the person on it.
	kept, err := in.modules.invoice.GetAny(ctx, account.Principal{Staff: true, Permissions: []string{account.PermPaymentRead}}, p.ids["invoices"])
	must(t, err)
	if printed := fmt.Sprintf("%+v", kept); len(kept.Lines) == 0 || slices.ContainsFunc(append(canaries, p.name), func(c string) bool { return strings.Contains(printed, c) }) {
		t.Errorf("the invoice after the erasure: %s", printed)
	}
	if problems, err := in.modules.invoice.Prove(ctx); err != nil || len(problems) > 0 {
		t.Errorf("invoices after the erasure: %v, %v", problems, err)
	}

	nobody := &person{in: in, name: "nobody", ids: map[string]string{}}
	state := nobody.do(200, "GET", "/erasures/"+number, nil)
	if state.str("step") != "done" || state.str("effective_at") == "" || state.str("complete_at") <= state.str("effective_at") {
		t.Errorf("for whoever has the number: %s", state)
	}
	text := nobody.do(200, "GET", "/erasures/"+number+"/certificate", nil).text
	for _, c := range canaries {
		if strings.Contains(text, c) {
			t.Errorf("the certificate holds %q", c)
		}
	}
	var cert erasure.Certificate
	var says erasure.Statement
	must(t, json.Unmarshal([]byte(text), &cert))
	must(t, json.Unmarshal(cert.Statement, &says))
	if says.Scan.Values < 2 || says.Scan.Hits != 0 || says.Scan.Bytes == 0 || !slices.Contains(says.Destroyed, "account_person") || len(says.Kept) == 0 || len(says.Recipients) == 0 {
		t.Errorf("the statement says too little: %s", cert.Statement)
	}
	in.holds(text)
	in.holdsNot(strings.Replace(text, `"account_core"`, `"account_cors"`, 1), "statement")
	in.holdsNot(strings.Replace(text, `"hits":0`, `"hits":1`, 1), "statement")
}

// verify runs the verifier on a certificate, with the log's key.
func (in *rig) verify(text string) (string, error) {
	in.t.Helper()
	dir := in.t.TempDir()
	key, err := in.modules.audit.VerifierKey(context.Background())
	must(in.t, err)
	must(in.t, os.WriteFile(filepath.Join(dir, "log.pub"), []byte(key), 0o600))
	must(in.t, os.WriteFile(filepath.Join(dir, "certificate.json"), []byte(text), 0o600))
	out, err := exec.Command("go", "run", "github.com/skybridge-cloud/skybridge/cmd/skybridge-verify", "--key", filepath.Join(dir, "log.pub"), filepath.Join(dir, "certificate.json")).CombinedOutput()
	return string(out), err
}

func (in *rig) holds(text string) {
	in.t.Helper()
	if out, err := in.verify(text); err != nil || !strings.Contains(out, "none found") {
		in.t.Errorf("skybridge-verify: %v\n%s", err, out)
	}
}

func (in *rig) holdsNot(text, names string) {
	in.t.Helper()
	if out, err := in.verify(text); err == nil || !strings.Contains(out, names) {
		in.t.Errorf("a forged certificate: %v\n%s", err, out)
	}
}

// A value that is left anywhere keeps the certificate back, until it is gone
// (clause LT-4.3).
func TestWhatIsLeftAnywhereKeepsTheCertificateBack(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("leftover")
	left := filepath.Join(in.cfg.Data, "old-export.csv")
	must(t, os.WriteFile(left, []byte("name,mail\nx,"+strings.ToUpper(hex.EncodeToString([]byte("leftover@example.org")))+"\n"), 0o600))
	number := p.do(202, "POST", "/account-closure", object{"user_name": p.name}).str("id")
	ctx := context.Background()
	for range 3 {
		in.drain()
		must(t, in.modules.erasure.Resume(ctx))
	}
	c, err := in.modules.erasure.Case(ctx, number)
	if err != nil || c.Step != erasure.Scan || c.Problem != "scan_failed" || c.Certified() {
		t.Errorf("it stands at %s (%s), certified %v, %v; want it to wait for what the search found", c.Step, c.Problem, c.Certified(), err)
	}
	if !strings.Contains(in.log.String(), "old-export.csv") || strings.Contains(in.log.String(), "leftover@example.org") {
		t.Error("the log does not say where, or says what")
	}
	must(t, os.Remove(left))
	in.erased(number)
}

// Backups outside the data directory are searched as everything else; a place that
// is not on this machine is named in the certificate.
func TestBackupsElsewhereAreSearchedOrNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := assembled(t, func(cfg config.Config, s *stores, log *slog.Logger) (*modules, error) {
		cfg.Backup.Main.Directory, cfg.Backup.Keys.Directory = filepath.Join(dir, "main"), filepath.Join(dir, "not-mounted")
		for name, to := range map[string]*string{"a": &cfg.Backup.Main.PublicKeyFile, "b": &cfg.Backup.Keys.PublicKeyFile} {
			if err := BackupKey(filepath.Join(dir, name), io.Discard); err != nil {
				return nil, err
			}
			*to = filepath.Join(dir, name) + ".pub"
		}
		return assemble(cfg, s, hashing{hasher: password.NewHasherAt(4, 64), account: 64}, log)
	})
	p := in.register("far-away")
	must(t, os.MkdirAll(filepath.Join(dir, "main"), 0o700))
	left := filepath.Join(dir, "main", "main-old.skb")
	must(t, os.WriteFile(left, []byte("far-away@example.org"), 0o600))
	number := p.do(202, "POST", "/account-closure", object{"user_name": p.name}).str("id")
	ctx := context.Background()
	for range 3 {
		in.drain()
		must(t, in.modules.erasure.Resume(ctx))
	}
	if c, err := in.modules.erasure.Case(ctx, number); err != nil || c.Step != erasure.Scan || !strings.Contains(in.log.String(), "backup.main/main-old.skb") {
		t.Errorf("it stands at %s (%s), %v; want it to wait for what was found in a backup", c.Step, c.Problem, err)
	}
	must(t, os.Remove(left))
	in.erased(number)
	text := (&person{in: in, name: "nobody", ids: map[string]string{}}).do(200, "GET", "/erasures/"+number+"/certificate", nil).text
	if !strings.Contains(text, "backup.keys: not on this machine") || strings.Contains(text, "backup.main: not on this machine") {
		t.Errorf("the certificate does not name what was not searched, and that alone: %s", text)
	}
	in.holds(text)
}

// Asked for fifty times at once, it is one erasure (clause LT-4.5).
func TestAnErasureAskedForFiftyTimesIsOne(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("hasty")
	answers := make(chan answer, 50)
	for range cap(answers) {
		go func() { answers <- p.try("POST", "/account-closure", object{"user_name": p.name}, id.Random(8)) }()
	}
	numbers := map[string]bool{}
	for range cap(answers) {
		switch a := <-answers; a.status {
		case 202:
			numbers[a.str("id")] = true
		case 401: // the account was shut before
		default:
			t.Errorf("got %s", a)
		}
	}
	if len(numbers) != 1 {
		t.Errorf("%d erasures of one person", len(numbers))
	}
}

// Money that a person is owed holds the erasure up, until a member of staff says
// by which paper it was settled; the account is shut meanwhile.
// workingDays counts the whole working days after the day of asked and before due.
func workingDays(asked, due time.Time) (n int) {
	for d := civil.DayOf(asked).AddDays(1); d.Start().Before(due); d = d.AddDays(1) {
		if working, _ := civil.Published().Working(d); working {
			n++
		}
	}
	return n
}

// TestWhatAPersonIsOwedIsSettledFirst holds LT-4.4: whoever is owed something may
// leave too, gives nothing that is not held, and waits 15 working days at most.
func TestWhatAPersonIsOwedIsSettledFirst(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("creditor")
	in.credit(p, 1234)
	ctx := context.Background()
	p.session = sessionOf(p.do(204, "POST", "/me/step-up", object{"password": p.password}))
	// It takes nothing that is not held already: the name that the account has, and
	// nothing beside it.
	for _, more := range []string{"reason", "email", "phone", "name", "number"} {
		if a := p.try("POST", "/account-closure", object{"user_name": p.name, more: "x"}, "k-"+more); a.status/100 != 4 {
			t.Errorf("closing takes a %s: %s", more, a)
		}
	}
	if fields := reflect.TypeFor[api.NewClosure](); fields.NumField() != 1 || fields.Field(0).Name != "UserName" {
		t.Errorf("closing takes %d fields", fields.NumField())
	}
	if a := p.try("POST", "/account-closure", object{"user_name": p.name + "x"}, "k-other"); a.status/100 != 4 {
		t.Errorf("closing takes a name that is not held: %s", a)
	}
	number := p.do(202, "POST", "/account-closure", object{"user_name": p.name}).str("id")
	in.drain()
	must(t, in.modules.erasure.Resume(ctx))
	d, err := in.modules.erasure.Detail(ctx, number)
	must(t, err)
	if n := workingDays(d.AskedAt, d.DueAt); n != 15 {
		t.Errorf("asked at %s and due at %s: %d working days", d.AskedAt, d.DueAt, n)
	}
	if d.Step != erasure.Settle || d.Problem != "unsettled" || len(d.Unsettled) != 1 || d.Unsettled[0].State != "12.34" {
		t.Errorf("it stands at %s (%s) with %v, want it to wait for a balance of 12.34", d.Step, d.Problem, d.Unsettled)
	}
	if a := p.try("GET", "/me", nil, "k"); a.status != 401 {
		t.Errorf("meanwhile the old session opens: %s", a)
	}
	boss := in.boss()
	if a := boss.try("POST", "/admin/erasures/"+number+"/settled", object{"paper": "x"}, "k"); a.status != 422 {
		t.Errorf("without a paper: %s", a)
	}
	boss.do(204, "POST", "/admin/erasures/"+number+"/settled", object{"paper": "bank order 7"})
	in.erased(number)
}

// credit puts fen into a person's wallet, as an overpayment does.
func (in *rig) credit(p *person, fen int64) {
	in.t.Helper()
	must(in.t, in.stores.main.InTx(context.Background(), func(tx *db.Tx) error {
		_, err := in.modules.ledger.PostTx(context.Background(), tx, ledger.Entry{
			Key: "pay:" + p.name, Kind: "payment", OccurredAt: time.Now(), RefType: "attempt", RefID: p.name, Actor: "system", Memo: "overpaid",
			Postings: []ledger.Posting{
				ledger.Debit(ledger.Gateway("test"), money.New(fen, money.CNY)),
				ledger.Credit(ledger.Wallet(p.self().Account), money.New(fen, money.CNY)),
			},
		})
		return err
	}))
}

// A lawful hold keeps everything, shut; once it ends the erasure goes on.
func TestAHoldKeepsAnErasureBack(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("suspect")
	guard := in.guard()
	me := p.self()
	hold := guard.do(201, "POST", "/admin/holds", object{"subject": string(me.Handle), "law": "CSL 28", "authority": "Court", "until": "2027-03-01T00:00:00Z"}).str("id")
	p.session = sessionOf(p.do(204, "POST", "/me/step-up", object{"password": p.password}))
	number := p.do(202, "POST", "/account-closure", object{"user_name": p.name}).str("id")
	ctx := context.Background()
	for range 3 {
		in.drain()
		must(t, in.modules.erasure.Resume(ctx))
	}
	if c, err := in.modules.erasure.Case(ctx, number); err != nil || c.Step != erasure.Bury || c.Problem != "held" {
		t.Errorf("under a hold it stands at %s (%s), %v", c.Step, c.Problem, err)
	}
	if !in.inFiles(p.name) {
		t.Error("what a hold keeps is gone")
	}
	guard.do(204, "POST", "/admin/holds/"+hold+"/end", nil)
	in.erased(number)
	if in.inFiles(p.name) {
		t.Error("after the hold the name is still there")
	}
}

// What is left of an erased person opens for the law and the person's rights, and
// for nothing else (clause LT-4.5).
func TestWhatIsLeftOfAnErasedPersonIsRestricted(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.register("gone")
	me := p.self()
	ctx := context.Background()
	if err := in.modules.erasure.Restricted(ctx, me.Handle, "account"); err != nil {
		t.Errorf("a living person: %v", err)
	}
	p.close()
	if err := in.modules.erasure.Restricted(ctx, me.Handle, "account"); err == nil {
		t.Error("an erased person's data open for the account")
	}
	if err := in.modules.erasure.Restricted(ctx, me.Handle, "legal_order"); err != nil {
		t.Errorf("for a legal order: %v", err)
	}
	err := erasure.EraseRows(ctx, in.stores.main, Held(), holding.Person{Handle: me.Handle, Account: me.Account}, func(_ *db.Tx, h holding.Held, rows int64) error {
		t.Errorf("a second erasure finds %d rows of %s", rows, h.Table)
		return nil
	})
	must(t, err)
}

// places tells where a text is: columns of tables, and files.
func (in *rig) places(text string) (all []string) {
	in.t.Helper()
	p, err := scan.For([]string{text})
	must(in.t, err)
	for _, store := range []func() (scan.Report, error){
		func() (scan.Report, error) { return p.Database(context.Background(), in.stores.main, "main") },
		func() (scan.Report, error) { return p.Files(context.Background(), in.cfg.Data) },
	} {
		r, err := store()
		must(in.t, err)
		for _, h := range r.Hits {
			all = append(all, h.Place+" "+string(h.Form))
		}
	}
	return all
}

// A standing canary lives as anybody, is told nothing, and is erased and certified
// as anybody (job 18 of the tests): what is left of it anywhere would be a finding.
func TestAStandingCanaryIsErasedAsAnybody(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx := context.Background()
	must(t, in.modules.erasure.Plant(ctx))
	in.drain()
	type living struct{ name, subject, account string }
	c, err := db.Get(ctx, in.stores.main, nil, func(r db.Row) (c living, err error) { return c, r.Scan(&c.name, &c.subject, &c.account) },
		"SELECT name, subject, account FROM account_person WHERE name LIKE 'canary-%'")
	must(t, err)
	if !in.inFiles(c.name) {
		t.Fatal("the search is blind: a living canary is not found")
	}
	must(t, in.modules.erasure.EraseCanary(ctx, erasure.Planted{Subject: id.Handle(c.subject), Account: account.ID(c.account)}))
	of, err := in.modules.erasure.Of(ctx, id.Handle(c.subject))
	must(t, err)
	in.erased(of.ID)
	if in.inFiles(c.name) {
		t.Error("an erased canary is in a file")
	}
	nobody := &person{in: in, name: "nobody", ids: map[string]string{}}
	in.holds(nobody.do(200, "GET", "/erasures/"+of.ID+"/certificate", nil).text)
	examined, found, err := in.modules.erasure.LivingCanaries(ctx)
	if err != nil || examined != 1 || found != 0 {
		t.Errorf("%d canaries, %d of them living, %v", examined, found, err)
	}
	told, err := db.Get(ctx, in.stores.main, nil, db.One[int64], "SELECT count(*) FROM notify_message WHERE subject = $1", c.subject)
	if err != nil || told != 0 {
		t.Errorf("a canary was told of %d things, %v", told, err)
	}
}
