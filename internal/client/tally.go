package client

import "sync/atomic"

// Traffic counts packets and their bytes, as they are inside the tunnel.
type Traffic struct{ Packets, Bytes uint64 }

// tally counts what went through a Link, a batch at a time. Control frames among
// data may be counted as bytes of it.
type tally struct {
	packetsUp, bytesUp     atomic.Uint64
	_                      [48]byte // the two directions run on two processors
	packetsDown, bytesDown atomic.Uint64
}

func (t *tally) up(packets, bytes int) {
	t.packetsUp.Add(uint64(packets))
	t.bytesUp.Add(uint64(bytes))
}

func (t *tally) down(packets, bytes int) {
	t.packetsDown.Add(uint64(packets))
	t.bytesDown.Add(uint64(max(bytes, 0)))
}

// read returns what went to the server and what came from it.
func (t *tally) read() (up, down Traffic) {
	return Traffic{t.packetsUp.Load(), t.bytesUp.Load()}, Traffic{t.packetsDown.Load(), t.bytesDown.Load()}
}
