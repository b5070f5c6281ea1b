package main

import (
	"io"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// A word that is no command is a usage error in the person's language.
func TestAnUnknownCommandIsAUsageError(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line string
		lang i18n.Language
		want []string
	}{
		{"stauts", i18n.English, []string{"skyconnect has no command", "Did you mean: status"}},
		{"profiles delet", i18n.English, []string{"skyconnect profiles has no command"}},
		{"profiles xyzzyx --lang zh-CN", i18n.English, []string{"没有 \"xyzzyx\" 这个命令"}},
		{"policy xyzzyx", i18n.Chinese, []string{"skyconnect policy --help 查看全部命令"}},
	}
	for _, c := range cases {
		var problems strings.Builder
		home := &terminal{in: nil, out: nil, err: nil, lang: c.lang}
		cmd := root(home)
		cmd.SetOut(io.Discard)
		cmd.SetArgs(strings.Fields(c.line))
		err := cmd.Execute()
		if err != nil {
			problems.WriteString(home.sentence(err))
		}
		if got := exitCode(err); got != exitUsage {
			t.Errorf("skyconnect %s: exit %d (%v), want %d", c.line, got, err, exitUsage)
		}
		for _, want := range c.want {
			if !strings.Contains(problems.String(), want) {
				t.Errorf("skyconnect %s: got %q, want %q", c.line, problems.String(), want)
			}
		}
	}
}
