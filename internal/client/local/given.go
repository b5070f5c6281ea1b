package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of files that a person names, with the parameter path.
var (
	ErrAbsent     = errs.New(errs.NotFound, "given.absent")
	ErrUnreadable = errs.New(errs.Forbidden, "given.unreadable")
	ErrNoFile     = errs.New(errs.Invalid, "given.no_file")
	ErrGivenLarge = errs.New(errs.TooLarge, "given.too_large") // and limit, in KB
)

// Given reads a file that a person named, wherever it is, of at most most bytes. A
// pipe is read too, as shells make one for <(…); one that nobody writes to is empty
// and not waited for. It ends with ctx.
func Given(ctx context.Context, path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, unread(path, err)
	}
	defer func() { _ = f.Close() }()                                                  // it was only read
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(0, 1)) })() // what never waits has no deadline
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		clear(b)
		return nil, unread(path, err)
	case int64(len(b)) > most:
		clear(b)
		return nil, ErrGivenLarge.With("path", path).With("limit", most>>10)
	}
	return b, nil
}

func unread(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrAbsent.With("path", path)
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENXIO):
		return ErrNoFile.With("path", path)
	}
	return ErrUnreadable.With("path", path)
}
