package app

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// acts are the purposes of the model that open by an act alone.
var acts = []string{"vpn_client_policy", "realname", "payment.epay"}

// subject is a person as the model knows them, beside the one of the product.
type subject struct {
	*person
	self     holding.Person
	basis    map[string]bool // live acts
	verified bool
	orders   []string
	reads    int // by staff
	hold     string
	closing  string // number of the erasure
	erased   bool
	row      holding.Row // of the account, as a backup has it
}

// world is a history of some people in a running installation.
type world struct {
	in     *rig
	t      *rapid.T
	people []*subject
	staff  account.Principal
	handed bool // it went to a successor
}

var arrivals atomic.Int64

// TestMain has few histories tried where nobody asked for a number: each is
// dozens of requests to a whole installation.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", "3")
	}
	os.Exit(m.Run())
}

// TestAnyHistoryKeepsThePromises drives random histories through the public faces
// and the desk, and after each step compares the installation with a model of a
// few lines: nothing is read without a basis, each reading is one event, nothing
// goes to who is not registered, no key opens after an erasure, a hold holds, no
// order in mainland China without a verified person, and old rows that come back
// go again.
func TestAnyHistoryKeepsThePromises(t *testing.T) {
	t.Parallel()
	in := install(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{in: in, t: rt, staff: account.Principal{Account: "acc_model", Subject: "sub_model", Session: "ses_model", Staff: true}}
		w.arrive(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"arrive": w.arrive, "agree": w.agree, "refuse": w.refuse, "withdraw": w.withdraw, "collect": w.collect,
			"order": w.order, "share": w.share, "read": w.read, "hold": w.holdOrRelease, "erase": w.erase,
			"restore": w.restore, "hand over": w.handOver, "": w.check,
		})
		w.proofs(rt)
	})
}

// pick draws one of the people who fit, nil if nobody does.
func (w *world) pick(t *rapid.T, fits func(*subject) bool) *subject {
	var all []*subject
	for _, s := range w.people {
		if fits(s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return rapid.SampledFrom(all).Draw(t, "person")
}

func alive(s *subject) bool { return s.closing == "" }

func (w *world) arrive(t *rapid.T) {
	if len(w.people) >= 3 {
		return
	}
	p := w.in.register(fmt.Sprintf("model-%d", arrivals.Add(1)))
	w.people = append(w.people, &subject{person: p, self: p.self(), basis: map[string]bool{}})
}

func (w *world) agree(t *rapid.T) {
	s, purpose := w.pick(t, alive), rapid.SampledFrom(acts).Draw(t, "purpose")
	if s == nil {
		return
	}
	s.consent(purpose)
	s.basis[purpose] = true
}

func (w *world) refuse(t *rapid.T) {
	s, purpose := w.pick(t, alive), rapid.SampledFrom(acts).Draw(t, "purpose")
	if s == nil {
		return
	}
	token := s.do(200, "GET", "/consent-prompts/"+purpose, nil).str("token")
	s.do(201, "POST", "/consents", object{"token": token, "decision": "refuse"})
	s.basis[purpose] = false
}

func (w *world) withdraw(t *rapid.T) {
	s, purpose := w.pick(t, alive), rapid.SampledFrom(acts).Draw(t, "purpose")
	if s == nil {
		return
	}
	s.try("DELETE", "/consents/"+purpose, nil, id.Random(10))
	s.basis[purpose] = false
}

func (w *world) collect(t *rapid.T) {
	s := w.pick(t, func(s *subject) bool { return alive(s) && !s.verified })
	if s == nil {
		return
	}
	s.realName(int(arrivals.Add(1)))
	s.verified, s.basis["realname"] = true, true
}

func (w *world) order(t *rapid.T) {
	s := w.pick(t, alive)
	if s == nil {
		return
	}
	r := object{"product": "vpn-gateway", "region": w.in.cfg.Node.Region, "cycle": 1, "options": object{"ssl_bandwidth": "5", "ssl_connections": "5"}}
	r["quote_hash"] = s.do(200, "POST", "/quotes", r).str("quote_hash")
	r["configuration"] = object{"name": s.name, "network": "demo"}
	a := s.try("POST", "/orders", r, id.Random(10))
	if may := s.verified && s.basis["realname"]; may != (a.status == 201) {
		t.Fatalf("verified %v, consent %v, and the order: %s", s.verified, s.basis["realname"], a)
	}
	if a.status == 201 {
		s.orders = append(s.orders, a.str("id"))
	}
}

func (w *world) share(t *rapid.T) {
	s := w.pick(t, func(s *subject) bool { return alive(s) && len(s.orders) > 0 })
	if s == nil {
		return
	}
	order := rapid.SampledFrom(s.orders).Draw(t, "order")
	method := s.do(200, "GET", "/payment-methods", nil).str("items.id")
	before := w.told(s)
	a := s.try("POST", "/orders/"+order+"/payments", object{"method": method}, id.Random(10))
	if s.basis["payment.epay"] != (a.status == 201) && a.status != 409 {
		t.Fatalf("consent %v, and the payment: %s", s.basis["payment.epay"], a)
	}
	if !s.basis["payment.epay"] && w.told(s) != before {
		t.Fatal("something was disclosed without consent")
	}
}

// told counts what was disclosed of a person.
func (w *world) told(s *subject) int64 {
	n, err := db.Get(context.Background(), w.in.stores.main, nil, db.One[int64], "SELECT count(*) FROM audit_disclosure WHERE handle = $1", string(s.self.Handle))
	must(w.in.t, err)
	return n
}

// read is a member of staff who opens the real name, for a reason or without one.
func (w *world) read(t *rapid.T) {
	s := w.pick(t, func(*subject) bool { return true })
	if s == nil {
		return
	}
	reason := rapid.SampledFrom([]string{"", "case_1"}).Draw(t, "reason")
	_, err := w.in.stores.vault.Begin(context.Background(), vault.Read{
		Reader: vault.Reader{Class: vault.Staff, Handle: w.staff.Subject, Session: w.staff.Session}, Subject: s.self.Handle,
		Fields: []string{"realname_verification.name"}, Purpose: "realname", Reason: reason,
	})
	if may := reason != "" && s.open("realname"); may != (err == nil) {
		t.Fatalf("basis %v, erased %v, reason %q, and the reading: %v", s.basis["realname"], s.erased, reason, err)
	}
	if err == nil {
		s.reads++
	}
}

// open is what the model says of the gate.
func (s *subject) open(purpose string) bool { return s.basis[purpose] && !s.erased }

func (w *world) holdOrRelease(t *rapid.T) {
	s, ctx := w.pick(t, func(s *subject) bool { return !s.erased }), context.Background()
	if s == nil {
		return
	}
	if s.hold != "" {
		must(w.in.t, w.in.modules.privacy.EndHold(ctx, w.staff, s.hold))
		s.hold = ""
		return
	}
	h, err := w.in.modules.privacy.PlaceHold(ctx, w.staff, privacy.Hold{
		Subject: s.self.Handle, Law: "CSL 24", Authority: "a court", Until: time.Now().Add(24 * time.Hour),
	})
	must(w.in.t, err)
	s.hold = h.ID
}

// erase has a person close the account, and goes on with erasures under way.
func (w *world) erase(t *rapid.T) {
	s := w.pick(t, func(s *subject) bool { return !s.erased })
	if s == nil {
		return
	}
	ctx := context.Background()
	if s.closing == "" {
		s.row = w.account(s)
		s.session = sessionOf(s.do(204, "POST", "/me/step-up", object{"password": s.password}))
		s.closing = s.do(202, "POST", "/account-closure", object{"user_name": s.name}).str("id")
	}
	for range 6 {
		w.in.drain()
		w.in.report()
		must(w.in.t, w.in.modules.erasure.Resume(ctx))
	}
	for _, s := range w.people { // others too, whose hold has ended meanwhile
		if s.closing == "" {
			continue
		}
		c, err := w.in.modules.erasure.Case(ctx, s.closing)
		must(w.in.t, err)
		s.erased = c.Step == erasure.Done
		if s.erased == (s.hold != "") {
			t.Fatalf("hold %q, and the erasure of %s stands at %s: %s", s.hold, s.name, c.Step, c.Problem)
		}
	}
}

func (w *world) account(s *subject) holding.Row {
	row := holding.Row{}
	for _, table := range Holdings() {
		if table.Name != "account_person" {
			continue
		}
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Name)
		}
		rows, err := db.Select(context.Background(), w.in.stores.main, scanCells(names),
			"SELECT "+strings.Join(names, ", ")+" FROM account_person WHERE subject = $1", string(s.self.Handle))
		must(w.in.t, err)
		for _, r := range rows {
			row = r
		}
	}
	return row
}

// restore puts an erased person's row back, as a backup of before would, and
// replays what is written outside the database.
func (w *world) restore(t *rapid.T) {
	s := w.pick(t, func(s *subject) bool { return s.erased })
	if s == nil {
		return
	}
	ctx := context.Background()
	var names, places []string
	var cells []any
	for name, cell := range s.row {
		names, cells = append(names, name), append(cells, cell)
		places = append(places, fmt.Sprintf("$%d", len(cells)))
	}
	if rest := w.account(s); len(rest) == 0 {
		must(w.in.t, w.in.stores.main.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO account_person ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")", cells...)
			return err
		}))
	}
	must(w.in.t, erasure.Replay(ctx, w.in.stores.main, w.in.stores.vault, w.in.cfg.Path("tombstones"), Held()))
}

// handOver is a successor who did not sign: every act of before is void.
func (w *world) handOver(t *rapid.T) {
	if w.handed { // once in a history is enough
		return
	}
	w.handed = true
	ctx := context.Background()
	must(w.in.t, w.in.stores.main.InTx(ctx, func(tx *db.Tx) error {
		for _, d := range []string{"platform", "client"} {
			if err := w.in.modules.consent.RenewTx(ctx, tx, d, "model-"+id.Random(6)); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, s := range w.people {
		clear(s.basis)
		if alive(s) { // nothing but the policy can be asked of them before
			token := s.do(200, "GET", "/consent-prompts/platform_policy", nil).str("token")
			s.do(201, "POST", "/consents", object{"token": token, "decision": "grant", "adult": true})
		}
	}
}

func (w *world) check(t *rapid.T) {
	ctx, gate := context.Background(), gates{w.in.modules}
	for _, s := range w.people {
		for _, purpose := range acts {
			if err := gate.Gate(ctx, s.self.Handle, purpose); (err == nil) != s.open(purpose) {
				t.Fatalf("%s for %s: the model says %v, the gate %v", purpose, s.name, s.open(purpose), err)
			}
		}
		reads, err := db.Get(ctx, w.in.stores.main, nil, db.One[int64], "SELECT count(*) FROM audit_read WHERE handle = $1 AND class = 'staff'", string(s.self.Handle))
		must(w.in.t, err)
		if int(reads) != s.reads {
			t.Fatalf("%d readings of %s by staff are recorded, there were %d", reads, s.name, s.reads)
		}
		if !s.erased {
			continue
		}
		classes, err := w.in.stores.vault.Classes(ctx, s.self.Handle)
		must(w.in.t, err)
		for _, c := range []string{"account_core", "realname_value"} {
			if slices.Contains(classes, c) {
				t.Fatalf("a key of class %s of %s lives after the erasure", c, s.name)
			}
		}
		if row := w.account(s); len(row) != 0 && s.row["name"] == row["name"] {
			t.Fatalf("the account of %s is there after the erasure", s.name)
		}
	}
}

// proofs are the questions of the evidence that a history must never answer with a
// finding.
func (w *world) proofs(t *rapid.T) {
	registry, err := recipients(w.in.cfg)
	must(w.in.t, err)
	all := w.in.modules.queries(w.in.cfg, w.in.stores, registry)
	for _, name := range []string{"receipts_altered", "gates_open_without_act", "log_altered", "provision_without_verification", "disclosures_outside_register"} {
		f, err := all[name](context.Background())
		must(w.in.t, err)
		if f.Found != 0 {
			t.Fatalf("%s: %d of %d", name, f.Found, f.Examined)
		}
	}
}
