// Package dtlstest makes DTLS associations for tests of what uses them.
package dtlstest

import (
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
)

// Pair makes an association by a whole handshake and returns the server's way to
// seal and the client's way to open.
func Pair(t testing.TB) (*dtls.Sealer, *dtls.Opener) {
	t.Helper()
	id, psk := make([]byte, 32), make([]byte, 32)
	server, err := dtls.NewServer(dtls.ServerConfig{Mode: dtls.ModePSK, SessionID: id, PSK: psk})
	if err != nil {
		t.Fatal(err)
	}
	client, err := dtls.NewClient(dtls.ClientConfig{Mode: dtls.ModePSK, SessionID: id, PSK: psk})
	if err != nil {
		t.Fatal(err)
	}
	from := netip.MustParseAddrPort("192.0.2.1:1")
	flight, err := client.Start()
	for err == nil && client.Association() == nil {
		var back [][]byte
		for _, d := range flight {
			back = append(back, server.Handle(from, d).Send...)
		}
		flight = nil
		for _, d := range back {
			res, handleErr := client.Handle(d)
			flight, err = append(flight, res.Send...), handleErr
		}
	}
	if err != nil || server.Association() == nil {
		t.Fatalf("no handshake: %v", err)
	}
	return server.Association().Sealer, client.Association().Opener
}
