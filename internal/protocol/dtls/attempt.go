package dtls

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"net/netip"
	"slices"
)

// Bounds for data that comes before the Finished.
const (
	maxHeld      = 8
	maxHeldSize  = 2048
	earlyRepeats = 64
)

// attempt is one server handshake with one peer address; after its Finished it
// is the established association and remembers its last flight.
//
//	PSK:     hello -> [SH SHD]  -> key exchange -> Finished -> [CCS Finished] done
//	resume:  hello -> [SH CCS Finished]         -> Finished -> done
type attempt struct {
	core
	cfg  *ServerConfig
	from netip.AddrPort

	hello     Hello // aliases helloBody
	helloBody []byte

	received, sent int // bytes before the Finished
	earlyData      int // records that came before it
	held           [][]byte
}

// newAttempt starts the numbering where the hello stands (RFC 6347 4.2.1: after
// a HelloVerifyRequest the client's second hello has message_seq 1).
func newAttempt(cfg *ServerConfig, from netip.AddrPort, msgSeq uint16, recordSeq uint64) *attempt {
	a := &attempt{cfg: cfg, from: from}
	a.server, a.msgSeq, a.sendSeq = true, msgSeq, recordSeq
	a.plain.next = msgSeq
	return a
}

// accepts tells whether a ClientHello fragment belongs to this attempt: it
// repeats the hello seen, or continues one that is not complete yet.
func (a *attempt) accepts(f fragment) bool {
	if a.helloBody == nil {
		p := a.plain.parts[0]
		return p == nil || f.seq == a.plain.next && len(p.body) == f.length && p.agrees(f)
	}
	return f.length == len(a.helloBody) && bytes.Equal(a.helloBody[f.offset:f.offset+len(f.body)], f.body)
}

// agrees tells whether a fragment repeats what is known of a message.
func (p *partial) agrees(f fragment) bool {
	for i, c := range f.body {
		if at := f.offset + i; p.have[at] && p.body[at] != c {
			return false
		}
	}
	return true
}

// advance processes the hello once it is complete.
func (a *attempt) advance(d *delivery) {
	if a.helloBody != nil {
		return
	}
	if m, ok := a.plain.pop(); ok && m.typ == msgClientHello {
		a.handleHello(d, m)
	}
}

func (a *attempt) handleHello(d *delivery, m message) {
	h, err := parseHello(m.body)
	a.helloBody = m.body
	if err != nil {
		return
	}
	a.hello, a.clientRandom = h, bytes.Clone(h.Random)
	if a.suite, err = a.cfg.choose(h); err != nil {
		a.refuse(d)
		return
	}
	a.transcript.add(m.typ, m.seq, m.body)
	if a.cfg.Mode == ModeResume {
		a.answerResume(d)
	} else {
		a.answerPSK(d)
	}
}

// choose checks a hello against the configuration and picks the suite.
func (c *ServerConfig) choose(h Hello) (*suite, error) {
	if c.Mode == ModePSK {
		return choosePSK(h.Suites, c.Suites)
	}
	if !slices.Contains(h.Suites, c.Suite) {
		return nil, ErrSuite
	}
	return suiteByID(c.Suite)
}

// refuse lets a client that shares no suite fall back at once. The answer is
// shorter than the hello and binds nobody.
func (a *attempt) refuse(d *delivery) {
	a.suite = nil
	a.flight = []outRecord{{typ: TypeAlert, version: version12, payload: []byte{alertLevelFatal, alertHandshakeFailure}}}
	a.repeatFlight(d)
}

func (a *attempt) answerPSK(d *delivery) {
	random, sessionID := make([]byte, randomLen), make([]byte, sessionIDLen)
	if !a.readRandom(random, sessionID) {
		return
	}
	hello := a.addMessage(msgServerHello, a.serverHello(random, sessionID))
	done := a.addMessage(msgServerHelloDone, nil)
	a.flight = []outRecord{handshakeRecord(hello), handshakeRecord(done)}
	a.repeatFlight(d)
}

func (a *attempt) answerResume(d *delivery) {
	random := make([]byte, randomLen)
	if !a.readRandom(random) {
		return
	}
	hello := a.addMessage(msgServerHello, a.serverHello(random, a.cfg.SessionID))
	a.master = a.cfg.MasterSecret
	if !a.makeKeys() {
		return
	}
	a.flight = append([]outRecord{handshakeRecord(hello)}, a.finishedFlight()...)
	a.repeatFlight(d)
}

// readRandom fills the buffers; without randomness there is no handshake.
func (a *attempt) readRandom(bufs ...[]byte) bool {
	for _, b := range bufs {
		if _, err := io.ReadFull(a.cfg.Rand, b); err != nil {
			a.suite = nil
			return false
		}
	}
	return true
}

func (a *attempt) serverHello(random, sessionID []byte) []byte {
	a.serverRandom = random
	b := binary.BigEndian.AppendUint16(nil, version12)
	b = append(b, random...)
	b = appendVector8(b, sessionID)
	b = binary.BigEndian.AppendUint16(b, a.suite.id)
	b = append(b, 0) // null compression
	if ext := a.extensions(); len(ext) > 0 {
		b = appendVector16(b, ext)
	}
	return b
}

// extensions answers what was offered. In resume mode the client's stack must
// believe in a session of a server without renegotiation_info and extended
// master secret, so neither is ever sent there.
func (a *attempt) extensions() []byte {
	var b []byte
	if a.cfg.Mode == ModePSK && a.hello.Renegotiation {
		b = appendExtension(b, extRenegotiationInfo, []byte{0})
	}
	if a.ems() {
		b = appendExtension(b, extExtendedMasterSecret, nil)
	}
	if a.cfg.RecordSizeLimit && a.hello.RecordSizeLimit >= maxPlaintext {
		b = appendExtension(b, extRecordSizeLimit, binary.BigEndian.AppendUint16(nil, maxPlaintext))
	}
	return b
}

func (a *attempt) ems() bool { return a.cfg.Mode == ModePSK && a.hello.ExtendedMasterSecret }

// handleKeyExchange takes the one ClientKeyExchange there can be. Nothing else
// is collected in epoch 0 after the hello, so that forged fragments can not
// stand in its way.
func (a *attempt) handleKeyExchange(f fragment) {
	ready := a.cfg.Mode == ModePSK && a.suite != nil && !a.sealedReady && !a.done
	if !ready || f.typ != msgClientKeyExchange || f.seq != a.plain.next || !f.whole() || !bytes.Equal(f.body, pskKeyExchange) {
		return
	}
	a.plain.next++
	a.transcript.add(f.typ, f.seq, f.body)
	a.makePSK(a.cfg.PSK, a.ems())
}

// handleSealed takes an epoch 1 record of a handshake under way and reports
// whether it authenticated. A copy is decrypted, because the record may belong
// to the association in use instead.
func (a *attempt) handleSealed(d *delivery, record []byte) bool {
	if record[0] == TypeApplicationData && a.cfg.Mode == ModePSK {
		return false // nothing is sent before our Finished there
	}
	if !a.sealedReady || recordEpoch(record) != 1 || !a.assoc.Opener.Fresh(recordSeq(record)) {
		return false
	}
	typ, plaintext, seq, err := a.assoc.Opener.Decrypt(nil, record)
	if err != nil || !a.assoc.Opener.Accept(seq) {
		return false
	}
	switch typ {
	case TypeHandshake:
		a.handleFinished(d, plaintext)
	case TypeApplicationData:
		a.handleEarly(d, plaintext)
	}
	return true
}

// handleEarly takes data that came before the Finished, which happens in resume
// mode. A little is held, because it may just have overtaken the Finished and a
// client measures the path MTU with it; the rest is dropped. It also shows that
// the client is done, so the flight is repeated to make it repeat its own. A
// client may ignore that for a second after it last sent (GnuTLS does), so it is
// done for many records, but not for each one of a fast upload.
func (a *attempt) handleEarly(d *delivery, plaintext []byte) {
	if len(a.held) < maxHeld && len(plaintext) <= maxHeldSize {
		a.held = append(a.held, plaintext)
	}
	a.earlyData++
	if a.earlyData <= earlyRepeats || a.earlyData%earlyRepeats == 0 {
		a.repeatFlight(d)
	}
}

func (a *attempt) handleFinished(d *delivery, payload []byte) {
	for len(payload) > 0 {
		f, rest, err := nextFragment(payload)
		if err != nil {
			return
		}
		payload = rest
		if a.sealed.add(f) && a.done {
			a.repeatFlight(d)
		}
		if m, ok := a.sealed.pop(); ok && !a.done {
			a.verify(d, m)
		}
	}
}

// verify compares the client's Finished; a wrong one ends the attempt for good.
func (a *attempt) verify(d *delivery, m message) {
	if m.typ != msgFinished || !hmac.Equal(m.body, a.verifyData(false)) {
		a.sealedReady = false
		return
	}
	a.transcript.add(m.typ, m.seq, m.body)
	a.done = true
	if a.cfg.Mode == ModePSK {
		a.flight = a.finishedFlight()
		a.repeatFlight(d)
	}
	d.res.Data = append(d.res.Data, a.held...)
	a.held = nil
	a.forget()
	a.hello, a.helloBody = Hello{}, nil
}

// handleEstablished takes an epoch 1 record of the association in use.
func (a *attempt) handleEstablished(d *delivery, record []byte) {
	typ, plaintext, _, err := a.assoc.Opener.Open(record)
	if err != nil {
		return
	}
	switch typ {
	case TypeApplicationData:
		d.res.Data = append(d.res.Data, plaintext)
	case TypeAlert:
		d.res.Closed = d.res.Closed || closes(plaintext)
	case TypeHandshake:
		a.handleFinished(d, plaintext)
	}
}

// repeatFlight sends the last flight, at most once for each datagram received
// and, before the Finished, at most three bytes for each byte received. In PSK
// mode after the handshake only an authentic repetition of the client's Finished
// leads here.
func (a *attempt) repeatFlight(d *delivery) {
	size := a.flightSize()
	if d.repeated || !a.done && a.sent+size > 3*a.received {
		return
	}
	d.repeated = true
	a.sent += size
	d.res.Send = append(d.res.Send, a.sealFlight())
}
