package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// preparation is what the child is given: who may come in, and the key that the
// grants are signed with.
type preparation struct {
	Key    ed25519.PublicKey
	Grants map[string][]byte // by user name; the password is not looked at
}

// gateway runs in the child until its standard input ends.
func gateway(heap string) error {
	in := bufio.NewReader(os.Stdin)
	var p preparation
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return err
	}
	svc, address, pin, err := serve(presigned{p.Grants}, &records{}, []gwlink.GrantKey{{ID: "bench", Public: p.Key}}, newReflector(runtime.NumCPU()), gwlink.SSLServer{ID: "sslsrv-bench"}, "vpngw-bench")
	if err != nil {
		return err
	}
	p = preparation{}
	fmt.Println(address, pin)
	_, _ = io.Copy(io.Discard, in)
	if heap != "" {
		runtime.GC()
		f, err := os.Create(heap)
		if err != nil {
			return err
		}
		if err := errors.Join(pprof.WriteHeapProfile(f), f.Close()); err != nil {
			return err
		}
	}
	_ = svc // the process ends with everything
	return nil
}

// serve starts a gateway on a free port of loopback with one server.
func serve(auth sslvpn.Authenticator, sink sslvpn.Sink, keys []gwlink.GrantKey, queues []tun.Queue, spec gwlink.SSLServer, id string) (*sslvpn.Service, string, string, error) {
	cert, err := certificate()
	if err != nil {
		return nil, "", "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", "", err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, "", "", err
	}
	svc := sslvpn.New(sslvpn.Config{
		Auth: auth, Sink: sink, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
		Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
	})
	spec.Name, spec.Port, spec.UDP, spec.TLSMin = "bench", port, true, "1.2"
	spec.Pool, spec.LocalSubnets = netip.MustParsePrefix("10.64.0.0/16"), []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}
	spec.MTU, spec.DPD, spec.Keepalive, spec.CookieTimeout = 1400, 600, 600, 300
	gw := sslvpn.Gateway{
		Spec:   gwlink.Gateway{ID: id, State: gwlink.GatewayActive, SSLServers: []gwlink.SSLServer{spec}},
		Queues: queues, Certificates: map[string]*tls.Certificate{spec.ID: cert},
	}
	for _, err := range svc.Apply(keys, []sslvpn.Gateway{gw}, nil) {
		if err != nil {
			return nil, "", "", err
		}
	}
	sum := sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo)
	return svc, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), base64.StdEncoding.EncodeToString(sum[:]), nil
}

func certificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// presigned answers logins with grants made before.
type presigned struct{ grants map[string][]byte }

func (p presigned) Login(_ context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	if g := p.grants[r.Fields["username"]]; g != nil {
		return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: g}, nil
	}
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: "bench", Form: &gwlink.Form{
		ID: "main", Fields: []gwlink.Field{{Name: "username", Kind: "text"}, {Name: "password", Kind: "password"}},
	}}, nil
}

// records remembers sessions as a node's agent does.
type records struct {
	mu   sync.Mutex
	open map[string]sslvpn.Record
}

func (r *records) Opened(rec sslvpn.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[string]sslvpn.Record{}
	}
	r.open[rec.Session] = rec
	return nil
}

func (r *records) Closed(c gwlink.SessionClosed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c.Session)
}

// allowed lets the load's own packets leave: there is nobody who could agree.
type allowed struct{}

func (allowed) Allows() error { return nil }

// child is a running gateway process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	cfg client.Config
}

// startGateway starts a gateway that lets n users s0 ... in.
func startGateway(n int, heap string) (*child, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	p := preparation{Key: public, Grants: make(map[string][]byte, n)}
	for i := range n {
		g := gwlink.Grant{
			Session: fmt.Sprintf("ses_%026d", i), Gateway: "vpngw-bench", Server: "sslsrv-bench", Client: fmt.Sprintf("sslcli-%020d", i),
			MaxSessions: 1, NotBefore: time.Now(), NotAfter: time.Now().Add(24 * time.Hour),
		}
		if p.Grants[user(i)], err = gwlink.SignGrant("bench", private, g); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "gateway", "-heap", heap)}
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(c.in).Encode(p); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the gateway does not start: %w", err)
	}
	address, pin, _ := strings.Cut(strings.TrimSpace(line), " ")
	c.cfg = client.Config{Permit: allowed{}, Server: address, Trust: trust.Anchors{Pins: []string{pin}}, DTLS: true}
	return c, nil
}

func user(i int) string { return fmt.Sprintf("s%d", i) }

func (c *child) stop() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

// login logs user i in.
func (c *child) login(ctx context.Context, i int) (openconnect.Secret, error) {
	return client.Login(ctx, c.cfg, client.Password(user(i), []byte("x")))
}

// connect logs user i in and connects.
func (c *child) connect(ctx context.Context, i int) (*client.Session, error) {
	cookie, err := c.login(ctx, i)
	if err != nil {
		return nil, err
	}
	return client.Connect(ctx, c.cfg, cookie)
}

// resident is the process's memory in bytes (VmRSS of proc_pid_status(5)).
func (c *child) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n * 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}
