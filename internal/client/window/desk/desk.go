// Package desk is what the window stands on: the person's half of skyconnect and
// the daemon, as the window's Backend.
//
//	window.Backend ── Desk ─┬─ user.Home ──▶ profiles, policy, keys, log
//	                        └─ ipc ────────▶ daemon (Watch, Up, Down)
//
// Everything is read where it is kept whenever a View is made, so that what the
// command line does shows too. A View is made when something has changed: an act
// here, a word of the daemon, the day of a policy.
//
// Invariants: the daemon is not asked before the policy is accepted; answers of the
// person are overwritten when their login ends; nothing is written into the log
// but codes and ids of profiles.
package desk

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Config is where things are.
type Config struct {
	Root     string // the person's directory
	Socket   string // of the daemon
	Version  string // of this program
	Language string // of the system: zh-CN or en
	Keys     keystore.Place
	Program  string // the skyconnect that an update replaces
}

// Desk is the window's Backend.
type Desk struct {
	cfg   Config
	home  *user.Home
	clock clock.Clock

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	language string        // that was chosen; "" is the system's
	theme    window.Theme
	attempts map[string]*attempt // connects under way, by profile
	ending   map[string]bool     // disconnects under way
	report   string              // of the doctor's last run
	found    *release            // newer than what runs
	renewed  bool                // what was installed here the daemon does not run yet
	releases *http.Client        // nil is a usual one
	person   window.Answerer     // answers what is asked in the middle of an act
	hush     context.CancelFunc  // ends the question that is asked; nil for none
	turn     chan struct{}       // held by the question that is asked
}

var _ window.Backend = (*Desk)(nil)

// Open opens the person's directory. It reaches nothing.
func Open(cfg Config) (*Desk, error) {
	d := &Desk{cfg: cfg, clock: clock.System{}, changed: make(chan struct{}), attempts: map[string]*attempt{}, ending: map[string]bool{}, turn: make(chan struct{}, 1)}
	home, err := user.Open(cfg.Root, cfg.Socket, cfg.Keys, user.Person{Permission: d.permission, Passphrase: d.passphrase})
	if err != nil {
		return nil, err
	}
	home.Dir.Own(settingsFile, "window")
	d.home = home
	return d, d.readSettings()
}

// Unopened is the Problem of a directory that Open refuses.
func Unopened(err error, language string) *window.Problem {
	return explain(err, languageOf("", language))
}

// change has a View made.
func (d *Desk) change() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *Desk) changes() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

func (d *Desk) lang() i18n.Language {
	d.mu.Lock()
	defer d.mu.Unlock()
	return languageOf(d.language, d.cfg.Language)
}

func languageOf(chosen, system string) i18n.Language {
	if chosen == "" {
		chosen = system
	}
	if chosen == string(i18n.Chinese) {
		return i18n.Chinese
	}
	return i18n.English
}

func (d *Desk) say(code string, pairs ...string) string { return user.Say(d.lang(), code, pairs...) }

// problem is an error as the window shows it. What the person ended is no problem.
func (d *Desk) problem(err error) error {
	var shown *window.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &shown):
		return shown
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return explain(err, d.lang())
}

// explain says an error, with what helps in the window where the command line's
// remedy would not.
func explain(err error, lang i18n.Language) *window.Problem {
	p := &window.Problem{Code: user.CodeOf(err), Cause: user.Sentence(lang, err), Remedy: user.Remedy(lang, err)}
	var pending *user.PendingError
	switch {
	case errors.Is(err, policy.ErrPermissionRefused), errors.Is(err, policy.ErrPermissionUnasked):
		p.Cause = user.Say(lang, "window.permission", "permission", permissionName(err, lang))
		p.Remedy = user.Say(lang, "window.permission_remedy")
	case errors.As(err, &pending):
		p.Cause, p.Remedy = user.Say(lang, "cause.no_consent"), user.Say(lang, "window.no_consent_remedy")
	case errors.Is(err, ipc.ErrNoDaemon):
		p.Cause, p.Remedy = user.Say(lang, "cause.daemon_away"), user.Say(lang, "window.daemon_away_remedy")
	}
	return p
}
