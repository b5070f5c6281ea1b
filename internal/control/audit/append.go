package audit

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// AppendTx adds a leaf to the log when the caller's transaction commits, and
// fails it when the leaf cannot be written. All leaves of a transaction are
// sequenced together as its last statements.
func (s *Service) AppendTx(ctx context.Context, tx *db.Tx, e Event) error {
	return s.appendTx(ctx, tx, e, id.New("evt"))
}

// Append adds a leaf in a transaction of its own, where nothing else is written.
func (s *Service) Append(ctx context.Context, e Event) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error { return s.AppendTx(ctx, tx, e) })
}

// appendTx is AppendTx with the id of the payload: the read log and the
// register use their own ids, so that Verify can find row and leaf.
func (s *Service) appendTx(ctx context.Context, tx *db.Tx, e Event, payload string) error {
	if err := e.validate(); err != nil {
		return err
	}
	body, err := e.payload()
	if err != nil {
		return fmt.Errorf("encoding %s: %w", e.Type, err)
	}
	at := s.clock.Now()
	return s.sealTx(ctx, tx, e, body, at, payloadRef(payload, e.Subject, keyClass(e, at)))
}

// sealTx keeps the detail of an event sealed for ref, and its leaf for the end of
// the transaction.
func (s *Service) sealTx(ctx context.Context, tx *db.Tx, e Event, body []byte, at time.Time, ref vault.Ref) error {
	sealed, commitment, err := s.vault.SealSalted(ctx, ref, body)
	if err != nil {
		return fmt.Errorf("sealing %s: %w", e.Type, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO audit_payload (id, handle, class, body) VALUES ($1, $2, $3, $4)",
		ref.Row, e.Subject, ref.Class, sealed)
	if err != nil {
		return fmt.Errorf("keeping %s: %w", e.Type, err)
	}
	s.batch(tx).add(Leaf{At: at, Type: e.Type, Handle: e.Subject, Commitment: hexOf(commitment[:]), Payload: ref.Row})
	return nil
}

func payloadRef(payload string, subject id.Handle, class string) vault.Ref {
	return vault.Ref{Table: "audit_payload", Column: "body", Row: payload, Subject: subject, Class: class}
}

// batch collects the leaves of one transaction until its last statements.
type batch struct {
	leaves []Leaf
	closed bool
}

type batchKey struct{}

func (b *batch) add(l Leaf) { b.leaves = append(b.leaves, l) }

// batch returns the open batch of a transaction. One opened after the first was
// sequenced (by a later before-commit hook) gets a hook of its own.
func (s *Service) batch(tx *db.Tx) *batch {
	if b, ok := tx.Value(batchKey{}).(*batch); ok && !b.closed {
		return b
	}
	b := &batch{}
	tx.SetValue(batchKey{}, b)
	tx.BeforeCommit(func(ctx context.Context) error {
		b.closed = true
		return s.sequence(ctx, tx, b.leaves)
	})
	return b
}

// head is the single row of audit_head.
type head struct {
	size int64
	root tlog.Hash
}

func readHead(ctx context.Context, q db.Q) (head, error) {
	return db.Get(ctx, q, nil, func(r db.Row) (h head, err error) {
		var root []byte
		if err = r.Scan(&h.size, &root); err == nil {
			copy(h.root[:], root)
		}
		return h, err
	}, "SELECT size, root FROM audit_head WHERE id = 1")
}

// sequence gives the leaves their indexes, computes their tree hashes, compares
// and sets the head, and writes them. The head goes first because its lock
// makes concurrent transactions wait instead of colliding row by row.
func (s *Service) sequence(ctx context.Context, tx *db.Tx, leaves []Leaf) error {
	h, err := readHead(ctx, tx)
	if err != nil {
		return fmt.Errorf("reading the log's head: %w", err)
	}
	hashes := &overlay{store{ctx, tx}, map[int64]tlog.Hash{}}
	for i := range leaves {
		leaves[i].Index = h.size + int64(i)
		if err := hashes.grow(leaves[i]); err != nil {
			return fmt.Errorf("hashing leaf %d: %w", leaves[i].Index, err)
		}
	}
	size := h.size + int64(len(leaves))
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return fmt.Errorf("computing the log's root: %w", err)
	}
	err = tx.ExecOne(ctx, db.ErrRetry, "UPDATE audit_head SET size = $1, root = $2 WHERE id = 1 AND size = $3", size, root[:], h.size)
	if err != nil {
		return fmt.Errorf("moving the log's head: %w", err)
	}
	return write(ctx, tx, leaves, hashes.fresh)
}

func write(ctx context.Context, tx *db.Tx, leaves []Leaf, fresh map[int64]tlog.Hash) error {
	for _, l := range leaves {
		_, err := tx.Exec(ctx, "INSERT INTO audit_leaf ("+leafColumns+") VALUES ($1, $2, $3, $4, $5, $6)",
			l.Index, db.Micros(l.At), l.Type, l.Handle, l.Commitment, l.Payload)
		if err != nil {
			return fmt.Errorf("writing leaf %d: %w", l.Index, err)
		}
	}
	for at, hash := range fresh {
		if _, err := tx.Exec(ctx, "INSERT INTO audit_hash (idx, hash) VALUES ($1, $2)", at, hash[:]); err != nil {
			return fmt.Errorf("writing stored hash %d: %w", at, err)
		}
	}
	return nil
}
