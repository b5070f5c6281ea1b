package dtls

import (
	"bufio"
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests run a real openssl on loopback. Without it they fail: a peer that
// somebody else wrote is the point.

const opensslPatience = 10 * time.Second

// startOpenSSL runs openssl until the test ends and returns its stdin and the
// lines of its stdout and stderr together.
func startOpenSSL(t *testing.T, args ...string) (io.WriteCloser, <-chan string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), opensslPatience)
	cmd := exec.CommandContext(ctx, "openssl", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatalf("openssl must be installed: %v", err)
	}
	lines := make(chan string, 4096)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			lines <- sc.Text()
		}
	}()
	go func() {
		_ = cmd.Wait() // killed in the end, on purpose
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-read
	})
	return in, lines
}

// waitLine returns the first line that contains s.
func waitLine(t *testing.T, lines <-chan string, s string) string {
	t.Helper()
	var seen []string
	for line := range lines {
		seen = append(seen, line)
		if strings.Contains(line, s) {
			return line
		}
	}
	t.Fatalf("openssl never printed %q:\n%s", s, strings.Join(seen, "\n"))
	return ""
}

func TestClientAgainstOpenSSL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		suite uint16
		ems   bool
	}{
		{"PSK-AES128-GCM-SHA256", SuitePSKAES128GCM, false},
		{"PSK-AES128-GCM-SHA256", SuitePSKAES128GCM, true},
		{"PSK-AES256-GCM-SHA384", SuitePSKAES256GCM, false},
		{"PSK-AES256-GCM-SHA384", SuitePSKAES256GCM, true},
		{"PSK-CHACHA20-POLY1305", SuitePSKChaCha20, false},
		{"PSK-CHACHA20-POLY1305", SuitePSKChaCha20, true},
	} {
		t.Run(fmt.Sprintf("%s ems=%v", c.name, c.ems), func(t *testing.T) {
			t.Parallel()
			in, lines := startOpenSSL(t, "s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-nocert", "-naccept", "1",
				"-psk", hex.EncodeToString(testPSK), "-psk_identity", "psk", "-psk_hint", "a-hint", "-cipher", c.name+":@SECLEVEL=0")
			client, err := NewClient(ClientConfig{PSK: testPSK, SessionID: testSession, ExtendedMasterSecret: c.ems})
			if err != nil {
				t.Fatal(err)
			}
			conn := dialOpenSSL(t, lines)
			connect(t, conn, client)
			if got := client.Association().Suite; got != c.suite {
				t.Errorf("suite: got %04x want %04x", got, c.suite)
			}
			if client.ems != c.ems {
				t.Errorf("extended master secret: got %v want %v", client.ems, c.ems)
			}
			write(t, conn, client.Association(), "from the client\n")
			waitLine(t, lines, "from the client")
			fmt.Fprintln(in, "from openssl")
			if got := readData(t, conn, client); string(got) != "from openssl\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// dialOpenSSL reads the port that s_server chose and connects to it.
func dialOpenSSL(t *testing.T, lines <-chan string) *net.UDPConn {
	t.Helper()
	line := waitLine(t, lines, "ACCEPT ")
	conn, err := net.Dial("udp", strings.TrimPrefix(line, "ACCEPT "))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.UDPConn)
}

// connect runs the client's handshake over a socket.
func connect(t *testing.T, conn *net.UDPConn, c *Client) {
	t.Helper()
	out, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(opensslPatience); c.Association() == nil; {
		if time.Now().After(end) {
			t.Fatal("no handshake")
		}
		for _, d := range out {
			if _, err := conn.Write(d); err != nil {
				t.Fatal(err)
			}
		}
		conn.SetReadDeadline(time.Now().Add(c.Timeout()))
		n, err := conn.Read(buf)
		if err != nil {
			out = c.OnTimer()
			continue
		}
		res, err := c.Handle(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		out = res.Send
	}
}

func write(t *testing.T, conn io.Writer, a *Association, text string) {
	t.Helper()
	d, err := a.appendRecord(nil, TypeApplicationData, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(d); err != nil {
		t.Fatal(err)
	}
}

func readData(t *testing.T, conn *net.UDPConn, c *Client) []byte {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(opensslPatience))
	buf := make([]byte, 1<<16)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Handle(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Data) > 0 {
			return res.Data[0]
		}
	}
}

func TestServerAgainstOpenSSLPSK(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		suite uint16
		extra []string
	}{
		{"PSK-AES128-GCM-SHA256", SuitePSKAES128GCM, nil},
		{"PSK-AES256-GCM-SHA384", SuitePSKAES256GCM, nil},
		{"PSK-CHACHA20-POLY1305", SuitePSKChaCha20, nil},
		{"PSK", SuitePSKAES128GCM, []string{"-mtu", "256"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := NewServer(ServerConfig{PSK: testPSK})
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"-psk", hex.EncodeToString(testPSK), "-psk_identity", "psk", "-cipher", c.name}, c.extra...)
			serveOpenSSL(t, s, c.suite, args)
		})
	}
}

// openssl resumes a session that it reads from a file, which is what OpenSSL
// builds of openconnect do in legacy mode.
func TestServerAgainstOpenSSLResume(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		suite uint16
	}{
		{"AES128-GCM-SHA256", SuiteRSAAES128GCM},
		{"AES256-GCM-SHA384", SuiteRSAAES256GCM},
		{"ECDHE-RSA-AES128-GCM-SHA256", SuiteECDHERSAAES128},
		{"ECDHE-RSA-AES256-GCM-SHA384", SuiteECDHERSAAES256},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := NewServer(ServerConfig{Mode: ModeResume, MasterSecret: testMaster, SessionID: testSession, Suite: c.suite})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "session.pem")
			if err := os.WriteFile(file, sessionPEM(t, c.suite), 0o600); err != nil {
				t.Fatal(err)
			}
			serveOpenSSL(t, s, c.suite, []string{"-sess_in", file, "-cipher", c.name, "-legacy_server_connect"})
		})
	}
}

// sessionPEM writes OpenSSL's ASN.1 form of a session.
func sessionPEM(t *testing.T, suite uint16) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Version, Protocol         int
		Cipher, SessionID, Master []byte
		Time                      int64 `asn1:"explicit,tag:1"`
		Timeout                   int64 `asn1:"explicit,tag:2"`
	}{1, version12, []byte{byte(suite >> 8), byte(suite)}, testSession, testMaster, time.Now().Unix(), 7200})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "SSL SESSION PARAMETERS", Bytes: der})
}

// serveOpenSSL lets s_client connect to s and exchanges a line each way.
func serveOpenSSL(t *testing.T, s *Server, suite uint16, args []string) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	args = append([]string{"s_client", "-dtls1_2", "-connect", conn.LocalAddr().String()}, args...)
	in, lines := startOpenSSL(t, args...)
	fmt.Fprintln(in, "from openssl")

	conn.SetReadDeadline(time.Now().Add(opensslPatience))
	buf := make([]byte, 1<<16)
	for got := ""; got != "from openssl\n"; {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatalf("%v; openssl: %s", err, drain(lines))
		}
		res := s.Handle(from, buf[:n])
		for _, d := range res.Send {
			if _, err := conn.WriteToUDPAddrPort(d, from); err != nil {
				t.Fatal(err)
			}
		}
		got += string(bytes.Join(res.Data, nil))
		if res.Established {
			d, err := s.Association().appendRecord(nil, TypeApplicationData, []byte("from the server\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.WriteToUDPAddrPort(d, from); err != nil {
				t.Fatal(err)
			}
		}
	}
	waitLine(t, lines, "from the server")
	if got := s.Association().Suite; got != suite {
		t.Errorf("suite: got %04x want %04x", got, suite)
	}
}

// drain returns what openssl has printed so far.
func drain(lines <-chan string) string {
	var out []string
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				return strings.Join(out, "\n")
			}
			out = append(out, l)
		default:
			return strings.Join(out, "\n")
		}
	}
}
