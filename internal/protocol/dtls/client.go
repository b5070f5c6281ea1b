package dtls

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"
)

// Retransmission of RFC 6347 4.2.4.1: a second, doubling to a minute.
const (
	firstTimeout = time.Second
	lastTimeout  = time.Minute
)

// Errors that end a client's handshake.
var (
	ErrRefused    = errors.New("dtls: the server refused the handshake")
	ErrNotResumed = errors.New("dtls: the server did not resume the session")
	ErrHandshake  = errors.New("dtls: the server's handshake is not acceptable")
)

// ClientConfig describes what a CONNECT answer asked for.
type ClientConfig struct {
	Mode Mode

	SessionID []byte // the 32 bytes of X-DTLS-App-ID or X-DTLS-Session-ID

	PSK                  []byte   // ModePSK
	Suites               []uint16 // ModePSK: in order of preference; nil means 00a9, 00a8, ccab
	ExtendedMasterSecret bool     // ModePSK: offer RFC 7627

	MasterSecret []byte // ModeResume
	Suite        uint16 // ModeResume

	Rand io.Reader // nil means crypto/rand
}

func (c *ClientConfig) validate() error {
	s := ServerConfig{Mode: c.Mode, PSK: c.PSK, Suites: c.Suites, MasterSecret: c.MasterSecret, Suite: c.Suite, SessionID: c.SessionID}
	if len(c.SessionID) != sessionIDLen {
		return ErrConfig
	}
	return s.validate()
}

// Client runs one handshake and then keeps its association. One goroutine at a
// time; the association's Sealer may be forked for others.
//
//	Start -> hello -> (HelloVerifyRequest -> hello) -> PSK: key exchange, Finished -> done
//	                                                -> resume: Finished <- done
type Client struct {
	core
	cfg     ClientConfig
	cookie  []byte
	timeout time.Duration
	failed  error

	ems    bool
	hello2 bool // the hello with a cookie was sent
}

// NewClient checks the configuration; ErrConfig and ErrSuite as in [NewServer].
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Mode == ModePSK && cfg.Suites == nil {
		cfg.Suites = []uint16{SuitePSKAES256GCM, SuitePSKAES128GCM, SuitePSKChaCha20}
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Client{cfg: cfg, timeout: firstTimeout}, nil
}

// Start returns the first flight. It is called once; an error comes from Rand.
func (c *Client) Start() ([][]byte, error) {
	c.clientRandom = make([]byte, randomLen)
	if _, err := io.ReadFull(c.cfg.Rand, c.clientRandom); err != nil {
		c.failed = err
		return nil, err
	}
	c.sendHello()
	return [][]byte{c.sealFlight()}, nil
}

// Association returns the association, nil before the server's Finished.
func (c *Client) Association() *Association {
	if !c.done {
		return nil
	}
	return c.assoc
}

// Timeout is how long to wait after the last flight before OnTimer is due; zero
// when the handshake is over, for good or bad. How often to try is the caller's
// choice.
func (c *Client) Timeout() time.Duration {
	if c.done || c.failed != nil {
		return 0
	}
	return c.timeout
}

// OnTimer returns the last flight again and doubles the timeout.
func (c *Client) OnTimer() [][]byte {
	if c.Timeout() == 0 {
		return nil
	}
	c.timeout = min(2*c.timeout, lastTimeout)
	return [][]byte{c.sealFlight()}
}

// Handle processes one datagram of the server. An error means that the handshake
// has failed for good; after it, and before Start, nothing is processed.
func (c *Client) Handle(datagram []byte) (Result, error) {
	var res Result
	d := delivery{res: &res}
	for len(datagram) > 0 && c.failed == nil && c.clientRandom != nil {
		record, rest, err := NextRecord(datagram)
		if err != nil {
			break
		}
		datagram = rest
		if recordEpoch(record) == 0 {
			c.handlePlain(&d, record)
		} else {
			c.handleSealed(&d, record)
		}
	}
	return res, c.failed
}

func (c *Client) handlePlain(d *delivery, record []byte) {
	if c.done {
		return
	}
	if p := recordPayload(record); record[0] == TypeAlert && !c.sealedReady && len(p) == 2 && p[0] == alertLevelFatal {
		c.failed = ErrRefused
	}
	if record[0] != TypeHandshake {
		return
	}
	for b := recordPayload(record); len(b) > 0; {
		f, rest, err := nextFragment(b)
		if err != nil {
			return
		}
		b = rest
		c.plain.add(f)
	}
	for m, ok := c.plain.pop(); ok && c.failed == nil; m, ok = c.plain.pop() {
		c.handleMessage(d, m)
	}
}

func (c *Client) handleMessage(d *delivery, m message) {
	switch {
	case m.typ == msgHelloVerifyRequest && c.suite == nil && !c.hello2:
		c.handleHelloVerify(d, m)
	case m.typ == msgServerHello && c.suite == nil:
		c.handleServerHello(m)
	case m.typ == msgServerKeyExchange && c.suite != nil && c.cfg.Mode == ModePSK:
		c.transcript.add(m.typ, m.seq, m.body) // a hint, which is of no use here
	case m.typ == msgServerHelloDone && c.suite != nil && c.cfg.Mode == ModePSK && !c.sealedReady:
		c.handleServerHelloDone(d, m)
	default:
		c.failed = ErrHandshake
	}
}

// handleHelloVerify repeats the hello with the cookie; neither message nor the
// first hello enters the transcript (RFC 6347 4.2.1).
func (c *Client) handleHelloVerify(d *delivery, m message) {
	r := reader{b: m.body}
	r.uint16() // version, which binds nobody
	c.cookie = r.vector8()
	if r.bad {
		c.failed = ErrHandshake
		return
	}
	c.transcript, c.hello2 = transcript{}, true
	c.sendHello()
	c.send(d)
}

func (c *Client) sendHello() {
	m := c.addMessage(msgClientHello, c.clientHello())
	c.flight = []outRecord{{typ: TypeHandshake, version: version10, payload: m}}
}

func (c *Client) clientHello() []byte {
	offered := c.cfg.Suites
	if c.cfg.Mode == ModeResume {
		offered = []uint16{c.cfg.Suite}
	}
	b := binary.BigEndian.AppendUint16(nil, version12)
	b = append(b, c.clientRandom...)
	b = appendVector8(b, c.cfg.SessionID)
	b = appendVector8(b, c.cookie)
	b = binary.BigEndian.AppendUint16(b, uint16(2*len(offered)))
	for _, id := range offered {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	b = append(b, 1, 0) // null compression only
	if ext := c.extensions(); len(ext) > 0 {
		b = appendVector16(b, ext)
	}
	return b
}

func (c *Client) extensions() []byte {
	if c.cfg.Mode == ModeResume {
		return nil
	}
	b := appendExtension(nil, extRenegotiationInfo, []byte{0})
	if c.cfg.ExtendedMasterSecret {
		b = appendExtension(b, extExtendedMasterSecret, nil)
	}
	return b
}

func (c *Client) handleServerHello(m message) {
	r := reader{b: m.body}
	version := r.uint16()
	c.serverRandom = slices.Clone(r.take(randomLen))
	sessionID := r.vector8()
	id := uint16(r.uint16())
	compression := r.uint8()
	r.eachExtension(func(typ int, data []byte) {
		c.ems = c.ems || typ == extExtendedMasterSecret && len(data) == 0
	})
	if r.bad || version != version12 || compression != 0 || !c.offered(id) || c.ems && !c.cfg.ExtendedMasterSecret {
		c.failed = ErrHandshake
		return
	}
	c.suite, _ = suiteByID(id) // offered, so known
	c.transcript.add(m.typ, m.seq, m.body)
	if c.cfg.Mode == ModePSK {
		return
	}
	if !slices.Equal(sessionID, c.cfg.SessionID) {
		c.failed = ErrNotResumed
		return
	}
	c.master = c.cfg.MasterSecret
	c.makeKeys()
}

func (c *Client) offered(id uint16) bool {
	if c.cfg.Mode == ModeResume {
		return id == c.cfg.Suite
	}
	return slices.Contains(c.cfg.Suites, id)
}

func (c *Client) handleServerHelloDone(d *delivery, m message) {
	c.transcript.add(m.typ, m.seq, m.body)
	exchange := c.addMessage(msgClientKeyExchange, pskKeyExchange)
	if !c.makePSK(c.cfg.PSK, c.ems) {
		c.failed = ErrHandshake
		return
	}
	c.flight = append([]outRecord{handshakeRecord(exchange)}, c.finishedFlight()...)
	c.send(d)
}

// send puts the flight into the result and starts the timer afresh.
func (c *Client) send(d *delivery) {
	c.timeout = firstTimeout
	d.repeated = true
	d.res.Send = append(d.res.Send, c.sealFlight())
}

func (c *Client) handleSealed(d *delivery, record []byte) {
	if !c.sealedReady {
		return
	}
	typ, plaintext, _, err := c.assoc.Opener.Open(record)
	if err != nil {
		return
	}
	switch {
	case typ == TypeHandshake:
		c.handleFinished(d, plaintext)
	case typ == TypeApplicationData && c.done:
		d.res.Data = append(d.res.Data, plaintext)
	case typ == TypeAlert && closes(plaintext):
		d.res.Closed = true
		if !c.done {
			c.failed = ErrRefused
		}
	}
}

func (c *Client) handleFinished(d *delivery, payload []byte) {
	for len(payload) > 0 && c.failed == nil {
		f, rest, err := nextFragment(payload)
		if err != nil {
			return
		}
		payload = rest
		if c.sealed.add(f) && c.done && c.cfg.Mode == ModeResume && !d.repeated {
			c.send(d)
		}
		if m, ok := c.sealed.pop(); ok && !c.done {
			c.verify(d, m)
		}
	}
}

func (c *Client) verify(d *delivery, m message) {
	if m.typ != msgFinished || !hmac.Equal(m.body, c.verifyData(true)) {
		c.failed = ErrHandshake
		return
	}
	c.transcript.add(m.typ, m.seq, m.body)
	if c.cfg.Mode == ModeResume {
		c.flight = c.finishedFlight()
		c.send(d)
	}
	c.done = true
	d.res.Established = true
	c.forget()
}
