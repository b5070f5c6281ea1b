// Package local is the one directory in which skyconnect keeps what it stores
// for a person, and the account of it: every file with its purpose.
//
// What is it for? Stores (profiles, acceptances, keys, logs) read and write
// through a Dir, so that each of them has the same answers to a hostile machine:
// no symbolic link is followed, nothing is larger than it may be, a write is whole
// or did not happen, and two processes take turns. And `skyconnect data` asks it:
// Held lists everything, Erase removes everything and looks again.
//
// What is it not for? It keeps nothing itself and knows no format.
//
//	Own(pattern, purpose) ─┐
//	Read Replace Append ───┴─▶ directory ──▶ Held ──▶ what the person reads
//	Holder (key store) ──────────────────▶       └──▶ Erase ──▶ Held is empty
//
// Invariants: directories are 0700 and files 0600; a file that no store owns is
// listed as such, never left out; erasing takes it too.
package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of the directory.
var (
	ErrUnsafe = errs.New(errs.Forbidden, "local.unsafe") // parameter path
	ErrName   = errs.New(errs.Invalid, "local.name")
	ErrLarge  = errs.New(errs.TooLarge, "local.too_large") // parameter path
	ErrLeft   = errs.New(errs.Internal, "local.left")      // parameter paths
)

// Dir is the directory. It may be used by several goroutines and, with Lock, by
// several processes.
type Dir struct {
	root string

	mu      sync.RWMutex // of what stores register, some of them late
	owned   []owned
	holders []Holder
}

type owned struct{ pattern, purpose string }

// Default is where the directory is for the person who runs the program: below
// XDG_CONFIG_HOME or ~/.config on Linux, the system's place elsewhere.
func Default() (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the directory for settings: %w", err)
	}
	return filepath.Join(base, "skyconnect"), nil
}

// Open takes a directory, which need not exist: it is made with the first file.
// One that others may write to, or a symbolic link, is refused with ErrUnsafe.
func Open(root string) (*Dir, error) {
	if !filepath.IsAbs(root) {
		return nil, ErrName
	}
	d := &Dir{root: filepath.Clean(root)}
	d.Own("*.lock", "lock")
	d.Own("*/.new-*", "unfinished")
	d.Own(".new-*", "unfinished")
	if err := d.safe("."); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return d, nil
}

// Root is the path of the directory.
func (d *Dir) Root() string { return d.root }

// Own registers whose files a pattern names (path.Match, slashes) and for which
// purpose they are kept: the last part of a key "local.for_…" of the sentences.
// A store calls it before it is used.
func (d *Dir) Own(pattern, purpose string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := (owned{pattern, purpose}); !slices.Contains(d.owned, o) {
		d.owned = append(d.owned, o)
	}
}

// place is the path of a file of the directory. Names have at most one slash.
func (d *Dir) place(name string) (string, error) {
	if !fs.ValidPath(name) || strings.Count(name, "/") > 1 || strings.ContainsAny(name, `\:`) || name == "." {
		return "", ErrName
	}
	return filepath.Join(d.root, filepath.FromSlash(name)), nil
}

// safe refuses a directory that is none, or not this person's alone.
func (d *Dir) safe(name string) error {
	full := filepath.Join(d.root, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if err != nil {
		return err
	}
	if !info.IsDir() || !private(info) {
		return ErrUnsafe.With("path", full)
	}
	return nil
}

// make makes the directories above a file.
func (d *Dir) make(name string) error {
	for _, dir := range []string{".", path.Dir(name)} {
		full := filepath.Join(d.root, filepath.FromSlash(dir))
		if err := os.MkdirAll(full, 0o700); err != nil {
			return fmt.Errorf("making %s: %w", full, err)
		}
		if err := d.safe(dir); err != nil {
			return err
		}
	}
	return nil
}

// Read returns the content of a file of at most most bytes. A file that is not
// there is fs.ErrNotExist; a link, a pipe or one that others may change is
// ErrUnsafe.
func (d *Dir) Read(name string, most int64) ([]byte, error) {
	full, err := d.place(name)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{".", path.Dir(name)} {
		if err := d.safe(dir); err != nil {
			return nil, err
		}
	}
	f, err := openPlain(full, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", full, err)
	}
	if int64(len(b)) > most {
		return nil, ErrLarge.With("path", full)
	}
	return b, nil
}

// openPlain opens a regular file of this person without following a link.
func openPlain(full string, flag int) (*os.File, error) {
	before, err := os.Lstat(full)
	if err != nil && (flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	if err == nil && (!before.Mode().IsRegular() || !private(before)) {
		return nil, ErrUnsafe.With("path", full)
	}
	f, err := os.OpenFile(full, flag|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", full, err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !private(info) {
		_ = f.Close()
		return nil, ErrUnsafe.With("path", full)
	}
	return f, nil
}

// Replace makes a file hold b, whole or not at all.
func (d *Dir) Replace(name string, b []byte) error {
	full, err := d.place(name)
	if err != nil {
		return err
	}
	if err := d.make(name); err != nil {
		return err
	}
	if err := durable.Replace(full, b); err != nil {
		return fmt.Errorf("writing %s: %w", full, err)
	}
	return nil
}

// Append adds b to the end of a file and waits for the disk. A process killed on
// the way may leave a part of b.
func (d *Dir) Append(name string, b []byte) error {
	full, err := d.place(name)
	if err != nil {
		return err
	}
	if err := d.make(name); err != nil {
		return err
	}
	f, err := openPlain(full, os.O_CREATE|os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", full, err)
	}
	return nil
}

// Remove deletes a file; one that is not there is no error.
func (d *Dir) Remove(name string) error {
	full, err := d.place(name)
	if err != nil {
		return err
	}
	if err := os.Remove(full); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting %s: %w", full, err)
	}
	return nil
}

// List names the files that a pattern matches, in order.
func (d *Dir) List(pattern string) ([]string, error) {
	all, err := d.files()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(name string) bool {
		ok, err := path.Match(pattern, name)
		return err != nil || !ok
	}), nil
}

// files names everything below the directory that is no directory.
func (d *Dir) files() ([]string, error) {
	var all []string
	err := filepath.WalkDir(d.root, func(full string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another process was faster
		}
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(d.root, full)
		all = append(all, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", d.root, err)
	}
	slices.Sort(all)
	return all, nil
}
