// Package proof makes proof packs: a zip that shows a person, or an auditor,
// offline, what this service promised, what was agreed to, what it sent, who
// read, and that none of it was changed since.
//
// It is not for the verifier: cmd/skybridge-verify reads the same format with code
// of its own. A person's pack is made by a job and kept for a day (State).
//
// Tables: proof_pack.
//
//	policies, consents, disclosures, reads, clauses, data map, entries of the log
//	      └── SHA-256 of each ──▶ manifest.json ── SHA-256 ──▶ entry "proof.pack" of the log
//	                                                               └── proven in ──▶ log/checkpoint, signed
//
// Invariants: a person's pack holds entries of that person and of the published
// policies only, and opens their sealed detail by a read event of its own; an
// auditor's pack holds every entry, handles, and no detail of anybody; whatever is
// in the zip is either hashed in the manifest or proven by the checkpoint.
package proof

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Format names the form of a pack.
const Format = "skybridge-pack/v1"

// Sealed is the type of the entry that a pack is bound to.
const Sealed = "proof.pack"

// ErrNoSize says that no checkpoint of the wanted size was signed.
var ErrNoSize = errs.New(errs.NotFound, "proof.no_size")

//go:embed HOWTO.txt
var howto []byte

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "proof", Files: sub}
}

// Deps is what a pack is made from, and kept in.
type Deps struct {
	DB      *db.DB
	Queue   *job.Queue // nil: Write only
	Vault   *vault.Vault
	Log     *slog.Logger
	Audit   *audit.Service
	Consent *consent.Service
	Clock   clock.Clock
	Clauses func(context.Context) (any, error) // the board, as JSON
	DataMap func() ([]byte, error)             // canonical
	Build   func() (map[string]string, error)  // version, SHA-256 of the program
}

// Service makes packs. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the service and registers its jobs.
func New(d Deps) *Service {
	s := &Service{d: d}
	if d.Queue != nil {
		job.On(d.Queue, packJob, s.make)
		d.Queue.Every("proof.sweep", time.Hour, s.sweep)
	}
	return s
}

// Request is whose pack is made, for whom.
type Request struct {
	Subject id.Handle    // empty: of all, for an auditor
	Reader  vault.Reader // who asks, or the job that asks for them
	Since   int64        // size of a checkpoint that the reader kept; 0 for none

	// Progress is told how much is done, in percent, each time that grows; its error
	// ends the making. nil: nobody asks.
	Progress func(percent int64) error
}

// Parts of the making, in percent at their ends. Opening the entries and proving
// them takes nearly all of the time.
const (
	promised = 2
	recorded = 10
	opened   = 80
	proven   = 99
)

// pack is a pack in the making.
type pack struct {
	Request
	zip   *zip.Writer
	at    time.Time
	size  int64 // entries below it are told
	files map[string]string
	done  int64 // percent
}

// told tells that a part is done, out of all of a stretch that ends at to.
func (p *pack) told(from, to, part, all int64) error {
	percent := to
	if all > 0 {
		percent = from + (to-from)*min(part, all)/all
	}
	if percent <= p.done || p.Progress == nil {
		return nil
	}
	p.done = percent
	return p.Progress(percent)
}

// manifest binds the files of a pack.
type manifest struct {
	Format  string            `json:"format"`
	Kind    string            `json:"kind"` // person, auditor
	Subject id.Handle         `json:"subject,omitempty"`
	MadeAt  time.Time         `json:"made_at"`
	Size    int64             `json:"size"` // entries below it are told
	Build   map[string]string `json:"build"`
	Files   map[string]string `json:"files"` // SHA-256 by name
}

// Write makes a pack. vault's errors mean that a detail that should open does
// not; ErrNoSize that nothing was signed at the size of Since.
func (s *Service) Write(ctx context.Context, r Request, to io.Writer) error {
	p := &pack{Request: r, zip: zip.NewWriter(to), at: s.d.Clock.Now(), files: map[string]string{}}
	var ticket vault.Ticket
	var err error
	if r.Subject != "" {
		if ticket, err = s.d.Audit.OwnTicket(ctx, r.Subject, r.Reader); err != nil {
			return err
		}
	}
	if err := p.put("HOWTO.txt", howto); err != nil {
		return err
	}
	// What has entries before the size is taken, so that each has its own in it.
	for _, part := range []func(context.Context, *pack) error{s.policies, s.consents} {
		if err := part(ctx, p); err != nil {
			return err
		}
	}
	if p.size, err = s.d.Audit.Size(ctx); err != nil {
		return err
	}
	if err := p.told(0, promised, 1, 1); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *pack) error{s.disclosures, s.reads, s.board} {
		if err := part(ctx, p); err != nil {
			return err
		}
	}
	if err := p.told(promised, recorded, 1, 1); err != nil {
		return err
	}
	indexes, err := s.entries(ctx, p, &ticket)
	if err != nil {
		return err
	}
	if err := s.seal(ctx, p, ticket, indexes); err != nil {
		return err
	}
	return p.zip.Close()
}

// put writes a file that the manifest names.
func (p *pack) put(name string, content []byte) error {
	sum := sha256.Sum256(content)
	p.files[name] = hex.EncodeToString(sum[:])
	return p.bare(name, content)
}

// bare writes a file that the checkpoint proves, or that is the manifest.
func (p *pack) bare(name string, content []byte) error {
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.at})
	if err == nil {
		_, err = w.Write(content)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (p *pack) putJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	return p.put(name, append(text, '\n'))
}

func (s *Service) board(ctx context.Context, p *pack) error {
	rows, err := s.d.Clauses(ctx)
	if err != nil {
		return err
	}
	if err := p.putJSON("clauses.json", rows); err != nil {
		return err
	}
	text, err := s.d.DataMap()
	if err != nil {
		return err
	}
	return p.put("datamap.json", text)
}

// seal binds the manifest to the log and proves all entries in one checkpoint.
func (s *Service) seal(ctx context.Context, p *pack, t vault.Ticket, indexes []int64) error {
	build, err := s.d.Build()
	if err != nil {
		return err
	}
	m := manifest{Format, "person", p.Subject, p.at.UTC(), p.size, build, p.files}
	if p.Subject == "" {
		m.Kind = "auditor"
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := p.bare("manifest.json", text); err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	leaf, err := s.d.Audit.Record(ctx, audit.Event{
		Type: Sealed, Subject: p.Subject,
		Actor:  audit.Actor{Class: p.Reader.Class, Handle: p.Reader.Handle, Session: p.Reader.Session},
		Detail: map[string]string{"manifest": hex.EncodeToString(sum[:])},
	})
	if err != nil {
		return err
	}
	prover, err := s.d.Audit.Prover(ctx)
	if err != nil {
		return err
	}
	if err := p.bare("log/checkpoint", prover.Note); err != nil {
		return err
	}
	if err := s.sealEntry(ctx, p, t, leaf, prover); err != nil {
		return err
	}
	if err := p.proofs(prover, indexes); err != nil {
		return err
	}
	return s.continues(ctx, p, prover)
}

func (s *Service) sealEntry(ctx context.Context, p *pack, t vault.Ticket, leaf audit.Leaf, prover *audit.Prover) error {
	e, err := s.entry(ctx, p, &t, leaf, true)
	if err != nil {
		return err
	}
	hashes, err := prover.Inclusion(leaf.Index)
	if err != nil {
		return err
	}
	text, err := json.Marshal(struct {
		entry
		Hashes []string `json:"hashes"`
	}{e, texts(hashes)})
	if err != nil {
		return err
	}
	return p.bare("log/seal.json", text)
}

// proofs proves each entry of a person. All entries of an auditor are there: the
// tree over them is the proof.
func (p *pack) proofs(prover *audit.Prover, indexes []int64) error {
	if p.Subject == "" {
		return nil
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for n, i := range indexes {
		if err := p.told(opened, proven, int64(n), int64(len(indexes))); err != nil {
			return err
		}
		hashes, err := prover.Inclusion(i)
		if err != nil {
			return err
		}
		if err := enc.Encode(included{i, texts(hashes)}); err != nil {
			return err
		}
	}
	return p.bare("log/proofs.jsonl", lines.Bytes())
}
