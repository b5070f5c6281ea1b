// Package tlsrecord is the record layer of TLS 1.3 (RFC 8446, section 5), and of
// TLS 1.2 with an AEAD for servers (RFC 5246, section 6.2.3.3), for a connection whose handshake crypto/tls made: records are sealed and opened in
// memory that the caller owns, many for one system call, and nothing is
// allocated.
//
//	crypto/tls ── tls.Config.KeyLogWriter ─▶ KeyLog ── Keys ─▶ Opener, Sealer
//
// It takes over before the first record after the handshake, when both sequence
// numbers are zero, or one in TLS 1.2; from then on crypto/tls must neither read nor write.
//
// Invariants: a nonce is used once (a Sealer counts by itself and belongs to one
// goroutine at a time); what does not authenticate yields nothing; keys are
// renewed by KeyUpdate when the peer asks, and before they have sealed more than
// RFC 8446, section 5.5 allows.
package tlsrecord
