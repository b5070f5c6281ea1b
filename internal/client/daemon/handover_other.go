//go:build !linux

package daemon

import "errors"

// Exec is not there on this system: no Program asks for it.
func (o *Handover) Exec(*Program) error { return errors.ErrUnsupported }

// Taken is nil: nothing is handed over on this system.
func Taken() (*Handover, error) { return nil, nil } //nolint:nilnil // there is none

func closeAll([]int) {}
