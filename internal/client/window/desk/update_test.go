package desk

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/update/repository"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// shelf is a server with one release.
func shelf(t *testing.T, content string) (root []byte, srv *httptest.Server) {
	t.Helper()
	key := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	dir, now := t.TempDir(), time.Now()
	repo, err := repository.Create(dir, repository.Keys{Root: []ed25519.PrivateKey{key()}, Threshold: 1, Targets: key(), Online: key()}, now)
	if err == nil {
		err = repo.Add([]byte(content), update.Custom{Version: "v1.1.0", System: runtime.GOOS + "-" + runtime.GOARCH, Notes: "Quicker.", At: now})
	}
	if err == nil {
		err = repo.Publish(now)
	}
	if err == nil {
		root, err = repo.RootJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	srv = httptest.NewTLSServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(srv.Close)
	return root, srv
}

// TestAnUpdateIsFoundAskedForAndInstalled: TY-2.6: the permission is asked for just
// before, and a refusal leaves the program as it is.
func TestAnUpdateIsFoundAskedForAndInstalled(t *testing.T) {
	r := newRig(t)
	root, srv := shelf(t, "a newer program")
	r.releases = srv.Client()
	r.cfg.Program = filepath.Join(t.TempDir(), "skyconnect")
	file := filepath.Join(t.TempDir(), "root.json")
	if err := errors.Join(os.WriteFile(r.cfg.Program, []byte("old"), 0o600), os.WriteFile(file, root, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.FindUpdate(t.Context()); err == nil {
		t.Error("found without a place to look at")
	}
	id := r.give(func(p *bundle.Profile) { p.Links.Update = srv.URL })
	if _, err := r.FindUpdate(t.Context()); err == nil {
		t.Error("found without keys")
	}
	mine, err := r.home.Profiles.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.home.Releases(t.Context(), mine, user.Source{Root: file}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.FindUpdate(t.Context()); err == nil {
		t.Error("looked for before the policy was accepted")
	}
	r.accept()
	network := &person{decision: window.Yes}
	r.Attend(network.answer)
	views := r.Watch(t.Context())
	if found, err := r.FindUpdate(t.Context()); err != nil || !found {
		t.Fatalf("got %t, %v", found, err)
	}
	r.until(views, "it waits", func(v window.View) bool {
		return v.Update != nil && v.Update.Version == "v1.1.0" && v.Update.Notes == "Quicker."
	})
	no := &person{decision: window.No}
	r.Attend(no.answer)
	if _, err := r.InstallUpdate(t.Context(), func(_, _ int64) {}); err == nil || len(no.forms) != 1 || no.forms[0].Permission.ID != policy.Updates {
		t.Errorf("refused: got %v, asked %+v", err, no.forms)
	}
	if b, _ := os.ReadFile(r.cfg.Program); string(b) != "old" {
		t.Errorf("installed %q in spite of the refusal", b)
	}
	if err := r.SetPermission(t.Context(), policy.Updates, true); err != nil {
		t.Fatal(err)
	}
	var came, whole int64
	said, err := r.InstallUpdate(t.Context(), func(d, w int64) { came, whole = max(came, d), w })
	if err != nil || said == "" || whole != int64(len("a newer program")) || came == 0 {
		t.Errorf("got %q, %v, %d of %d", said, err, came, whole)
	}
	if b, _ := os.ReadFile(r.cfg.Program); string(b) != "a newer program" {
		t.Errorf("installed %q", b)
	}
	r.until(views, "none waits", func(v window.View) bool { return v.Update == nil })
}

// TestWhatWasInstalledIsRestarted when the person says so, and not for nothing.
func TestWhatWasInstalledIsRestarted(t *testing.T) {
	r := newRig(t)
	r.accept()
	views := r.Watch(t.Context())
	if _, err := r.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), "not_renewed") {
		t.Errorf("nothing is installed: got %v", err)
	}
	r.daemon.mu.Lock()
	r.daemon.renewed = true
	r.daemon.mu.Unlock()
	r.daemon.set(ipc.Connection{Profile: "other", State: ipc.Connected})
	r.until(views, "the daemon says so", func(v window.View) bool { return v.Renewed })
	said, err := r.Restart(t.Context())
	if err != nil || !strings.Contains(said, "The service runs test.") || !strings.Contains(said, "open it again") { // the window is v1
		t.Errorf("got %q, %v", said, err)
	}
	r.until(views, "it runs", func(v window.View) bool { return !v.Renewed })
}
