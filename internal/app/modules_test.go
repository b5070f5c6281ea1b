package app

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
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

// The other tests have cheap hashes; this one has the program's.
func TestHashesOfPasswordsCostWhatTheyShould(t *testing.T) {
	t.Parallel()
	in := assembled(t, newModules)
	p := in.register("alice")
	p.realName(1)
	p.buy()
	p.connect()
	for table, query := range map[string]struct{ text, want string }{
		"account_person": {"SELECT password FROM account_person WHERE password <> ''", "$argon2id$v=19$m=65536,t=2,p=1$"},
		"vpn_client":     {"SELECT password_hash FROM vpn_client WHERE password_hash <> ''", "$argon2id$v=19$m=19456,t=2,p=1$"},
	} {
		hashes, err := db.Select(t.Context(), in.stores.main, db.One[string], query.text)
		must(t, err)
		if len(hashes) == 0 {
			t.Errorf("%s: no hash was made", table)
		}
		for _, h := range hashes {
			if !strings.HasPrefix(h, query.want) {
				t.Errorf("%s: got a hash that does not begin with %s", table, query.want)
			}
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
