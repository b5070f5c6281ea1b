package dtls

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// testRand is a deterministic io.Reader.
type testRand struct{ *rand.Rand }

func (r testRand) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return len(b), nil
}

func newTestRand(seed uint64) testRand { return testRand{rand.New(rand.NewPCG(seed, 1))} }

var (
	testPSK     = bytes.Repeat([]byte{7}, pskLen)
	testMaster  = bytes.Repeat([]byte{9}, masterSecretLen)
	testSession = bytes.Repeat([]byte{5}, sessionIDLen)
)

// variant is one way of making a connection.
type variant struct {
	name   string
	mode   Mode
	suite  uint16
	ems    bool
	verify bool // the server sends a HelloVerifyRequest first
}

func variants() []variant {
	var out []variant
	for _, s := range suites {
		mode := ModeResume
		if s.psk {
			mode = ModePSK
		}
		for _, ems := range []bool{false, true} {
			if ems && mode == ModeResume {
				continue
			}
			for _, verify := range []bool{false, true} {
				name := fmt.Sprintf("%04x ems=%v verify=%v", s.id, ems, verify)
				out = append(out, variant{name, mode, s.id, ems, verify})
			}
		}
	}
	return out
}

func (v variant) configs(seed uint64) (ServerConfig, ClientConfig) {
	r := newTestRand(seed)
	s := ServerConfig{Mode: v.mode, SessionID: testSession, RecordSizeLimit: true, Rand: r}
	c := ClientConfig{Mode: v.mode, SessionID: testSession, Rand: r}
	if v.mode == ModePSK {
		s.PSK, c.PSK, c.Suites, c.ExtendedMasterSecret = testPSK, testPSK, []uint16{v.suite}, v.ems
	} else {
		s.MasterSecret, c.MasterSecret, s.Suite, c.Suite = testMaster, testMaster, v.suite, v.suite
	}
	return s, c
}

// bed is a client and a server with a link that loses, repeats and reorders,
// all by one seed.
type bed struct {
	t        *testing.T
	v        variant
	rand     testRand
	loss     int // percent
	client   *Client
	server   *Server
	cookie   []byte
	toServer [][]byte
	toClient [][]byte

	serverUp, clientUp int
	received, sent     int // of the server before it is up
	answers            int // datagrams of the server's handshake
	serverGot          [][]byte
}

func newBed(t *testing.T, v variant, seed uint64, loss int) *bed {
	t.Helper()
	sc, cc := v.configs(seed)
	server, err := NewServer(sc)
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(cc)
	if err != nil {
		t.Fatal(err)
	}
	return &bed{t: t, v: v, rand: newTestRand(seed), loss: loss, client: client, server: server, cookie: []byte("cookie")}
}

// put hands datagrams to a direction of the link.
func (b *bed) put(queue *[][]byte, datagrams [][]byte) {
	for _, d := range datagrams {
		for range b.copies() {
			at := b.rand.IntN(len(*queue) + 1)
			if b.loss == 0 {
				at = len(*queue)
			}
			*queue = slices.Insert(*queue, at, bytes.Clone(d))
		}
	}
}

func (b *bed) copies() int {
	switch n := b.rand.IntN(100); {
	case n < b.loss:
		return 0
	case n < b.loss+b.loss/2:
		return 2
	}
	return 1
}

// deliver moves what is on the link until it is empty.
func (b *bed) deliver() {
	for len(b.toServer)+len(b.toClient) > 0 {
		if len(b.toServer) > 0 {
			d := b.toServer[0]
			b.toServer = b.toServer[1:]
			b.atServer(d)
		}
		if len(b.toClient) > 0 {
			d := b.toClient[0]
			b.toClient = b.toClient[1:]
			b.atClient(d)
		}
	}
}

func (b *bed) atServer(d []byte) {
	if h, err := ParseClientHello(d); err == nil && b.v.verify && !bytes.Equal(h.Cookie, b.cookie) {
		b.put(&b.toClient, [][]byte{AppendHelloVerify(nil, h, b.cookie)})
		return
	}
	b.received += len(d)
	res := b.server.Handle(testPeer, d)
	if res.Established {
		b.serverUp++
	}
	for _, s := range res.Send {
		b.sent += len(s)
		b.answers++
	}
	if b.serverUp == 0 && b.sent > 3*b.received {
		b.t.Errorf("amplification: %d bytes sent for %d", b.sent, b.received)
	}
	for _, p := range res.Data {
		b.serverGot = append(b.serverGot, bytes.Clone(p))
	}
	b.put(&b.toClient, res.Send)
}

func (b *bed) atClient(d []byte) {
	res, err := b.client.Handle(d)
	if err != nil {
		b.t.Fatalf("client: %v", err)
	}
	if res.Established {
		b.clientUp++
	}
	b.put(&b.toServer, res.Send)
}

// run connects; a client that is up sends data as a real one does, which is what
// moves a server whose last flight was lost.
func (b *bed) run() {
	b.t.Helper()
	first, err := b.client.Start()
	if err != nil {
		b.t.Fatal(err)
	}
	b.put(&b.toServer, first)
	for range 500 {
		b.deliver()
		if b.serverUp > 0 && b.clientUp > 0 && len(b.serverGot) > 0 {
			return
		}
		if a := b.client.Association(); a != nil {
			d, err := a.appendRecord(nil, TypeApplicationData, []byte("hello"))
			if err != nil {
				b.t.Fatal(err)
			}
			b.put(&b.toServer, [][]byte{d})
		}
		b.put(&b.toServer, b.client.OnTimer())
	}
	b.t.Fatalf("not connected: server up %d, client up %d, data %d", b.serverUp, b.clientUp, len(b.serverGot))
}
