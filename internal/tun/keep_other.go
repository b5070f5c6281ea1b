//go:build !linux

package tun

import "errors"

// System is the tunnel devices of this machine.
type System struct{}

// Open is [Open].
func (System) Open(name string, queues int) ([]Queue, error) { return Open(name, queues) }

// Keep has no descriptors to keep a device by here.
func (System) Keep([]Queue) ([]int, error) { return nil, errors.ErrUnsupported }

// Adopt is for what Keep returned.
func (System) Adopt(string, []int) ([]Queue, error) { return nil, errors.ErrUnsupported }
