package user

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Reasons why there is no place for newer programs.
var (
	ErrNoReleases = errs.New(errs.NotFound, "client.update.nowhere")
	ErrNoRoot     = errs.New(errs.NotFound, "client.update.no_root")
)

// Source is where newer programs are said to be, beside what the profile says.
type Source struct {
	URL  string // "": the profile's
	Root string // file of a root.json; "": the profile's keys, or those that were given before
}

// Releases returns how newer programs for a profile are looked for. The first keys
// come from the profile's operator, whose bundle says which they are, or from a
// file of the person's; what was learnt from them is kept.
func (h *Home) Releases(ctx context.Context, p profile.Profile, from Source, client *http.Client) (update.Config, error) {
	for _, dir := range []string{"releases", "releases-*"} {
		h.Dir.Own(dir+"/*.json", "releases")
		h.Dir.Own(dir+"/files/*", "releases")
	}
	cfg := update.Config{URL: from.URL, Client: client, Network: func() error {
		permit, _, err := h.Permit(p)
		if err != nil {
			return err
		}
		return permit.Allows()
	}}
	if cfg.URL == "" {
		cfg.URL = p.Links.Update
	}
	if cfg.URL == "" {
		return cfg, ErrNoReleases
	}
	dir, sum := "releases", ""
	if from.Root == "" && cfg.URL == p.Links.Update && p.Links.UpdateRoot != "" {
		sum = p.Links.UpdateRoot
		dir += "-" + sum[:16]
	}
	var err error
	cfg.Dir = filepath.Join(h.Dir.Root(), dir)
	cfg.Root, err = h.releaseRoot(ctx, dir+"/root.json", sum, from.Root, cfg)
	return cfg, err
}

// releaseRoot is what is kept as name, else the first root that is known by sum; a
// file takes the place of what is kept.
func (h *Home) releaseRoot(ctx context.Context, name, sum, file string, cfg update.Config) ([]byte, error) {
	if file == "" {
		b, err := h.Dir.Read(name, update.MaxRoot)
		switch {
		case !errors.Is(err, fs.ErrNotExist):
			return b, err
		case sum == "":
			return nil, ErrNoRoot
		}
		if err := cfg.Network(); err != nil {
			return nil, err
		}
		if b, err = update.FirstRoot(ctx, cfg.Client, cfg.URL, sum); err != nil {
			return nil, err
		}
		return b, h.Dir.Replace(name, b)
	}
	b, err := local.Given(ctx, file, update.MaxRoot)
	if err != nil {
		return nil, err
	}
	return b, h.Dir.Replace(name, b)
}
