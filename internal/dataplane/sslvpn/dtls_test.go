package sslvpn

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// dtlsPeer is the UDP side of a client.
type dtlsPeer struct {
	t      *testing.T
	conn   net.Conn
	client *dtls.Client
	hello  []byte // what its handshake began with
}

// withDTLS attaches a session and returns its TLS side and a DTLS client that
// has not begun.
func (r *rig) withDTLS(name string) (*peer, *dtlsPeer) {
	r.t.Helper()
	p, cookie := r.dial(nil), ""
	cookie = p.login(name)
	h := p.connect(cookie, "X-DTLS-CipherSuite: AES128-SHA:PSK-NEGOTIATE")
	return p, r.dtlsFor(p, h.Get("X-Dtls-App-Id"))
}

func (r *rig) dtlsFor(p *peer, appID string) *dtlsPeer {
	r.t.Helper()
	id, err := hex.DecodeString(appID)
	if err != nil || len(id) != 32 {
		r.t.Fatalf("got App-ID %q", appID)
	}
	state := p.tls.ConnectionState()
	psk, err := state.ExportKeyingMaterial(openconnect.PSKExporterLabel, nil, 32)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := dtls.NewClient(dtls.ClientConfig{Mode: dtls.ModePSK, SessionID: id, PSK: psk})
	if err != nil {
		r.t.Fatal(err)
	}
	return &dtlsPeer{t: r.t, conn: r.dialUDP(), client: c}
}

func (r *rig) dialUDP() net.Conn {
	r.t.Helper()
	c, err := net.Dial("udp", r.addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(waitLimit))
	return c
}

func (d *dtlsPeer) write(b []byte) {
	d.t.Helper()
	if _, err := d.conn.Write(b); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dtlsPeer) read() []byte {
	d.t.Helper()
	b := make([]byte, 4096)
	n, err := d.conn.Read(b)
	if err != nil {
		d.t.Fatalf("reading a datagram: %v", err)
	}
	return b[:n]
}

func (d *dtlsPeer) handshake() {
	d.t.Helper()
	flight, err := d.client.Start()
	if err != nil {
		d.t.Fatal(err)
	}
	d.hello = bytes.Clone(flight[0])
	for d.client.Association() == nil {
		for _, b := range flight {
			d.write(b)
		}
		res, err := d.client.Handle(d.read())
		if err != nil {
			d.t.Fatal(err)
		}
		flight = res.Send
	}
}

// seal makes the datagram of one frame.
func (d *dtlsPeer) seal(typ byte, payload []byte) []byte {
	d.t.Helper()
	s := d.client.Association().Sealer
	seq, err := s.Reserve(1)
	if err != nil {
		d.t.Fatal(err)
	}
	return s.Seal(nil, seq, dtls.TypeApplicationData, append([]byte{typ}, payload...))
}

func (d *dtlsPeer) send(typ byte, payload []byte) { d.t.Helper(); d.write(d.seal(typ, payload)) }

func (d *dtlsPeer) frame() (byte, []byte) {
	d.t.Helper()
	record, _, err := dtls.NextRecord(d.read())
	if err != nil {
		d.t.Fatal(err)
	}
	_, plain, _, err := d.client.Association().Opener.Open(record)
	if err != nil || len(plain) == 0 {
		d.t.Fatalf("opening: %v", err)
	}
	return plain[0], plain[1:]
}

// uses waits until the session's data goes by a channel.
func (r *rig) uses(ch session.Channel) {
	r.t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(waitLimit)
	defer tick.Stop()
	for {
		if l := r.svc.Live(); len(l) > 0 && l[0].Transport == ch.String() {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			r.t.Fatalf("data does not go by %s", ch)
		}
	}
}

func TestDTLSTakesOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
	d.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		t.Errorf("got %x, want %x", got, up)
	}
	down := udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 1300))
	r.queue.Inject(down)
	if typ, got := d.frame(); typ != openconnect.TypeData || !bytes.Equal(got, down) {
		t.Errorf("got type %d with %d bytes, want the packet", typ, len(got))
	}
	probe := bytes.Repeat([]byte{7}, 1400)
	d.send(openconnect.TypeDPDRequest, probe)
	if typ, got := d.frame(); typ != openconnect.TypeDPDResponse || !bytes.Equal(got, probe) {
		t.Errorf("got type %d with %d bytes, want the probe echoed at its length", typ, len(got))
	}
	p.send(openconnect.TypeData, up) // the client falls back
	r.nextPacket()
	r.uses(session.TLS)
	d.send(openconnect.TypeData, up) // and comes again
	r.nextPacket()
	r.uses(session.DTLS)
}

func TestForbiddenPacketsAreDroppedOnDTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	d.send(openconnect.TypeData, udpPacket("10.98.0.3", "10.77.0.2", nil))
	d.send(openconnect.TypeData, udpPacket("10.98.0.2", "10.79.0.2", nil))
	replayed := d.seal(openconnect.TypeData, udpPacket("10.98.0.2", "10.77.0.2", []byte("once")))
	d.write(bytes.Clone(replayed))
	d.write(replayed)
	last := udpPacket("10.98.0.2", "10.77.0.2", []byte("last"))
	d.send(openconnect.TypeData, last)
	if got := r.nextPacket(); !bytes.HasSuffix(got, []byte("once")) {
		t.Errorf("got %x, want the allowed packet", got)
	}
	if got := r.nextPacket(); !bytes.Equal(got, last) {
		t.Errorf("got %x, want the replay dropped", got)
	}
}

func TestUnknownHelloIsSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, d := r.withDTLS("ann")
	stranger := r.dtlsFor(p, hex.EncodeToString(make([]byte, 32)))
	hello, err := stranger.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	stranger.write(hello[0])
	stranger.write([]byte("garbage"))
	d.handshake() // comes after on the same port, so the stranger's was taken
	_ = stranger.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := stranger.conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("got %d bytes, want silence", n)
	}
}

func TestAddressMovesOnNewerAuthenticRecordsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
	old := d.seal(openconnect.TypeData, up) // will be older than what follows
	d.send(openconnect.TypeData, up)
	r.nextPacket()

	attacker := r.dialUDP()
	forged := d.seal(openconnect.TypeData, up)
	forged[len(forged)-1] ^= 1
	for _, b := range [][]byte{old, forged} {
		if _, err := attacker.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("stays"))
	r.queue.Inject(down)
	if _, got := d.frame(); !bytes.Equal(got, down) {
		t.Errorf("got %x at the old address, want the packet", got)
	}

	d.conn = r.dialUDP() // the client's NAT gave it another port
	d.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		t.Errorf("got %x from the new address, want %x", got, up)
	}
	r.queue.Inject(down)
	if _, got := d.frame(); !bytes.Equal(got, down) {
		t.Errorf("got %x at the new address, want the packet", got)
	}
}

func TestDTLSMayBeginAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	h := p.connect(p.login("ann"), "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	for range 3 {
		d := r.dtlsFor(p, h.Get("X-Dtls-App-Id"))
		d.handshake()
		up := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
		d.send(openconnect.TypeData, up)
		r.nextPacket()
		down := udpPacket("10.77.0.2", "10.98.0.2", []byte("down"))
		r.queue.Inject(down)
		if _, got := d.frame(); !bytes.Equal(got, down) {
			t.Errorf("got %x, want the packet on the new association", got)
		}
	}
}

func TestNewTunnelVoidsTheOldAppID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	cookie := p.login("ann")
	old := r.dtlsFor(p, p.connect(cookie, "X-DTLS-CipherSuite: PSK-NEGOTIATE").Get("X-Dtls-App-Id"))
	q := r.dial(nil)
	d := r.dtlsFor(q, q.connect(cookie, "X-DTLS-CipherSuite: PSK-NEGOTIATE").Get("X-Dtls-App-Id"))
	hello, err := old.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	old.write(hello[0])
	d.handshake()
	_ = old.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := old.conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("got %d bytes for the old App-ID, want silence", n)
	}
}

// TestWildcardAnswersFromTheAddressAsked has a port bound to no address, and a
// client that knows the node by one that routing would not choose.
func TestWildcardAnswersFromTheAddressAsked(t *testing.T) {
	t.Parallel()
	for listen, dial := range map[string]string{"0.0.0.0": "127.0.0.9", "::": "::1"} {
		r := newRigAt(t, listen, dial)
		_, d := r.withDTLS("ann") // its UDP socket is connected: it hears dial only
		d.handshake()
		r.uses(session.DTLS)
		down := udpPacket("10.77.0.2", "10.98.0.2", []byte("down"))
		r.queue.Inject(down)
		if _, got := d.frame(); !bytes.Equal(got, down) {
			t.Errorf("%s: got %x, want the packet", dial, got)
		}
	}
}

// TestDTLSIsTurnedOffAndOnUnderASession: another server keeps the port open all
// the while. The session lives; its tunnels are made anew.
func TestDTLSIsTurnedOffAndOnUnderASession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.spec.SSLServers[0]
	other.ID, other.ServerNames, other.Pool = "sslsrv-2", []string{"two.example.com"}, netip.MustParsePrefix("10.99.0.0/24")
	r.spec.SSLServers = append(r.spec.SSLServers, other)
	r.apply()
	one := func() *peer { return r.dial(&tls.Config{ServerName: "one.example.com"}) }
	const psk = "X-DTLS-CipherSuite: PSK-NEGOTIATE"
	p := one()
	cookie := p.login("ann")
	first := r.dtlsFor(p, p.connect(cookie, psk).Get("X-Dtls-App-Id"))
	first.handshake()
	r.spec.SSLServers[0].UDP = false
	r.apply()
	if f, err := p.frame(); err == nil {
		t.Errorf("got frame %d, want the connection closed", f.Type)
	}
	p = one()
	if h := p.connect(cookie, psk); h.Get("X-Dtls-App-Id") != "" || h.Get("X-Cstp-Address") != "10.98.0.2" {
		t.Errorf("turned off: got %v", h)
	}
	first.send(openconnect.TypeData, udpPacket("10.98.0.2", "10.77.0.2", []byte("by the old way")))
	r.carries(p, "10.98.0.2")
	r.spec.SSLServers[0].UDP = true
	r.apply()
	r.carries(p, "10.98.0.2") // nothing hurries
	again := one()
	second := r.dtlsFor(again, again.connect(cookie, psk).Get("X-Dtls-App-Id"))
	second.handshake()
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("by the new way"))
	second.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		t.Errorf("turned on: got %x", got)
	}
	if n := len(r.svc.all()); n != 1 {
		t.Errorf("got %d sessions, want the one", n)
	}
}

// TestATunnelOfBeforeOffersDTLSInVain: its connection was taken under the former
// settings.
func TestATunnelOfBeforeOffersDTLSInVain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	cookie := p.login("ann")
	r.spec.SSLServers[0].UDP = false
	r.apply()
	p.connect(cookie, "X-DTLS-CipherSuite: PSK-NEGOTIATE")
	r.svc.mu.RLock()
	defer r.svc.mu.RUnlock()
	if len(r.svc.links) != 0 || len(r.svc.udp) != 0 {
		t.Errorf("got %d links and %d UDP ports", len(r.svc.links), len(r.svc.udp))
	}
}

// TestAReplayedHelloLeavesTheFastPath as it is: whoever sends the hello of a
// client again, from its address, begins no handshake.
func TestAReplayedHelloLeavesTheFastPath(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	r.uses(session.DTLS)
	d.write(d.hello)
	d.write(d.seal(openconnect.TypeDPDRequest, []byte("after it")))
	d.read() // both have been taken
	from := netip.MustParseAddrPort(d.conn.LocalAddr().String())
	r.svc.mu.RLock()
	defer r.svc.mu.RUnlock()
	for _, port := range r.svc.udp {
		if l, under := port.at(from); l == nil || under.link != nil {
			t.Errorf("got link %v, handshake %v, want a link and no handshake", l != nil, under.link != nil)
		}
	}
}
