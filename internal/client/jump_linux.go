package client

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// watchClock leaves a token in to when the machine has woken from a sleep or its
// clock was set, until stop. It costs nothing while neither happens: the kernel
// cancels a timer that would never run out (timerfd_create(2),
// TFD_TIMER_CANCEL_ON_SET; it does so on resume as well).
func watchClock(to chan<- struct{}) (stop func()) {
	f, err := openTimer()
	if err != nil {
		return pollClock(to)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		var count [8]byte
		for {
			if _, err := f.Read(count[:]); err != nil && !errors.Is(err, unix.ECANCELED) {
				return
			}
			poke(to)
			if arm(f) != nil {
				return
			}
		}
	}()
	return func() { _ = f.Close(); <-over }
}

func openTimer() (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "timerfd") // read by the runtime's poller
	if err := arm(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func arm(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	far := unix.ItimerSpec{Value: unix.NsecToTimespec(math.MaxInt64)}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &far, nil)
	})
	return errors.Join(err, refused)
}
