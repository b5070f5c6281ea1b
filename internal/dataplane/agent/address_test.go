package agent

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func TestIPv6AddressOfAGatewayInTheVPC(t *testing.T) {
	t.Parallel()
	vpc := Network{Address: netip.MustParsePrefix("10.77.0.1/24"), Address6: netip.MustParsePrefix("fd00:77::1/64")}
	for addr, want := range map[string]string{"10.77.0.1": "fd00:77::1/64", "10.77.0.4": "fd00:77::4/64"} {
		if got := vpc.address6(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("gateway at %s: got %s, want %s", addr, got, want)
		}
	}
	if got := (Network{Address: vpc.Address}).address6(vpc.Address.Addr()); got.IsValid() {
		t.Errorf("got %s in a VPC without IPv6", got)
	}
}

func TestPoolWithoutIPv6InTheVPCIsAProblem(t *testing.T) {
	t.Parallel()
	g := gwlink.Gateway{Network: "vpc", SSLServers: []gwlink.SSLServer{{Pool6: netip.MustParsePrefix("fd00:98::/64")}}}
	if err := withoutIPv6(g, Network{}); err == nil {
		t.Error("got no word about it")
	}
	if err := withoutIPv6(g, Network{Address6: netip.MustParsePrefix("fd00:77::1/64")}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestWhatTryingAgainDoesNotMendIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	g := gwlink.Gateway{Network: "vpc", SSLServers: []gwlink.SSLServer{{Pool6: netip.MustParsePrefix("fd00:98::/64")}}}
	missing := withoutIPv6(g, Network{})
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none": {nil, false}, "that alone": {errors.Join(errors.Join(nil, missing), nil), false},
		"another with it": {errors.Join(missing, errors.New("no certificate")), true}, "another": {errors.New("no device"), true},
	} {
		if got := failing(map[string]error{"g": c.err}); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
