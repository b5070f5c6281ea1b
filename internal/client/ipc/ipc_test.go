//go:build unix

package ipc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// daemon serves h on a socket of the test.
func daemon(t *testing.T, h Handler) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "daemon.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = Serve(ctx, l, h) }()
	t.Cleanup(func() { cancel(); <-done })
	return path
}

// raw sends bytes and returns what comes back.
func raw(t *testing.T, path, text string) string {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = c.Write([]byte(text))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return line
}

func TestACallGetsItsAnswers(t *testing.T) {
	path := daemon(t, func(_ context.Context, who User, r Request, send func(Answer) error) error {
		if who.ID != fmt.Sprint(os.Geteuid()) || r.Op != OpUp || string(r.Up.Cookie.Reveal()) != "c00kie" {
			return ErrRequest
		}
		for _, s := range []State{Connecting, Connected} {
			if err := send(Answer{Connection: &Connection{Profile: r.Up.Profile, State: s}}); err != nil {
				return err
			}
		}
		return nil
	})
	var states []State
	err := Client{path}.Call(t.Context(), Request{Op: OpUp, Up: &Up{Profile: "p", Cookie: NewSecret([]byte("c00kie"))}}, func(a Answer) error {
		if a.Connection != nil {
			states = append(states, a.Connection.State)
		}
		return nil
	})
	if err != nil || fmt.Sprint(states) != "[connecting connected]" {
		t.Errorf("got %v, %v", states, err)
	}
	if err := (Client{path}).Down(t.Context(), "x"); !errors.Is(err, ErrRequest) {
		t.Errorf("got %v, want the daemon's refusal", err)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	called := false
	path := daemon(t, func(context.Context, User, Request, func(Answer) error) error { called = true; return nil })
	for text, code := range map[string]string{
		"\n": "request", "{}\n": "version", "GET / HTTP/1.1\r\n": "request", `{"version":2,"op":"status"}` + "\n": "version",
		`{"version":1,"op":"status","more":1}` + "\n": "request", `{"version":1,"op":"up"}` + "\n": "request",
		`{"version":1,"op":"down","up":{}}` + "\n": "request", `[1]` + "\n": "request",
		`{"version":1,"op":"up","up":{"profile":"a","sudo":true}}` + "\n": "request",
		strings.Repeat("x", MaxLine+2):                                    "request",
	} {
		var a Answer
		if err := json.Unmarshal([]byte(raw(t, path, text)), &a); err != nil || a.Error == nil || a.Error.Code != code {
			t.Errorf("%.40q: got %+v, %v, want %s", text, a.Error, err, code)
		}
	}
	if called {
		t.Error("the handler was called")
	}
}

func TestALeavingCallerEndsItsCall(t *testing.T) {
	ended := make(chan struct{})
	path := daemon(t, func(ctx context.Context, _ User, _ Request, send func(Answer) error) error {
		_ = send(Answer{Status: &Status{}})
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := Client{path}.Call(ctx, Request{Op: OpWatch}, func(Answer) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-ended
}

func TestWithoutADaemon(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "daemon.sock")
	if _, err := (Client{path}).Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("no socket: got %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close() // as after kill -9
	if _, err := (Client{path}).Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("a dead socket: got %v", err)
	}
	again, err := Listen(path)
	if err != nil {
		t.Fatalf("a dead socket is not replaced: %v", err)
	}
	defer again.Close()
	if _, err := Listen(path); err == nil {
		t.Error("two daemons listen on one socket")
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm()&0o007 != 0 {
		t.Errorf("the socket is %v, %v: open to everybody", i.Mode(), err)
	}
}

func TestADirectoryOfOthersIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "s")); err == nil {
		t.Error("listens where others could put their own socket")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(link, "s")); err == nil {
		t.Error("follows a symbolic link")
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	up := Up{Key: NewSecret([]byte("k3y")), Cookie: NewSecret([]byte("c00kie"))}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, up); strings.Contains(got, "k3y") || strings.Contains(got, "c00kie") || strings.Contains(got, "6b3379") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// TestARestartIsUnderstoodInEveryVersion: another version is what it is for.
func TestARestartIsUnderstoodInEveryVersion(t *testing.T) {
	var got Request
	path := daemon(t, func(_ context.Context, _ User, r Request, _ func(Answer) error) error { got = r; return nil })
	var a Answer
	text := `{"version":7,"op":"restart","new":{"x":1},"profile":"p"}` + "\n"
	if err := json.Unmarshal([]byte(raw(t, path, text)), &a); err != nil || !a.Done || a.Error != nil || got.Op != OpRestart || got.Profile != "" {
		t.Errorf("got %+v, %v, request %+v", a, err, got)
	}
}
