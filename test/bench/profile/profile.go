// Package profile writes CPU profiles of the programs of the benchmark.
package profile

import (
	"errors"
	"os"
	"runtime/pprof"
)

// CPU runs f and writes a profile of the process to a file; without a file's
// name it only runs f.
func CPU(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
