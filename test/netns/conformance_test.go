//go:build netns

package netns

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// These tests hold the node to what ocserv's own test suite looks at (banner,
// routes, DNS, client bypass, a server without UDP, cookies that are over), as
// far as no other test here does. They are written anew, with stock openconnect.

// told is what a client's script is told by openconnect.
func (l *lab) told(args ...string) (env map[string]string, c *client) {
	l.t.Helper()
	path := filepath.Join(l.dir, "tell")
	_ = os.Remove(path + ".env")
	tell := "#!/bin/sh\n[ \"$reason\" = connect ] || exit 0\nenv -0 > \"$0.part\" && mv \"$0.part\" \"$0.env\"\n"
	if err := os.WriteFile(path, []byte(tell), 0o700); err != nil {
		l.t.Fatal(err)
	}
	c = l.connect(password, append([]string{"--script", path}, args...)...)
	l.until("the client is connected", func() bool { _, err := os.Stat(path + ".env"); return err == nil })
	all, err := os.ReadFile(path + ".env")
	if err != nil {
		l.t.Fatal(err)
	}
	env = map[string]string{}
	for line := range strings.SplitSeq(string(all), "\x00") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env, c
}

func TestAClientIsToldItsSettings(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := &l.server
	s.Banner, s.DefaultDomains, s.SplitDNS = "Welcome. Be kind: 100% of it is logged", []string{"corp.example", "example.com"}, []string{"corp.example", "lab.example"}
	s.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53"), netip.MustParseAddr("10.77.0.54")}
	s.LocalSubnets = append(s.LocalSubnets, netip.MustParsePrefix("10.78.0.0/16"))
	s.ExcludeRoutes, s.ClientBypass = []netip.Prefix{netip.MustParsePrefix("10.78.9.0/24")}, true
	l.want()
	l.startNode()
	env, c := l.told()
	for name, want := range map[string]string{ // openconnect tells lists from their end
		"INTERNAL_IP4_ADDRESS": "10.98.0.2", "INTERNAL_IP4_NETMASK": "255.255.255.0", "INTERNAL_IP4_DNS": "10.77.0.53 10.77.0.54", "INTERNAL_IP4_MTU": "1400",
		"CISCO_BANNER": s.Banner, "CISCO_DEF_DOMAIN": "corp.example example.com", "CISCO_SPLIT_DNS": "lab.example,corp.example", "VPNGATEWAY": nodeAddr,
		"CISCO_SPLIT_INC": "2", "CISCO_SPLIT_INC_0_ADDR": "10.78.0.0", "CISCO_SPLIT_INC_0_MASKLEN": "16", "CISCO_SPLIT_INC_1_ADDR": "10.77.0.0", "CISCO_SPLIT_INC_1_MASKLEN": "24",
		"CISCO_SPLIT_EXC": "1", "CISCO_SPLIT_EXC_0_ADDR": "10.78.9.0", "CISCO_SPLIT_EXC_0_MASK": "255.255.255.0", "INTERNAL_IP6_ADDRESS": "",
	} {
		if env[name] != want {
			t.Errorf("%s: got %q, want %q", name, env[name], want)
		}
	}
	if options := env["CISCO_CSTP_OPTIONS"]; !strings.Contains(options, "X-CSTP-Client-Bypass-Protocol=true") {
		t.Errorf("client bypass: got options %q", options)
	}
	c.signal(syscall.SIGINT)
	c.ended()

	s.FullTunnel, s.ClientBypass = true, false
	l.want()
	l.until("the settings are others", func() bool {
		env, c = l.told()
		c.signal(syscall.SIGINT)
		c.ended()
		return strings.Contains(env["CISCO_CSTP_OPTIONS"], "X-CSTP-Client-Bypass-Protocol=false")
	})
	if env["CISCO_SPLIT_INC"] != "" || env["CISCO_SPLIT_EXC"] != "1" {
		t.Errorf("all but the excluded: got %q and %q routes, want none and 1", env["CISCO_SPLIT_INC"], env["CISCO_SPLIT_EXC"])
	}
}

func TestAServerWithoutUDP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.UDP = false
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	if log := l.log(c.log); strings.Contains(log, "X-DTLS-") || strings.Contains(log, "DTLS handshake") {
		t.Errorf("the client was offered DTLS:\n%s", tail(log, 2000))
	}
}

// TestACookieThatIsOver is refused, and the client says so and gives up.
func TestACookieThatIsOver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	refused := func(cookie string) {
		t.Helper()
		c := l.connect(password, "--cookie="+cookie)
		c.ended()
		if log := l.log(c.log); !strings.Contains(log, "401") || strings.Contains(log, "SCRIPT connected") {
			t.Errorf("got\n%s\nwant 401", tail(log, 1500))
		}
	}
	cookie := l.cookie([]string{"--user", "alice"}, password)
	c := l.connect(password, "--cookie="+cookie)
	c.says("SCRIPT connected 10.98.0.2")
	c.signal(syscall.SIGINT) // for good
	c.ended()
	l.until("the session has ended", func() bool { return strings.Contains(l.log("node.log"), "reason="+gwlink.ReasonUser) })
	refused(cookie)
	l.server.CookieTimeout = 2
	l.want()
	unused := l.cookie([]string{"--user", "alice"}, password)
	l.until("the cookie's time is over", func() bool { return strings.Contains(l.log("node.log"), "reason="+gwlink.ReasonLost) })
	refused(unused)
}
