// Package trusted tells whether this machine stands in a network of its operator,
// where no VPN is needed.
//
//	domain of the resolver ──▶ a network's? ──▶ TLS to its host, beside every tunnel ──▶ the pinned key?
//
// A name of a network proves nothing: whoever runs a hotspot chooses it, as he
// chooses the domain that DHCP hands out. The proof is the key of a host that is
// reachable inside alone. The domain only keeps the question from being asked in
// every café.
//
// It changes nothing and keeps nothing. See docs/decisions/0035-trusted-networks.md.
package trusted

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// answerLimit is for a host's handshake: it is near, or not there.
const answerLimit = 3 * time.Second

// Detector asks. The zero value asks this machine; tests have others.
type Detector struct {
	// Domains are those that the machine's resolver searches; nil = of Files.
	Domains func() []string
	Files   []string // in the form of resolv.conf; none = the system's
	// Interfaces are those to ask by, without tunnels; nil = the machine's.
	Interfaces func() []string
	// Dial reaches host:port by one interface; nil = the system's.
	Dial func(ctx context.Context, by, address string) (net.Conn, error)
}

// At returns the domain of the first of the networks that proved itself; "" for
// none. A packet leaves only where the domain fits, so the policy has to be
// accepted before.
func (d Detector) At(ctx context.Context, networks []bundle.TrustedNetwork) string {
	if len(networks) == 0 {
		return ""
	}
	here := d.domains()
	for _, n := range networks {
		if slices.ContainsFunc(here, func(have string) bool { return within(have, n.Domain) }) && d.proves(ctx, n) {
			return n.Domain
		}
	}
	return ""
}

// within tells whether a domain is another or below it.
func within(have, want string) bool {
	have, want = strings.ToLower(strings.TrimSuffix(have, ".")), strings.ToLower(want)
	return have == want || strings.HasSuffix(have, "."+want)
}

// proves asks a network's host by every interface at once.
func (d Detector) proves(ctx context.Context, n bundle.TrustedNetwork) bool {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	all := d.interfaces()
	said := make(chan bool, len(all))
	for _, by := range all {
		go func() { said <- d.ask(ctx, by, n) == nil }()
	}
	for range all {
		if <-said {
			return true
		}
	}
	return false
}

// ask does a handshake with the host. It sends no name and no certificate.
func (d Detector) ask(ctx context.Context, by string, n bundle.TrustedNetwork) error {
	dial := d.Dial
	if dial == nil {
		dial = dialBy
	}
	raw, err := dial(ctx, by, n.Host)
	if err != nil {
		return err
	}
	c := tls.Client(raw, &tls.Config{
		MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, //nolint:gosec // the pin is checked, which is stronger than a chain
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || trust.Pin(s.PeerCertificates[0]) != bundle.PinPrefix+n.Key() {
				return trust.ErrPin
			}
			return nil
		},
	})
	return errors.Join(c.HandshakeContext(ctx), raw.Close())
}

func (d Detector) domains() []string {
	if d.Domains != nil {
		return d.Domains()
	}
	var all []string
	files := d.Files
	if len(files) == 0 {
		files = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, searched(text)...)
		}
	}
	return all
}

// searched are the domains of a resolv.conf (resolv.conf(5)).
func searched(text []byte) (all []string) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) > 1 && (f[0] == "search" || f[0] == "domain") {
			all = append(all, f[1:]...)
		}
	}
	return all
}

// interfaces are those of the machine that are up and no tunnels: those are
// point-to-point, ours and others' alike.
func (d Detector) interfaces() (names []string) {
	if d.Interfaces != nil {
		return d.Interfaces()
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0 {
			names = append(names, i.Name)
		}
	}
	return names
}
