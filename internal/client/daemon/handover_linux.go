package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// handoverVariable names to the next program the descriptors that it gets: of the
// memory with the Handover, then of devices.
const handoverVariable = "SKYCONNECT_HANDOVER"

// maxHandover bounds a Handover, in bytes: each of its connections was a request.
const maxHandover = 64 << 20

// sealed is what nobody can do any more to the memory that is handed over.
const sealed = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// Exec has the program take this process's place, with the same arguments. It
// returns only on an error; then everything is as before, for another Run.
func (o *Handover) Exec(program *Program) error {
	memory, err := o.seal()
	if err != nil {
		return fmt.Errorf("handing over: %w", err)
	}
	defer func() { _ = memory.Close() }()
	fds := append([]int{int(memory.Fd())}, o.queues()...)
	names := make([]string, 0, len(fds))
	for _, fd := range fds {
		names = append(names, strconv.Itoa(fd))
	}
	env := append(os.Environ(), handoverVariable+"="+strings.Join(names, ","))
	syscall.ForkLock.Lock() // no other child may get them
	defer syscall.ForkLock.Unlock()
	for _, fd := range fds {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("handing over: %w", err)
		}
	}
	err = syscall.Exec(program.path, os.Args, env) //nolint:gosec // our own program, which was tried
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	return fmt.Errorf("starting %s: %w", program.path, err)
}

// seal puts o into memory that has no name anywhere and that nobody can change.
func (o *Handover) seal() (*os.File, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	fd, err := unix.MemfdCreate("skyconnect-handover", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "handover")
	_, err = f.Write(text)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, sealed)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Taken is what the program before this one in the process handed over, nil when
// there was none. It is called once, before anything is opened. On an error all that
// was handed over is closed: then it is as after a kill.
func Taken() (*Handover, error) {
	names, ok := os.LookupEnv(handoverVariable)
	if !ok {
		return nil, nil //nolint:nilnil // there was none
	}
	_ = os.Unsetenv(handoverVariable)
	var fds []int
	for _, name := range strings.Split(names, ",") {
		fd, err := strconv.Atoi(name)
		if err != nil || fd <= 2 {
			return nil, fmt.Errorf("what was handed over: %q", names)
		}
		unix.CloseOnExec(fd)
		fds = append(fds, fd)
	}
	o, err := unseal(os.NewFile(uintptr(fds[0]), "handover"))
	if err != nil {
		closeAll(fds[1:])
		return nil, fmt.Errorf("what was handed over: %w", err)
	}
	return o, nil
}

func unseal(f *os.File) (*Handover, error) {
	defer func() { _ = f.Close() }()
	have, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || have&sealed != sealed {
		return nil, errors.New("it is not sealed")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxHandover))
	if err != nil {
		return nil, err
	}
	defer clear(text)
	o := &Handover{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, errors.New("it cannot be read") // the cause may quote it
	}
	if err := Takes(o.Version); err != nil {
		return nil, err
	}
	return o, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
