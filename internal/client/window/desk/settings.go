package desk

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// settingsFile is what the window alone has; options of connections are in their
// profiles, where the command line sees them too.
const settingsFile = "window.json"

type settings struct {
	Language string       `json:"language,omitempty"`
	Theme    window.Theme `json:"theme,omitempty"`
}

// readSettings takes what was chosen before. A file that makes no sense is as good
// as none.
func (d *Desk) readSettings() error {
	raw, err := d.home.Dir.Read(settingsFile, 4<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var s settings
	if json.Unmarshal(raw, &s) == nil {
		d.language, d.theme = s.Language, s.Theme
	}
	return nil
}

// Settings are the person's choices: UDP and the local network as any profile has
// them, since they are set for all.
func (d *Desk) Settings(context.Context) (window.Settings, error) {
	all, _, err := d.home.Profiles.All()
	if err != nil {
		return window.Settings{}, d.problem(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settingsLocked(all), nil
}

func (d *Desk) settingsLocked(all []profile.Profile) window.Settings {
	s := window.Settings{Language: d.language, Theme: d.theme, DTLS: len(all) == 0, KillSwitch: map[string]bool{}}
	for _, p := range all {
		s.DTLS = s.DTLS || p.Options.DTLS
		s.LocalLAN = s.LocalLAN || p.Options.LocalLAN
		s.KillSwitch[p.ID] = p.Options.KillSwitch
	}
	return s
}

// SetSettings stores what differs. The local network needs its permission (TY-2.6).
func (d *Desk) SetSettings(ctx context.Context, s window.Settings) error {
	defer d.change()
	was, err := d.Settings(ctx)
	if err != nil {
		return err
	}
	if s.LocalLAN && !was.LocalLAN {
		if err := d.home.Permitted(policy.LocalNetwork); err != nil {
			return d.problem(err)
		}
	}
	if err := d.setProfiles(s, was); err != nil {
		return d.problem(err)
	}
	if s.Language == was.Language && s.Theme == was.Theme {
		return nil
	}
	raw, err := json.Marshal(settings{s.Language, s.Theme})
	if err == nil {
		err = d.home.Dir.Replace(settingsFile, raw)
	}
	if err != nil {
		return d.problem(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.language, d.theme = s.Language, s.Theme
	return nil
}

// setProfiles changes the options of the profiles that differ; they hold from the
// next connect on.
func (d *Desk) setProfiles(s, was window.Settings) error {
	all, _, err := d.home.Profiles.All()
	if err != nil {
		return err
	}
	if len(all) == 0 && (s.DTLS != was.DTLS || s.LocalLAN != was.LocalLAN) {
		return &window.Problem{Code: "settings.none", Cause: d.say("window.settings_none"), Remedy: d.say("window.settings_none_remedy")}
	}
	for _, p := range all {
		want := p.Options
		if s.DTLS != was.DTLS {
			want.DTLS = s.DTLS
		}
		if s.LocalLAN != was.LocalLAN {
			want.LocalLAN = s.LocalLAN
		}
		if kill, said := s.KillSwitch[p.ID]; said {
			want.KillSwitch = kill
		}
		if want.DTLS == p.Options.DTLS && want.LocalLAN == p.Options.LocalLAN && want.KillSwitch == p.Options.KillSwitch {
			continue
		}
		_, err := d.home.Profiles.Change(p.ID, func(b *bundle.Profile) {
			b.Options.DTLS, b.Options.LocalLAN, b.Options.KillSwitch = want.DTLS, want.LocalLAN, want.KillSwitch
		})
		if err != nil {
			return err
		}
	}
	return nil
}
