package tun

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// System is the tunnel devices of the calling thread's network namespace.
type System struct{}

// Open is [Open].
func (System) Open(name string, queues int) ([]Queue, error) { return Open(name, queues) }

// Keep returns a descriptor of each queue, the caller's to close. While one is open
// the device stays when its queues are closed, and what the system sends to it waits
// for who adopts them, in this process or the program that takes its place.
func (System) Keep(queues []Queue) (fds []int, err error) {
	for _, q := range queues {
		own, ok := q.(*fdQueue)
		if !ok {
			err = fmt.Errorf("tun: a queue that is none of the system's: %T", q)
			break
		}
		var fd int
		var inner error
		err = errors.Join(own.file.Do(func(of int) { fd, inner = unix.FcntlInt(uintptr(of), unix.F_DUPFD_CLOEXEC, 3) }), inner)
		if err != nil {
			break
		}
		fds = append(fds, fd)
	}
	if err != nil {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
		return nil, fmt.Errorf("keeping a tun: %w", err)
	}
	return fds, nil
}

// Adopt makes queues of what Keep returned for the device name. The descriptors are
// its own from then on, also when it fails.
func (System) Adopt(name string, fds []int) (out []Queue, err error) {
	for i, fd := range fds {
		q, err := adopt(name, fd)
		if err != nil {
			for _, fd := range fds[i:] {
				_ = unix.Close(fd)
			}
			for _, o := range out {
				_ = o.Close()
			}
			return nil, fmt.Errorf("adopting tun %s: %w", name, err)
		}
		out = append(out, q)
	}
	return out, nil
}

func adopt(name string, fd int) (*fdQueue, error) {
	req, err := unix.NewIfreq("")
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlIfreq(fd, unix.TUNGETIFF, req); err != nil {
		return nil, err
	}
	if req.Name() != name {
		return nil, fmt.Errorf("it is %s", req.Name())
	}
	return queueOf(fd)
}
