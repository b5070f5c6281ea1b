// Package backup writes a database into an encrypted file and a file back into
// an empty database.
//
// It is not a copy of the machine: configuration, the key-encryption key, TLS
// keys and the gateway node's state are the operator's to keep. It is not a
// replica either: what happened after a backup is lost with the disk.
//
//	database ── one snapshot ── rows of all tables ── AES-256-GCM ──▶ main-20261128T230000Z-<id>.skb
//	                                       │ random file key, sealed to a public key (HPKE)      .json, the manifest, last
//	private key, kept elsewhere ── open ───┘──▶ tables of the same versions ── rows, one transaction ──▶ empty database
//
// Invariants: a file that is not whole has no manifest, and no manifest stands
// before its file is on the disk; the running program cannot open what it wrote;
// a file does not open as the backup of another store, region, profile or time;
// restoring checks the whole file before it touches the target, and fills only
// an empty one. The form is the same for both engines, so that a backup of one
// fills the other (docs/decisions/0024-backups.md).
//
// Tables: backup_run, backup_restore, backup_drill; rows are only ever added.
package backup

import (
	"embed"
	"io/fs"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the schema of the records, which stand in the main
// database.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "backup", Files: sub}
}

// Store names a database.
type Store string

// Stores.
const (
	Main Store = "main"
	Keys Store = "keys"
)

// Longest is how long backups of a store may be kept: the classes backup and
// keystore_backup of the privacy specification, 3.3. A key that was destroyed
// is gone when the last backup of the key store that holds it is.
func (s Store) Longest() time.Duration {
	if s == Keys {
		return 7 * 24 * time.Hour
	}
	return 30 * 24 * time.Hour
}
