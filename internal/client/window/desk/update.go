package desk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
)

// longest is how long a release may take to come.
const longest = 10 * time.Minute

// FindUpdate asks the server of the first profile that names one.
func (d *Desk) FindUpdate(ctx context.Context) (bool, error) {
	u, err := d.updater(nil)
	if err != nil {
		return false, d.updateProblem(err)
	}
	r, newer, err := u.Check(ctx)
	if err != nil {
		return false, d.updateProblem(err)
	}
	d.mu.Lock()
	d.found = nil
	if newer {
		d.found = &r
	}
	d.mu.Unlock()
	d.change()
	return newer, nil
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
	u, err := d.updater(func(done int64) { progress(min(done, r.Size), r.Size) })
	if err != nil {
		return "", d.updateProblem(err)
	}
	path, err := u.Fetch(ctx, *r)
	if err == nil {
		err = u.Put(path, d.cfg.Program)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return d.say("update.by_root", "from", path, "to", d.cfg.Program), nil
	case err != nil:
		return "", d.updateProblem(err)
	}
	d.mu.Lock()
	d.found = nil
	d.mu.Unlock()
	d.change()
	return d.say("update.done", "version", r.Version), nil
}

// errNowhere says that no profile names a place for releases.
var errNowhere = &window.Problem{Code: "update.nowhere"}

func (d *Desk) updater(came func(int64)) (*update.Updater, error) {
	p, err := d.renewed()
	if err != nil {
		return nil, err
	}
	root, err := d.home.ReleaseRoot("")
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, &window.Problem{Code: "update.no_root", Cause: d.say("window.no_root"), Remedy: d.say("window.no_root_remedy")}
	}
	c := &http.Client{Timeout: longest}
	if d.releases != nil {
		c = d.releases
	}
	if came != nil {
		c = &http.Client{Timeout: c.Timeout, Transport: &counter{under: c.Transport, came: came}}
	}
	return update.New(update.Config{
		URL: p.Links.Update, Root: root, Dir: filepath.Join(d.home.Dir.Root(), "releases"), Version: d.cfg.Version, Client: c,
		Network: func() error {
			permit, _, err := d.home.Permit(p)
			if err == nil {
				err = permit.Allows()
			}
			return err
		},
		Install: func() error { return d.home.Permitted(policy.Updates) },
	})
}

// renewed is the profile whose operator serves releases.
func (d *Desk) renewed() (profile.Profile, error) {
	all, _, err := d.home.Profiles.All()
	for _, p := range all {
		if p.Links.Update != "" {
			return p, nil
		}
	}
	if err == nil {
		err = errNowhere
	}
	return profile.Profile{}, err
}

func (d *Desk) updateProblem(err error) error {
	if errors.Is(err, errNowhere) {
		return &window.Problem{Code: errNowhere.Code, Cause: d.say("window.update_nowhere")}
	}
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
