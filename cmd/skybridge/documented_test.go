package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/platform/subcommand"
)

func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	c := root(io.Discard, io.Discard)
	walk(c, func(c *cobra.Command) {
		if full := strings.TrimSuffix(c.UseLine(), " [flags]"); !strings.Contains(page, "`"+full+"`") {
			t.Errorf("%s is not documented", full)
		}
	})
	flags := regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllStringSubmatch(c.PersistentFlags().FlagUsages(), -1)
	if len(flags) < 5 {
		t.Errorf("got %d flags, want them all", len(flags))
	}
	for _, f := range flags {
		if !strings.Contains(page, "| `--"+f[1]+"` |") {
			t.Errorf("--%s is not documented", f[1])
		}
	}
}

// walk visits the commands that do something.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	if !subcommand.Group(c) {
		visit(c)
	}
	for _, sub := range c.Commands() {
		walk(sub, visit)
	}
}
