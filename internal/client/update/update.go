// Package update finds, fetches and installs newer releases of skyconnect from a
// TUF repository (The Update Framework 1.0.34), which the server that the person
// uses serves as plain files.
//
//	root keys (threshold) ──sign──▶ root ──names──▶ targets, snapshot, timestamp keys
//	Check ──▶ timestamp ─▶ snapshot ─▶ targets ─▶ the newest release for this system
//	Fetch ──▶ file whose length and SHA-256 the targets keys signed
//	Install ─▶ beside the program, synced, renamed over it; the former one stays
//
// Invariants: a server can withhold a release, not make one; metadata older than
// what was seen is refused (rollback), and so is a timestamp that is over
// (freeze); nothing is fetched before the policy is accepted; nothing is
// installed without the permission that is asked for then; the program in place
// is whole at every moment.
package update

import (
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
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Notes   string    `json:"notes"`
	At      time.Time `json:"at"`
	path    string
}

// Custom is what the targets' metadata says of a release besides length and hash.
type Custom struct {
	Version string    `json:"version"`
	System  string    `json:"system"`
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
	for path, file := range u.tuf.GetTopLevelTargets() {
		r, ok := release(path, file)
		if ok && r.System == u.cfg.System && (best.Version == "" || semver.Compare(r.Version, best.Version) > 0) {
			best = r
		}
	}
	if best.Version == "" {
		return Release{}, false, ErrNone
	}
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
	return Release{Version: c.Version, System: c.System, Size: file.Length, SHA256: fmt.Sprintf("%x", []byte(sum)), Notes: c.Notes, At: c.At, path: path}, true
}

// Fetch brings the file of a release that Check gave and checks its length and
// hash. It returns its path.
func (u *Updater) Fetch(ctx context.Context, r Release) (string, error) {
	if err := u.cfg.Network(); err != nil {
		return "", err
	}
	if err := u.refresh(ctx); err != nil { // it may have been withdrawn meanwhile
		return "", err
	}
	info, err := u.tuf.GetTargetInfo(r.path)
	if err != nil {
		return "", trust(err)
	}
	path := filepath.Join(u.cfg.Dir, "files", "skyconnect-"+r.Version)
	if _, _, err := u.tuf.DownloadTarget(info, path, ""); err != nil {
		return "", trust(err)
	}
	return path, nil
}

// Put installs a fetched file over the program at exe. What was there stays as
// exe.old until the next time.
func (u *Updater) Put(path, exe string) error {
	if err := u.cfg.Install(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return replace(path, exe)
}

// Undo puts the program before the last update back.
func Undo(exe string) error {
	if err := os.Rename(exe+".old", exe); err != nil {
		return fmt.Errorf("there is no former program: %w", err)
	}
	return nil
}
