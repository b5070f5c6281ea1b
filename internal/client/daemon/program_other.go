//go:build !linux

package daemon

import "errors"

// ThisProgram has no way to another one here: the service manager restarts it.
func ThisProgram() (*Program, error) { return nil, errors.ErrUnsupported }

func (p *Program) trusted() error { return errors.ErrUnsupported }
