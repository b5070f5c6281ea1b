package sslvpn

import (
	"errors"
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/netio"
)

// Memory for what strangers send. A connection without a session has a little
// of its own, which is what honest clients need; what goes beyond comes out of a
// part that all of them share. Together with the number of such connections
// that bounds what strangers can hold, whatever they send and do not finish.
const (
	ownMemory    = 16 << 10 // of a handshake, and of a request, each
	sharedMemory = 8 << 20
	// maxGreeting is how much of a handshake may come from a client, whose
	// certificates are the most of it.
	maxGreeting = 64 << 10
)

var errMemory = errors.New("strangers hold all the memory that is for them")

// memory is what is left of the shared part.
type memory struct{ left atomic.Int64 }

func newMemory() *memory {
	m := &memory{}
	m.left.Store(sharedMemory)
	return m
}

// allowance is what one connection has for one purpose. It belongs to the
// connection's goroutine.
type allowance struct {
	shared *memory
	taken  int64
}

// need makes sure of n bytes in all; errMemory when there are not as many.
func (a *allowance) need(n int) error {
	more := int64(n) - ownMemory - a.taken
	if more <= 0 {
		return nil
	}
	if a.shared.left.Add(-more) < 0 {
		a.shared.left.Add(more)
		return errMemory
	}
	a.taken += more
	return nil
}

// release gives back what was taken.
func (a *allowance) release() {
	a.shared.left.Add(a.taken)
	a.taken = 0
}

// greeting is a connection as crypto/tls reads a handshake from it, which keeps
// what it has of a message, and certificates for good.
type greeting struct {
	*netio.Conn
	own  *allowance // nil once the handshake is done
	read int
}

// Read implements net.Conn.
func (g *greeting) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if g.own == nil {
		return n, err
	}
	if g.read += n; g.read > maxGreeting {
		return 0, errMemory
	}
	if short := g.own.need(2 * g.read); short != nil { // the buffer of a message doubles as it grows
		return 0, short
	}
	return n, err
}
