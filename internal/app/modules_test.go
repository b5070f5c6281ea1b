package app

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
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

// Whatever a column is kept under stands in the published table; what no column
// of a person is kept under needs no row.
func TestEveryClassInUseIsPublished(t *testing.T) {
	t.Parallel()
	published := map[string]bool{"log_leaf": true} // no personal data, and said in the text on the log
	for _, c := range retention.Classes() {
		published[c.ID] = published[c.ID] || c.Data != nil
	}
	for _, table := range Holdings() {
		for _, column := range table.Columns {
			if column.Category != "" && !published[column.Retention] {
				t.Errorf("%s.%s is kept under %s, which is not in the table", table.Name, column.Name, column.Retention)
			}
		}
	}
}
