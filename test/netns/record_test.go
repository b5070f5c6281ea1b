//go:build netns

package netns

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
)

// TestNothingOfTheTrafficIsKept plants what a gateway sees but must not keep: the
// password, the cookie, content, a name that is looked up and where packets go.
// Neither its files, with the log at its most talkative, nor its reports have
// any of it, in any form that the search of erasures knows.
func TestNothingOfTheTrafficIsKept(t *testing.T) {
	t.Parallel()
	const content, name = "canary-content-9f4b7c21d0", "canary-name-5e8a.example"
	for channel, args := range map[string][]string{"DTLS": nil, "TLS": {"--no-dtls"}} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			l, ctl := controlled(t)
			cookie := l.cookie([]string{"--user", "alice"}, password)
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			if channel == "DTLS" {
				c.says("Established DTLS connection")
			}
			l.roundTrip(strings.Repeat(content, 400)+name, lanAddr)
			l.until("the traffic is reported", func() bool {
				return ctl.reported(func(r gwlink.Report) bool {
					return len(r.Live) > 0 && r.Live[0].BytesIn > 8000 && r.Live[0].BytesOut > 8000
				})
			})
			if len(l.kept(ctl, l.server.ID)) == 0 {
				t.Fatal("the search is blind: it does not find the server")
			}
			if at := l.kept(ctl, password, cookie, content, name, lanAddr); len(at) > 0 {
				t.Errorf("kept: %v", at)
			}
		})
	}
}

// roundTrip sends a text through the tunnel and has it sent back.
func (l *lab) roundTrip(text, to string) {
	l.t.Helper()
	ln := l.listenAt("l", to)
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			_, _ = io.CopyN(c, c, int64(len(text)))
			_ = c.Close()
		}
	}()
	c, err := l.dial("c", ln.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		l.t.Fatal(err)
	}
	if back, err := io.ReadAll(c); err != nil || string(back) != text {
		l.t.Fatalf("%d bytes came back, %v", len(back), err)
	}
}

// kept says where any of the values is in the node's files and in its reports.
func (l *lab) kept(ctl *control, values ...string) []string {
	l.t.Helper()
	dir := l.t.TempDir()
	ctl.mu.Lock()
	reports, err := json.Marshal(ctl.reports)
	ctl.mu.Unlock()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "reports"), reports, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "log"), []byte(l.log("node.log")), 0o600)
	}
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "state"), os.DirFS(l.cfg.StateDir))
	}
	if err != nil {
		l.t.Fatal(err)
	}
	patterns, err := scan.For(values)
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := patterns.Files(context.Background(), dir)
	if err != nil {
		l.t.Fatal(err)
	}
	var at []string
	for _, h := range r.Hits {
		at = append(at, h.Place+" "+string(h.Form))
	}
	return at
}
