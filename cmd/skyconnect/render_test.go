package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

func TestAConnectionIsPrinted(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	c := ipc.Connection{
		Name: "office", Server: "vpn.example.com:443", State: ipc.Connected, Since: now.Add(-90 * time.Second),
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.98.0.2/16")}, Channel: "dtls", Cipher: "AES-256-GCM", MTU: 1400, RTT: 12.34,
		BytesIn: 1_250_000, BytesOut: 999, Banner: "hello\x1b[2Jworld", Notices: 2,
	}
	for lang, wants := range map[i18n.Language][]string{
		i18n.English: {"office  ● connected", "Server       vpn.example.com:443", "1m30s", "10.98.0.2/16", "everything", "DTLS AES-256-GCM", "12.3 ms", "↓ 1.2 MB  ↑ 999 B", "hello [2Jworld", "2 unread"},
		i18n.Chinese: {"已连接", "服务器       vpn.example.com:443", "全部流量"},
	} {
		var out bytes.Buffer
		(&terminal{out: &out, lang: lang}).connection(c, now)
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in\n%s", lang, want, out.String())
			}
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: a server moves the cursor", lang)
		}
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "field.") {
				t.Errorf("%s: no word for %s", lang, line)
			}
		}
	}
}

func TestSizesAreForPeople(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.0 KB", 999_949: "999.9 KB", 999_999: "1.0 MB", 1 << 40: "1.1 TB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
