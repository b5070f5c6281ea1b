package api

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// NoticeChannel is one way that an event is told.
type NoticeChannel struct {
	Channel  string `json:"channel" enum:"inbox,mail,sms"`
	On       bool   `json:"on"`
	Fixed    bool   `json:"fixed" doc:"It cannot be switched off"`
	OneStays bool   `json:"one_stays" doc:"Of the channels of this event that are so, one stays on"`
}

// NoticePreference is an event with its channels.
type NoticePreference struct {
	Event    string          `json:"event"`
	Title    string          `json:"title" doc:"In the language of the request"`
	Channels []NoticeChannel `json:"channels" nullable:"false"`
}

// NoticePreferences are what a person is told, and how.
type NoticePreferences struct {
	Items       []NoticePreference `json:"items" nullable:"false"`
	QuietBegins string             `json:"quiet_begins" doc:"HH:MM in UTC; between the two SMS wait that are not of security" example:"14:00"`
	QuietEnds   string             `json:"quiet_ends" example:"00:00"`
}

// NoticeChoice is an event on a channel.
type NoticeChoice struct {
	Event   string `json:"event" maxLength:"60"`
	Channel string `json:"channel" enum:"inbox,mail,sms"`
}

// NoticeChoices replace what was switched off before.
type NoticeChoices struct {
	Off         []NoticeChoice `json:"off" nullable:"false" maxItems:"200"`
	QuietBegins string         `json:"quiet_begins" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"HH:MM in UTC; the same as quiet_ends: none"`
	QuietEnds   string         `json:"quiet_ends" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$"`
}

func ofDay(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func minutes(text string) (int, error) {
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, notify.ErrQuiet
	}
	return at.Hour()*60 + at.Minute(), nil
}

// Preferences registers what a person chooses about notices.
func Preferences(a *API, s *notify.Service) {
	const tag = "Notices"
	get := func(ctx context.Context, _ *struct{}) (*Body[NoticePreferences], error) {
		all, q, err := s.Preferences(ctx, Who(ctx).Subject, string(request.From(ctx).Language))
		if err != nil {
			return nil, err
		}
		return &Body[NoticePreferences]{NoticePreferences{Items(all, toNoticePreference), ofDay(q.Begins), ofDay(q.Ends)}}, nil
	}
	Get(a, "/me/notice-preferences", Operation{ID: "my-notice-preferences", Summary: "What you are told, and by which channels", Tag: tag, Access: SignedIn}, get)
	Post(a, "/me/notice-preferences", Operation{
		ID: "set-notice-preferences", Summary: "Choose what you are told by which channel", Tag: tag, Access: SignedIn, Status: 204,
		Detail: "Replaces the choice. Notices of security, of your rights and of the end of a service stay; of those about money and services one of notice and mail stays.",
	},
		func(ctx context.Context, in *struct{ Body NoticeChoices }) (*struct{}, error) {
			begins, err := minutes(in.Body.QuietBegins)
			if err != nil {
				return nil, err
			}
			ends, err := minutes(in.Body.QuietEnds)
			if err != nil {
				return nil, err
			}
			off := Items(in.Body.Off, func(c NoticeChoice) notify.Choice { return notify.Choice(c) })
			return nil, s.Prefer(ctx, Who(ctx).Subject, off, notify.Quiet{Begins: begins, Ends: ends})
		})
}

func toNoticePreference(t notify.Told) NoticePreference {
	return NoticePreference{t.Event, t.Title, Items(t.Channels, func(c notify.ToldBy) NoticeChannel { return NoticeChannel(c) })}
}
