package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Endings of the names in a directory. What begins with a dot is being written.
const (
	fileEnd     = ".skb"
	manifestEnd = ".json"
	unfinished  = ".new-"
	timeForm    = "20060102T150405Z"
)

// Source is what is backed up, and where to.
type Source struct {
	DB      *db.DB
	Sets    []db.Migrations
	Store   Store
	Region  string
	Profile string
	Program string

	Dir    string
	Keep   time.Duration
	Public envelope.PublicKey

	// Within looks at the state that is written, and Sign, after it is written,
	// returns the signed checkpoint of the audit log in it and its size. Both may
	// be nil.
	Within func(context.Context, db.Q) error
	Sign   func(context.Context) (note []byte, size int64, err error)
}

// Write makes a backup and removes those that are older than they may get, also
// when it could not make the new one.
func Write(ctx context.Context, s Source, now time.Time) (Manifest, error) {
	if s.Keep <= 0 || s.Keep > s.Store.Longest() {
		return Manifest{}, fmt.Errorf("backups of the store %s are kept %v at most", s.Store, s.Store.Longest())
	}
	m, err := s.write(ctx, now)
	return m, errors.Join(err, Expire(s.Dir, s.Store, s.Keep, now))
}

func (s Source) write(ctx context.Context, now time.Time) (m Manifest, err error) {
	m = Manifest{
		ID: id.New("bak"), Store: s.Store, Region: s.Region, Profile: s.Profile, At: now.UTC(), Expires: now.Add(s.Keep).UTC(),
		Program: s.Program, Engine: string(s.DB.Dialect()), Key: s.Public.Fingerprint(), dir: s.Dir,
	}
	m.File = fmt.Sprintf("%s-%s-%s%s", s.Store, m.At.Format(timeForm), strings.TrimPrefix(m.ID, "bak_"), fileEnd)
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return m, err
	}
	tmp := filepath.Join(s.Dir, unfinished+m.File)
	defer func() { _ = os.Remove(tmp) }() // it has its name by then, or is a part
	if err := s.file(ctx, tmp, &m); err != nil {
		return m, fmt.Errorf("backing up the store %s: %w", s.Store, err)
	}
	if s.Sign != nil {
		note, size, err := s.Sign(ctx)
		if err != nil {
			return m, fmt.Errorf("signing what the backup holds: %w", err)
		}
		m.Checkpoint, m.Size = string(note), size
	}
	fault.Point("backup-before-name")
	if err := os.Rename(tmp, m.Path()); err != nil {
		return m, err
	}
	fault.Point("backup-before-manifest")
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, durable.Create(m.manifestPath(), append(text, '\n'))
}

// file writes the encrypted dump and brings it to the disk.
func (s Source) file(ctx context.Context, path string, m *Manifest) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum, hash := &measured{w: f}, sha256.New()
	sealed, err := Format.Seal(io.MultiWriter(sum, hash), s.Public, m.context())
	if err != nil {
		return err
	}
	within := s.Within
	if within == nil {
		within = func(context.Context, db.Q) error { return nil }
	}
	if m.Rows, err = dump(ctx, s.DB, s.Sets, sealed, within); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return err
	}
	m.Bytes, m.SHA256 = sum.n, hex.EncodeToString(hash.Sum(nil))
	return f.Sync()
}

type measured struct {
	w io.Writer
	n int64
}

func (m *measured) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.n += int64(n)
	return n, err
}

// abandonedAfter is when a part of a backup that nobody finishes is removed.
const abandonedAfter = time.Hour

// Expire removes the backups of a store that are older than keep by the time in
// their names, whatever their manifests say, and parts that a killed process
// left.
func Expire(dir string, store Store, keep time.Duration, now time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all []error
	for _, e := range entries {
		name, part := strings.CutPrefix(e.Name(), unfinished)
		at, ok := timeOf(name, store)
		if !ok {
			continue
		}
		whole := !part && exists(filepath.Join(dir, stem(name)+manifestEnd))
		if now.Sub(at) > keep || (!whole && now.Sub(at) > abandonedAfter && idle(e, now)) {
			all = append(all, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(all...)
}

func stem(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, fileEnd), manifestEnd)
}

// timeOf reads when the backup of this name was made; ok is false for files that
// are not ours.
func timeOf(name string, store Store) (at time.Time, ok bool) {
	if stem(name) == name {
		return at, false
	}
	rest, ok := strings.CutPrefix(name, string(store)+"-")
	if !ok || len(rest) < len(timeForm) {
		return at, false
	}
	at, err := time.Parse(timeForm, rest[:len(timeForm)])
	return at, err == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// idle tells a part that nobody writes to any more.
func idle(e os.DirEntry, now time.Time) bool {
	info, err := e.Info()
	return err == nil && now.Sub(info.ModTime()) > abandonedAfter
}
