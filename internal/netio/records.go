package netio

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

const (
	readSmall  = 8 << 10
	readMedium = 20 << 10 // a whole record
	readLarge  = 64 << 10
	// FlushAt is how much a corked connection collects before it writes.
	FlushAt = 128 << 10
)

// Conn is the net.Conn below TLS. It reads large, so that one
// system call feeds many records, and between Cork and Flush it collects what
// is written, so that many records leave in one.
//
// It has no buffer while it waits with nothing read: an idle connection costs
// none, and one with half a record a small one. Until Widen a narrow one never
// has more than one record's.
//
// One goroutine reads; any may write.
type Conn struct {
	net.Conn
	raw syscall.RawConn // nil if it has none to read from, as in tests and on Windows
	try func(fd uintptr) bool

	narrow bool
	heard  bool     // something was written
	knows  bool     // random is known
	random [32]byte // server_random of the handshake
	hello  []byte   // the beginning of what was read, while random is not known

	buf  *[]byte // nil = none
	r, w int     // buffered input is (*buf)[r:w]
	left int     // of the record that Read is in
	err  error   // of the last try

	mu     sync.Mutex
	out    []byte
	corked bool
}

var smallReads, mediumReads, largeReads = newReadPool(readSmall), newReadPool(readMedium), newReadPool(readLarge)

// readPool has buffers of one size.
type readPool struct {
	size int
	sync.Pool
}

func newReadPool(size int) *readPool {
	return &readPool{size, sync.Pool{New: func() any { b := make([]byte, size); return &b }}}
}

// NewConn wraps a connection before its TLS handshake.
func NewConn(c net.Conn) *Conn {
	out := &Conn{Conn: c, raw: rawOf(c)}
	out.try = out.readNow // bound once: a new method value would allocate per read
	return out
}

// Narrow makes the connection read little at a time, for a peer that is a
// stranger: what it sends waits in the kernel, whose memory has bounds of its own.
func (c *Conn) Narrow() { c.narrow = true }

// Widen ends Narrow. Both are for who reads.
func (c *Conn) Widen() { c.narrow = false }

// space is where the next read goes.
func (c *Conn) space() *readPool {
	if c.narrow {
		return mediumReads
	}
	return largeReads
}

// buffered is the input that was not taken yet.
func (c *Conn) buffered() []byte {
	if c.buf == nil {
		return nil
	}
	return (*c.buf)[c.r:c.w]
}

// Read implements net.Conn. It never reads past the end of a TLS record, so
// that crypto/tls holds nothing of the next one and HasRecord tells the truth.
func (c *Conn) Read(p []byte) (int, error) {
	for c.left == 0 {
		if b := c.buffered(); len(b) >= recordHeader {
			c.left = recordLen(b)
			break
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	if c.r == c.w {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	b := c.buffered()
	n := copy(p, b[:min(len(b), c.left)])
	c.r, c.left = c.r+n, c.left-n
	if len(c.hello) < helloSpace {
		c.overhear(p[:n])
	}
	return n, nil
}

// recordLen is the length of the TLS record that begins with header b.
func recordLen(b []byte) int { return recordHeader + (int(b[3])<<8 | int(b[4])) }

// fill reads once more from the socket.
func (c *Conn) fill() error {
	if c.raw == nil {
		c.hold(c.space())
		n, err := c.Conn.Read((*c.buf)[c.w:])
		c.w += n
		if n > 0 {
			return nil
		}
		return err
	}
	if err := c.raw.Read(c.try); err != nil {
		return err
	}
	return c.err
}

// readNow reads what is there; false when there is nothing, to be called again
// when there is.
func (c *Conn) readNow(fd uintptr) bool {
	c.hold(c.space())
	for {
		n, err := readFD(fd, (*c.buf)[c.w:])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			c.yield()
			return false
		case err == nil && n == 0:
			err = io.EOF
		}
		c.w, c.err = c.w+max(n, 0), err
		return true
	}
}

// yield gives the buffer back for the time of waiting.
func (c *Conn) yield() {
	switch n := c.w - c.r; {
	case n == 0:
		c.drop()
		c.r, c.w = 0, 0
	case n <= readSmall:
		c.hold(smallReads)
	case n <= readMedium:
		c.hold(mediumReads)
	}
}

// hold moves what is buffered to the beginning of a buffer of a pool, which is
// the present one if that is of its size.
func (c *Conn) hold(pool *readPool) {
	b := c.buffered()
	if c.buf != nil && len(*c.buf) == pool.size {
		c.r, c.w = 0, copy(*c.buf, b)
		return
	}
	next, _ := pool.Get().(*[]byte)
	n := copy(*next, b)
	c.drop()
	c.buf, c.r, c.w = next, 0, n
}

func (c *Conn) drop() {
	if c.buf == nil {
		return
	}
	for _, pool := range []*readPool{smallReads, mediumReads, largeReads} {
		if len(*c.buf) == pool.size {
			pool.Put(c.buf)
		}
	}
	c.buf = nil
}

// HasRecord tells whether a whole TLS record is buffered. It may be asked only
// between records.
func (c *Conn) HasRecord() bool {
	b := c.buffered()
	return len(b) >= recordHeader && len(b) >= recordLen(b)
}

// WaitRecord returns when a whole TLS record is buffered, or its claimed length
// cannot be one, which crypto/tls will say.
func (c *Conn) WaitRecord() error {
	for !c.HasRecord() {
		if b := c.buffered(); len(b) >= recordHeader && recordLen(b) > maxCiphertext {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
	return nil
}

// take returns the record that is there and whole; it is good until the next
// call of anything that reads.
func (c *Conn) take() []byte {
	n := recordLen(c.buffered())
	c.r += n
	return (*c.buf)[c.r-n : c.r]
}

const (
	recordHeader    = 5
	recordHandshake = 22
	// maxCiphertext is the longest TLS 1.2 record (RFC 5246 6.2.3).
	maxCiphertext = recordHeader + 16384 + 2048
)

// Where the server_random lies that a server's first record begins with (RFC 5246
// section 7.4.1.3): behind headers and version.
const (
	helloAt    = recordHeader + 4 + 2
	helloSpace = helloAt + 32
)

// listen looks at what may be the beginning of a server's hello.
func (c *Conn) listen(p []byte) {
	const hello = 2
	if len(p) >= helloSpace && p[0] == recordHandshake && p[recordHeader] == hello {
		c.knows = true
		copy(c.random[:], p[helloAt:])
	}
}

// overhear is listen for the client, to whom the hello comes in pieces. A server
// that has something to say before it stays with crypto/tls.
func (c *Conn) overhear(p []byte) {
	c.hello = append(c.hello, p[:min(len(p), helloSpace-len(c.hello))]...)
	if len(c.hello) == helloSpace {
		c.listen(c.hello)
	}
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard { // a server's first write begins with its hello
		c.heard = true
		c.listen(p)
	}
	if !c.corked {
		return c.Conn.Write(p)
	}
	c.out = append(c.out, p...)
	if len(c.out) >= FlushAt {
		return len(p), c.flushLocked()
	}
	return len(p), nil
}

// Cork begins to collect writes in buf[:0].
func (c *Conn) Cork(buf []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked, c.out = true, buf[:0]
}

// Flush sends what was collected, ends the collecting and gives the buffer
// back.
func (c *Conn) Flush() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.flushLocked()
	buf := c.out
	c.corked, c.out = false, nil
	return buf, err
}

func (c *Conn) flushLocked() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	return err
}
