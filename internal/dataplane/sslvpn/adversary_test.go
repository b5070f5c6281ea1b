package sslvpn

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// adversary is a client that means harm, or is badly made.
type adversary struct {
	*rig
	name   string   // of an account of its own
	victim *wiretap // the path of a good client by DTLS
}

// TestAnAdversaryDisturbsNobody is the negative table of the specification
// (OpenConnect, section 21 row 5, and what the sections named here demand) over
// real sockets. Each row looks at what the adversary gets; two good clients go
// on meanwhile, over TLS and over DTLS, without losing a packet.
func TestAnAdversaryDisturbsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.echoLAN()
	byTLS := r.bystandTLS("ann")
	byDTLS, tap := r.bystandDTLS("ben")
	for i, c := range []struct {
		what string
		do   func(a *adversary)
	}{
		{"two frames in a record are two frames (6.2)", (*adversary).twoFrames},
		{"a frame over several records is one frame (6.2)", (*adversary).splitFrame},
		{"records of one byte (6.2)", (*adversary).recordsOfOneByte},
		{"records of no byte (6.2)", (*adversary).recordsOfNoByte},
		{"bad magic ends the connection, not the session (6.1)", (*adversary).badMagic},
		{"an unknown type is ignored (6.1)", (*adversary).unknownType},
		{"length 0 (6.1)", (*adversary).lengthZero},
		{"length 1 (6.1)", (*adversary).lengthOne},
		{"lengths that no record holds end the connection (6.1)", (*adversary).impossibleLengths},
		{"an empty DISCONNECT is temporary (10.5)", (*adversary).emptyDisconnect},
		{"renegotiation in the HTTP part ends the connection (10.3)", (*adversary).renegotiates},
		{"renegotiation of a tunnel ends the connection (10.3)", (*adversary).renegotiatesATunnel},
		{"an unknown App-ID gets silence (8.3)", (*adversary).wrongAppID},
		{"a hello replayed takes nothing over and amplifies nothing (8.3)", (*adversary).replaysAHello},
		{"records replayed pass once and move no address (8.6)", (*adversary).replaysRecords},
		{"datagrams of nonsense (8.6)", (*adversary).nonsenseDatagrams},
		{"forged cookies, conversations and session tokens (4.2)", (*adversary).forgesIDs},
		{"seventeen requests (4.2)", (*adversary).seventeenRequests},
		{"heads above 16 KB (4.2)", (*adversary).largeHeads},
		{"bodies above 256 KB (4.2)", (*adversary).largeBodies},
		{"nonsense instead of a TLS hello (3.2)", (*adversary).nonsenseHello},
		{"a client that reads nothing of what it asked for (15.5)", (*adversary).doesNotRead},
		{"many requests that never end", (*adversary).slowloris},
		{"many connections that say nothing", (*adversary).halfOpen},
	} {
		t.Run(c.what, func(t *testing.T) {
			was := r.t
			r.t = t // peers made by this row end with it
			defer func() { r.t = was }()
			c.do(&adversary{rig: r, name: fmt.Sprintf("eve%d", i), victim: tap})
			byTLS.goesOn(t)
			byDTLS.goesOn(t)
		})
	}
	if log := r.log.String(); strings.Contains(log, "panic") {
		t.Error("something panicked")
	}
}

// echo is a frame whose packet comes back, and what comes back.
func (a *adversary) echo(inner, text string) (frame, back []byte) {
	packet := udpPacket(inner, lanHost, []byte(text))
	return openconnect.AppendFrame(nil, openconnect.TypeData, packet), udpPacket(lanHost, inner, []byte(text))
}

// tunnel is the adversary's own, honest so far.
func (a *adversary) tunnel(cfg *tls.Config) (p *peer, inner, cookie string) {
	a.t.Helper()
	p = a.dial(cfg)
	cookie = p.login(a.name)
	return p, p.connect(cookie).Get("X-Cstp-Address"), cookie
}

// write sends parts, a record each.
func (a *adversary) write(p *peer, parts ...[]byte) {
	a.t.Helper()
	for _, part := range parts {
		if _, err := p.tls.Write(part); err != nil {
			a.t.Fatal(err)
		}
	}
}

// gets reads one data packet.
func (a *adversary) gets(p *peer, want []byte) {
	a.t.Helper()
	if f, err := p.frame(); err != nil || f.Type != openconnect.TypeData || !bytes.Equal(f.Payload, want) {
		a.t.Errorf("got %v, %v, want %x", f, err, want)
	}
}

// lives makes sure that a tunnel still works.
func (a *adversary) lives(p *peer, inner string) {
	a.t.Helper()
	frame, back := a.echo(inner, "still here")
	a.write(p, frame)
	a.gets(p, back)
}

// isCut makes sure that the gateway closed a connection.
func (a *adversary) isCut(p *peer) {
	a.t.Helper()
	if f, err := p.frame(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		a.t.Errorf("got %v, %v, want the connection closed", f, err)
	}
}

// keepsSession makes sure that a cookie brings the same session back.
func (a *adversary) keepsSession(cookie, inner string) {
	a.t.Helper()
	p := a.dial(nil)
	if got := p.connect(cookie).Get("X-Cstp-Address"); got != inner {
		a.t.Errorf("back with %s, want %s", got, inner)
	}
	a.lives(p, inner)
}

func (a *adversary) twoFrames() {
	p, inner, _ := a.tunnel(nil)
	one, backOne := a.echo(inner, "one")
	two, backTwo := a.echo(inner, "two")
	a.write(p, append(one, two...))
	a.gets(p, backOne)
	a.gets(p, backTwo)
}

func (a *adversary) splitFrame() {
	p, inner, _ := a.tunnel(nil)
	one, back := a.echo(inner, "cut")
	a.write(p, one[:3], one[3:11], one[11:])
	a.gets(p, back)
}

func (a *adversary) recordsOfOneByte() {
	p, inner, _ := a.tunnel(nil)
	one, back := a.echo(inner, "bytes")
	for i := range one {
		a.write(p, one[i:i+1])
	}
	a.gets(p, back)
}

// recordsOfNoByte are legal (RFC 8446 5.1), though crypto/tls writes none.
func (a *adversary) recordsOfNoByte() {
	var secrets bytes.Buffer
	p, inner, _ := a.tunnel(&tls.Config{KeyLogWriter: &secrets, MinVersion: tls.VersionTLS13, DynamicRecordSizingDisabled: true})
	s := newRecordSealer(a.t, p.tls.ConnectionState().CipherSuite, secrets.String(), 2) // after login and CONNECT
	one, back := a.echo(inner, "nothing around")
	for _, content := range [][]byte{nil, nil, one[:9], nil, one[9:], nil} {
		if _, err := p.raw.Write(s.seal(content)); err != nil {
			a.t.Fatal(err)
		}
	}
	a.gets(p, back)
}

func (a *adversary) badMagic() {
	for _, frame := range []string{"STX\x01\x00\x00\x00\x00", "STF\x02\x00\x00\x00\x00", "STF\x01\x00\x00\x00\x01", "GET / HTTP/1.1\r\n\r\n"} {
		p, inner, cookie := a.tunnel(nil)
		a.write(p, []byte(frame))
		a.isCut(p)
		a.keepsSession(cookie, inner)
	}
}

func (a *adversary) unknownType() {
	p, inner, _ := a.tunnel(nil)
	for _, typ := range []byte{1, 2, openconnect.TypeCompressed, openconnect.TypeTerminate, openconnect.TypeGSO, 0xff} {
		p.send(typ, []byte("whatever"))
	}
	a.lives(p, inner)
}

func (a *adversary) lengthZero() {
	p, inner, _ := a.tunnel(nil)
	p.send(openconnect.TypeData, nil)
	p.send(openconnect.TypeKeepalive, nil)
	p.send(openconnect.TypeDPDRequest, nil)
	if f, err := p.frame(); err != nil || f.Type != openconnect.TypeDPDResponse || len(f.Payload) != 0 {
		a.t.Errorf("got %v, %v, want an empty answer to the empty probe", f, err)
	}
	a.lives(p, inner)
}

func (a *adversary) lengthOne() {
	p, inner, _ := a.tunnel(nil)
	for _, typ := range []byte{openconnect.TypeData, openconnect.TypeDPDResponse, openconnect.TypeKeepalive} {
		p.send(typ, []byte{0x45})
	}
	a.lives(p, inner)
}

func (a *adversary) impossibleLengths() {
	p, inner, cookie := a.tunnel(nil)
	for _, n := range []int{openconnect.MaxPayload + 1, 65528, 65529, 65530, 65531, 65532, 65533, 65534, 65535} {
		a.write(p, []byte{'S', 'T', 'F', 1, byte(n >> 8), byte(n), openconnect.TypeData, 0, 0x45})
		a.isCut(p)
		p = a.dial(nil)
		p.connect(cookie)
	}
	a.lives(p, inner)
}

func (a *adversary) emptyDisconnect() {
	p, inner, cookie := a.tunnel(nil)
	p.send(openconnect.TypeDisconnect, nil)
	a.isCut(p)
	a.keepsSession(cookie, inner)
}

func (a *adversary) renegotiates() { a.renegotiate("", "") }

func (a *adversary) renegotiatesATunnel() {
	p := a.dial(nil)
	cookie := p.login(a.name)
	a.renegotiate("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn="+cookie+"\r\nX-CSTP-Base-MTU: 1500\r\n\r\n", "X-CSTP-Address: ")
	q := a.dial(nil)
	a.lives(q, q.connect(cookie).Get("X-Cstp-Address")) // its session did not suffer
}

// renegotiate lets openssl, which can, ask for a new handshake of a TLS 1.2
// connection, after it sent a request and was answered.
func (a *adversary) renegotiate(request, answer string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), waitLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", "s_client", "-connect", a.addr(), "-tls1_2", "-noservername")
	in, err := cmd.StdinPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		a.t.Fatalf("openssl must be installed: %v", err)
	}
	says := func(text string) {
		for tick := time.NewTicker(time.Millisecond); !strings.Contains(out.String(), text) && ctx.Err() == nil; <-tick.C {
		}
	}
	says("---\n") // of its summary: the handshake is done
	_, _ = io.WriteString(in, request)
	says(answer)
	_, _ = io.WriteString(in, "R\n")
	_ = cmd.Wait()
	if text := out.String(); ctx.Err() != nil || !strings.Contains(text, "RENEGOTIATING") || !strings.Contains(text, answer) {
		a.t.Errorf("the connection goes on, or nothing was asked: %v %s", ctx.Err(), text)
	}
}

func (a *adversary) wrongAppID() {
	p, _, _ := a.tunnel(nil)
	d := a.dtlsFor(p, strings.Repeat("5a", 32))
	hello, err := d.client.Start()
	if err != nil {
		a.t.Fatal(err)
	}
	a.silence(d.conn, hello[0], hello[0][:20], hello[0])
}

// silence sends datagrams and makes sure that none is answered: what comes to
// the same port later is, and came after them.
func (a *adversary) silence(c net.Conn, datagrams ...[]byte) {
	a.t.Helper()
	for _, b := range datagrams {
		if _, err := c.Write(b); err != nil {
			a.t.Fatal(err)
		}
	}
	p := a.dial(nil)
	d := a.dtlsFor(p, p.connect(p.login(a.name), "X-DTLS-CipherSuite: PSK-NEGOTIATE").Get("X-Dtls-App-Id"))
	d.handshake()
	// Loopback has delivered by now; a deadline in the past would read nothing.
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := c.Read(make([]byte, 2048)); err == nil {
		a.t.Errorf("got %d bytes, want silence", n)
	}
}

func (a *adversary) replaysAHello() {
	hello, _ := a.victim.seen()
	for range 2 * maxAttempts {
		c := a.dialUDP()
		sent := 0
		for range 3 {
			n, err := c.Write(hello)
			if err != nil {
				a.t.Fatal(err)
			}
			sent += n
		}
		got, b := 0, make([]byte, 4096)
		for {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := c.Read(b)
			if err != nil {
				break
			}
			got += n
		}
		if got > 3*sent {
			a.t.Errorf("%d bytes came for %d, want three times as many at most", got, sent)
		}
	}
}

func (a *adversary) replaysRecords() {
	_, records := a.victim.seen()
	a.silence(a.dialUDP(), records...)
	a.asTheVictim(records...)
}

func (a *adversary) nonsenseDatagrams() {
	_, records := a.victim.seen()
	last := records[len(records)-1]
	forged := bytes.Clone(last)
	forged[5] ^= 1 // a sequence number far ahead
	for n := range 40 {
		a.asTheVictim(forged[:n])
	}
	long := append(bytes.Clone(last[:11]), 0xff, 0xff)
	a.silence(a.dialUDP(), forged, long, bytes.Repeat([]byte{22}, 1400), bytes.Repeat([]byte{0xff}, 1400), append(bytes.Clone(forged), forged...))
	a.asTheVictim(forged, long)
}

// asTheVictim sends datagrams from the address of a good client.
func (a *adversary) asTheVictim(datagrams ...[]byte) {
	a.t.Helper()
	for _, b := range datagrams {
		if _, err := a.victim.Conn.Write(b); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *adversary) forgesIDs() {
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 8000)} {
		resp, _ := a.dial(nil).request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nCookie: webvpn=" + cookie + "\r\n\r\n")
		if resp.StatusCode != 401 {
			a.t.Errorf("a cookie of %d bytes: got %s, want 401", len(cookie), resp.Status)
		}
	}
	forged := strings.Replace(reply("ann", "pass"), ">conv<", ">"+strings.Repeat("0", 32)+"<", 1)
	if resp, _ := a.dial(nil).request(post(forged)); resp.StatusCode != 401 {
		a.t.Errorf("a conversation that was never begun: got %s, want 401", resp.Status)
	}
	a.dial(nil).request(post(`<config-auth client="vpn" type="logout"><session-token>` + hex.EncodeToString(make([]byte, 32)) + `</session-token></config-auth>`))
}

func (a *adversary) seventeenRequests() {
	p := a.dial(nil)
	for range maxRequests {
		if resp, _ := p.request(post(initDocument)); resp.StatusCode != 200 {
			a.t.Fatalf("got %s, want 200", resp.Status)
		}
	}
	if resp, _, err := p.try(post(initDocument)); err == nil {
		a.t.Errorf("got %s to request 17, want the connection closed", resp.Status)
	}
}

// refused is the answer 400, or a connection that is closed.
func (a *adversary) refused(request string) {
	a.t.Helper()
	if resp, _, err := a.dial(nil).try(request); err == nil && resp.StatusCode != 400 || errors.Is(err, os.ErrDeadlineExceeded) {
		a.t.Errorf("%.60q: got %v, %v, want 400 or the connection closed", request, resp, err)
	}
}

func (a *adversary) largeHeads() {
	a.refused("GET / HTTP/1.1\r\nHost: x\r\nX-Pad: " + strings.Repeat("0", 17<<10) + "\r\n\r\n")
	a.refused("GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 4000) + "\r\n")
	a.refused(strings.Repeat("\r\n", 10<<10))
	a.refused("GET /" + strings.Repeat("a", 64<<10))
}

func (a *adversary) largeBodies() {
	body := strings.Repeat("x", 257<<10)
	a.refused(fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	a.refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n")
	a.refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")
	a.refused(fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
}

// other is a source of its own, since connections are counted by source.
var other = &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, Timeout: waitLimit}

func (a *adversary) connection() net.Conn {
	a.t.Helper()
	c, err := other.Dial("tcp", a.addr())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	return c
}

func (a *adversary) nonsenseHello() {
	for _, hello := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff" + strings.Repeat("a", 1000), "\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00",
		"\x17\x03\x03\x00\x10" + strings.Repeat("\x00", 16), "\x80\x2e\x01\x00\x02", strings.Repeat("\x15\x03\x03\x00\x02\x01\x00", 50),
	} {
		c := a.connection()
		_, _ = io.WriteString(c, hello)
		_ = c.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			a.t.Errorf("%.20q: the connection is kept", hello)
		}
	}
}

// doesNotRead has more come for a client than its connection holds: what it does
// not take is its own loss.
func (a *adversary) doesNotRead() {
	p, inner, _ := a.tunnel(nil)
	lost := func() uint64 { return a.svc.Tally().Drops[DropQueueDown] }
	big := udpPacket(lanHost, inner, make([]byte, 1300))
	for before, n := lost(), 0; lost() < before+1000; n++ {
		if n > 1<<20 {
			a.t.Fatal("nothing is lost")
		}
		a.queue.Inject(big)
	}
	p.send(openconnect.TypeDPDRequest, nil) // it still talks, as a flooded client does
}

// slowloris begins requests and sends no more of them. That such connections
// end is TestARequestThatTricklesEndsTheConnection.
func (a *adversary) slowloris() {
	for i := range 100 {
		c := tls.Client(a.connection(), &tls.Config{InsecureSkipVerify: true}) // whose it is does not matter here
		if err := c.HandshakeContext(a.t.Context()); err != nil {
			a.t.Fatalf("connection %d: %v", i, err)
		}
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"[:10+i%34]); err != nil {
			a.t.Fatal(err)
		}
	}
	a.tunnel(nil) // others log in and connect meanwhile
}

// halfOpen fills one source's share of connections: what exceeds it is closed
// at once, and others do not notice.
func (a *adversary) halfOpen() {
	const above = 20 // which ones those are is the scheduler's choice
	ended := make(chan error, maxEarlyFrom+above)
	for range maxEarlyFrom + above {
		c := a.connection()
		_, _ = io.WriteString(c, "\x16\x03\x01\x02\x00\x01")
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
	}
	for range above {
		if err := <-ended; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			a.t.Errorf("got %v, want %d connections closed", err, above)
		}
	}
	p, inner, _ := a.tunnel(nil)
	a.lives(p, inner)
}
