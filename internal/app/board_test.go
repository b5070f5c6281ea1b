package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// The board fits a terminal, and leaves out no clause and no name for it.
func TestTheBoardFitsATerminal(t *testing.T) {
	t.Parallel()
	rows, err := boardRows()
	must(t, err)
	for _, width := range []int{80, 100, 120} {
		var out strings.Builder
		must(t, boardTo(&out, rows, width))
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
		bare := strings.Join(strings.Fields(out.String()), "")
		for _, r := range rows {
			if !strings.Contains(out.String(), r.ID+" ") {
				t.Errorf("%s is not on the board of %d columns", r.ID, width)
			}
		}
		if !strings.Contains(bare, "consent.Service.Gate") && !strings.Contains(out.String(), "Service.Gate") {
			t.Error("no symbol is named")
		}
	}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"a bc", []string{"a bc"}},
		{"ab cde f", []string{"ab", "cde", "f"}},
		{"abcdefghij", []string{"abcd", "efgh", "ij"}},
	} {
		if got := fold(c.text, 4); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("fold(%q): got %q, want %q", c.text, got, c.want)
		}
	}
}

// Publishing shows what changes and whom it asks anew, and waits for a yes.
func TestPublishingShowsTheDifferencesAndAsks(t *testing.T) {
	t.Parallel()
	in, ctx := install(t), context.Background()
	log := slog.New(slog.DiscardHandler)
	in.beat() // of every printed channel
	moved := in.cfg
	moved.Operator = operator(in.cfg)
	moved.Operator.Phone = "+86 891 555 0101"
	number := func() string {
		all, err := in.modules.consent.Versions(ctx, consent.DocPlatform)
		must(t, err)
		numbers := []string{}
		for _, v := range all {
			numbers = append(numbers, v.Number)
		}
		return strings.Join(numbers, " ")
	}
	before := number()
	publish := func(cfg config.Config, d PolicyDraft) (string, error) {
		var out strings.Builder
		d.Document = consent.DocPlatform
		err := PolicyPublish(ctx, cfg, d, &out, log)
		return out.String(), err
	}
	for answer, d := range map[string]PolicyDraft{"no\n": {}, "": {}, "y\n": {Major: true}, "for programs": {JSON: true}} {
		d.Ask = strings.NewReader(answer)
		if text, err := publish(moved, d); !errors.Is(err, ErrUnconfirmed) {
			t.Errorf("answered %q: got %v, %s", answer, err, text)
		}
	}
	if got := number(); got != before {
		t.Fatalf("nobody said yes, and %s was published", got)
	}
	text, err := publish(moved, PolicyDraft{Major: true, Ask: strings.NewReader("yes\n")})
	must(t, err)
	for _, want := range []string{"a major change of ", "zh-CN:", "changed ", "asked anew", "platform_policy", "Type yes: ", ": published, holds from "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	text, err = publish(in.cfg, PolicyDraft{Yes: true})
	if err == nil && (!strings.Contains(text, "No consent is asked anew") || strings.Contains(text, "Type yes")) {
		t.Errorf("a minor change, with --yes: got %s", text)
	}
}
