package sslvpn

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// bystander is a good client beside a bad one. It sends a numbered packet to a
// host behind the gateway that echoes, waits for the echo, and sends the next:
// a loss, a repetition or a disconnection ends it with the test failed.
type bystander struct {
	channel string
	inner   string
	send    func(packet []byte) error
	receive func() ([]byte, error)

	echoes atomic.Int64
	failed atomic.Pointer[string]
}

// lanHost is where bystanders send to.
const lanHost = "10.77.0.2"

// echoLAN makes every host behind the gateway answer with what it got.
func (r *rig) echoLAN() {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case p := <-r.queue.Packets():
				p = bytes.Clone(p)
				for i := 12; i < 16; i++ {
					p[i], p[i+4] = p[i+4], p[i]
				}
				r.queue.Inject(p)
			case <-stop:
				return
			}
		}
	}()
	r.t.Cleanup(func() { close(stop); <-ended })
}

// bystandTLS and bystandDTLS are bystanders by either channel; they run until
// the test ends.
func (r *rig) bystandTLS(name string) *bystander {
	p := r.dial(nil)
	inner := p.connect(p.login(name)).Get("X-Cstp-Address")
	return r.bystand(&bystander{
		channel: "tls", inner: inner,
		send: func(packet []byte) error {
			_ = p.raw.SetDeadline(time.Now().Add(waitLimit))
			_, err := p.tls.Write(openconnect.AppendFrame(nil, openconnect.TypeData, packet))
			return err
		},
		receive: func() ([]byte, error) { f, err := p.frame(); return f.Payload, err },
	})
}

func (r *rig) bystandDTLS(name string) (*bystander, *wiretap) {
	p := r.dial(nil)
	h := p.connect(p.login(name), "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	_ = p.raw.SetDeadline(time.Time{})
	d := r.dtlsFor(p, h.Get("X-Dtls-App-Id"))
	tap := &wiretap{Conn: d.conn}
	d.conn = tap
	d.handshake()
	return r.bystand(&bystander{
		channel: "dtls", inner: h.Get("X-Cstp-Address"),
		send: func(packet []byte) error {
			_ = d.conn.SetDeadline(time.Now().Add(waitLimit))
			_, err := d.conn.Write(d.seal(openconnect.TypeData, packet))
			return err
		},
		receive: d.receive,
	}), tap
}

// receive is the payload of the next datagram that is data.
func (d *dtlsPeer) receive() ([]byte, error) {
	b := make([]byte, 4096)
	n, err := d.conn.Read(b)
	if err != nil {
		return nil, err
	}
	record, _, err := dtls.NextRecord(b[:n])
	if err != nil {
		return nil, err
	}
	_, plain, _, err := d.client.Association().Opener.Open(record)
	if err != nil || len(plain) == 0 || plain[0] != openconnect.TypeData {
		return nil, fmt.Errorf("%d bytes that are no data: %w", len(plain), err)
	}
	return plain[1:], nil
}

// wiretap keeps what a client sends, as somebody on its path does.
type wiretap struct {
	net.Conn
	mu   sync.Mutex
	sent [][]byte
}

func (w *wiretap) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.sent = append(w.sent, bytes.Clone(b))
	if len(w.sent) > 64 {
		w.sent = append(w.sent[:1], w.sent[2:]...) // the hello stays
	}
	w.mu.Unlock()
	return w.Conn.Write(b)
}

// seen is the hello, and the datagrams since, oldest first.
func (w *wiretap) seen() (hello []byte, later [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[0], append([][]byte(nil), w.sent[1:]...)
}

func (r *rig) bystand(b *bystander) *bystander {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		b.run(stop)
	}()
	r.t.Cleanup(func() { close(stop); <-ended })
	return b
}

func (b *bystander) run(stop <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		number := binary.BigEndian.AppendUint64(nil, n)
		err := b.send(udpPacket(b.inner, lanHost, number))
		var got []byte
		if err == nil {
			got, err = b.receive()
		}
		if err != nil || !bytes.HasSuffix(got, number) {
			text := fmt.Sprintf("packet %d by %s: got %x, %v, want its echo", n, b.channel, got, err)
			b.failed.Store(&text)
			return
		}
		b.echoes.Add(1)
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

// goesOn waits until some more packets went to and fro.
func (b *bystander) goesOn(t *testing.T) {
	t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(2*waitLimit)
	defer tick.Stop()
	for begin := b.echoes.Load(); b.echoes.Load() < begin+3; {
		if text := b.failed.Load(); text != nil {
			t.Fatalf("the good client: %s", *text)
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("the good client by %s stands still after %d packets", b.channel, begin)
		}
	}
}
