package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ThisProgram is the one that runs.
func ThisProgram() (*Program, error) {
	path, err := os.Executable() // as it was called at the start: a former one is called .old now
	if err != nil {
		return nil, err
	}
	running, err := os.Stat("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	return &Program{path, running}, nil
}

// trusted refuses a program that others could write, or put another one in place of.
func (p *Program) trusted() error {
	real, err := filepath.EvalSymlinks(p.path)
	if err != nil {
		return err
	}
	for _, path := range []string{real, filepath.Dir(real)} {
		i, err := os.Stat(path)
		if err != nil {
			return err
		}
		s, ok := i.Sys().(*syscall.Stat_t)
		if !ok || s.Uid != 0 && int(s.Uid) != os.Geteuid() || i.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("others than the administrator can change %s", path)
		}
	}
	return nil
}
