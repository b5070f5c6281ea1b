// Package update finds, fetches and installs newer releases of skyconnect from a
// TUF repository (The Update Framework 1.0.34), which the server that the person
// uses serves as plain files.
//
//	root keys (threshold) ──sign──▶ root ──names──▶ targets, snapshot, timestamp keys
//	Check ──▶ timestamp ─▶ snapshot ─▶ targets ─▶ the newest release for this system
//	Fetch ──▶ file whose length and SHA-256 the targets keys signed
//	Install ─▶ beside the program, synced, renamed over it; the former one stays
//
// The command line with its daemon, and the window, are two programs of one
// version: where both are there, both are fetched before one is replaced, the
// window first. What counts as the version that runs is the command line's, so an
// update that was cut between them is looked for again.
//
// Invariants: a server can withhold a release, not make one; metadata older than
// what was seen is refused (rollback), and so is a timestamp that is over
// (freeze); nothing is fetched before the policy is accepted; nothing is
// installed without the permission that is asked for then; the program in place
// is whole at every moment.
package update

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
	"golang.org/x/mod/semver"
)

// Errors.
var (
	// ErrNotPermitted says that the person did not allow it.
	ErrNotPermitted = errors.New("update: not permitted")
	// ErrNone says that the repository has no release for this system.
	ErrNone = errors.New("update: no release for this system")
	// ErrTrust says that what the server sent is not what the keys signed, or older
	// than what was seen before.
	ErrTrust = errors.New("update: the server's releases are not signed as they have to be")
	// ErrServer says that the server did not give what was asked for.
	ErrServer = errors.New("update: the server does not serve releases")
)

const (
	maxRelease = 256 << 20
	fetchLimit = 10 * time.Minute
)

// Config says where releases are and what is trusted.
type Config struct {
	URL     string // of the repository's metadata; https
	Root    []byte // root.json that the person's trust begins with
	Dir     string // where metadata is kept from one run to the next
	Version string // of the program that runs, "v1.2.3"
	System  string // "linux-amd64"; empty = this one
	Client  *http.Client
	Network func() error // the accepted policy; asked before anything is fetched
	Install func() error // the permission; asked before the program is replaced
	Now     func() time.Time
}

// Release is one signed file.
type Release struct {
	Version string    `json:"version"`
	System  string    `json:"system"`
	Program string    `json:"program"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Notes   string    `json:"notes"`
	At      time.Time `json:"at"`
	Window  *Release  `json:"window,omitempty"` // of the same version; nil where there is none for this system
	path    string
}

// Programs of a release.
const (
	Command = "skyconnect" // and the daemon; what a release is that names none
	Window  = "skyconnect-window"
)

// Custom is what the targets' metadata says of a release besides length and hash.
type Custom struct {
	Version string    `json:"version"`
	System  string    `json:"system"`
	Program string    `json:"program,omitempty"` // empty = Command
	Notes   string    `json:"notes"`
	At      time.Time `json:"at"`
}

// Updater looks at one repository.
type Updater struct {
	cfg Config
	tuf *updater.Updater
}

// New returns an updater. It fetches nothing.
func New(cfg Config) (*Updater, error) {
	if cfg.System == "" {
		cfg.System = runtime.GOOS + "-" + runtime.GOARCH
	}
	if !semver.IsValid(cfg.Version) {
		cfg.Version = "v0.0.0" // built from a tree: every release is newer
	}
	return &Updater{cfg: cfg}, nil
}

// Check asks for the newest release. newer tells whether it is newer than the
// program that runs.
func (u *Updater) Check(ctx context.Context) (best Release, newer bool, err error) {
	if err := u.cfg.Network(); err != nil {
		return Release{}, false, err
	}
	if err := u.refresh(ctx); err != nil {
		return Release{}, false, err
	}
	windows := map[string]*Release{}
	for path, file := range u.tuf.GetTopLevelTargets() {
		r, ok := release(path, file)
		switch {
		case !ok || r.System != u.cfg.System:
		case r.Program == Window:
			windows[r.Version] = &r
		case r.Program == Command && (best.Version == "" || semver.Compare(r.Version, best.Version) > 0):
			best = r
		}
	}
	if best.Version == "" {
		return Release{}, false, ErrNone
	}
	best.Window = windows[best.Version]
	return best, semver.Compare(best.Version, u.cfg.Version) > 0, nil
}

func (u *Updater) refresh(ctx context.Context) error {
	c, err := config.New(u.cfg.URL, u.cfg.Root)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrServer, err)
	}
	c.LocalMetadataDir, c.LocalTargetsDir = u.cfg.Dir, filepath.Join(u.cfg.Dir, "files")
	c.Fetcher = fetcher{ctx, u.cfg.Client}
	if err := c.EnsurePathsExist(); err != nil {
		return fmt.Errorf("keeping what is known of releases: %w", err)
	}
	if u.tuf, err = updater.New(c); err != nil {
		return trust(err)
	}
	if u.cfg.Now != nil {
		u.tuf.UnsafeSetRefTime(u.cfg.Now())
	}
	return trust(u.tuf.Refresh())
}

// trust tells a server that is away from one that lies.
func trust(err error) error {
	var status *metadata.ErrDownloadHTTP
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status), errors.Is(err, ErrServer):
		return fmt.Errorf("%w: %w", ErrServer, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrTrust, err)
	}
}

func release(path string, file *metadata.TargetFiles) (Release, bool) {
	sum, ok := file.Hashes["sha256"]
	if !ok || file.Custom == nil || file.Length <= 0 || file.Length > maxRelease {
		return Release{}, false
	}
	var c Custom
	if err := json.Unmarshal(*file.Custom, &c); err != nil || !semver.IsValid(c.Version) {
		return Release{}, false
	}
	return Release{Version: c.Version, System: c.System, Program: cmp.Or(c.Program, Command), Size: file.Length, SHA256: fmt.Sprintf("%x", []byte(sum)), Notes: c.Notes, At: c.At, path: path}, true
}

// File is a fetched program and where it belongs.
type File struct{ From, To string }

// Fetch brings what a release that Check gave has for the program at exe, and for
// the window beside it if there is one, and checks lengths and hashes.
func (u *Updater) Fetch(ctx context.Context, r Release, exe string) ([]File, error) {
	if err := u.cfg.Network(); err != nil {
		return nil, err
	}
	if err := u.refresh(ctx); err != nil { // it may have been withdrawn meanwhile
		return nil, err
	}
	var all []File
	if beside := WindowOf(exe); r.Window != nil && there(beside) {
		from, err := u.fetch(*r.Window)
		if err != nil {
			return nil, err
		}
		all = append(all, File{from, beside})
	}
	from, err := u.fetch(r)
	if err != nil {
		return nil, err
	}
	return append(all, File{from, exe}), nil
}

// Bytes is how many bytes Fetch brings for the program at exe.
func (r Release) Bytes(exe string) int64 {
	if r.Window != nil && there(WindowOf(exe)) {
		return r.Size + r.Window.Size
	}
	return r.Size
}

// WindowOf is where the window of the program at exe is, if it is installed.
func WindowOf(exe string) string {
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Join(filepath.Dir(exe), Window+filepath.Ext(exe))
}

func there(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.Mode().IsRegular()
}

func (u *Updater) fetch(r Release) (string, error) {
	info, err := u.tuf.GetTargetInfo(r.path)
	if err != nil {
		return "", trust(err)
	}
	path := filepath.Join(u.cfg.Dir, "files", r.Program+"-"+r.Version)
	if _, _, err := u.tuf.DownloadTarget(info, path, ""); err != nil {
		return "", trust(err)
	}
	return path, nil
}

// Put installs what Fetch brought. What was there stays as NAME.old until the next
// time. Where one cannot be installed, those before it are put back.
func (u *Updater) Put(all []File) error {
	if err := u.cfg.Install(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	for i, f := range all {
		if err := replace(f.From, f.To); err != nil {
			for _, done := range all[:i] {
				err = errors.Join(err, back(done.To))
			}
			return err
		}
	}
	return nil
}

// Undo puts the program before the last update back, and the window beside it.
func Undo(exe string) error {
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	if beside := WindowOf(exe); there(beside + ".old") {
		if err := back(beside); err != nil {
			return err
		}
	}
	return back(exe)
}

func back(exe string) error {
	if err := os.Rename(exe+".old", exe); err != nil {
		return fmt.Errorf("there is no former program: %w", err)
	}
	return nil
}
