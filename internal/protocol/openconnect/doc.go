// Package openconnect is the wire format of the OpenConnect (AnyConnect) SSL
// VPN: the XML documents of authentication, the CONNECT request and its answer,
// the choice of the DTLS method, CSTP frames and the MTU arithmetic.
//
// It is not the session (timers, states, leases), not HTTP serving and not TLS:
// bytes and header maps in, bytes and values out. It opens no socket, reads no
// clock and starts no goroutine.
//
// Where its parts stand in the life of a session:
//
//	init, auth-reply  ParseDocument -> AuthRequest / Complete     (HTTP bodies)
//	CONNECT           ParseConnect -> ChooseDTLS -> ConnectResponse
//	tunnel            Parser, PutHeader, ParseDisconnect          (TLS stream)
//	                  SplitDatagram                               (DTLS records)
//
// Invariants:
//   - Input is bounded before it is parsed, in size and in depth; unknown elements,
//     headers and frame types are ignored, a bad frame header is an error.
//   - Lengths are compared as int before anything is sliced.
//   - Everything written into XML is escaped by encoding/xml; header values never
//     carry CR, LF or trailing blanks; header names are written in the exact case
//     that stock clients compare.
//   - Passwords, cookies and master secrets sit in types that print as "[secret]".
//
// Sources: draft-mavrogiannopoulos-openconnect, and what stock clients send.
package openconnect
