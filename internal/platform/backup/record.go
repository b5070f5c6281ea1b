package backup

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Run is one run for one store.
type Run struct {
	ID       string
	Store    Store
	Region   string
	At       time.Time
	Finished time.Time
	Bytes    int64
	SHA256   string
	Size     int64 // leaves of the audit log
	Expires  time.Time
	Error    string // empty: done
}

// RecordRun adds the outcome of Write.
func RecordRun(ctx context.Context, d *db.DB, m Manifest, finished time.Time, failure error) error {
	text := ""
	if failure != nil {
		text = failure.Error()
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO backup_run (id, store, region, at, finished_at, size, sha256, checkpoint_size, expires_at, error)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, m.ID, string(m.Store), m.Region, db.Micros(m.At), db.Micros(finished),
			m.Bytes, m.SHA256, m.Size, db.Micros(m.Expires), text)
		return err
	})
}

// Runs lists the newest runs, newest first.
func Runs(ctx context.Context, q db.Q, most int) ([]Run, error) {
	return db.Select(ctx, q, scanRun, `SELECT id, store, region, at, finished_at, size, sha256, checkpoint_size, expires_at, error
		FROM backup_run ORDER BY at DESC, id DESC LIMIT $1`, int64(most))
}

func scanRun(r db.Row) (b Run, err error) {
	var at, finished, expires int64
	err = r.Scan(&b.ID, &b.Store, &b.Region, &at, &finished, &b.Bytes, &b.SHA256, &b.Size, &expires, &b.Error)
	b.At, b.Finished, b.Expires = db.FromMicros(at), db.FromMicros(finished), db.FromMicros(expires)
	return b, err
}

// State is how the backups of a store stand.
type State struct {
	Store   Store
	Success time.Time // begin of the last run that was done; zero: none yet
	Failure string    // of the last run; empty if it was done, or there is none
}

// States tells of both stores.
func States(ctx context.Context, q db.Q) ([]State, error) {
	all := []State{{Store: Main}, {Store: Keys}}
	for i, s := range all {
		at, err := db.Get(ctx, q, nil, db.One[int64], "SELECT COALESCE(MAX(at), 0) FROM backup_run WHERE store = $1 AND error = ''", string(s.Store))
		if err != nil {
			return nil, err
		}
		last, err := db.Select(ctx, q, db.One[string], "SELECT error FROM backup_run WHERE store = $1 ORDER BY at DESC, id DESC LIMIT 1", string(s.Store))
		if err != nil {
			return nil, err
		}
		all[i].Success = db.FromMicros(at)
		if len(last) > 0 {
			all[i].Failure = last[0]
		}
	}
	return all, nil
}

// Restored is a restore that was opened.
type Restored struct {
	Backup     string
	BackupAt   time.Time
	Tombstones int
	Lost       int64 // leaves of the audit log that came after the backup
	Opened     time.Time
}

// RecordRestoreTx adds a restore.
func RecordRestoreTx(ctx context.Context, tx *db.Tx, r Restored) error {
	_, err := tx.Exec(ctx, "INSERT INTO backup_restore (id, backup, backup_at, tombstones, lost, opened_at) VALUES ($1, $2, $3, $4, $5, $6)",
		id.New("rst"), r.Backup, db.Micros(r.BackupAt), int64(r.Tombstones), r.Lost, db.Micros(r.Opened))
	return err
}

// Restores lists restores, newest first.
func Restores(ctx context.Context, q db.Q) ([]Restored, error) {
	return db.Select(ctx, q, func(row db.Row) (r Restored, err error) {
		var at, opened, tombstones int64
		err = row.Scan(&r.Backup, &at, &tombstones, &r.Lost, &opened)
		r.BackupAt, r.Tombstones, r.Opened = db.FromMicros(at), int(tombstones), db.FromMicros(opened)
		return r, err
	}, "SELECT backup, backup_at, tombstones, lost, opened_at FROM backup_restore ORDER BY opened_at DESC")
}

// Drill is a restore for practice.
type Drill struct {
	At     time.Time
	Backup string
	SHA256 string
	RPO    time.Duration // age of what would have been lost
	RTO    time.Duration // time until it could have been opened
	Rows   int64
	Leaves int64  // of the audit log, all verified
	Error  string // empty: passed
}

// RecordDrill adds a drill.
func RecordDrill(ctx context.Context, d *db.DB, r Drill) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO backup_drill (id, at, backup, backup_sha256, rpo_seconds, rto_seconds, row_count, leaves, error)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id.New("drl"), db.Micros(r.At), r.Backup, r.SHA256,
			int64(r.RPO.Seconds()), int64(r.RTO.Seconds()), r.Rows, r.Leaves, r.Error)
		return err
	})
}

// Drills lists drills, newest first.
func Drills(ctx context.Context, q db.Q) ([]Drill, error) {
	return db.Select(ctx, q, func(row db.Row) (r Drill, err error) {
		var at, rpo, rto int64
		err = row.Scan(&at, &r.Backup, &r.SHA256, &rpo, &rto, &r.Rows, &r.Leaves, &r.Error)
		r.At, r.RPO, r.RTO = db.FromMicros(at), time.Duration(rpo)*time.Second, time.Duration(rto)*time.Second
		return r, err
	}, "SELECT at, backup, backup_sha256, rpo_seconds, rto_seconds, row_count, leaves, error FROM backup_drill ORDER BY at DESC")
}
