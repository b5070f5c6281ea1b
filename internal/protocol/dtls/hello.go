package dtls

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrNotHello says that a datagram does not begin with a ClientHello.
var ErrNotHello = errors.New("dtls: not a ClientHello")

// Hello is a ClientHello. Its slices alias the datagram it was parsed from.
type Hello struct {
	Random    []byte // 32 bytes
	SessionID []byte // the App-ID (PSK) or the session id of the CONNECT answer; at most 32 bytes
	Cookie    []byte // of a HelloVerifyRequest; empty in a first hello
	Suites    []uint16

	ExtendedMasterSecret bool
	Renegotiation        bool // renegotiation_info or its SCSV was sent
	RecordSizeLimit      int  // 0 when not offered

	// Partial says that the hello is the first of several fragments and only
	// Random and SessionID are known. A [Server] collects the rest.
	Partial bool

	MessageSeq uint16
	RecordSeq  uint64
}

// ParseClientHello reads the ClientHello at the start of a datagram of an
// unknown peer, so that its session can be looked up before any state is made.
// ErrNotHello for every other kind of datagram, other errors for broken ones;
// all of them are dropped silently.
func ParseClientHello(datagram []byte) (Hello, error) {
	record, _, err := NextRecord(datagram)
	if err != nil {
		return Hello{}, err
	}
	if record[0] != TypeHandshake || recordEpoch(record) != 0 {
		return Hello{}, ErrNotHello
	}
	f, _, err := nextFragment(recordPayload(record))
	if err != nil {
		return Hello{}, err
	}
	if f.typ != msgClientHello || f.offset != 0 {
		return Hello{}, ErrNotHello
	}
	h, err := parseHelloFragment(f)
	h.MessageSeq, h.RecordSeq = f.seq, recordSeq(record)
	return h, err
}

func parseHelloFragment(f fragment) (Hello, error) {
	if f.whole() {
		return parseHello(f.body)
	}
	r := reader{b: f.body}
	h := Hello{Partial: true}
	h.readStart(&r)
	if r.bad {
		return Hello{}, errMessage
	}
	return h, nil
}

// readStart reads version, random and session id.
func (h *Hello) readStart(r *reader) {
	if v := r.uint16(); v != version12 {
		r.bad = true
		return
	}
	h.Random = r.take(randomLen)
	h.SessionID = r.vector8()
	r.bad = r.bad || len(h.SessionID) > 32
}

func parseHello(body []byte) (Hello, error) {
	var h Hello
	r := reader{b: body}
	h.readStart(&r)
	h.Cookie = r.vector8()
	list := r.vector16()
	compression := r.vector8()
	if r.bad || len(list) == 0 || len(list)%2 != 0 || !slices.Contains(compression, 0) {
		return Hello{}, errMessage
	}
	for ; len(list) > 0; list = list[2:] {
		h.Suites = append(h.Suites, binary.BigEndian.Uint16(list))
	}
	h.Renegotiation = slices.Contains(h.Suites, scsvRenegotiation)
	r.eachExtension(h.readExtension)
	if r.bad {
		return Hello{}, errMessage
	}
	return h, nil
}

func (h *Hello) readExtension(typ int, data []byte) {
	switch {
	case typ == extExtendedMasterSecret && len(data) == 0:
		h.ExtendedMasterSecret = true
	case typ == extRenegotiationInfo && len(data) == 1 && data[0] == 0:
		h.Renegotiation = true
	case typ == extRecordSizeLimit && len(data) == 2:
		h.RecordSizeLimit = int(binary.BigEndian.Uint16(data))
	}
}

// AppendHelloVerify appends the datagram that asks a peer to repeat its hello
// with a cookie (at most 255 bytes, the caller's stateless choice). It is an
// option for a server under load: a known App-ID is checked without it.
func AppendHelloVerify(dst []byte, h Hello, cookie []byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, version10) // RFC 6347 4.2.1: 1.0, whatever is negotiated
	body = appendVector8(body, cookie)
	return appendPlainRecord(dst, TypeHandshake, version12, h.RecordSeq, appendMessage(nil, msgHelloVerifyRequest, 0, body))
}
