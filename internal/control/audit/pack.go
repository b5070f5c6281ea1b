package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Size is the number of leaves that are in the log now.
func (s *Service) Size(ctx context.Context) (int64, error) {
	h, err := readHead(ctx, s.db)
	return h.size, err
}

// Record appends a leaf in a transaction of its own and returns it.
func (s *Service) Record(ctx context.Context, e Event) (Leaf, error) {
	payload := id.New("evt")
	if err := s.db.InTx(ctx, func(tx *db.Tx) error { return s.appendTx(ctx, tx, e, payload) }); err != nil {
		return Leaf{}, err
	}
	return db.Get(ctx, s.db, ErrRange, scanLeaf, "SELECT "+leafColumns+" FROM audit_leaf WHERE payload = $1", payload)
}

// LeavesFrom lists at most limit leaves with an index of from or more and below
// size, the oldest first: those of a person and those of nobody, or with an empty
// subject all of them. What an order hides from its person is not among theirs.
func (s *Service) LeavesFrom(ctx context.Context, subject id.Handle, from, size int64, limit int) ([]Leaf, error) {
	return db.Select(ctx, s.db, scanLeaf, "SELECT "+leafColumns+` FROM audit_leaf
		WHERE ($1 = '' OR handle = $1 OR handle = '') AND idx >= $2 AND idx < $3
			AND ($1 = '' OR payload NOT IN (SELECT id FROM audit_read WHERE handle = $1 AND shown_from > $5
				UNION ALL SELECT id || ':' || phase FROM audit_disclosure WHERE handle = $1 AND shown_from > $5))
		ORDER BY idx LIMIT $4`, subject, from, size, int64(limit), s.now())
}

// Revealed is the detail of a leaf with the salt of its commitment.
type Revealed struct{ Salt, Payload []byte }

// Reveal opens a leaf's detail for who holds a ticket for DetailField of its
// subject, with what makes the commitment in the leaf computable again: SHA-256
// of salt and payload. Leaves of nobody need no ticket. vault.ErrErased if the
// key of the detail is destroyed.
func (s *Service) Reveal(ctx context.Context, t vault.Ticket, l Leaf) (Revealed, error) {
	kept, err := s.keptDetail(ctx, l)
	if err != nil {
		return Revealed{}, err
	}
	if len(kept.body) == 0 {
		return Revealed{}, vault.ErrErased
	}
	salt, body, err := s.vault.Reveal(ctx, t, payloadRef(l.Payload, l.Handle, kept.class), kept.body)
	return Revealed{salt, body}, err
}

// Phase is one row of the register of disclosures: that something is about to be
// sent, or how it ended.
type Phase struct {
	Disclosure
	Index int64 // of its leaf
}

// Phases lists the register of a person, or with an empty subject of all, as far
// as its leaves are in the log of a size, in the order of the log. What an order
// hides from its person is not among theirs.
func (s *Service) Phases(ctx context.Context, subject id.Handle, size int64) ([]Phase, error) {
	return db.Select(ctx, s.db, scanIndexedPhase, `SELECT d.id, d.phase, d.at, d.handle, d.recipient, d.legal_name, d.role, d.region, d.op, d.purpose,
			d.basis, d.mechanism, d.fields, d.legal_order, d.shown_from, l.idx
		FROM audit_disclosure d JOIN audit_leaf l ON l.payload = d.id || ':' || d.phase
		WHERE ($1 = '' OR d.handle = $1 AND d.shown_from <= $3) AND l.idx < $2 ORDER BY l.idx`, subject, size, s.now())
}

// scanIndexedPhase reads phaseColumns and the index of the leaf.
func scanIndexedPhase(r db.Row) (p Phase, err error) {
	p.Disclosure, err = scanPhase(trailing{r, &p.Index})
	return p, err
}

// trailing is a row with one more column at its end than its reader knows.
type trailing struct {
	db.Row
	last any
}

// Scan fills db.Row.
func (t trailing) Scan(to ...any) error { return t.Row.Scan(append(to, t.last)...) }

// ReadsWithin lists the read log of a person, or with an empty subject of all, as
// far as its leaves are in the log of a size, in the order of the log. What an
// order hides from its person is not among theirs.
func (s *Service) ReadsWithin(ctx context.Context, subject id.Handle, size int64) ([]ReadEvent, error) {
	return db.Select(ctx, s.db, scanRead, "SELECT "+readColumns+` FROM audit_read r JOIN audit_leaf l ON l.payload = r.id
		WHERE ($1 = '' OR r.handle = $1 AND r.shown_from <= $3) AND l.idx < $2 ORDER BY l.idx`, subject, size, s.now())
}

// Prover proves many leaves and older sizes in the log of one signed size. It
// keeps the stored hashes that it read, and is for one goroutine and one call.
type Prover struct {
	Note []byte // the signed checkpoint
	Size int64
	read *cached
}

// Prover signs the log's present size and root, and proves in it.
func (s *Service) Prover(ctx context.Context) (*Prover, error) {
	signed, err := s.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	size, err := s.SizeOf(signed)
	return &Prover{signed, size, &cached{overlay{store{ctx, s.db}, map[int64]tlog.Hash{}}}}, err
}

// Inclusion proves the leaf of an index.
func (p *Prover) Inclusion(index int64) (tlog.RecordProof, error) {
	if index < 0 || index >= p.Size {
		return nil, ErrRange
	}
	return tlog.ProveRecord(p.Size, index, p.read)
}

// Continues proves that the log continues the log of an older size.
func (p *Prover) Continues(from int64) (tlog.TreeProof, error) {
	if from < 1 || from > p.Size {
		return nil, ErrRange
	}
	return tlog.ProveTree(p.Size, from, p.read)
}

// Checkpoints lists the sizes that were signed, the oldest first.
func (s *Service) Checkpoints(ctx context.Context) ([]int64, error) {
	return db.Select(ctx, s.db, db.One[int64], "SELECT size FROM audit_checkpoint ORDER BY size")
}

// cached is the store that remembers the hashes that were read.
type cached struct{ overlay }

// ReadHashes fills tlog.HashReader.
func (c *cached) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	all, err := c.overlay.ReadHashes(indexes)
	for i, hash := range all {
		c.fresh[indexes[i]] = hash
	}
	return all, err
}

// OwnTicket commits the read event with which a person's own details are opened,
// by the person or by a job for them.
func (s *Service) OwnTicket(ctx context.Context, subject id.Handle, reader vault.Reader) (vault.Ticket, error) {
	t, err := s.vault.Begin(ctx, vault.Read{Reader: reader, Subject: subject, Fields: []string{DetailField}, Purpose: "rights", Reason: "proof_pack"})
	if err != nil {
		return t, fmt.Errorf("opening a person's own entries: %w", err)
	}
	return t, nil
}
