package ipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// User is who calls, as the system says.
type User struct {
	ID    string // uid, or SID on Windows
	Admin bool   // root, or a member of Administrators
}

// Handler answers one call. It sends answers by send, which fails when the caller
// is gone, and returns a refusal. ctx ends with the caller.
type Handler func(ctx context.Context, who User, r Request, send func(Answer) error) error

const (
	requestTime = 5 * time.Second // in which a request has to come
	answerTime  = 5 * time.Second // in which an answer has to be taken
	maxCallers  = 64              // at a time, of each user
)

// Serve answers calls on l until ctx ends, and waits for them.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	s := &server{handler: h, callers: map[string]int{}}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // too many open files: later
			time.Sleep(50 * time.Millisecond)
			continue
		}
		wg.Go(func() { s.serve(ctx, conn) })
	}
}

type server struct {
	handler Handler
	mu      sync.Mutex
	callers map[string]int
}

func (s *server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	who, err := peer(conn)
	if err != nil {
		return // nobody that could be named gets an answer
	}
	if !s.enter(who) {
		_ = s.answer(conn, Answer{Error: ErrTooMany, Done: true})
		return
	}
	defer s.leave(who)
	r, err := readRequest(conn)
	if err == nil {
		err = s.handle(ctx, conn, who, r)
	}
	if r.Up != nil {
		r.Up.Key.Clear()
		r.Up.Cookie.Clear()
	}
	_ = s.answer(conn, last(err)) // a caller who is gone misses it
}

// handle runs the handler until it is done or the caller is gone.
func (s *server) handle(ctx context.Context, conn net.Conn, who User, r Request) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := make(chan struct{})
	go func() { // a caller sends nothing more: any end of its stream is its leaving
		defer close(gone)
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1))
		cancel()
	}()
	err := s.handler(ctx, who, r, func(a Answer) error { return s.answer(conn, a) })
	_ = conn.SetReadDeadline(time.Unix(1, 0))
	<-gone
	return err
}

func last(err error) Answer {
	var e *Error
	switch {
	case err == nil:
		return Answer{Done: true}
	case errors.As(err, &e):
		return Answer{Error: e, Done: true}
	default:
		return Answer{Error: ErrSystem.With(err), Done: true}
	}
}

func (s *server) answer(conn net.Conn, a Answer) error {
	_ = conn.SetWriteDeadline(time.Now().Add(answerTime))
	return writeLine(conn, a)
}

func (s *server) enter(who User) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.callers[who.ID] >= maxCallers {
		return false
	}
	s.callers[who.ID]++
	return true
}

func (s *server) leave(who User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.callers[who.ID]--; s.callers[who.ID] == 0 {
		delete(s.callers, who.ID)
	}
}

// readRequest reads one line. What is unknown, twice as long as allowed or of
// another version is refused.
func readRequest(conn net.Conn) (Request, error) {
	_ = conn.SetReadDeadline(time.Now().Add(requestTime))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	in := newLines(conn)
	var raw json.RawMessage
	if err := in.next(&raw); err != nil {
		return Request{}, ErrRequest
	}
	defer clear(raw)
	var v struct {
		Version int
		Op      Op
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return Request{}, ErrRequest
	}
	if v.Op == OpRestart && v.Version > 0 { // another version is what it is for
		return Request{Version: v.Version, Op: v.Op}, nil
	}
	if v.Version != Version {
		return Request{}, ErrVersion
	}
	var r Request
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || (r.Op == OpUp) != (r.Up != nil) {
		return Request{}, ErrRequest
	}
	return r, nil
}
