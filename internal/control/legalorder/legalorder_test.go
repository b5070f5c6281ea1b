package legalorder_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx    = context.Background()
	clerk  = account.Principal{Subject: "sub_clerk", Session: "ses_clerk", Staff: true}
	first  = account.Principal{Subject: "sub_first", Session: "ses_first", Staff: true}
	second = account.Principal{Subject: "sub_second", Session: "ses_second", Staff: true}
	paper  = []byte("%PDF-1.7 an order")
)

// people are those who are registered in a test.
type people map[id.Handle]holding.Person

func (p people) ByHandle(_ context.Context, h id.Handle) (holding.Person, error) {
	who, ok := p[h]
	if !ok {
		return who, errs.New(errs.NotFound, "account.not_found")
	}
	return who, nil
}

func (p people) ByAccount(ctx context.Context, a string) (holding.Person, error) {
	for _, who := range p {
		if who.Account == a {
			return who, nil
		}
	}
	return holding.Person{}, errs.New(errs.NotFound, "account.not_found")
}

type rig struct {
	accounttest.Rig
	s      *legalorder.Service
	people people
	copier privacy.Copier
	anna   account.Registered
	bert   account.Registered
	line   string // public key of the authority
	key    envelope.PrivateKey
}

func each(t *testing.T, fn func(*testing.T, rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, append(accounttest.Migrations(), legalorder.Migrations())...)
}

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	dir := t.TempDir()
	r := rig{Rig: accounttest.At(t, d, consent.Mainland, false, dir), people: people{}}
	r.anna, r.bert = r.Register(t, "anna"), r.Register(t, "bert")
	_, err := legalorder.Format.NewKey(filepath.Join(dir, "authority"))
	must(t, err)
	return r.with(t, dir)
}

// with adds orders for the registered and the authority whose key is in a
// directory.
func (r rig) with(t *testing.T, dir string) rig {
	t.Helper()
	d, file := r.DB, filepath.Join(dir, "authority")
	for _, who := range []account.Registered{r.anna, r.bert} {
		r.people[who.Subject] = holding.Person{Handle: who.Subject, Account: string(who.Account)}
	}
	var err error
	r.key, err = legalorder.Format.ReadPrivateKey(file)
	must(t, err)
	line, err := os.ReadFile(file + ".pub")
	must(t, err)
	r.line = string(line)
	r.copier = privacy.Copier{DB: d, Vault: r.Vault, Clock: r.Clock}
	for _, h := range [][]holding.Held{consent.Held(), audit.Held(), account.Held()} {
		r.copier.Held = append(r.copier.Held, h...)
	}
	for _, h := range [][]holding.Table{consent.Holdings(), audit.Holdings(), account.Holdings()} {
		r.copier.Tables = append(r.copier.Tables, h...)
	}
	r.s = legalorder.New(legalorder.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Vault: r.Vault,
		People: r.people, Copier: r.copier, Home: "CN",
	})
	return r
}

// entry is an order for anna's address and name, of the month before.
func (r rig) entry(change ...func(*legalorder.Entry)) legalorder.Entry {
	sum := sha256.Sum256(paper)
	e := legalorder.Entry{
		Order: legalorder.Order{
			Authority: "A public security bureau", Jurisdiction: "CN", DocNo: "2026-17", Law: "CSL 28", ScanSHA256: hex.EncodeToString(sum[:]),
			AuthorityKey: r.line, Expires: consenttest.Start.AddDate(0, 1, 0),
			Scope: legalorder.Scope{
				Subjects: []id.Handle{r.anna.Subject}, Categories: []holding.Category{holding.Email, holding.AccountName},
				From: consenttest.Start.AddDate(0, -1, 0), Until: consenttest.Start.AddDate(0, 0, 7),
			},
		},
		Scan: paper,
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

// approved enters an order and has both approve it.
func (r rig) approved(t *testing.T, change ...func(*legalorder.Entry)) legalorder.Order {
	t.Helper()
	o, err := r.s.Enter(ctx, clerk, r.entry(change...))
	must(t, err)
	for _, p := range []account.Principal{first, second} {
		o, err = r.s.Approve(ctx, p, o.ID)
		must(t, err)
	}
	if o.State != legalorder.Approved {
		t.Fatalf("state %s after two approvers", o.State)
	}
	return o
}

// opened decrypts what the authority gets: names of files and all their text.
func (r rig) opened(t *testing.T, order string, file []byte) map[string]string {
	t.Helper()
	plain, err := legalorder.Format.Open(bytes.NewReader(file), r.key, order)
	must(t, err)
	raw, err := io.ReadAll(plain)
	must(t, err)
	all := map[string]string{}
	unzip(t, "", raw, all)
	return all
}

func unzip(t *testing.T, prefix string, raw []byte, into map[string]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	for _, f := range z.File {
		rc, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(rc)
		must(t, err)
		if strings.HasSuffix(f.Name, ".zip") {
			unzip(t, strings.TrimSuffix(f.Name, ".zip")+"/", b, into)
			continue
		}
		into[prefix+f.Name] = string(b)
	}
}

func (r rig) seen(t *testing.T, subject id.Handle) (reads, disclosures int) {
	t.Helper()
	all, err := r.Audit.Reads(ctx, subject, audit.ReadFilter{})
	must(t, err)
	for _, e := range all {
		if e.Reader.Class == vault.Authority {
			reads++
		}
	}
	sent, err := r.Audit.Disclosures(ctx, subject, "", 100)
	must(t, err)
	return reads, len(sent)
}

// Mutant LT-3d opens every gate of an order.
func TestAnOrderNeedsItsDocumentScopeAndDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		foreign := func(e *legalorder.Entry) { e.Jurisdiction = "US" }
		for _, c := range []struct {
			name   string
			change func(*legalorder.Entry)
			want   error
		}{
			{"no scan", func(e *legalorder.Entry) { e.Scan = nil }, legalorder.ErrDocument},
			{"another scan", func(e *legalorder.Entry) { e.Scan = []byte("another") }, legalorder.ErrDocument},
			{"no authority", func(e *legalorder.Entry) { e.Authority = " " }, legalorder.ErrIncomplete},
			{"no number", func(e *legalorder.Entry) { e.DocNo = "" }, legalorder.ErrIncomplete},
			{"no law", func(e *legalorder.Entry) { e.Law = "" }, legalorder.ErrIncomplete},
			{"a place that is none", func(e *legalorder.Entry) { e.Jurisdiction = "China" }, legalorder.ErrIncomplete},
			{"foreign", foreign, legalorder.ErrForeign},
			{"foreign with half a record", func(e *legalorder.Entry) {
				foreign(e)
				e.Approval = legalorder.Approval{Authority: "MoJ", DocNo: "7"}
			}, legalorder.ErrForeign},
			{"ended", func(e *legalorder.Entry) { e.Expires = consenttest.Start }, legalorder.ErrDays},
			{"no span", func(e *legalorder.Entry) { e.Scope.From = e.Scope.Until }, legalorder.ErrDays},
			{"a span beyond its end", func(e *legalorder.Entry) { e.Scope.Until = e.Expires.Add(1) }, legalorder.ErrDays},
			{"hidden without a law", func(e *legalorder.Entry) { e.SuppressUntil = e.Expires }, legalorder.ErrIncomplete},
			{"hidden beyond its end", func(e *legalorder.Entry) {
				e.SuppressUntil, e.SuppressLaw = e.Expires.Add(time.Second), "CSL 28"
			}, legalorder.ErrDays},
			{"nobody", func(e *legalorder.Entry) { e.Scope.Subjects = nil }, legalorder.ErrScope},
			{"somebody unknown", func(e *legalorder.Entry) { e.Scope.Subjects = []id.Handle{"sub_nobody"} }, legalorder.ErrScope},
			{"no category", func(e *legalorder.Entry) { e.Scope.Categories = nil }, legalorder.ErrScope},
			{"everything", func(e *legalorder.Entry) { e.Scope.Categories = []holding.Category{"*"} }, legalorder.ErrScope},
			{"secrets", func(e *legalorder.Entry) { e.Scope.Categories = []holding.Category{holding.AccountSecret} }, legalorder.ErrScope},
			{"no key", func(e *legalorder.Entry) { e.AuthorityKey = "" }, legalorder.ErrKey},
			{"key of a backup", func(e *legalorder.Entry) {
				e.AuthorityKey = strings.Replace(e.AuthorityKey, "legal-order", "backup", 1)
			}, legalorder.ErrKey},
		} {
			if _, err := r.s.Enter(ctx, clerk, r.entry(c.change)); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.name, err, c.want)
			}
		}
		_, err := r.s.Enter(ctx, clerk, r.entry(foreign, func(e *legalorder.Entry) {
			e.Approval = legalorder.Approval{Authority: "MoJ", DocNo: "7", SHA256: strings.Repeat("ab", 32)}
		}))
		must(t, err)
		if all, err := r.s.Orders(ctx); err != nil || len(all) != 1 {
			t.Errorf("%d orders were recorded, %v", len(all), err)
		}
	})
}

func TestTwoOthersApprove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		o, err := r.s.Enter(ctx, clerk, r.entry())
		must(t, err)
		execute := func(want error) {
			t.Helper()
			if _, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{}); !errors.Is(err, want) {
				t.Errorf("executing: got %v, want %v", err, want)
			}
		}
		approve := func(p account.Principal, want error) {
			t.Helper()
			if _, err := r.s.Approve(ctx, p, o.ID); !errors.Is(err, want) {
				t.Errorf("%s approves: got %v, want %v", p.Subject, err, want)
			}
		}
		execute(legalorder.ErrNotApproved)
		approve(clerk, legalorder.ErrSamePerson)
		approve(account.Principal{Subject: r.anna.Subject}, legalorder.ErrSamePerson)
		approve(first, nil)
		execute(legalorder.ErrNotApproved)
		approve(first, legalorder.ErrSamePerson)
		execute(legalorder.ErrNotApproved)
		// A state that somebody wrote into the database is no approver.
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE legalorder_order SET state = 'approved' WHERE id = $1", o.ID)
			return err
		}))
		execute(legalorder.ErrNotApproved)
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE legalorder_order SET state = 'entered' WHERE id = $1", o.ID)
			return err
		}))
		approve(second, nil)
		approve(second, legalorder.ErrState)
		execute(nil)
		execute(legalorder.ErrState)

		refused, err := r.s.Enter(ctx, clerk, r.entry())
		must(t, err)
		if _, err := r.s.Refuse(ctx, clerk, refused.ID); !errors.Is(err, legalorder.ErrSamePerson) {
			t.Errorf("who entered it refuses it: got %v", err)
		}
		_, err = r.s.Refuse(ctx, first, refused.ID)
		must(t, err)
		if _, err := r.s.Execute(ctx, clerk, refused.ID, legalorder.Scope{}); !errors.Is(err, legalorder.ErrState) {
			t.Errorf("a refused order: got %v", err)
		}
		if _, sent := r.seen(t, r.anna.Subject); sent != 1 {
			t.Errorf("the person sees %d disclosures, want the one that was carried out", sent)
		}
	})
}

func TestWhatGoesOutIsTheScope(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		o := r.approved(t)
		for name, part := range map[string]legalorder.Scope{
			"another person":    {Subjects: []id.Handle{r.anna.Subject, r.bert.Subject}},
			"another category":  {Categories: []holding.Category{holding.Email, holding.NetIP}},
			"earlier":           {From: o.Scope.From.Add(-time.Second)},
			"later":             {Until: o.Scope.Until.Add(time.Second)},
			"a span of nothing": {From: o.Scope.Until, Until: o.Scope.Until},
		} {
			if _, err := r.s.Execute(ctx, clerk, o.ID, part); !errors.Is(err, legalorder.ErrOverflow) || errs.KindOf(err) != errs.LegalBlock {
				t.Errorf("%s: got %v, want ErrOverflow", name, err)
			}
		}
		if reads, sent := r.seen(t, r.anna.Subject); reads+sent != 0 {
			t.Errorf("a refused part was recorded: %d reads, %d disclosures", reads, sent)
		}
		if _, err := r.s.Package(ctx, clerk, o.ID); !errors.Is(err, legalorder.ErrNoPackage) {
			t.Errorf("before the execution: got %v", err)
		}
		o, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{})
		must(t, err)
		file, err := r.s.Package(ctx, clerk, o.ID)
		must(t, err)
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != o.PackageSHA256 || bytes.Contains(file, []byte("anna")) {
			t.Error("the file is not the one that was recorded, or can be read")
		}
		files := r.opened(t, o.ID, file)
		text := ""
		for name, body := range files {
			text += body
			if name != "order.json" && !strings.HasPrefix(name, string(r.anna.Subject)+"/") {
				t.Errorf("%s is of somebody else", name)
			}
		}
		if !strings.Contains(text, "anna@example.org") || !strings.Contains(text, o.DocNo) {
			t.Error("what the order asks for is not in the file")
		}
		for _, beyond := range []string{"bert", accounttest.From.IP.String(), "Firefox", "password", "locale", "created_at"} {
			if strings.Contains(text, beyond) {
				t.Errorf("the file holds %s", beyond)
			}
		}
		if files[string(r.anna.Subject)+"/consent_event.csv"] != "" || files[string(r.anna.Subject)+"/account_login.csv"] != "" {
			t.Error("tables of other categories are in the file")
		}
		sent, err := r.Audit.Disclosures(ctx, r.anna.Subject, "", 10)
		must(t, err)
		if len(sent) != 1 || sent[0].Role != "authority" || sent[0].Order != o.ID || sent[0].Phase != "done" || sent[0].LegalName != o.Authority {
			t.Fatalf("the ledger has %+v", sent)
		}
		if !slices.Contains(sent[0].Fields, "account_person.email") || strings.Contains(strings.Join(sent[0].Fields, " "), "@") {
			t.Errorf("the ledger names %v", sent[0].Fields)
		}
		if reads, _ := r.seen(t, r.anna.Subject); reads != 1 {
			t.Errorf("the person sees %d readings, want 1", reads)
		}
		report, err := r.Audit.Verify(ctx)
		if err != nil || len(report.Problems) != 0 {
			t.Errorf("the log: %+v, %v", report.Problems, err)
		}
	})
}

// What happened outside the span stays here.
func TestTheSpanCuts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.Clock.Advance(10 * 24 * time.Hour)
		r.Login(t, "anna")
		count := func(from, until time.Time) int {
			o := r.approved(t, func(e *legalorder.Entry) {
				e.Scope.Categories, e.Scope.From, e.Scope.Until = []holding.Category{holding.NetIP, holding.NetSession}, from, until
			})
			o, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{})
			must(t, err)
			file, err := r.s.Package(ctx, clerk, o.ID)
			must(t, err)
			return strings.Count(r.opened(t, o.ID, file)[string(r.anna.Subject)+"/account_login.csv"], string(r.anna.Subject))
		}
		day := 24 * time.Hour
		if got := count(consenttest.Start, consenttest.Start.Add(9*day)); got != 0 {
			t.Errorf("before the sign-in: %d rows", got)
		}
		if got := count(consenttest.Start.Add(9*day), consenttest.Start.Add(11*day)); got != 1 {
			t.Errorf("around the sign-in: %d rows, want 1", got)
		}
	})
}

// An order with a day hides what is done until that day and no longer.
func TestWhatIsSuppressedAppearsOnItsDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		until := consenttest.Start.AddDate(0, 0, 20)
		o := r.approved(t, func(e *legalorder.Entry) { e.SuppressUntil, e.SuppressLaw = until, "CPL 75" })
		o, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{})
		must(t, err)
		copied := func() string {
			c := r.copier
			c.Held, c.Tables = append(slices.Clone(c.Held), legalorder.Held()...), append(slices.Clone(c.Tables), legalorder.Holdings()...)
			raw, err := c.Copy(ctx, r.people[r.anna.Subject], vault.Reader{Class: vault.Self, Handle: r.anna.Subject}, "rights")
			must(t, err)
			files := map[string]string{}
			unzip(t, "", raw, files)
			text := ""
			for _, body := range files {
				text += body
			}
			return text
		}
		visible := func() (leaves int) {
			all, err := r.Audit.Leaves(ctx, audit.Filter{Handle: string(r.anna.Subject), Limit: 500})
			must(t, err)
			for _, l := range all {
				if err := r.Audit.Shown(ctx, l, r.anna.Subject); err == nil && strings.HasPrefix(l.Type, "disclosure.") {
					leaves++
				}
			}
			return leaves
		}
		// What a proof pack is made of: phases, readings and entries.
		packed := func(subject id.Handle) (all [3]int) {
			size, err := r.Audit.Size(ctx)
			must(t, err)
			phases, err := r.Audit.Phases(ctx, subject, size)
			must(t, err)
			reads, err := r.Audit.ReadsWithin(ctx, subject, size)
			must(t, err)
			leaves, err := r.Audit.LeavesFrom(ctx, subject, 0, size, 500)
			must(t, err)
			all[0] = len(phases)
			for _, e := range reads {
				if e.Reader.Class == vault.Authority {
					all[1]++
				}
			}
			for _, l := range leaves {
				if l.Handle == r.anna.Subject && strings.HasPrefix(l.Type, "disclosure.") {
					all[2]++
				}
			}
			return all
		}
		r.Clock.Advance(until.Sub(r.Clock.Now()) - time.Microsecond)
		if mine, all := packed(r.anna.Subject), packed(""); mine[0]+mine[1] != 0 || all[0] != 2 || all[1] != 1 || all[2] <= mine[2] {
			t.Errorf("before its day the person's pack holds %v, an auditor's %v", mine, all)
		}
		if reads, sent := r.seen(t, r.anna.Subject); reads+sent+visible() != 0 || strings.Contains(copied(), o.ID) || strings.Contains(copied(), "disclosure.intent") {
			t.Errorf("before its day the person sees %d readings, %d disclosures, %d entries, or the copy has it", reads, sent, visible())
		}
		r.Clock.Advance(time.Microsecond)
		if mine := packed(r.anna.Subject); mine[0] != 2 || mine[1] != 1 || mine[2] < 2 {
			t.Errorf("on its day the person's pack holds %v", mine)
		}
		if reads, sent := r.seen(t, r.anna.Subject); reads != 1 || sent != 1 || visible() != 2 || !strings.Contains(copied(), o.ID) {
			t.Errorf("on its day the person sees %d readings, %d disclosures, %d entries", reads, sent, visible())
		}
	})
}

// Nothing but an order that stands hides, or reads as an authority.
func TestOnlyAnOrderHides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		o, err := r.s.Enter(ctx, clerk, r.entry())
		must(t, err)
		read := func(order string, class string, subject id.Handle) error {
			_, err := r.Vault.Begin(ctx, vault.Read{
				Reader: vault.Reader{Class: class, Handle: "sub_clerk"}, Subject: subject, Fields: []string{"account_person.email"},
				Purpose: legalorder.Purpose, Reason: "x", Order: order,
			})
			return err
		}
		for name, err := range map[string]error{
			"without an order": read("", vault.Authority, r.anna.Subject), "as staff with an order": read(o.ID, vault.Staff, r.anna.Subject),
			"not approved": read(o.ID, vault.Authority, r.anna.Subject), "unknown": read("lo_x", vault.Authority, r.anna.Subject),
		} {
			if err == nil {
				t.Errorf("%s: opened", name)
			}
		}
		done := r.approved(t)
		must(t, read(done.ID, vault.Authority, r.anna.Subject))
		if err := read(done.ID, vault.Authority, r.bert.Subject); !errors.Is(err, legalorder.ErrOverflow) {
			t.Errorf("another person: got %v", err)
		}
		if _, err := r.Audit.BeginDisclosure(ctx, egress.Intent{Subject: r.anna.Subject, Recipient: "authority", Order: o.ID}); !errors.Is(err, legalorder.ErrNotApproved) {
			t.Errorf("a disclosure: got %v", err)
		}
		bare := audit.New(audit.Deps{DB: r.DB, Vault: r.Vault, Clock: r.Clock})
		if _, err := bare.BeginDisclosure(ctx, egress.Intent{Subject: r.anna.Subject, Order: done.ID}); !errors.Is(err, audit.ErrOrder) {
			t.Errorf("with nobody to ask: got %v", err)
		}
	})
}

func TestAnOrderEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		waits, err := r.s.Enter(ctx, clerk, r.entry())
		must(t, err)
		approved, executed := r.approved(t), r.approved(t)
		_, err = r.s.Execute(ctx, clerk, executed.ID, legalorder.Scope{})
		must(t, err)
		r.Clock.Advance(executed.Expires.Sub(r.Clock.Now()))
		if _, err := r.s.Approve(ctx, first, waits.ID); !errors.Is(err, legalorder.ErrEnded) {
			t.Errorf("approving: got %v", err)
		}
		if _, err := r.s.Execute(ctx, clerk, approved.ID, legalorder.Scope{}); !errors.Is(err, legalorder.ErrEnded) {
			t.Errorf("executing: got %v", err)
		}
		if _, err := r.s.Package(ctx, clerk, executed.ID); !errors.Is(err, legalorder.ErrNoPackage) {
			t.Errorf("the file: got %v", err)
		}
		must(t, r.s.Purge(ctx))
		must(t, r.s.Purge(ctx))
		left, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM legalorder_order WHERE length(package) > 0")
		if err != nil || left != 0 {
			t.Errorf("%d packages are kept, %v", left, err)
		}
		if scan, err := r.s.Scan(ctx, first, executed.ID); err != nil || !bytes.Equal(scan, paper) {
			t.Errorf("the document: %q, %v", scan, err)
		}
		nobody := func(string, id.Handle) bool { return false }
		sum, err := r.s.Retain(ctx, retention.Run{Now: executed.Expires.AddDate(0, 35, 0), Profile: consent.Mainland, Held: nobody})
		if err != nil || sum[0].Destroyed != 0 {
			t.Errorf("before the floor: %+v, %v", sum, err)
		}
		sum, err = r.s.Retain(ctx, retention.Run{Now: executed.Expires.AddDate(0, 36, 2), Profile: consent.Mainland, Held: nobody})
		if err != nil || sum[0].Destroyed != 3 || sum[0].Overdue != 0 {
			t.Errorf("after the floor: %+v, %v", sum, err)
		}
		if gone, err := r.Vault.Destroyed(ctx, "system", "legal_order/"+executed.ID); err != nil || !gone {
			t.Errorf("the key of what the log tells of the order: destroyed %v, %v", gone, err)
		}
	})
}

// A scan that is altered, or the store's own copy of it, carries nothing out.
func TestTheDocumentIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		o := r.approved(t)
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE legalorder_order SET scan_sha256 = $1 WHERE id = $2", strings.Repeat("0", 64), o.ID)
			return err
		}))
		if _, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{}); !errors.Is(err, legalorder.ErrDocument) {
			t.Errorf("got %v, want ErrDocument", err)
		}
	})
}

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, legalorder.Migrations()).Schema(ctx)
	must(t, err)
	if err := holding.Verify(legalorder.Holdings(), live); err != nil {
		t.Error(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
