package netio

import (
	"io"
	"net"
	"sync"
)

const (
	readBufferSmall = 8 << 10
	readBufferLarge = 64 << 10
	// FlushAt is how much a corked connection collects before it writes.
	FlushAt = 128 << 10
)

// Conn is the net.Conn below crypto/tls. It reads large, so that one
// system call feeds many records, and between Cork and Flush it collects what
// is written, so that many records leave in one.
//
// One goroutine reads; any may write.
type Conn struct {
	net.Conn

	in   []byte // buffered input is in[r:w]
	r, w int
	left int // of the record that Read is in

	mu     sync.Mutex
	out    []byte
	corked bool
}

// NewConn wraps a connection before its TLS handshake.
func NewConn(c net.Conn) *Conn {
	return &Conn{Conn: c, in: make([]byte, readBufferSmall)}
}

// Read implements net.Conn. It never reads past the end of a TLS record, so
// that crypto/tls holds nothing of the next one and HasRecord tells the truth.
func (c *Conn) Read(p []byte) (int, error) {
	for c.left == 0 {
		if b := c.in[c.r:c.w]; len(b) >= recordHeader {
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
	n := copy(p, c.in[c.r:min(c.w, c.r+c.left)])
	c.r, c.left = c.r+n, c.left-n
	return n, nil
}

// recordLen is the length of the TLS record that begins with header b.
func recordLen(b []byte) int { return recordHeader + (int(b[3])<<8 | int(b[4])) }

// fill reads once more from the socket. A read that fills the buffer is a sign
// of bulk: the buffer grows once.
func (c *Conn) fill() error {
	if c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.in) {
		c.grow()
	}
	n, err := c.Conn.Read(c.in[c.w:])
	c.w += n
	if c.w == len(c.in) && len(c.in) < readBufferLarge {
		c.grow()
	}
	if n > 0 {
		return nil
	}
	return err
}

func (c *Conn) grow() {
	bigger := make([]byte, readBufferLarge)
	copy(bigger, c.in[:c.w])
	c.in = bigger
}

// HasRecord tells whether a whole TLS record is buffered. It may be asked only
// between records.
func (c *Conn) HasRecord() bool {
	b := c.in[c.r:c.w]
	return len(b) >= recordHeader && len(b) >= recordLen(b)
}

// WaitRecord returns when a whole TLS record is buffered, or its claimed length
// cannot be one, which crypto/tls will say.
func (c *Conn) WaitRecord() error {
	for !c.HasRecord() {
		if b := c.in[c.r:c.w]; len(b) >= recordHeader && recordLen(b) > maxCiphertext {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
	return nil
}

const (
	recordHeader = 5
	// maxCiphertext is the longest TLS 1.2 record (RFC 5246 6.2.3).
	maxCiphertext = recordHeader + 16384 + 2048
)

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
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

// ReadSpace is room for a batch of decrypted records.
const ReadSpace = 128 << 10

const maxPlaintext = 16384

// ReadRecords decrypts the records that are there, as far as buf has room for
// them; t reads from c. It waits for the first.
func ReadRecords(c *Conn, t io.Reader, buf []byte) (int, error) {
	n := 0
	for {
		k, err := t.Read(buf[n:])
		n += k
		if err != nil || len(buf)-n < maxPlaintext || !c.HasRecord() {
			return n, err
		}
	}
}
