package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/client/doctor"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// secretPurposes are of things whose value is never shown.
var secretPurposes = map[string]bool{"sealed_keys": true, "plain_keys": true, "private_key": true, "token_seed": true, local.Unregistered: true, "unfinished": true}

// largePurposes are of files of which the size says enough; the log has a page.
var largePurposes = map[string]bool{"log": true, "releases": true, "lock": true, "policy": true}

// untils are how long something stays, where it is not until all is erased.
var untils = map[string]string{
	"log": "log", "profile": "profile", "private_key": "profile", "token_seed": "profile", "unfinished": "next", "lock": "erase",
}

// maxShownFile bounds what of a file is shown.
const maxShownFile = 64 << 10

// Held lists everything that is stored. A key store that does not open is a
// Problem: a list without it would not be whole.
func (d *Desk) Held(ctx context.Context) ([]window.HeldItem, error) {
	items, err := d.home.Held(ctx)
	if err != nil {
		return nil, d.problem(err)
	}
	all := make([]window.HeldItem, 0, len(items))
	for _, i := range items {
		all = append(all, d.heldOf(i))
	}
	return all, nil
}

func (d *Desk) heldOf(i local.Item) window.HeldItem {
	lang := d.lang()
	until := untils[i.Purpose]
	if until == "" {
		until = "erase"
	}
	h := window.HeldItem{
		What: user.Say(lang, "held."+i.Purpose) + " · " + filepath.Base(i.Name), Place: i.Name,
		Why: i18n.Text(lang, "local.for_"+i.Purpose, nil), Until: user.Say(lang, "until."+until), Secret: secretPurposes[i.Purpose],
	}
	if i.Where != "file" {
		h.Place = i.Where
	} else if !h.Secret {
		h.Value = d.valueOf(i)
	}
	return h
}

// valueOf is what a file holds, or how large it is.
func (d *Desk) valueOf(i local.Item) string {
	size := d.say("held.size", "size", strconv.FormatInt(i.Size, 10))
	rel, err := filepath.Rel(d.home.Dir.Root(), i.Name)
	if err != nil || largePurposes[i.Purpose] {
		return size
	}
	b, err := d.home.Dir.Read(filepath.ToSlash(rel), maxShownFile)
	if err != nil || !utf8.Valid(b) {
		return size
	}
	return string(b)
}

// copied is the person's copy of their data.
type copied struct {
	Made        time.Time                `json:"made"`
	Version     string                   `json:"version"`
	Stored      []local.Item             `json:"stored"` // what there is; of secrets, that they are there
	Profiles    []profile.Profile        `json:"profiles"`
	Acts        []policy.Receipt         `json:"acts"`
	Permissions map[string]policy.Answer `json:"permissions"`
	Settings    window.Settings          `json:"settings"`
	Log         []user.Entry             `json:"log"`
}

// Export writes the person's copy. Secrets are named and not copied: a copy of
// them would be one more place to guard.
func (d *Desk) Export(ctx context.Context, dir string) (string, error) {
	c := copied{Made: d.clock.Now(), Version: d.cfg.Version}
	var err [6]error
	c.Stored, err[0] = d.home.Held(ctx)
	c.Profiles, _, err[1] = d.home.Profiles.All()
	c.Acts, _, err[2] = d.home.Policy.Receipts()
	c.Permissions, err[3] = d.home.Policy.Answers()
	c.Settings, err[4] = d.Settings(ctx)
	c.Log, err[5] = d.home.Diary(d.lang())
	if err := errors.Join(err[:]...); err != nil {
		return "", d.problem(err)
	}
	return d.write(dir, "skyconnect-data", ".json", func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(c)
	})
}

// sameDay is how many exports of one day there may be.
const sameDay = 100

// write makes a new file that this person alone can read; one that is there is
// left alone.
func (d *Desk) write(dir, name, extension string, content func(io.Writer) error) (string, error) {
	base := filepath.Join(dir, name+"-"+d.clock.Now().Local().Format(time.DateOnly))
	for n := range sameDay {
		path := base + extension
		if n > 0 {
			path = fmt.Sprintf("%s-%d%s", base, n+1, extension)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", d.problem(err)
		}
		err = errors.Join(content(f), f.Close())
		if err != nil {
			_ = os.Remove(path)
			return "", d.problem(err)
		}
		return path, nil
	}
	return "", d.problem(fmt.Errorf("%s%s: %w", base, extension, fs.ErrExist))
}

// EraseAll ends what runs and deletes everything, the acts on the policy with it:
// nothing is accepted afterwards.
func (d *Desk) EraseAll(ctx context.Context) error {
	defer d.change()
	for _, id := range d.underWay() {
		d.abandon(id)
	}
	if err := d.home.Erase(ctx); err != nil {
		return d.problem(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.language, d.theme, d.report = "", window.ThemeSystem, ""
	return nil
}

// Log returns the lines of seven days.
func (d *Desk) Log(context.Context) ([]window.LogLine, error) {
	entries, err := d.home.Diary(d.lang())
	if err != nil {
		return nil, d.problem(err)
	}
	all := make([]window.LogLine, 0, len(entries))
	for _, e := range entries {
		l := window.LogLine{At: e.At.Local(), Profile: e.Profile, Text: e.Text}
		switch {
		case e.Level >= slog.LevelError:
			l.Level = window.Severe
		case e.Level >= slog.LevelWarn:
			l.Level = window.Warning
		}
		all = append(all, l)
	}
	return all, nil
}

// ExportLog writes the log as it is kept: ids of profiles, no names.
func (d *Desk) ExportLog(_ context.Context, dir string) (string, error) {
	return d.write(dir, "skyconnect-log", ".txt", d.home.Journal.Export)
}

var checkStates = map[doctor.State]window.CheckState{
	doctor.OK: window.CheckGood, doctor.Warn: window.CheckWarning, doctor.Fail: window.CheckBad, doctor.Skipped: window.CheckSkipped,
}

// Doctor makes the checks, for a profile those of its server too.
func (d *Desk) Doctor(ctx context.Context, profileID string, found func(window.Check)) error {
	lang := d.lang()
	var p *profile.Profile
	if profileID != "" {
		one, err := d.home.Profiles.Find(profileID)
		if err != nil {
			return d.problem(err)
		}
		p = &one
	}
	target, private, err := d.home.Target(ctx, p)
	if err != nil {
		return d.problem(err)
	}
	var all []doctor.Check
	doctor.Run(ctx, target, func(id string) {
		title, _, _ := doctor.Check{ID: id}.Sentences(lang)
		found(window.Check{ID: id, Name: title})
	}, func(c doctor.Check) {
		all = append(all, c)
		title, cause, remedy := c.Sentences(lang)
		found(window.Check{ID: c.ID, Name: title, State: checkStates[c.State], Result: user.Clean(c.Detail), Cause: cause, Remedy: remedy})
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report = doctor.Report(d.cfg.Version, lang, all, private...)
	return nil
}

// ExportDoctor writes the last report, which names nobody.
func (d *Desk) ExportDoctor(_ context.Context, dir string) (string, error) {
	d.mu.Lock()
	report := d.report
	d.mu.Unlock()
	return d.write(dir, "skyconnect-doctor", ".txt", func(w io.Writer) error {
		_, err := io.WriteString(w, report)
		return err
	})
}
