package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// given is a Handover with secrets.
func given() *Handover {
	return &Handover{Version: handoverVersion, Connections: []handed{{
		User: alice.ID, Device: "sky0", Plan: netcfg.Plan{Device: "sky0", KillSwitch: true},
		Up: ipc.Up{Profile: "p1", Name: "office", Server: "127.0.0.1:1", KillSwitch: true, Policy: "digest", Cookie: ipc.NewSecret([]byte("c00kie"))},
	}}}
}

// memory is what a test wrote there, with or without seals.
func memory(t *testing.T, text string, seals int) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "test")
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAHandoverComesWholeAndNobodyChangesIt(t *testing.T) {
	o := given()
	f, err := o.seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("written to: %v", err)
	}
	got, err := unseal(f)
	if err != nil || string(got.Connections[0].Up.Cookie.Reveal()) != "c00kie" {
		t.Fatalf("got %+v, %v", got, err)
	}
	want, have := mustJSON(t, o), mustJSON(t, got)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOnlyAWholeHandoverIsTakenUp(t *testing.T) {
	good := mustJSON(t, given())
	for name, f := range map[string]*os.File{
		"without seals":      memory(t, good, 0),
		"that can be longer": memory(t, good, sealed&^unix.F_SEAL_GROW&^unix.F_SEAL_SEAL),
		"torn":               memory(t, good[:len(good)-1], sealed),
		"of another version": memory(t, strings.Replace(good, `"version":1`, `"version":2`, 1), sealed),
		"of nothing":         memory(t, "", sealed),
	} {
		if o, err := unseal(f); err == nil || strings.Contains(err.Error(), "c00kie") {
			t.Errorf("%s: got %+v, %v", name, o, err)
		}
	}
	for _, names := range []string{"", "x", "0", "1,2", "-4"} {
		t.Setenv(handoverVariable, names)
		if o, err := Taken(); err == nil {
			t.Errorf("%q: got %+v", names, o)
		}
	}
	if o, err := Taken(); o != nil || err != nil {
		t.Errorf("what was taken once is taken again: %+v, %v", o, err)
	}
}

func FuzzHandover(f *testing.F) {
	good, _ := json.Marshal(given())
	f.Add(string(good))
	f.Add(`{"version":1,"connections":[{"user":"1000","up":{},"over":{}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := unseal(memory(t, text, sealed))
		if err != nil {
			return
		}
		for i := range o.Connections {
			o.Connections[i].Queues = nil // numbers of this process's own
		}
		h := newHub(Config{Host: &host{}, StateDir: t.TempDir(), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Devices: noDevices{t}})
		h.takeUp(o)
		_ = h.status(alice)
	})
}

// TestARestartHandsEverythingOver: what is up goes on with its cookie, what is over
// says why, and a kill switch stays in force; each is still its user's alone.
func TestARestartHandsEverythingOver(t *testing.T) {
	h, m := left(t) // sky0 is alice's, over, with a kill switch
	up := ipc.Up{Profile: "p2", Name: "home", Server: "127.0.0.1:1", Policy: "digest", Cookie: ipc.NewSecret([]byte("c00kie"))}
	c, err := h.begin(bob, up)
	if err != nil {
		t.Fatal(err)
	}
	up.Cookie.Clear() // as the server of requests does
	m.plans = append(m.plans, netcfg.Plan{Device: c.device})
	h.closed, h.handing = true, true
	out := h.handOver()
	if _, err := h.begin(bob, up); err == nil {
		t.Error("a connection begins after it was handed over")
	}
	text := mustJSON(t, out)
	var in Handover
	if err := json.Unmarshal([]byte(text), &in); err != nil || len(in.Connections) != 2 {
		t.Fatalf("got %s, %v", text, err)
	}
	next := newHub(Config{Host: m, StateDir: h.cfg.StateDir, Clock: clock.System{}, Log: h.cfg.Log, Version: "v2", Devices: noDevices{t}})
	started := next.takeUp(&in)
	if err := next.inherit(t.Context()); err != nil || len(m.plans) != 2 {
		t.Errorf("what was handed over is undone: %v, %v", m.plans, err)
	}
	if len(started) != 1 || string(started[0].asked.Cookie.Reveal()) != "c00kie" || started[0].key.user != bob.ID {
		t.Fatalf("got %+v", started)
	}
	started[0].start()
	a, b := next.status(alice), next.status(bob)
	if len(a.Connections) != 1 || a.Connections[0].Cause != causeLeft || len(b.Connections) != 1 || b.Connections[0].State != ipc.Connecting || b.Version != "v2" {
		t.Errorf("alice sees %+v, bob %+v", a, b)
	}
	for _, who := range []ipc.User{alice, bob} {
		if _, err := next.do(who, ipc.Request{Op: ipc.OpDown}); err != nil {
			t.Error(err)
		}
	}
	if len(m.plans) != 0 {
		t.Errorf("left: %v", m.plans)
	}
}

// installed is a program that says text and ends with code.
func installed(t *testing.T, path, script string) {
	t.Helper()
	err := os.WriteFile(path+".new", []byte("#!/bin/sh\n"+script+"\n"), 0o700) //nolint:gosec // it is run
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayRestart(t *testing.T) {
	const says = "echo skyconnect version v2"
	for name, c := range map[string]struct {
		who     ipc.User
		replace string // script; empty: it stays
		want    error
	}{
		"a user, for nothing":                   {bob, "", ipc.ErrNotRenewed},
		"an administrator, for nothing":         {admin, "", nil},
		"a user, after an update":               {bob, says, nil},
		"for a program that does not start":     {admin, "exit 1", ipc.ErrSuccessor},
		"for a program that says nothing":       {bob, ":", ipc.ErrSuccessor},
		"for a program that others can replace": {bob, "open", ipc.ErrSuccessor},
		"for a former program":                  {admin, "[ \"$1\" = --version ] && " + says, ipc.ErrSuccessor},
		"for nothing that is there":             {admin, "gone", ipc.ErrSuccessor},
		"for a file that nobody may run":        {admin, "plain", ipc.ErrSuccessor},
	} {
		h, _ := left(t)
		path := filepath.Join(t.TempDir(), "skyconnect")
		installed(t, path, says)
		running, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		h.cfg.Program = &Program{path, running}
		switch c.replace {
		case "":
		case "gone":
			err = os.Remove(path)
		case "plain":
			installed(t, path, says)
			err = os.Chmod(path, 0o600)
		case "open":
			installed(t, path, says)
			if err := os.Chmod(filepath.Dir(path), 0o777); err != nil { //nolint:gosec // what is refused
				t.Fatal(err)
			}
		default:
			installed(t, path, c.replace)
		}
		if err != nil {
			t.Fatal(err)
		}
		stopped := false
		h.restarts = func() { stopped = true }
		_, err = h.do(c.who, ipc.Request{Op: ipc.OpRestart})
		if !errors.Is(err, c.want) || stopped != (c.want == nil) || h.restarting() != stopped {
			t.Errorf("%s: got %v, stopped %t", name, err, stopped)
		}
		if s := h.status(c.who); s.Renewed != (c.replace != "" && c.replace != "gone") {
			t.Errorf("%s: renewed is %t", name, s.Renewed)
		}
	}
	h, _ := left(t)
	if _, err := h.do(admin, ipc.Request{Op: ipc.OpRestart}); !errors.Is(err, ipc.ErrManager) {
		t.Errorf("where nothing can be handed over: got %v", err)
	}
}

// TestARestartCutsNobodysCall: who waits for a connection is told that it goes on.
func TestARestartCutsNobodysCall(t *testing.T) {
	h, _ := left(t)
	ctx, stop := context.WithCancel(t.Context())
	up := ipc.Up{Profile: "p2", Server: "127.0.0.1:1", Policy: "digest", Cookie: ipc.NewSecret([]byte("c00kie"))}
	err := h.call(ctx, bob, ipc.Request{Op: ipc.OpUp, Up: &up}, func(ipc.Answer) error {
		h.mu.Lock()
		h.closed, h.handing = true, true
		h.mu.Unlock()
		stop()
		return nil
	})
	if !errors.Is(err, ipc.ErrRestarting) {
		t.Errorf("got %v", err)
	}
	if out := h.handOver(); len(out.Connections) != 2 {
		t.Errorf("handed over: %+v", out)
	}
}
