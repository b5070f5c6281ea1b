package ipc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Errors of a caller.
var (
	// ErrNoDaemon says that none listens.
	ErrNoDaemon = errors.New("ipc: the skyconnect daemon is not running")
	// ErrNotAllowed says that the system refused this user the daemon's socket.
	ErrNotAllowed = errors.New("ipc: this user may not open the daemon's socket")
	// ErrCut says that the daemon went away in the middle of a call.
	ErrCut = errors.New("ipc: the daemon went away")
)

// Client calls a daemon.
type Client struct{ Path string }

// Call sends a request and gives each answer to on, until the last one, an error
// or the end of ctx. A refusal is an [*Error].
func (c Client) Call(ctx context.Context, r Request, on func(Answer) error) error {
	conn, err := dial(ctx, c.Path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %s", ErrNotAllowed, c.Path)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w (%s)", ErrNoDaemon, c.Path)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	r.Version = Version
	if err := writeLine(conn, r); err != nil {
		return errors.Join(ErrCut, ctx.Err())
	}
	in := newLines(conn)
	for {
		var a Answer
		if err := in.next(&a); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
		if a.Error != nil {
			return a.Error
		}
		if err := on(a); err != nil {
			return err
		}
		if a.Done {
			return nil
		}
	}
}

// Status asks once.
func (c Client) Status(ctx context.Context) (Status, error) {
	var out Status
	err := c.Call(ctx, Request{Op: OpStatus}, func(a Answer) error {
		if a.Status != nil {
			out = *a.Status
		}
		return nil
	})
	return out, err
}

// Down ends the caller's connection of profile, or all of them when it is empty.
func (c Client) Down(ctx context.Context, profile string) error {
	return c.Call(ctx, Request{Op: OpDown, Profile: profile}, func(Answer) error { return nil })
}

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	defer clear(b) // a request may hold a key
	_, err = w.Write(append(b, '\n'))
	return err
}

// lines reads objects, one a line.
type lines struct{ in *bufio.Scanner }

func newLines(r io.Reader) lines {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4096), MaxLine)
	return lines{in}
}

func (l lines) next(v any) error {
	if !l.in.Scan() {
		if err := l.in.Err(); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF
	}
	defer clear(l.in.Bytes())
	return json.Unmarshal(l.in.Bytes(), v)
}
