//go:build netns

package netns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/doctor"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

// named is a server that has to be looked up.
const named = "vpn.corp.example.com"

// finding is a line of skyconnect doctor --json.
type finding struct {
	doctor.Check
	Title, Text, Remedy string
}

// doctor runs the program and returns what is wrong: "check cause" of each. What is
// read and what may be shown to others are looked at too.
func (p *person) doctor() (wrong []string, code int, all map[string]finding) {
	p.l.t.Helper()
	report := filepath.Join(p.l.dir, "report.txt")
	a := p.run(nil, "doctor", "office", "--json", "--report", report)
	var found []finding
	if err := json.Unmarshal([]byte(a.out), &found); err != nil {
		p.l.t.Fatalf("doctor: %d %v\n%s%s", a.code, err, a.out, a.err)
	}
	all = map[string]finding{}
	for _, f := range found {
		all[f.ID] = f
		if f.State != doctor.Fail && f.State != doctor.Warn {
			continue
		}
		wrong = append(wrong, f.ID+" "+f.Cause)
		if f.Text == "" || f.Remedy == "" || strings.Contains(f.Text+f.Remedy, "client.") || strings.ContainsAny(f.Text, "{}") {
			p.l.t.Errorf("%s %s reads %q, %q", f.ID, f.Cause, f.Text, f.Remedy)
		}
	}
	text, err := os.ReadFile(report)
	if err != nil {
		p.l.t.Fatal(err)
	}
	for _, private := range []string{"alice", "office", "laptop", "example", "198.51.100.", "10.77.", "10.98.", "192.0.2.", "pin-sha256:", "Stranger"} {
		if strings.Contains(strings.ToLower(string(text)), strings.ToLower(private)) {
			p.l.t.Errorf("the report says %s:\n%s", private, text)
		}
	}
	return wrong, a.code, all
}

// finds fails unless the doctor says that exactly this is wrong. Whether resolv.conf
// can be changed is the business of the machine that the tests run on.
func (p *person) finds(code int, want ...string) map[string]finding {
	p.l.t.Helper()
	got, ended, all := p.doctor()
	got = slices.DeleteFunc(got, func(s string) bool { return s == "resolver resolv_conf_fixed" })
	if !slices.Equal(got, want) || ended != code {
		p.l.t.Errorf("got %q and exit code %d, want %q and %d\n%+v", got, ended, want, code, all)
	}
	return all
}

// knows gives the person a profile of a server and has them accept.
func (p *person) knows(server string, options ...string) {
	p.l.t.Helper()
	p.must(append([]string{"profiles", "add", "office", "--server", server, "--account", "alice"}, options...)...)
	p.must("policy", "accept")
	p.must("permissions", "grant", "network")
}

// sick is a lab whose person sits at a machine with a name.
func sick(t *testing.T) *lab {
	t.Helper()
	t.Parallel()
	l := newLab(t)
	l.world = "echo alices-laptop > /proc/sys/kernel/hostname"
	return l
}

func (l *lab) nft(ns, rules string) { l.run("ip", "netns", "exec", l.id+ns, "nft", rules) }

// impostor serves TLS where the gateway should be, with a certificate changed by
// change, and a clock that is late by late.
func (l *lab) impostor(late time.Duration, change func(*x509.Certificate)) *x509.Certificate {
	l.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Stranger"}, IPAddresses: []net.IP{net.ParseIP(nodeAddr)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		l.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	listener := l.listenOn("g", nodeAddr+":443")
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			l.heard.Add(1)
			w.Header().Set("Date", time.Now().Add(-late).UTC().Format(http.TimeFormat))
		}),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}},
	}
	l.t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return leaf
}

func (l *lab) listenOn(ns, addr string) (listener net.Listener) {
	l.t.Helper()
	if err := l.within(ns, func() (err error) {
		listener, err = net.Listen("tcp", addr)
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	return listener
}

// nameServer answers every question with an RCODE and no record.
func (l *lab) nameServer(ns, addr string, rcode byte) {
	l.t.Helper()
	var c net.PacketConn
	if err := l.within(ns, func() (err error) {
		c, err = net.ListenPacket("udp", addr+":53")
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			b[2], b[3] = b[2]|0x80, 0x80|rcode
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
}

// asks has the machine ask a name server in the gateway's place.
func (l *lab) asks() {
	l.t.Helper()
	path := filepath.Join(l.dir, "machine-resolv.conf")
	if err := os.WriteFile(path, []byte("nameserver "+nodeAddr+"\n"), 0o644); err != nil { //nolint:gosec // as a resolv.conf is
		l.t.Fatal(err)
	}
	l.world += "\nmount --bind " + path + " /etc/resolv.conf"
}

// second plugs another network in.
func (l *lab) second(link, addr string) {
	l.ip("-n", l.id+"c", "link", "add", link, "type", "veth", "peer", "name", link+"p")
	l.ip("-n", l.id+"c", "addr", "add", addr, "dev", link)
	l.ip("-n", l.id+"c", "link", "set", link, "up")
	l.ip("-n", l.id+"c", "link", "set", link+"p", "up")
}

// TestTheDoctorFindsNothingWrong where nothing is: each check was made.
func TestTheDoctorFindsNothingWrong(t *testing.T) {
	l := sick(t)
	l.want()
	l.startNode()
	p := l.person()
	p.ready()
	before := p.finds(0)
	p.mustUp()
	connected := p.finds(0)
	for id, all := range map[string]map[string]finding{
		"name": before, "tcp": before, "certificate": before, "clock": before, "left": before, "daemon": before, "device": before, "mtu": before,
		"udp": connected, "routes": connected, "connection": connected,
	} {
		if all[id].State != doctor.OK {
			t.Errorf("%s: got %+v", id, all[id])
		}
	}
}

// TestTheDoctorFindsTheCause: what is wrong with a way to a server, one thing at a
// time, on a machine that is not connected.
func TestTheDoctorFindsTheCause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  string // "" = the gateway's address
		sick    func(l *lab) (options []string)
		want    []string
		skipped []string // checks that cannot be made then
	}{
		"nothing listens at the port": {
			sick: func(*lab) []string { return nil },
			want: []string{"tcp port_closed"}, skipped: []string{"certificate", "clock", "mtu"},
		},
		"packets to the port are dropped": {
			sick: func(l *lab) []string {
				l.nft("g", "add table inet w; add chain inet w i { type filter hook input priority 0; }; add rule inet w i tcp dport 443 drop")
				return nil
			},
			want: []string{"tcp unreachable"},
		},
		"nobody vouches for the server": {
			sick: func(l *lab) []string { l.impostor(0, nil); return nil },
			want: []string{"certificate " + trust.ErrIssuer.Code}, skipped: []string{"clock"},
		},
		"another server than the profile's": {
			sick: func(l *lab) []string {
				l.impostor(0, nil)
				return []string{"--pin", "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
			},
			want: []string{"certificate " + trust.ErrPin.Code},
		},
		"the certificate is over": {
			sick: func(l *lab) []string {
				return []string{"--pin", trust.Pin(l.impostor(0, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }))}
			},
			want: []string{"certificate " + trust.ErrExpired.Code},
		},
		"the certificate has not begun": {
			sick: func(l *lab) []string {
				return []string{"--pin", trust.Pin(l.impostor(0, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }))}
			},
			want: []string{"certificate " + trust.ErrNotYet.Code},
		},
		"the certificate is of another name": {
			sick: func(l *lab) []string {
				leaf := l.impostor(0, func(c *x509.Certificate) {
					c.IPAddresses, c.DNSNames, c.KeyUsage = nil, []string{"mail.other.example.org"}, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
				})
				path := filepath.Join(l.dir, "ca.pem")
				if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), 0o600); err != nil {
					l.t.Fatal(err)
				}
				return []string{"--ca", path}
			},
			want: []string{"certificate " + trust.ErrName.Code},
		},
		"the certificate ends soon": {
			sick: func(l *lab) []string {
				return []string{"--pin", trust.Pin(l.impostor(0, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(50 * time.Hour) }))}
			},
			want: []string{"certificate certificate_ends"},
		},
		"the clock is off": {
			sick: func(l *lab) []string { return []string{"--pin", trust.Pin(l.impostor(time.Hour, nil))} },
			want: []string{"clock clock_wrong"},
		},
		"something else than a VPN server answers": {
			sick: func(l *lab) []string {
				listener := l.listenOn("g", nodeAddr+":443")
				l.t.Cleanup(func() { _ = listener.Close() })
				go func() {
					for {
						c, err := listener.Accept()
						if err != nil {
							return
						}
						fmt.Fprint(c, "220 mail.example.org ESMTP\r\n")
						_ = c.Close()
					}
				}()
				return nil
			},
			want: []string{"certificate no_tls"},
		},
		"long packets vanish": {
			sick: func(l *lab) []string {
				k := l.newLink()
				k.hole.Store(1300)
				return []string{"--pin", trust.Pin(l.impostor(0, nil))}
			},
			want: []string{"mtu mtu_hole"},
		},
		"the name server does not answer": {
			server: named + ":443",
			sick: func(l *lab) []string {
				l.asks()
				l.nft("g", "add table inet w; add chain inet w i { type filter hook input priority 0; }; add rule inet w i udp dport 53 drop")
				return nil
			},
			want: []string{"name no_resolver"}, skipped: []string{"tcp", "certificate"},
		},
		"the name server knows no such name": {
			server: named + ":443",
			sick:   func(l *lab) []string { l.asks(); l.nameServer("g", nodeAddr, 3); return nil },
			want:   []string{"name no_such_name"},
		},
		"the name has no address": {
			server: named + ":443",
			sick:   func(l *lab) []string { l.asks(); l.nameServer("g", nodeAddr, 0); return nil },
			want:   []string{"name no_such_name"},
		},
		"the name server fails": {
			server: named + ":443",
			sick:   func(l *lab) []string { l.asks(); l.nameServer("g", nodeAddr, 2); return nil },
			want:   []string{"name resolver_fails"},
		},
		"no route leads to the server": {
			sick: func(l *lab) []string {
				l.ip("-n", l.id+"c", "route", "add", "blackhole", nodeAddr+"/32")
				return nil
			},
			want: []string{"tcp no_route"},
		},
		"the machine is in no network": {
			sick: func(l *lab) []string { l.ip("-n", l.id+"c", "link", "set", "c0", "down"); return nil },
			want: []string{"tcp no_route"},
		},
		"a route takes the server's packets elsewhere": {
			sick: func(l *lab) []string {
				l.ip("-n", l.id+"c", "route", "add", "default", "via", "198.51.100.254", "dev", "c0")
				l.second("other0", "192.168.99.1/24")
				l.ip("-n", l.id+"c", "neigh", "add", "192.168.99.2", "lladdr", "02:00:00:00:00:02", "dev", "other0")
				l.ip("-n", l.id+"c", "route", "add", nodeAddr+"/32", "via", "192.168.99.2", "dev", "other0")
				return nil
			},
			want: []string{"tcp unreachable", "routes server_route"},
		},
		"the proxy is away": {
			sick: func(*lab) []string { return []string{"--proxy", "http://" + nodeAddr + ":3128"} },
			want: []string{"tcp proxy_away"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := sick(t)
			options := c.sick(l)
			p := l.person()
			server := c.server
			if server == "" {
				server = nodeAddr + ":443"
			}
			p.knows(server, options...)
			code := 1
			if strings.HasSuffix(c.want[0], "_ends") {
				code = 0 // it works, still
			}
			all := p.finds(code, c.want...)
			for _, id := range c.skipped {
				if all[id].State != doctor.Skipped {
					t.Errorf("%s: got %+v", id, all[id])
				}
			}
		})
	}
}

// TestTheDoctorFindsTheCauseInATunnel: what works, but not as it should.
func TestTheDoctorFindsTheCauseInATunnel(t *testing.T) {
	t.Parallel()
	drop := func(l *lab, what string) {
		l.nft("g", "add table inet w; add chain inet w i { type filter hook input priority 0; }; add rule inet w i "+what+" drop")
	}
	for name, c := range map[string]struct {
		before func(l *lab) // before the connection
		after  func(l *lab)
		code   int
		want   []string
	}{
		"UDP is blocked":       {before: func(l *lab) { drop(l, "udp dport 443") }, want: []string{"udp udp_blocked"}},
		"the path is narrower": {before: func(l *lab) { l.newLink().narrow.Store(1350) }, want: []string{"mtu mtu_narrow"}},
		"a network here is one behind the tunnel": {
			after: func(l *lab) { l.second("home0", "10.77.0.129/25") },
			want:  []string{"routes route_conflict"},
		},
		"the name server is silent": {
			before: func(l *lab) { l.server.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53")} },
			code:   1, want: []string{"dns dns_silent"},
		},
		"the name server knows nothing": {
			before: func(l *lab) {
				l.server.DNS, l.server.DefaultDomains = []netip.Addr{netip.MustParseAddr(lanAddr)}, []string{"corp.example"}
				l.nameServer("l", lanAddr, 5)
			},
			code: 1, want: []string{"dns dns_empty"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := sick(t)
			if c.before != nil {
				c.before(l)
			}
			l.want()
			l.startNode()
			p := l.person()
			p.ready()
			p.mustUp()
			if c.after != nil {
				c.after(l)
			}
			p.finds(c.code, c.want...)
		})
	}
}

// TestTheDoctorOnAMachineWithoutTUN says so before and after a try to connect.
func TestTheDoctorOnAMachineWithoutTUN(t *testing.T) {
	l := sick(t)
	l.want()
	l.startNode()
	l.world += "\nmount -t tmpfs none /dev/net"
	p := l.person()
	before := p.network()
	p.ready()
	p.finds(1, "device no_tun")
	if a := p.up(); a.code != 1 || !strings.Contains(a.err, "tunnel device") {
		t.Errorf("up: got %d %s%s", a.code, a.out, a.err)
	}
	p.finds(1, "connection device", "device no_tun")
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
}

// TestTheDoctorOnAMachineWhoseResolverIsFixed warns before anybody connects.
func TestTheDoctorOnAMachineWhoseResolverIsFixed(t *testing.T) {
	l := sick(t)
	l.asks()
	l.world += "\nmount -o remount,bind,ro /etc/resolv.conf"
	l.impostor(0, nil)
	p := l.person()
	p.knows(nodeAddr + ":443")
	if wrong, _, _ := p.doctor(); !slices.Contains(wrong, "resolver resolv_conf_fixed") {
		t.Errorf("got %q", wrong)
	}
}

// TestTheDoctorAfterAKill sees what a killed daemon left, and undoes it.
func TestTheDoctorAfterAKill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options []string
		anew    bool // the daemon runs again
		want    []string
	}{
		"no daemon":                         {nil, false, []string{"daemon daemon_away", "left left_behind"}},
		"no daemon, and a kill switch":      {[]string{"--kill-switch"}, false, []string{"daemon daemon_away", "left left_behind"}},
		"the kill switch of the one before": {[]string{"--kill-switch"}, true, []string{"left left"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := sick(t)
			l.server.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53")}
			l.want()
			l.startNode()
			p := l.person()
			before := p.network()
			p.ready(c.options...)
			p.mustUp()
			_ = p.daemon.Process.Kill()
			_ = p.daemon.Wait()
			if c.anew {
				p.startDaemon()
			}
			p.finds(1, c.want...)
			if out := p.must("doctor", "--repair", "--state", p.state()); !strings.Contains(out, "sky0") {
				t.Errorf("repair: got %s", out)
			}
			if after := p.network(); after != before {
				t.Errorf("the network was\n%s\nand is\n%s", before, after)
			}
			if !c.anew {
				p.startDaemon()
			}
			p.finds(0)
			if out := p.must("doctor", "--repair", "--state", p.state()); strings.Contains(out, "sky0") {
				t.Errorf("repaired again: %s", out)
			}
		})
	}
}
