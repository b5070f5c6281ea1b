package fdwait

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// File is a nonblocking file descriptor. One goroutine waits; any may use it.
type File struct {
	mu     sync.RWMutex // read-held while fd is in use
	fd     int
	closed bool

	number int32 // the watcher's name for it
	ready  chan struct{}
	done   chan struct{}
	timer  *time.Timer
}

// New takes fd over, which Close closes.
func New(fd int) (*File, error) {
	w, err := watching()
	if err != nil {
		return nil, err
	}
	f := &File{fd: fd, ready: make(chan struct{}, 1), done: make(chan struct{})}
	if err := w.add(f); err != nil {
		return nil, err
	}
	return f, nil
}

// Do calls fn with the descriptor, which stays open meanwhile; net.ErrClosed
// after Close.
func (f *File) Do(fn func(fd int)) error {
	fd, err := f.Hold()
	if err != nil {
		return err
	}
	defer f.Release()
	fn(fd)
	return nil
}

// Hold is Do in two steps: after one without an error the descriptor stays open
// until Release.
func (f *File) Hold() (fd int, err error) {
	f.mu.RLock()
	if f.closed {
		f.mu.RUnlock()
		return -1, net.ErrClosed
	}
	return f.fd, nil
}

// Release ends a Hold.
func (f *File) Release() { f.mu.RUnlock() }

// Wait returns when there is input; net.ErrClosed once the file is closed,
// os.ErrDeadlineExceeded at the deadline, which zero is never.
func (f *File) Wait(deadline time.Time) error {
	if err := f.Do(f.arm); err != nil {
		return err
	}
	if deadline.IsZero() {
		select {
		case <-f.ready:
			return nil
		case <-f.done:
			return net.ErrClosed
		}
	}
	if f.timer == nil {
		f.timer = time.NewTimer(0)
	}
	f.timer.Reset(time.Until(deadline))
	select {
	case <-f.ready:
		return nil
	case <-f.timer.C:
		return os.ErrDeadlineExceeded
	case <-f.done:
		return net.ErrClosed
	}
}

func (f *File) arm(fd int) {
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: f.number}
	if unix.EpollCtl(theWatcher.epoll, unix.EPOLL_CTL_MOD, fd, &e) != nil {
		f.wake() // the next read finds out why
	}
}

func (f *File) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Turn lets others go first, goroutines and threads. Who may find input each
// time, and so never waits, calls it between batches: the runtime and the
// kernel would let it run on for milliseconds.
func Turn() {
	runtime.Gosched()
	_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // cannot fail
}

// Close ends a Wait, waits until nobody uses the descriptor and closes it.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	close(f.done)
	theWatcher.forget(f)
	return unix.Close(f.fd)
}

// watcher is the thread that waits, one for the process.
type watcher struct {
	epoll int

	mu    sync.Mutex
	files map[int32]*File
	last  int32
}

var (
	theWatcher *watcher
	watching   = sync.OnceValues(watch)
)

func watch() (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll: %w", err)
	}
	theWatcher = &watcher{epoll: fd, files: map[int32]*File{}}
	go theWatcher.run()
	return theWatcher, nil
}

func (w *watcher) run() {
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(fmt.Sprintf("fdwait: %v", err)) // of a descriptor that nobody else has
		}
		w.mu.Lock()
		for i := range max(n, 0) {
			if f := w.files[events[i].Fd]; f != nil {
				f.wake()
			}
		}
		w.mu.Unlock()
		runtime.Gosched() // to those that were woken, on this thread, which is awake
	}
}

func (w *watcher) add(f *File) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.last++; w.files[w.last] != nil; w.last++ { // once round after 2^32 files
	}
	f.number = w.last
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, f.fd, &unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: f.number}); err != nil {
		return fmt.Errorf("watching a descriptor: %w", err)
	}
	w.files[f.number] = f
	return nil
}

func (w *watcher) forget(f *File) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, f.fd, nil)
	delete(w.files, f.number)
}
