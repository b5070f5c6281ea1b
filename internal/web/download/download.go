// Package download serves signed releases of skyconnect: the directory of a TUF
// repository that its maker signed elsewhere (tools/release), and a list of what
// is in it for the console's download page.
//
// It signs nothing and trusts nothing: a client checks every file against the keys
// that it began to trust with. Who downloads is not noted.
package download

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
)

// Prefix is where the files are.
const Prefix = "/downloads/releases/"

const maxMetadata = 5 << 20

var errNotFound = errs.New(errs.NotFound, "api.not_found")

// Release is one program to download.
type Release struct {
	Version string
	System  string // such as "linux-amd64"
	Program string // skyconnect or skyconnect-window
	Size    int64  // bytes
	SHA256  string
	Notes   string
	At      time.Time
	Path    string // of the URL
}

// Shelf is the directory; an empty one serves nothing.
type Shelf struct{ dir string }

// New returns the shelf of a directory, "" for none.
func New(dir string) *Shelf { return &Shelf{dir} }

// Root says where the repository is and what the SHA-256, in hex, of its first
// root.json is; both are empty where there is none.
func (s *Shelf) Root() (prefix, sum string, err error) {
	if s.dir == "" {
		return "", "", nil
	}
	root, err := os.OpenRoot(s.dir)
	if err == nil {
		defer func() { _ = root.Close() }()
		var f *os.File
		if f, err = root.Open("1.root.json"); err == nil {
			defer func() { _ = f.Close() }()
			h := sha256.New()
			_, err = io.Copy(h, io.LimitReader(f, maxMetadata))
			prefix, sum = Prefix, hex.EncodeToString(h.Sum(nil))
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case err != nil:
		return "", "", fmt.Errorf("reading the keys of releases: %w", err)
	}
	return prefix, sum, nil
}

// List returns the releases, the newest first. No directory, or one without a
// repository, is an empty list.
func (s *Shelf) List() ([]Release, error) {
	if s.dir == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the releases: %w", err)
	}
	defer func() { _ = root.Close() }()
	version, err := next(root, "timestamp.json", "snapshot.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if version, err = next(root, fmt.Sprintf("%d.snapshot.json", version), "targets.json"); err != nil {
		return nil, err
	}
	return targets(root, fmt.Sprintf("%d.targets.json", version))
}

// metadata is what is read of a signed file.
type metadata struct {
	Signed struct {
		Meta    map[string]struct{ Version int64 } `json:"meta"`
		Targets map[string]struct {
			Length int64             `json:"length"`
			Hashes map[string]string `json:"hashes"`
			Custom struct {
				Version string    `json:"version"`
				System  string    `json:"system"`
				Program string    `json:"program"`
				Notes   string    `json:"notes"`
				At      time.Time `json:"at"`
			} `json:"custom"`
		} `json:"targets"`
	} `json:"signed"`
}

func read(root *os.Root, name string) (m metadata, err error) {
	f, err := root.Open(name)
	if err != nil {
		return m, fmt.Errorf("reading the releases: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(io.LimitReader(f, maxMetadata)).Decode(&m); err != nil {
		return m, fmt.Errorf("reading %s of the releases: %w", name, err)
	}
	return m, nil
}

// next is the version of a file that another one names.
func next(root *os.Root, name, of string) (int64, error) {
	m, err := read(root, name)
	return m.Signed.Meta[of].Version, err
}

func targets(root *os.Root, name string) ([]Release, error) {
	m, err := read(root, name)
	if err != nil {
		return nil, err
	}
	var all []Release
	for target, t := range m.Signed.Targets {
		sum := t.Hashes["sha256"]
		if !semver.IsValid(t.Custom.Version) || !allowed.MatchString("targets/"+path.Dir(target)+"/"+sum+"."+path.Base(target)) {
			continue
		}
		all = append(all, Release{
			Version: t.Custom.Version, System: t.Custom.System, Program: cmp.Or(t.Custom.Program, "skyconnect"), Size: t.Length, SHA256: sum, Notes: t.Custom.Notes, At: t.Custom.At,
			Path: Prefix + "targets/" + path.Dir(target) + "/" + sum + "." + path.Base(target),
		})
	}
	slices.SortFunc(all, func(a, b Release) int {
		return cmp.Or(-semver.Compare(a.Version, b.Version), strings.Compare(a.System, b.System), strings.Compare(a.Program, b.Program))
	})
	return all, nil
}

// allowed are the names of a repository's files; nothing else in the directory is
// served.
var allowed = regexp.MustCompile(`^(timestamp\.json|[1-9][0-9]{0,8}\.(root|snapshot|targets)\.json|targets/v[0-9A-Za-z.+-]{1,40}/[0-9a-f]{64}\.skyconnect-[0-9a-z-]{1,40})$`)

// Serve registers the files.
func (s *Shelf) Serve(mux *http.ServeMux, log *slog.Logger) {
	mux.HandleFunc("GET "+Prefix+"{path...}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.serve(w, r, r.PathValue("path")); err != nil {
			problem.Write(w, r, log, err)
		}
	})
}

func (s *Shelf) serve(w http.ResponseWriter, r *http.Request, name string) error {
	if s.dir == "" || !allowed.MatchString(name) {
		return errNotFound
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return errNotFound
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(name)
	if err != nil {
		return errNotFound
	}
	defer func() { _ = f.Close() }()
	i, err := f.Stat()
	if err != nil || !i.Mode().IsRegular() {
		return errNotFound
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", "application/octet-stream")
	if name == "timestamp.json" {
		h.Set("Cache-Control", "no-cache")
	}
	if strings.HasSuffix(name, ".json") {
		h.Set("Content-Type", "application/json")
	} else {
		_, file, _ := strings.Cut(path.Base(name), ".")
		h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	}
	http.ServeContent(w, r, "", i.ModTime(), f)
	return nil
}
