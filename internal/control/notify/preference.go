package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Channels that a message goes out by.
const (
	ChannelInbox = "inbox"
	ChannelMail  = "mail"
	ChannelSMS   = "sms"
)

// What a person may leave out of an event, in templates.yaml. Without a word the
// notice and its mail stay: security, rights and what ends a service. An SMS may
// always be left out, for it rests on consent.
const (
	leaveOne = "one" // notice or mail, not both
	leaveAll = "all"
)

// Errors of preferences.
var (
	ErrKept  = errs.New(errs.Unprocessable, "notify.kept")          // params: event, channel
	ErrQuiet = errs.New(errs.Unprocessable, "notify.quiet_invalid") // begins and ends are minutes of a day
)

// Choice is an event on a channel that a person may be told by.
type Choice struct {
	Event, Channel string
}

// Told is what a person is told of an event.
type Told struct {
	Event, Title string
	Channels     []ToldBy
}

// ToldBy is one channel of an event. A fixed one cannot be switched off; of the
// others that are OneStays at least one stays on.
type ToldBy struct {
	Channel             string
	On, Fixed, OneStays bool
}

// Quiet is a time of the day, each day, in minutes of the day in UTC; it may go
// over midnight. Begins and Ends are the same where there is none.
type Quiet struct{ Begins, Ends int }

// usualQuiet is 22:00 to 08:00 in UTC+8.
var usualQuiet = Quiet{14 * 60, 0}

const minutesADay = 24 * 60

// until is the end of the quiet time that now falls into, else now.
func (q Quiet) until(now time.Time) time.Time {
	utc := now.UTC()
	minute := utc.Hour()*60 + utc.Minute()
	length := (q.Ends - q.Begins + minutesADay) % minutesADay
	if since := (minute - q.Begins + minutesADay) % minutesADay; since < length {
		return utc.Truncate(time.Minute).Add(time.Duration(length-since) * time.Minute)
	}
	return now
}

// channels lists the channels of an event, as they are without preferences.
func (s *Service) channels(k kind) []ToldBy {
	var all []ToldBy
	if k.Inbox {
		all = append(all, ToldBy{ChannelInbox, true, k.Leave == "", k.Leave == leaveOne})
	}
	if k.Mail != "" {
		all = append(all, ToldBy{ChannelMail, true, k.Leave == "", k.Leave == leaveOne})
	}
	if k.SMS != "" && s.d.Carrier != nil {
		all = append(all, ToldBy{Channel: ChannelSMS, On: true, Fixed: k.Token != ""})
	}
	return all
}

// Preferences lists, in a language, what a person is told of and how, and when
// SMS wait. What asks for an answer of the person (a token) is no preference.
func (s *Service) Preferences(ctx context.Context, subject id.Handle, locale string) ([]Told, Quiet, error) {
	off, err := s.off(ctx, s.d.DB, subject)
	if err != nil {
		return nil, Quiet{}, err
	}
	var all []Told
	for _, event := range events() {
		k := kinds()[event]
		if k.Token != "" {
			continue
		}
		t := Told{Event: event, Channels: s.channels(k)}
		if t.Title, err = fill(k.words(locale).Title, data{Brand: s.d.Brand}); err != nil {
			return nil, Quiet{}, err
		}
		for i, c := range t.Channels {
			t.Channels[i].On = !slices.Contains(off, Choice{event, c.Channel})
		}
		all = append(all, t)
	}
	q, err := s.quiet(ctx, subject)
	return all, q, err
}

// Prefer replaces what a person switched off, and when SMS wait. Errors: ErrKept,
// ErrQuiet, ErrNotFound of an event or channel that there is not.
func (s *Service) Prefer(ctx context.Context, subject id.Handle, off []Choice, q Quiet) error {
	for _, m := range []int{q.Begins, q.Ends} {
		if m < 0 || m >= minutesADay {
			return ErrQuiet
		}
	}
	for _, c := range off {
		if err := s.mayLeave(c, off); err != nil {
			return err
		}
	}
	now := db.Micros(s.d.Clock.Now())
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM notify_off WHERE subject = $1", string(subject)); err != nil {
			return err
		}
		for _, c := range off {
			_, err := tx.Exec(ctx, "INSERT INTO notify_off (subject, event, channel, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
				string(subject), c.Event, c.Channel, now)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO notify_quiet (subject, begins, ends, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET begins = excluded.begins, ends = excluded.ends, at = excluded.at`, string(subject), q.Begins, q.Ends, now)
		return err
	})
}

// mayLeave refuses what cannot be switched off, alone or together with the rest.
func (s *Service) mayLeave(c Choice, off []Choice) error {
	k, ok := kinds()[c.Event]
	all := s.channels(k)
	i := slices.IndexFunc(all, func(b ToldBy) bool { return b.Channel == c.Channel })
	if !ok || k.Token != "" || i < 0 {
		return ErrNotFound
	}
	kept := slices.ContainsFunc(all, func(b ToldBy) bool { return b.OneStays && !slices.Contains(off, Choice{c.Event, b.Channel}) })
	if all[i].Fixed || all[i].OneStays && !kept {
		return ErrKept.With("event", c.Event).With("channel", c.Channel)
	}
	return nil
}

func (s *Service) off(ctx context.Context, q db.Q, subject id.Handle) ([]Choice, error) {
	return db.Select(ctx, q, func(r db.Row) (c Choice, err error) { return c, r.Scan(&c.Event, &c.Channel) },
		"SELECT event, channel FROM notify_off WHERE subject = $1", string(subject))
}

// quiet is when SMS to a person wait.
func (s *Service) quiet(ctx context.Context, subject id.Handle) (Quiet, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (q Quiet, err error) { return q, r.Scan(&q.Begins, &q.Ends) },
		"SELECT begins, ends FROM notify_quiet WHERE subject = $1", string(subject))
	if err != nil || len(all) == 0 {
		return usualQuiet, err
	}
	return all[0], nil
}

// waysTx is what a person left on of an event.
func (s *Service) waysTx(ctx context.Context, tx *db.Tx, subject id.Handle, k kind) (inbox bool, mail, sms string, err error) {
	mail, sms = mailNone, mailNone
	off, err := s.off(ctx, tx, subject)
	if err != nil {
		return false, mail, sms, fmt.Errorf("reading preferences: %w", err)
	}
	for _, c := range s.channels(k) {
		if slices.Contains(off, Choice{k.Event, c.Channel}) && !c.Fixed {
			continue
		}
		switch c.Channel {
		case ChannelInbox:
			inbox = true
		case ChannelMail:
			mail = MailPending
		case ChannelSMS:
			sms = MailPending
		}
	}
	return inbox, mail, sms, nil
}
