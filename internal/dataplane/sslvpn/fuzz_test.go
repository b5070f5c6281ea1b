package sslvpn

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// FuzzReadRequest gives the HTTP side of a connection anything: what it takes
// for requests is bounded, has one length, and reads nothing twice.
func FuzzReadRequest(f *testing.F) {
	captures := filepath.Join("..", "..", "protocol", "openconnect", "testdata")
	connect, err := os.ReadFile(filepath.Join(captures, "connect-request.http"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(connect)
	for _, name := range []string{"init.xml", "auth-reply-password.xml", "init-group-change.xml"} {
		body, err := os.ReadFile(filepath.Join(captures, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(post(string(body))))
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Add(append([]byte("GET / HTTP/1.1\r\nX-Pad: "), bytes.Repeat([]byte{'0'}, maxHead)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		rest := bytes.NewReader(data)
		m := newMemory()
		h := &httpConn{own: allowance{shared: m}}
		h.readFrom(rest)
		left := func() int { return rest.Len() + len(h.back.first) + h.in.Buffered() }
		for n := 0; ; n++ {
			before := left()
			r, body, err := h.readRequest()
			h.own.release()
			if m.left.Load() != sharedMemory {
				t.Fatalf("%d bytes of memory are left, want all", m.left.Load())
			}
			if err != nil {
				return
			}
			after := left()
			if after >= before {
				t.Fatalf("request %d took nothing of %d bytes", n, before)
			}
			if r.ContentLength >= 0 && after > 0 && !bytes.HasSuffix(data[:len(data)-after], body) {
				t.Fatalf("request %d has a body of %d bytes, and took more", n, len(body))
			}
			checkRequest(t, r, body)
		}
	})
}

func checkRequest(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	if r.Header.Get("Content-Length") != "" && r.TransferEncoding != nil {
		t.Error("a request of two lengths")
	}
	if r.Method == http.MethodConnect {
		return
	}
	if len(body) > openconnect.MaxDocument {
		t.Errorf("a body of %d bytes", len(body))
	}
	_, _ = openconnect.ParseDocument(r.Header.Get("Content-Type"), body) // has a target of its own
}

// FuzzGlance gives what looks at clients' packets in passing anything: an
// acknowledgement is small and of TCP, neighbours' talk is IPv6, neither is both.
func FuzzGlance(f *testing.F) {
	ack := append([]byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protoTCP, 0, 0, 10, 9, 0, 2, 10, 77, 0, 2}, make([]byte, 20)...)
	ack[32], ack[33] = 0x50, flagACK
	ack6 := append([]byte{0x60, 0, 0, 0, 0, 20, protoTCP, 64}, make([]byte, 52)...)
	ack6[52], ack6[53] = 0x50, flagACK
	report := append([]byte{0x60, 0, 0, 0, 0, 36, 0, 1}, make([]byte, 68)...)
	report[40], report[48] = 58, 143
	for _, p := range [][]byte{ack, ack6, report, append([]byte{0x4f}, ack[1:]...), nil} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		ack, chatter := isAck(p), isChatter(p)
		if ack && (len(p) < 40 || p[0]>>4 == 4 && p[9] != protoTCP) {
			t.Errorf("%x is taken for an acknowledgement", p)
		}
		if chatter && p[0]>>4 != 6 || ack && chatter {
			t.Errorf("%x is taken for neighbours' talk", p)
		}
	})
}

// quiet is a Sink and an Authenticator that do nothing.
type quiet struct{}

func (quiet) Opened(Record) error         { return nil }
func (quiet) Closed(gwlink.SessionClosed) {}
func (quiet) Login(context.Context, gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	return gwlink.LoginAnswer{}, io.EOF
}

// devNull is a connection that can only be closed.
type devNull struct{ net.Conn }

func (devNull) Close() error                { return nil }
func (devNull) Write(p []byte) (int, error) { return len(p), nil }

// readerOf is the reader of a session's stream without a network: what the
// client sends is given to deliver.
func readerOf(s *Service, device tun.Queue) *streamReader {
	now := s.cfg.Clock.Now()
	g := newGateway("vpngw-1", []tun.Queue{device}, s.cfg.Log, &s.tally)
	srv := newServer(gwlink.SSLServer{
		ID: "sslsrv-1", Pool: netip.MustParsePrefix("10.98.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")},
		MTU: 1400, DPD: 30, CookieTimeout: 300, ClientIsolation: true,
	}, g, nil, nil)
	rec := Record{Session: "ses_1", Server: "sslsrv-1", Client: "sslcli-1", Inner: netip.MustParseAddr("10.98.0.2"), OpenedAt: now}
	c := newLiveSession(s, srv, gwlink.Grant{NotAfter: now.Add(time.Hour)}, rec, now)
	s.enter(c)
	st := newStream(c, netio.NewConn(devNull{}), &netio.TLS{})
	st.extend([]string{openconnect.ExtGSO})
	c.attach(st, families{v4: true}, false)
	r := &streamReader{st: st, queue: device, gso: true, readSpace: readSpaces.New().(*readSpace)}
	r.device.Reset(device)
	return r
}

// kept is a device that keeps what is written to it.
type kept struct {
	tun.Queue
	frames [][]byte
}

func (k *kept) WriteFrame(parts [][]byte) error {
	k.frames = append(k.frames, slices.Concat(parts...))
	return nil
}

// FuzzStream gives the reader of a tunnel any bytes in records of any length:
// as many packets reach the device however they are cut, all of them the
// client's own to where it may go, and what waits to be answered is little.
func FuzzStream(f *testing.F) {
	packet := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
	data := openconnect.AppendFrame(nil, openconnect.TypeData, packet)
	foreign := openconnect.AppendFrame(nil, openconnect.TypeData, udpPacket("10.98.0.3", "10.77.0.2", nil))
	ping := openconnect.AppendFrame(nil, openconnect.TypeDPDRequest, []byte("ping"))
	super := openconnect.AppendFrame(nil, openconnect.TypeGSO, superFrameFrom("10.98.0.2", "10.77.0.2", 3))
	bye := openconnect.AppendFrame(nil, openconnect.TypeDisconnect, []byte{openconnect.ReasonUser})
	f.Add(slices.Concat(data, ping, data), uint16(7))
	f.Add(slices.Concat(foreign, super, data, super), uint16(1000))
	f.Add(slices.Concat(ping, openconnect.AppendFrame(nil, openconnect.TypeDisconnect, nil), data, bye, data), uint16(3))
	f.Add(bytes.Repeat(ping, 40), uint16(100))
	f.Add([]byte("STF\x01\xff\xff\x00\x00"), uint16(1))
	svc := New(Config{Auth: quiet{}, Sink: quiet{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)})
	f.Cleanup(func() { _ = svc.Close() })
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		run := func(size int) (traffic, bool) {
			k := &kept{Queue: tuntest.Discard()}
			r := readerOf(svc, k)
			defer func() {
				r.st.client.step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonAdministrator})
				_ = k.Close()
				r.st.client.server.Load().gateway.close()
			}()
			sound := true
			for at := 0; at < len(stream) && sound; at += size {
				sound = r.deliver(bytes.Clone(stream[at:min(at+size, len(stream))]))
				if n := len(r.st.out.notes); n > maxNotes {
					t.Fatalf("%d answers wait", n)
				}
			}
			return checkKept(t, k), sound && !r.st.client.ended.Load() // after the end nothing is read on
		}
		size = min(size, 1<<14-1)
		whole, ok := run(max(len(stream), 1))
		pieces, also := run(int(size) + 1)
		if ok && (!also || whole != pieces) {
			t.Errorf("whole: %+v, in pieces: %v, %+v", whole, also, pieces)
		}
	})
}

type traffic struct{ packets, bytes int }

// checkKept looks at all packets that reached a device.
func checkKept(t *testing.T, k *kept) (all traffic) {
	t.Helper()
	var seg tun.Segments
	for _, frame := range k.frames {
		if err := seg.Reset(frame); err != nil {
			t.Fatalf("the device got %x: %v", frame, err)
		}
		buf := make([]byte, seg.MaxLen())
		for n := seg.Next(buf); n > 0; n = seg.Next(buf) {
			p := buf[:n]
			if len(p) < 20 || p[0]>>4 != 4 || !bytes.Equal(p[12:16], []byte{10, 98, 0, 2}) || !bytes.Equal(p[16:19], []byte{10, 77, 0}) {
				t.Fatalf("the device got the packet %x", p)
			}
			all.packets, all.bytes = all.packets+1, all.bytes+n
		}
	}
	return all
}
