package desk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
)

// longest is how long a release may take to come.
const longest = 10 * time.Minute

// release is what was found, and of which profile's operator.
type release struct {
	update.Release
	profile string
}

// FindUpdate asks the operators of the profiles in turn, until one answers.
func (d *Desk) FindUpdate(ctx context.Context) (bool, error) {
	all, _, err := d.home.Profiles.All()
	if err != nil {
		return false, d.problem(err)
	}
	last := error(user.ErrNoReleases)
	for _, p := range all {
		u, err := d.updater(ctx, p, nil)
		if err == nil {
			var r update.Release
			var newer bool
			if r, newer, err = u.Check(ctx); err == nil {
				d.note(release{r, p.ID}, newer)
				return newer, nil
			}
		}
		if !errors.Is(err, user.ErrNoReleases) {
			last = err
		}
	}
	return false, d.updateProblem(last)
}

func (d *Desk) note(r release, newer bool) {
	d.mu.Lock()
	d.found = nil
	if newer {
		d.found = &r
	}
	d.mu.Unlock()
	d.change()
}

// InstallUpdate fetches what was found and puts it in the place of the program; a
// person who may not write there is told what the administrator does.
func (d *Desk) InstallUpdate(ctx context.Context, progress func(done, whole int64)) (string, error) {
	d.mu.Lock()
	r := d.found
	d.mu.Unlock()
	if r == nil {
		return "", d.updateProblem(update.ErrNone)
	}
	p, err := d.home.Profiles.Find(r.profile)
	if err != nil {
		return "", d.problem(err)
	}
	whole := r.Bytes(d.cfg.Program)
	u, err := d.updater(ctx, p, func(done int64) { progress(min(done, whole), whole) })
	if err != nil {
		return "", d.updateProblem(err)
	}
	files, err := u.Fetch(ctx, r.Release, d.cfg.Program)
	if err == nil {
		err = u.Put(files)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		var todo []string
		for _, f := range files {
			todo = append(todo, d.say("update.by_root", "from", f.From, "to", f.To))
		}
		return strings.Join(todo, "\n"), nil
	case err != nil:
		return "", d.updateProblem(err)
	}
	d.note(release{}, false)
	return d.say("update.done", "version", r.Version), nil
}

// updater is for the releases of a profile's operator; came is told of bytes.
func (d *Desk) updater(ctx context.Context, p profile.Profile, came func(int64)) (*update.Updater, error) {
	c := &http.Client{Timeout: longest}
	if d.releases != nil {
		c = d.releases
	}
	if came != nil {
		c = &http.Client{Timeout: c.Timeout, Transport: &counter{under: c.Transport, came: came}}
	}
	cfg, err := d.home.Releases(ctx, p, user.Source{}, c)
	if err != nil {
		return nil, err
	}
	cfg.Version, cfg.Install = d.cfg.Version, func() error { return d.home.Permitted(policy.Updates) }
	return update.New(cfg)
}

func (d *Desk) updateProblem(err error) error {
	for _, s := range []struct {
		err  error
		code string
	}{{update.ErrNone, "update_none"}, {update.ErrTrust, "update_trust"}, {update.ErrServer, "update_server"}} {
		if errors.Is(err, s.err) {
			return &window.Problem{Code: s.code, Cause: user.Say(d.lang(), "cause."+s.code)}
		}
	}
	return d.problem(err)
}

// counter counts what comes in answers.
type counter struct {
	under http.RoundTripper
	came  func(int64)
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	under := c.under
	if under == nil {
		under = http.DefaultTransport
	}
	a, err := under.RoundTrip(r)
	if err == nil {
		a.Body = &counted{ReadCloser: a.Body, came: c.came}
	}
	return a, err
}

// counted counts one answer; those before the release itself are small.
type counted struct {
	io.ReadCloser
	n    int64
	came func(int64)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	c.came(c.n)
	return n, err
}
