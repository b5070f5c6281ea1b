//go:build netns

package netns

import (
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

// The engine of our own client against stock ocserv, in the lab's namespaces:
// ocserv stands where the node does.

// enginePath builds the program that runs the engine, once.
var enginePath = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(nodeBinary), "peer")
	out, err := exec.Command("go", "build", "-o", path, "../bench/peer").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// engine starts our own client; its log tells its channel and all changes.
func (l *lab) engine(pass string, args ...string) *client {
	l.t.Helper()
	return l.engineTo(nodeAddr+":443", pass, args...)
}

func (l *lab) engineTo(server, pass string, args ...string) *client {
	l.t.Helper()
	path, err := enginePath()
	if err != nil {
		l.t.Fatal(err)
	}
	args = append([]string{
		"-server", server, "-pin", l.enginePin(), "-user", "alice", "-tun", "tun0", "-verbose", "-giveup", "60s",
	}, args...)
	c := &client{l: l, log: "engine.log", cmd: exec.Command(path, args...)}
	c.cmd.Stdin = strings.NewReader(pass + "\n")
	l.start("c", c.cmd, c.log)
	return c
}

// enginePin is the pin of ocserv's certificate, or of the node's.
func (l *lab) enginePin() string {
	text, err := os.ReadFile(filepath.Join(l.dir, "cert.pem"))
	if err != nil {
		return l.pin()
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		l.t.Fatal(err)
	}
	return trust.Pin(cert)
}

// on waits until data goes by a channel.
func (c *client) on(channel string) {
	c.l.t.Helper()
	c.l.until("data goes by "+channel, func() bool { return strings.Contains("\n"+c.l.log(c.log), "\n"+channel+"\n") })
}

const otpSecret = "3132333435363738393031323334353637383930" // RFC 6238, appendix B

// startOcserv starts ocserv with further lines of configuration, in which DIR is
// the test's directory.
func (l *lab) startOcserv(lines ...string) {
	l.t.Helper()
	l.ip("-n", l.id+"g", "addr", "add", "10.77.0.1/24", "dev", "br0")
	l.run("ip", "netns", "exec", l.id+"g", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
	l.in("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=" + nodeAddr)
	l.in("printf '" + password + "\\n" + password + "\\n' | ocpasswd -c passwd -g one,two alice")
	l.in("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=CA")
	l.in("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout alice.key -out alice.csr -subj /CN=alice")
	l.in("openssl x509 -req -in alice.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out alice.pem")
	l.in("printf 'HOTP/T30 alice - " + otpSecret + "\\n' > otp")
	auth := `auth = "plain[passwd=DIR/passwd]"`
	for _, line := range lines {
		if strings.HasPrefix(line, "auth =") {
			auth = ""
		}
	}
	conf := strings.Join(append([]string{
		auth, "tcp-port = 443", "udp-port = 443", "run-as-user = nobody", "run-as-group = nogroup",
		"socket-file = " + l.socket(), "server-cert = DIR/cert.pem", "server-key = DIR/key.pem", "isolate-workers = false",
		"max-ban-score = 0", "max-same-clients = 0", "device = vpns", "ipv4-network = 10.99.0.0/24", "route = 10.77.0.0/255.255.255.0",
		"dpd = 2", "cookie-timeout = 300", "default-domain = example.test", "dns = 10.77.0.9", "banner = Welcome", "predictable-ips = true",
	}, lines...), "\n")
	conf = strings.ReplaceAll(conf, "DIR", l.dir)
	if err := os.WriteFile(filepath.Join(l.dir, "ocserv.conf"), []byte(conf+"\n"), 0o644); err != nil {
		l.t.Fatal(err)
	}
	l.in("chmod 755 . .. && chmod 644 passwd otp *.pem *.key")
	l.start("g", exec.Command("ocserv", "-f", "-c", filepath.Join(l.dir, "ocserv.conf")), "ocserv.log")
	l.until("ocserv listens", func() bool {
		c, err := l.dial("c", nodeAddr+":443")
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// socket is a path for ocserv's own socket, which may not be long.
func (l *lab) socket() string {
	dir, err := os.MkdirTemp("", "oc")
	if err == nil {
		err = os.Chmod(dir, 0o755) // ocserv's workers are nobody
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// in runs a shell command in the test's directory.
func (l *lab) in(command string) {
	l.t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = l.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// block has packets that arrive treated as rules say, those with "i" at the server
// and those with "c" at the client, until the function that it returns is called. A
// path loses what it loses without a word: dropped on the way out, a packet would be
// an error of the sender's own system.
func (l *lab) block(rules ...string) (undo func()) {
	l.t.Helper()
	ends := map[string]string{"i": l.id + "g", "c": l.id + "c"}
	for chain, ns := range ends {
		l.run("ip", "netns", "exec", ns, "nft", "add table inet block; add chain inet block "+chain+" { type filter hook input priority 0; }")
	}
	for _, r := range rules {
		l.run("ip", "netns", "exec", ends[r[:1]], "nft", "add rule inet block "+r)
	}
	return func() {
		for _, ns := range ends {
			l.run("ip", "netns", "exec", ns, "nft", "delete table inet block")
		}
	}
}

func TestEngineOnOcserv(t *testing.T) {
	t.Parallel()
	seed, err := hex.DecodeString(otpSecret)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		what string
		conf []string
		args []string
		on   string // channel
		says string
	}{
		{"a password", nil, nil, "dtls", "TLS_PSK_WITH_AES_256_GCM_SHA384"},
		{"a password by TCP alone", nil, []string{"-dtls=false"}, "tls", "TLS 1.3"},
		{"extensions that it does not know", nil, []string{"-dtls=false", "-ext", "coalesce,gso"}, "tls", "TLS 1.3"},
		{
			"a password and a code",
			[]string{`auth = "plain[passwd=DIR/passwd,otp=DIR/otp]"`},
			[]string{"-totp", base32.StdEncoding.EncodeToString(seed)},
			"dtls", "TLS_PSK_WITH_AES_256_GCM_SHA384",
		},
		{
			"a certificate",
			[]string{`auth = "certificate"`, "ca-cert = DIR/ca.pem", "cert-user-oid = 2.5.4.3"},
			[]string{"-cert", "DIR/alice.pem", "-key", "DIR/alice.key"},
			"dtls", "TLS_PSK_WITH_AES_256_GCM_SHA384",
		},
		{
			"a certificate and a password",
			[]string{`auth = "certificate"`, `auth = "plain[passwd=DIR/passwd]"`, "ca-cert = DIR/ca.pem", "cert-user-oid = 2.5.4.3"},
			[]string{"-cert", "DIR/alice.pem", "-key", "DIR/alice.key"},
			"dtls", "TLS_PSK_WITH_AES_256_GCM_SHA384",
		},
		{"a certificate by TLS 1.2", []string{
			`auth = "certificate"`, "ca-cert = DIR/ca.pem", "cert-user-oid = 2.5.4.3", `tls-priorities = "NORMAL:-VERS-TLS1.3"`,
		}, []string{"-cert", "DIR/alice.pem", "-key", "DIR/alice.key"}, "dtls", "TLS 1.2"},
		{"the old way to a UDP channel", []string{"dtls-psk = false"}, nil, "dtls", "TLS_RSA_WITH_AES_256_GCM_SHA384"},
		{"the cipher of the TLS connection by UDP", []string{"match-tls-dtls-ciphers = true", "dtls-legacy = false", "cisco-client-compat = false"}, nil, "dtls", "TLS_PSK_WITH_AES_256_GCM_SHA384"},
		{"TLS 1.2 by TCP alone", []string{`tls-priorities = "NORMAL:-VERS-TLS1.3"`}, []string{"-dtls=false"}, "tls", "TLS 1.2"},
		{"a group by its label", []string{"select-group = one", "select-group = two[The second]", "auto-select-group = false"}, []string{"-group", "the sec"}, "dtls", "connected"},
	} {
		t.Run(v.what, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.startOcserv(v.conf...)
			for i, a := range v.args {
				v.args[i] = strings.ReplaceAll(a, "DIR", l.dir)
			}
			c := l.engine(password, v.args...)
			c.on(v.on)
			c.says(v.says)
			l.transfer(4 << 20)
			c.signal(syscall.SIGINT)
			c.ended()
			if log := l.log(c.log); !strings.Contains(log, `ended "user"`) && !strings.Contains(log, "connections 1") {
				t.Errorf("got %s", log)
			}
		})
	}
}

func TestEngineIsRefusedByOcserv(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		what string
		conf []string
		args []string
		pass string
		says string
	}{
		{"a wrong password", nil, nil, "wrong", "the server refuses: "},
		{"no certificate", []string{`auth = "certificate"`, "ca-cert = DIR/ca.pem", "cert-user-oid = 2.5.4.3"}, nil, password, "wants a certificate"},
		{"a wrong code", []string{`auth = "plain[passwd=DIR/passwd,otp=DIR/otp]"`}, []string{"-totp", "AAAAAAAAAAAAAAAA"}, password, "the server refuses: "},
		{"no code", []string{`auth = "plain[passwd=DIR/passwd,otp=DIR/otp]"`}, nil, password, "asks for what is not known"},
	} {
		t.Run(v.what, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.startOcserv(v.conf...)
			c := l.engine(v.pass, v.args...)
			c.says(v.says)
			c.ended()
		})
	}
}

// TestEngineComesBackToOcserv after a reset, with the same cookie, address and
// device, under a connection that goes on.
func TestEngineComesBackToOcserv(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"TLS": {"-dtls=false"}, "DTLS": nil} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.startOcserv()
			c := l.engine(password, args...)
			c.on(strings.ToLower(name))
			l.transfer(1 << 20)
			undo := l.block("i tcp dport 443 reject with tcp reset")
			c.says("reconnecting")
			undo()
			c.says("connections 2 ")
			l.transfer(1 << 20)
			c.signal(syscall.SIGHUP) // a change of the network: moves without a gap
			c.says("connections 3 ")
			l.transfer(1 << 20)
			if n := strings.Count(l.log(c.log), "\nreconnecting"); n != 1 {
				t.Errorf("got %d times without a tunnel", n)
			}
		})
	}
}

func TestEngineWithoutUDP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startOcserv()
	undo := l.block("i udp dport 443 drop")
	c := l.engine(password)
	c.on("tls")
	l.transfer(1 << 20)
	undo()
	c.signal(syscall.SIGHUP)
	c.on("dtls")
	l.transfer(1 << 20)
	l.block("i udp dport 443 drop", "c udp sport 443 drop")
	l.until("it is back on TLS", func() bool { return strings.HasSuffix(strings.TrimSpace(channelsOf(l.log(c.log))), "dtls tls") })
	l.transfer(1 << 20)
}

// channelsOf are the channels that a log tells, in a row.
func channelsOf(log string) string {
	var out []string
	for line := range strings.Lines(log) {
		if line = strings.TrimSpace(line); line == "tls" || line == "dtls" {
			out = append(out, line)
		}
	}
	return strings.Join(out, " ")
}

// TestEngineMeasuresThePath: one that carries less than both ends believe, and
// says nothing.
func TestEngineMeasuresThePath(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startOcserv()
	l.ip("-n", l.id+"c", "link", "set", "c0", "gso_max_segs", "1") // or the rule would measure several packets that the wire has not parted yet
	l.block("i udp dport 443 udp length > 1250 drop", "c udp sport 443 udp length > 1250 drop")
	c := l.engine(password)
	c.on("dtls")
	c.says("mtu 1204 ") // 1250 less 8 of UDP, 13 + 8 + 16 of the record and the type
	l.transfer(1 << 20)
}

func TestEngineByIPv6(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c, g, lan := l.id+"c", l.id+"g", l.id+"l"
	l.ip("-n", c, "addr", "add", "fd51::2/64", "dev", "c0", "nodad")
	l.ip("-n", g, "addr", "add", "fd51::1/64", "dev", "g0", "nodad")
	l.ip("-n", g, "addr", "add", "fd77::1/64", "dev", "br0", "nodad")
	l.ip("-n", lan, "addr", "add", "fd77::2/64", "dev", "l0", "nodad")
	l.ip("-n", lan, "-6", "route", "add", "default", "via", "fd77::1")
	l.startOcserv("ipv6-network = fd99::/64", "ipv6-subnet-prefix = 128", "route = fd77::/64")
	p := l.engineTo("[fd51::1]:443", password)
	p.on("dtls")
	l.transfer(1 << 20)
	l.transferBetween("c", "l", "fd77::2", 1<<20)
}

// TestEngineOnTheNode: what stock servers have not.
func TestEngineOnTheNode(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		what string
		args []string
		on   string
	}{
		{"UDP", nil, "dtls"},
		{"TCP with extensions", []string{"-dtls=false", "-ext", "coalesce,gso"}, "tls"},
	} {
		t.Run(v.what, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.want()
			l.startNode()
			c := l.engine(password, v.args...)
			c.on(v.on)
			l.transfer(4 << 20)
			l.stopNode(syscall.SIGKILL)
			c.says("reconnecting")
			l.startNode()
			c.says("connections 2 ")
			l.until("it uses its channel again", func() bool { return strings.Count("\n"+l.log(c.log), "\n"+v.on+"\n") > 1 })
			l.transfer(1 << 20)
			c.signal(syscall.SIGSTOP)
			<-time.After(time.Duration(3*l.server.DPD+3) * time.Second) // longer than the server's patience and ours
			c.signal(syscall.SIGCONT)
			ln := l.listenLAN()
			l.until("it carries data again", func() bool { return l.reachable(ln.Addr().String()) })
			_ = ln.Close()
			l.transfer(1 << 20)
			c.signal(syscall.SIGINT)
			c.ended()
			l.until("the node has heard the good-bye", func() bool { return strings.Contains(l.log("node.log"), "reason=user") })
		})
	}
}
