package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The locks, in the order in which one caller may take several.
const (
	Profiles    = "profiles" // and erasing
	Keys        = "keys"
	Acts        = "acts"
	Permissions = "permissions"
)

// attempts is how often a lock is tried for that is erased again and again.
const attempts = 100

// Lock waits until no other process, and no other caller of this one, has the
// lock of a name, and returns what gives it back. The system gives it back for a
// process that ends. It is not to be taken twice by one caller.
func (d *Dir) Lock(name string) (unlock func(), err error) {
	for range attempts {
		var f *os.File
		if f, err = d.lock(name + ".lock"); err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, err
}

// lock is one try: fs.ErrNotExist says that the directory was erased on the way.
func (d *Dir) lock(name string) (*os.File, error) {
	if err := d.make(name); err != nil {
		return nil, err
	}
	full := filepath.Join(d.root, name)
	f, err := openPlain(full, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	err = lockFile(f)
	if err == nil && !same(f, full) {
		err = fs.ErrNotExist // the lock of nothing is none
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", full, err), f.Close())
	}
	return f, nil
}

func same(f *os.File, full string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(full)
	return err == nil && os.SameFile(ours, there)
}
