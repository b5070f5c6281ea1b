// Package journal is the log of skyconnect: local, seven days, without secrets.
//
// One file a day, log/2026-11-29.log, of a bounded size. What is older than seven
// days goes when a log is opened and at each midnight (UTC), whether anything is
// written or not, as far as a process runs.
//
// What does not get in? platform/slogx keeps the keys to a closed list and cuts
// what looks personal out of texts. Before it, this package cuts secrets: a value
// under a key that names one, and a secret that is in use (Guard), wherever it
// stands.
//
// Invariants: nothing is sent anywhere; a log that cannot be written is no reason
// for the client to stop.
package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// Days is how long a day's file is kept.
const Days = 7

const (
	pattern = "log/*.log"
	maxDay  = 4 << 20
)

// Journal writes the log. It is safe for several goroutines and processes.
type Journal struct {
	dir     *local.Dir
	clock   clock.Clock
	secrets *secrets

	mu   sync.Mutex
	day  string
	size int64
}

// New returns the journal of a directory and registers its files there. Nothing
// is written before the first line.
func New(dir *local.Dir, c clock.Clock) *Journal {
	dir.Own(pattern, "log")
	return &Journal{dir: dir, clock: c, secrets: &secrets{}}
}

// Logger is the way to write: to the file, and to also where it is not nil.
func (j *Journal) Logger(also io.Writer, level slog.Leveler) *slog.Logger {
	w := io.Writer(j)
	if also != nil {
		w = io.MultiWriter(also, j)
	}
	return slog.New(&handler{slogx.New(w, "text", level).Handler(), j.secrets})
}

// Guard names a secret that the process has in memory, such as a password that
// was typed: no line has it until release, which the caller calls when it clears
// the slice. No copy is made.
func (j *Journal) Guard(secret []byte) (release func()) { return j.secrets.add(secret) }

// Write adds a line. It reports no error: the disk may be full, and the tunnel
// goes on.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	today := j.clock.Now().UTC().Format(time.DateOnly)
	if today != j.day {
		j.day, j.size = today, j.written(today)
		_ = j.sweep()
	}
	if j.size < maxDay {
		j.size += int64(len(line))
		_ = j.dir.Append(file(today), line)
	}
	return len(line), nil
}

func file(day string) string { return "log/" + day + ".log" }

func (j *Journal) written(day string) int64 {
	b, err := j.dir.Read(file(day), 2*maxDay)
	if errors.Is(err, local.ErrLarge) {
		return maxDay
	}
	return int64(len(b))
}

// Sweep deletes the files of days that are over for long enough. Every process
// calls it at its start.
func (j *Journal) Sweep() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sweep()
}

func (j *Journal) sweep() error {
	first := j.clock.Now().UTC().AddDate(0, 0, 1-Days).Format(time.DateOnly)
	names, err := j.dir.List(pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name >= file(first) && name <= file(j.clock.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)) {
			continue
		}
		if err := j.dir.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// Export writes the log of all days, the oldest first, for the person to hand on.
func (j *Journal) Export(w io.Writer) error {
	names, err := j.dir.List(pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := j.dir.Read(name, 2*maxDay)
		if err != nil {
			return err
		}
		if _, err := w.Write(j.secrets.cut(b)); err != nil {
			return fmt.Errorf("exporting the log: %w", err)
		}
	}
	return nil
}

// Line is a line of the log, taken apart.
type Line struct {
	At    time.Time
	Level slog.Level
	Text  string
	With  map[string]string
}

// Lines returns the log of all days, the oldest line first. What is no line, such
// as the half of one, is left out.
func (j *Journal) Lines() ([]Line, error) {
	var raw bytes.Buffer
	if err := j.Export(&raw); err != nil {
		return nil, err
	}
	var all []Line
	for text := range strings.Lines(raw.String()) {
		if l, ok := parse(strings.TrimSpace(text)); ok {
			all = append(all, l)
		}
	}
	return all, nil
}

// parse reads what slog's text handler writes: key=value, the value in quotes
// where it has to be.
func parse(text string) (Line, bool) {
	l := Line{With: map[string]string{}}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return l, false
		}
		var value string
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			rest = rest[len(quoted):]
			value, _ = strconv.Unquote(quoted) // a prefix that is quoted
		} else {
			value, _, _ = strings.Cut(rest, " ")
			rest = rest[len(value):]
		}
		l.With[key], text = value, strings.TrimPrefix(rest, " ")
	}
	at, err := time.Parse(time.RFC3339, l.With[slog.TimeKey])
	if err != nil || l.Level.UnmarshalText([]byte(l.With[slog.LevelKey])) != nil {
		return l, false
	}
	l.At, l.Text = at, l.With[slog.MessageKey]
	for _, key := range []string{slog.TimeKey, slog.LevelKey, slog.MessageKey} {
		delete(l.With, key)
	}
	return l, true
}
