package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Inclusion proves that a leaf is in the log of a checkpoint.
type Inclusion struct {
	Leaf   Leaf
	Size   int64
	Hashes tlog.RecordProof
}

// Consistency proves that the log of size To continues the log of size From.
type Consistency struct {
	From, To int64
	Hashes   tlog.TreeProof
}

// Inclusion proves leaf index in the log of the given size; size 0 means the
// newest checkpoint's. ErrRange if there is no such leaf or size.
func (s *Service) Inclusion(ctx context.Context, index, size int64) (Inclusion, error) {
	if size == 0 {
		c, err := s.lastCheckpoint(ctx)
		if err != nil {
			return Inclusion{}, err
		}
		size = c.size
	}
	h, err := readHead(ctx, s.db)
	if err != nil {
		return Inclusion{}, err
	}
	if index < 0 || index >= size || size > h.size {
		return Inclusion{}, ErrRange
	}
	l, err := db.Get(ctx, s.db, ErrRange, scanLeaf, "SELECT "+leafColumns+" FROM audit_leaf WHERE idx = $1", index)
	if err != nil {
		return Inclusion{}, err
	}
	p, err := tlog.ProveRecord(size, index, store{ctx, s.db})
	if err != nil {
		return Inclusion{}, fmt.Errorf("proving leaf %d of %d: %w", index, size, err)
	}
	return Inclusion{Leaf: l, Size: size, Hashes: p}, nil
}

// Consistency proves that the log of size to continues that of size from.
func (s *Service) Consistency(ctx context.Context, from, to int64) (Consistency, error) {
	h, err := readHead(ctx, s.db)
	if err != nil {
		return Consistency{}, err
	}
	if from < 1 || from > to || to > h.size {
		return Consistency{}, ErrRange
	}
	p, err := tlog.ProveTree(to, from, store{ctx, s.db})
	if err != nil {
		return Consistency{}, fmt.Errorf("proving %d against %d: %w", from, to, err)
	}
	return Consistency{From: from, To: to, Hashes: p}, nil
}

// CheckpointOf returns the signed checkpoint of a size.
func (s *Service) CheckpointOf(ctx context.Context, size int64) ([]byte, error) {
	c, err := db.Get(ctx, s.db, ErrRange, scanCheckpoint, "SELECT size, root, note, at FROM audit_checkpoint WHERE size = $1", size)
	return c.note, err
}

// Filter narrows a list of leaves; zero values do not.
type Filter struct {
	Type   string
	Handle string
	Before int64 // indexes below this one only
	Limit  int   // 1..500; 0 = 100
}

// Leaves lists leaves, newest first. They hold no detail: see Detail.
func (s *Service) Leaves(ctx context.Context, f Filter) ([]Leaf, error) {
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 100
	}
	return db.Select(ctx, s.db, scanLeaf, "SELECT "+leafColumns+` FROM audit_leaf
		WHERE ($1 = '' OR type = $1) AND ($2 = '' OR handle = $2) AND (CAST($3 AS BIGINT) = 0 OR idx < $3) ORDER BY idx DESC LIMIT $4`,
		f.Type, f.Handle, f.Before, int64(f.Limit))
}
