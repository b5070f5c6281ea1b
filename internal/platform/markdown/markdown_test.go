package markdown_test

import (
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/markdown"
)

func TestWhatOthersWriteDoesNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"one\ntwo":                           "<p>one<br>\ntwo</p>\n",
		"**b** `c`":                          "<p><strong>b</strong> <code>c</code></p>\n",
		"![look](/api/v1/login-sessions/x)":  "<p>look</p>\n",
		"[go](javascript:alert(1))":          "<p><a href=\"\">go</a></p>\n",
		"[go](https://example.org/a?b=c)":    "<p><a href=\"https://example.org/a?b=c\">go</a></p>\n",
		"<img src=x onerror=alert(1)>":       "<!-- raw HTML omitted -->\n",
		"<script>alert(1)</script>":          "<!-- raw HTML omitted -->\n",
		"[x]: /a\n![y][x]":                   "<p>[x]: /a<br>\ny</p>\n",
		"a <b onclick=\"x\">b</b>":           "<p>a <!-- raw HTML omitted -->b<!-- raw HTML omitted --></p>\n",
		"[go](data:text/html;base64,PHNjcg)": "<p><a href=\"\">go</a></p>\n",
	} {
		got, err := markdown.Foreign(text)
		if err != nil {
			t.Fatal(err)
		}
		if text == "[x]: /a\n![y][x]" {
			if strings.Contains(got, "<img") {
				t.Errorf("%q: got %q", text, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzForeign(f *testing.F) {
	f.Add("![a](b) <i> [c](javascript:d) | t |\n|-|")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := markdown.Foreign(text)
		if err != nil {
			t.Fatal(err)
		}
		low := strings.ToLower(got)
		for _, bad := range []string{"<img", "<script", "href=\"javascript:", "<iframe"} {
			if strings.Contains(low, bad) {
				t.Errorf("%q made %q", text, got)
			}
		}
	})
}
