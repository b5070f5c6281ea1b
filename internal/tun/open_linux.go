package tun

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/fdwait"
)

// Name is the i-th name of our devices.
func Name(i int) string { return "sky" + strconv.Itoa(i) }

// Open makes the TUN device name with the given number of queues in the
// calling thread's network namespace. Addresses, MTU and "up" are the caller's
// to set. The device goes away when all queues are closed.
func Open(name string, queues int) ([]Queue, error) {
	out := make([]Queue, 0, queues)
	for range queues {
		q, err := openQueue(name)
		if err != nil {
			for _, o := range out {
				_ = o.Close()
			}
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

func openQueue(name string) (Queue, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening /dev/net/tun: %w", err)
	}
	if err := configure(fd, name); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return Adopt(fd)
}

// Descriptor implements [Kept].
func (q *fdQueue) Descriptor() (fd int, err error) {
	closed := q.file.Do(func(of int) { fd, err = unix.FcntlInt(uintptr(of), unix.F_DUPFD_CLOEXEC, 3) })
	return fd, errors.Join(closed, err)
}

// Adopt makes a queue of what [Kept] gave, and owns it also when it
// fails.
func Adopt(fd int) (Queue, error) {
	file, err := fdwait.New(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for a tun: %w", err), unix.Close(fd))
	}
	q := &fdQueue{file: file}
	q.read = q.try // bound once: a new method value would allocate per batch
	return q, nil
}

func configure(fd int, name string) error {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("naming tun %s: %w", name, err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR | unix.IFF_MULTI_QUEUE)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return fmt.Errorf("making tun %s: %w", name, err)
	}
	const tso = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tso); err != nil {
		return fmt.Errorf("setting offloads of tun %s: %w", name, err)
	}
	// UDP segmentation needs Linux 6.2; older kernels go without.
	_ = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tso|unix.TUN_F_USO4|unix.TUN_F_USO6)
	return unix.SetNonblock(fd, true)
}

// fdQueue is a queue on a file descriptor. Writes go to the system at once,
// since a TUN takes every frame.
type fdQueue struct {
	file *fdwait.File

	// Of the one reader.
	read   func(fd int)
	buf    []byte
	frames [][]byte
	err    error
}

var iovecs = sync.Pool{New: func() any { s := make([]unix.Iovec, 0, maxMembers+2); return &s }}

func (q *fdQueue) ReadFrames(buf []byte, frames [][]byte) ([][]byte, error) {
	fdwait.Turn()
	q.buf, q.frames, q.err = buf, frames[:0], nil
	err := q.file.Do(q.read)
	for err == nil && q.err == nil && len(q.frames) == 0 {
		if err = q.file.Wait(time.Time{}); err == nil {
			err = q.file.Do(q.read)
		}
	}
	frames, q.buf, q.frames = q.frames, nil, nil
	if errors.Is(err, net.ErrClosed) {
		err = os.ErrClosed
	}
	if err == nil {
		err = q.err
	}
	return frames, err
}

// try reads frames until there is none or the buffer full.
func (q *fdQueue) try(fd int) {
	for len(q.buf) >= MaxFrame && len(q.frames) < cap(q.frames) {
		n, _, e := unix.Syscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(q.buf))), MaxFrame)
		switch {
		case e == unix.EINTR:
			continue
		case e == unix.EAGAIN:
			return
		case e != 0:
			q.err = fmt.Errorf("reading from tun: %w", e)
			return
		}
		q.frames = append(q.frames, q.buf[:n:n])
		q.buf = q.buf[n:]
	}
}

func (q *fdQueue) WriteFrame(parts [][]byte) error {
	v := iovecs.Get().(*[]unix.Iovec)
	iov := (*v)[:0]
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		e := unix.Iovec{Base: &p[0]}
		e.SetLen(len(p))
		iov = append(iov, e)
	}
	err := q.writev(iov)
	clear(iov)
	*v = iov[:0]
	iovecs.Put(v)
	return err
}

func (q *fdQueue) writev(iov []unix.Iovec) error {
	fd, err := q.file.Hold()
	if err != nil {
		return os.ErrClosed
	}
	defer q.file.Release()
	for {
		_, _, e := unix.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov)))
		switch e {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return fmt.Errorf("writing to tun: %w", e)
		}
	}
}

func (q *fdQueue) Close() error { return q.file.Close() }
