package dtls

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"testing"
)

func TestHandshakeOnGoodLink(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, v, 1, 0)
			b.run()
			if string(b.serverGot[0]) != "hello" {
				t.Errorf("server got %q", b.serverGot[0])
			}
			if got := b.server.Association().Suite; got != v.suite {
				t.Errorf("suite: got %04x want %04x", got, v.suite)
			}
			if b.client.Timeout() != 0 {
				t.Error("the client still wants a timer")
			}
			if b.server.Handshaking(testPeer) {
				t.Error("the server still has an attempt")
			}
		})
	}
}

func TestHandshakeOnBadLink(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(200) {
				b := newBed(t, v, seed, 10+int(seed%4)*10)
				b.run()
				if b.serverUp != 1 || b.clientUp != 1 {
					t.Fatalf("seed %d: up %d times at the server, %d at the client", seed, b.serverUp, b.clientUp)
				}
			}
		})
	}
}

// A client that restarts gets a new association; the old one works until then,
// whatever of the new handshake has arrived.
func TestOldAssociationStaysUntilFinished(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, v, 1, 0)
			b.run()
			old, oldClient := b.server.Association(), b.client.Association()
			_, cc := v.configs(2)
			var err error
			if b.client, err = NewClient(cc); err != nil {
				t.Fatal(err)
			}
			first, err := b.client.Start()
			if err != nil {
				t.Fatal(err)
			}
			queue := first
			for b.server.Association() == old {
				if len(queue) == 0 {
					t.Fatal("handshake stands still")
				}
				d, err := oldClient.appendRecord(nil, TypeApplicationData, []byte("old"))
				if err != nil {
					t.Fatal(err)
				}
				if res := b.server.Handle(testPeer, d); len(res.Data) != 1 || string(res.Data[0]) != "old" {
					t.Fatal("the old association stopped before the new Finished")
				}
				b.atServer(queue[0])
				queue = queue[1:]
				for len(b.toClient) > 0 {
					d := b.toClient[0]
					b.toClient = b.toClient[1:]
					b.atClient(d)
					queue = append(queue, b.toServer...)
					b.toServer = nil
				}
			}
			if b.serverUp != 2 {
				t.Errorf("established %d times want 2", b.serverUp)
			}
		})
	}
}

// A hello replayed from elsewhere, any number of times, changes nothing for the
// session and is answered at most by three times its bytes.
func TestReplayedHello(t *testing.T) {
	t.Parallel()
	v := variant{mode: ModePSK, suite: SuitePSKAES256GCM}
	b := newBed(t, v, 1, 0)
	hello, err := b.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	b.put(&b.toServer, hello)
	b.deliver()
	a := b.server.Association()
	if a == nil {
		t.Fatal("not connected")
	}
	if res := b.server.Handle(testPeer, hello[0]); len(res.Send) != 0 {
		t.Error("a repeated hello of the association in use was answered")
	}
	_, cc := v.configs(77)
	c, err := NewClient(cc)
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	got, sent := 0, 0
	for range 50 {
		got += len(other[0])
		for _, d := range b.server.Handle(testPeer, other[0]).Send {
			sent += len(d)
		}
	}
	if sent == 0 || sent > 3*got {
		t.Errorf("%d bytes sent for %d", sent, got)
	}
	if b.server.Association() != a {
		t.Error("a replayed hello replaced the association")
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBed(t, variant{mode: ModePSK, suite: SuitePSKAES256GCM}, 1, 0)
	hello, err := b.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	from := testPeer
	for range 100 {
		b.server.Handle(from, hello[0])
		if n := len(b.server.attempts); n > maxAttempts {
			t.Fatalf("%d attempts", n)
		}
		from = testPeerPort(from.Port() + 1)
	}
	if !b.server.Handshaking(testPeerPort(from.Port() - 1)) {
		t.Error("the newest attempt was evicted")
	}
}

func testPeerPort(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(testPeer.Addr(), port)
}

func TestWrongSecretNeverEstablishes(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, v, 1, 0)
			b.client.cfg.PSK = bytes.Repeat([]byte{8}, pskLen)
			b.client.cfg.MasterSecret = bytes.Repeat([]byte{8}, masterSecretLen)
			first, err := b.client.Start()
			if err != nil {
				t.Fatal(err)
			}
			b.put(&b.toServer, first)
			for range 20 {
				b.deliver()
				b.put(&b.toServer, b.client.OnTimer())
			}
			if b.server.Association() != nil || b.client.Association() != nil {
				t.Error("connected with different secrets")
			}
		})
	}
}

func TestCloseNotify(t *testing.T) {
	t.Parallel()
	b := newBed(t, variants()[0], 1, 0)
	b.run()
	fromServer, err := b.server.Association().AppendCloseNotify(nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := b.client.Handle(fromServer); err != nil || !res.Closed {
		t.Errorf("client: closed %v, %v", res.Closed, err)
	}
	fromClient, err := b.client.Association().AppendCloseNotify(nil)
	if err != nil {
		t.Fatal(err)
	}
	forged := appendPlainRecord(nil, TypeAlert, version12, 9, []byte{2, 0})
	if b.server.Handle(testPeer, forged).Closed {
		t.Error("a forged alert closed the association")
	}
	if !b.server.Handle(testPeer, fromClient).Closed {
		t.Error("server: not closed")
	}
}

func TestNoCommonSuite(t *testing.T) {
	t.Parallel()
	b := newBed(t, variant{mode: ModePSK, suite: SuitePSKAES256GCM}, 1, 0)
	b.server.cfg.Suites = []uint16{SuitePSKChaCha20}
	first, err := b.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	res := b.server.Handle(testPeer, first[0])
	if len(res.Send) != 1 {
		t.Fatalf("got %d datagrams want an alert", len(res.Send))
	}
	if _, err := b.client.Handle(res.Send[0]); !errors.Is(err, ErrRefused) {
		t.Errorf("client: got %v want ErrRefused", err)
	}
}

func TestForeignSessionIDIsDropped(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		b := newBed(t, v, 1, 0)
		b.client.cfg.SessionID = bytes.Repeat([]byte{6}, sessionIDLen)
		first, err := b.client.Start()
		if err != nil {
			t.Fatal(err)
		}
		if res := b.server.Handle(testPeer, first[0]); len(res.Send) != 0 || b.server.Handshaking(testPeer) {
			t.Errorf("%s: a hello of another session was answered", v.name)
		}
	}
}

// A hello in small fragments, in any order, is put together.
func TestFragmentedHello(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		b := newBed(t, variants()[0], seed, 0)
		first, err := b.client.Start()
		if err != nil {
			t.Fatal(err)
		}
		parts := refragment(t, first[0], 40)
		b.rand.Shuffle(len(parts)-1, func(i, j int) { parts[i+1], parts[j+1] = parts[j+1], parts[i+1] })
		h, err := ParseClientHello(parts[0])
		if err != nil || !h.Partial || !bytes.Equal(h.SessionID, testSession) {
			t.Fatalf("first fragment: %+v, %v", h, err)
		}
		b.put(&b.toServer, parts)
		b.deliver()
		if b.server.Association() == nil {
			t.Fatalf("seed %d: not connected", seed)
		}
	}
}

// refragment cuts the message of a record into records of at most n bytes, with
// overlaps; the first holds random and session id.
func refragment(t *testing.T, datagram []byte, n int) [][]byte {
	t.Helper()
	f, _, err := nextFragment(recordPayload(datagram))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for at := 0; at < len(f.body); {
		end := min(at+n, len(f.body))
		if at == 0 {
			end = 80
		}
		from := max(0, at-5)
		m := []byte{f.typ}
		m = appendUint24(m, len(f.body))
		m = append(m, byte(f.seq>>8), byte(f.seq))
		m = appendUint24(m, from)
		m = appendUint24(m, end-from)
		m = append(m, f.body[from:end]...)
		out = append(out, appendPlainRecord(nil, TypeHandshake, version12, uint64(len(out)), m))
		at = end
	}
	return out
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	good := ServerConfig{Mode: ModeResume, MasterSecret: testMaster, SessionID: testSession, Suite: SuiteRSAAES128GCM}
	for _, c := range []struct {
		name   string
		change func(*ServerConfig)
		want   error
	}{
		{"as it is", func(*ServerConfig) {}, nil},
		{"short master secret", func(c *ServerConfig) { c.MasterSecret = testMaster[1:] }, ErrConfig},
		{"no session id", func(c *ServerConfig) { c.SessionID = nil }, ErrConfig},
		{"psk suite", func(c *ServerConfig) { c.Suite = SuitePSKAES128GCM }, ErrSuite},
		{"unknown suite", func(c *ServerConfig) { c.Suite = 0x002f }, ErrSuite},
		{"no psk", func(c *ServerConfig) { c.Mode = ModePSK }, ErrConfig},
		{"resume suite for psk", func(c *ServerConfig) { c.Mode, c.PSK, c.Suites = ModePSK, testPSK, []uint16{c.Suite} }, ErrSuite},
		{"unknown mode", func(c *ServerConfig) { c.Mode = 7 }, ErrConfig},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := NewServer(cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v want %v", c.name, err, c.want)
		}
	}
}

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		b := newBed(t, v, 1, 0)
		b.server.cfg.Rand = io.LimitReader(b.server.cfg.Rand, 3)
		first, err := b.client.Start()
		if err != nil {
			t.Fatal(err)
		}
		if res := b.server.Handle(testPeer, first[0]); len(res.Send) != 0 {
			t.Errorf("%s: answered without randomness", v.name)
		}
	}
}

// A flight is one datagram, so that a client has all of it or nothing.
func TestAFlightIsOneDatagram(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, v, 1, 0)
			b.run()
			if want := map[Mode]int{ModePSK: 2, ModeResume: 1}[v.mode]; b.answers != want {
				t.Errorf("the server answered with %d datagrams, want %d", b.answers, want)
			}
		})
	}
}
