package client

import (
	"net"
	"sync"
	"testing"
)

// relay is a path of TCP between client and server that a test can break.
type relay struct {
	t  *testing.T
	ln net.Listener
	to string

	mu     sync.Mutex
	held   bool
	resume chan struct{} // closed when it is not held
	conns  []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, ln: ln, to: to, resume: make(chan struct{})}
	close(r.resume)
	t.Cleanup(func() { _ = ln.Close(); r.release(); r.cut() })
	go r.accept()
	return r
}

func (r *relay) addr() string { return r.ln.Addr().String() }

func (r *relay) accept() {
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", r.to)
		if err != nil {
			_ = c.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, c, s)
		r.mu.Unlock()
		go r.pass(c, s)
		go r.pass(s, c)
	}
}

func (r *relay) pass(from, to net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		r.mu.Lock()
		resume := r.resume
		r.mu.Unlock()
		<-resume
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			_ = to.Close()
			return
		}
	}
}

// cut ends all connections there are by a reset.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	r.conns = nil
}

// hold makes the path swallow everything, for connections that come as well.
func (r *relay) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		r.held, r.resume = true, make(chan struct{})
	}
}

func (r *relay) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held {
		r.held = false
		close(r.resume)
	}
}
