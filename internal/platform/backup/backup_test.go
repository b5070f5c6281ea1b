package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC)
	probe = db.Migrations{Module: "probe", Files: fstest.MapFS{
		"00001_probe.sql": {Data: []byte("-- +goose Up\nCREATE TABLE probe_row (id TEXT PRIMARY KEY, n BIGINT, b BLOB);\nCREATE TABLE probe_head (id BIGINT PRIMARY KEY);\nINSERT INTO probe_head (id) VALUES (7);\n")},
		"00002_more.sql":  {Data: []byte("-- +goose Up\nALTER TABLE probe_row ADD COLUMN t TEXT;\n")},
	}}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type rig struct {
	Source
	key envelope.PrivateKey
}

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	public, err := Format.NewKey(file)
	must(t, err)
	secret, err := Format.ReadPrivateKey(file)
	must(t, err)
	return rig{Source{
		DB: d, Sets: []db.Migrations{probe}, Store: Main, Region: "HK", Profile: "hongkong", Program: "test",
		Dir: t.TempDir(), Keep: 24 * time.Hour, Public: public,
	}, secret}
}

func (r rig) write(t *testing.T) Manifest {
	t.Helper()
	m, err := Write(ctx, r.Source, start)
	must(t, err)
	return m
}

func exec(t *testing.T, d *db.DB, text string, args ...any) {
	t.Helper()
	must(t, d.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, text, args...)
		return err
	}))
}

// contents are all rows of a database, in an order of its own.
func contents(t *testing.T, d *db.DB) string {
	t.Helper()
	var out bytes.Buffer
	_, err := dump(ctx, d, []db.Migrations{probe}, &out, func(context.Context, db.Q) error { return nil })
	must(t, err)
	var all []string
	for r := bufio.NewReader(&out); ; {
		kind, values, err := readRecord(r)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		all = append(all, fmt.Sprintf("%c %#v", kind, values))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// empties are new databases of both engines, where there are both.
func empties(t *testing.T, fn func(t *testing.T, to *db.DB)) {
	t.Helper()
	dbtest.Each(t, fn)
}

func TestAfterChangesARestoreGivesTheStateOfTheBackup(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		exec(t, d, "INSERT INTO probe_row (id, n, b, t) VALUES ('a', -5, $1, 'ü'), ('b', NULL, NULL, NULL), ('c', 9223372036854775807, $2, '')", []byte{0, 255}, []byte{})
		for i := range 400 {
			exec(t, d, "INSERT INTO probe_row (id, n, b) VALUES ($1, $2, $3)", "row"+strings.Repeat("x", i), int64(i), bytes.Repeat([]byte{byte(i)}, i*10))
		}
		exec(t, d, "UPDATE probe_head SET id = 9")
		want, m := contents(t, d), r.write(t)
		if len(want) < 5*(64<<10) || m.Rows["probe_row"] != 403 || m.RowCount() != 404 {
			t.Fatalf("got %d bytes and %v", len(want), m.Rows)
		}
		exec(t, d, "DELETE FROM probe_row WHERE n > 3")
		found, err := Newest(r.Dir, Main)
		if err != nil || found.ID != m.ID {
			t.Fatalf("got %s, %v, want %s", found.ID, err, m.ID)
		}
		empties(t, func(t *testing.T, to *db.DB) {
			must(t, found.Restore(ctx, to, r.Sets, r.key))
			if got := contents(t, to); got != want {
				t.Errorf("got %d bytes of rows, want the %d of the backup", len(got), len(want))
			}
			if err := found.Restore(ctx, to, r.Sets, r.key); !errors.Is(err, ErrFull) {
				t.Errorf("a second time: got %v, want ErrFull", err)
			}
		})
	}, probe)
}

func TestAnOlderBackupComesBackInItsOwnVersionAndANewerIsRefused(t *testing.T) {
	t.Parallel()
	old := db.Migrations{Module: "probe", Files: fstest.MapFS{"00001_probe.sql": probe.Files.(fstest.MapFS)["00001_probe.sql"]}}
	r := newRig(t, dbtest.SQLite(t, old))
	exec(t, r.DB, "INSERT INTO probe_row (id, n) VALUES ('a', 1)")
	m := r.write(t)
	dbtest.Each(t, func(t *testing.T, to *db.DB) {
		must(t, m.Restore(ctx, to, []db.Migrations{probe}, r.key))
		if behind, err := to.Pending(ctx, probe); err != nil || len(behind) != 1 {
			t.Errorf("got %v, %v, want the tables of the older version", behind, err)
		}
		must(t, to.Migrate(ctx, probe))
	})
	newer := newRig(t, dbtest.SQLite(t, probe))
	if err := newer.write(t).Restore(ctx, dbtest.SQLite(t), []db.Migrations{old}, newer.key); err == nil || !strings.Contains(err.Error(), "does not know") {
		t.Errorf("a newer one: got %v", err)
	}
}

func TestABackupUnderWritesHasBothRowsOfATransactionOrNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		done, wg := make(chan struct{}), sync.WaitGroup{}
		wg.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-done:
					return
				default:
				}
				// Moves one between two tables; a mixture of states has another sum.
				err := d.InTx(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(ctx, "UPDATE probe_head SET id = $1", n)
					if err == nil {
						_, err = tx.Exec(ctx, "INSERT INTO probe_row (id, n) VALUES ('moved', $1) ON CONFLICT (id) DO UPDATE SET n = excluded.n", -n)
					}
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		defer func() { close(done); wg.Wait() }()
		sum := func(ctx context.Context, q db.Q) int64 {
			n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT CAST((SELECT id FROM probe_head) + (SELECT n FROM probe_row WHERE id = 'moved') AS BIGINT)")
			must(t, err)
			return n
		}
		for n := int64(0); n == 0; { // until the writer has begun
			var err error
			n, err = db.Get(ctx, d, nil, db.One[int64], "SELECT count(*) FROM probe_row")
			must(t, err)
		}
		for range 5 {
			before := int64(0)
			r.Within = func(ctx context.Context, q db.Q) (err error) {
				before, err = db.Get(ctx, q, nil, db.One[int64], "SELECT id FROM probe_head")
				// Writes go on meanwhile.
				for n := before; n == before && err == nil; {
					n, err = db.Get(ctx, d, nil, db.One[int64], "SELECT id FROM probe_head")
				}
				return err
			}
			m := r.write(t)
			to := dbtest.SQLite(t)
			must(t, m.Restore(ctx, to, r.Sets, r.key))
			if got := sum(ctx, to); got != 0 {
				t.Errorf("the two rows are of different transactions: %d apart", got)
			}
			if got, err := db.Get(ctx, to, nil, db.One[int64], "SELECT id FROM probe_head"); err != nil || got != before {
				t.Errorf("got %d, %v, want what the snapshot showed: %d", got, err, before)
			}
		}
	}, probe)
}

func TestAChangedByteACutAndAWrongKeyAreRefusedBeforeTheTargetIsTouched(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, probe))
	exec(t, r.DB, "INSERT INTO probe_row (id, n, b) VALUES ('a', 1, $1)", make([]byte, 3*(64<<10)))
	m := r.write(t)
	whole, err := os.ReadFile(m.Path())
	must(t, err)
	refuse := func(name string, m Manifest, k envelope.PrivateKey, want error) {
		t.Helper()
		to := dbtest.SQLite(t)
		if err := m.Restore(ctx, to, r.Sets, k); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
		if live, err := to.Schema(ctx); err != nil || len(live) != 0 {
			t.Errorf("%s: the target has %v, %v", name, live, err)
		}
	}
	for _, at := range []int{0, 22, 1120, len(whole) / 2, len(whole) - 1} {
		bad := bytes.Clone(whole)
		bad[at] ^= 1
		must(t, os.WriteFile(m.Path(), bad, 0o600))
		refuse("a flipped bit", m, r.key, ErrHash)
	}
	for _, n := range []int{0, 10, len(whole) - 1, len(whole) - (64 << 10) - 16} {
		must(t, os.WriteFile(m.Path(), whole[:n], 0o600))
		refuse("a cut", m, r.key, ErrHash)
	}
	must(t, os.WriteFile(m.Path(), whole, 0o600))
	refuse("another key", m, newRig(t, r.DB).key, envelope.ErrKey)
	// Who can write the manifest as well gains nothing.
	moved := m
	moved.Region = "CN-mainland"
	refuse("another region in the manifest", moved, r.key, envelope.ErrKey)
	must(t, m.Check(Main, "HK", "hongkong"))
	for name, err := range map[string]error{
		"region": m.Check(Main, "CN-mainland", "hongkong"), "profile": m.Check(Main, "HK", "mainland"), "store": m.Check(Keys, "HK", "hongkong"),
	} {
		if err == nil {
			t.Errorf("another %s is not refused", name)
		}
	}
	must(t, m.Restore(ctx, dbtest.SQLite(t), r.Sets, r.key))
}

func TestAFailureLeavesNothingThatLooksWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, boom := newRig(t, d), errors.New("boom")
		broken := map[string]func(*Source){
			"while reading": func(s *Source) { s.Within = func(context.Context, db.Q) error { return boom } },
			"while signing": func(s *Source) { s.Sign = func(context.Context) ([]byte, int64, error) { return nil, 0, boom } },
		}
		for name, breaks := range broken {
			s := r.Source
			breaks(&s)
			m, err := Write(ctx, s, start)
			if !errors.Is(err, boom) {
				t.Errorf("%s: got %v", name, err)
			}
			must(t, RecordRun(ctx, d, m, start, err))
			if left, err := os.ReadDir(r.Dir); err != nil || len(left) != 0 {
				t.Errorf("%s: left %v, %v", name, left, err)
			}
		}
		if _, err := Newest(r.Dir, Main); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want no backup", err)
		}
		all, err := States(ctx, d)
		if err != nil || !all[0].Success.IsZero() || !strings.Contains(all[0].Failure, "boom") || all[1].Failure != "" {
			t.Errorf("got %+v, %v, want the failure of main", all, err)
		}
		m := r.write(t)
		must(t, RecordRun(ctx, d, m, start, nil))
		if all, err = States(ctx, d); err != nil || !all[0].Success.Equal(start) {
			t.Errorf("got %+v, %v", all, err)
		}
	}, probe, Migrations())
}

func TestOldOnesGoByTheNextRunAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, probe))
	r.Keep = 30 * time.Hour
	m := r.write(t)
	part := filepath.Join(r.Dir, unfinished+strings.Replace(m.File, "20261128", "20261127", 1))
	orphan := filepath.Join(r.Dir, strings.Replace(m.File, "20261128", "20261127", 1))
	for _, name := range []string{"notes.txt", "keys-20200101T000000Z-x.skb", "main-notes.json"} {
		must(t, os.WriteFile(filepath.Join(r.Dir, name), nil, 0o600))
	}
	for _, path := range []string{part, orphan} {
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Chtimes(path, start, start))
	}
	must(t, Expire(r.Dir, Main, r.Keep, start.Add(30*time.Minute)))
	if !exists(part) || !exists(orphan) {
		t.Error("a part was removed while somebody may write to it")
	}
	must(t, Expire(r.Dir, Main, r.Keep, start.Add(r.Keep)))
	if !exists(m.Path()) || !exists(m.manifestPath()) || exists(part) || exists(orphan) {
		t.Error("at the end of its time a backup is gone, or a part is left")
	}
	next, err := Write(ctx, r.Source, start.Add(r.Keep+time.Second))
	must(t, err)
	all, err := List(r.Dir, Main)
	if err != nil || len(all) != 1 || all[0].ID != next.ID {
		t.Errorf("got %v, %v, want the new one alone", all, err)
	}
	left, err := os.ReadDir(r.Dir)
	if err != nil || len(left) != 5 {
		t.Errorf("left %v, %v, want two files of the backup and three of others", left, err)
	}
	r.Store, r.Keep = Keys, 8*24*time.Hour
	if _, err := Write(ctx, r.Source, start); err == nil {
		t.Error("backups of keys may be kept for more than seven days")
	}
}

func TestNothingPlainIsInABackup(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, probe))
	exec(t, r.DB, "INSERT INTO probe_row (id, t) VALUES ('canary-one', 'canary-two')")
	m := r.write(t)
	b, err := os.ReadFile(m.Path())
	must(t, err)
	text, err := os.ReadFile(m.manifestPath())
	must(t, err)
	if bytes.Contains(append(b, text...), []byte("canary")) || bytes.Contains(b, []byte("probe_row")) {
		t.Error("the file or its manifest holds rows in the clear")
	}
}

func TestRecordsComeBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		drill := Drill{At: start, Backup: "bak_1", SHA256: "00", RPO: time.Hour, RTO: 3 * time.Second, Rows: 5, Leaves: 6, Error: "why"}
		must(t, RecordDrill(ctx, d, drill))
		if all, err := Drills(ctx, d); err != nil || len(all) != 1 || all[0] != drill {
			t.Errorf("got %+v, %v", all, err)
		}
		restored := Restored{Backup: "bak_1", BackupAt: start, Tombstones: 2, Lost: 3, Opened: start.Add(time.Hour)}
		must(t, d.InTx(ctx, func(tx *db.Tx) error { return RecordRestoreTx(ctx, tx, restored) }))
		if all, err := Restores(ctx, d); err != nil || len(all) != 1 || all[0] != restored {
			t.Errorf("got %+v, %v", all, err)
		}
		m := Manifest{ID: "bak_1", Store: Keys, Region: "HK", At: start, Expires: start.Add(time.Hour), Bytes: 4, SHA256: "00", Size: 9}
		must(t, RecordRun(ctx, d, m, start.Add(time.Second), nil))
		all, err := Runs(ctx, d, 10)
		if err != nil || len(all) != 1 || all[0].Store != Keys || all[0].Bytes != 4 || !all[0].Finished.Equal(start.Add(time.Second)) {
			t.Errorf("got %+v, %v", all, err)
		}
	}, Migrations())
}
