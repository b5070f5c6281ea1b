// Package dtls is the DTLS 1.2 core of the OpenConnect data channel: a full
// PSK handshake and a resumption from a master secret agreed elsewhere, for
// server and client, and the AEAD record layer below them.
//
// It is for the UDP channel of an SSL VPN only. There are no certificates, no
// renegotiation, no CBC, no DTLS 1.0 or 1.3, and no DTLS "0.9".
//
// The package is sans-IO: datagrams in, datagrams out. It opens no socket,
// reads no clock and starts no goroutine. A flight is one datagram, all of which
// comes or nothing: so a server needs no timer, it repeats its last flight when
// the peer repeats its own; a client tells its caller when to come back
// ([Client.Timeout], [Client.OnTimer]).
//
// One VPN session owns one [Server]:
//
//	           ClientHello            Finished verifies
//	(nothing) ------------> attempt -----------------> association <--.
//	                           |                            |         | the new one replaces the
//	                           | evicted, never verified    |         | old one at its Finished,
//	                           v                            v         | never earlier
//	                        dropped               new ClientHello: attempt beside it
//
// Invariants:
//   - What does not parse or does not authenticate is dropped without an answer.
//   - An association stays in use until the Finished of a newer handshake has
//     verified. A replayed ClientHello (the App-ID travels in clear) costs the
//     attacker's target one small answer and nothing else.
//   - Before a valid client Finished at most three bytes are sent for each byte
//     received. The flights are small enough (172 bytes in resume mode, 133 in PSK
//     mode) that no real client ever meets the bound; it is counted all the same.
//   - The replay window moves only after the AEAD has accepted the record.
//   - Memory per attempt is bounded by the reassembly limits in reassembly.go.
//
// Sources: RFC 5246, 6347, 4279, 5288, 5487, 5746, 7627, 7905, 8449, and what
// stock clients send.
package dtls
