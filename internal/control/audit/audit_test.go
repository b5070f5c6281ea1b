package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
)

type rig struct {
	s     *audit.Service
	db    *db.DB
	vault *vault.Vault
	clock *clock.Fake
	file  string
}

type open struct{}

func (open) Gate(context.Context, id.Handle, string) error { return nil }

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	dir := t.TempDir()
	kek, err := vault.FileKEK(filepath.Join(dir, "kek"))
	must(t, err)
	c := clock.NewFake(start)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	file := filepath.Join(dir, "checkpoint")
	s := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: slog.New(slog.DiscardHandler), Origin: "test.example/log", CheckpointFile: file, Serves: map[string]string{"serves.everybody": "a test"}})
	v.Bind(s, open{})
	return rig{s, d, v, c, file}
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, audit.Migrations())
}

func event() audit.Event {
	return audit.Event{
		Type: "realname.submitted", Subject: "sub_a", Account: "acc_1",
		Actor: audit.Actor{Class: "self", Handle: "sub_a"}, Detail: map[string]string{"verification": "rnv_1"},
	}
}

func (r rig) append(t *testing.T, n int) {
	t.Helper()
	for range n {
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error { return r.s.AppendTx(ctx, tx, event()) }))
	}
}

func (r rig) leaves(t *testing.T, kind string) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM audit_leaf WHERE type = $1", kind)
	must(t, err)
	return n
}

func (r rig) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, text, args...)
		if err == nil && n == 0 {
			t.Errorf("%s touched no row", text)
		}
		return err
	}))
}

func (r rig) verify(t *testing.T) []string {
	t.Helper()
	report, err := r.s.Verify(ctx)
	must(t, err)
	var codes []string
	for _, p := range report.Problems {
		codes = append(codes, p.Code)
	}
	return codes
}

func TestALeafCommitsWithItsChangeOrNotAtAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		boom := errors.New("boom")
		err := r.db.InTx(ctx, func(tx *db.Tx) error { return errors.Join(r.s.AppendTx(ctx, tx, event()), boom) })
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			for range 3 {
				if err := r.s.AppendTx(ctx, tx, event()); err != nil {
					return err
				}
			}
			tx.BeforeCommit(func(ctx context.Context) error { return r.s.AppendTx(ctx, tx, event()) }) // after the first batch
			return nil
		}))
		leaves, err := r.s.Leaves(ctx, audit.Filter{})
		must(t, err)
		if len(leaves) != 4 || leaves[0].Index != 3 || leaves[3].Index != 0 {
			t.Errorf("got %+v, want leaves 3 to 0", leaves)
		}
		if got := r.verify(t); got != nil {
			t.Errorf("problems: %v", got)
		}
	})
}

func TestMistakesFailTheTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, audit.Migrations()))
	for name, change := range map[string]func(*audit.Event){
		"unknown type":  func(e *audit.Event) { e.Type = "realname.invented" },
		"unknown actor": func(e *audit.Event) { e.Actor.Class = "robot" },
		"bad handle":    func(e *audit.Event) { e.Subject = "sub\nx" },
		"mail address":  func(e *audit.Event) { e.Detail["x"] = "somebody@example.org" },
		"mobile number": func(e *audit.Event) { e.Detail["x"] = "call 13800138000" },
		"ID number":     func(e *audit.Event) { e.Detail["x"] = "11010519491231002X" },
	} {
		e := event()
		change(&e)
		if err := r.db.InTx(ctx, func(tx *db.Tx) error { return r.s.AppendTx(ctx, tx, e) }); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestFiftyTransactionsAtOnceGiveContiguousIndexes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := r.db.InTx(ctx, func(tx *db.Tx) error {
					return errors.Join(r.s.AppendTx(ctx, tx, event()), r.s.AppendTx(ctx, tx, event()))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		report, err := r.s.Verify(ctx)
		must(t, err)
		if report.Size != 100 || len(report.Problems) > 0 {
			t.Errorf("got size %d, problems %v", report.Size, report.Problems)
		}
	})
}

// history makes a log of 21 leaves with two checkpoints, a read and a finished
// disclosure.
func (r rig) history(t *testing.T) {
	t.Helper()
	r.append(t, 7)
	_, err := r.s.Checkpoint(ctx)
	must(t, err)
	_, err = r.s.RecordRead(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Staff, Handle: "sub_s"}, Subject: "sub_a",
		Fields: []string{"realname_case.number"}, Purpose: "realname", Reason: "tic_1",
	})
	must(t, err)
	receipt, err := r.s.BeginDisclosure(ctx, intent())
	must(t, err)
	must(t, r.s.FinishDisclosure(ctx, receipt, egress.Done))
	r.append(t, 11)
	_, err = r.s.Checkpoint(ctx)
	must(t, err)
}

func intent() egress.Intent {
	return egress.Intent{
		Subject: "sub_a", Recipient: "idv.aliyun", LegalName: "Somebody", Role: "processor", Region: "CN-mainland",
		Op: "Id2MetaVerify", Purpose: "realname", Basis: "duty", Fields: []string{"UserName", "IdentifyNum"},
	}
}

func TestEveryTamperingIsFound(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, sql, want string
		shallow         bool // CheckRoot finds it too
	}{
		{"a leaf's time", "UPDATE audit_leaf SET at = at + 1 WHERE idx = 3", "audit.hash_differs", true},
		{"a leaf's type", "UPDATE audit_leaf SET type = 'realname.decided' WHERE idx = 3", "audit.hash_differs", true},
		{"a leaf's handle", "UPDATE audit_leaf SET handle = 'sub_b' WHERE idx = 3", "audit.hash_differs", true},
		{"a deleted leaf", "DELETE FROM audit_leaf WHERE idx = 3", "audit.leaf_missing", true},
		{"the last leaf deleted", "DELETE FROM audit_leaf WHERE idx = 20", "audit.leaf_missing", true},
		{
			"an inserted leaf", "INSERT INTO audit_leaf (idx, at, type, handle, commitment, payload) VALUES (21, 0, 'realname.decided', 'sub_a', '', 'x')",
			"audit.leaf_count", true,
		},
		{"a stored hash", "UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE idx = 1) WHERE idx = 0", "audit.hash_differs", true},
		{"a deleted hash", "DELETE FROM audit_hash WHERE idx = 2", "audit.hash_differs", true},
		{"the head's root", "UPDATE audit_head SET root = (SELECT hash FROM audit_hash WHERE idx = 0)", "audit.root_differs", true},
		{"the head's size", "UPDATE audit_head SET size = 20", "audit.checkpoint_beyond_log", true},
		{
			"a checkpoint's root", "UPDATE audit_checkpoint SET root = (SELECT hash FROM audit_hash WHERE idx = 0) WHERE size = 7",
			"audit.checkpoint_signature", true,
		},
		{"the signer", "UPDATE audit_signer SET verifier = 'test.example/log+00000000+AAAA'", "audit.checkpoint_signature", true},
		{
			"a payload", "UPDATE audit_payload SET body = (SELECT body FROM audit_payload WHERE id = (SELECT payload FROM audit_leaf WHERE idx = 4)) WHERE id = (SELECT payload FROM audit_leaf WHERE idx = 3)",
			"audit.payload_altered", false,
		},
		{"a deleted payload", "DELETE FROM audit_payload WHERE id = (SELECT payload FROM audit_leaf WHERE idx = 3)", "audit.payload_missing", true},
		{
			"an emptied payload", "UPDATE audit_payload SET body = '' WHERE id = (SELECT payload FROM audit_leaf WHERE idx = 3)",
			"audit.payload_missing", false,
		},
		{"a read's reader", "UPDATE audit_read SET reader = 'sub_z'", "audit.row_differs", false},
		{"a read's time", "UPDATE audit_read SET at = at + 1", "audit.row_differs", false},
		{"a deleted read", "DELETE FROM audit_read", "audit.row_differs", true},
		{"a disclosure's fields", "UPDATE audit_disclosure SET fields = 'UserName' WHERE phase = 'intent'", "audit.row_differs", false},
		{"a disclosure's end", "UPDATE audit_disclosure SET phase = 'failed' WHERE phase = 'done'", "audit.row_differs", false},
		{
			"an invented disclosure", "INSERT INTO audit_disclosure SELECT 'dis_x', phase, at, handle, recipient, legal_name, role, region, op, purpose, basis, mechanism, fields, legal_order, shown_from FROM audit_disclosure WHERE phase = 'intent'",
			"audit.disclosure_count", true,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dbtest.SQLite(t, audit.Migrations()))
			r.history(t)
			r.exec(t, c.sql)
			if got := r.verify(t); !slices.Contains(got, c.want) {
				t.Errorf("got %v, want %s among them", got, c.want)
			}
			if err := r.s.CheckRoot(ctx); errors.Is(err, audit.ErrTampered) != c.shallow {
				t.Errorf("CheckRoot: got %v, want tampered: %v", err, c.shallow)
			}
		})
	}
}

func TestAnUntouchedLogVerifiesAndATouchedOneDoesNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.history(t)
		if got := r.verify(t); got != nil {
			t.Errorf("before: %v", got)
		}
		must(t, r.s.CheckRoot(ctx))
		r.exec(t, "UPDATE audit_read SET reason = 'tic_2'")
		r.exec(t, "UPDATE audit_leaf SET at = at + 1 WHERE idx = 20")
		got := r.verify(t)
		if !slices.Contains(got, "audit.row_differs") || !slices.Contains(got, "audit.hash_differs") {
			t.Errorf("after: %v", got)
		}
	})
}

func TestARewrittenLogDoesNotMatchTheCopyOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, audit.Migrations()))
	r.append(t, 5)
	_, err := r.s.Checkpoint(ctx)
	must(t, err)
	// Somebody with the database and the keys rolls everything back and goes on.
	for _, table := range []string{"audit_leaf", "audit_payload", "audit_hash", "audit_checkpoint"} {
		r.exec(t, "DELETE FROM "+table)
	}
	r.exec(t, "UPDATE audit_head SET size = 0, root = ''")
	other := audit.New(audit.Deps{DB: r.db, Vault: r.vault, Clock: r.clock, Origin: "test.example/log"})
	r.clock.Advance(time.Hour)
	r.append(t, 6)
	_, err = other.Checkpoint(ctx)
	must(t, err)
	if got := r.verify(t); !slices.Contains(got, "audit.checkpoint_differs") {
		t.Errorf("got %v", got)
	}
}

func TestAnEmptiedLogDoesNotMatchTheCopyOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, audit.Migrations()))
	must(t, r.s.CheckRoot(ctx)) // the first start: no log, no copy
	r.append(t, 5)
	_, err := r.s.Checkpoint(ctx)
	must(t, err)
	for _, table := range []string{"audit_leaf", "audit_payload", "audit_hash", "audit_checkpoint"} {
		r.exec(t, "DELETE FROM "+table)
	}
	r.exec(t, "UPDATE audit_head SET size = 0, root = ''")
	if err := r.s.CheckRoot(ctx); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("got %v, want ErrTampered", err)
	}
	must(t, os.Remove(r.file))
	if err := r.s.CheckRoot(ctx); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("with the copy deleted: got %v, want ErrTampered", err)
	}
}

func TestACheckpointIsNeverSignedOverATamperedLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, audit.Migrations()))
	if _, err := r.s.Checkpoint(ctx); !errors.Is(err, audit.ErrEmpty) {
		t.Errorf("of an empty log: got %v", err)
	}
	r.append(t, 5)
	first, err := r.s.Checkpoint(ctx)
	must(t, err)
	again, err := r.s.Checkpoint(ctx)
	must(t, err)
	if !bytes.Equal(first, again) {
		t.Error("one size was signed twice")
	}
	r.append(t, 1)
	r.exec(t, "UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE idx = 1) WHERE idx = 6") // of leaves 0 to 3
	r.append(t, 1)
	if _, err := r.s.Checkpoint(ctx); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("got %v, want ErrTampered", err)
	}
}

func TestProofsConvinceAStranger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.append(t, 5)
		old, err := r.s.Checkpoint(ctx)
		must(t, err)
		r.append(t, 8)
		signed, err := r.s.Checkpoint(ctx)
		must(t, err)
		key, err := r.s.VerifierKey(ctx)
		must(t, err)
		from, to := tree(t, old, key), tree(t, signed, key)
		for index := range to.N {
			p, err := r.s.Inclusion(ctx, index, to.N)
			must(t, err)
			if err := tlog.CheckRecord(p.Hashes, to.N, to.Hash, index, tlog.RecordHash(p.Leaf.Text())); err != nil {
				t.Errorf("leaf %d: %v", index, err)
			}
		}
		c, err := r.s.Consistency(ctx, from.N, to.N)
		must(t, err)
		if err := tlog.CheckTree(c.Hashes, to.N, to.Hash, from.N, from.Hash); err != nil {
			t.Error(err)
		}
		for _, bad := range [][2]int64{{-1, 13}, {13, 13}, {0, 14}} {
			if _, err := r.s.Inclusion(ctx, bad[0], bad[1]); !errors.Is(err, audit.ErrRange) {
				t.Errorf("inclusion %v: got %v", bad, err)
			}
		}
		for _, bad := range [][2]int64{{0, 5}, {6, 5}, {5, 14}} {
			if _, err := r.s.Consistency(ctx, bad[0], bad[1]); !errors.Is(err, audit.ErrRange) {
				t.Errorf("consistency %v: got %v", bad, err)
			}
		}
		kept, err := os.ReadFile(r.file)
		if err != nil || !bytes.Equal(kept, signed) {
			t.Errorf("the copy outside the database: %q, %v", kept, err)
		}
	})
}

func tree(t *testing.T, signed []byte, key string) tlog.Tree {
	t.Helper()
	v, err := note.NewVerifier(key)
	must(t, err)
	n, err := note.Open(signed, note.VerifierList(v))
	must(t, err)
	lines := bytes.Split([]byte(n.Text), []byte("\n"))
	if string(lines[0]) != "test.example/log" {
		t.Fatalf("got origin %q", lines[0])
	}
	size := int64(0)
	for _, d := range lines[1] {
		size = size*10 + int64(d-'0')
	}
	h, err := tlog.ParseHash(string(lines[2]))
	must(t, err)
	return tlog.Tree{N: size, Hash: h}
}

func TestAPersonSeesReadsAndDisclosures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.history(t)
		_, err := r.s.RecordRead(ctx, vault.Read{Reader: vault.Reader{Class: vault.Self, Handle: "sub_a"}, Subject: "sub_a", Fields: []string{"x.y"}, Purpose: "rights"})
		must(t, err)
		reads, err := r.s.Reads(ctx, "sub_a", audit.ReadFilter{})
		must(t, err)
		if len(reads) != 1 || reads[0].Reader.Handle != "sub_s" || reads[0].Fields[0] != "realname_case.number" || reads[0].Index != 7 {
			t.Errorf("got %+v", reads)
		}
		all, err := r.s.Reads(ctx, "sub_a", audit.ReadFilter{Own: true})
		if err != nil || len(all) != 2 {
			t.Errorf("with own reads: got %d, %v", len(all), err)
		}
		r.clock.Advance(time.Second)
		open, err := r.s.BeginDisclosure(ctx, intent())
		must(t, err)
		list, err := r.s.Disclosures(ctx, "sub_a", "", 500)
		must(t, err)
		if len(list) != 2 || list[0].ID != open.ID || list[0].Phase != "intent" || list[1].Phase != "done" || list[1].EndedAt.IsZero() {
			t.Errorf("got %+v", list)
		}
		must(t, r.s.FinishDisclosure(ctx, open, egress.Unknown))
		must(t, r.s.FinishDisclosure(ctx, open, egress.Done)) // does not count
		list, err = r.s.Disclosures(ctx, "sub_a", "", 500)
		if err != nil || list[0].Phase != "unknown" {
			t.Errorf("got %+v, %v", list, err)
		}
		if err := r.s.FinishDisclosure(ctx, egress.Receipt{ID: "dis_none"}, egress.Done); err == nil {
			t.Error("an unknown receipt was accepted")
		}
		if others, err := r.s.Disclosures(ctx, "sub_b", "", 500); err != nil || len(others) != 0 {
			t.Errorf("another person sees %v, %v", others, err)
		}
		if got := r.verify(t); got != nil {
			t.Errorf("problems: %v", got)
		}
	})
}

func TestAfterAnErasureTheLogStillVerifies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.append(t, 3)
		leaves, err := r.s.Leaves(ctx, audit.Filter{Handle: "sub_a", Limit: 1})
		must(t, err)
		ticket, err := r.vault.Begin(ctx, vault.Read{Reader: vault.Reader{Class: vault.Staff}, Subject: "sub_a", Fields: []string{audit.DetailField}, Purpose: "security_audit", Reason: "case_1"})
		must(t, err)
		body, err := r.s.Detail(ctx, ticket, leaves[0])
		if err != nil || !bytes.Contains(body, []byte("rnv_1")) {
			t.Errorf("got %s, %v", body, err)
		}
		if _, err := r.s.Detail(ctx, vault.Ticket{}, leaves[0]); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("without a ticket: %v", err)
		}
		must(t, r.vault.DestroyClass(ctx, "sub_a", audit.Types["realname.submitted"]))
		r.exec(t, "UPDATE audit_payload SET body = '' WHERE id = $1", leaves[0].Payload)
		report, err := r.s.Verify(ctx)
		must(t, err)
		if report.Erased != 3 || len(report.Problems) > 0 {
			t.Errorf("got %d erased, problems %v", report.Erased, report.Problems)
		}
		if _, err := r.s.Detail(ctx, ticket, leaves[0]); err == nil {
			t.Error("an erased detail opened")
		}
	})
}

// What is kept for a time goes with its day or month, and nothing else does; the
// log verifies before and after.
func TestDetailsGoWithTheirTimeAndTheLogStillVerifies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		login := audit.Event{Type: "account.login", Subject: "sub_a", Actor: audit.Actor{Class: "self", Handle: "sub_a"}}
		nobody := audit.Event{Type: "account.stuffing", Actor: audit.Actor{Class: "system"}}
		read := vault.Read{Reader: vault.Reader{Class: vault.Job, Session: "x"}, Subject: "sub_a", Fields: []string{"a.b"}, Purpose: "account"}
		record := func() {
			t.Helper()
			must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
				return errors.Join(r.s.AppendTx(ctx, tx, login), r.s.AppendTx(ctx, tx, nobody), r.s.AppendTx(ctx, tx, event()))
			}))
			_, err := r.s.RecordRead(ctx, read)
			must(t, err)
			_, err = r.s.BeginDisclosure(ctx, egress.Intent{Subject: "sub_a", Recipient: "idv.aliyun", Op: "x", Fields: []string{"UserName"}})
			must(t, err)
		}
		held := ""
		retain := func() (netlog, disclosure retention.Result) {
			t.Helper()
			got, err := r.s.Retain(ctx, retention.Run{
				Now: r.clock.Now(), Profile: "mainland", Held: func(class string, _ id.Handle) bool { return class == held },
			})
			must(t, err)
			if problems := r.verify(t); problems != nil {
				t.Fatalf("after a run: %v", problems)
			}
			return got[0], got[1]
		}
		at := func(day civil.Day) { r.clock.Advance(day.Start().Add(time.Hour).Sub(r.clock.Now())) }
		first := civil.DayOf(r.clock.Now())
		record()
		r.clock.Advance(24 * time.Hour)
		record()
		at(first.AddMonths(6))
		if n, _ := retain(); n.Examined != 0 {
			t.Errorf("on the last day of six months: %+v", n)
		}
		at(first.AddMonths(6).AddDays(1))
		held = "netlog"
		if n, _ := retain(); n.Held != 2 || n.Destroyed != 0 {
			t.Errorf("on hold: %+v", n)
		}
		held = ""
		if n, d := retain(); n.Destroyed != 2 || n.Overdue != 0 || d.Examined != 0 {
			t.Errorf("a day later: %+v, disclosures %+v", n, d)
		}
		reads := func() int {
			t.Helper()
			all, err := r.s.Reads(ctx, "sub_a", audit.ReadFilter{})
			must(t, err)
			sent, err := r.s.Disclosures(ctx, "sub_a", "", 500)
			must(t, err)
			return len(all) + len(sent)
		}
		at(first.AddMonths(36).AddDays(1))
		if _, d := retain(); d.Destroyed != 0 || reads() != 4 {
			t.Errorf("in the last month of three years: %+v, %d left", d, reads())
		}
		at(first.AddMonths(37).AddDays(1))
		if _, d := retain(); d.Destroyed != 4 || reads() != 0 {
			t.Errorf("after three years and a month: %+v, %d left", d, reads())
		}
		if report, err := r.s.Verify(ctx); err != nil || report.Size != 10 || report.Erased != 8 {
			t.Errorf("%d leaves, %d without detail (%v)", report.Size, report.Erased, err)
		}
	})
}

// What is kept from a close has a key for each thing that closes: the end of one
// case leaves the other readable, and the log verifies.
func TestDetailsGoWithTheCaseThatTheyTellOf(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		of := func(object string) audit.Event {
			return audit.Event{Type: "privacy.request_received", Subject: "sub_a", Actor: audit.Actor{Class: "self", Handle: "sub_a"}, Object: object}
		}
		if err := r.s.Append(ctx, of("")); err == nil {
			t.Error("an entry about no case was taken: its key would never end")
		}
		if err := r.s.Append(ctx, audit.Event{Type: "account.login", Actor: audit.Actor{Class: "self"}, Object: "dsr_1"}); err == nil {
			t.Error("an entry that ends with its day was taken as of a case")
		}
		must(t, r.s.Append(ctx, of("dsr_1")))
		must(t, r.s.Append(ctx, of("dsr_2")))
		must(t, r.s.AppendPlain(ctx, of(""), "case"))
		ended, err := r.s.Retain(ctx, r.run())
		if must(t, err); len(ended) != 2 || left(t, r) != 3 {
			t.Errorf("while everything lives: %v", ended)
		}
		must(t, r.s.Forget(ctx, "case", "sub_a", "dsr_1"))
		_, err = r.s.Retain(ctx, r.run())
		if must(t, err); left(t, r) != 2 {
			t.Errorf("%d details are left, want those of the other case and of the older release", left(t, r))
		}
		if report, err := r.s.Verify(ctx); err != nil || report.Erased != 1 || len(report.Problems) > 0 {
			t.Errorf("%d erased, %v, %v", report.Erased, report.Problems, err)
		}
	})
}

// The key of an older release goes when the last thing is over that it told of, and
// not before.
func TestAKeyOfAnOlderReleaseWaitsForTheLastThingItToldOf(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		e := audit.Event{Type: "hold.placed", Subject: "sub_a", Actor: audit.Actor{Class: "staff", Handle: "sub_s"}}
		must(t, r.s.AppendPlain(ctx, e, "legal_order"))
		e.Type = "erasure.opened"
		must(t, r.s.AppendPlain(ctx, e, "case"))
		must(t, r.s.AppendPlain(ctx, e, "case"))
		r.clock.Advance(civil.DayOf(r.clock.Now()).AddMonths(36).AddDays(1).Start().Add(time.Hour).Sub(r.clock.Now()))
		kept := things{"case": true}
		for i, want := range []int64{3, 2, 0} { // nobody asked yet, then the case alone keeps, then nothing does
			_, err := r.s.Retain(ctx, r.run())
			if must(t, err); left(t, r) != want {
				t.Errorf("run %d: %d details are left, want %d", i, left(t, r), want)
			}
			if i == 1 {
				delete(kept, "case")
			}
			r.s.Ask(things{}, kept)
		}
		if problems := r.verify(t); problems != nil {
			t.Errorf("problems: %v", problems)
		}
	})
}

// A row that names the ended key of somebody else, or of another thing, is not one
// whose detail was erased.
func TestAnEndedKeyOfAnotherThingExcusesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		about := func(subject id.Handle, object string) audit.Event {
			return audit.Event{Type: "privacy.request_received", Subject: subject, Actor: audit.Actor{Class: "job"}, Object: object}
		}
		must(t, r.s.Append(ctx, about("sub_a", "dsr_1")))
		must(t, r.s.Append(ctx, about("sub_b", "dsr_2")))
		must(t, r.s.Forget(ctx, "case", "sub_a", "dsr_1"))
		r.exec(t, "UPDATE audit_payload SET body = (SELECT body FROM audit_payload WHERE class = 'case/dsr_1') WHERE class = 'case/dsr_2'")
		if problems := r.verify(t); len(problems) != 1 {
			t.Errorf("a detail that was replaced by an erased one: %v", problems)
		}
	})
}

// things are classes of which something is kept.
type things map[string]bool

func (k things) Keeps(_ context.Context, _ retention.Run, class string, _ id.Handle, _ time.Time) (bool, error) {
	return k[class], nil
}

func (r rig) run() retention.Run {
	return retention.Run{Now: r.clock.Now(), Profile: "mainland", Held: retention.Unheld}
}

func left(t *testing.T, r rig) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM audit_payload WHERE length(body) > 0")
	must(t, err)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
