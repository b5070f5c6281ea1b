//go:build netns

package netns

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var update = flag.Bool("update", false, "write docs/interop.md anew")

const interopPage = "../../docs/interop.md"

// channel is what carries a client's packets.
type channel string

const (
	psk    channel = "DTLS 1.2, PSK-NEGOTIATE"
	resume channel = "DTLS 1.2, resumed from the master secret"
	tlsTCP channel = "TLS"
)

// variants are the ways in which stock openconnect is run against the node:
// the rows of docs/interop.md. Each logs in, connects, moves a megabyte each
// way over the channel and hangs up.
var variants = []struct {
	what string
	args []string
	on   channel
	says string // further, in the client's log
}{
	{"as installed", nil, psk, "Ciphersuite (DTLS1.2)-(PSK)-(AES-128-GCM)"},
	{"TLS 1.2 alone", []string{"--gnutls-priority=NORMAL:-VERS-TLS1.3"}, psk, "(TLS1.2)"},
	{"perfect forward secrecy demanded", []string{"--pfs"}, psk, ""},
	{"Cisco's names for DTLS 1.2, AES-256", []string{"--dtls12-ciphers=AES256-GCM-SHA384", "--dtls-ciphers=UNKNOWN"}, resume, "AES-256-GCM"},
	{"Cisco's names for DTLS 1.2, AES-128", []string{"--dtls12-ciphers=AES128-GCM-SHA256", "--dtls-ciphers=UNKNOWN"}, resume, "AES-128-GCM"},
	{"Cisco's names for DTLS 1.2, ECDHE", []string{"--dtls12-ciphers=ECDHE-RSA-AES256-GCM-SHA384", "--dtls-ciphers=UNKNOWN"}, resume, "AES-256-GCM"},
	{"openconnect's own name, AES-256", []string{"--dtls-ciphers=OC-DTLS1_2-AES256-GCM"}, resume, "AES-256-GCM"},
	{"openconnect's own name, AES-128", []string{"--dtls-ciphers=OC-DTLS1_2-AES128-GCM"}, resume, "AES-128-GCM"},
	{"DTLS of before the standard only", []string{"--dtls-ciphers=AES128-SHA"}, tlsTCP, ""},
	{"without DTLS", []string{"--no-dtls"}, tlsTCP, ""},
	{"without XML, as old clients", []string{"--no-xmlpost"}, psk, "GET https://198.51.100.1/"},
	{"compression offered", []string{"--compression=all"}, psk, ""},
	{"IPv6 not wanted", []string{"--disable-ipv6"}, psk, ""},
	{"says it is Android", []string{"--os=android"}, psk, ""},
	{"says it is iOS", []string{"--os=apple-ios"}, psk, ""},
	{"says it is Windows", []string{"--os=win"}, psk, ""},
	{"says it is macOS", []string{"--os=mac-intel"}, psk, ""},
	{"says it is Cisco's client", []string{"--useragent=AnyConnect Windows 4.10.06079", "--os=win"}, psk, ""},
	{"a narrow path announced", []string{"--base-mtu=1300"}, psk, ""},
	{"probes often", []string{"--force-dpd=1"}, psk, ""},
	{"tunnel of a user without rights", []string{"--setuid=nobody"}, psk, ""},
}

func TestInteropWithOpenconnect(t *testing.T) {
	for _, v := range variants {
		t.Run(v.what, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.want()
			l.startNode()
			c := l.connect(password, v.args...)
			c.says("SCRIPT connected 10.98.0.2")
			if v.on == tlsTCP {
				c.says("SSL connected")
			} else {
				c.says("Established DTLS connection")
			}
			c.says(v.says)
			l.transfer(1 << 20)
			log := l.log(c.log)
			if got := strings.Contains(log, "X-DTLS-CipherSuite: PSK-NEGOTIATE"); got != (v.on == psk) {
				t.Errorf("PSK-NEGOTIATE chosen: got %v", got)
			}
			if up := strings.Contains(log, "Established DTLS"); up != (v.on != tlsTCP) {
				t.Errorf("DTLS came up: got %v", up)
			}
			c.signal(syscall.SIGINT)
			c.ended()
			l.until("the node has heard the good-bye", func() bool { return strings.Contains(l.log("node.log"), "reason=user") })
		})
	}
}

// TestACookieIsTakenOverByAnotherProcess logs in with one process and connects
// with another, as front ends do.
func TestACookieIsTakenOverByAnotherProcess(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	login := exec.Command("openconnect", "--user", "alice", "--passwd-on-stdin", "--non-inter", "--servercert", l.pin(), "--cookieonly", "https://"+nodeAddr)
	login.Stdin = strings.NewReader(password + "\n")
	var cookie bytes.Buffer
	login.Stdout = &cookie
	if err := l.within("c", login.Run); err != nil || cookie.Len() < 40 {
		t.Fatalf("got %d bytes of cookie, %v", cookie.Len(), err)
	}
	with := "--cookie=" + strings.TrimSpace(cookie.String())
	c := l.connect(password, with)
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	c.signal(syscall.SIGHUP) // leaves, and keeps the session
	c.ended()
	again := l.connect(password, with)
	again.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	if n := len(openedSession.FindAllString(l.log("node.log"), -1)); n != 1 {
		t.Errorf("got %d sessions, want one", n)
	}
}

// TestTheInteropPageTellsWhatIsTested holds docs/interop.md to this file.
func TestTheInteropPageTellsWhatIsTested(t *testing.T) {
	out, err := exec.Command("openconnect", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(out), "OpenConnect version v"), "\n")
	version, _, _ = strings.Cut(version, "-") // without the distribution's own number
	want := interop(version)
	if *update {
		if err := os.WriteFile(filepath.FromSlash(interopPage), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.FromSlash(interopPage))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/interop.md does not tell what is tested (%v): go test -tags netns ./test/netns -run InteropPage -update", err)
	}
}

func interop(version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Which clients work

This page is written by test/netns, which runs each row in network namespaces with the real program: log in, connect, move a
megabyte each way with matching hashes, hang up. It fails when a row does not hold.

## Tested: stock openconnect %s (GnuTLS)

| openconnect | options | data goes over |
|---|---|---|
`, version)
	for _, v := range variants {
		options := "–"
		if len(v.args) > 0 {
			options = "`" + strings.Join(v.args, " ") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v.what, options, v.on)
	}
	b.WriteString(`
Tested as well: the cookie of one process used by another; reconnecting after SIGUSR2, from another address, and after the node
was stopped or killed; password alone, password with certificate and a one-time code filled in by openconnect's own token mode
(in the browser test); a path that loses, delays, repeats and reorders packets, that forgets the client's port, is
narrower than it says, or swallows UDP for a while.

## Not tested: everything else

| client | what is known |
|---|---|
| openconnect built with OpenSSL | unverified; the DTLS code is tested against OpenSSL's own PSK client |
| Cisco Secure Client, AnyConnect for iOS and Android | unverified; their headers are handled as documented |
| other AnyConnect-compatible clients | unverified |
`)
	return b.Bytes()
}
