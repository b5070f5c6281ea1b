// Package netns tests the gateway in network namespaces with stock
// openconnect: real kernel, real TLS and DTLS, real client. It needs root,
// openconnect, iproute2, nft and dovecot, and runs by
//
//	go test -tags netns ./test/netns/...
//
// Without root it fails; nothing is skipped. Each test makes namespaces of its
// own with unique names and removes them:
//
//	client (…c) 198.51.100.2 ── 198.51.100.1 node (…g) [br0] ── 10.77.0.2 LAN host (…l)
//	                                 gateway's own namespace ──┘ 10.77.0.1
//
// Another real peer needs no namespace: Debian's dovecot on loopback, from which
// the rights desk's mailbox reads.
package netns
