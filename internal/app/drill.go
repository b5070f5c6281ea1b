package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Drill restores the newest backup of each store into a directory that it
// removes again, opens it, verifies the whole audit log and counts the rows. The
// result is recorded, a failed drill too. It needs both private keys, for its
// time, and takes nothing from the running service but the key-encryption key.
func Drill(ctx context.Context, cfg config.Config, mainKey, keysKey string, out io.Writer, log *slog.Logger) error {
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	if cfg.Backup.Main.Directory == "" {
		return ErrNoBackup
	}
	now := clock.System{}
	in := Restoring{MainKey: mainKey, KeysKey: keysKey}
	d := backup.Drill{At: now.Now()}
	err = m.drill(ctx, cfg, in, &d, log)
	d.RTO = now.Now().Sub(d.At)
	if err != nil {
		d.Error = err.Error()
	}
	if err := errors.Join(err, backup.RecordDrill(ctx, s.main, d)); err != nil {
		return err
	}
	printDrill(out, d)
	return nil
}

func printDrill(out io.Writer, d backup.Drill) {
	result := "passed"
	if d.Error != "" {
		result = "FAILED: " + d.Error
	}
	fmt.Fprintf(out, "%s  drill with %s: %s; %v would be lost (RPO), open after %v (RTO), %d rows, %d entries of the audit log verified\n",
		d.At.Format(time.DateTime), d.Backup, result, d.RPO.Round(time.Second), d.RTO.Round(time.Millisecond), d.Rows, d.Leaves)
}

func (m *modules) drill(ctx context.Context, cfg config.Config, in Restoring, d *backup.Drill, log *slog.Logger) (err error) {
	main, err := backup.Newest(cfg.Backup.Main.Directory, backup.Main)
	if err != nil {
		return err
	}
	d.Backup, d.SHA256, d.RPO, d.Rows = main.ID, main.SHA256, d.At.Sub(main.At), main.RowCount()
	keys, err := backup.Newest(cfg.Backup.Keys.Directory, backup.Keys)
	if err != nil {
		return err
	}
	if err := errors.Join(main.Check(backup.Main, cfg.Region(), cfg.Profile), keys.Check(backup.Keys, cfg.Region(), cfg.Profile)); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cfg.Data, "drill-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	mainDB, keysDB := filepath.Join(dir, "skybridge.db"), filepath.Join(dir, "keys.db")
	if err := restoreOne(ctx, main, in.MainKey, mainDB, Migrations()); err != nil {
		return err
	}
	if err := restoreOne(ctx, keys, in.KeysKey, keysDB, []db.Migrations{vault.Migrations()}); err != nil {
		return err
	}
	d.Leaves, err = verifyDrilled(ctx, cfg, mainDB, keysDB, main.Checkpoint, log)
	return err
}

// verifyDrilled opens what was restored and holds its log to the checkpoints
// outside and to its own leaves.
func verifyDrilled(ctx context.Context, cfg config.Config, mainDB, keysDB, checkpoint string, log *slog.Logger) (leaves int64, err error) {
	cfg.Database, cfg.KeyStore = mainDB, keysDB
	s, err := openStores(ctx, cfg, log)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	deps := audit.Deps{DB: s.main, Vault: s.vault, Clock: clock.System{}, Log: log, Origin: origin(cfg), CheckpointFile: cfg.Path("checkpoint")}
	if _, err := audit.New(deps).CheckRestored(ctx, []byte(checkpoint)); err != nil {
		return 0, err
	}
	deps.CheckpointFile = "" // it is ahead of the backup
	report, err := audit.New(deps).Verify(ctx)
	if err != nil {
		return 0, err
	}
	if len(report.Problems) > 0 {
		return report.Size, fmt.Errorf("%w: %v", ErrAudit, report.Problems[0])
	}
	return report.Size, nil
}
