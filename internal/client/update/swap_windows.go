package update

import (
	"errors"
	"fmt"
	"os"
)

// swap puts next where exe is, and exe at old. This system lets a program that
// runs be renamed, not replaced: killed between the two, it leaves the former
// program at old. Untested: it is only built.
func swap(next, exe, old string) error {
	if err := os.Rename(exe, old); err != nil {
		return fmt.Errorf("keeping the former program: %w", err)
	}
	if err := os.Rename(next, exe); err != nil {
		return errors.Join(fmt.Errorf("putting the new program in place: %w", err), os.Rename(old, exe))
	}
	return nil
}
