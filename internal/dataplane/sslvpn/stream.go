package sslvpn

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const (
	lingerLimit = 2 * time.Second // for the last control frames
)

// stream is one TLS connection that carried CONNECT: the CSTP channel, and
// control of the DTLS one. Its reader is the connection's own goroutine, its
// writer another.
type stream struct {
	client  *liveSession
	number  uint64
	conn    *netio.Conn
	tls     *netio.TLS
	out     *downQueue
	tlsPath *path
	link    *link // nil without DTLS
	mtu     int   // that the client was told

	finishing atomic.Bool
	done      chan struct{} // closed when the reader has ended
	unlinked  sync.Once
	leaving   sync.Once
}

func newStream(c *liveSession, conn *netio.Conn, t *netio.TLS) *stream {
	st := &stream{client: c, conn: conn, tls: t, out: newDownQueue(c.chunkLimit), done: make(chan struct{})}
	st.out.lost = &c.svc.tally.queueDown
	st.tlsPath = &path{channel: session.TLS, stream: st, framing: t.Framing()}
	if c.rec.Linux && c.server.Load().spec.LargeSegments {
		st.tlsPath.framing.Widest = openconnect.MaxPayload
	}
	return st
}

// extend takes extensions into use that the client asked for. Before, and
// without, the client is a stock one.
func (st *stream) extend(extensions []string) {
	f := &st.tlsPath.framing
	f.GSO = slices.Contains(extensions, openconnect.ExtGSO)
	f.Coalesce = slices.Contains(extensions, openconnect.ExtCoalesce)
	if f.GSO {
		f.Widest = 0 // the client's kernel cuts segments to their own size
	}
}

// finish closes the connection after what is queued for it: first its own half, so
// that the client reads the last words and leaves. A whole close with input unread
// would reset the connection, and the words would be lost (RFC 1122, 4.2.2.13).
func (st *stream) finish() {
	st.finishing.Store(true)
	st.out.signal()
	st.linger()
}

// linger bounds how long the client may take to leave.
func (st *stream) linger() {
	st.leaving.Do(func() { time.AfterFunc(lingerLimit, func() { _ = st.conn.Close() }) })
}

// unlink makes the DTLS side of the stream unreachable for good.
func (st *stream) unlink() {
	st.unlinked.Do(func() {
		if st.link != nil {
			st.link.remove()
		}
	})
}

// run reads until the connection ends. The session was attached, and the
// CONNECT answer sent.
func (st *stream) run() {
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		defer func() { _ = st.conn.Close() }() // without a writer there is no session
		defer st.client.svc.recovered("writer")
		st.write()
	}()
	st.read()
	close(st.done)
	_ = st.conn.Close()
	st.out.close()
	st.unlink()
	<-writer
	st.client.lost(st)
}
