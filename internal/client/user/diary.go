package user

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Event is something that happened, as the log has it: "client.log.EVENT" is its
// sentence.
type Event string

// Events.
const (
	Connected    Event = "connected"
	NotConnected Event = "not_connected"
	Disconnected Event = "disconnected"
	Lost         Event = "lost"
	Back         Event = "back"
	Over         Event = "over"
	Imported     Event = "imported"
	Removed      Event = "removed"
	Accepted     Event = "accepted"
	Withdrawn    Event = "withdrawn"
	Trusted      Event = "trusted"
	SeedKept     Event = "seed_kept"
	SeedGone     Event = "seed_gone"
	SeedStays    Event = "seed_stays"
)

// Tell writes an event into the log: with the id of its profile and the code of
// why, never with a name, an address or what somebody typed.
func (h *Home) Tell(e Event, profile, why string) {
	level := slog.LevelInfo
	switch e {
	case NotConnected, Over:
		level = slog.LevelError
	case Lost, SeedStays:
		level = slog.LevelWarn
	}
	h.log.Log(context.Background(), level, string(e), "row", profile, "reason", why)
}

// tried writes how an attempt to connect has ended. Before the policy is accepted
// nothing is kept, not even that somebody tried.
func (h *Home) tried(profile string, err error) {
	var pending *PendingError
	switch {
	case err == nil:
		h.Tell(Connected, profile, "")
	case errors.As(err, &pending):
	case errors.Is(err, context.Canceled):
		h.Tell(Disconnected, profile, "user")
	default:
		h.Tell(NotConnected, profile, CodeOf(err))
	}
}

// Entry is a line of the log for a person.
type Entry struct {
	At      time.Time  `json:"at"`
	Level   slog.Level `json:"level"`
	Profile string     `json:"profile,omitempty"` // its name; its id where it is gone
	Text    string     `json:"text"`
}

// Diary returns the log in a language, the oldest line first.
func (h *Home) Diary(lang i18n.Language) ([]Entry, error) {
	lines, err := h.Journal.Lines()
	if err != nil {
		return nil, err
	}
	profiles, _, err := h.Profiles.All()
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range profiles {
		names[p.ID] = p.Name
	}
	all := make([]Entry, 0, len(lines))
	for _, l := range lines {
		e := Entry{At: l.At, Level: l.Level, Profile: l.With["row"], Text: Clean(l.Text)}
		if name := names[e.Profile]; name != "" {
			e.Profile = name
		}
		if Has(lang, "log."+l.Text) {
			e.Text = Say(lang, "log."+l.Text)
		}
		if why := l.With["reason"]; why != "" {
			e.Text += " " + reason(lang, why)
		}
		all = append(all, e)
	}
	return all, nil
}

// reason is the sentence of a code that stands in the log.
func reason(lang i18n.Language, code string) string {
	switch {
	case Has(lang, "cause."+code):
		return Say(lang, "cause."+code)
	case i18n.Codes(lang)[code] != "" && !strings.Contains(i18n.Codes(lang)[code], "{"):
		return i18n.Text(lang, code, nil)
	}
	return "(" + Clean(code) + ")"
}
