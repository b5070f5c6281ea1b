package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Problem is one thing that is not as it was signed.
type Problem struct {
	Code  string // audit.leaf_missing, audit.root_differs, ...
	Index int64  // of the leaf, stored hash or checkpoint size
}

// Report is what Verify found.
type Report struct {
	Size        int64
	Root        string // hex
	At          time.Time
	Checkpoints int
	Erased      int64 // leaves whose detail is destroyed by an erasure
	Problems    []Problem
}

// maxProblems ends a report that is already bad enough.
const maxProblems = 100

// Verify recomputes the whole log from its leaves: contiguous indexes, every
// stored hash, the head, every signed checkpoint and the copy outside the
// database, the commitment of every detail, and every row of the read log and
// the register of disclosures against its leaf. It reveals and reads no detail.
// The error is of the database or the vault; what is wrong with the log is in
// the report.
func (s *Service) Verify(ctx context.Context) (Report, error) {
	w, err := s.walk(ctx, true)
	if err != nil {
		return Report{}, fmt.Errorf("verifying the log: %w", err)
	}
	return w.report, nil
}

// CheckRoot recomputes the tree at start and compares it with the head, the
// signed checkpoints and the copy outside the database; ErrTampered means that
// the process must serve reads only and raise an alarm.
func (s *Service) CheckRoot(ctx context.Context) error {
	w, err := s.walk(ctx, false)
	if err != nil {
		return fmt.Errorf("checking the log's root: %w", err)
	}
	if len(w.report.Problems) > 0 {
		p := w.report.Problems[0]
		return tampered(fmt.Errorf("%d problems, the first: %s at %d", len(w.report.Problems), p.Code, p.Index))
	}
	return nil
}

// walker goes once over the log with the roots of its complete subtrees.
type walker struct {
	s        *Service
	deep     bool
	head     head
	frontier [64]tlog.Hash // by level; valid where the size has a one bit
	next     int64         // index of the leaf expected
	due      []checkpoint  // not yet reached, by size
	report   Report
}

func (w *walker) bad(code string, at int64) {
	if len(w.report.Problems) < maxProblems {
		w.report.Problems = append(w.report.Problems, Problem{"audit." + code, at})
	}
}

func (s *Service) walk(ctx context.Context, deep bool) (*walker, error) {
	w := &walker{s: s, deep: deep}
	var err error
	// Checkpoints before the head: one written meanwhile would look too new.
	if w.due, err = s.checkpoints(ctx, w); err != nil {
		return nil, err
	}
	if w.head, err = readHead(ctx, s.db); err != nil {
		return nil, err
	}
	w.report.At, w.report.Size = s.clock.Now(), w.head.size
	for w.next < w.head.size && len(w.report.Problems) < maxProblems {
		if err := w.page(ctx); err != nil {
			return nil, err
		}
	}
	w.finish()
	if err := w.counts(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// checkpoints returns all signed sizes in order, each held to its signature.
func (s *Service) checkpoints(ctx context.Context, w *walker) ([]checkpoint, error) {
	all, err := db.Select(ctx, s.db, scanCheckpoint, "SELECT size, root, note, at FROM audit_checkpoint ORDER BY size")
	if err != nil {
		return nil, err
	}
	w.report.Checkpoints = len(all)
	if len(all) == 0 {
		return s.withExternal(all, w), nil
	}
	verifier, err := s.VerifierKey(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if h, err := s.open(c.note, verifier); err != nil || h != (head{c.size, c.root}) {
			w.bad("checkpoint_signature", c.size)
		}
	}
	return s.withExternal(all, w), nil
}

// withExternal puts the copy outside the database into the list. A process
// that never signed has none, neither checkpoint nor key.
func (s *Service) withExternal(all []checkpoint, w *walker) []checkpoint {
	if s.file == "" || absent(s.file) && absent(s.file+".pub") {
		return all
	}
	h, err := s.external()
	if err != nil {
		w.bad("external_checkpoint", 0)
		return all
	}
	all = append(all, checkpoint{size: h.size, root: h.root})
	slices.SortStableFunc(all, func(a, b checkpoint) int { return cmp.Compare(a.size, b.size) })
	return all
}

func absent(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// entry is a leaf with its detail.
type entry struct {
	Leaf
	class string // empty: the payload's row is missing
	body  []byte
}

const pageSize = 500

// page verifies the next leaves.
func (w *walker) page(ctx context.Context) error {
	entries, err := db.Select(ctx, w.s.db, scanEntry, `SELECT l.idx, l.at, l.type, l.handle, l.commitment, l.payload, coalesce(p.class, ''), p.body
		FROM audit_leaf l LEFT JOIN audit_payload p ON p.id = l.payload AND p.handle = l.handle
		WHERE l.idx >= $1 AND l.idx < $2 ORDER BY l.idx`, w.next, min(w.next+pageSize, w.head.size))
	if err != nil {
		return err
	}
	stored, err := w.stored(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Index != w.next {
			break
		}
		w.leaf(e.Leaf, stored)
		if w.deep {
			if err := w.detail(ctx, e); err != nil {
				return err
			}
		}
	}
	if len(entries) == 0 || w.next <= entries[len(entries)-1].Index {
		w.bad("leaf_missing", w.next)
		w.next = w.head.size // what follows a gap cannot be computed
	}
	return nil
}

func scanEntry(r db.Row) (e entry, err error) {
	var at int64
	err = r.Scan(&e.Index, &at, &e.Type, &e.Handle, &e.Commitment, &e.Payload, &e.class, &e.body)
	e.At = db.FromMicros(at)
	return e, err
}

// stored returns the stored hashes that the next page's leaves completed.
func (w *walker) stored(ctx context.Context) (map[int64]tlog.Hash, error) {
	to := min(w.next+pageSize, w.head.size)
	rows, err := db.Select(ctx, w.s.db, scanHash, "SELECT idx, hash FROM audit_hash WHERE idx >= $1 AND idx < $2",
		tlog.StoredHashCount(w.next), tlog.StoredHashCount(to))
	if err != nil {
		return nil, err
	}
	all := make(map[int64]tlog.Hash, len(rows))
	for _, r := range rows {
		all[r.idx] = r.hash
	}
	return all, nil
}

// leaf adds a leaf to the frontier and compares the hashes that it completes.
func (w *walker) leaf(l Leaf, stored map[int64]tlog.Hash) {
	h, at := tlog.RecordHash(l.Text()), tlog.StoredHashCount(l.Index)
	level := 0
	for {
		if stored[at] != h {
			w.bad("hash_differs", l.Index)
		}
		if (l.Index>>level)&1 == 0 {
			break
		}
		h = tlog.NodeHash(w.frontier[level], h)
		level++
		at++
	}
	w.frontier[level] = h
	w.next = l.Index + 1
	w.passCheckpoints()
}

// passCheckpoints compares the checkpoints of the size just reached.
func (w *walker) passCheckpoints() {
	for len(w.due) > 0 && w.due[0].size <= w.next {
		if w.due[0].size < w.next || w.due[0].root != w.root() {
			w.bad("checkpoint_differs", w.due[0].size)
		}
		w.due = w.due[1:]
	}
}

// root folds the frontier into the root of the leaves seen so far.
func (w *walker) root() tlog.Hash {
	var h tlog.Hash
	first := true
	for level := range w.frontier {
		switch {
		case (w.next>>level)&1 == 0:
		case first:
			h, first = w.frontier[level], false
		default:
			h = tlog.NodeHash(w.frontier[level], h)
		}
	}
	return h
}

func (w *walker) finish() {
	if len(w.report.Problems) == 0 && w.root() != w.head.root {
		w.bad("root_differs", w.head.size)
	}
	for _, c := range w.due {
		w.bad("checkpoint_beyond_log", c.size)
	}
	w.report.Root = hexOf(w.head.root[:])
}

// counts finds rows that no leaf knows. One statement, for one snapshot.
func (w *walker) counts(ctx context.Context) error {
	type counted struct{ size, leaves, hashes, payloads, reads, readLeaves, phases, phaseLeaves int64 }
	c, err := db.Get(ctx, w.s.db, nil, func(r db.Row) (c counted, err error) {
		return c, r.Scan(&c.size, &c.leaves, &c.hashes, &c.payloads, &c.reads, &c.readLeaves, &c.phases, &c.phaseLeaves)
	}, `SELECT size, (SELECT count(*) FROM audit_leaf), (SELECT count(*) FROM audit_hash), (SELECT count(*) FROM audit_payload),
		(SELECT count(*) FROM audit_read),
		(SELECT count(*) FROM audit_leaf l JOIN audit_payload p ON p.id = l.payload WHERE l.type = 'read.recorded' AND length(p.body) > 0),
		(SELECT count(*) FROM audit_disclosure),
		(SELECT count(*) FROM audit_leaf l JOIN audit_payload p ON p.id = l.payload WHERE l.type LIKE 'disclosure.%' AND length(p.body) > 0)
		FROM audit_head WHERE id = 1`)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		code      string
		got, want int64
	}{
		{"leaf_count", c.leaves, c.size},
		{"hash_count", c.hashes, tlog.StoredHashCount(c.size)},
		{"payload_count", c.payloads, c.size},
		{"read_count", c.reads, c.readLeaves},
		{"disclosure_count", c.phases, c.phaseLeaves},
	} {
		if p.got != p.want {
			w.bad(p.code, c.size)
		}
	}
	return nil
}
