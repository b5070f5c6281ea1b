package netcfg

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRoutesOfSystemsWithoutRules: all of a family goes in as two halves, which the
// host's default route survives, and what stays outside has a route by the router.
func TestRoutesOfSystemsWithoutRules(t *testing.T) {
	t.Parallel()
	server := []Server{{Addr: netip.MustParseAddr("203.0.113.9"), TCP: 443}, {Addr: netip.MustParseAddr("2001:db8::9")}, {Addr: netip.MustParseAddr("127.0.0.1")}}
	cases := []struct {
		name        string
		plan        Plan
		in, out     string
		inV6, outV6 string
	}{
		{
			"everything",
			Plan{Addresses: nets("10.8.0.2/24"), Exclude: nets("192.168.7.0/24")},
			"0.0.0.0/1 10.8.0.0/24 128.0.0.0/1", "192.168.7.0/24 203.0.113.9/32", "", "2001:db8::9/128",
		},
		{
			"both families",
			Plan{Addresses: nets("10.8.0.2/32 fd00::2/128")},
			"0.0.0.0/1 10.8.0.2/32 128.0.0.0/1", "203.0.113.9/32", "::/1 8000::/1 fd00::2/128", "2001:db8::9/128",
		},
		{
			"split",
			Plan{Addresses: nets("10.8.0.2/32"), Include: nets("172.16.0.0/12"), DNS: hosts("172.31.0.53 9.9.9.9")},
			"9.9.9.9/32 10.8.0.2/32 172.16.0.0/12 172.31.0.53/32", "203.0.113.9/32", "", "2001:db8::9/128",
		},
	}
	for _, c := range cases {
		c.plan.Device, c.plan.MTU, c.plan.Servers = "sky0", 1400, server
		p, err := c.plan.normal()
		if err != nil {
			t.Fatal(c.name, err)
		}
		got := []string{show(sorted(reached(p, v4))), show(outer(p, v4)), show(sorted(reached(p, v6))), show(outer(p, v6))}
		if diff := cmp.Diff([]string{c.in, c.out, c.inV6, c.outV6}, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestNamesOfOtherSystems: one rule of the policy table, one entry of the dynamic
// store, for all names or for those of a split.
func TestNamesOfOtherSystems(t *testing.T) {
	t.Parallel()
	all := Plan{Device: "utun100", DNS: hosts("10.8.0.1 fd00::1")}
	split := Plan{Device: "utun100", DNS: hosts("10.8.0.1"), SplitDNS: []string{"corp.example", "lab.example"}, Search: []string{"corp.example"}}
	if got := policyNames(all); !cmp.Equal(got, []string{"."}) {
		t.Errorf("got %q", got)
	}
	if got := policyNames(split); !cmp.Equal(got, []string{".corp.example", ".lab.example"}) {
		t.Errorf("got %q", got)
	}
	const head, set = "d.init\nd.add ServerAddresses * ", "\nset State:/Network/Service/skyconnect-utun100/DNS\nquit\n"
	if diff := cmp.Diff(head+"10.8.0.1 fd00::1\nd.add SupplementalMatchDomains * \"\""+set, dynamicStore(all)); diff != "" {
		t.Error(diff)
	}
	want := head + "10.8.0.1\nd.add SupplementalMatchDomains * corp.example lab.example\nd.add SearchDomains * corp.example" + set
	if diff := cmp.Diff(want, dynamicStore(split)); diff != "" {
		t.Error(diff)
	}
}

// TestNoNameBeginsALineOfScutil: names come from a server, and what would be a
// command of scutil's is no name.
func TestNoNameBeginsALineOfScutil(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\nremove State:/Network/Global/DNS", "a b", `a"`, "a;b", "a\rb"} {
		p := Plan{
			Device: "utun100", MTU: 1400, Addresses: nets("10.8.0.2/32"), DNS: hosts("10.8.0.1"),
			Servers: []Server{{Addr: netip.MustParseAddr("203.0.113.9")}}, SplitDNS: []string{name},
		}
		if _, err := p.normal(); !errors.Is(err, ErrPlan) {
			t.Errorf("%q is taken for a name: %v", name, err)
		}
		p.SplitDNS, p.Device = nil, "utun100"+strings.TrimPrefix(name, "a")
		if _, err := p.normal(); !errors.Is(err, ErrPlan) {
			t.Errorf("%q is taken for a device: %v", p.Device, err)
		}
	}
}
