package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// store reads stored tree hashes. It lives for one call, which is why it may
// hold a context.
type store struct {
	ctx context.Context
	q   db.Q
}

// pick asks for up to 16 indexes at once; unused places hold -1. A proof in a
// log of 2^32 leaves needs four of these.
const pick = `SELECT idx, hash FROM audit_hash WHERE idx IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`

const pickSize = 16

type storedHash struct {
	idx  int64
	hash tlog.Hash
}

func scanHash(r db.Row) (h storedHash, err error) {
	var raw []byte
	if err = r.Scan(&h.idx, &raw); err == nil && copy(h.hash[:], raw) != tlog.HashSize {
		err = fmt.Errorf("stored hash %d has %d bytes", h.idx, len(raw))
	}
	return h, err
}

// ReadHashes fills tlog.HashReader.
func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := map[int64]tlog.Hash{}
	for from := 0; from < len(indexes); from += pickSize {
		args := make([]any, pickSize)
		for i := range args {
			args[i] = int64(-1)
			if from+i < len(indexes) {
				args[i] = indexes[from+i]
			}
		}
		rows, err := db.Select(s.ctx, s.q, scanHash, pick, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.idx] = r.hash
		}
	}
	all := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		h, ok := found[at]
		if !ok {
			return nil, fmt.Errorf("stored hash %d is missing", at)
		}
		all[i] = h
	}
	return all, nil
}

// overlay is the store with other hashes over it: those of this transaction,
// which are not stored yet, or those that were read before.
type overlay struct {
	store
	fresh map[int64]tlog.Hash
}

// ReadHashes fills tlog.HashReader.
func (o *overlay) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var old []int64
	for _, at := range indexes {
		if _, ok := o.fresh[at]; !ok {
			old = append(old, at)
		}
	}
	kept, err := o.store.ReadHashes(old)
	if err != nil {
		return nil, err
	}
	all := make([]tlog.Hash, 0, len(indexes))
	for _, at := range indexes {
		h, ok := o.fresh[at]
		if !ok {
			h, kept = kept[0], kept[1:]
		}
		all = append(all, h)
	}
	return all, nil
}

// grow adds the hashes that a leaf completes.
func (o *overlay) grow(l Leaf) error {
	added, err := tlog.StoredHashes(l.Index, l.Text(), o)
	if err != nil {
		return err
	}
	for i, hash := range added {
		o.fresh[tlog.StoredHashCount(l.Index)+int64(i)] = hash
	}
	return nil
}
