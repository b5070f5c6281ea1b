//go:build !linux

package daemon

import (
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// System is the devices of the machine. None outlives a restart.
type System struct{}

// Open implements [Devices].
func (System) Open(device string, queues int) ([]tun.Queue, error) { return tun.Open(device, queues) }

// Keep implements [Devices].
func (System) Keep([]tun.Queue) ([]int, error) { return nil, errors.ErrUnsupported }

// Adopt implements [Devices].
func (System) Adopt(string, []int) ([]tun.Queue, error) { return nil, errors.ErrUnsupported }
