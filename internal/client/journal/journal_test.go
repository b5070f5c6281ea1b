package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/journal"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

type rig struct {
	*journal.Journal
	dir   *local.Dir
	clock *clock.Fake
}

func newRig(t *testing.T) rig {
	t.Helper()
	dir, err := local.Open(filepath.Join(t.TempDir(), "skyconnect"))
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
	return rig{journal.New(dir, c), dir, c}
}

// everything is all that is on the disk.
func (r rig) everything(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	err := filepath.Walk(r.dir.Root(), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out.Write(b)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out.String()
}

// canary is a password that must be nowhere.
const canary = "Tr0ub4dor&3-canary"

// TestASecretIsInNoLine holds TY-2.2c for the log.
func TestASecretIsInNoLine(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	password := []byte(canary)
	release := r.Guard(password)
	var also bytes.Buffer
	log := r.Logger(&also, slog.LevelDebug)
	err := fmt.Errorf("sending %q: %w", canary, errors.New("refused"))
	log.Info("signing in with " + canary)
	for _, key := range []string{"password", "passphrase", "passcode", "cookie", "code", "seed", "secret", "key", "token", "pin", "PASSWORD", "session_cookie", "private-key"} {
		log.Info("a line", key, canary+key)
		log.With(key, canary+key).WithGroup("g").Info("a line", slog.Group("h", slog.String(key, canary+key)))
	}
	log.Error("a line", "error", err, "reason", canary, slog.Group("g", "problem", []string{canary}))
	for name, text := range map[string]string{"the file": r.everything(t), "the terminal": also.String()} {
		if strings.Contains(text, "Tr0ub4dor") || strings.Contains(text, "canary") {
			t.Errorf("%s has it:\n%s", name, text)
		}
		if strings.Count(text, "\n") != 28 {
			t.Errorf("%s has %d lines", name, strings.Count(text, "\n"))
		}
	}
	clear(password)
	release()
	log.Info("a line", "reason", "kept")
	if !strings.Contains(r.everything(t), "kept") {
		t.Error("nothing is written after a release")
	}
}

func TestALogIsKeptForSevenDays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	log := r.Logger(nil, slog.LevelInfo)
	for range 10 {
		log.Info("connected")
		r.clock.Advance(24 * time.Hour)
	}
	names, err := r.dir.List("log/*")
	if err != nil || len(names) != journal.Days || names[0] != "log/2026-12-02.log" {
		t.Errorf("got %v, %v", names, err)
	}
	r.clock.Advance(7 * 24 * time.Hour)
	if err := r.dir.Replace("log/9999-01-01.log", []byte("a clock was wrong")); err != nil {
		t.Fatal(err)
	}
	if err := r.Sweep(); err != nil {
		t.Fatal(err)
	}
	if names, err := r.dir.List("log/*"); err != nil || len(names) != 0 {
		t.Errorf("nothing was written for a week, and there is %v, %v", names, err)
	}
}

func TestADayHasABound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	log := r.Logger(nil, slog.LevelInfo)
	for range 6 << 4 {
		log.Info(strings.Repeat("x", 64<<10))
	}
	if n := len(r.everything(t)); n > 5<<20 {
		t.Errorf("a day has %d bytes", n)
	}
	if n := len(r.everything(t)); n < 3<<20 {
		t.Errorf("only %d bytes were written", n)
	}
}

func TestALogThatCannotBeWrittenStopsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.dir.Replace("log", nil); err != nil { // where the directory should be
		t.Fatal(err)
	}
	r.Logger(nil, slog.LevelInfo).Info("connected")
	if err := r.Sweep(); err != nil {
		t.Error(err)
	}
}

func TestAnExportHasTheDaysInOrderAndNoSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	log := r.Logger(nil, slog.LevelInfo)
	log.Info("first " + canary) // before anybody knew that it is one
	r.clock.Advance(24 * time.Hour)
	log.Info("second")
	defer r.Guard([]byte(canary))()
	var out bytes.Buffer
	if err := r.Export(&out); err != nil {
		t.Fatal(err)
	}
	first, second := strings.Index(out.String(), "first"), strings.Index(out.String(), "second")
	if first < 0 || second < first || strings.Contains(out.String(), canary) {
		t.Errorf("got %s", out.String())
	}
	items, err := r.dir.Held(t.Context())
	if err != nil || len(items) != 2 || items[0].Purpose != "log" {
		t.Errorf("got %v, %v", items, err)
	}
}

// TestLinesComeBack: what is written is read, whatever is in it, and the half of a
// line is none.
func TestLinesComeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	log := r.Logger(nil, slog.LevelInfo)
	log.Info("connected", "row", "prf_a")
	log.Error(`a "quoted" = text`, "reason", "pin = wrong", "row", "")
	if err := r.dir.Append("log/2026-11-29.log", []byte("time=2026-11-29T12:00")); err != nil {
		t.Fatal(err)
	}
	all, err := r.Lines()
	if err != nil || len(all) != 2 {
		t.Fatalf("got %+v, %v", all, err)
	}
	if l := all[0]; l.Text != "connected" || l.Level != slog.LevelInfo || l.With["row"] != "prf_a" || l.At.IsZero() || len(l.With) != 1 {
		t.Errorf("got %+v", l)
	}
	if l := all[1]; l.Text != `a "quoted" = text` || l.Level != slog.LevelError || l.With["reason"] != "pin = wrong" {
		t.Errorf("got %+v", l)
	}
}
