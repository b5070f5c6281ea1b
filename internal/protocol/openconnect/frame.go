package openconnect

import (
	"encoding/binary"
	"errors"
)

// Frame types of CSTP; on DTLS the same numbers are the first byte of a record's
// payload.
const (
	TypeData        = 0 // one IPv4 or IPv6 packet
	TypeDPDRequest  = 3 // answered with the same payload as TypeDPDResponse
	TypeDPDResponse = 4
	TypeDisconnect  = 5 // TLS only
	TypeKeepalive   = 7 // never answered
	TypeCompressed  = 8 // only when negotiated
	TypeTerminate   = 9 // server to client, TLS only: stop and do not come back

	// TypeGSO is a virtio-net header and a packet, perhaps of several segments with
	// the checksum left to the receiver's kernel; TLS only, and only when ExtGSO was
	// agreed to.
	TypeGSO = 0x40
)

const (
	// HeaderLen is the length of a CSTP frame header.
	HeaderLen = 8
	// MaxPayload is what fits into one TLS record beside the header.
	MaxPayload = 16384 - HeaderLen

	magic = 0x53544601 // "STF" 1
)

// PutHeader writes the header of a frame with n bytes of payload into b[:8]. n
// beyond MaxPayload is the caller's mistake and panics.
func PutHeader(b []byte, typ byte, n int) {
	if n < 0 || n > MaxPayload {
		panic("openconnect: frame longer than a TLS record")
	}
	binary.BigEndian.PutUint32(b, magic)
	binary.BigEndian.PutUint16(b[4:], uint16(n))
	b[6], b[7] = typ, 0
}

// AppendHeader appends the header of a frame with n bytes of payload.
func AppendHeader(b []byte, typ byte, n int) []byte {
	var h [HeaderLen]byte
	PutHeader(h[:], typ, n)
	return append(b, h[:]...)
}

// AppendFrame appends a whole frame. Exactly one frame goes into one TLS record:
// stock peers drop records with two and end the session on half ones.
func AppendFrame(b []byte, typ byte, payload []byte) []byte {
	return append(AppendHeader(b, typ, len(payload)), payload...)
}

// Frame is a frame received. Receivers ignore types that they do not know.
type Frame struct {
	Type    byte
	Payload []byte
}

// What Parser.Next returns instead of a frame.
var (
	// ErrMore is not a failure: all bytes were taken, a frame is still incomplete.
	ErrMore = errors.New("openconnect: incomplete frame")
	// ErrMagic means that the stream makes no sense; the connection must be closed.
	ErrMagic = errors.New("openconnect: not a CSTP frame")
	// ErrFrameSize means a length that no TLS record can hold; close as well.
	ErrFrameSize = errors.New("openconnect: CSTP frame too long")
)

// Parser cuts the bytes of a TLS stream into frames. It takes several frames of
// one read and frames cut over several reads, though stock peers send neither.
// The zero value is ready. It is used by one goroutine and allocates only at the
// first frame that a read cuts.
type Parser struct {
	// The halves of a cut frame collect in store[cur]. The two alternate, so that a
	// frame finished in one read survives the start of the next in the same read.
	store [2][]byte
	cur   int
}

// Next returns the first frame of in and the bytes after it. Call it until it
// returns ErrMore, then again with the bytes of the next read. ErrMagic and
// ErrFrameSize are final.
//
// The payload aliases in or the parser; it is valid until Next is called with
// the bytes of a later read.
func (p *Parser) Next(in []byte) (f Frame, rest []byte, err error) {
	if len(p.store[p.cur]) > 0 {
		return p.continued(in)
	}
	if len(in) < HeaderLen {
		return p.save(in)
	}
	n, err := frameLen(in)
	if err != nil {
		return Frame{}, nil, err
	}
	if len(in) < n {
		return p.save(in)
	}
	return Frame{in[6], in[HeaderLen:n:n]}, in[n:], nil
}

// save keeps the start of a frame. Its magic is checked as soon as it is there.
func (p *Parser) save(in []byte) (Frame, []byte, error) {
	if len(in) == 0 {
		return Frame{}, nil, ErrMore
	}
	b := p.store[p.cur]
	if b == nil {
		b = make([]byte, 0, HeaderLen+MaxPayload)
	}
	p.store[p.cur] = append(b, in...)
	return Frame{}, nil, ErrMore
}

// continued completes the header, then the payload, of the frame begun.
func (p *Parser) continued(in []byte) (Frame, []byte, error) {
	b := p.store[p.cur]
	if len(b) < HeaderLen {
		b, in = fill(b, in, HeaderLen)
		p.store[p.cur] = b
		if len(b) < HeaderLen {
			return Frame{}, nil, ErrMore
		}
	}
	n, err := frameLen(b)
	if err != nil {
		return Frame{}, nil, err
	}
	b, in = fill(b, in, n)
	p.store[p.cur] = b
	if len(b) < n {
		return Frame{}, nil, ErrMore
	}
	p.store[p.cur] = b[:0]
	p.cur = 1 - p.cur
	return Frame{b[6], b[HeaderLen:n:n]}, in, nil
}

// fill moves bytes from in to b until b has n.
func fill(b, in []byte, n int) (longer, rest []byte) {
	take := min(n-len(b), len(in))
	return append(b, in[:take]...), in[take:]
}

// frameLen checks a header and returns the length of the whole frame. The last
// byte must be zero: stock peers treat anything else as fatal.
func frameLen(h []byte) (int, error) {
	if binary.BigEndian.Uint32(h) != magic || h[7] != 0 {
		return 0, ErrMagic
	}
	n := int(binary.BigEndian.Uint16(h[4:]))
	if n > MaxPayload {
		return 0, ErrFrameSize
	}
	return HeaderLen + n, nil
}
