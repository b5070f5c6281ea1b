package netio

import (
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

const (
	// ReadSpace is room for a batch of decrypted records.
	ReadSpace = 128 << 10
	// recordSpace is what opening one record may write.
	recordSpace = tlsrecord.MaxRecord
	// alertLimit is how long a last alert may take to leave.
	alertLimit = time.Second
)

// TLS is a connection after its TLS handshake. Records are sealed and opened here,
// in place and many for one system call; suites unknown here stay with crypto/tls.
//
// One goroutine reads and one writes.
type TLS struct {
	conn *Conn
	std  *tls.Conn // the handshake, nil after Settle

	in   *tlsrecord.Opener // nil: crypto/tls has the records
	rest []byte            // opened, and not given out by Read yet
	room *[]byte           // where it lies

	asked atomic.Bool // the peer wants new keys
	mu    sync.Mutex  // of what follows
	out   *tlsrecord.Sealer
	fault error // of the last write: half a record may have left, and nothing can follow it
}

var (
	recordRooms  = sync.Pool{New: func() any { b := make([]byte, recordSpace); return &b }}
	writeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, FlushAt+2*maxCiphertext); return &b }}
)

// Server makes a TLS connection of one that crypto/tls has accepted on conn and
// that nothing was read from or written to since. log was its
// tls.Config.KeyLogWriter; session tickets must have been off.
func Server(conn *Conn, t *tls.Conn, log *tlsrecord.KeyLog) (*TLS, error) {
	return newTLS(conn, t, log, true)
}

// Client is Server for the end that connected.
func Client(conn *Conn, t *tls.Conn, log *tlsrecord.KeyLog) (*TLS, error) {
	return newTLS(conn, t, log, false)
}

func newTLS(conn *Conn, t *tls.Conn, log *tlsrecord.KeyLog, server bool) (*TLS, error) {
	out := &TLS{conn: conn, std: t}
	state := t.ConnectionState()
	var err error
	switch {
	case state.Version == tls.VersionTLS13:
		out.in, out.out, err = log.Keys(state.CipherSuite, server)
	case state.Version == tls.VersionTLS12 && conn.knows:
		out.in, out.out, err = log.Keys12(state.CipherSuite, conn.random, server)
	default:
		err = tlsrecord.ErrSuite
	}
	if errors.Is(err, tlsrecord.ErrSuite) {
		return out, nil
	}
	return out, err
}

// Framing is how packets travel on the connection without extensions.
func (t *TLS) Framing() Framing {
	if t.out == nil {
		return Framing{}
	}
	return Framing{head: t.out.Head(), tail: t.out.Tail()}
}

// ConnectionState is what the handshake agreed on; not after Settle.
func (t *TLS) ConnectionState() tls.ConnectionState { return t.std.ConnectionState() }

// Settle forgets the handshake, which a connection that lives long need not
// keep.
func (t *TLS) Settle() {
	if t.in != nil {
		t.std = nil
	}
}

// Read implements io.Reader.
func (t *TLS) Read(p []byte) (int, error) {
	if t.in == nil {
		return t.std.Read(p)
	}
	for len(t.rest) == 0 {
		if err := t.conn.WaitRecord(); err != nil {
			return 0, err
		}
		if t.room == nil {
			t.room = recordRooms.Get().(*[]byte)
		}
		var err error
		if t.rest, err = t.open((*t.room)[:0]); err != nil {
			return 0, err
		}
	}
	return t.give(p), nil
}

// give moves what was opened already to p.
func (t *TLS) give(p []byte) int {
	n := copy(p, t.rest)
	if t.rest = t.rest[n:]; len(t.rest) == 0 && t.room != nil {
		recordRooms.Put(t.room)
		t.room, t.rest = nil, nil
	}
	return n
}

// Pending tells whether Read has something that it was given already.
func (t *TLS) Pending() bool { return len(t.rest) > 0 }

// ReadRecords waits for a record and decrypts those that are there, as far as
// buf, of ReadSpace bytes, has room for them.
func (t *TLS) ReadRecords(buf []byte) (int, error) {
	if t.in == nil {
		return t.readStd(buf)
	}
	if t.Pending() {
		return t.give(buf), nil
	}
	if err := t.conn.WaitRecord(); err != nil {
		return 0, err
	}
	got := buf[:0]
	for {
		var err error
		got, err = t.open(got)
		if err != nil || len(buf)-len(got) < recordSpace || !t.conn.HasRecord() {
			return len(got), err
		}
	}
}

func (t *TLS) readStd(buf []byte) (int, error) {
	n := 0
	for {
		k, err := t.std.Read(buf[n:])
		n += k
		if err != nil || len(buf)-n < tlsrecord.MaxPlaintext || !t.conn.HasRecord() {
			return n, err
		}
	}
}

// open appends the content of the next record, which is there, to dst.
func (t *TLS) open(dst []byte) ([]byte, error) {
	if !t.conn.HasRecord() { // its length is none
		t.alert(tlsrecord.AlertRecordOverflow)
		return dst, tlsrecord.AlertError(tlsrecord.AlertRecordOverflow)
	}
	dst, err := t.in.Open(dst, t.conn.take())
	if t.in.UpdateAsked() {
		t.asked.Store(true)
	}
	if err != nil {
		t.complain(err)
	}
	return dst, err
}

// complain tells the peer what its record did.
func (t *TLS) complain(err error) {
	var fatal tlsrecord.AlertError
	if errors.As(err, &fatal) {
		t.alert(byte(fatal))
	}
}

// alert tells the peer why the connection ends, after what is being written. A
// writer that waits for a peer which takes nothing gives up by the deadline.
func (t *TLS) alert(alert byte) {
	_ = t.conn.SetWriteDeadline(time.Now().Add(alertLimit))
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.sendLocked(t.out.SealAlert(nil, alert))
}

// CloseNotify says that nothing more will be sent.
func (t *TLS) CloseNotify() {
	if t.in == nil {
		_ = t.std.CloseWrite()
		return
	}
	t.alert(tlsrecord.AlertCloseNotify)
}

// Write implements io.Writer: what fits into one record is one.
func (t *TLS) Write(p []byte) (int, error) {
	if t.in == nil {
		return t.std.Write(p)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.writeLocked(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// writeLocked copies p into records and sends them by one write.
func (t *TLS) writeLocked(p []byte) error {
	buf := writeBuffers.Get().(*[]byte)
	out := t.renewLocked((*buf)[:0])
	for len(p) > 0 {
		n := min(len(p), tlsrecord.MaxPlaintext)
		out = t.out.Seal(out, tlsrecord.TypeApplicationData, p[:n])
		p = p[n:]
	}
	err := t.sendLocked(out)
	*buf = out[:0]
	writeBuffers.Put(buf)
	return err
}

// sendLocked sends whole records.
func (t *TLS) sendLocked(records []byte) error {
	if t.fault == nil {
		_, t.fault = t.conn.Write(records)
	}
	return t.fault
}

// renewLocked appends a KeyUpdate to dst when one is due.
func (t *TLS) renewLocked(dst []byte) []byte {
	if t.asked.Swap(false) || t.out.Worn() {
		return t.out.SealKeyUpdate(dst)
	}
	return dst
}

// SendRecords sends a chunk that f.Fill made by one write, and destroys it.
func (t *TLS) SendRecords(f Framing, c *Chunk) error {
	if len(c.Items) == 0 {
		return nil
	}
	typ := byte(openconnect.TypeData)
	if f.GSO {
		typ = openconnect.TypeGSO
	}
	for _, it := range c.Items {
		openconnect.PutHeader(c.Buf[it.Off-openconnect.HeaderLen:], typ, it.Size)
	}
	if t.in == nil {
		return t.sendStd(f, c)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.Coalesce {
		return t.writeLocked(c.frames())
	}
	return t.sealLocked(c)
}

// sealLocked seals a chunk where it lies, each frame into a record of its own.
func (t *TLS) sealLocked(c *Chunk) error {
	if update := t.renewLocked(nil); update != nil {
		if err := t.sendLocked(update); err != nil {
			return err
		}
	}
	head, tail, end := t.out.Head()+openconnect.HeaderLen, t.out.Tail(), 0
	for _, it := range c.Items {
		end = it.Off + it.Size + tail
		t.out.SealInPlace(c.Buf[it.Off-head:end], tlsrecord.TypeApplicationData)
	}
	return t.sendLocked(c.Buf[c.Items[0].Off-head : end])
}

// frames is a chunk whose frames follow each other without room between them.
func (c *Chunk) frames() []byte {
	last := c.Items[len(c.Items)-1]
	return c.Buf[c.Items[0].Off-openconnect.HeaderLen : last.Off+last.Size]
}

// sendStd is SendRecords by crypto/tls.
func (t *TLS) sendStd(f Framing, c *Chunk) error {
	buf := writeBuffers.Get().(*[]byte)
	t.conn.Cork(*buf)
	first := writeFrames(t.std, f, c)
	out, err := t.conn.Flush()
	*buf = out[:0]
	writeBuffers.Put(buf)
	if first == nil {
		first = err
	}
	return first
}

func writeFrames(w io.Writer, f Framing, c *Chunk) error {
	if f.Coalesce {
		_, err := w.Write(c.frames())
		return err
	}
	for _, it := range c.Items {
		if _, err := w.Write(c.Buf[it.Off-openconnect.HeaderLen : it.Off+it.Size]); err != nil {
			return err
		}
	}
	return nil
}
