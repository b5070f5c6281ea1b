package daemon

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// System is the devices of the machine.
type System struct{}

// Open implements [Devices].
func (System) Open(device string, queues int) ([]tun.Queue, error) { return tun.Open(device, queues) }

// Keep implements [Devices].
func (System) Keep(queues []tun.Queue) (fds []int, err error) {
	for _, q := range queues {
		fd, err := -1, errors.ErrUnsupported
		if kept, ok := q.(tun.Kept); ok {
			fd, err = kept.Descriptor()
		}
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("keeping a tun: %w", err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

// Adopt implements [Devices].
func (System) Adopt(device string, fds []int) (out []tun.Queue, err error) {
	for i, fd := range fds {
		q, err := adopt(device, fd)
		if err != nil {
			closeAll(fds[i+1:])
			for _, o := range out {
				_ = o.Close()
			}
			return nil, fmt.Errorf("adopting tun %s: %w", device, err)
		}
		out = append(out, q)
	}
	return out, nil
}

func adopt(device string, fd int) (tun.Queue, error) {
	if err := isDevice(device, fd); err != nil {
		closeAll([]int{fd})
		return nil, err
	}
	return tun.Adopt(fd)
}

func isDevice(device string, fd int) error {
	req, err := unix.NewIfreq("")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.TUNGETIFF, req); err != nil {
		return err
	}
	if req.Name() != device {
		return fmt.Errorf("it is %s", req.Name())
	}
	return nil
}
