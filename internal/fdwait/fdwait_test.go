//go:build linux

package fdwait

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func pipe(t *testing.T) (*File, int) {
	t.Helper()
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	f, err := New(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(); _ = unix.Close(fds[1]) })
	return f, fds[1]
}

// wait waits like a reader: what was told twice is one input.
func wait(t *testing.T, f *File) int {
	t.Helper()
	b, n := make([]byte, 10), 0
	for {
		err := f.Do(func(fd int) { n, _ = unix.Read(fd, b) })
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return n
		}
		if err := f.Wait(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInputEndsAWait(t *testing.T) {
	t.Parallel()
	f, w := pipe(t)
	for i := range 3 {
		go func() { _, _ = unix.Write(w, []byte("abc")[:i+1]) }()
		if n := wait(t, f); n != i+1 {
			t.Errorf("round %d: got %d bytes", i, n)
		}
	}
	if _, err := unix.Write(w, []byte("before")); err != nil {
		t.Fatal(err)
	}
	if n := wait(t, f); n != 6 {
		t.Errorf("input from before the wait: got %d bytes", n)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	f, _ := pipe(t)
	for range 2 {
		if err := f.Wait(time.Now().Add(time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	f, _ := pipe(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f.Wait(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a wait: got %v, want %v", err, net.ErrClosed)
		}
	})
	using, use := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		_ = f.Do(func(fd int) {
			close(using)
			<-use
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
				t.Errorf("closed while in use: %v", err)
			}
		})
	})
	<-using
	wg.Go(func() { _ = f.Close() })
	close(use)
	wg.Wait()
	if err := f.Do(func(int) { t.Error("used after Close") }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestAFileThatCannotBeWatched(t *testing.T) {
	t.Parallel()
	disk, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if _, err := New(int(disk.Fd())); err == nil {
		t.Error("a directory was taken")
	}
}
