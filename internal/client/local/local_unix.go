//go:build unix

package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC

// noWait opens a pipe that nobody writes to, instead of waiting for somebody.
const noWait = unix.O_NONBLOCK | unix.O_CLOEXEC

// private tells whether a file is this person's, or root's, and nobody else may
// write to it. A directory of one's own is made 0700, but one may have opened it
// for reading oneself.
func private(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	uid := os.Geteuid()
	return ok && (int(s.Uid) == uid || uid == 0) && info.Mode().Perm()&0o022 == 0
}

func lockFile(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
