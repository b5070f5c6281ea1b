package legalorder

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Execute makes the sealed file for an order, of its scope or a part of it: an
// empty part means the whole. ErrOverflow refuses the whole when anything lies
// beyond the scope. The power may fail at any place: what was begun stays in the
// register as "may have been sent", the order stays approved, and Execute runs
// again.
func (s *Service) Execute(ctx context.Context, p account.Principal, order string, part Scope) (Order, error) {
	o, err := s.approved(ctx, order)
	if err != nil {
		return Order{}, err
	}
	part, err = o.Scope.cut(part)
	if err != nil {
		return Order{}, err
	}
	if err := s.documented(ctx, o); err != nil {
		return Order{}, err
	}
	run := &execution{s: s, o: o, by: p, part: part, copier: cut(s.d.Copier, part)}
	file, err := run.make(ctx)
	fault.Point("legalorder-after-make")
	if err == nil {
		o, err = s.executed(ctx, p, o, file)
	}
	fault.Point("legalorder-after-executed")
	return o, errors.Join(err, run.finish(ctx, err))
}

// cut is what is asked for, the whole where it is empty.
func (s Scope) cut(part Scope) (Scope, error) {
	if len(part.Subjects) == 0 {
		part.Subjects = s.Subjects
	}
	if len(part.Categories) == 0 {
		part.Categories = s.Categories
	}
	if part.From.IsZero() {
		part.From = s.From
	}
	if part.Until.IsZero() {
		part.Until = s.Until
	}
	if mutant.Off("LT-3d") {
		return part, nil
	}
	for _, h := range part.Subjects {
		if !slices.Contains(s.Subjects, h) {
			return part, ErrOverflow.With("why", "subject")
		}
	}
	for _, c := range part.Categories {
		if !slices.Contains(s.Categories, c) {
			return part, ErrOverflow.With("why", string(c))
		}
	}
	if part.From.Before(s.From) || part.Until.After(s.Until) || !part.From.Before(part.Until) {
		return part, ErrOverflow.With("why", "span")
	}
	return part, nil
}

// cut leaves of a copier what a scope has: columns of its categories and nothing
// beside them.
func cut(c privacy.Copier, scope Scope) privacy.Copier {
	c.Span = holding.View{From: scope.From, Until: scope.Until}
	asked := map[string]map[string]bool{}
	var tables []holding.Table
	for _, t := range c.Tables {
		t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(col holding.Column) bool { return !slices.Contains(scope.Categories, col.Category) })
		if len(t.Columns) == 0 {
			continue
		}
		asked[t.Name] = map[string]bool{}
		for _, col := range t.Columns {
			asked[t.Name][col.Name] = true
		}
		tables = append(tables, t)
	}
	var held []holding.Held
	for _, h := range c.Held {
		if asked[h.Table] == nil {
			continue
		}
		h.Shows = nil
		h.Opens = slices.DeleteFunc(slices.Clone(h.Opens), func(o holding.Opens) bool { return !asked[h.Table][o.Column] })
		held = append(held, h)
	}
	c.Tables, c.Held = tables, held
	return c
}

// documented holds an order to the document that was scanned.
func (s *Service) documented(ctx context.Context, o Order) error {
	scan, err := s.scan(ctx, o.ID)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(scan)
	if !mutant.Off("LT-3d") && (len(scan) == 0 || hex.EncodeToString(sum[:]) != o.ScanSHA256) {
		return ErrDocument
	}
	return nil
}

// execution is one making of a file.
type execution struct {
	s        *Service
	o        Order
	by       account.Principal
	part     Scope
	copier   privacy.Copier
	receipts []egress.Receipt
}

// make returns the file: a ZIP of one copy for each person, sealed.
func (x *execution) make(ctx context.Context) ([]byte, error) {
	key, err := Format.ParsePublicKey(x.o.AuthorityKey)
	if err != nil {
		return nil, ErrKey
	}
	var out bytes.Buffer
	sealed, err := Format.Seal(&out, key, x.o.ID)
	if err != nil {
		return nil, err
	}
	z := zip.NewWriter(sealed)
	if err := x.cover(z); err != nil {
		return nil, err
	}
	for _, h := range x.part.Subjects {
		b, err := x.person(ctx, h)
		if err != nil {
			return nil, fmt.Errorf("the part of %s: %w", h, err)
		}
		if len(b) == 0 {
			continue
		}
		w, err := z.Create(string(h) + ".zip")
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(z.Close(), sealed.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// cover says in the file what it answers.
func (x *execution) cover(z *zip.Writer) error {
	w, err := z.Create("order.json")
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"order": x.o.ID, "authority": x.o.Authority, "document": x.o.DocNo, "document_sha256": x.o.ScanSHA256,
		"subjects": x.part.Subjects, "categories": x.part.Categories,
		"from": x.part.From.UTC().Format(time.RFC3339), "until": x.part.Until.UTC().Format(time.RFC3339),
	})
}

// person commits the disclosure and the read event, then opens what the order
// asks for. Nothing, when nothing of it is held.
func (x *execution) person(ctx context.Context, h id.Handle) ([]byte, error) {
	who, err := x.s.d.People.ByHandle(ctx, h)
	if err != nil {
		return nil, err
	}
	names, err := x.copier.Names(ctx, who)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	receipt, err := x.s.d.Audit.BeginDisclosure(ctx, egress.Intent{
		Subject: h, Recipient: "authority", LegalName: x.o.Authority, Role: "authority", Region: x.o.Jurisdiction,
		Op: "order", Purpose: Purpose, Basis: "duty", Fields: names, Order: x.o.ID,
	})
	if err != nil {
		return nil, err
	}
	x.receipts = append(x.receipts, receipt)
	fault.Point("legalorder-after-intent")
	return x.copier.CopyFor(ctx, who, vault.Read{
		Reader: vault.Reader{Class: vault.Authority, Handle: x.by.Subject, Session: x.by.Session},
		Fields: names, Purpose: Purpose, Reason: x.o.ID, Order: x.o.ID,
	})
}

// finish tells the register how it ended.
func (x *execution) finish(ctx context.Context, failed error) error {
	outcome := egress.Done
	if failed != nil {
		outcome = egress.Failed
	}
	var all error
	for _, r := range x.receipts {
		all = errors.Join(all, x.s.d.Audit.FinishDisclosure(ctx, r, outcome))
	}
	return all
}

// executed keeps the file, sealed once more, and ends the order.
func (s *Service) executed(ctx context.Context, p account.Principal, o Order, file []byte) (Order, error) {
	sum := sha256.Sum256(file)
	o.State, o.EndedBy, o.EndedAt, o.PackageSHA256 = Executed, p.Subject, s.d.Clock.Now(), hex.EncodeToString(sum[:])
	sealed, err := s.d.Vault.SealSystem(ctx, packageName(o.ID), file)
	if err != nil {
		return o, err
	}
	return o, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.ExecOne(ctx, ErrState.With("state", Executed), "UPDATE legalorder_order SET package = $1 WHERE id = $2 AND version = $3 AND state = 'approved'",
			sealed, o.ID, o.version); err != nil {
			return err
		}
		if err := update(ctx, tx, o); err != nil {
			return err
		}
		return s.leaf(ctx, tx, "legalorder.executed", p, o)
	})
}
