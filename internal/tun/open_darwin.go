package tun

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Name is the i-th name of our devices. The system allows no other form, and
// counts its own from 0.
func Name(i int) string { return fmt.Sprint("utun", 100+i) }

// utunHeader is the address family in front of each packet, in network order.
const utunHeader = 4

// Open makes the utun device name. It has one queue, however many are asked for.
// Addresses, MTU and "up" are the caller's to set; it goes away when the queue is
// closed. Untested: it is only built.
func Open(name string, _ int) ([]Queue, error) {
	var number uint32
	if _, err := fmt.Sscanf(name, "utun%d", &number); err != nil {
		return nil, fmt.Errorf("naming tun %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_SYSTEM, unix.SOCK_DGRAM, sysprotoControl)
	if err != nil {
		return nil, fmt.Errorf("making tun %s: %w", name, err)
	}
	unix.CloseOnExec(fd)
	if err := connectUtun(fd, number); err != nil {
		return nil, errors.Join(fmt.Errorf("making tun %s: %w", name, err), unix.Close(fd))
	}
	return []Queue{newPlainQueue(&utun{os.NewFile(uintptr(fd), name)})}, nil
}

// sysprotoControl is SYSPROTO_CONTROL of sys/sys_domain.h.
const sysprotoControl = 2

// connectUtun makes the device: its unit is one more than its number.
func connectUtun(fd int, number uint32) error {
	info := &unix.CtlInfo{}
	copy(info.Name[:], "com.apple.net.utun_control")
	if err := unix.IoctlCtlInfo(fd, info); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrCtl{ID: info.Id, Unit: number + 1}); err != nil {
		return err
	}
	return unix.SetNonblock(fd, true)
}

// utun is a device on a socket, which the runtime's poller waits for.
type utun struct{ file *os.File }

// readPacket always waits for one: the poller has no other way.
func (u *utun) readPacket(buf []byte, wait bool) (int, error) {
	if !wait {
		return 0, nil
	}
	n, err := u.file.Read(buf[HeaderLen-utunHeader:])
	switch {
	case errors.Is(err, fs.ErrClosed):
		return 0, os.ErrClosed
	case err != nil:
		return 0, fmt.Errorf("reading from tun: %w", err)
	case n <= utunHeader:
		return 0, nil
	}
	return n - utunHeader, nil
}

func (u *utun) writePacket(frame []byte) error {
	out := frame[HeaderLen-utunHeader:]
	number := uint32(unix.AF_INET)
	if frame[HeaderLen]>>4 == 6 {
		number = unix.AF_INET6
	}
	binary.BigEndian.PutUint32(out, number)
	_, err := u.file.Write(out)
	return err
}

func (u *utun) Close() error { return u.file.Close() }
