package netcfg

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func nets(text string) (all []netip.Prefix) {
	for _, s := range strings.Fields(text) {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func hosts(text string) (all []netip.Addr) {
	for _, s := range strings.Fields(text) {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

// show writes networks in one line.
func show(nets []netip.Prefix) string {
	var all []string
	for _, n := range nets {
		all = append(all, n.String())
	}
	return strings.Join(all, " ")
}

// basic is a full tunnel with IPv4 alone.
func basic(change ...func(*Plan)) Plan {
	p := Plan{
		Device: "sky0", Addresses: nets("10.98.0.2/24"), MTU: 1400,
		Servers: []Server{{Addr: netip.MustParseAddr("203.0.113.10"), TCP: 443, UDP: 4443}},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func plan(t *testing.T, change ...func(*Plan)) Plan {
	t.Helper()
	p, err := basic(change...).normal()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func include(s string) func(*Plan)  { return func(p *Plan) { p.Include = nets(s) } }
func exclude(s string) func(*Plan)  { return func(p *Plan) { p.Exclude = nets(s) } }
func with(s string) func(*Plan)     { return func(p *Plan) { p.Addresses = nets(s) } }
func resolver(s string) func(*Plan) { return func(p *Plan) { p.DNS = hosts(s) } }
func split(s string) func(*Plan)    { return func(p *Plan) { p.SplitDNS = strings.Fields(s) } }
func bypass(p *Plan)                { p.Bypass = true }
func kill(p *Plan)                  { p.KillSwitch = true }
func lan(p *Plan)                   { p.LocalLAN = true }

func TestPlansThatNoHostFollows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Plan){
		"device with a path":       func(p *Plan) { p.Device = "../sky0" },
		"device with an option":    func(p *Plan) { p.Device = "-all" },
		"no device":                func(p *Plan) { p.Device = "" },
		"long device":              func(p *Plan) { p.Device = "abcdefghijklmnop" },
		"no address":               func(p *Plan) { p.Addresses = nil },
		"zero address":             with("0.0.0.0/8"),
		"loopback address":         with("127.0.0.2/8"),
		"multicast address":        with("224.0.0.5/24"),
		"address not valid":        func(p *Plan) { p.Addresses = []netip.Prefix{{}} },
		"no server":                func(p *Plan) { p.Servers = nil },
		"server with a zone":       func(p *Plan) { p.Servers[0].Addr = netip.MustParseAddr("fe80::1%eth0") },
		"server to everybody":      func(p *Plan) { p.Servers[0].Addr = netip.MustParseAddr("255.255.255.255") },
		"small MTU":                func(p *Plan) { p.MTU = 500 },
		"MTU too small for IPv6":   func(p *Plan) { p.MTU, p.Addresses = 1200, nets("fd00::2/64") },
		"resolver 0.0.0.0":         resolver("0.0.0.0"),
		"a line in a domain":       func(p *Plan) { p.Search = []string{"a.example\nnameserver 192.0.2.1"} },
		"a space in a split name":  func(p *Plan) { p.SplitDNS = []string{"a b"} },
		"an option as a domain":    func(p *Plan) { p.Search = []string{"-x"} },
		"a domain of nothing":      func(p *Plan) { p.Search = []string{"."} },
		"a quote for scutil":       func(p *Plan) { p.SplitDNS = []string{`x"`} },
		"network with no length":   func(p *Plan) { p.Include = []netip.Prefix{{}} },
		"more networks than sense": func(p *Plan) { p.Exclude = slices.Repeat(nets("192.0.2.0/24"), maxNetworks+1) },
	} {
		if _, err := basic(change).normal(); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: got %v, want ErrPlan", name, err)
		}
	}
}

func TestOneFormOfAPlan(t *testing.T) {
	t.Parallel()
	p := plan(t, func(p *Plan) {
		p.Include = nets("10.1.2.3/16 ::ffff:10.2.0.0/112")
		p.Search, p.SplitDNS = []string{"Corp.Example."}, []string{".corp.example"}
		p.DNS = hosts("::ffff:10.1.0.53")
	})
	if got := show(p.Include); got != "10.1.0.0/16 10.2.0.0/16" {
		t.Errorf("got networks %s", got)
	}
	if p.Search[0] != "corp.example" || p.SplitDNS[0] != "corp.example" || p.DNS[0] != hosts("10.1.0.53")[0] {
		t.Errorf("got %v %v %v", p.Search, p.SplitDNS, p.DNS)
	}
	if halves := plan(t, include("128.0.0.0/1 0.0.0.0/1")); !halves.full() || !halves.everything(v4) {
		t.Error("the two halves are not everything")
	}
}

func TestWhatGoesInside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  []func(*Plan)
		v4, v6  string
		blocked bool // IPv6
	}{
		{"nothing included: everything, and IPv6 is blocked", nil, "0.0.0.0/0 10.98.0.0/24", "", true},
		{"client bypass", []func(*Plan){bypass}, "0.0.0.0/0 10.98.0.0/24", "", false},
		{"both families", []func(*Plan){with("10.98.0.2/32 fd00::2/64")}, "0.0.0.0/0 10.98.0.2/32", "::/0 fd00::/64", false},
		{"split", []func(*Plan){include("10.1.0.0/16")}, "10.1.0.0/16 10.98.0.0/24", "", false},
		{"split, IPv6 has an address alone", []func(*Plan){include("10.1.0.0/16"), with("10.98.0.2/32 fd00::2/128")}, "10.1.0.0/16 10.98.0.2/32", "fd00::2/128", false},
		{"all of IPv4 by name", []func(*Plan){include("0.0.0.0/0")}, "0.0.0.0/0 10.98.0.0/24", "", true},
		{"an exclude inside of an include", []func(*Plan){include("10.1.0.0/16"), exclude("10.1.2.0/24")}, "10.1.0.0/16 10.98.0.0/24", "", false},
		{"an exclude around an include", []func(*Plan){include("10.1.2.0/24 10.3.0.0/16"), exclude("10.1.0.0/16")}, "10.3.0.0/16 10.98.0.0/24", "", false},
		{"an include that is excluded", []func(*Plan){include("10.1.2.0/24"), exclude("10.1.2.0/24")}, "10.98.0.0/24", "", false},
		{"resolvers", []func(*Plan){include("10.1.0.0/16"), resolver("10.9.0.53 2001:db8::53")}, "10.1.0.0/16 10.9.0.53/32 10.98.0.0/24", "", false},
	} {
		p := plan(t, c.change...)
		if got := show(p.inside(v4)); got != c.v4 {
			t.Errorf("%s: got IPv4 %s, want %s", c.name, got, c.v4)
		}
		if got := show(p.inside(v6)); got != c.v6 {
			t.Errorf("%s: got IPv6 %s, want %s", c.name, got, c.v6)
		}
		if got := p.blocked(v6); got != c.blocked {
			t.Errorf("%s: got IPv6 blocked %v", c.name, got)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	other := func(change ...func(*Plan)) Plan {
		return basic(append([]func(*Plan){func(p *Plan) { p.Device, p.Addresses = "sky1", nets("10.99.0.2/24") }}, change...)...)
	}
	for _, c := range []struct {
		name string
		a, b Plan
		want string
	}{
		{"apart", basic(include("10.1.0.0/16")), other(include("10.2.0.0/16")), ""},
		{"one in the other", basic(include("10.1.0.0/16")), other(include("10.1.2.0/24")), "10.1.2.0/24"},
		{"the other way round", basic(include("10.1.2.0/24")), other(include("10.1.0.0/16")), "10.1.2.0/24"},
		{"several", basic(include("10.1.0.0/16")), other(include("10.1.3.0/24 10.1.2.0/24")), "10.1.2.0/24 10.1.3.0/24"},
		{"excluded here", basic(include("10.1.0.0/16"), exclude("10.1.2.0/24")), other(include("10.1.2.0/24")), ""},
		{"excluded there", basic(include("10.1.2.0/24")), other(include("10.1.0.0/16"), exclude("10.1.2.0/23")), ""},
		{"excluded in part", basic(include("10.1.0.0/16"), exclude("10.1.2.0/25")), other(include("10.1.2.0/24")), "10.1.2.0/24"},
		{"the same pool", basic(include("10.1.0.0/16")), other(include("10.2.0.0/16"), with("10.98.0.9/24")), "10.98.0.0/24"},
		{"the same resolver", basic(include("10.1.0.0/16"), resolver("10.7.0.53")), other(include("10.2.0.0/16"), resolver("10.7.0.53")), "10.7.0.53/32"},
		{"everything and something", basic(bypass), other(include("10.2.0.0/16")), "10.2.0.0/16 10.99.0.0/24"},
		{"a blocked family", basic(include("0.0.0.0/0"), exclude("10.99.0.0/24")), other(include("fd01::/64"), with("10.99.0.2/24 fd01::2/128")), "fd01::/64 fd01::2/128"},
	} {
		if got := show(Conflicts(c.a, c.b)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzPlan has names and networks of a hostile server. What passes cannot break
// out of a line of resolv.conf or of a program's arguments.
func FuzzPlan(f *testing.F) {
	f.Add("corp.example", "10.0.0.0/8", "10.98.0.2/24")
	f.Add("a\nb", "::/0", "::ffff:10.0.0.1/120")
	f.Add("-", "0.0.0.0/1", "fe80::1%x/64")
	f.Fuzz(func(t *testing.T, name, network, address string) {
		n, _ := netip.ParsePrefix(network)
		a, _ := netip.ParsePrefix(address)
		p, err := basic(func(p *Plan) {
			p.Search, p.SplitDNS, p.Include, p.Addresses = []string{name}, []string{name}, []netip.Prefix{n}, []netip.Prefix{a}
		}).normal()
		if err != nil {
			return
		}
		if strings.HasPrefix(p.Search[0], "-") || strings.ContainsAny(p.Search[0], " \t\r\n\"'\\#;") {
			t.Errorf("got %q", p.Search[0])
		}
		again, err := p.normal()
		if err != nil || !cmp.Equal(show(again.Include), show(p.Include)) {
			t.Errorf("not stable: %v, %v", again, err)
		}
		for _, fam := range families {
			for _, in := range p.inside(fam) {
				if in != in.Masked() || familyOf(in.Addr()) != fam {
					t.Errorf("got %s inside of family %d", in, fam)
				}
			}
		}
		Conflicts(p, p)
	})
}
