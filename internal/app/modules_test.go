package app

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

func TestReservedPorts(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Node: config.Node{Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}}}
	cfg.Metrics.Control = "127.0.0.1:9470" // not an address of the node
	for _, c := range []struct {
		console, gwlink string
		want            []int
	}{
		{"127.0.0.1:8443", "", nil},
		{":8443", "", []int{8443}},
		{"[::]:8443", "203.0.113.5:8444", []int{8443, 8444}},
		{"0.0.0.0:8443", "203.0.113.6:8444", []int{8443}},
	} {
		cfg.Console.Listen, cfg.Gwlink.Listen = c.console, c.gwlink
		if got := reservedPorts(cfg); !slices.Equal(got, c.want) {
			t.Errorf("console %s, gwlink %s: got %v, want %v", c.console, c.gwlink, got, c.want)
		}
	}
}
