package imap

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
)

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestParse(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("请删除我的账户")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  string
		want privacy.Mail
	}{
		"plain": {
			"From: Ann <ann@example.org>\nMessage-ID: <1@x>\nIn-Reply-To: <0@x>\nReferences: <a@x>\n <b@x>\nSubject: hi\n\nplease delete\n",
			privacy.Mail{ID: "1@x", From: "ann@example.org", Subject: "hi", Text: "please delete", References: []string{"a@x", "b@x", "0@x"}},
		},
		"GBK": {
			"From: a@example.org\nSubject: =?gb2312?B?x+vH8w==?=\nContent-Type: text/plain; charset=gbk\n\n" + gbk,
			privacy.Mail{From: "a@example.org", Subject: "请求", Text: "请删除我的账户"},
		},
		"a wrong character set": {
			"From: a@example.org\nContent-Type: text/plain; charset=no-such\n\nh\xe9llo\x00\x1b[31m",
			privacy.Mail{From: "a@example.org", Text: "h�llo[31m"},
		},
		"text before HTML, and an attachment by name only": {
			"From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=n\n\n" +
				"--n\nContent-Type: text/html\n\n<p>rich</p>\n--n\nContent-Type: text/plain\n\nplain\n--n--\n" +
				"--m\nContent-Type: image/jpeg; name=\"id.jpg\"\nContent-Transfer-Encoding: base64\n\nAAAA\n--m--\n",
			privacy.Mail{From: "a@example.org", Text: "plain", Attachments: []string{"id.jpg"}},
		},
		"HTML alone": {
			"From: a@example.org\nContent-Type: text/html\n\n<head><style>x{}</style></head><p>one</p><p>two &amp; three</p><script>bad()</script>",
			privacy.Mail{From: "a@example.org", Text: "one\ntwo & three"},
		},
		"a multipart that ends early": {
			"From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nfirst\n--m\nContent-Ty",
			privacy.Mail{From: "a@example.org", Text: "first", Cut: true},
		},
		"broken base64": {
			"From: a@example.org\nContent-Transfer-Encoding: base64\n\naGVsbG8=!!!!",
			privacy.Mail{From: "a@example.org", Text: "hello", Cut: true},
		},
		"two senders":  {"From: a@example.org, b@example.org\n\nx", privacy.Mail{Text: "x"}},
		"no header":    {"just text", privacy.Mail{Text: "just text", Cut: true}},
		"auto-reply":   {"From: a@example.org\nAuto-Submitted: auto-replied\n\nI am away", privacy.Mail{From: "a@example.org", Text: "I am away", Auto: privacy.Response}},
		"bounce":       {"From: MAILER-DAEMON@example.org\n\nundeliverable", privacy.Mail{From: "MAILER-DAEMON@example.org", Text: "undeliverable", Auto: privacy.Response}},
		"null sender":  {"Return-Path: <>\nFrom: a@example.org\n\nx", privacy.Mail{From: "a@example.org", Text: "x", Auto: privacy.Response}},
		"a program":    {"From: a@example.org\nAuto-Submitted: auto-generated\n\nx", privacy.Mail{From: "a@example.org", Text: "x", Auto: privacy.Machine}},
		"a list":       {"From: a@example.org\nList-Id: <l.example.org>\n\nx", privacy.Mail{From: "a@example.org", Text: "x", Auto: privacy.Machine}},
		"by hand":      {"From: a@example.org\nAuto-Submitted: no\n\nx", privacy.Mail{From: "a@example.org", Text: "x"}},
		"line in name": {"From: a@example.org\nSubject: =?utf-8?q?a=0Ab=00c?=\n\nx", privacy.Mail{From: "a@example.org", Subject: "a bc", Text: "x"}},
	} {
		raw := []byte(c.raw)
		if name != "no header" {
			raw = crlf(c.raw)
		}
		got := Parse(raw)
		got.Text = strings.ReplaceAll(got.Text, "\r", "")
		if len(got.References) == 0 {
			got.References = nil
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNestingAndNumbersAreBounded(t *testing.T) {
	t.Parallel()
	var deep strings.Builder
	deep.WriteString("From: a@example.org\nContent-Type: multipart/mixed; boundary=b0\n\n")
	for n := range 100 {
		d := strings.Repeat("x", n)
		deep.WriteString("--b" + d + "\nContent-Type: multipart/mixed; boundary=b" + d + "x\n\n")
	}
	many := "From: a@example.org\nContent-Type: multipart/mixed; boundary=m\n\n" + strings.Repeat("--m\nContent-Type: application/x; name=f\n\nx\n", 5000)
	for name, raw := range map[string]string{"deep": deep.String(), "many": many} {
		m := Parse(crlf(raw))
		if !m.Cut || len(m.Attachments) > maxAttachments {
			t.Errorf("%s: cut %v, %d attachments", name, m.Cut, len(m.Attachments))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@example.org\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/html; charset=gbk\r\n\r\n<p>x\r\n--m--"))
	f.Add([]byte("From: =?x?q??= <a@b>\r\nSubject: =?utf-8?b?AAAA?=\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%"))
	f.Add([]byte("References: <a> <b>\r\n\r\n\x00\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		if len(m.Text) > maxText+1 || len(m.Subject) > maxHeader || len(m.Attachments) > maxAttachments || len(m.References) > maxReferences {
			t.Errorf("beyond the bounds: %d %d %d %d", len(m.Text), len(m.Subject), len(m.Attachments), len(m.References))
		}
		for _, s := range append([]string{m.Text, m.Subject, m.From, m.ID}, append(m.References, m.Attachments...)...) {
			bad := strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) })
			if !utf8.ValidString(s) || bad {
				t.Errorf("not clean: %q", s)
			}
		}
	})
}
