package vault_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// readLog is a read log in memory: what it holds is what was read.
type readLog struct {
	mu    sync.Mutex
	reads []vault.Read
	fail  error
}

func (l *readLog) RecordRead(_ context.Context, r vault.Read) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return "", l.fail
	}
	l.reads = append(l.reads, r)
	return "read_1", nil
}

// gate opens for every purpose but the shut one.
type gate struct{ shut string }

var errShut = errs.New(errs.Forbidden, "consent.gate_closed")

func (g gate) Gate(_ context.Context, _ id.Handle, purpose string) error {
	if purpose == g.shut {
		return errShut
	}
	return nil
}

type rig struct {
	v     *vault.Vault
	db    *db.DB
	kek   vault.Custodian
	clock *clock.Fake
	log   *readLog
}

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	r := rig{db: d, kek: kek, clock: clock.NewFake(start), log: &readLog{}}
	r.v, err = vault.New(context.Background(), vault.Deps{DB: d, Custodian: kek, Clock: r.clock, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	r.v.Bind(r.log, gate{shut: "newsletter"})
	return r
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, vault.Migrations())
}

var ctx = context.Background()

func ref() vault.Ref {
	return vault.Ref{Table: "person", Column: "number", Row: "p1", Subject: "sub_a", Class: "realname_value"}
}

func (r rig) ticket(t *testing.T, ref vault.Ref) vault.Ticket {
	t.Helper()
	ticket, err := r.v.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Self}, Subject: ref.Subject,
		Fields: []string{ref.Field()}, Purpose: "realname",
	})
	must(t, err)
	return ticket
}

func TestAValueOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		sealed, err := r.v.Seal(ctx, ref(), []byte("secret"))
		must(t, err)
		if bytes.Contains(sealed, []byte("secret")) {
			t.Fatal("the value is in the ciphertext")
		}
		got, err := r.v.Open(ctx, r.ticket(t, ref()), ref(), sealed)
		if err != nil || string(got) != "secret" {
			t.Fatalf("got %q, %v", got, err)
		}
		moves := map[string]func(*vault.Ref){
			"table":   func(f *vault.Ref) { f.Table = "other" },
			"column":  func(f *vault.Ref) { f.Column = "name" },
			"row":     func(f *vault.Ref) { f.Row = "p2" },
			"subject": func(f *vault.Ref) { f.Subject = "sub_b" },
			"class":   func(f *vault.Ref) { f.Class = "optional" },
		}
		for name, move := range moves {
			f := ref()
			move(&f)
			if _, err := r.v.Open(ctx, r.ticket(t, f), f, sealed); !errors.Is(err, vault.ErrIntegrity) {
				t.Errorf("moved to another %s: got %v, want ErrIntegrity", name, err)
			}
		}
		for i := range sealed {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1
			if _, err := r.v.Open(ctx, r.ticket(t, ref()), ref(), bad); !errors.Is(err, vault.ErrIntegrity) {
				t.Errorf("byte %d altered: got %v, want ErrIntegrity", i, err)
			}
		}
		for _, n := range []int{0, 1, 18, len(sealed) - 1} {
			if _, err := r.v.Open(ctx, r.ticket(t, ref()), ref(), sealed[:n]); !errors.Is(err, vault.ErrIntegrity) {
				t.Errorf("cut to %d bytes: got %v, want ErrIntegrity", n, err)
			}
		}
	})
}

func TestNothingOpensWithoutACommittedReadEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		sealed, err := r.v.Seal(ctx, ref(), []byte("secret"))
		must(t, err)
		if _, err := r.v.Open(ctx, vault.Ticket{}, ref(), sealed); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("without a ticket: got %v", err)
		}
		other := ref()
		other.Column = "name"
		if _, err := r.v.Open(ctx, r.ticket(t, other), ref(), sealed); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("with a ticket of another field: got %v", err)
		}
		other = ref()
		other.Subject = "sub_b"
		if _, err := r.v.Open(ctx, r.ticket(t, other), ref(), sealed); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("with a ticket of another person: got %v", err)
		}
		ticket := r.ticket(t, ref())
		r.clock.Advance(vault.TicketLife)
		if _, err := r.v.Open(ctx, ticket, ref(), sealed); err != nil {
			t.Errorf("at the end of its life: got %v", err)
		}
		r.clock.Advance(time.Microsecond)
		if _, err := r.v.Open(ctx, ticket, ref(), sealed); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("after its life: got %v", err)
		}
		if n := len(r.log.reads); n != 3 {
			t.Errorf("got %d read events, want 3", n)
		}
	})
}

func TestBeginRefusesRatherThanReadsUnseen(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, vault.Migrations()))
	read := vault.Read{Reader: vault.Reader{Class: vault.Job}, Subject: "sub_a", Fields: []string{"a.b"}, Purpose: "realname"}
	shut := read
	shut.Purpose = "newsletter"
	if _, err := r.v.Begin(ctx, shut); !errors.Is(err, errShut) {
		t.Errorf("a purpose without basis: got %v", err)
	}
	for name, change := range map[string]func(*vault.Read){
		"subject": func(x *vault.Read) { x.Subject = "" }, "fields": func(x *vault.Read) { x.Fields = nil },
		"purpose": func(x *vault.Read) { x.Purpose = "" }, "reader": func(x *vault.Read) { x.Reader.Class = "" },
		"a reason of staff": func(x *vault.Read) { x.Reader = vault.Reader{Class: vault.Staff, Handle: "sub_s"} },
	} {
		x := read
		change(&x)
		if _, err := r.v.Begin(ctx, x); !errors.Is(err, vault.ErrTicket) {
			t.Errorf("without %s: got %v", name, err)
		}
	}
	r.log.fail = errors.New("disk full")
	if _, err := r.v.Begin(ctx, read); !errors.Is(err, r.log.fail) {
		t.Errorf("with a failing read log: got %v", err)
	}
	r.v.Bind(nil, nil)
	if _, err := r.v.Begin(ctx, read); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("without ports: got %v", err)
	}
}

func TestDestroyedIsErasedInEveryProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		second, err := vault.New(ctx, vault.Deps{DB: r.db, Custodian: r.kek, Clock: r.clock})
		must(t, err)
		second.Bind(r.log, gate{})
		sealed, err := r.v.Seal(ctx, ref(), []byte("secret"))
		must(t, err)
		kept := ref()
		kept.Class = "realname_result"
		other, err := r.v.Seal(ctx, kept, []byte("result"))
		must(t, err)
		if _, err := second.Open(ctx, r.ticket(t, ref()), ref(), sealed); err != nil {
			t.Fatal(err) // it now caches the key
		}
		must(t, r.v.DestroyClass(ctx, "sub_a", "realname_value"))
		must(t, r.v.DestroyClass(ctx, "sub_a", "realname_value"))
		for _, v := range []*vault.Vault{r.v, second} {
			if _, err := v.Open(ctx, r.ticket(t, ref()), ref(), sealed); !errors.Is(err, vault.ErrErased) {
				t.Errorf("got %v, want ErrErased", err)
			}
			if _, err := v.Open(ctx, r.ticket(t, kept), kept, other); err != nil {
				t.Errorf("the other class: %v", err)
			}
		}
		again, err := r.v.Seal(ctx, ref(), []byte("new"))
		must(t, err)
		if bytes.Equal(again[2:18], sealed[2:18]) {
			t.Error("a destroyed key's id is used again")
		}
		must(t, r.v.DestroySubject(ctx, "sub_a"))
		if _, err := second.Open(ctx, r.ticket(t, kept), kept, other); !errors.Is(err, vault.ErrErased) {
			t.Errorf("after the person: got %v, want ErrErased", err)
		}
	})
}

func TestAnErasedPersonGetsNoKeyAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		must(t, r.v.DestroySubject(ctx, "sub_never_seen"))
		f := ref()
		f.Subject = "sub_never_seen"
		if _, err := r.v.Seal(ctx, f, []byte("x")); !errors.Is(err, vault.ErrErased) {
			t.Errorf("got %v, want ErrErased", err)
		}
	})
}

func TestManySealersShareOneKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				sealed, err := r.v.Seal(ctx, ref(), []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = string(sealed[2:18])
			})
		}
		wg.Wait()
		for _, got := range ids {
			if got != ids[0] {
				t.Fatal("one class of one person has two live keys")
			}
		}
	})
}

func TestSystemSecretsAreBoundToTheirName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.v.Bind(nil, nil) // they need no ports
		sealed, err := r.v.SealSystem(ctx, "ca/1", []byte("key"))
		must(t, err)
		got, err := r.v.OpenSystem(ctx, "ca/1", sealed)
		if err != nil || string(got) != "key" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := r.v.OpenSystem(ctx, "ca/2", sealed); !errors.Is(err, vault.ErrIntegrity) {
			t.Errorf("under another name: got %v", err)
		}
	})
}

func TestACommitmentIsComputedWithoutReading(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		for _, subject := range []id.Handle{"sub_a", ""} {
			f := ref()
			f.Subject = subject
			sealed, want, err := r.v.SealSalted(ctx, f, []byte("detail"))
			must(t, err)
			got, err := r.v.CommitmentOf(ctx, f, sealed)
			if err != nil || got != want {
				t.Errorf("got %x, %v, want %x", got, err, want)
			}
			var ticket vault.Ticket
			if subject != "" {
				if _, err := r.v.OpenSalted(ctx, ticket, f, sealed); !errors.Is(err, vault.ErrTicket) {
					t.Errorf("without a ticket: got %v", err)
				}
				ticket = r.ticket(t, f)
			}
			plain, err := r.v.OpenSalted(ctx, ticket, f, sealed)
			if err != nil || string(plain) != "detail" {
				t.Errorf("got %q, %v", plain, err)
			}
		}
		unsalted, err := r.v.Seal(ctx, ref(), []byte("an enumerable number"))
		must(t, err)
		if _, err := r.v.CommitmentOf(ctx, ref(), unsalted); !errors.Is(err, vault.ErrIntegrity) {
			t.Errorf("of an unsalted value: got %v, want ErrIntegrity", err)
		}
	})
}

func TestABlindIndexIsEqualForEqualValuesOfOneField(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		index := func(field, value string) string {
			s, err := r.v.Blind(ctx, field, value)
			must(t, err)
			return s
		}
		a := index("number", "A")
		if a != index("number", "A") {
			t.Error("one value has two indexes")
		}
		if a == index("number", "B") || a == index("other", "A") {
			t.Error("two values or fields share an index")
		}
		if !strings.HasPrefix(a, "1:") || len(a) != 66 {
			t.Errorf("got %q, want epoch and 64 hex digits", a)
		}
	})
}

func TestTheKeyStoreKnowsItsCustodian(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		stranger, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
		must(t, err)
		_, err = vault.New(ctx, vault.Deps{DB: r.db, Custodian: stranger, Clock: r.clock})
		if !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		absent := &awayCustodian{r.kek, false}
		v, err := vault.New(ctx, vault.Deps{DB: r.db, Custodian: absent, Clock: r.clock})
		must(t, err)
		sealed, err := v.SealSystem(ctx, "x", []byte("y"))
		must(t, err)
		absent.away = true
		r.clock.Advance(61 * time.Second) // the cache is cold
		if _, err := v.OpenSystem(ctx, "x", sealed); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("open with custody away: got %v", err)
		}
		if _, err := v.SealSystem(ctx, "x", []byte("y")); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("seal with custody away: got %v", err)
		}
	})
}

// awayCustodian is a custodian that can be cut off.
type awayCustodian struct {
	vault.Custodian
	away bool
}

func (a *awayCustodian) Wrap(ctx context.Context, plain, aad []byte) ([]byte, error) {
	if a.away {
		return nil, errors.New("connection refused")
	}
	return a.Custodian.Wrap(ctx, plain, aad)
}

func (a *awayCustodian) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	if a.away {
		return nil, errors.New("connection refused")
	}
	return a.Custodian.Unwrap(ctx, wrapped, aad)
}

func TestTheKeyFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "kek")
	first, err := vault.FileKEK(path)
	must(t, err)
	again, err := vault.FileKEK(path)
	must(t, err)
	if first.ID() != again.ID() {
		t.Error("the file was made anew")
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %o, want 600", info.Mode().Perm())
	}
	must(t, os.Chmod(path, 0o640))
	if _, err := vault.FileKEK(path); err == nil {
		t.Error("a file that others can read was accepted")
	}
	bad := filepath.Join(t.TempDir(), "bad")
	must(t, os.WriteFile(bad, []byte("hello\n"), 0o600))
	if _, err := vault.FileKEK(bad); err == nil {
		t.Error("a file that is no key file was accepted")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add(append([]byte{1, 1}, make([]byte, 60)...))
	f.Add(append([]byte{2, 1}, make([]byte, 60)...))
	d := dbtest.SQLite(f, vault.Migrations())
	kek, err := vault.FileKEK(filepath.Join(f.TempDir(), "kek"))
	if err != nil {
		f.Fatal(err)
	}
	v, err := vault.New(ctx, vault.Deps{DB: d, Custodian: kek, Clock: clock.NewFake(start), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := v.OpenSystem(ctx, "x", sealed); !errors.Is(err, vault.ErrIntegrity) {
			t.Errorf("got %x, %v, want ErrIntegrity", plain, err)
		}
	})
}
