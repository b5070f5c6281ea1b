package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Errors of a restore. Each comes before the target is touched.
var (
	ErrHash  = errors.New("the file is not the one that its manifest names: SHA-256 differs")
	ErrPlace = errors.New("the backup is of another region or profile")
	ErrStore = errors.New("the backup is of the other store")
	ErrFull  = errors.New("the target is not empty: restore into a new data directory and new databases")
)

// Manifest says what a backup is. It stands beside the file, and holds no
// secret and nothing about a person.
type Manifest struct {
	ID      string    `json:"id"`
	Store   Store     `json:"store"`
	Region  string    `json:"region"` // of the store that was backed up: CN-mainland, HK
	Profile string    `json:"profile"`
	At      time.Time `json:"at"`      // not later than the state that it holds
	Expires time.Time `json:"expires"` // when it is removed
	Program string    `json:"program"` // version that wrote it
	Engine  string    `json:"engine"`

	File   string `json:"file"` // name in the manifest's directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Key    string `json:"key"` // fingerprint of the public key

	Rows       map[string]int64 `json:"rows"` // by table
	Checkpoint string           `json:"checkpoint,omitempty"`
	Size       int64            `json:"checkpoint_size,omitempty"` // leaves of the audit log in it

	dir string
}

// context is what the encryption binds the file to.
func (m Manifest) context() string {
	return strings.Join([]string{m.ID, string(m.Store), m.Region, m.Profile, m.At.UTC().Format(time.RFC3339Nano)}, "\n")
}

// Path returns the path of the encrypted file.
func (m Manifest) Path() string { return filepath.Join(m.dir, m.File) }

// manifestPath returns where the manifest stands.
func (m Manifest) manifestPath() string { return strings.TrimSuffix(m.Path(), fileEnd) + manifestEnd }

// RowCount is the number of rows of all tables.
func (m Manifest) RowCount() (n int64) {
	for _, rows := range m.Rows {
		n += rows
	}
	return n
}

// ReadManifest reads a manifest. What it says is checked by Check and Verify.
func ReadManifest(path string) (Manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{dir: filepath.Dir(path)}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s is no manifest of a backup: %w", path, err)
	}
	if m.File != filepath.Base(m.File) || !strings.HasSuffix(m.File, fileEnd) {
		return m, fmt.Errorf("%s: the file %q is not in its directory", path, m.File)
	}
	return m, nil
}

// List returns the backups of a store in a directory, oldest first. Only whole
// ones have a manifest.
func List(dir string, store Store) ([]Manifest, error) {
	paths, err := filepath.Glob(filepath.Join(dir, string(store)+"-*"+manifestEnd))
	if err != nil {
		return nil, err
	}
	var all []Manifest
	for _, p := range paths {
		if _, ours := timeOf(filepath.Base(p), store); !ours {
			continue
		}
		m, err := ReadManifest(p)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Manifest) int { return a.At.Compare(b.At) })
	return all, nil
}

// Newest returns the newest backup of a store in a directory; an error that is
// fs.ErrNotExist if there is none.
func Newest(dir string, store Store) (Manifest, error) {
	all, err := List(dir, store)
	if err != nil {
		return Manifest{}, err
	}
	if len(all) == 0 {
		return Manifest{}, fmt.Errorf("no backup of the store %s in %s: %w", store, dir, fs.ErrNotExist)
	}
	return all[len(all)-1], nil
}

// Check refuses a backup of another store, region or profile.
func (m Manifest) Check(store Store, region, profile string) error {
	if m.Store != store {
		return fmt.Errorf("%w: %s", ErrStore, m.Store)
	}
	if m.Region != region || m.Profile != profile {
		return fmt.Errorf("%w: %s, %s; this installation is %s, %s", ErrPlace, m.Region, m.Profile, region, profile)
	}
	return nil
}

// Verify reads the whole file: its hash, the key, every chunk. It writes
// nothing.
func (m Manifest) Verify(k envelope.PrivateKey) error {
	f, err := os.Open(m.Path())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if (n != m.Bytes || hex.EncodeToString(sum.Sum(nil)) != m.SHA256) && !mutant.Off("TY-5.1c") {
		return fmt.Errorf("%s: %w", m.Path(), ErrHash)
	}
	if m.Key != k.Public().Fingerprint() {
		return fmt.Errorf("%s is sealed for key %s, not %s: %w", m.Path(), m.Key, k.Public().Fingerprint(), envelope.ErrKey)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return m.read(f, k, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
}

func (m Manifest) read(f io.Reader, k envelope.PrivateKey, use func(io.Reader) error) error {
	o, err := Format.Open(f, k, m.context())
	if err == nil {
		err = use(o)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.Path(), err)
	}
	return nil
}

// Restore fills an empty database, whose tables have to be made by sets. It
// verifies the file first; an error after that leaves the database without
// rows.
func (m Manifest) Restore(ctx context.Context, d *db.DB, sets []db.Migrations, k envelope.PrivateKey) error {
	live, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	if len(live) > 0 {
		return ErrFull
	}
	if err := m.Verify(k); err != nil {
		return err
	}
	f, err := os.Open(m.Path())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return m.read(f, k, func(r io.Reader) error {
		rows, err := load(ctx, d, sets, r)
		if err != nil {
			return err
		}
		if !maps.Equal(rows, m.Rows) {
			return fmt.Errorf("the rows are not those of the manifest: %w", envelope.ErrAltered)
		}
		return nil
	})
}
