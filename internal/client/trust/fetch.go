package trust

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Permit is what a socket needs (internal/client/policy makes it).
type Permit interface {
	// Allows is an error while nothing may be sent.
	Allows() error
}

// Dialer opens the connection, by the profile's proxy where it has one.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Shown is what a server showed of itself. To show is not to be trusted: the
// person compares the pin with what the administrator told, and then it goes into
// the profile.
type Shown struct {
	Pin     string
	Names   string
	Issuer  string
	From    time.Time
	Until   time.Time
	Trusted error // nil: the profile's anchors hold without the pin
}

const fetchLimit = 15 * time.Second

// FetchPin asks a profile's server for its certificate, says nothing to it, and
// hangs up. It needs a permit as every socket does.
func FetchPin(ctx context.Context, permit Permit, p bundle.Profile, dial Dialer, c clock.Clock) (Shown, error) {
	if permit == nil {
		return Shown{}, ErrNoPermit
	}
	if err := permit.Allows(); err != nil {
		return Shown{}, err
	}
	anchors, err := Of(p, c)
	if err != nil {
		return Shown{}, err
	}
	host, _, err := net.SplitHostPort(p.Server)
	if err != nil {
		return Shown{}, fmt.Errorf("reading the server's address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	raw, err := dial(ctx, "tcp", p.Server)
	if err != nil {
		return Shown{}, errs.Wrap(errs.Unavailable, "trust.unreachable", err).With("host", p.Server)
	}
	defer func() { _ = raw.Close() }()
	return look(ctx, raw, host, anchors)
}

// errSeen ends a handshake of which all was seen that was wanted.
var errSeen = errors.New("seen")

func look(ctx context.Context, raw net.Conn, host string, a Anchors) (Shown, error) {
	var out Shown
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: true} // it is only looked at
	config.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return ErrNobody
		}
		leaf := s.PeerCertificates[0]
		out = Shown{
			Pin: Pin(leaf), Names: names(leaf), Issuer: issuer(leaf),
			From: leaf.NotBefore, Until: leaf.NotAfter, Trusted: a.Verify(host, s.PeerCertificates),
		}
		return errSeen
	}
	err := tls.Client(raw, config).HandshakeContext(ctx)
	if errors.Is(err, errSeen) {
		return out, nil
	}
	return Shown{}, errs.Wrap(errs.Unavailable, "trust.unreachable", err).With("host", host)
}
