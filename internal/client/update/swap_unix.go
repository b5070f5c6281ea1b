//go:build unix

package update

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// swap puts next where exe is, and exe at old. At every moment exe is the old
// program or the new one, whole.
func swap(next, exe, old string) error {
	if err := os.Link(exe, old); err != nil { // a copy that costs nothing, and leaves exe in place
		return fmt.Errorf("keeping the former program: %w", err)
	}
	if err := os.Rename(next, exe); err != nil {
		return fmt.Errorf("putting the new program in place: %w", err)
	}
	return syncDir(filepath.Dir(exe))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
