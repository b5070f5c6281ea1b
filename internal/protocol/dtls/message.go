package dtls

import (
	"encoding/binary"
	"errors"
)

// Handshake message types (RFC 5246 7.4, RFC 6347 4.3.2).
const (
	msgClientHello        = 1
	msgServerHello        = 2
	msgHelloVerifyRequest = 3
	msgServerKeyExchange  = 12
	msgServerHelloDone    = 14
	msgClientKeyExchange  = 16
	msgFinished           = 20

	handshakeHeaderLen = 12
)

// Extension types.
const (
	extExtendedMasterSecret = 23
	extRecordSizeLimit      = 28
	extRenegotiationInfo    = 0xff01
)

// errMessage covers everything wrong inside a handshake message.
var errMessage = errors.New("dtls: malformed handshake message")

// fragment is one handshake fragment of a record; body aliases the record.
type fragment struct {
	typ    byte
	length int // of the whole message
	seq    uint16
	offset int
	body   []byte
}

// whole tells whether the fragment is a complete message.
func (f fragment) whole() bool { return f.offset == 0 && len(f.body) == f.length }

// nextFragment cuts one fragment off the payload of a handshake record, which
// may hold several.
func nextFragment(b []byte) (f fragment, rest []byte, err error) {
	if len(b) < handshakeHeaderLen {
		return f, nil, errMessage
	}
	f = fragment{
		typ:    b[0],
		length: uint24(b[1:]),
		seq:    binary.BigEndian.Uint16(b[4:]),
		offset: uint24(b[6:]),
	}
	n := uint24(b[9:])
	if n > len(b)-handshakeHeaderLen || f.offset+n > f.length {
		return f, nil, errMessage
	}
	end := handshakeHeaderLen + n
	f.body = b[handshakeHeaderLen:end:end]
	return f, b[end:], nil
}

// appendMessage appends a handshake message in one fragment. This is also the
// form in which messages enter the transcript, however they were fragmented.
func appendMessage(b []byte, typ byte, seq uint16, body []byte) []byte {
	b = append(b, typ)
	b = appendUint24(b, len(body))
	b = binary.BigEndian.AppendUint16(b, seq)
	b = appendUint24(b, 0)
	b = appendUint24(b, len(body))
	return append(b, body...)
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func appendUint24(b []byte, n int) []byte {
	return append(b, byte(n>>16), byte(n>>8), byte(n))
}

// reader takes length-checked pieces off a message body. After a short read bad
// is set and everything read is empty.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) vector8() []byte  { return r.take(r.uint8()) }
func (r *reader) vector16() []byte { return r.take(r.uint16()) }

// eachExtension calls f for the extensions that end a hello. A hello without
// any is legal.
func (r *reader) eachExtension(f func(typ int, data []byte)) {
	if r.bad || len(r.b) == 0 {
		return
	}
	list := reader{b: r.vector16()}
	for len(list.b) > 0 {
		typ := list.uint16()
		data := list.vector16()
		if list.bad {
			break
		}
		f(typ, data)
	}
	r.bad = r.bad || list.bad || len(r.b) != 0
}

func appendVector8(b, v []byte) []byte {
	b = append(b, byte(len(v)))
	return append(b, v...)
}

func appendVector16(b, v []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
	return append(b, v...)
}

func appendExtension(b []byte, typ uint16, data []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, typ)
	return appendVector16(b, data)
}
