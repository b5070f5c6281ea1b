package agent

import (
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operations/watch.md")
	if err != nil {
		t.Fatal(err)
	}
	var told, names []string
	for _, m := range regexp.MustCompile("`(skybridge_gateway_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		told = append(told, m[1])
	}
	for _, name := range (&agent{log: slog.New(slog.DiscardHandler)}).metrics().Names() {
		if strings.HasPrefix(name, "skybridge_gateway_") {
			names = append(names, name)
		}
	}
	slices.Sort(told)
	told = slices.Compact(told)
	slices.Sort(names)
	if !slices.Equal(told, names) {
		t.Errorf("the page tells of\n%v, the process of\n%v", told, names)
	}
}
