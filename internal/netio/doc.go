// Package netio is the way of packets between memory and the network: UDP
// ports and TLS streams that work in batches, and the chunks of packets that
// are sealed in place for them.
//
// It is shared by both ends of a tunnel. It knows no session, no route and no
// rule about who may send what; it opens only what it is told to.
//
//	tun.Segments ──▶ Chunk ── DTLSWriter ──▶ Socket   runs of equal records, one message each
//	                       └─ TLS ────────▶ Conn     one frame per record, many records per write
//	Socket ── Receiver ──▶ Buffers                    coalesced datagrams, many per call
//	Conn   ── TLS ──▶ memory                          one read feeds many records
//
// Invariants: a chunk and a batch of buffers have one owner at a time; nothing
// here allocates per packet once warm; datagrams may be lost, records never.
package netio
