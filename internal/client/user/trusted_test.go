package user

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/trusted"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// TestATrustedNetworkIsAskedByThePolicysLeave: the question is a packet.
func TestATrustedNetworkIsAskedByThePolicysLeave(t *testing.T) {
	h, p, visits := home(t, &asked{yes: true}, func(_ context.Context, _ ipc.User, _ ipc.Request, send func(ipc.Answer) error) error {
		return send(ipc.Answer{Status: &ipc.Status{}})
	})
	questions := 0
	h.Detector = trusted.Detector{
		Domains: func() []string { return []string{"corp.example.org"} }, Interfaces: func() []string { return []string{"eth0"} },
		Dial: func(context.Context, string, string) (net.Conn, error) { questions++; return nil, errors.New("nobody") },
	}
	p.Options.TrustedNetworks = []bundle.TrustedNetwork{{Domain: "corp.example.org", Host: "10.1.0.1:443", Pin: "pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}
	up := func(g Given) error { return h.Up(t.Context(), p, g, func(ipc.Connection) {}) }
	if err := up(Given{}); !errors.Is(err, policy.ErrNotAccepted) || questions != 0 {
		t.Errorf("before the act: got %v after %d questions", err, questions)
	}
	h.decide(t, policy.Accept)
	if err := up(Given{}); errors.Is(err, ErrTrusted) || questions != 1 || visits() == 0 {
		t.Errorf("a host that is silent: got %v after %d questions, %d visits", err, questions, visits())
	}
	if _ = up(Given{Anyway: true}); questions != 1 {
		t.Error("asked though the person wants to connect anyway")
	}
	p.Options.KillSwitch = true
	if _ = up(Given{}); questions != 1 {
		t.Error("asked though there is a kill switch")
	}
}
