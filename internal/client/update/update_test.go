package update_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/update/repository"
)

const system = "linux-amd64"

func key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shop is a server of releases and one person's client of it.
type shop struct {
	t    *testing.T
	dir  string
	repo *repository.Repository
	keys repository.Keys
	now  time.Time
	cfg  update.Config
	hits int
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir(), now: time.Now()}
	s.keys = repository.Keys{Root: []ed25519.PrivateKey{key(t), key(t), key(t)}, Threshold: 2, Targets: key(t), Online: key(t)}
	var err error
	if s.repo, err = repository.Create(s.dir, s.keys, s.now); err != nil {
		t.Fatal(err)
	}
	root, err := s.repo.RootJSON()
	if err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(s.dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.hits++; files.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s.cfg = update.Config{
		URL: srv.URL, Root: root, Dir: t.TempDir(), Version: "v1.0.0", System: system, Client: srv.Client(),
		Network: func() error { return nil }, Install: func() error { return nil }, Now: func() time.Time { return s.now },
	}
	return s
}

func (s *shop) release(version, content string) {
	s.t.Helper()
	for _, sys := range []string{system, "windows-amd64"} {
		if err := s.repo.Add([]byte(content+sys), update.Custom{Version: version, System: sys, Notes: "what is new", At: s.now}); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.repo.Publish(s.now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) updater() *update.Updater {
	s.t.Helper()
	u, err := update.New(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *shop) check() (update.Release, bool, error) { return s.updater().Check(s.t.Context()) }

func TestARelaseIsFoundFetchedAndInstalled(t *testing.T) {
	s := newShop(t)
	s.release("v1.1.0", "new")
	s.release("v1.10.0", "newest") // not by the alphabet
	u := s.updater()
	r, newer, err := u.Check(t.Context())
	if err != nil || !newer || r.Version != "v1.10.0" || r.System != system || r.Notes != "what is new" || len(r.SHA256) != 64 {
		t.Fatalf("got %+v, %v, %v", r, newer, err)
	}
	dir := t.TempDir()
	exe, link := filepath.Join(dir, "real"), filepath.Join(dir, "skyconnect")
	if err := errors.Join(os.WriteFile(exe, []byte("old"), 0o600), os.Symlink(exe, link)); err != nil {
		t.Fatal(err)
	}
	all, err := u.Fetch(t.Context(), r, link)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Put(all); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(exe); string(b) != "newest"+system {
		t.Errorf("installed %q", b)
	}
	if i, err := os.Stat(exe); err != nil || i.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v", i.Mode(), err)
	}
	if i, err := os.Lstat(link); err != nil || i.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced instead of the program")
	}
	if err := update.Undo(exe); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(exe); string(b) != "old" {
		t.Errorf("undone to %q", b)
	}
	if all, _ := filepath.Glob(filepath.Join(dir, ".skyconnect-*")); len(all) > 0 {
		t.Errorf("left %v", all)
	}
}

// pair is a machine with both programs, and a shop that has newer ones of both.
func pair(t *testing.T) (s *shop, r update.Release, exe, window string) {
	t.Helper()
	s = newShop(t)
	s.release("v1.1.0", "new")
	err := s.repo.Add([]byte("new window"), update.Custom{Version: "v1.1.0", System: system, Program: update.Window})
	if err == nil {
		err = s.repo.Add([]byte("newest window"), update.Custom{Version: "v1.2.0", System: system, Program: update.Window})
	}
	exe = filepath.Join(t.TempDir(), "skyconnect")
	window = update.WindowOf(exe)
	if err := errors.Join(err, s.repo.Publish(s.now), os.WriteFile(exe, []byte("old"), 0o600), os.WriteFile(window, []byte("old window"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if r, _, err = s.check(); err != nil || r.Version != "v1.1.0" || r.Program != update.Command || r.Window == nil || r.Window.Version != "v1.1.0" {
		t.Fatalf("got %+v, %v", r, err)
	}
	return s, r, exe, window
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("%s holds %q, %v, want %q", filepath.Base(path), b, err, want)
	}
}

// TestTheWindowIsUpdatedTogether with the command line where it is installed, to the
// same version, and goes back with it.
func TestTheWindowIsUpdatedTogether(t *testing.T) {
	s, r, exe, window := pair(t)
	all, err := s.updater().Fetch(t.Context(), r, exe)
	if err == nil {
		err = s.updater().Put(all)
	}
	if err != nil {
		t.Fatal(err)
	}
	holds(t, exe, "new"+system)
	holds(t, window, "new window")
	if err := update.Undo(exe); err != nil {
		t.Fatal(err)
	}
	holds(t, exe, "old")
	holds(t, window, "old window")
}

func TestAMachineWithoutAWindowGetsNone(t *testing.T) {
	s, r, exe, window := pair(t)
	if err := os.Remove(window); err != nil {
		t.Fatal(err)
	}
	all, err := s.updater().Fetch(t.Context(), r, exe)
	if err == nil {
		err = s.updater().Put(all)
	}
	if err != nil || len(all) != 1 || r.Bytes(exe) != r.Size {
		t.Errorf("got %v, %v", all, err)
	}
	holds(t, exe, "new"+system)
	if _, err := os.Stat(window); err == nil {
		t.Error("a window was installed")
	}
}

// TestHalfAnUpdateIsNone: where the second program cannot be installed, the first
// goes back.
func TestHalfAnUpdateIsNone(t *testing.T) {
	s, r, exe, window := pair(t)
	all, err := s.updater().Fetch(t.Context(), r, exe)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(exe+".old/full", 0o700); err != nil { // the former program has no place
		t.Fatal(err)
	}
	if err := s.updater().Put(all); err == nil {
		t.Error("installed")
	}
	holds(t, exe, "old")
	holds(t, window, "old window")
}

func TestWhatRunsIsTheNewest(t *testing.T) {
	s := newShop(t)
	s.release("v0.9.0", "old")
	if r, newer, err := s.check(); err != nil || newer || r.Version != "v0.9.0" {
		t.Errorf("got %+v, %v, %v", r, newer, err)
	}
	s.cfg.System = "plan9-mips"
	if _, _, err := s.check(); !errors.Is(err, update.ErrNone) {
		t.Errorf("another system: got %v", err)
	}
}

// TestALiarIsNotBelieved: everything that the server may change on its own.
func TestALiarIsNotBelieved(t *testing.T) {
	edit := func(name string, change func([]byte) []byte) func(*shop) {
		return func(s *shop) {
			path := filepath.Join(s.dir, name)
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, change(b), 0o600)
			}
			if err != nil {
				s.t.Fatal(err)
			}
		}
	}
	for name, lie := range map[string]func(*shop){
		"another version in the targets": edit("2.targets.json", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("v1.1.0"), []byte("v9.1.0")) }),
		"a timestamp that is over":       func(s *shop) { s.now = s.now.Add(repository.TimestampFor + time.Hour) },
		"a root of its own": func(s *shop) {
			if err := s.repo.Rotate([]ed25519.PrivateKey{key(s.t)}, 1, s.now); err != nil {
				s.t.Fatal(err)
			}
			edit("2.root.json", func(b []byte) []byte { return onlyLastSignature(s.t, b) })(s)
		},
		"nonsense":    edit("timestamp.json", func([]byte) []byte { return []byte("{") }),
		"without end": edit("timestamp.json", func([]byte) []byte { return bytes.Repeat([]byte(" "), 1<<20) }),
		"other keys": func(s *shop) {
			other := repository.Keys{Root: []ed25519.PrivateKey{key(s.t)}, Threshold: 1, Targets: key(s.t), Online: key(s.t)}
			dir := s.t.TempDir()
			repo, err := repository.Create(dir, other, s.now)
			if err != nil {
				s.t.Fatal(err)
			}
			if err := errors.Join(repo.Add([]byte("x"), update.Custom{Version: "v2.0.0", System: system}), repo.Publish(s.now)); err != nil {
				s.t.Fatal(err)
			}
			for _, f := range []string{"timestamp.json", "2.snapshot.json", "2.targets.json"} {
				b, err := os.ReadFile(filepath.Join(dir, f))
				if err == nil {
					err = os.WriteFile(filepath.Join(s.dir, f), b, 0o600)
				}
				if err != nil {
					s.t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.release("v1.1.0", "new")
			lie(s)
			if r, _, err := s.check(); !errors.Is(err, update.ErrTrust) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// onlyLastSignature keeps of a root's signatures that of its own new key.
func onlyLastSignature(t *testing.T, b []byte) []byte {
	t.Helper()
	text := string(b)
	at := strings.Index(text, `"signatures"`)
	end := at + strings.Index(text[at:], "]")
	last := strings.LastIndex(text[:end], "{")
	first := at + strings.Index(text[at:], "{")
	return []byte(text[:first] + text[last:])
}

// TestNothingGoesBack: a server that shows what it showed before a newer release.
func TestNothingGoesBack(t *testing.T) {
	s := newShop(t)
	s.release("v1.1.0", "new")
	before, err := os.ReadFile(filepath.Join(s.dir, "timestamp.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.release("v1.2.0", "newer")
	if r, _, err := s.check(); err != nil || r.Version != "v1.2.0" {
		t.Fatalf("got %+v, %v", r, err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "timestamp.json"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.check(); !errors.Is(err, update.ErrTrust) {
		t.Errorf("got %+v, %v, want a refusal of what is older", r, err)
	}
}

func TestRootKeysChange(t *testing.T) {
	s := newShop(t)
	next := []ed25519.PrivateKey{key(t), key(t)}
	if err := s.repo.Rotate(next, 2, s.now); err != nil {
		t.Fatal(err)
	}
	s.release("v1.1.0", "new")
	if r, _, err := s.check(); err != nil || r.Version != "v1.1.0" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAFileThatIsNotTheSignedOneIsNotKept(t *testing.T) {
	s := newShop(t)
	s.release("v1.1.0", "new")
	r, _, err := s.check()
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Join(s.dir, "targets", "v1.1.0", "*linux*"))
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	if err := os.WriteFile(all[0], []byte("bad"+system), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.updater().Fetch(t.Context(), r, "skyconnect"); !errors.Is(err, update.ErrTrust) {
		t.Errorf("got %v, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "files", "*")); len(left) > 0 {
		t.Errorf("kept %v", left)
	}
}

func TestNothingIsFetchedOrInstalledUnasked(t *testing.T) {
	s := newShop(t)
	s.release("v1.1.0", "new")
	r, _, err := s.check()
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), "exe")
	all, err := s.updater().Fetch(t.Context(), r, exe)
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	s.cfg.Network, s.cfg.Install = func() error { return no }, func() error { return no }
	s.hits = 0
	if _, _, err := s.check(); !errors.Is(err, no) {
		t.Errorf("checking: got %v", err)
	}
	if _, err := s.updater().Fetch(t.Context(), r, exe); !errors.Is(err, no) {
		t.Errorf("fetching: got %v", err)
	}
	if s.hits != 0 {
		t.Errorf("the server was asked %d times", s.hits)
	}
	if err := os.WriteFile(exe, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.updater().Put(all); !errors.Is(err, update.ErrNotPermitted) {
		t.Errorf("installing: got %v", err)
	}
	if b, _ := os.ReadFile(exe); string(b) != "old" {
		t.Errorf("got %q", b)
	}
}

func TestAServerThatIsAwayIsNotALiar(t *testing.T) {
	s := newShop(t)
	s.cfg.URL = strings.Replace(s.cfg.URL, "http://127.0.0.1", "http://127.0.0.2", 1)
	if _, _, err := s.check(); !errors.Is(err, update.ErrServer) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.updater().Check(ctx); err == nil {
		t.Error("checked after the end")
	}
}
