package openconnect

import "errors"

// AppendDPDResponse appends the CSTP frame that answers a DPD request: the same
// payload, since some clients disconnect otherwise.
func AppendDPDResponse(b, payload []byte) []byte {
	return AppendFrame(b, TypeDPDResponse, payload)
}

// ErrEmptyDatagram says that a DTLS record has no type byte.
var ErrEmptyDatagram = errors.New("openconnect: DTLS record without a type")

// SplitDatagram splits the payload of a DTLS record into type byte and packet.
// The answer to a DPD request is the same bytes with datagram[0] set to
// TypeDPDResponse: equal length is what clients measure the path MTU by.
func SplitDatagram(datagram []byte) (Frame, error) {
	if len(datagram) == 0 {
		return Frame{}, ErrEmptyDatagram
	}
	return Frame{datagram[0], datagram[1:]}, nil
}

// Reasons that clients give in a DISCONNECT. Others are treated as temporary.
const (
	ReasonUser         = 0xb0 // the user disconnected
	ReasonLocalError   = 0x70
	ReasonReconnecting = 0x91
	ReasonPaused       = 0xd1
)

// Disconnect is the payload of TypeDisconnect. An empty one is legal.
type Disconnect struct {
	HasReason bool
	Reason    byte
	Text      string // the peer's words: unbounded by meaning, at most MaxPayload long
}

// ParseDisconnect reads a payload; there is no wrong one.
func ParseDisconnect(payload []byte) Disconnect {
	if len(payload) == 0 {
		return Disconnect{}
	}
	return Disconnect{HasReason: true, Reason: payload[0], Text: string(payload[1:])}
}

// AppendTo appends the payload, without a frame header.
func (d Disconnect) AppendTo(b []byte) []byte {
	if !d.HasReason {
		return b
	}
	return append(append(b, d.Reason), d.Text...)
}

// Ends tells whether a client's DISCONNECT invalidates its session. Otherwise
// the cookie stays valid for the client to come back.
func (d Disconnect) Ends() bool {
	return d.HasReason && (d.Reason == ReasonUser || d.Reason == ReasonLocalError)
}
