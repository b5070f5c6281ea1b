package download_test

import (
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/update/repository"
	"github.com/skybridge-cloud/skybridge/internal/web/download"
)

func shelf(t *testing.T) (dir string, s *download.Shelf, srv *httptest.Server) {
	t.Helper()
	dir = t.TempDir()
	s = download.New(dir)
	mux := http.NewServeMux()
	s.Serve(mux, slog.New(slog.DiscardHandler))
	srv = httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return dir, s, srv
}

func fill(t *testing.T, dir string) []byte {
	t.Helper()
	key := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	r, err := repository.Create(dir, repository.Keys{Root: []ed25519.PrivateKey{key(), key()}, Threshold: 2, Targets: key(), Online: key()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"v1.9.0", "v1.10.0"} {
		if err := r.Add([]byte("program "+v), update.Custom{Version: v, System: "linux-amd64", Notes: "notes of " + v}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Add([]byte("window v1.10.0"), update.Custom{Version: "v1.10.0", System: "linux-amd64", Program: update.Window}); err != nil {
		t.Fatal(err)
	}
	root, err := r.RootJSON()
	if err := errors.Join(err, r.Publish(time.Now())); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestAClientUpdatesFromTheShelf(t *testing.T) {
	dir, s, srv := shelf(t)
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("an empty shelf: got %v, %v", all, err)
	}
	root := fill(t, dir)
	all, err := s.List()
	if err != nil || len(all) != 3 || all[0].Version != "v1.10.0" || all[1].Program != update.Window || len(all[1].SHA256) != 64 || all[0].Notes != "notes of v1.10.0" || len(all[0].SHA256) != 64 {
		t.Fatalf("got %+v, %v", all, err)
	}
	res, err := http.Get(srv.URL + all[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if string(body) != "program v1.10.0" || res.Header.Get("Content-Disposition") != `attachment; filename="skyconnect-linux-amd64"` || len(res.Cookies()) > 0 {
		t.Errorf("got %q, %v", body, res.Header)
	}
	yes := func() error { return nil }
	u, err := update.New(update.Config{URL: srv.URL + download.Prefix, Root: root, Dir: t.TempDir(), Version: "v1.0.0", System: "linux-amd64", Client: srv.Client(), Network: yes, Install: yes})
	if err != nil {
		t.Fatal(err)
	}
	found, newer, err := u.Check(t.Context())
	if err != nil || !newer || found.SHA256 != all[0].SHA256 {
		t.Fatalf("got %+v, %v, %v", found, newer, err)
	}
	exe := filepath.Join(t.TempDir(), "skyconnect")
	if err := os.WriteFile(update.WindowOf(exe), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if files, err := u.Fetch(t.Context(), found, exe); err != nil || len(files) != 2 || found.Window.SHA256 != all[1].SHA256 {
		t.Errorf("got %v, %v", files, err)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	dir, _, srv := shelf(t)
	fill(t, dir)
	secret := filepath.Join(filepath.Dir(dir), "secret.json")
	if err := errors.Join(
		os.WriteFile(secret, []byte("x"), 0o600), os.WriteFile(filepath.Join(dir, "targets.pem"), []byte("key"), 0o600),
		os.Symlink(secret, filepath.Join(dir, "9.root.json")), os.Mkdir(filepath.Join(dir, "8.root.json"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "targets", "targets/", "targets.pem", "9.root.json", "8.root.json", "7.root.json", "..%2fsecret.json", "%2e%2e/secret.json", "01.root.json"} {
		res, err := http.Get(srv.URL + download.Prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: got %d", name, res.StatusCode)
		}
	}
}

// TestTheFirstKeysAreNamedByTheirDigest, for the bundles that tell clients.
func TestTheFirstKeysAreNamedByTheirDigest(t *testing.T) {
	for _, dir := range []string{"", t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if prefix, sum, err := download.New(dir).Root(); err != nil || prefix != "" || sum != "" {
			t.Errorf("no releases: got %q, %q, %v", prefix, sum, err)
		}
	}
	dir, s, srv := shelf(t)
	fill(t, dir)
	prefix, sum, err := s.Root()
	if err != nil || prefix != download.Prefix {
		t.Fatalf("got %q, %q, %v", prefix, sum, err)
	}
	if _, err := update.FirstRoot(t.Context(), srv.Client(), srv.URL+prefix, sum); err != nil {
		t.Errorf("what is served is not what is named: %v", err)
	}
	if _, err := update.FirstRoot(t.Context(), srv.Client(), srv.URL+prefix, "00"); !errors.Is(err, update.ErrTrust) {
		t.Errorf("other keys: got %v", err)
	}
}
