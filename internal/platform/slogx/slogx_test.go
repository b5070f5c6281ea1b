package slogx

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestWhatMustNotBeToldIsNot(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, key, value, absent, present string
	}{
		{"an unlisted key", "password", "hunter2-hunter2", "hunter2", "‹unlisted›"},
		{"an e-mail address in an error", "error", "sending to li.lei@example.org: refused", "example.org", "‹removed›"},
		{"an identity number", "reason", "number 11010519491231002X", "11010519491231002X", "‹removed›"},
		{"a mobile number", "reason", "call 13900000000 now", "13900000000", "‹removed›"},
		{"an order number stays", "order", "ord_abcdefghijklmnopqrstuvwxyz", "‹", "ord_abcdefghijklmnopqrstuvwxyz"},
		{"a long number that is no identity number stays", "digest", "110105194912310021", "‹", "110105194912310021"},
	}
	for _, c := range cases {
		for _, form := range []string{"text", "json"} {
			var out bytes.Buffer
			New(&out, form, slog.LevelInfo).Info("test", c.key, c.value)
			if got := out.String(); strings.Contains(got, c.absent) || !strings.Contains(got, c.present) {
				t.Errorf("%s, %s: got %s", c.name, form, got)
			}
		}
	}
}

// TestWhatGoesThroughATunnelIsNotLogged holds SUP-7: no line has a destination, a
// name that was asked for or a payload.
func TestWhatGoesThroughATunnelIsNotLogged(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"destination", "dst", "dst_ip", "host", "domain", "dns", "query", "question", "sni", "payload", "packet", "content"} {
		var out bytes.Buffer
		New(&out, "json", slog.LevelDebug).With(key, "canary.example").Info("x", key, "canary.example", slog.Group("session", slog.String(key, "canary.example")))
		if strings.Contains(out.String(), "canary.example") {
			t.Errorf("%s: got %s", key, out.String())
		}
	}
}

func TestErrorsAndGroupsAreScrubbedToo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := New(&out, "json", slog.LevelInfo).With("error", errors.New("to a@example.org"))
	log.Info("for b@example.org", slog.Group("request", slog.String("secret", "s3cr3t"), slog.String("op", "/x")))
	got := out.String()
	for _, absent := range []string{"example.org", "s3cr3t"} {
		if strings.Contains(got, absent) {
			t.Errorf("%s is in %s", absent, got)
		}
	}
	if !strings.Contains(got, `"op":"/x"`) {
		t.Errorf("a listed key is gone: %s", got)
	}
}
