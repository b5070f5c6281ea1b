package netcfg

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var numbers = claim{Index: 7, Table: 20000, Rules: 20000}

// text writes rules as ip-rule(8) would.
func text(rules []rule) (all []string) {
	for _, r := range rules {
		s := fmt.Sprintf("%d: to %s", r.priority, r.to)
		if r.protocol != 0 {
			s += fmt.Sprintf(" ipproto %d dport %d", r.protocol, r.port)
		}
		if r.jump != 0 {
			s += fmt.Sprintf(" goto %d", r.jump)
		} else {
			s += fmt.Sprintf(" lookup %d", r.table)
		}
		if r.specific {
			s += " suppress 0"
		}
		all = append(all, s)
	}
	return all
}

func TestRulesOfAPlan(t *testing.T) {
	t.Parallel()
	six := func(p *Plan) { p.Servers = append(p.Servers, Server{Addr: netip.MustParseAddr("2001:db8::10")}) }
	for _, c := range []struct {
		name   string
		change []func(*Plan)
		v4, v6 string
	}{
		{
			"everything",
			[]func(*Plan){six},
			"20000: to 203.0.113.10/32 ipproto 6 dport 443 goto 32766\n20000: to 203.0.113.10/32 ipproto 17 dport 4443 goto 32766\n20003: to 0.0.0.0/0 lookup 20000",
			"20000: to 2001:db8::10/128 goto 32766\n20001: to fe80::/10 goto 32766\n20003: to ::/0 lookup 20000",
		},
		{
			"client bypass has no rule of IPv6",
			[]func(*Plan){six, bypass, func(p *Plan) { p.Servers[0].TCP, p.Servers[0].UDP = 0, 0 }},
			"20000: to 203.0.113.10/32 goto 32766\n20003: to 0.0.0.0/0 lookup 20000", "",
		},
		{
			"a proxy on this host needs no way outside",
			[]func(*Plan){bypass, func(p *Plan) { p.Servers[0].Addr = netip.MustParseAddr("127.0.0.1") }},
			"20003: to 0.0.0.0/0 lookup 20000", "",
		},
	} {
		p := plan(t, c.change...)
		for _, f := range families {
			want := map[family]string{v4: c.v4, v6: c.v6}[f]
			if got := strings.Join(text(wantRules(p, f, numbers, 32766)), "\n"); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
			}
		}
	}
}

func TestLocalLANIsThePrivateNetworksAlone(t *testing.T) {
	t.Parallel()
	rules := wantRules(plan(t, lan), v4, numbers, 32766)
	seen := 0
	for _, r := range rules {
		if r.priority != numbers.Rules+ruleLAN {
			continue
		}
		seen++
		if !r.specific || r.table != unix.RT_TABLE_MAIN || !within(r.to, private) {
			t.Errorf("got %v", r)
		}
	}
	if seen != len(v4.of(private)) {
		t.Errorf("got %d rules", seen)
	}
}

func TestRulesComeBackFromTheKernelsForm(t *testing.T) {
	t.Parallel()
	p := plan(t, lan, with("10.98.0.2/24 fd00::2/64"))
	for _, f := range families {
		for _, r := range wantRules(p, f, numbers, 32766) {
			if got := fromRule(*r.netlink(f), f); got != r {
				t.Errorf("got %v, want %v", got, r)
			}
		}
		for _, r := range wantRoutes(p, f) {
			if got := fromRoute(*r.netlink(numbers), f); got != r {
				t.Errorf("got %v, want %v", got, r)
			}
		}
	}
}

func TestRoutesOfAPlan(t *testing.T) {
	t.Parallel()
	kinds := map[int]string{unix.RTN_UNICAST: "dev", unix.RTN_THROW: "throw", unix.RTN_UNREACHABLE: "unreachable"}
	for _, c := range []struct {
		name   string
		change []func(*Plan)
		v4, v6 string
	}{
		{"everything", nil, "0.0.0.0/0 dev, 10.98.0.0/24 dev", "::/0 unreachable"},
		{"client bypass", []func(*Plan){bypass}, "0.0.0.0/0 dev, 10.98.0.0/24 dev", ""},
		{"excludes", []func(*Plan){exclude("10.1.0.0/16 2001:db8::/32")}, "0.0.0.0/0 dev, 10.98.0.0/24 dev, 10.1.0.0/16 throw", "::/0 unreachable, 2001:db8::/32 throw"},
		{"split", []func(*Plan){include("10.1.0.0/16 fd00::/8")}, "10.1.0.0/16 dev, 10.98.0.0/24 dev", ""},
		{
			"a kill switch leaves what is unreachable",
			[]func(*Plan){include("10.1.0.0/16"), with("10.98.0.2/32"), kill},
			"10.1.0.0/16 dev, 10.1.0.0/16 unreachable, 10.98.0.2/32 dev, 10.98.0.2/32 unreachable", "",
		},
	} {
		p := plan(t, c.change...)
		for _, f := range families {
			var got []string
			for _, r := range wantRoutes(p, f) {
				got = append(got, r.to.String()+" "+kinds[r.kind])
			}
			if want := map[family]string{v4: c.v4, v6: c.v6}[f]; strings.Join(got, ", ") != want {
				t.Errorf("%s: got %s, want %s", c.name, strings.Join(got, ", "), want)
			}
		}
	}
}

// verdict walks a packet through the lines.
func verdict(lines []pass, f family, to string, protocol byte, port uint16, out string) string {
	addr := netip.MustParseAddr(to)
	for _, l := range lines {
		if l.in != "" || l.out != "" && l.out != out || l.family != 0 && l.family != f || l.to.IsValid() && !l.to.Contains(addr) ||
			l.protocol != 0 && l.protocol != protocol || l.port != 0 && l.port != port || l.from != 0 || l.icmp[1] != 0 {
			continue
		}
		if l.reject {
			return "reject"
		}
		return "accept"
	}
	return "none"
}

func TestKillSwitch(t *testing.T) {
	t.Parallel()
	const tcp, udp = unix.IPPROTO_TCP, unix.IPPROTO_UDP
	second := func(p Plan) Plan {
		p.Device, p.Servers = "sky1", []Server{{Addr: netip.MustParseAddr("203.0.113.20"), TCP: 8443}}
		return p
	}
	for _, c := range []struct {
		name     string
		plans    []Plan
		to       string
		protocol byte
		port     uint16
		out      string
		want     string
	}{
		{"none wanted", []Plan{plan(t)}, "192.0.2.1", tcp, 80, "eth0", "none"},
		{"to anywhere", []Plan{plan(t, kill)}, "192.0.2.1", tcp, 80, "eth0", "reject"},
		{"IPv6, which is blocked", []Plan{plan(t, kill)}, "2001:db8::1", tcp, 80, "eth0", "reject"},
		{"IPv6 with bypass", []Plan{plan(t, kill, bypass)}, "2001:db8::1", tcp, 80, "eth0", "none"},
		{"by the tunnel", []Plan{plan(t, kill)}, "192.0.2.1", tcp, 80, "sky0", "accept"},
		{"by loopback", []Plan{plan(t, kill)}, "127.0.0.1", tcp, 80, "lo", "accept"},
		{"to the server", []Plan{plan(t, kill)}, "203.0.113.10", tcp, 443, "eth0", "accept"},
		{"to the server, DTLS", []Plan{plan(t, kill)}, "203.0.113.10", udp, 4443, "eth0", "accept"},
		{"to another port of the server", []Plan{plan(t, kill)}, "203.0.113.10", tcp, 80, "eth0", "reject"},
		{"to an exclude", []Plan{plan(t, kill, exclude("192.0.2.0/24"))}, "192.0.2.1", tcp, 80, "eth0", "accept"},
		{"split: to an include", []Plan{plan(t, kill, include("10.1.0.0/16"))}, "10.1.2.3", tcp, 80, "eth0", "reject"},
		{"split: to elsewhere", []Plan{plan(t, kill, include("10.1.0.0/16"))}, "192.0.2.1", tcp, 80, "eth0", "none"},
		{"LAN", []Plan{plan(t, kill)}, "192.168.1.9", tcp, 631, "eth0", "reject"},
		{"LAN allowed", []Plan{plan(t, kill, lan)}, "192.168.1.9", tcp, 631, "eth0", "accept"},
		{"a public LAN", []Plan{plan(t, kill, lan)}, "198.51.100.9", tcp, 631, "eth0", "reject"},
		{"the router's resolver", []Plan{plan(t, kill, lan, resolver("10.98.0.53"))}, "192.168.1.1", udp, 53, "eth0", "reject"},
		{"the router's resolver, names are split", []Plan{plan(t, kill, lan, resolver("10.98.0.53"), split("corp.example"))}, "192.168.1.1", udp, 53, "eth0", "accept"},
		{"one of two forbids the LAN", []Plan{plan(t, kill, lan), second(plan(t, kill, include("10.5.0.0/16")))}, "192.168.1.9", tcp, 631, "eth0", "reject"},
		{"another tunnel's server", []Plan{plan(t, kill), second(plan(t, include("10.5.0.0/16")))}, "203.0.113.20", tcp, 8443, "eth0", "accept"},
		{"another tunnel", []Plan{plan(t, kill), second(plan(t, include("10.5.0.0/16")))}, "10.5.0.1", tcp, 80, "sky1", "accept"},
	} {
		f := familyOf(netip.MustParseAddr(c.to))
		if got := verdict(wantFilter(c.plans), f, c.to, c.protocol, c.port, c.out); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestDomainsForResolved(t *testing.T) {
	t.Parallel()
	search := func(p *Plan) { p.Search = []string{"corp.example"} }
	if diff := cmp.Diff([]linkDomain{{"corp.example", false}, {".", true}}, linkDomains(plan(t, search))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]linkDomain{{"corp.example", false}, {"lab.example", true}}, linkDomains(plan(t, search, split("lab.example")))); diff != "" {
		t.Error(diff)
	}
}

func TestResolvConfOfTwoTunnels(t *testing.T) {
	t.Parallel()
	a := plan(t, resolver("10.1.0.53 10.1.0.54"), func(p *Plan) { p.Search = []string{"a.example"} })
	b := plan(t, resolver("10.2.0.53 10.2.0.54"), func(p *Plan) { p.Search = []string{"b.example"} })
	silent := plan(t, func(p *Plan) { p.Search = []string{"c.example"} })
	want := "nameserver 10.1.0.53\nnameserver 10.1.0.54\nnameserver 10.2.0.53\nsearch a.example b.example\n"
	if got := string(resolvText([]Plan{a, silent, b})); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhereResolvConfLeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, target         string
		resolved, resolvconf bool
	}{
		{"nameserver 192.0.2.1\n", "/etc/resolv.conf", false, false},
		{"nameserver 127.0.0.53\n", "/etc/resolv.conf", true, false},
		{"nameserver 192.0.2.1\n", "/run/systemd/resolve/resolv.conf", true, false},
		{"# nameserver 127.0.0.53\n", "/etc/resolv.conf", false, false},
		{"# Generated by resolvconf\nnameserver 192.0.2.1\n", "/etc/resolv.conf", false, true},
		{"", "/run/resolvconf/resolv.conf", false, true},
		{"# Dynamic resolv.conf(5) file for glibc resolver(3) generated by resolvconf(8)\n", "/etc/resolv.conf", false, true},
		{"# Generated by NetworkManager\n", "/run/NetworkManager/resolv.conf", false, false},
	} {
		if got := leadsToResolved([]byte(c.text), c.target); got != c.resolved {
			t.Errorf("%q %s: resolved %v", c.text, c.target, got)
		}
		if got := leadsToResolvconf([]byte(c.text), c.target); got != c.resolvconf {
			t.Errorf("%q %s: resolvconf %v", c.text, c.target, got)
		}
	}
}
