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

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
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
	{"TLS 1.2 alone, without DTLS", []string{"--gnutls-priority=NORMAL:-VERS-TLS1.3", "--no-dtls"}, tlsTCP, "(TLS1.2)"},
	{"TLS 1.2 by ChaCha20, without DTLS", []string{"--gnutls-priority=NORMAL:-VERS-TLS1.3:-AES-128-GCM:-AES-256-GCM", "--no-dtls"}, tlsTCP, "(CHACHA20-POLY1305)"},
	{"AES-256 alone", []string{"--gnutls-priority=NORMAL:-AES-128-GCM:-CHACHA20-POLY1305"}, psk, "Ciphersuite (DTLS1.2)-(PSK)-(AES-256-GCM)"},
	{"ChaCha20 alone", []string{"--gnutls-priority=NORMAL:-AES-128-GCM:-AES-256-GCM"}, psk, "Ciphersuite (DTLS1.2)-(PSK)-(CHACHA20-POLY1305)"},
	{"perfect forward secrecy demanded", []string{"--pfs"}, psk, ""},
	{"Cisco's names for DTLS 1.2, AES-256", []string{"--dtls12-ciphers=AES256-GCM-SHA384", "--dtls-ciphers=UNKNOWN"}, resume, "AES-256-GCM"},
	{"Cisco's names for DTLS 1.2, AES-128", []string{"--dtls12-ciphers=AES128-GCM-SHA256", "--dtls-ciphers=UNKNOWN"}, resume, "AES-128-GCM"},
	{"Cisco's names for DTLS 1.2, ECDHE", []string{"--dtls12-ciphers=ECDHE-RSA-AES256-GCM-SHA384", "--dtls-ciphers=UNKNOWN"}, resume, "AES-256-GCM"},
	{"Cisco's names for DTLS 1.2, ECDHE and AES-128", []string{"--dtls12-ciphers=ECDHE-RSA-AES128-GCM-SHA256", "--dtls-ciphers=UNKNOWN"}, resume, "AES-128-GCM"},
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
	t.Parallel()
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

// ways are the rows that need control, where the client has more to show than a
// password. They run like variants.
var ways = []struct {
	what    string
	options string // as the page tells them
	change  func(*vpn.NewServer)
	hire    func(*vpn.NewClient)
	path    string
	args    func(*office, vpn.SSLClient, vpn.Secret) []string
}{
	{"password and certificate", "-c client.pem -k key.pem", asks(vpn.LoginPasswordCertificate), nil, "", ownCertificate},
	{"a certificate alone", "-c client.pem -k key.pem", asks(vpn.LoginCertificate), nil, "", ownCertificate},
	{"a TOTP token", "--token-mode=totp --token-secret=base32:...", withToken, nil, "", func(_ *office, _ vpn.SSLClient, s vpn.Secret) []string {
		return []string{"--token-mode=totp", "--token-secret=base32:" + s.TOTP}
	}},
	{"a software token", "--token-mode=rsa --token-secret=...", withToken, func(n *vpn.NewClient) { n.Token = vpn.TokenStoken }, "", func(_ *office, _ vpn.SSLClient, s vpn.Secret) []string {
		return []string{"--token-mode=rsa", "--token-secret=" + s.CTF}
	}},
	{"a group by its label", "--authgroup=operations", withGroups, inOperations, "", func(*office, vpn.SSLClient, vpn.Secret) []string {
		return []string{"--authgroup=operations"}
	}},
	{"a group by its URL", "https://server/ops", withGroups, inOperations, "/ops", nil},
}

func asks(mode vpn.LoginMode) func(*vpn.NewServer) {
	return func(n *vpn.NewServer) { n.LoginMode, n.TwoFactor = mode, false }
}

func withToken(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword }

func withGroups(n *vpn.NewServer) {
	asks(vpn.LoginPassword)(n)
	n.Groups = []vpn.Group{{Name: "staff", Label: "All staff"}, {Name: "ops", Label: "Operations"}}
}

func inOperations(n *vpn.NewClient) { n.Groups = []string{"ops"} }

func ownCertificate(o *office, c vpn.SSLClient, _ vpn.Secret) []string { return o.certificate(c) }

func TestInteropThroughControl(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.what, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(n *vpn.NewServer) { n.UDP = true; w.change(n) })
			c, s := o.hire(w.hire)
			args := []string{"--user", c.Name}
			if w.args != nil {
				args = append(args, w.args(o, c, s)...)
			}
			in := o.connectTo(nodeAddr+w.path, o.pin(), s.Password, args...)
			in.says("SCRIPT connected 10.98.0.2")
			in.says("Established DTLS connection")
			o.transfer(1 << 20)
			if !strings.Contains(o.log(in.log), "X-DTLS-CipherSuite: PSK-NEGOTIATE") {
				t.Error("got no PSK-NEGOTIATE")
			}
			in.signal(syscall.SIGINT)
			in.ended()
			o.until("the node has heard the good-bye", func() bool { return strings.Contains(o.log("node.log"), "reason=user") })
		})
	}
}

// stories are the rows with more than one process in them.
var stories = []struct {
	what, options string
	run           func(*testing.T)
}{
	{"one process signs in, another connects", "--cookieonly, then -C", testACookieIsTakenOver},
	{"how long it tries to come back", "--reconnect-timeout=60", testReconnectTimeout},
}

func TestInteropStories(t *testing.T) {
	t.Parallel()
	for _, s := range stories {
		t.Run(s.what, s.run)
	}
}

// cookie signs in with one process and returns what it prints.
func (l *lab) cookie(args []string, pass string) string {
	l.t.Helper()
	login := exec.Command("openconnect", append(args, "--passwd-on-stdin", "--non-inter", "--servercert", l.pin(), "--cookieonly", "https://"+nodeAddr)...)
	login.Stdin = strings.NewReader(pass + "\n")
	var cookie bytes.Buffer
	login.Stdout = &cookie
	if err := l.within("c", login.Run); err != nil || cookie.Len() < 40 {
		l.t.Fatalf("got %d bytes of cookie, %v", cookie.Len(), err)
	}
	return strings.TrimSpace(cookie.String())
}

// testReconnectTimeout: a client with time comes back to a node that was away, one
// without gives up.
func testReconnectTimeout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	patient := l.connect(password, "--reconnect-timeout=60")
	patient.says("SCRIPT connected 10.98.0.2")
	l.stopNode(syscall.SIGTERM)
	patient.says("Failed to reconnect to host")
	l.startNode()
	patient.reconnects(1)
	patient.says("Established DTLS connection")
	l.transfer(1 << 20)
	patient.signal(syscall.SIGINT)
	patient.ended()
	hasty := l.connect(password, "--reconnect-timeout=1")
	hasty.says("SCRIPT connected 10.98.0.")
	l.stopNode(syscall.SIGTERM)
	hasty.ended()
}

// testACookieIsTakenOver logs in with one process and connects with another, as
// front ends do.
func testACookieIsTakenOver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	with := "--cookie=" + l.cookie([]string{"--user", "alice"}, password)
	c := l.connect(password, with)
	c.says("SCRIPT connected 10.98.0.2")
	c.says("Established DTLS connection")
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
	_, library, _ := strings.Cut(string(out), "Using ")
	library, _, _ = strings.Cut(library, ". ")
	want := interop(version, library)
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

// stretches are what tests of their own beside the rows show with the same client.
var stretches = []struct{ what, tests string }{
	{
		"coming back: by SIGUSR2, from another address, after the node was killed, at the rekey time (a new tunnel with new keys for both channels, under a connection that goes on), while the node drains, and while control is away",
		"TestRoamingKeepsTheAddress TestKilledNodeKeepsSessions TestRekeyKeepsConnections TestADrainingNodeKeepsWhoIsThere TestTunnelsGoOnWithoutControl",
	},
	{
		"turned away, with the reason: a wrong password and a wrong code (asked again), a code that two clients use at once (one gets in), a missing or revoked certificate, a cookie without the certificate of its login or, where the server says so, from another address, a source that guesses, a draining node, control away, a frozen gateway",
		"TestWrongPasswordIsRefused TestAWrongCodeIsAskedForAgain TestTwoClientsRaceForOneCode TestARefusalTellsWhy TestRevokingACertificateEndsStockOpenconnect TestACookieNeedsItsCertificate TestASessionMayBeKeptAtItsAddress TestAGuesserIsRefusedAndTunnelsGoOn TestControlAway TestFrozenGatewayEndsSessions",
	},
	{
		"told why its session ends: by an administrator, replaced, revoked, idle (phones by a time of their own), over its time or allowance",
		"TestKickTakesEffectWithinTwoSeconds TestSessionsEndForTheReasonThatTheirLimitsSay TestLifeWithControl",
	},
	{
		"what a server is set to, as the client's script is told it: address, networks with and without exceptions, DNS, domains, banner, client bypass; a server without UDP; a cookie that was logged out or is too old",
		"TestAClientIsToldItsSettings TestAServerWithoutUDP TestACookieThatIsOver",
	},
	{
		"next-tokencode, groups without XML, two rounds without XML",
		"TestOpenconnectFillsInASoftwareToken TestOpenconnectFillsInTOTP TestOpenconnectChoosesAGroup TestOldClientsAnswerSeveralForms",
	},
	{
		"IPv6 inside and outside of the tunnel, a network behind the client",
		"TestIPv6InsideTheTunnel TestGatewayOverIPv6 TestClientWithoutIPv6GetsNone TestNetworkBehindAClient",
	},
	{
		"access lists, rates and limits on live sessions, large segments, another server certificate under a live session",
		"TestAccessListOnALiveSession TestRatesHold TestAnUpgradeEndsNoSession TestTransferOverTLS TestAnotherCertificateDropsNobody",
	},
	{
		"a path that loses, delays, repeats and reorders packets, that loses handshake flights, that forgets the client's port, is narrower than it says, or swallows UDP or TCP for a while",
		"TestSessionsSurviveABadPath TestTheNodesFlightsAreLost TestAnAddressTranslatorForgets TestAPathNarrowerThanBothEndsBelieve TestUDPVanishesAndComesBack TestTCPVanishesAndComesBack",
	},
}

// TestTheInteropPageNamesTests that there are.
func TestTheInteropPageNamesTests(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, s := range stretches {
		for _, name := range strings.Fields(s.tests) {
			if !strings.Contains(all.String(), "\nfunc "+name+"(t *testing.T)") {
				t.Errorf("there is no %s, which the page names", name)
			}
		}
	}
}

func interop(version, library string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Which clients work

This page is written by test/netns, which runs each row in network namespaces with the real program: log in, connect, move a
megabyte each way with matching hashes, hang up. It fails when a row does not hold.

## Tested: stock openconnect %s (%s)

| openconnect | options | data goes over |
|---|---|---|
`, version, library)
	for _, v := range variants {
		options := "–"
		if len(v.args) > 0 {
			options = "`" + strings.Join(v.args, " ") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v.what, options, v.on)
	}
	for _, w := range ways {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", w.what, w.options, psk)
	}
	for _, s := range stories {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", s.what, s.options, psk)
	}
	b.WriteString("\nTested as well, each by the tests named:\n\n")
	for _, s := range stretches {
		fmt.Fprintf(&b, "* %s (`%s`);\n", s.what, strings.Join(strings.Fields(s.tests), "`, `"))
	}
	b.WriteString(`
## skyconnect and the services of the desktop

Real ones, of Debian 12, unpacked by ` + "`" + `scripts/setup.sh test` + "`" + ` and run on buses and in namespaces of their own:

| service | what is seen | test |
|---|---|---|
| gnome-keyring 42.1 | keeps, returns and deletes a seed that is readable in no file; locked, it returns nothing, and ` + "`" + `data erase` + "`" + ` says that it could not delete; unlocked, it can | ` + "`" + `TestASeedLivesInARealKeyring` + "`" + ` |
| systemd-resolved 252 | with split DNS only names of the domain are asked inside the tunnel; without, all; after ` + "`" + `down` + "`" + ` and after a repair none | ` + "`" + `TestNamesGoWhereARealResolvedSendsThem` + "`" + ` |

Not run: KWallet's Secret Service, a prompt of gnome-keyring (it needs a desktop session; a stand-in answers one in the tests of ` + "`" + `keystore` + "`" + `), resolved under a
running NetworkManager.

## Not tested: everything else

| client | what is known |
|---|---|
| openconnect built with OpenSSL | unverified; the DTLS code is tested against OpenSSL's own PSK client |
| Cisco Secure Client, AnyConnect for iOS and Android | unverified; their headers are handled as documented, and a test peer behaves as documented over real sockets: a connection for each round and another for CONNECT, the conversation in cookies, DTLS 1.2 resumed under an ECDHE name, its hello with and without the cookie of a HelloVerifyRequest (the node sends none: it answers no session that it does not know) |
| skyconnect on Windows and macOS | builds, untested: the build compiles it and nothing has run it there ([39](decisions/0039-other-systems.md)) |
| other AnyConnect-compatible clients | unverified |
`)
	return b.Bytes()
}
