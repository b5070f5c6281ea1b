//go:build netns

package netns

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	platformpassword "github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/gwserver"
)

// office is a lab whose node asks the real modules: what a login needs of the
// control plane, without the console.
type office struct {
	*lab
	vpn     *vpn.Service
	fleet   *fleet.Service
	control *http.Server
	owner   account.Principal
	sold    vpn.SSLServer
}

type anyPurpose struct{}

func (anyPurpose) Gate(context.Context, id.Handle, string) error { return nil }

// newOffice starts a node with one SSL server; change may alter it.
func newOffice(t *testing.T, change func(*vpn.NewServer)) *office {
	l := newLab(t)
	o := &office{lab: l, owner: account.Principal{Account: "acc_lab", Subject: "sub_lab"}}
	ctx, log, clk := context.Background(), slog.New(slog.DiscardHandler), clock.System{}
	d := dbtest.SQLite(t, job.Migrations(), audit.Migrations(), fleet.Migrations(), vpn.Migrations())
	kek, err := vault.FileKEK(filepath.Join(l.dir, "kek"))
	must(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: clk, Log: log})
	must(t, err)
	queue := job.New(d, clk, log)
	trail := audit.New(audit.Deps{DB: d, Vault: v, Clock: clk, Log: log, Origin: "lab.example/log"})
	v.Bind(trail, anyPurpose{})
	nodes := fleet.New(fleet.Deps{DB: d, Clock: clk, Queue: queue, Log: log, Audit: trail, Vault: v})
	o.fleet = nodes
	o.vpn = vpn.New(vpn.Deps{
		DB: d, Clock: clk, Queue: queue, Log: log, Audit: trail, Fleet: nodes, Vault: v, System: v, Password: platformpassword.NewHasher(2),
		Config: vpn.Config{BaseDomain: "vpn.test", SecretTTL: vpn.DefaultSecretTTL, Networks: []vpn.Network{{ID: "vpc", Name: "lab", Region: "cn-test"}}},
	})
	node, err := nodes.EnsureNode(ctx, fleet.NodeSpec{Name: l.id, Region: "cn-test", Location: "CN-mainland", Addresses: []netip.Addr{netip.MustParseAddr(nodeAddr)}})
	must(t, err)
	o.order(change)
	o.serve(gwserver.Options{Fleet: nodes, VPN: o.vpn, Log: log, Identify: func(*http.Request) (fleet.Node, error) { return node, nil }})
	l.cfg.DesiredFile, l.cfg.UsersFile, l.cfg.NodeID = "", "", node.ID
	l.startNode()
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// order makes the gateway and its server.
func (o *office) order(change func(*vpn.NewServer)) {
	ctx := context.Background()
	g, err := o.vpn.Create(ctx, vpn.NewGateway{
		Key: "lab", Account: o.owner.Account, Subject: o.owner.Subject, Name: "lab", Region: "cn-test", Network: "vpc",
		Limits: vpn.Limits{SSLBandwidth: 100, SSLConnections: 5},
	})
	must(o.t, err)
	in := vpn.NewServer{Gateway: g.ID, Settings: vpn.DefaultSettings()}
	in.Name, in.Pool = "office", netip.MustParsePrefix("10.98.0.0/24")
	in.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}
	if change != nil {
		change(&in)
	}
	o.sold, err = o.vpn.CreateServer(ctx, o.owner, in)
	must(o.t, err)
	o.gateway = g.ID
	o.t.Cleanup(func() { _ = netcfg.Remove(g.ID, nil) })
}

func (o *office) serve(options gwserver.Options) {
	o.cfg.Control = filepath.Join(o.dir, "control.sock")
	ln, err := net.Listen("unix", o.cfg.Control)
	must(o.t, err)
	o.control = &http.Server{Handler: gwserver.Handler(options)}
	go func() { _ = o.control.Serve(ln) }()
	o.t.Cleanup(func() { _ = o.control.Close() })
}

// hire makes an SSL client and returns it with its secret.
func (o *office) hire(change func(*vpn.NewClient)) (vpn.SSLClient, vpn.Secret) {
	o.t.Helper()
	ctx := context.Background()
	in := vpn.NewClient{Server: o.sold.ID, Name: "zhang.san"}
	if change != nil {
		change(&in)
	}
	c, err := o.vpn.CreateClient(ctx, o.owner, in)
	must(o.t, err)
	s, err := o.vpn.Secret(ctx, o.owner, c.ID)
	must(o.t, err)
	return c, s
}

// dialAs starts openconnect for a client; it does not wait.
func (o *office) dialAs(c vpn.SSLClient, pass string, args ...string) *client {
	o.t.Helper()
	return o.connectTo(nodeAddr, o.pin(), pass, append([]string{"--user", c.Name, "--no-dtls"}, args...)...)
}

func withoutCertificate(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword }

func TestOpenconnectFillsInASoftwareToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t, withoutCertificate)
	c, s := o.hire(func(n *vpn.NewClient) { n.Token = vpn.TokenStoken })
	for range 3 {
		wrong := o.dialAs(c, "wrong")
		wrong.says("Login failed.")
		wrong.ended()
	}
	in := o.dialAs(c, s.Password, "--token-mode=rsa", "--token-secret="+s.CTF)
	in.says("next tokencode")
	in.says("SCRIPT connected 10.98.0.2")
	in.signal(syscall.SIGINT)
	in.ended()

	c, s = o.hire(func(n *vpn.NewClient) { n.Name, n.Token = "li.si", vpn.TokenStoken })
	in = o.dialAs(c, s.Password, "--token-mode=rsa", "--token-secret="+s.CTF)
	in.says("SCRIPT connected 10.98.0.")
	if strings.Contains(o.log(in.log), "next tokencode") {
		t.Error("got two codes asked for without a failure before")
	}
}

func TestOpenconnectFillsInTOTP(t *testing.T) {
	t.Parallel()
	o := newOffice(t, withoutCertificate)
	c, s := o.hire(nil)
	o.dialAs(c, s.Password, "--token-mode=totp", "--token-secret=base32:"+s.TOTP).says("SCRIPT connected 10.98.0.2")
	if strings.Contains(o.log("node.log"), s.Password) {
		t.Error("got the password in the node's log")
	}
}

// TestARefusalTellsWhy: who has no second factor yet reads so, and openconnect
// ends. Of the 401 after the fifth wrong password it shows the reason among the
// headers, with --verbose alone.
func TestARefusalTellsWhy(t *testing.T) {
	t.Parallel()
	o := newOffice(t, withoutCertificate)
	c, s := o.hire(func(n *vpn.NewClient) { n.Enrols = true })
	for _, args := range [][]string{nil, {"--no-xmlpost"}} {
		bare := o.dialAs(c, s.Password, args...)
		bare.says("The second factor is not set up. Ask your administrator.")
		bare.ended()
	}
	in := o.typing([]string{"wrong", "wrong", "wrong", "wrong", "wrong"}, nodeAddr, o.pin(), "--user", c.Name, "--no-dtls")
	in.says("HTTP/1.1 401 Unauthorized")
	in.says("X-Reason: Too many failed attempts. Try again in 15 minutes.")
	in.ended()
}

// codeOf is a client's code now, as its app shows it.
func codeOf(t *testing.T, s vpn.Secret) string {
	t.Helper()
	code, err := totp.GenerateCode(s.TOTP, time.Now())
	must(t, err)
	return code
}

// TestAWrongCodeIsAskedForAgain: a form with the error and status 200, and the
// right code then opens.
func TestAWrongCodeIsAskedForAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, withoutCertificate)
	c, s := o.hire(nil)
	right := codeOf(t, s)
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+5)%10 }, right)
	in := o.typing([]string{s.Password, wrong, right}, nodeAddr, o.pin(), "--user", c.Name, "--no-dtls")
	in.says("SCRIPT connected 10.98.0.2")
	log := o.log(in.log)
	if n := strings.Count(log, "Login failed."); n != 1 {
		t.Errorf("the error was shown %d times, want once", n)
	}
	if n, other := strings.Count(log, "HTTP/1.1 200 OK"), strings.Count(log, "HTTP/1.1 401"); n < 4 || other != 0 {
		t.Errorf("got %d answers of 200 and %d of 401, want a form for each try", n, other)
	}
}

// TestTwoClientsRaceForOneCode: whoever comes second has a code that was used.
func TestTwoClientsRaceForOneCode(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) { n.LoginMode, n.MaxSessionsPerClient = vpn.LoginPassword, 2 })
	c, s := o.hire(nil)
	code, pin := codeOf(t, s), o.pin()
	var racers []*client
	for range 2 {
		racers = append(racers, o.typing([]string{s.Password, code}, nodeAddr, pin, "--user", c.Name, "--no-dtls"))
	}
	count := func(text string) (n int) {
		for _, r := range racers {
			if strings.Contains(o.log(r.log), text) {
				n++
			}
		}
		return n
	}
	o.until("one is in and one is told that it failed", func() bool { return count("SCRIPT connected") == 1 && count("Login failed.") == 1 })
	if n := len(openedSession.FindAllString(o.log("node.log"), -1)); n != 1 {
		t.Errorf("got %d sessions, want one", n)
	}
}

// certificate unpacks a client's bundle and returns openconnect's arguments.
func (o *office) certificate(c vpn.SSLClient) []string {
	o.t.Helper()
	b, err := o.vpn.Bundle(context.Background(), o.owner, c.ID)
	must(o.t, err)
	z, err := zip.NewReader(bytes.NewReader(b.ZIP), int64(len(b.ZIP)))
	must(o.t, err)
	paths := map[string]string{}
	for _, name := range []string{"client.pem", "key.pem"} {
		raw, err := fs.ReadFile(z, name)
		must(o.t, err)
		paths[name] = filepath.Join(o.dir, c.ID+"-"+name)
		must(o.t, os.WriteFile(paths[name], raw, 0o600))
	}
	return []string{"--certificate", paths["client.pem"], "--sslkey", paths["key.pem"]}
}

func TestOpenconnectWithACertificateAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginCertificate })
	c, s := o.hire(nil)
	in := o.dialAs(c, "", o.certificate(c)...)
	in.says("SCRIPT connected 10.98.0.2")
	in.signal(syscall.SIGINT)
	in.ended()

	old := o.dialAs(c, "", append(o.certificate(c), "--no-xmlpost")...)
	old.says("SCRIPT connected 10.98.0.2")

	bare := o.dialAs(c, s.Password)
	bare.says("A valid client certificate is required.")
	bare.ended()
}

func TestOpenconnectChoosesAGroup(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) {
		n.TwoFactor, n.LoginMode = false, vpn.LoginPassword
		n.Groups = []vpn.Group{{Name: "staff", Label: "All staff"}, {Name: "ops", Label: "Operations"}}
	})
	c, s := o.hire(func(n *vpn.NewClient) { n.Groups = []string{"ops"} })
	label := []string{"--authgroup", "operations"}
	for name, dial := range map[string]func() *client{
		"by label":          func() *client { return o.dialAs(c, s.Password, label...) },
		"by label, no XML":  func() *client { return o.dialAs(c, s.Password, append(label, "--no-xmlpost")...) },
		"by path":           func() *client { return o.dialTo("/ops", c, s.Password) },
		"by path, no XML":   func() *client { return o.dialTo("/ops", c, s.Password, "--no-xmlpost") },
		"by usergroup":      func() *client { return o.dialAs(c, s.Password, "--usergroup", "ops", "--authgroup", "Operations") },
		"by path and label": func() *client { return o.dialTo("/ops", c, s.Password, label...) },
	} {
		t.Log(name)
		in := dial()
		in.says("SCRIPT connected 10.98.0.2")
		in.signal(syscall.SIGINT)
		in.ended()
	}
	other := o.dialAs(c, s.Password, "--authgroup", "All staff")
	other.says("Login failed.")
	other.ended()
}

// dialTo is dialAs with a path.
func (o *office) dialTo(path string, c vpn.SSLClient, pass string, args ...string) *client {
	o.t.Helper()
	return o.connectTo(nodeAddr+path, o.pin(), pass, append([]string{"--user", c.Name, "--no-dtls"}, args...)...)
}

// TestADeviceOfOpenconnectWaitsForApproval and its person reads so. A desktop says
// its platform alone; as a phone openconnect says the same id everywhere, which
// counts for nothing.
func TestADeviceOfOpenconnectWaitsForApproval(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
	c, s := o.hire(func(n *vpn.NewClient) { n.DeviceApproval = true })
	ctx := context.Background()
	waits := func(args ...string) {
		t.Helper()
		in := o.dialAs(c, s.Password, args...)
		in.says("waits for your administrator's approval")
		in.ended()
	}
	waits("--os=linux-64")
	waits("--os=android")
	waits("--os=linux-64", "--no-xmlpost")
	all, err := o.vpn.Devices(ctx, o.owner, c.ID)
	must(t, err)
	if len(all) != 3 || all[0].Label != "linux-64" || all[1].Label != "android android" || all[2].Label != "" {
		t.Errorf("got %+v", all)
	}
	for _, d := range all {
		if d.KnownBy != vpn.KnownByPlatform {
			t.Errorf("%q is known by its %s", d.Label, d.KnownBy)
		}
	}
	must(t, o.vpn.ApproveDevice(ctx, o.owner, c.ID, all[0].ID))
	in := o.dialAs(c, s.Password, "--os=linux-64")
	in.says("SCRIPT connected 10.98.0.2")
	waits("--os=android")
	must(t, o.vpn.RefuseDevice(ctx, o.owner, c.ID, all[0].ID))
	in.ended()
	again := o.dialAs(c, s.Password, "--os=linux-64")
	again.says("Your administrator refuses this device.")
	again.ended()
}
