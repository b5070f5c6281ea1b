package update

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// replace puts a copy of the file at path where exe is. A link is followed: the
// program itself is replaced.
func replace(path, exe string) error {
	exe, err := filepath.EvalSymlinks(exe)
	if err != nil {
		return fmt.Errorf("finding the program: %w", err)
	}
	next, err := copyBeside(path, exe)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next) }() // gone already once it is in place
	old := exe + ".old"
	if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the program before the last update: %w", err)
	}
	return swap(next, exe, old)
}

func copyBeside(path, exe string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the new program: %w", err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.CreateTemp(filepath.Dir(exe), ".skyconnect-*")
	if err != nil {
		return "", fmt.Errorf("this user may not change the program: %w", err)
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Chmod(0o755), out.Sync(), out.Close())
	if err != nil {
		return "", errors.Join(fmt.Errorf("writing the new program: %w", err), os.Remove(out.Name()))
	}
	return out.Name(), nil
}
