package netcfg

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func opened(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.close() })
	return j
}

func one(device string) state {
	p := basic()
	p.Device = device
	return state{Tunnels: []*tunnel{{Device: device, Plans: []Plan{p}}}}
}

// devices reads the journal anew.
func devices(t *testing.T, j *journal) (all []string) {
	t.Helper()
	s, err := j.read()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Tunnels {
		all = append(all, n.Device)
	}
	return all
}

func TestTheLastWholeLineCounts(t *testing.T) {
	t.Parallel()
	j := opened(t, filepath.Join(t.TempDir(), "journal"))
	if got := devices(t, j); got != nil {
		t.Errorf("got %v of no journal", got)
	}
	for _, name := range []string{"sky0", "sky1"} {
		if err := j.append(one(name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := devices(t, j); len(got) != 1 || got[0] != "sky1" {
		t.Errorf("got %v, want sky1", got)
	}
	text, err := os.ReadFile(j.path())
	if err != nil {
		t.Fatal(err)
	}
	last := text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
	for cut := 1; cut < len(last); cut++ { // a torn third line
		if err := os.WriteFile(j.path(), append(text[:len(text):len(text)], last[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := devices(t, j); len(got) != 1 || got[0] != "sky1" {
			t.Fatalf("cut at %d: got %v, want sky1", cut, got)
		}
	}
	j.shut() // as another process would find it
	if err := j.append(one("sky2")); err != nil {
		t.Fatal(err)
	}
	if got := devices(t, j); len(got) != 1 || got[0] != "sky2" {
		t.Errorf("after the torn line: got %v, want sky2", got)
	}
	if err := j.settle(state{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(j.path()); !os.IsNotExist(err) {
		t.Errorf("an empty journal is kept: %v", err)
	}
}

func TestAJournalThatIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(dir string) error{
		"a link to a directory": func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"a file":                func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"open to others": func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o755))
		},
		"a link for a lock": func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Symlink("/etc/passwd", filepath.Join(dir, lockName)))
		},
	} {
		dir := filepath.Join(t.TempDir(), "journal")
		if err := make(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := openJournal(dir); !errors.Is(err, ErrJournal) {
			t.Errorf("%s: got %v, want ErrJournal", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "journal")
	j := opened(t, dir)
	if err := os.Symlink("/etc/passwd", j.path()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.read(); !errors.Is(err, ErrJournal) {
		t.Errorf("a link for a journal: got %v, want ErrJournal", err)
	}
	if err := j.append(one("sky0")); !errors.Is(err, ErrJournal) {
		t.Errorf("appending to a link: got %v, want ErrJournal", err)
	}
}

func TestGarbageIsNoEmptyJournal(t *testing.T) {
	t.Parallel()
	j := opened(t, filepath.Join(t.TempDir(), "journal"))
	for _, text := range []string{"garbage\n", "{}}\n\n", `{"tunnels":[{"device":"../x","plans":[{}]}]}` + "\n", `{"tunnels":[null]}` + "\n"} {
		if err := os.WriteFile(j.path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := j.read(); !errors.Is(err, ErrJournal) {
			t.Errorf("%q: got %v, %v, want ErrJournal", text, s, err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	j := opened(t, dir)
	if _, err := openJournal(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	opened(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
}
