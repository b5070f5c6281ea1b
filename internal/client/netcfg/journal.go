package netcfg

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

// journal is a file of lines, each the whole state as it will be when what is
// intended has been done; the last line counts. It is on the disk before
// anything is changed, and is written anew, with one line or none, when a change
// is through.
//
// The directory is the process's own user's alone, so no other user can put a
// link or a file there. A line that a power cut tore is the last, and what it
// intended had not begun.
type journal struct {
	dir  string
	lock io.Closer
	file *os.File // open while lines are appended
}

const (
	journalName = "network.jsonl"
	lockName    = "network.lock"
	maxJournal  = 64 << 20
)

func openJournal(dir string) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	info, err := os.Lstat(dir)
	if err == nil {
		err = ownDirectory(info)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrJournal, dir, err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	unfinished, _ := filepath.Glob(filepath.Join(dir, ".new-*")) // the pattern is a valid one
	for _, path := range unfinished {
		_ = os.Remove(path) // what a killed process was writing; it does no harm either
	}
	return &journal{dir: dir, lock: lock}, nil
}

func (j *journal) path() string { return filepath.Join(j.dir, journalName) }

// read returns the state of the last whole line; an absent journal is an empty
// state.
func (j *journal) read() (state, error) {
	text, err := readOwn(j.path())
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	lines := bytes.Split(text, []byte("\n"))
	lines = lines[:len(lines)-1] // after the last newline: nothing, or a torn line
	for i := len(lines) - 1; i >= 0 && i >= len(lines)-2; i-- {
		if s, err := parseState(lines[i]); err == nil {
			return s, nil
		}
	}
	if len(lines) == 0 {
		return state{}, nil
	}
	return state{}, fmt.Errorf("%w: %s cannot be read", ErrJournal, j.path())
}

func parseState(line []byte) (state, error) {
	var s state
	if err := json.Unmarshal(line, &s); err != nil {
		return state{}, err
	}
	for _, t := range s.Tunnels {
		if t == nil || !deviceName.MatchString(t.Device) || len(t.Plans) == 0 {
			return state{}, errors.New("a tunnel without device or plan")
		}
	}
	return s, nil
}

// readOwn reads a file of ours, not through a link.
func readOwn(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxJournal {
		return nil, fmt.Errorf("%s is no journal", path)
	}
	return io.ReadAll(f)
}

// append puts what is intended on the disk.
func (j *journal) append(s state) error {
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	if err = j.open(); err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.shut() // a part of the line may be there: the next one is not put behind it
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return nil
}

func (j *journal) shut() {
	if j.file != nil {
		_ = j.file.Close() // each line was synced
		j.file = nil
	}
}

// open begins a file if there is none. What a torn line left is cut off first by
// writing the file anew, so that lines stay whole.
func (j *journal) open() error {
	if j.file != nil {
		return nil
	}
	s, err := j.read()
	if err != nil {
		return err
	}
	if err := j.write(s); err != nil {
		return err
	}
	j.file, err = os.OpenFile(j.path(), os.O_WRONLY|os.O_APPEND|noFollow, 0)
	return err
}

// settle leaves one line, or no file where there is nothing to remember.
func (j *journal) settle(s state) error {
	j.shut()
	var err error
	if len(s.Tunnels) > 0 {
		err = j.write(s)
	} else if err = os.Remove(j.path()); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return nil
}

func (j *journal) write(s state) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return durable.Replace(j.path(), append(line, '\n'))
}

func (j *journal) close() error {
	j.shut()
	return j.lock.Close()
}
