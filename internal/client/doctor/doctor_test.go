package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// listener is a server on loopback that takes connections.
func listener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func run(t *testing.T, target Target) map[string]Check {
	t.Helper()
	out := map[string]Check{}
	Run(t.Context(), target, nil, func(c Check) {
		out[c.ID] = c
		for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
			title, cause, remedy := c.Sentences(lang)
			if title == "client.check."+c.ID || c.Cause != "" && cause == "client.cause."+c.Cause {
				t.Errorf("%s/%s has no sentence in %s", c.ID, c.Cause, lang)
			}
			if (c.State == Fail || c.State == Warn) && remedy == "" {
				t.Errorf("%s/%s has no remedy in %s", c.ID, c.Cause, lang)
			}
		}
	})
	return out
}

func secure(a Answer, err error) func(context.Context, netip.AddrPort, int) (Answer, error) {
	return func(context.Context, netip.AddrPort, int) (Answer, error) { return a, err }
}

// says is a daemon with one connection.
func says(c ipc.Connection, err error) func(context.Context) (ipc.Status, error) {
	return func(context.Context) (ipc.Status, error) { return ipc.Status{Connections: []ipc.Connection{c}}, err }
}

// connected is a profile with its connection.
func connected(c ipc.Connection) Target {
	c.Profile = "p"
	return Target{Profile: "p", WantDTLS: true, Status: says(c, nil)}
}

func TestEachFaultIsNamed(t *testing.T) {
	live := listener(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	_ = l.Close()
	now := time.Now()
	good := Answer{NotAfter: now.Add(90 * 24 * time.Hour), Date: now, Version: "TLS 1.3"}
	for name, c := range map[string]struct {
		target Target
		id     string
		state  State
		cause  string
	}{
		"daemon away":      {Target{Status: says(ipc.Connection{}, ipc.ErrNoDaemon)}, "daemon", Fail, "daemon_away"},
		"daemon closed":    {Target{Status: says(ipc.Connection{}, ipc.ErrNotAllowed)}, "daemon", Fail, "daemon_closed"},
		"another version":  {Target{Status: says(ipc.Connection{}, ipc.ErrVersion)}, "daemon", Fail, "daemon_version"},
		"left behind":      {Target{Status: says(ipc.Connection{}, ipc.ErrNoDaemon), Traces: func() (bool, error) { return true, nil }}, "left", Fail, "left_behind"},
		"left":             {Target{Status: says(ipc.Connection{State: ipc.Failed, Cause: "left"}, nil)}, "left", Fail, "left"},
		"failed":           {connected(ipc.Connection{State: ipc.Failed, Cause: "device"}), "connection", Fail, "device"},
		"a stranger":       {connected(ipc.Connection{State: ipc.Failed, Cause: trust.ErrPin.Code, With: map[string]string{"pin": "p"}}), "connection", Fail, trust.ErrPin.Code},
		"closed port":      {Target{Server: dead}, "tcp", Fail, "port_closed"},
		"no port":          {Target{Server: "vpn.example.com"}, "name", Fail, "bad_server"},
		"reached":          {Target{Server: live, Secure: secure(good, nil)}, "tcp", OK, ""},
		"good certificate": {Target{Server: live, Secure: secure(good, nil)}, "certificate", OK, ""},
		"expired": {
			Target{Server: live, Secure: secure(Answer{}, trust.ErrExpired)},
			"certificate", Fail, trust.ErrExpired.Code,
		},
		"not trusted": {Target{Server: live, Secure: secure(Answer{}, trust.ErrIssuer)}, "certificate", Fail, trust.ErrIssuer.Code},
		"no TLS":      {Target{Server: live, Secure: secure(Answer{}, errors.New("no"))}, "certificate", Fail, "no_tls"},
		"soon over":   {Target{Server: live, Secure: secure(Answer{NotAfter: now.Add(50 * time.Hour), Date: now}, nil)}, "certificate", Warn, "certificate_ends"},
		"clock":       {Target{Server: live, Secure: secure(Answer{NotAfter: good.NotAfter, Date: now.Add(time.Hour)}, nil)}, "clock", Fail, "clock_wrong"},
		"right clock": {Target{Server: live, Secure: secure(good, nil)}, "clock", OK, ""},
		"long packets vanish": {Target{Server: live, Secure: func(ctx context.Context, _ netip.AddrPort, segment int) (Answer, error) {
			if segment == 0 {
				return Answer{}, context.DeadlineExceeded
			}
			return good, nil
		}}, "mtu", Fail, "mtu_hole"},
		"no UDP":            {connected(ipc.Connection{State: ipc.Connected, UDPPort: 443, Channel: "tls"}), "udp", Warn, "udp_blocked"},
		"UDP":               {connected(ipc.Connection{State: ipc.Connected, UDPPort: 443, Channel: "dtls"}), "udp", OK, ""},
		"UDP not offered":   {connected(ipc.Connection{State: ipc.Connected, Channel: "tls"}), "udp", Skipped, "dtls_off"},
		"a narrow tunnel":   {connected(ipc.Connection{State: ipc.Connected, MTU: 1280, FullMTU: 1400}), "mtu", Warn, "mtu_narrow"},
		"a wide tunnel":     {connected(ipc.Connection{State: ipc.Connected, MTU: 1400, FullMTU: 1400}), "mtu", OK, ""},
		"a silent resolver": {connected(ipc.Connection{State: ipc.Connected, DNS: []netip.Addr{netip.MustParseAddr("127.0.0.251")}}), "dns", Fail, "dns_silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, c.target)[c.id]
			if got.State != c.state || got.Cause != c.cause {
				t.Errorf("got %+v, want %s %s", got, c.state, c.cause)
			}
		})
	}
}

func TestNothingIsReachedWithoutAServer(t *testing.T) {
	for id, c := range run(t, Target{}) {
		if c.State == Fail && id != "device" && id != "resolver" {
			t.Errorf("%s: got %+v", id, c)
		}
	}
}

func TestAReportNamesNobody(t *testing.T) {
	found := []Check{
		fail("unreachable", errors.New("dial tcp 203.0.113.7:443: no route to vpn.corp.example.com for alice")),
		warn("route_conflict", "near", "192.168.7.0/24", "far", "192.168.0.0/16", "link", "eth0"),
		fail("no_resolver", errors.New("lookup VPN.corp.example.com on [2001:db8::53]:53")),
		fail("no_tls", errors.New("x509: valid for mail.other.example.org, not for it; see /etc/resolv.conf")),
		{State: Fail, Cause: trust.ErrIssuer.Code, With: map[string]any{"issuer": "CN=Corp CA,O=Corp Ltd", "pin": "pin-sha256:AAAA="}},
	}
	for i := range found {
		found[i].ID = "tcp"
	}
	got := Report("1.0.0", i18n.English, found, "vpn.corp.example.com", "alice")
	for _, private := range []string{"203.0.113.7", "vpn.corp", "VPN.corp", "alice", "192.168.7.0", "2001:db8", "other.example", "Corp", "AAAA"} {
		if strings.Contains(got, private) {
			t.Errorf("the report holds %s:\n%s", private, got)
		}
	}
	if !strings.Contains(got, "skyconnect 1.0.0") || !strings.Contains(got, "[address 1]") || !strings.Contains(got, "/etc/resolv.conf") {
		t.Errorf("got\n%s", got)
	}
}
