package legalorder

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const columns = `id, authority, jurisdiction, doc_no, law, scan_sha256, authority_key, categories, from_at, until_at, expires_at,
	suppress_until, suppress_law, approval_authority, approval_doc_no, approval_sha256, state, entered_by, entered_at, ended_by, ended_at,
	package_sha256, version`

func scan(r db.Row) (o Order, err error) {
	var categories string
	var from, until, expires, suppress, entered, ended int64
	err = r.Scan(&o.ID, &o.Authority, &o.Jurisdiction, &o.DocNo, &o.Law, &o.ScanSHA256, &o.AuthorityKey, &categories, &from, &until, &expires,
		&suppress, &o.SuppressLaw, &o.Approval.Authority, &o.Approval.DocNo, &o.Approval.SHA256, &o.State, &o.EnteredBy, &entered, &o.EndedBy, &ended,
		&o.PackageSHA256, &o.version)
	for _, c := range strings.Fields(categories) {
		o.Scope.Categories = append(o.Scope.Categories, holding.Category(c))
	}
	o.Scope.From, o.Scope.Until, o.Expires = db.FromMicros(from), db.FromMicros(until), db.FromMicros(expires)
	o.SuppressUntil, o.EnteredAt, o.EndedAt = db.FromMicros(suppress), db.FromMicros(entered), db.FromMicros(ended)
	return o, err
}

func insert(ctx context.Context, tx *db.Tx, o Order, scan []byte) error {
	var categories []string
	for _, c := range o.Scope.Categories {
		categories = append(categories, string(c))
	}
	_, err := tx.Exec(ctx, "INSERT INTO legalorder_order ("+columns+`, scan, package)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		o.ID, o.Authority, o.Jurisdiction, o.DocNo, o.Law, o.ScanSHA256, o.AuthorityKey, strings.Join(categories, " "),
		db.Micros(o.Scope.From), db.Micros(o.Scope.Until), db.Micros(o.Expires), db.Micros(o.SuppressUntil), o.SuppressLaw,
		o.Approval.Authority, o.Approval.DocNo, o.Approval.SHA256, o.State, string(o.EnteredBy), db.Micros(o.EnteredAt), string(o.EndedBy),
		db.Micros(o.EndedAt), o.PackageSHA256, o.version, scan, []byte{})
	if err != nil {
		return err
	}
	for _, h := range o.Scope.Subjects {
		if _, err := tx.Exec(ctx, "INSERT INTO legalorder_subject (order_id, handle) VALUES ($1, $2)", o.ID, string(h)); err != nil {
			return err
		}
	}
	return nil
}

// update compares and sets: of two who decide at once, one does it again.
func update(ctx context.Context, tx *db.Tx, o Order) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE legalorder_order SET state = $1, ended_by = $2, ended_at = $3, package_sha256 = $4, version = version + 1
		WHERE id = $5 AND version = $6`, o.State, string(o.EndedBy), db.Micros(o.EndedAt), o.PackageSHA256, o.ID, o.version)
}

func load(ctx context.Context, q db.Q, order string) (Order, error) {
	o, err := db.Get(ctx, q, ErrNotFound, scan, "SELECT "+columns+" FROM legalorder_order WHERE id = $1", order)
	if err != nil {
		return o, err
	}
	return with(ctx, q, o)
}

// with adds whom the order is about and who approved it.
func with(ctx context.Context, q db.Q, o Order) (Order, error) {
	handle := func(r db.Row) (h id.Handle, err error) { return h, r.Scan(&h) }
	var err error
	o.Scope.Subjects, err = db.Select(ctx, q, handle, "SELECT handle FROM legalorder_subject WHERE order_id = $1 ORDER BY handle", o.ID)
	if err != nil {
		return o, err
	}
	o.Approvers, err = db.Select(ctx, q, handle, "SELECT approver FROM legalorder_approval WHERE order_id = $1 ORDER BY at, approver", o.ID)
	return o, err
}
