package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
)

const updateLimit = time.Minute

// LookForUpdate asks the operators of the profiles for a newer program, because the
// person said so: by itself nothing is looked for. It installs nothing.
func (d *Desk) LookForUpdate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, updateLimit)
	defer cancel()
	profiles, _, err := d.home.Profiles.All()
	if err != nil {
		return d.problem(err)
	}
	answered, last := false, error(user.ErrNoReleases)
	for _, p := range profiles {
		cfg, err := d.home.Releases(ctx, p, user.Source{}, d.http)
		if errors.Is(err, user.ErrNoReleases) || errors.Is(err, user.ErrNoRoot) {
			continue
		}
		if err == nil {
			err = d.check(ctx, cfg)
		}
		if err != nil {
			last = err
			continue
		}
		answered = true
	}
	if answered {
		return nil
	}
	return d.problem(last)
}

// check has a newer release of one repository shown.
func (d *Desk) check(ctx context.Context, cfg update.Config) error {
	cfg.Version = d.cfg.Version
	u, err := update.New(cfg)
	if err != nil {
		return err
	}
	r, newer, err := u.Check(ctx)
	if err != nil || !newer {
		return err
	}
	d.mu.Lock()
	d.update = &window.Update{Version: r.Version, Notes: user.Clean(r.Notes)}
	d.mu.Unlock()
	d.change()
	return nil
}

func (d *Desk) found() *window.Update {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.update
}

// releases is how the web server with releases is asked.
func releases() *http.Client { return &http.Client{Timeout: updateLimit} }
