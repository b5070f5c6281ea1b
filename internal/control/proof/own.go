package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// State is how far the pack of a person is.
//
//	making ── job ──▶ ready ── 24 hours, or a newer one ──▶ gone
//	   └── five tries, killed ones too ──▶ failed ── the same ──▶ gone
//
// Only a ready one has bytes, and it has all of them.
type State string

// States of a pack.
const (
	Making State = "making"
	Ready  State = "ready"
	Failed State = "failed"
)

// Problems of a pack that failed.
const (
	ProblemSize  = "no_size" // nothing was signed at the size that the person kept
	ProblemError = "error"   // staff find the cause in the log
)

// Pack tells of the pack that a person asked for.
type Pack struct {
	State   State
	Percent int64  // done of it, 0 to 100
	Problem string // of a failed one
	Size    int64  // bytes, once it is made
	Digest  string // SHA-256 of the file in hex
	AskedAt time.Time
	MadeAt  time.Time
	Until   time.Time // the first instant at which it is gone

	id      string // prf_...
	subject id.Handle
	since   int64
	tries   int64
	content []byte // sealed
}

const (
	life     = 24 * time.Hour // of a pack that is made, or has failed
	maxTries = 5
	packJob  = "proof.pack" // kind of the job that makes a pack
)

// Errors.
var (
	ErrNone     = errs.New(errs.NotFound, "proof.none")      // none was asked for, or its time is over
	ErrNotReady = errs.New(errs.Conflict, "proof.not_ready") // it is being made, or failed
)

// errGone says that nobody waits for a pack any more: its person is erased, or
// asked for another one.
var errGone = errors.New("the pack is not wanted any more")

type packPayload struct{ ID string }

func (p Pack) ref() vault.Ref {
	return vault.Ref{Table: "proof_pack", Column: "content", Row: p.id, Subject: p.subject, Class: erasable}
}

// Begin has a job make the pack of whoever asks, in the place of one that was made
// before; one that is being made goes on. It needs a session that proved itself
// within ten minutes, as the copy of their data does. since is that of Request.
// Errors: account.ErrStepUp.
func (s *Service) Begin(ctx context.Context, p account.Principal, since int64) (Pack, error) {
	if err := p.RequireStepUp(s.d.Clock.Now()); err != nil {
		return Pack{}, err
	}
	next := Pack{id: id.New("prf"), subject: p.Subject, since: since, State: Making, AskedAt: s.d.Clock.Now()}
	got := next
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		old, err := bySubject(ctx, tx, p.Subject)
		if err == nil && old.State == Making {
			got = old
			return nil
		}
		if err != nil && !errs.IsNotFound(err) {
			return err
		}
		got = next
		return s.beginTx(ctx, tx, next)
	})
	return got, err
}

func (s *Service) beginTx(ctx context.Context, tx *db.Tx, p Pack) error {
	if _, err := tx.Exec(ctx, "DELETE FROM proof_pack WHERE subject = $1", string(p.subject)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO proof_pack (id, subject, since, state, tries, percent, problem, content, size, digest, asked_at, made_at, until)
		VALUES ($1, $2, $3, 'making', 0, 0, '', NULL, 0, '', $4, 0, 0)`, p.id, string(p.subject), p.since, db.Micros(p.AskedAt))
	if err != nil {
		return err
	}
	return s.d.Queue.EnqueueTx(ctx, tx, task(p.id))
}

// task waits in the queue once for each pack.
func task(pack string) job.Job {
	return job.Job{Kind: packJob, Payload: packPayload{pack}, Key: packJob + ":" + pack}
}

// Of tells how far the pack of whoever asks is. Errors: ErrNone.
func (s *Service) Of(ctx context.Context, p account.Principal) (Pack, error) {
	got, err := bySubject(ctx, s.d.DB, p.Subject)
	if err == nil && !got.Until.IsZero() && !s.d.Clock.Now().Before(got.Until) {
		err = ErrNone
	}
	return got, err
}

// Fetch hands out the pack of whoever asks, until its time is over; each time is a
// read that they see. Errors: account.ErrStepUp, ErrNone, ErrNotReady, those of
// the vault.
func (s *Service) Fetch(ctx context.Context, p account.Principal) ([]byte, error) {
	if err := p.RequireStepUp(s.d.Clock.Now()); err != nil {
		return nil, err
	}
	got, err := s.Of(ctx, p)
	if err != nil {
		return nil, err
	}
	if got.State != Ready {
		return nil, ErrNotReady
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader:  vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session},
		Subject: p.Subject, Fields: []string{got.ref().Field()}, Purpose: "rights", Reason: "proof_pack",
	})
	if err != nil {
		return nil, err
	}
	return s.d.Vault.Open(ctx, ticket, got.ref(), got.content)
}

// make makes a pack and seals it. It is kept whole or not at all: a process that is
// killed leaves a row that is taken up again, from the beginning.
func (s *Service) make(ctx context.Context, j packPayload) error {
	p, err := s.takeUp(ctx, j.ID)
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil || p.State != Making {
		return err
	}
	var out bytes.Buffer
	err = s.Write(ctx, Request{
		Subject: p.subject, Reader: vault.Reader{Class: vault.Job, Session: packJob}, Since: p.since,
		Progress: func(percent int64) error { return s.note(ctx, p.id, percent) },
	}, &out)
	if err == nil {
		err = s.keep(ctx, p, out.Bytes())
		fault.Point("proof-after-keep")
	}
	switch {
	case err == nil, errors.Is(err, errGone):
		return nil
	case errors.Is(err, ErrNoSize):
		return s.fail(ctx, p.id, ProblemSize)
	case p.tries >= maxTries:
		s.d.Log.ErrorContext(ctx, "a proof pack was given up", "row", p.id, "error", err)
		return s.fail(ctx, p.id, ProblemError)
	}
	return fmt.Errorf("making proof pack %s: %w", p.id, err)
}

// takeUp counts a try before it begins, so that a pack that kills its process is
// given up too.
func (s *Service) takeUp(ctx context.Context, pack string) (p Pack, err error) {
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if p, err = byID(ctx, tx, pack); errs.IsNotFound(err) || err == nil && p.State != Making {
			return errGone
		}
		if err != nil {
			return err
		}
		if p.tries >= maxTries {
			p.State = Failed
			return s.failTx(ctx, tx, pack, ProblemError)
		}
		p.tries++
		_, err := tx.Exec(ctx, "UPDATE proof_pack SET tries = $1, percent = 0 WHERE id = $2", p.tries, pack)
		return err
	})
	return p, err
}

// note tells how far a pack is; errGone: nobody waits for it.
func (s *Service) note(ctx context.Context, pack string, percent int64) error {
	fault.Point("proof-between-parts")
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, errGone, "UPDATE proof_pack SET percent = $1 WHERE id = $2 AND state = 'making'", percent, pack)
	})
}

func (s *Service) keep(ctx context.Context, p Pack, file []byte) error {
	sum, now := sha256.Sum256(file), s.d.Clock.Now()
	sealed, err := s.d.Vault.Seal(ctx, p.ref(), file)
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	fault.Point("proof-after-seal")
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, errGone, `UPDATE proof_pack SET state = 'ready', percent = 100, content = $1, size = $2, digest = $3, made_at = $4, until = $5
			WHERE id = $6 AND state = 'making'`, sealed, int64(len(file)), hex.EncodeToString(sum[:]), db.Micros(now), db.Micros(now.Add(life)), p.id)
	})
}

func (s *Service) fail(ctx context.Context, pack, problem string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.failTx(ctx, tx, pack, problem) })
}

func (s *Service) failTx(ctx context.Context, tx *db.Tx, pack, problem string) error {
	_, err := tx.Exec(ctx, "UPDATE proof_pack SET state = 'failed', problem = $1, until = $2 WHERE id = $3 AND state = 'making'",
		problem, db.Micros(s.d.Clock.Now().Add(life)), pack)
	return err
}

// sweep deletes the packs whose time is over, and takes up again those whose job
// gave up.
func (s *Service) sweep(ctx context.Context) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM proof_pack WHERE state <> 'making' AND until <= $1", db.Micros(s.d.Clock.Now())); err != nil {
			return err
		}
		making, err := db.Select(ctx, tx, db.One[string], "SELECT id FROM proof_pack WHERE state = 'making' ORDER BY asked_at")
		for _, pack := range making {
			if err := s.d.Queue.EnqueueTx(ctx, tx, task(pack)); err != nil {
				return err
			}
		}
		return err
	})
}

const columns = "SELECT id, subject, since, state, tries, percent, problem, content, size, digest, asked_at, made_at, until FROM proof_pack"

func scan(row db.Row) (p Pack, err error) {
	var asked, made, until int64
	err = row.Scan(&p.id, &p.subject, &p.since, &p.State, &p.tries, &p.Percent, &p.Problem, &p.content, &p.Size, &p.Digest, &asked, &made, &until)
	p.AskedAt, p.MadeAt, p.Until = db.FromMicros(asked), db.FromMicros(made), db.FromMicros(until)
	return p, err
}

func byID(ctx context.Context, q db.Q, pack string) (Pack, error) {
	return db.Get(ctx, q, ErrNone, scan, columns+" WHERE id = $1", pack)
}

func bySubject(ctx context.Context, q db.Q, subject id.Handle) (Pack, error) {
	return db.Get(ctx, q, ErrNone, scan, columns+" WHERE subject = $1", string(subject))
}
