package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
)

func do(t *testing.T, args ...string) error {
	t.Helper()
	c := root()
	c.SetArgs(args)
	return c.Execute()
}

func must(t *testing.T, args ...string) {
	t.Helper()
	if err := do(t, args...); err != nil {
		t.Fatalf("release %v: %v", args, err)
	}
}

func TestWhatIsMadeIsWhatClientsTake(t *testing.T) {
	dir := t.TempDir()
	keys, repo, file := filepath.Join(dir, "keys"), filepath.Join(dir, "repository"), filepath.Join(dir, "program")
	if err := os.WriteFile(file, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "keys", keys)
	if do(t, "keys", keys) == nil {
		t.Error("keys were written over")
	}
	must(t, "init", repo, "--keys", keys)
	if do(t, "init", repo, "--keys", keys) == nil {
		t.Error("a repository was made anew where there is one")
	}
	for i := range 3 { // they are not needed any more
		if err := os.Remove(filepath.Join(keys, []string{"root-1.pem", "root-2.pem", "root-3.pem"}[i])); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "add", repo, file, "--keys", keys, "--version", "v1.2.3", "--system", "linux-amd64", "--notes", "first")
	must(t, "add", repo, file, "--keys", keys, "--version", "v1.2.3", "--system", "linux-amd64", "--program", "skyconnect-window")
	if do(t, "add", repo, file, "--keys", keys, "--version", "v1.2.3", "--system", "linux-amd64", "--program", "another") == nil {
		t.Error("a program of others was added")
	}
	must(t, "refresh", repo, "--keys", keys)
	srv := httptest.NewServer(http.FileServer(http.Dir(repo)))
	defer srv.Close()
	trusted, err := os.ReadFile(filepath.Join(repo, "1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	yes := func() error { return nil }
	u, err := update.New(update.Config{URL: srv.URL, Root: trusted, Dir: t.TempDir(), Version: "v1.0.0", System: "linux-amd64", Client: srv.Client(), Network: yes, Install: yes})
	if err != nil {
		t.Fatal(err)
	}
	r, newer, err := u.Check(t.Context())
	if err != nil || !newer || r.Version != "v1.2.3" || r.Window == nil {
		t.Fatalf("got %+v, %v, %v", r, newer, err)
	}
	exe := filepath.Join(dir, "skyconnect")
	if err := os.WriteFile(update.WindowOf(exe), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := u.Fetch(t.Context(), r, exe); err != nil || len(all) != 2 {
		t.Errorf("got %v, %v", all, err)
	}
}
