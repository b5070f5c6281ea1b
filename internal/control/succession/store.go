package succession

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

const columns = `id, successor, contact, region, public_key, documents, change, effective_at, state, entered_by, entered_at, signature, signed_at,
	ended_at, told, told_at, handed, version`

func scan(r db.Row) (t Transfer, err error) {
	var documents string
	var effective, entered, signed, ended, told int64
	err = r.Scan(&t.ID, &t.Successor, &t.Contact, &t.Region, &t.Key, &documents, &t.Change, &effective, &t.State, &t.EnteredBy, &entered, &t.Signature, &signed,
		&ended, &t.told, &told, &t.handed, &t.version)
	t.Documents = strings.Fields(documents)
	t.EffectiveAt, t.EnteredAt, t.SignedAt = db.FromMicros(effective), db.FromMicros(entered), db.FromMicros(signed)
	t.EndedAt, t.ToldAt = db.FromMicros(ended), db.FromMicros(told)
	return t, err
}

func insert(ctx context.Context, tx *db.Tx, t Transfer) error {
	_, err := tx.Exec(ctx, "INSERT INTO succession_transfer ("+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, 0, '', 0, '', $12)`,
		t.ID, t.Successor, t.Contact, t.Region, t.Key, strings.Join(t.Documents, " "), t.Change, db.Micros(t.EffectiveAt), t.State,
		string(t.EnteredBy), db.Micros(t.EnteredAt), t.version)
	return err
}

func update(ctx context.Context, tx *db.Tx, t Transfer) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE succession_transfer SET state = $1, signature = $2, signed_at = $3, ended_at = $4, told = $5, told_at = $6,
		handed = $7, version = version + 1 WHERE id = $8 AND version = $9`,
		t.State, t.Signature, db.Micros(t.SignedAt), db.Micros(t.EndedAt), string(t.told), db.Micros(t.ToldAt), string(t.handed), t.ID, t.version)
}

func load(ctx context.Context, q db.Q, transfer string) (Transfer, error) {
	return db.Get(ctx, q, ErrNotFound, scan, "SELECT "+columns+" FROM succession_transfer WHERE id = $1", transfer)
}

// Transfers lists all transfers, the newest first.
func (s *Service) Transfers(ctx context.Context) ([]Transfer, error) {
	return db.Select(ctx, s.d.DB, scan, "SELECT "+columns+" FROM succession_transfer ORDER BY id DESC")
}

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	return []holding.Table{holding.Of("succession_transfer",
		holding.None("what is agreed between companies", "id", "successor", "contact", "region", "public_key", "documents", "change", "effective_at", "signature"),
		holding.None("how far the transfer has come", "state", "entered_at", "signed_at", "ended_at", "told_at", "version"),
		holding.None("handle at which the work over everybody stands, till it is done", "told", "handed"),
		holding.None("handle of a member of staff acting in office", "entered_by"))}
}
