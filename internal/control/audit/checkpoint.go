package audit

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Checkpoint signs the log's present size and root and returns the note: three
// lines (origin, size, root in base64), an empty line, the Ed25519 signature
// line of golang.org/x/mod/sumdb/note. It signs nothing that is not a
// continuation of the last checkpoint: then ErrTampered. A copy goes to the
// checkpoint file.
func (s *Service) Checkpoint(ctx context.Context) ([]byte, error) {
	// The last checkpoint first: read after the head it could be a newer one.
	last, err := s.lastCheckpoint(ctx)
	if err != nil && !errs.IsNotFound(err) {
		return nil, err
	}
	h, err := readHead(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if h.size == 0 && last.size == 0 {
		return nil, ErrEmpty
	}
	if last.size == h.size && last.root == h.root {
		return last.note, s.copyOut(ctx, last.note)
	}
	if err := s.continues(ctx, last, h); err != nil {
		return nil, err
	}
	signed, err := s.sign(ctx, h)
	if err != nil {
		return nil, err
	}
	// The copy first: after a crash in between it is still one of this log.
	if err := s.copyOut(ctx, signed); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO audit_checkpoint (size, root, note, at) VALUES ($1, $2, $3, $4) ON CONFLICT (size) DO NOTHING",
			h.size, h.root[:], signed, db.Micros(s.clock.Now()))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keeping the checkpoint: %w", err)
	}
	return signed, nil
}

// checkpoint is a row of audit_checkpoint.
type checkpoint struct {
	size int64
	root tlog.Hash
	note []byte
	at   time.Time
}

func scanCheckpoint(r db.Row) (c checkpoint, err error) {
	var root []byte
	var at int64
	if err = r.Scan(&c.size, &root, &c.note, &at); err == nil {
		copy(c.root[:], root)
		c.at = db.FromMicros(at)
	}
	return c, err
}

func (s *Service) lastCheckpoint(ctx context.Context) (checkpoint, error) {
	return db.Get(ctx, s.db, ErrEmpty, scanCheckpoint, "SELECT size, root, note, at FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
}

// Pin is what an outsider keeps of the log, to compare later ones with: the newest
// checkpoint that was signed, and the public key that it was signed with.
type Pin struct {
	Verifier string // public key, the text form of golang.org/x/mod/sumdb/note
	Note     string // the signed checkpoint, byte for byte
	Size     int64  // leaves that it covers
	Root     string // base64
	At       time.Time
}

// Pin returns the newest checkpoint that is kept. It signs nothing, so that who
// asks costs no signature and no row. ErrEmpty before the first.
func (s *Service) Pin(ctx context.Context) (Pin, error) {
	c, err := s.lastCheckpoint(ctx)
	if err != nil {
		return Pin{}, err
	}
	key, err := s.VerifierKey(ctx)
	return Pin{key, string(c.note), c.size, c.root.String(), c.at}, err
}

// continues proves that the head extends the last checkpoint.
func (s *Service) continues(ctx context.Context, last checkpoint, h head) error {
	hashes := store{ctx, s.db}
	root, err := tlog.TreeHash(h.size, hashes)
	if err != nil {
		return tampered(err)
	}
	if root != h.root || h.size < last.size {
		return tampered(fmt.Errorf("the head of size %d is not its tree", h.size))
	}
	if last.size == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(h.size, last.size, hashes)
	if err == nil {
		err = tlog.CheckTree(proof, h.size, h.root, last.size, last.root)
	}
	if err != nil {
		return tampered(err)
	}
	return nil
}

func tampered(cause error) error { return errs.Wrap(ErrTampered.Kind, ErrTampered.Code, cause) }

// body is the signed text of a checkpoint.
func (s *Service) body(h head) string {
	return s.origin + "\n" + strconv.FormatInt(h.size, 10) + "\n" + base64.StdEncoding.EncodeToString(h.root[:]) + "\n"
}

func (s *Service) sign(ctx context.Context, h head) ([]byte, error) {
	signer, err := s.signer(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: s.body(h)}, signer)
	if err != nil {
		return nil, fmt.Errorf("signing the checkpoint: %w", err)
	}
	return signed, nil
}

// keyRow is a row of audit_signer.
type keyRow struct {
	verifier string
	sealed   []byte
}

func scanKeyRow(r db.Row) (k keyRow, err error) { return k, r.Scan(&k.verifier, &k.sealed) }

// signingKey returns the row of this log's key, made at first use.
func (s *Service) signingKey(ctx context.Context) (keyRow, error) {
	const text = "SELECT verifier, sealed FROM audit_signer WHERE name = $1"
	k, err := db.Get(ctx, s.db, nil, scanKeyRow, text, s.origin)
	if !errs.IsNotFound(err) {
		return k, err
	}
	secret, verifier, err := note.GenerateKey(rand.Reader, s.origin)
	if err != nil {
		return k, fmt.Errorf("making the log's key: %w", err)
	}
	sealed, err := s.vault.SealSystem(ctx, s.keyName(), []byte(secret))
	if err != nil {
		return k, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO audit_signer (name, verifier, sealed, at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
			s.origin, verifier, sealed, db.Micros(s.clock.Now()))
		return err
	})
	if err != nil {
		return k, err
	}
	return db.Get(ctx, s.db, nil, scanKeyRow, text, s.origin)
}

func (s *Service) keyName() string { return "audit.signer/" + s.origin }

func (s *Service) signer(ctx context.Context) (note.Signer, error) {
	k, err := s.signingKey(ctx)
	if err != nil {
		return nil, err
	}
	secret, err := s.vault.OpenSystem(ctx, s.keyName(), k.sealed)
	if err != nil {
		return nil, errs.Wrap(ErrSigner.Kind, ErrSigner.Code, err)
	}
	signer, err := note.NewSigner(string(secret))
	if err != nil {
		return nil, fmt.Errorf("reading the log's key: %w", err)
	}
	return signer, nil
}

// VerifierKey returns the public key of the checkpoints, in the text form of
// golang.org/x/mod/sumdb/note. Publish it where an attacker of the database
// cannot change it.
func (s *Service) VerifierKey(ctx context.Context) (string, error) {
	k, err := s.signingKey(ctx)
	return k.verifier, err
}

// open verifies a note with a public key and parses it.
func (s *Service) open(signed []byte, verifier string) (head, error) {
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return head{}, fmt.Errorf("reading the log's public key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return head{}, err
	}
	return s.parse(n.Text)
}

// parse reads the text of a checkpoint; what follows the three lines is the
// signature.
func (s *Service) parse(text string) (head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != s.origin || lines[3] != "" {
		return head{}, errors.New("the note is not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, fmt.Errorf("the checkpoint's size: %w", err)
	}
	root, err := tlog.ParseHash(lines[2])
	return head{size, root}, err
}

// copyOut writes the checkpoint and the public key outside the database.
func (s *Service) copyOut(ctx context.Context, signed []byte) error {
	if s.file == "" {
		return nil
	}
	key := s.file + ".pub"
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		verifier, err := s.VerifierKey(ctx)
		if err != nil {
			return err
		}
		if err := durable.Replace(key, []byte(verifier+"\n")); err != nil {
			return fmt.Errorf("copying the log's public key: %w", err)
		}
	}
	if err := durable.Replace(s.file, signed); err != nil {
		return fmt.Errorf("copying the checkpoint: %w", err)
	}
	return nil
}

// external returns the checkpoint outside the database, verified with the key
// beside it.
func (s *Service) external() (head, error) {
	signed, err := os.ReadFile(s.file)
	if err != nil {
		return head{}, err
	}
	key, err := os.ReadFile(s.file + ".pub")
	if err != nil {
		return head{}, err
	}
	return s.open(signed, strings.TrimSpace(string(key)))
}

// SizeOf returns the size that a checkpoint of this log signs. It does not
// verify the signature.
func (s *Service) SizeOf(signed []byte) (int64, error) {
	h, err := s.parse(string(signed))
	return h.size, err
}
