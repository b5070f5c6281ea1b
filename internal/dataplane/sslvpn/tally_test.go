package sslvpn

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

func TestWhatHappensIsTallied(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	wrong := r.dial(nil)
	wrong.request(post(reply("ann", "no")))
	p, cookie := r.attached("ann")
	p.send(openconnect.TypeData, udpPacket("10.98.0.2", "10.78.0.2", nil)) // where it may not go
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("up"))
	p.send(openconnect.TypeData, up)
	r.nextPacket()
	r.queue.Inject(udpPacket("192.0.2.1", "10.98.0.2", nil))  // that it may not get
	r.queue.Inject(udpPacket("10.77.0.2", "10.98.0.77", nil)) // nobody's
	down := udpPacket("10.77.0.2", "10.98.0.2", []byte("down"))
	r.queue.Inject(down)
	if _, err := p.frame(); err != nil {
		t.Fatal(err)
	}
	want := Tally{
		Sessions: map[string]uint64{"tls": 1, "dtls": 0, "detached": 0},
		BytesIn:  uint64(len(up)), BytesOut: uint64(len(down)), PacketsIn: 1, PacketsOut: 1,
		Drops: map[string]uint64{
			DropNotAllowedUp: 1, DropNotAllowedDown: 1, DropNoSession: 1, DropDetached: 0, DropRateUp: 0, DropQueueDown: 0, DropTooBig: 0,
		},
		Handshakes: map[string]uint64{"tls ok": 2, "tls failed": 0, "dtls ok": 0},
		Logins:     map[string]uint64{"granted": 1, "refused": 0, "unavailable": 0}, Ended: map[string]uint64{},
		LoginFails: map[string]uint64{FailCredentials: 1, FailCertificate: 0, FailBanned: 0, FailRefused: 0, FailUnavailable: 0},
	}
	if d := cmp.Diff(want, r.svc.Tally()); d != "" {
		t.Errorf("live (-want +got):\n%s", d)
	}
	r.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonRevoked}})
	r.nextClosed()
	want.Sessions["tls"], want.Ended[gwlink.ReasonRevoked] = 0, 1
	if d := cmp.Diff(want, r.svc.Tally()); d != "" {
		t.Errorf("ended: totals may not fall (-want +got):\n%s", d)
	}
	if bytes.Contains([]byte(r.log.String()), []byte(cookie)) {
		t.Error("the log has the cookie")
	}
}

// TestACertificateAndSettingsAreReloadedUnderASession gives a server another
// certificate and other settings: who is connected stays, on the same
// connection; who comes next meets the new ones.
func TestACertificateAndSettingsAreReloadedUnderASession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, cookie := r.attached("ann")
	shown := func() [32]byte { return sha256.Sum256(r.dial(nil).tls.ConnectionState().PeerCertificates[0].Raw) }
	old := shown()
	for range 3 {
		delete(r.certs, "sslsrv-1")
		r.spec.SSLServers[0].Banner, r.spec.SSLServers[0].Keepalive = r.spec.SSLServers[0].Banner+"again ", 77
		r.spec.SSLServers[0].RevokedSerials = append(r.spec.SSLServers[0].RevokedSerials, "AB")
		r.apply()
	}
	if shown() == old {
		t.Error("the old certificate is shown still")
	}
	up := udpPacket("10.98.0.2", "10.77.0.2", []byte("still here"))
	p.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		t.Errorf("got %x, want %x", got, up)
	}
	if n := r.svc.Tally().Ended; len(n) != 0 {
		t.Errorf("sessions ended: %v", n)
	}
	if got := r.dial(nil).connect(cookie).Get("X-Cstp-Keepalive"); got != "77" {
		t.Errorf("a reconnect gets keep-alive %q, want the new one", got)
	}
}
