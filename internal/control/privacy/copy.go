package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// CopyState is how far a copy is.
//
//	making ── job ──▶ ready ── fetched once ──▶ fetched
//	                    └── 72 hours, or a newer copy ──▶ over
//
// Only a ready one has bytes.
type CopyState string

// States of a copy.
const (
	CopyMaking  CopyState = "making"
	CopyReady   CopyState = "ready"
	CopyFetched CopyState = "fetched"
	CopyOver    CopyState = "over"
)

// CopyFile tells of the copy of a request; the zero value is of a request that
// has none.
type CopyFile struct {
	Request   string
	State     CopyState
	Size      int64  // bytes, once it is made
	Digest    string // SHA-256 of the file in hex
	MadeAt    time.Time
	Until     time.Time // the first instant at which it is gone
	FetchedAt time.Time

	subject id.Handle
	account string
	content []byte // sealed
}

func (f CopyFile) ref() vault.Ref {
	return vault.Ref{Table: "privacy_copy", Column: "content", Row: f.Request, Subject: f.subject, Class: erasable}
}

// Identities tells whether somebody's real name is verified, as a copy to carry
// elsewhere wants (NDR 25). The module realname fills it; ErrRequired says no.
type Identities interface {
	Require(ctx context.Context, owner account.ID) (realname.Verified, error)
}

const (
	copyLife  = 72 * time.Hour // clause LT-4.1: as long as the file may be fetched
	maxCopies = 10             // of one person in a day
	ExportJob = "privacy.copy" // kind of the job that makes a copy
)

// Errors.
var (
	ErrNoCopy     = errs.New(errs.NotFound, "privacy.copy_not_found") // the request has none
	ErrNotReady   = errs.New(errs.Conflict, "privacy.copy_not_ready") // none, not made yet, fetched or over
	ErrCopying    = errs.New(errs.Conflict, "privacy.copy_making")    // one is being made
	ErrManyCopies = errs.New(errs.Limited, "privacy.too_many_copies").With("max", maxCopies)
)

type copyPayload struct{ Request string }

// copied reports whether it is answered by a file.
func (k Kind) copied() bool { return k == Copy || k == Port }

// proven tells whether the person is known well enough for a kind that the desk
// need not look at: whoever signed in for a copy, a verified one for a port. It
// fails closed where the answer is not known.
func (s *Service) proven(ctx context.Context, p account.Principal, k Kind) (bool, error) {
	if k == Copy {
		return true, nil
	}
	if s.d.Identities == nil || isUser(p) { // VPN users verify no real name
		return false, nil
	}
	_, err := s.d.Identities.Require(ctx, p.Account)
	if errs.KindOf(err) == errs.Forbidden {
		return mutant.Off("SUP-4"), nil
	}
	return err == nil, err
}

// beginCopyTx takes a granted request to the job that makes the copy. A copy
// that waits to be fetched goes: the newer one holds more.
func (s *Service) beginCopyTx(ctx context.Context, tx *db.Tx, r Request) error {
	now := s.d.Clock.Now()
	making, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM privacy_copy WHERE subject = $1 AND state = 'making'", string(r.Subject))
	if err != nil {
		return err
	}
	if making > 0 {
		return ErrCopying
	}
	today, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM privacy_copy WHERE subject = $1 AND asked_at > $2",
		string(r.Subject), db.Micros(now.Add(-24*time.Hour)))
	if err != nil {
		return err
	}
	if today >= maxCopies {
		return ErrManyCopies
	}
	if _, err := tx.Exec(ctx, "UPDATE privacy_copy SET state = 'over', content = NULL WHERE subject = $1 AND state = 'ready'", string(r.Subject)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO privacy_copy (request, subject, account, state, content, size, digest, asked_at, made_at, until, fetched_at)
		VALUES ($1, $2, $3, 'making', NULL, 0, '', $4, 0, 0, 0)`, r.ID, string(r.Subject), string(r.Account), db.Micros(now))
	if err != nil {
		return err
	}
	return s.d.Queue.EnqueueTx(ctx, tx, copyTask(r.ID))
}

// makeCopy makes a file and seals it. Twice is not an error: what is made, or
// was erased with its person meanwhile, is left alone.
func (s *Service) makeCopy(ctx context.Context, j copyPayload) error {
	f, err := copyOf(ctx, s.d.DB, j.Request)
	if errors.Is(err, ErrNoCopy) || err == nil && f.State != CopyMaking {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := byID(ctx, s.d.DB, j.Request)
	if err != nil {
		return err
	}
	who, err := s.person(ctx, f.subject, account.ID(f.account))
	if errs.IsNotFound(err) {
		return nil // a VPN user whose client is deleted: an erasure is under way
	}
	if err != nil {
		return err
	}
	file, err := s.copier(r.Kind).Copy(ctx, who,
		vault.Reader{Class: vault.Job, Session: ExportJob}, "rights")
	if err != nil {
		return fmt.Errorf("making the copy of %s: %w", r.ID, err)
	}
	sum := sha256.Sum256(file)
	f.Size, f.Digest = int64(len(file)), hex.EncodeToString(sum[:])
	if f.content, err = s.d.Vault.Seal(ctx, f.ref(), file); err != nil {
		return fmt.Errorf("sealing the copy of %s: %w", r.ID, err)
	}
	fault.Point("copy-after-seal")
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.readyTx(ctx, tx, f) })
	fault.Point("copy-after-ready")
	return err
}

// copier makes copies of everything, or of what a person may carry elsewhere.
func (s *Service) copier(k Kind) Copier {
	c := Copier{DB: s.d.DB, Vault: s.d.Vault, Held: s.d.Held, Tables: s.d.Tables, Clock: s.d.Clock}
	if k == Port {
		return c.portable()
	}
	return c
}

// readyTx puts the file where it is fetched and ends the request.
func (s *Service) readyTx(ctx context.Context, tx *db.Tx, f CopyFile) error {
	now := s.d.Clock.Now()
	f.Until = now.Add(copyLife)
	n, err := tx.Exec(ctx, `UPDATE privacy_copy SET state = 'ready', content = $1, size = $2, digest = $3, made_at = $4, until = $5
		WHERE request = $6 AND state = 'making'`, f.content, f.Size, f.Digest, db.Micros(now), db.Micros(f.Until), f.Request)
	if err != nil || n == 0 {
		return err // another process was first, or the person is erased
	}
	r, err := byID(ctx, tx, f.Request)
	if err != nil {
		return err
	}
	if err := s.moveTx(ctx, tx, account.Principal{}, r, EventCarried, "privacy.request_carried", map[string]string{"sha256": f.Digest}); err != nil {
		return err
	}
	e := s.event(r)
	e.Date = lastDay(f.Until)
	return s.d.Queue.PublishTx(ctx, tx, TopicCopyReady, e)
}

// CopyOf tells of the copy of a person's request. Errors: ErrNoCopy.
func (s *Service) CopyOf(ctx context.Context, p account.Principal, request string) (CopyFile, error) {
	f, err := copyOf(ctx, s.d.DB, request)
	if err == nil && f.subject != p.Subject {
		err = ErrNoCopy
	}
	return s.aged(f), err
}

// Copies tells of all copies of a person, by request.
func (s *Service) Copies(ctx context.Context, p account.Principal) (map[string]CopyFile, error) {
	all, err := db.Select(ctx, s.d.DB, scanCopy, copyColumns+" WHERE subject = $1", string(p.Subject))
	by := make(map[string]CopyFile, len(all))
	for _, f := range all {
		by[f.Request] = s.aged(f)
	}
	return by, err
}

// aged tells what a clock has made of a file before the job came by.
func (s *Service) aged(f CopyFile) CopyFile {
	if f.State == CopyReady && !s.d.Clock.Now().Before(f.Until) {
		f.State = CopyOver
	}
	return f
}

// FetchCopy hands out the file of a person's request, once: the bytes are gone
// before they are sent, so that no second reader ever gets them. It needs a
// session that proved itself within ten minutes. Errors: account.ErrStepUp,
// ErrNotFound, ErrNotReady, those of the vault.
func (s *Service) FetchCopy(ctx context.Context, p account.Principal, request string) ([]byte, error) {
	if err := p.RequireStepUp(s.d.Clock.Now()); err != nil {
		return nil, err
	}
	if _, err := ofPerson(ctx, s.d.DB, p.Subject, request); err != nil {
		return nil, err
	}
	f, err := s.CopyOf(ctx, p, request)
	if errors.Is(err, ErrNoCopy) || err == nil && f.State != CopyReady {
		return nil, ErrNotReady
	}
	if err != nil {
		return nil, err
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, Subject: p.Subject,
		Fields: []string{f.ref().Field()}, Purpose: "rights", Reason: request,
	})
	if err != nil {
		return nil, err
	}
	file, err := s.d.Vault.Open(ctx, ticket, f.ref(), f.content)
	if err != nil {
		return nil, fmt.Errorf("opening the copy of %s: %w", request, err)
	}
	fault.Point("copy-after-open")
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.fetchedTx(ctx, tx, p, f) })
	fault.Point("copy-after-fetch")
	return file, err
}

func (s *Service) fetchedTx(ctx context.Context, tx *db.Tx, p account.Principal, f CopyFile) error {
	now := s.d.Clock.Now()
	err := tx.ExecOne(ctx, ErrNotReady, "UPDATE privacy_copy SET state = 'fetched', content = NULL, fetched_at = $1 WHERE request = $2 AND state = 'ready' AND until > $1",
		db.Micros(now), f.Request)
	if err != nil {
		return err
	}
	r, err := byID(ctx, tx, f.Request)
	if err != nil {
		return err
	}
	return s.recordTx(ctx, tx, p, "privacy.copy_fetched", r, map[string]string{"sha256": f.Digest})
}

// endCopies destroys the bytes of copies that nobody fetched in time, and takes
// up again those whose job gave up.
func (s *Service) endCopies(ctx context.Context) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE privacy_copy SET state = 'over', content = NULL WHERE state = 'ready' AND until <= $1", db.Micros(s.d.Clock.Now()))
		if err != nil {
			return err
		}
		making, err := db.Select(ctx, tx, db.One[string], "SELECT request FROM privacy_copy WHERE state = 'making' ORDER BY asked_at")
		for _, request := range making {
			if err := s.d.Queue.EnqueueTx(ctx, tx, copyTask(request)); err != nil {
				return err
			}
		}
		return err
	})
}

// copyTask waits in the queue once for each request.
func copyTask(request string) job.Job {
	return job.Job{Kind: ExportJob, Payload: copyPayload{request}, Key: ExportJob + ":" + request}
}

const copyColumns = "SELECT request, subject, account, state, content, size, digest, made_at, until, fetched_at FROM privacy_copy"

func copyOf(ctx context.Context, q db.Q, request string) (CopyFile, error) {
	return db.Get(ctx, q, ErrNoCopy, scanCopy, copyColumns+" WHERE request = $1", request)
}

func scanCopy(row db.Row) (f CopyFile, err error) {
	var made, until, fetched int64
	err = row.Scan(&f.Request, &f.subject, &f.account, &f.State, &f.content, &f.Size, &f.Digest, &made, &until, &fetched)
	f.MadeAt, f.Until, f.FetchedAt = db.FromMicros(made), db.FromMicros(until), db.FromMicros(fetched)
	return f, err
}
