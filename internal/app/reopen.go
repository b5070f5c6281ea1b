package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Files of the data directory.
const (
	restoredFile  = "restored"   // stands from a restore until the service has opened
	tombstoneFile = "tombstones" // package vault says their form
)

// ErrNotOpened says that what a restore left is not fit to serve yet.
var ErrNotOpened = errors.New("this installation was restored from a backup and has not opened yet")

// restored is what the file of that name holds.
type restored struct {
	Backup     string    `json:"backup"`
	At         time.Time `json:"at"`
	Checkpoint string    `json:"checkpoint"`
}

func markRestored(cfg config.Config, m backup.Manifest) error {
	text, err := json.Marshal(restored{Backup: m.ID, At: m.At, Checkpoint: m.Checkpoint})
	if err != nil {
		return err
	}
	return durable.Create(cfg.Path(restoredFile), append(text, '\n'))
}

// opened refuses an installation that a restore left and Control has not opened.
func opened(cfg config.Config) error {
	if _, err := os.Stat(cfg.Path(restoredFile)); err == nil {
		return fmt.Errorf("%w: start skybridge control or serve, which opens it", ErrNotOpened)
	}
	return nil
}

// reopen makes a restored installation fit to serve: every erasure is applied
// again, and the audit log is a part of the one that was signed outside. It does
// nothing where there was no restore, and may be cut off at any line.
func (m *modules) reopen(ctx context.Context, cfg config.Config, s *stores, log *slog.Logger) error {
	text, err := os.ReadFile(cfg.Path(restoredFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var was restored
	if err == nil {
		err = json.Unmarshal(text, &was)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", cfg.Path(restoredFile), err)
	}
	erased, err := readTombstones(cfg.Path(tombstoneFile))
	if err == nil {
		err = erasure.Replay(ctx, s.main, s.vault, cfg.Path(tombstoneFile), Held())
	}
	if err == nil {
		err = s.main.Truncate(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: applying erasures again: %w", ErrNotOpened, err)
	}
	lost, err := m.audit.CheckRestored(ctx, []byte(was.Checkpoint))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotOpened, err)
	}
	err = s.main.InTx(ctx, func(tx *db.Tx) error {
		return backup.RecordRestoreTx(ctx, tx, backup.Restored{
			Backup: was.Backup, BackupAt: was.At, Tombstones: len(erased), Lost: lost, Opened: clock.System{}.Now(),
		})
	})
	if err != nil {
		return err
	}
	if err := m.audit.Reopen(ctx, []byte(was.Checkpoint)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotOpened, err)
	}
	log.WarnContext(ctx, "opened after a restore", "backup", was.Backup, "tombstones", len(erased), "lost", lost)
	return os.Remove(cfg.Path(restoredFile))
}

// readTombstones reads all erasures. A file that is not there is not an empty
// one: nobody can tell then who was erased.
func readTombstones(file string) ([]vault.Tombstone, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("the list of erasures is missing: put the newest copy of it to %s, or an empty file if nobody was erased since the backup: %w", file, err)
	}
	return vault.ReadTombstones(file)
}
