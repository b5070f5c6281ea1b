package sslvpn

import (
	"bytes"
	"encoding/hex"
	"net"
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
