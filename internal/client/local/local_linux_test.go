package local_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
)

func open(t *testing.T) *local.Dir {
	t.Helper()
	d, err := local.Open(filepath.Join(t.TempDir(), "skyconnect"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNamesStayInside(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, name := range []string{"", ".", "..", "../x", "/etc/passwd", "a/../../x", "a/b/c", "a//b", `a\b`, "c:x"} {
		if _, err := d.Read(name, 10); !errors.Is(err, local.ErrName) {
			t.Errorf("reading %q: got %v", name, err)
		}
		if err := d.Replace(name, nil); !errors.Is(err, local.ErrName) {
			t.Errorf("writing %q: got %v", name, err)
		}
		if err := d.Append(name, nil); !errors.Is(err, local.ErrName) {
			t.Errorf("adding to %q: got %v", name, err)
		}
		if err := d.Remove(name); !errors.Is(err, local.ErrName) {
			t.Errorf("deleting %q: got %v", name, err)
		}
	}
	if _, err := local.Open("skyconnect"); !errors.Is(err, local.ErrName) {
		t.Errorf("a relative directory: got %v", err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.Replace("profiles/a", []byte("a")); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink(outside, filepath.Join(d.Root(), "file")))
	must(os.Symlink(filepath.Dir(outside), filepath.Join(d.Root(), "dir")))
	must(syscall.Mkfifo(filepath.Join(d.Root(), "pipe"), 0o600))
	for _, name := range []string{"file", "dir/outside", "pipe"} {
		if b, err := d.Read(name, 100); !errors.Is(err, local.ErrUnsafe) {
			t.Errorf("reading %s: got %q, %v", name, b, err)
		}
		if err := d.Append(name, []byte("ours")); !errors.Is(err, local.ErrUnsafe) {
			t.Errorf("adding to %s: got %v", name, err)
		}
	}
	if err := d.Replace("dir/outside", []byte("ours")); !errors.Is(err, local.ErrUnsafe) {
		t.Errorf("writing below a link: got %v", err)
	}
	must(d.Replace("file", []byte("ours"))) // takes the link's place
	if b, _ := os.ReadFile(outside); string(b) != "theirs" {
		t.Errorf("the file outside has %q", b)
	}
}

func TestWhatOthersMayWriteIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.Replace("a", []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(d.Root(), "a"), 0o622); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("a", 10); !errors.Is(err, local.ErrUnsafe) {
		t.Errorf("a file: got %v", err)
	}
	if err := os.Chmod(d.Root(), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(d.Root()); !errors.Is(err, local.ErrUnsafe) {
		t.Errorf("a directory: got %v", err)
	}
}

func TestAFileIsWholeBoundedAndPrivate(t *testing.T) {
	t.Parallel()
	d := open(t)
	if _, err := d.Read("a", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: got %v", err)
	}
	if err := d.Replace("sub/a", bytes.Repeat([]byte("x"), 11)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("sub/a", 10); !errors.Is(err, local.ErrLarge) {
		t.Errorf("too large: got %v", err)
	}
	for path, want := range map[string]fs.FileMode{"": 0o700, "sub": 0o700, "sub/a": 0o600} {
		info, err := os.Stat(filepath.Join(d.Root(), path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q has mode %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

// A full disk or a directory that may not be written leaves the old content.
func TestAWriteThatFailsLeavesTheOldContent(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.Replace("sub/a", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(d.Root(), "sub", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Replace("sub/b", []byte("new")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if names, err := d.List("sub/*"); err != nil || !cmp.Equal(names, []string{"sub/a"}) {
		t.Errorf("got %v, %v, want nothing unfinished beside the old file", names, err)
	}
}

func TestProcessesTakeTurns(t *testing.T) {
	t.Parallel()
	d := open(t)
	var n atomic.Int64 // the race detector knows nothing of the system's locks
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			unlock, err := d.Lock(local.Profiles)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			was := n.Load()
			if err := d.Replace("n", []byte{byte(was)}); err != nil {
				t.Error(err)
			}
			n.Store(was + 1)
		})
	}
	wg.Wait()
	if n.Load() != 50 {
		t.Errorf("got %d turns, want 50", n.Load())
	}
}

type keys struct {
	items  []local.Item
	refuse error
}

func (k *keys) Held(context.Context) ([]local.Item, error) { return k.items, nil }

func (k *keys) Erase(context.Context) error {
	if k.refuse == nil {
		k.items = nil
	}
	return k.refuse
}

func TestEverythingIsListedAndErased(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := open(t)
	if items, err := d.Held(ctx); err != nil || len(items) != 0 {
		t.Fatalf("before the first use: got %v, %v", items, err)
	}
	store := &keys{items: []local.Item{{Where: "secret-service", Name: "prf_a private-key", Purpose: "private_key"}}, refuse: errors.New("locked")}
	d.Hold(store)
	d.Own("profiles/*.json", "profile")
	for _, name := range []string{"profiles/a.json", "stray", "profiles/.new-123"} {
		if err := d.Replace(name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	items, err := d.Held(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		got[filepath.Base(i.Name)] = i.Purpose
	}
	want := map[string]string{"a.json": "profile", "stray": local.Unregistered, ".new-123": "unfinished", "prf_a private-key": "private_key"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := d.Erase(ctx); err == nil {
		t.Error("erased, although the key store is locked")
	}
	if items, _ := d.Held(ctx); len(items) < len(want) {
		t.Error("files went before the keys whose record they are")
	}
	store.refuse = nil
	if err := d.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if items, err := d.Held(ctx); err != nil || len(items) != 0 {
		t.Errorf("got %v, %v, want nothing", items, err)
	}
	if _, err := os.Lstat(d.Root()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: got %v", err)
	}
}

// forgetful says that it erased and did not.
type forgetful struct{ keys }

func (f *forgetful) Erase(context.Context) error { return nil }

func TestWhatIsLeftIsSaid(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Hold(&forgetful{keys{items: []local.Item{{Name: "prf_a token-seed"}}}})
	if err := d.Erase(t.Context()); !errors.Is(err, local.ErrLeft) {
		t.Errorf("got %v", err)
	}
}

// Who waits for the lock of a directory that is erased meanwhile gets that of
// the new one.
func TestAnErasedLockIsNoLock(t *testing.T) {
	t.Parallel()
	d := open(t)
	unlock, err := d.Lock(local.Profiles)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan func())
	go func() {
		second, err := d.Lock(local.Profiles)
		if err != nil {
			t.Error(err)
		}
		got <- second
	}()
	if err := os.RemoveAll(d.Root()); err != nil {
		t.Fatal(err)
	}
	unlock()
	second := <-got
	if _, err := os.Lstat(filepath.Join(d.Root(), "profiles.lock")); err != nil {
		t.Errorf("the lock that was given has no file: %v", err)
	}
	second()
}
