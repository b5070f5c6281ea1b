// Package durable writes files so that a process that is killed, or a machine that
// loses power, leaves the old content or the new, never a part.
//
// It is not for appending.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Replace makes path hold b, readable by this user only (mode 0600). When it
// returns nil, file and name are on the disk. The directory must exist.
func Replace(path string, b []byte) error {
	return write(path, bytesOf(b), true, func(tmp string) error { return os.Rename(tmp, path) })
}

// ReplaceLoosely is Replace that does not wait for the disk: after a power cut
// the file may hold what it held before.
func ReplaceLoosely(path string, b []byte) error {
	return write(path, bytesOf(b), false, func(tmp string) error { return os.Rename(tmp, path) })
}

// Create is Replace for a file that must not exist: of two processes that
// create it at once, one wins and the other gets an error that is fs.ErrExist.
// Who finds the file finds all of it.
func Create(path string, b []byte) error { return CreateBy(path, bytesOf(b)) }

// CreateBy is Create for content that fill writes bit by bit. If fill fails there is
// no file, and the error is fill's.
func CreateBy(path string, fill func(io.Writer) error) error {
	return write(path, fill, true, func(tmp string) error {
		return errors.Join(os.Link(tmp, path), os.Remove(tmp))
	})
}

func bytesOf(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// write has a file beside path filled, and placed.
func write(path string, fill func(io.Writer) error, settled bool, place func(tmp string) error) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	err = fill(tmp)
	if err == nil && settled {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = place(tmp.Name())
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // it may be gone already
		return err
	}
	if settled {
		return syncDir(dir)
	}
	return nil
}
