package netio

import "net/netip"

// Messages is the most messages of one batch, in both directions.
const Messages = 64

const (
	maxSegments = 64 // of one UDP_SEGMENT send (Linux UDP_MAX_SEGMENTS)
	maxSend     = 65535 - 8 - 40
)

// Datagrams are received bytes from one peer: segments of size each, the last
// perhaps shorter.
type Datagrams struct {
	From Endpoint
	Data []byte
	Size int
}

// Endpoint is a peer, and the local address that it knows us by, which is
// invalid where the socket is bound to one.
type Endpoint struct {
	Peer  netip.AddrPort
	Local netip.Addr
}
