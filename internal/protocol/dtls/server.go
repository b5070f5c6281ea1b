package dtls

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"slices"
)

// Mode is the kind of handshake that the CONNECT answer announced.
type Mode int

const (
	// ModePSK is PSK-NEGOTIATE: a full handshake with the exported key.
	ModePSK Mode = iota
	// ModeResume resumes a session that never was, from the client's master secret.
	ModeResume
)

const (
	pskLen = 32
	// sessionIDLen is the length of App-IDs and of legacy session ids.
	sessionIDLen = 32
	// maxAttempts bounds the handshakes under way for one session, one per peer
	// address.
	maxAttempts = 4
)

// pskKeyExchange is the only ClientKeyExchange there can be: the literal
// identity of PSK-NEGOTIATE with its length. There is no hint.
var pskKeyExchange = []byte("\x00\x03psk")

// ErrConfig says that a ServerConfig or ClientConfig contradicts its mode.
var ErrConfig = errors.New("dtls: secret, session id or suite does not fit the mode")

// ServerConfig describes the DTLS side of one CONNECT.
type ServerConfig struct {
	Mode Mode

	PSK    []byte   // ModePSK: 32 bytes from the exporter of the CONNECT connection
	Suites []uint16 // ModePSK: allowed suites, preferred first; nil means 00a8, 00a9, ccab

	MasterSecret []byte // ModeResume: 48 bytes that the client chose
	Suite        uint16 // ModeResume: the one suite that CONNECT named

	// SessionID is what a hello must carry, others are dropped: the 32 bytes of the
	// App-ID (ModePSK, where nil skips the check) or of the session id that is
	// echoed (ModeResume).
	SessionID []byte

	// RecordSizeLimit answers a client's record_size_limit, where it restricts
	// nothing, with 16384.
	RecordSizeLimit bool

	Rand io.Reader // nil means crypto/rand
}

func (c *ServerConfig) validate() error {
	switch c.Mode {
	case ModePSK:
		if len(c.PSK) != pskLen {
			return ErrConfig
		}
		if c.SessionID != nil && len(c.SessionID) != sessionIDLen {
			return ErrConfig
		}
		return checkSuites(c.Suites, true)
	case ModeResume:
		if len(c.MasterSecret) != masterSecretLen || len(c.SessionID) != sessionIDLen {
			return ErrConfig
		}
		return checkSuites([]uint16{c.Suite}, false)
	}
	return ErrConfig
}

func checkSuites(ids []uint16, psk bool) error {
	for _, id := range ids {
		if s, err := suiteByID(id); err != nil || s.psk != psk {
			return ErrSuite
		}
	}
	return nil
}

// Server is the DTLS side of one VPN session, through any number of handshakes
// of its client. It is safe for one goroutine at a time; the Sealer of its
// association may be forked for others.
type Server struct {
	cfg      ServerConfig
	attempts []*attempt // oldest first, at most one per peer address
	current  *attempt   // whose Finished verified
}

// NewServer checks the configuration. ErrConfig and ErrSuite are mistakes of the
// caller, except that a client may have sent a bad master secret.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Mode == ModePSK && cfg.Suites == nil {
		cfg.Suites = []uint16{SuitePSKAES128GCM, SuitePSKAES256GCM, SuitePSKChaCha20}
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Server{cfg: cfg}, nil
}

// Result is what a datagram led to.
type Result struct {
	// Send holds datagrams for the peer that sent the datagram handled, in order.
	Send [][]byte
	// Data holds decrypted application payloads. They alias the datagram, except
	// those that came before the Finished of a handshake and were held for it.
	Data [][]byte
	// Established says that this datagram finished a handshake: the association
	// is new, and its peer is the sender.
	Established bool
	// Closed says that the peer ended the association with an authentic alert.
	Closed bool
}

// Association returns the association in use, nil before the first Finished. It
// changes only in a Handle that reports Established.
func (s *Server) Association() *Association {
	if s.current == nil {
		return nil
	}
	return s.current.assoc
}

// Handle processes one datagram from a peer address. It takes any datagram,
// also pure data, though a caller will open that itself with the association's
// Opener while not [Server.Handshaking]. Records that do not parse or
// authenticate are dropped.
//
// A datagram for which [ParseClientHello] succeeds must be brought to the Server
// of its session id, whoever used the peer address before.
func (s *Server) Handle(from netip.AddrPort, datagram []byte) Result {
	var res Result
	d := delivery{from: from, res: &res}
	if a := s.attemptOf(from); a != nil {
		a.received += len(datagram)
	}
	d.size = len(datagram)
	for len(datagram) > 0 {
		record, rest, err := NextRecord(datagram)
		if err != nil {
			break
		}
		datagram = rest
		if recordEpoch(record) == 0 {
			s.handlePlain(&d, record)
		} else {
			s.handleSealed(&d, record)
		}
	}
	return res
}

// delivery is one datagram on its way through Handle.
type delivery struct {
	from     netip.AddrPort
	size     int
	repeated bool // a last flight was repeated for it already
	res      *Result
}

// handlePlain takes the epoch 0 records of a handshake. ChangeCipherSpec says
// nothing that the epoch does not say, and unauthenticated alerts are noise.
func (s *Server) handlePlain(d *delivery, record []byte) {
	if record[0] != TypeHandshake {
		return
	}
	for b := recordPayload(record); len(b) > 0; {
		f, rest, err := nextFragment(b)
		if err != nil {
			return
		}
		b = rest
		if f.typ == msgClientHello {
			s.handleHello(d, f, record)
		} else if a := s.attemptOf(d.from); a != nil {
			a.handleKeyExchange(f)
		}
	}
}

// handleHello starts an attempt for a hello not seen before, or feeds and, when
// the hello is a repetition, repeats the flight of the one there is.
func (s *Server) handleHello(d *delivery, f fragment, record []byte) {
	h, err := parseHelloFragment(f)
	if f.offset == 0 && (err != nil || s.stale(h)) {
		return
	}
	a := s.attemptOf(d.from)
	if a == nil || !a.accepts(f) {
		a = newAttempt(&s.cfg, d.from, f.seq, recordSeq(record))
		a.received = d.size
		s.addAttempt(a)
	}
	if a.plain.add(f) {
		a.repeatFlight(d)
		return
	}
	a.advance(d)
}

// stale tells whether a hello is of another session, or is the one that led to
// the association in use and comes again, late or replayed.
func (s *Server) stale(h Hello) bool {
	if s.cfg.SessionID != nil && !bytes.Equal(h.SessionID, s.cfg.SessionID) {
		return true
	}
	return s.current != nil && bytes.Equal(h.Random, s.current.clientRandom)
}

// Handshaking tells whether a handshake is under way at a peer address. While it
// is, all datagrams of that address belong to Handle: a record may be of the old
// association or of the new one.
func (s *Server) Handshaking(from netip.AddrPort) bool { return s.attemptOf(from) != nil }

// Abandon ends a handshake under way at a peer address, if there is one. An
// association in use stays.
func (s *Server) Abandon(from netip.AddrPort) {
	s.attempts = slices.DeleteFunc(s.attempts, func(a *attempt) bool { return a.from == from })
}

func (s *Server) attemptOf(from netip.AddrPort) *attempt {
	for _, a := range s.attempts {
		if a.from == from {
			return a
		}
	}
	return nil
}

// addAttempt replaces the attempt of the same address, else evicts the oldest
// when there are too many.
func (s *Server) addAttempt(a *attempt) {
	for i, old := range s.attempts {
		if old.from == a.from {
			s.attempts[i] = a
			return
		}
	}
	if len(s.attempts) >= maxAttempts {
		copy(s.attempts, s.attempts[1:])
		s.attempts = s.attempts[:maxAttempts-1]
	}
	s.attempts = append(s.attempts, a)
}

// handleSealed takes an epoch 1 record: of the handshake under way at this
// address if it authenticates there, else of the association in use.
func (s *Server) handleSealed(d *delivery, record []byte) {
	if a := s.attemptOf(d.from); a != nil && a.handleSealed(d, record) {
		if a.done {
			s.current, s.attempts = a, nil
			d.res.Established = true
		}
		return
	}
	if s.current != nil {
		s.current.handleEstablished(d, record)
	}
}
