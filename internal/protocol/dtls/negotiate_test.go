package dtls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func TestChoosePSK(t *testing.T) {
	t.Parallel()
	all := []uint16{SuitePSKAES128GCM, SuitePSKAES256GCM, SuitePSKChaCha20}
	gnutls := []uint16{0x00a9, 0xccab, 0xc0a5, 0x008d, 0x00a8, 0xc0a4, 0x008c, 0x00ae}
	for _, c := range []struct {
		name             string
		offered, allowed []uint16
		want             uint16
		err              error
	}{
		{"stock openconnect gets the cheap one", gnutls, all, SuitePSKAES128GCM, nil},
		{"our order decides", gnutls, []uint16{SuitePSKAES256GCM, SuitePSKAES128GCM}, SuitePSKAES256GCM, nil},
		{"a client without AES", []uint16{0x008c, SuitePSKChaCha20, SuitePSKAES128GCM}, all, SuitePSKChaCha20, nil},
		{"ChaCha not allowed", []uint16{SuitePSKChaCha20, SuitePSKAES256GCM}, []uint16{SuitePSKAES256GCM}, SuitePSKAES256GCM, nil},
		{"only CBC", []uint16{0x008d, 0x008c, scsvRenegotiation}, all, 0, ErrSuite},
		{"a resume suite", []uint16{SuiteRSAAES128GCM}, all, 0, ErrSuite},
		{"nothing", nil, all, 0, ErrSuite},
	} {
		s, err := choosePSK(c.offered, c.allowed)
		if !errors.Is(err, c.err) || err == nil && s.id != c.want {
			t.Errorf("%s: got %+v, %v want %04x, %v", c.name, s, err, c.want, c.err)
		}
	}
}

// offer is a ClientHello made for a test.
type offer struct {
	suites     []uint16
	extensions map[uint16][]byte
}

func (o offer) datagram() []byte {
	b := binary.BigEndian.AppendUint16(nil, version12)
	b = append(b, bytes.Repeat([]byte{1}, randomLen)...)
	b = appendVector8(b, testSession)
	b = append(b, 0) // no cookie
	b = binary.BigEndian.AppendUint16(b, uint16(2*len(o.suites)))
	for _, s := range o.suites {
		b = binary.BigEndian.AppendUint16(b, s)
	}
	b = append(b, 1, 0)
	var ext []byte
	for typ, data := range o.extensions {
		ext = appendExtension(ext, typ, data)
	}
	b = appendVector16(b, ext)
	return appendPlainRecord(nil, TypeHandshake, version10, 0, appendMessage(nil, msgClientHello, 0, b))
}

// answered lists the extension types of the ServerHello in a flight, and its
// session id.
func answered(t *testing.T, flight [][]byte) (types []int, sessionID []byte) {
	t.Helper()
	if len(flight) == 0 {
		t.Fatal("no answer")
	}
	f, _, err := nextFragment(recordPayload(flight[0]))
	if err != nil || f.typ != msgServerHello {
		t.Fatalf("not a ServerHello: %x, %v", flight[0], err)
	}
	r := reader{b: f.body}
	r.take(2 + randomLen)
	sessionID = r.vector8()
	r.take(3)
	r.eachExtension(func(typ int, _ []byte) { types = append(types, typ) })
	if r.bad {
		t.Fatalf("malformed ServerHello %x", f.body)
	}
	return types, sessionID
}

func TestServerHelloExtensions(t *testing.T) {
	t.Parallel()
	everything := map[uint16][]byte{
		extRenegotiationInfo: {0}, extExtendedMasterSecret: {}, extRecordSizeLimit: {0x40, 0}, 35: {}, 22: {}, 13: {0, 2, 4, 3},
	}
	const suite = SuitePSKAES128GCM
	for _, c := range []struct {
		name  string
		mode  Mode
		limit bool
		offer offer
		want  []int
	}{
		{"PSK, nothing offered", ModePSK, true, offer{suites: []uint16{suite}}, nil},
		{"PSK, SCSV", ModePSK, true, offer{suites: []uint16{suite, scsvRenegotiation}}, []int{extRenegotiationInfo}},
		{"PSK, renegotiation_info", ModePSK, true, offer{[]uint16{suite}, map[uint16][]byte{extRenegotiationInfo: {0}}}, []int{extRenegotiationInfo}},
		{"PSK, extended master secret", ModePSK, true, offer{[]uint16{suite}, map[uint16][]byte{extExtendedMasterSecret: {}}}, []int{extExtendedMasterSecret}},
		{"PSK, everything", ModePSK, true, offer{[]uint16{suite}, everything}, []int{extRenegotiationInfo, extExtendedMasterSecret, extRecordSizeLimit}},
		{"PSK, no limit configured", ModePSK, false, offer{[]uint16{suite}, everything}, []int{extRenegotiationInfo, extExtendedMasterSecret}},
		{"PSK, a small limit", ModePSK, true, offer{[]uint16{suite}, map[uint16][]byte{extRecordSizeLimit: {2, 0}}}, nil},
		{"resume, everything", ModeResume, true, offer{[]uint16{SuiteRSAAES128GCM, scsvRenegotiation}, everything}, []int{extRecordSizeLimit}},
		{"resume, no limit configured", ModeResume, false, offer{[]uint16{SuiteRSAAES128GCM, scsvRenegotiation}, everything}, nil},
	} {
		v := variant{mode: c.mode, suite: suite}
		if c.mode == ModeResume {
			v.suite = SuiteRSAAES128GCM
		}
		cfg, _ := v.configs(1)
		cfg.RecordSizeLimit = c.limit
		s, err := NewServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got, sessionID := answered(t, s.Handle(testPeer, c.offer.datagram()).Send)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v want %v", c.name, got, c.want)
		}
		if echoed := bytes.Equal(sessionID, testSession); echoed != (c.mode == ModeResume) {
			t.Errorf("%s: session id echoed: %v", c.name, echoed)
		}
	}
}

// In resume mode the client is done first, and its data may overtake its
// Finished or outlive the loss of it: nothing is taken before the Finished, a
// bounded part of it with it, and the client is asked to repeat itself.
func TestDataBeforeFinished(t *testing.T) {
	t.Parallel()
	b := newBed(t, variant{mode: ModeResume, suite: SuiteRSAAES256GCM}, 1, 0)
	hello, err := b.client.Start()
	if err != nil {
		t.Fatal(err)
	}
	var finished [][]byte
	for _, d := range b.server.Handle(testPeer, hello[0]).Send {
		res, err := b.client.Handle(d)
		if err != nil {
			t.Fatal(err)
		}
		finished = append(finished, res.Send...)
	}
	data := func() []byte {
		d, err := b.client.Association().appendRecord(nil, TypeApplicationData, []byte("data"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	repeats := 0
	for range 64 {
		res := b.server.Handle(testPeer, data())
		if len(res.Data) > 0 || res.Established {
			t.Fatal("data before Finished was taken")
		}
		if len(res.Send) > 0 {
			repeats++
		}
	}
	if repeats < 16 {
		t.Errorf("the flight was repeated %d times for 64 records", repeats)
	}
	res := b.server.Handle(testPeer, finished[0])
	if !res.Established {
		t.Fatal("not established")
	}
	if len(res.Data) != maxHeld || string(res.Data[0]) != "data" {
		t.Errorf("held: got %q", res.Data)
	}
	if res := b.server.Handle(testPeer, data()); len(res.Data) != 1 {
		t.Error("data after Finished was dropped")
	}
}

// Forged epoch 0 messages of any kind between the flights do not disturb the
// handshake.
func TestForgeriesBetweenFlights(t *testing.T) {
	t.Parallel()
	for seq := range uint16(6) {
		b := newBed(t, variant{mode: ModePSK, suite: SuitePSKAES128GCM}, 1, 0)
		hello, err := b.client.Start()
		if err != nil {
			t.Fatal(err)
		}
		b.atServer(hello[0])
		for _, typ := range []byte{0, 2, msgClientKeyExchange, msgFinished, 99} {
			for _, body := range [][]byte{nil, []byte("\x00\x03abc"), []byte("\x00\x03psk!"), make([]byte, 12)} {
				m := appendMessage(nil, typ, seq, body)
				b.server.Handle(testPeer, appendPlainRecord(nil, TypeHandshake, version12, 50, m))
			}
		}
		b.server.Handle(testPeer, appendPlainRecord(nil, TypeAlert, version12, 51, []byte{alertLevelFatal, 40}))
		b.deliver()
		if b.server.Association() == nil {
			t.Errorf("message_seq %d: forgeries stopped the handshake", seq)
		}
	}
}
