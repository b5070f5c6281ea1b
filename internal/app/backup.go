package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// ErrNoBackup says that the configuration names no place for backups.
var ErrNoBackup = errors.New("backup.main.directory and backup.keys.directory are not set: see docs/operations/backup.md")

// BackupKey makes a key pair of backups: the private half into file.
func BackupKey(file string, out io.Writer) error {
	public, err := backup.Format.NewKey(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "key %s\nprivate half  %s: move it off this machine\npublic half   %s.pub: name it in backup.main.public_key_file or backup.keys.public_key_file\n",
		public.Fingerprint(), file, file)
	return err
}

// Backup backs up both stores now.
func Backup(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	return m.backUp(ctx, cfg, s, out)
}

// backUp writes both stores, the main database first: then every key of its rows
// is in the key store's backup. What came of it is recorded, failures too.
func (m *modules) backUp(ctx context.Context, cfg config.Config, s *stores, out io.Writer) error {
	if cfg.Backup.Main.Directory == "" {
		return ErrNoBackup
	}
	// The key that signs the log is made at the first checkpoint, and has to be in
	// the backup.
	if _, err := m.audit.Checkpoint(ctx); err != nil {
		return err
	}
	var size int64
	main := backup.Source{
		DB: s.main, Sets: Migrations(), Store: backup.Main,
		Within: func(ctx context.Context, q db.Q) (err error) { size, err = m.audit.SizeIn(ctx, q); return err },
		Sign: func(ctx context.Context) ([]byte, int64, error) {
			note, err := m.audit.CheckpointAt(ctx, size)
			return note, size, err
		},
	}
	keys := backup.Source{DB: s.keys, Sets: []db.Migrations{vault.Migrations()}, Store: backup.Keys}
	if err := writeBackup(ctx, cfg, s, main, cfg.Backup.Main, out); err != nil {
		return err
	}
	return writeBackup(ctx, cfg, s, keys, cfg.Backup.Keys, out)
}

func writeBackup(ctx context.Context, cfg config.Config, s *stores, src backup.Source, to config.BackupStore, out io.Writer) error {
	now := clock.System{}
	src.Region, src.Profile, src.Program, src.Dir, src.Keep = cfg.Region(), cfg.Profile, Version(), to.Directory, to.Keep
	var err error
	if src.Public, err = backup.Format.ReadPublicKey(to.PublicKeyFile); err != nil {
		return fmt.Errorf("backup.%s.public_key_file: %w", src.Store, err)
	}
	written, err := backup.Write(ctx, src, now.Now())
	if written.ID != "" {
		err = errors.Join(err, backup.RecordRun(ctx, s.main, written, now.Now(), err))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s, %d rows, %d bytes, until %s\n", src.Store, written.Path(), written.RowCount(), written.Bytes, written.Expires.Format(time.DateTime))
	return err
}

// scheduleBackups has one of the control processes back up both stores.
func (m *modules) scheduleBackups(cfg config.Config, s *stores) {
	if cfg.Backup.Main.Directory == "" {
		return
	}
	m.queue.Every("backup.run", cfg.Backup.Every, func(ctx context.Context) error { return m.backUp(ctx, cfg, s, io.Discard) })
}

// ListBackups prints runs, restores and drills, newest first.
func ListBackups(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	s, _, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	runs, err := backup.Runs(ctx, s.main, 50)
	if err != nil {
		return err
	}
	for _, r := range runs {
		what := fmt.Sprintf("%d bytes, until %s", r.Bytes, r.Expires.Format(time.DateTime))
		if r.Error != "" {
			what = "FAILED: " + r.Error
		}
		fmt.Fprintf(out, "%s  %-4s  %s  %s\n", r.At.Format(time.DateTime), r.Store, r.ID, what)
	}
	restores, err := backup.Restores(ctx, s.main)
	for _, r := range restores {
		fmt.Fprintf(out, "%s  restored %s of %s: %d erasures applied again, %d entries of the audit log lost\n",
			r.Opened.Format(time.DateTime), r.Backup, r.BackupAt.Format(time.DateTime), r.Tombstones, r.Lost)
	}
	if err != nil {
		return err
	}
	drills, err := backup.Drills(ctx, s.main)
	for _, d := range drills {
		printDrill(out, d)
	}
	return err
}

// Restoring is what Restore is told: a manifest and the private key of each store.
type Restoring struct{ Main, MainKey, Keys, KeysKey string }

// brought are the files that an operator puts into a new data directory before a
// restore.
var brought = []string{"kek", "checkpoint", "checkpoint.pub", "checkpoint.history", tombstoneFile}

// Restore fills a new installation from a backup of each store. The service does
// not open before what Control does with the file that Restore leaves.
func Restore(ctx context.Context, cfg config.Config, in Restoring, out io.Writer) error {
	if err := newDirectory(cfg.Data); err != nil {
		return err
	}
	main, err := backup.ReadManifest(in.Main)
	if err != nil {
		return err
	}
	keys, err := backup.ReadManifest(in.Keys)
	if err != nil {
		return err
	}
	if err := errors.Join(main.Check(backup.Main, cfg.Region(), cfg.Profile), keys.Check(backup.Keys, cfg.Region(), cfg.Profile)); err != nil {
		return err
	}
	if keys.At.Before(main.At) {
		return errors.New("the backup of the key store is older than that of the main database: take one of the same run or a later one")
	}
	// Before the first row: from here on the service does not open.
	if err := markRestored(cfg, main); err != nil {
		return err
	}
	if err := restoreOne(ctx, main, in.MainKey, cfg.MainDatabase(), Migrations()); err != nil {
		return err
	}
	if err := restoreOne(ctx, keys, in.KeysKey, cfg.KeyDatabase(), []db.Migrations{vault.Migrations()}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "restored the state of %s: %d rows and %d rows of keys\nThe service opens when it has applied all erasures again: start it with the file %s in its place.\n",
		main.At.Format(time.DateTime), main.RowCount(), keys.RowCount(), cfg.Path(tombstoneFile))
	return err
}

func newDirectory(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, 0o700)
	}
	for _, e := range entries {
		if !slices.Contains(brought, e.Name()) {
			return fmt.Errorf("%s holds %s: %w", dir, e.Name(), backup.ErrFull)
		}
	}
	return err
}

func restoreOne(ctx context.Context, m backup.Manifest, keyFile, dsn string, sets []db.Migrations) error {
	k, err := backup.Format.ReadPrivateKey(keyFile)
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(m.Restore(ctx, d, sets, k), d.Close())
}
