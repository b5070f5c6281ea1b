// Package repository makes the TUF repositories that package update reads: keys,
// and directories of signed metadata and files. It is for the tool that makes
// releases and for tests; skyconnect does not link it.
package repository

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
)

// Lifetimes of what is signed. The timestamp's bounds how long a server can hide
// a newer release.
const (
	RootFor      = 365 * 24 * time.Hour
	TargetsFor   = 180 * 24 * time.Hour
	SnapshotFor  = 30 * 24 * time.Hour
	TimestampFor = 7 * 24 * time.Hour
)

// Keys sign a repository. Root keys are kept offline, by several persons.
type Keys struct {
	Root      []ed25519.PrivateKey
	Threshold int // of Root
	Targets   ed25519.PrivateKey
	Online    ed25519.PrivateKey // snapshot and timestamp
}

// Repository is a directory of metadata and, under targets, of files.
type Repository struct {
	dir  string
	keys Keys

	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
}

// Create makes an empty repository in dir, which has to be empty.
func Create(dir string, keys Keys, now time.Time) (*Repository, error) {
	if len(keys.Root) < keys.Threshold || keys.Threshold < 1 {
		return nil, fmt.Errorf("repository: %d root keys cannot reach a threshold of %d", len(keys.Root), keys.Threshold)
	}
	r := &Repository{
		dir: dir, keys: keys, root: metadata.Root(now.Add(RootFor)), targets: metadata.Targets(now.Add(TargetsFor)),
		snapshot: metadata.Snapshot(now.Add(SnapshotFor)), timestamp: metadata.Timestamp(now.Add(TimestampFor)),
	}
	if _, err := os.Stat(r.path("1.root.json")); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("repository: there is one in %s", dir)
	}
	for role, keys := range map[string][]ed25519.PrivateKey{
		metadata.ROOT: keys.Root, metadata.TARGETS: {keys.Targets}, metadata.SNAPSHOT: {keys.Online}, metadata.TIMESTAMP: {keys.Online},
	} {
		for _, k := range keys {
			pub, err := metadata.KeyFromPublicKey(k.Public())
			if err != nil {
				return nil, err
			}
			if err := r.root.Signed.AddKey(pub, role); err != nil {
				return nil, err
			}
		}
	}
	r.root.Signed.Roles[metadata.ROOT].Threshold = keys.Threshold
	return r, r.signRoot(now)
}

// Open reads a repository in order to add to it.
func Open(dir string, keys Keys) (*Repository, error) {
	r := &Repository{dir: dir, keys: keys}
	n := 1
	for ; ; n++ {
		if _, err := os.Stat(r.path(fmt.Sprintf("%d.root.json", n+1))); err != nil {
			break
		}
	}
	var err error
	if r.root, err = metadata.Root().FromFile(r.path(fmt.Sprintf("%d.root.json", n))); err != nil {
		return nil, err
	}
	if r.timestamp, err = metadata.Timestamp().FromFile(r.path("timestamp.json")); err != nil {
		return nil, err
	}
	v := r.timestamp.Signed.Meta["snapshot.json"].Version
	if r.snapshot, err = metadata.Snapshot().FromFile(r.path(fmt.Sprintf("%d.snapshot.json", v))); err != nil {
		return nil, err
	}
	v = r.snapshot.Signed.Meta["targets.json"].Version
	r.targets, err = metadata.Targets().FromFile(r.path(fmt.Sprintf("%d.targets.json", v)))
	return r, err
}

// RootJSON is what clients begin to trust with.
func (r *Repository) RootJSON() ([]byte, error) { return r.root.ToBytes(true) }

// Add takes a file into the targets. Publish signs them.
func (r *Repository) Add(content []byte, c update.Custom) error {
	program := cmp.Or(c.Program, update.Command)
	if program != update.Command && program != update.Window {
		return fmt.Errorf("repository: there is no program %q", program)
	}
	name := fmt.Sprintf("%s/%s-%s", c.Version, program, c.System)
	file, err := metadata.TargetFile().FromBytes(name, content, "sha256")
	if err != nil {
		return err
	}
	custom, err := json.Marshal(c)
	if err != nil {
		return err
	}
	raw := json.RawMessage(custom)
	file.Custom = &raw
	path := filepath.Join(r.dir, "targets", c.Version, fmt.Sprintf("%x.%s-%s", []byte(file.Hashes["sha256"]), program, c.System))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // it is public
		return err
	}
	r.targets.Signed.Targets[name] = file
	return nil
}

// Publish signs targets, snapshot and timestamp anew. The timestamp is written
// last: until then clients see the former state whole.
func (r *Repository) Publish(now time.Time) error {
	r.targets.Signed.Version, r.targets.Signed.Expires = r.targets.Signed.Version+1, now.Add(TargetsFor).UTC()
	r.snapshot.Signed.Version, r.snapshot.Signed.Expires = r.snapshot.Signed.Version+1, now.Add(SnapshotFor).UTC()
	r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(r.targets.Signed.Version)
	return errors.Join(
		sign(r.targets, []ed25519.PrivateKey{r.keys.Targets}, r.path(fmt.Sprintf("%d.targets.json", r.targets.Signed.Version))),
		sign(r.snapshot, []ed25519.PrivateKey{r.keys.Online}, r.path(fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version))),
		r.Refresh(now),
	)
}

// Refresh signs the timestamp alone, which has to happen more often than
// TimestampFor.
func (r *Repository) Refresh(now time.Time) error {
	r.timestamp.Signed.Version, r.timestamp.Signed.Expires = r.timestamp.Signed.Version+1, now.Add(TimestampFor).UTC()
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.snapshot.Signed.Version)
	return sign(r.timestamp, []ed25519.PrivateKey{r.keys.Online}, r.path("timestamp.json"))
}

// Rotate makes the next root with other keys, signed by the former ones and by
// them.
func (r *Repository) Rotate(keys []ed25519.PrivateKey, threshold int, now time.Time) error {
	former := r.keys.Root
	role := r.root.Signed.Roles[metadata.ROOT]
	for _, id := range slices.Clone(role.KeyIDs) {
		if err := r.root.Signed.RevokeKey(id, metadata.ROOT); err != nil {
			return err
		}
	}
	for _, k := range keys {
		pub, err := metadata.KeyFromPublicKey(k.Public())
		if err != nil {
			return err
		}
		if err := r.root.Signed.AddKey(pub, metadata.ROOT); err != nil {
			return err
		}
	}
	r.root.Signed.Roles[metadata.ROOT].Threshold = threshold
	r.root.Signed.Version++
	r.keys.Root, r.keys.Threshold = keys, threshold
	return r.signRootBy(append(slices.Clone(former), keys...), now)
}

func (r *Repository) signRoot(now time.Time) error { return r.signRootBy(r.keys.Root, now) }

func (r *Repository) signRootBy(keys []ed25519.PrivateKey, now time.Time) error {
	r.root.Signed.Expires = now.Add(RootFor).UTC()
	return sign(r.root, keys, r.path(fmt.Sprintf("%d.root.json", r.root.Signed.Version)))
}

// Systems are those that have a release of version.
func (r *Repository) Systems(version string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.targets.Signed.Targets)) {
		if dir, file := filepath.Split(name); dir == version+"/" {
			out = append(out, file[len("skyconnect-"):])
		}
	}
	return out
}

func (r *Repository) path(name string) string { return filepath.Join(r.dir, name) }

// sign replaces the signatures of m and writes it by renaming.
func sign[T metadata.Roles](m *metadata.Metadata[T], keys []ed25519.PrivateKey, path string) error {
	m.ClearSignatures()
	for _, k := range keys {
		s, err := signature.LoadSigner(k, crypto.Hash(0))
		if err != nil {
			return err
		}
		if _, err := m.Sign(s); err != nil {
			return err
		}
	}
	b, err := m.ToBytes(true)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b, 0o644); err != nil { //nolint:gosec // it is public
		return err
	}
	return os.Rename(path+".new", path)
}
