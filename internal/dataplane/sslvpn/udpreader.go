package sslvpn

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// udpReader is the state of a receiving goroutine.
type udpReader struct {
	port    *udpPort
	now     time.Time
	uploads uploads
	plain   [][]byte

	candidates []*link // scratch of rebind
	from       int

	queue int              // which one of a gateway's is written to
	heavy []netio.Endpoint // peers that sent much just now

	// The run of datagrams of one client under way.
	client         *liveSession
	peer           netio.Endpoint
	packets, bytes int
	active         bool
}

// receive takes one batch; false when there will be no other.
func (r *udpReader) receive(recv *netio.Receiver, b *netio.Buffers) bool {
	n, err := recv.Receive(b)
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || r.port.svc.ctx.Err() != nil {
		return false
	}
	if err != nil { // of an earlier send, such as an ICMP answer
		r.port.svc.cfg.Log.Debug("receiving datagrams", "error", err)
	}
	r.take(b, n)
	return true
}

// take opens the n messages of a batch and gives the devices what they hold.
func (r *udpReader) take(b *netio.Buffers, n int) {
	r.now = r.port.svc.cfg.Clock.Now()
	for i := range n {
		d := b.At(i)
		for len(d.Data) > 0 {
			k := min(d.Size, len(d.Data))
			r.guarded(d.From, d.Data[:k])
			d.Data = d.Data[k:]
		}
	}
	r.settle()
	r.uploads.write(r.queue)
}

// guarded keeps a panic in the datagram that had it.
func (r *udpReader) guarded(from netio.Endpoint, b []byte) {
	defer r.port.svc.recovered("udp")
	r.datagram(from, b)
}

// datagram takes one datagram. While a handshake is under way at its address,
// all but foreign data belongs to that.
func (r *udpReader) datagram(from netio.Endpoint, b []byte) {
	l, under := r.port.at(from.Peer)
	if under.link != nil && r.now.Sub(under.since) > attemptLimit {
		r.port.abandon(from.Peer, under.link)
		under.link = nil
	}
	pending := under.link
	switch {
	case len(b) == 0:
	case b[0] == dtls.TypeApplicationData && l != nil && (pending == nil || pending != l):
		r.open(l, from, b)
	case b[0] != dtls.TypeApplicationData && isHello(b):
		r.hello(from, b)
	case pending != nil:
		r.handle(pending, from, b)
	case l != nil:
		r.handle(l, from, b)
	case b[0] == dtls.TypeApplicationData:
		r.rebind(from, b)
	}
}

// open decrypts the records of a datagram of an association in place. What
// they say is looked at without the link's lock.
func (r *udpReader) open(l *link, from netio.Endpoint, b []byte) {
	r.plain = r.plain[:0]
	l.mu.Lock()
	if a := l.srv.Association(); a != nil && l.port != nil {
		r.plain = appendOpened(r.plain, a.Opener, b)
	}
	l.mu.Unlock()
	for _, d := range r.plain {
		r.payload(l, from, d)
	}
}

func appendOpened(out [][]byte, o *dtls.Opener, b []byte) [][]byte {
	for len(b) > 0 {
		record, rest, err := dtls.NextRecord(b)
		if err != nil {
			break
		}
		b = rest
		typ, plain, _, err := o.Open(record)
		if err == nil && typ == dtls.TypeApplicationData {
			out = append(out, plain)
		}
	}
	return out
}

// payload takes one decrypted record.
func (r *udpReader) payload(l *link, from netio.Endpoint, plain []byte) {
	f, err := openconnect.SplitDatagram(plain)
	if err != nil {
		return
	}
	c := l.stream.client
	if c.ended.Load() {
		return
	}
	if c != r.client {
		r.settle()
		r.client, r.peer = c, from
		c.heardDTLS.Store(r.now.UnixNano())
	}
	if f.Type != openconnect.TypeData {
		if f.Type == openconnect.TypeDPDRequest {
			l.probed(len(f.Payload))
		}
		c.step(session.Event{Kind: session.Frame, Conn: l.stream.number, Channel: session.DTLS, Type: f.Type, Payload: f.Payload})
		return
	}
	srv := c.server.Load()
	if !srv.filter.FromClient(f.Payload, c.holder.Load()) {
		c.svc.tally.notAllowedUp.Add(1)
		return
	}
	tun.ClampMSS(f.Payload, int(c.mtu.Load()))
	if c.holdsBack(srv.gateway) {
		if !srv.gateway.upPacer.put(c.sslClient, f.Payload, r.now) {
			c.svc.tally.rateUp.Add(1)
			return
		}
	} else {
		u := r.uploads.share(srv.gateway)
		u.packets = append(u.packets, f.Payload)
	}
	r.packets, r.bytes, r.active = r.packets+1, r.bytes+len(f.Payload), r.active || !isChatter(f.Payload)
}

// settle books the run of packets of one client.
func (r *udpReader) settle() {
	if r.client != nil && r.packets > 0 {
		r.client.received(session.DTLS, r.packets, r.bytes, r.active, r.now)
		if r.client.sendsMuch.add(r.packets, r.now) {
			r.heavy = append(r.heavy, r.peer)
		}
	}
	r.client, r.packets, r.bytes, r.active = nil, 0, 0, false
}
