package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// backedUp makes keys and a backup of both stores.
func (in *rig) backedUp() Restoring {
	in.t.Helper()
	dir := in.t.TempDir()
	in.cfg.Backup.Main.Directory, in.cfg.Backup.Keys.Directory = filepath.Join(dir, "m"), filepath.Join(dir, "k")
	r := Restoring{MainKey: filepath.Join(dir, "main"), KeysKey: filepath.Join(dir, "keys")}
	must(in.t, BackupKey(r.MainKey, io.Discard))
	must(in.t, BackupKey(r.KeysKey, io.Discard))
	in.cfg.Backup.Main.PublicKeyFile, in.cfg.Backup.Keys.PublicKeyFile = r.MainKey+".pub", r.KeysKey+".pub"
	must(in.t, in.cfg.Validate())
	must(in.t, in.modules.backUp(context.Background(), in.cfg, in.stores, io.Discard))
	for store, to := range map[backup.Store]*string{backup.Main: &r.Main, backup.Keys: &r.Keys} {
		all, err := filepath.Glob(filepath.Join(dir, string(store)[:1], string(store)+"-*.json"))
		if err != nil || len(all) != 1 {
			in.t.Fatalf("%s: got %v, %v", store, all, err)
		}
		*to = all[0]
	}
	return r
}

// elsewhere is a new data directory with the files that an operator brings.
func (in *rig) elsewhere(files ...string) config.Config {
	in.t.Helper()
	cfg := in.cfg
	cfg.Data = in.t.TempDir()
	for _, name := range files {
		text, err := os.ReadFile(in.cfg.Path(name))
		must(in.t, err)
		must(in.t, os.WriteFile(cfg.Path(name), text, 0o600))
	}
	return cfg
}

// start does what Control does before it listens.
func start(t *testing.T, cfg config.Config) (*stores, error) {
	t.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	s, err := openStores(ctx, cfg, log)
	must(t, err)
	t.Cleanup(func() { must(t, s.close()) })
	m, err := newModules(cfg, s, log)
	must(t, err)
	if err := m.reopen(ctx, cfg, s, log); err != nil {
		return s, err
	}
	return s, m.audit.CheckRoot(ctx)
}

var everything = []string{"kek", "checkpoint", "checkpoint.pub", "checkpoint.history"}

func TestARestoreOpensOnlyAfterTheErasuresAndOnlyIfItsLogWasOurs(t *testing.T) {
	in := install(t)
	ctx := context.Background()
	in.register("stays")
	gone := in.register("canaryperson").self()
	from := in.backedUp()
	accounts := func(s *stores) int64 {
		n, err := db.Get(ctx, s.main, nil, db.One[int64], "SELECT count(*) FROM account_account")
		must(t, err)
		return n
	}
	before := accounts(in.stores)
	in.register("later")
	lost := in.backedUp() // of a log that does not go on

	must(t, in.stores.vault.Bury(ctx, in.cfg.Path(tombstoneFile), vault.Tombstone{
		Handle: gone.Handle, Account: gone.Account, Classes: []string{"account_core"}, At: time.Now(),
	}))

	cfg := in.elsewhere(everything...)
	must(t, Restore(ctx, cfg, from, io.Discard))
	if _, err := start(t, cfg); !errors.Is(err, ErrNotOpened) || !strings.Contains(err.Error(), "list of erasures is missing") {
		t.Errorf("without tombstones: got %v", err)
	}
	if err := VerifyAudit(ctx, cfg, io.Discard, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNotOpened) {
		t.Errorf("a command before it opened: got %v", err)
	}
	if err := Restore(ctx, cfg, from, io.Discard); !errors.Is(err, backup.ErrFull) {
		t.Errorf("into the same directory: got %v", err)
	}
	text, err := os.ReadFile(in.cfg.Path(tombstoneFile))
	must(t, err)
	must(t, os.WriteFile(cfg.Path(tombstoneFile), text, 0o600))
	s, err := start(t, cfg)
	must(t, err)
	if got := accounts(s); got != before-1 {
		t.Errorf("got %d accounts, want the %d of the backup without the erased one", got, before)
	}
	if in, err := s.vault.Destroyed(ctx, gone.Handle, "account_core"); err != nil || !in {
		t.Errorf("the erased person's key: destroyed %v, %v", in, err)
	}
	if _, err := s.vault.Seal(ctx, vault.Ref{Table: "a", Column: "b", Row: "c", Subject: "x", Class: "order"}, nil); err != nil {
		t.Errorf("the restored keys: %v", err)
	}
	all, err := backup.Restores(ctx, s.main)
	if err != nil || len(all) != 1 || all[0].Tombstones != 1 || all[0].Lost < 1 {
		t.Errorf("got %+v, %v", all, err)
	}
	if err := VerifyAudit(ctx, cfg, io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("after it opened: %v", err)
	}
	opened := &rig{t: t, cfg: cfg}
	again := opened.elsewhere(append(everything, tombstoneFile)...)
	must(t, Restore(ctx, again, lost, io.Discard))
	if _, err := start(t, again); !errors.Is(err, audit.ErrNotOurs) {
		t.Errorf("a backup of the lost log: got %v, want ErrNotOurs", err)
	}
}

func TestARestoreWithoutTheCheckpointsOutsideStaysClosed(t *testing.T) {
	in := install(t)
	in.register("somebody")
	from := in.backedUp()
	must(t, os.WriteFile(in.cfg.Path(tombstoneFile), nil, 0o600))
	for _, missing := range everything[1:] {
		files := []string{tombstoneFile}
		for _, name := range everything {
			if name != missing {
				files = append(files, name)
			}
		}
		cfg := in.elsewhere(files...)
		must(t, Restore(context.Background(), cfg, from, io.Discard))
		if _, err := start(t, cfg); !errors.Is(err, ErrNotOpened) || !errors.Is(err, audit.ErrNotOurs) {
			t.Errorf("without %s: got %v", missing, err)
		}
	}
	other := in.elsewhere(everything...)
	other.Profile = "hongkong"
	if err := Restore(context.Background(), other, from, io.Discard); !errors.Is(err, backup.ErrPlace) {
		t.Errorf("another profile: got %v", err)
	}
}

func TestNoPersonIsInTheClearInABackup(t *testing.T) {
	in := install(t)
	in.register("canaryperson")
	from := in.backedUp()
	for _, manifest := range []string{from.Main, from.Keys} {
		for _, file := range []string{manifest, strings.TrimSuffix(manifest, ".json") + ".skb"} {
			text, err := os.ReadFile(file)
			must(t, err)
			if len(text) == 0 || bytes.Contains(text, []byte("canaryperson")) {
				t.Errorf("%s: %d bytes with a person's name in the clear", file, len(text))
			}
		}
	}
}

func TestTheDoctorTellsOfBackups(t *testing.T) {
	in := install(t)
	told := func() string {
		var out bytes.Buffer
		for _, f := range backups(context.Background(), in.cfg, in.stores.main) {
			fmt.Fprintln(&out, f.ok, f.what, f.remedy)
		}
		return out.String()
	}
	if got := told(); !strings.Contains(got, "false backups backup.main.directory") {
		t.Errorf("none wanted: got %s", got)
	}
	in.register("somebody")
	in.backedUp()
	if got := told(); strings.Contains(got, "false") || !strings.Contains(got, "store keys") {
		t.Errorf("just done: got %s", got)
	}
	// A file where the directory should be.
	in.cfg.Backup.Main.Directory = in.cfg.Backup.Main.PublicKeyFile
	if err := in.modules.backUp(context.Background(), in.cfg, in.stores, io.Discard); err == nil {
		t.Fatal("a backup into a file was done")
	}
	var out bytes.Buffer
	must(t, ListBackups(context.Background(), in.cfg, &out, slog.New(slog.DiscardHandler)))
	if got := told(); !strings.Contains(got, "false backup of the store main") || !strings.Contains(out.String(), "FAILED") {
		t.Errorf("after a failure: got %s and %s", got, out.String())
	}
}

func TestADrillIsRecordedWhetherItPassesOrNot(t *testing.T) {
	in := install(t)
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	in.register("somebody")
	from := in.backedUp()
	in.register("later")
	must(t, Drill(ctx, in.cfg, from.MainKey, from.KeysKey, io.Discard, log))
	file := strings.TrimSuffix(from.Main, ".json") + ".skb"
	text, err := os.ReadFile(file)
	must(t, err)
	text[len(text)/2] ^= 1
	must(t, os.WriteFile(file, text, 0o600))
	if err := Drill(ctx, in.cfg, from.MainKey, from.KeysKey, io.Discard, log); !errors.Is(err, backup.ErrHash) {
		t.Errorf("with a damaged file: got %v", err)
	}
	all, err := backup.Drills(ctx, in.stores.main)
	if err != nil || len(all) != 2 || all[0].Error == "" || all[1].Error != "" || all[1].Leaves == 0 || all[1].Rows == 0 || all[1].SHA256 == "" {
		t.Errorf("got %+v, %v, want one that failed after one that passed", all, err)
	}
	if left, err := filepath.Glob(in.cfg.Path("drill-*")); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	var out bytes.Buffer
	must(t, ListBackups(ctx, in.cfg, &out, log))
	if strings.Count(out.String(), "drill with") != 2 {
		t.Errorf("got %s", out.String())
	}
}
