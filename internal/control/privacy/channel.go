package privacy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Channels by which requests arrive (clause TY-0c). A policy may print one only
// while it has an adapter that was seen working.
const (
	ChannelServiceMail = "service_mail"
	ChannelPrivacyMail = "privacy_mail"
	ChannelPhone       = "phone"
	ChannelTicket      = "ticket"
	ChannelAssistant   = "assistant"
	ChannelConsole     = "console" // the form of My data
	ChannelClient      = "client"  // the same form, by a program
	ChannelQQ          = "qq"      // a one-time link, asked for in the group
	ChannelDPO         = "dpo"     // to the person in charge, past the desk
	ChannelLetter      = "letter"  // on paper; no policy prints an address for it
)

// printable are the channels that a policy may print, in the order of the page.
var printable = []string{
	ChannelServiceMail, ChannelPrivacyMail, ChannelPhone, ChannelTicket, ChannelAssistant, ChannelConsole, ChannelClient, ChannelQQ, ChannelDPO,
}

const (
	beatEvery = 2 * time.Minute
	// silentAfter is when a channel counts as silent: as long as a message may
	// wait until its case is open.
	silentAfter = 10 * time.Minute
)

// Errors of channels.
var (
	ErrChannel = errs.New(errs.NotFound, "privacy.channel_unknown")   // no such channel, or one without an adapter
	ErrNobodys = errs.New(errs.Unavailable, "privacy.channel_nobody") // nobody has the right to answer it
)

// Staffing counts who may do something. The module account fills it.
type Staffing interface {
	Holders(ctx context.Context, permission string) (int64, error)
}

// Channel is how a channel stands.
type Channel struct {
	ID      string
	Adapter string // "mailbox", "form", "staff"; empty: none
	Owner   string // permission of who answers it
	Printed bool   // a policy of this build prints it
	TriedAt time.Time
	BeatAt  time.Time // when it was last seen working; zero: never
	Problem string    // code of why the last try failed
	Silent  bool      // no adapter, or not seen working for ten minutes

	since time.Time
}

// adapter says what answers a channel, and tries it.
type adapter struct {
	kind, owner string
	try         func(context.Context) error
}

func (s *Service) adapters() map[string]adapter {
	desk := func(kind string) adapter { return adapter{kind, account.PermPrivacyHandle, s.probe} }
	staff := func(permission string) adapter {
		return adapter{"staff", permission, func(ctx context.Context) error {
			return errors.Join(s.staffed(ctx, permission), s.probe(ctx))
		}}
	}
	all := map[string]adapter{
		ChannelPhone: staff(account.PermPrivacyHandle), ChannelDPO: staff(account.PermPrivacyDPO),
		ChannelAssistant: desk("form"), ChannelConsole: desk("form"), ChannelClient: desk("form"), ChannelQQ: desk("form"),
		ChannelTicket: desk("form"),
	}
	if s.d.DPOByMail {
		delete(all, ChannelDPO)
	}
	for channel, box := range s.d.Mailboxes {
		owner := account.PermPrivacyHandle
		if channel == ChannelDPO {
			owner = account.PermPrivacyDPO
		}
		all[channel] = adapter{"mailbox", owner, func(ctx context.Context) error {
			return errors.Join(s.poll(ctx, channel, box), s.staffed(ctx, owner))
		}}
	}
	return all
}

// staffed fails if nobody would see what a channel brings.
func (s *Service) staffed(ctx context.Context, permission string) error {
	if s.d.Staffing == nil {
		return ErrNobodys
	}
	n, err := s.d.Staffing.Holders(ctx, permission)
	if err == nil && n == 0 {
		err = ErrNobodys
	}
	return err
}

// errProbe takes a probe back.
var errProbe = errors.New("a probe leaves nothing")

// probe opens a case as a form does, sealed, with clocks and log, and takes it
// back before it is committed.
func (s *Service) probe(ctx context.Context) error {
	r := s.fresh("", "sub_probe", NewRequest{Kind: Question, Channel: ChannelConsole})
	var err error
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte("probe")); err != nil {
		return err
	}
	all := s.clocksOf(&r, s.d.Profile)
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := s.receiveTx(ctx, tx, account.Principal{}, r, all); err != nil {
			return err
		}
		return errProbe
	})
	if errors.Is(err, errProbe) {
		return nil
	}
	return err
}

// beats tries every adapter at the start and once per period, each by a job of its
// own, so that a mailbox that hangs holds up nothing else.
func (s *Service) beats() {
	for channel := range s.adapters() {
		s.d.Queue.EveryFromStart("privacy.channel."+channel, beatEvery, func(ctx context.Context) error {
			if err := s.Try(ctx, channel); err != nil && errs.CodeOf(err) == "" {
				s.d.Log.WarnContext(ctx, "a channel for requests does not work", "channel", channel, "error", err.Error())
			}
			return nil // the next period tries again, and the channel counts as silent meanwhile
		})
	}
}

// Try tries a channel now and notes how it went. Errors: ErrChannel, ErrNobodys,
// those of the mailbox.
func (s *Service) Try(ctx context.Context, channel string) error {
	a, ok := s.adapters()[channel]
	if !ok {
		return ErrChannel
	}
	err := a.try(ctx)
	return errors.Join(err, s.note(ctx, channel, err))
}

func (s *Service) note(ctx context.Context, channel string, failed error) error {
	now, problem := db.Micros(s.d.Clock.Now()), ""
	beat := now
	if failed != nil {
		beat, problem = 0, codeOr(failed, "failed")
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO privacy_channel (id, since, tried_at, beat_at, problem) VALUES ($1, $2, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET tried_at = excluded.tried_at, problem = excluded.problem,
			beat_at = CASE WHEN excluded.beat_at > privacy_channel.beat_at THEN excluded.beat_at ELSE privacy_channel.beat_at END`,
			channel, now, beat, problem)
		return err
	})
}

func codeOr(err error, other string) string {
	if code := errs.CodeOf(err); code != "" {
		return code
	}
	return other
}

// Channels tells how every channel stands that a policy may print.
func (s *Service) Channels(ctx context.Context) ([]Channel, error) {
	kept, err := db.Select(ctx, s.d.DB, func(row db.Row) (c Channel, err error) {
		var since, tried, beat int64
		err = row.Scan(&c.ID, &since, &tried, &beat, &c.Problem)
		c.since, c.TriedAt, c.BeatAt = db.FromMicros(since), db.FromMicros(tried), db.FromMicros(beat)
		return c, err
	}, "SELECT id, since, tried_at, beat_at, problem FROM privacy_channel ORDER BY id")
	if err != nil {
		return nil, err
	}
	now, live := s.d.Clock.Now(), s.adapters()
	all := make([]Channel, 0, len(printable))
	for _, name := range printable {
		c := Channel{ID: name}
		if i := slices.IndexFunc(kept, func(k Channel) bool { return k.ID == name }); i >= 0 {
			c = kept[i]
		}
		c.Adapter, c.Owner = live[name].kind, live[name].owner
		c.Printed = slices.Contains(s.d.Printed, name)
		c.Silent = c.Adapter == "" || now.Sub(c.BeatAt) > silentAfter
		all = append(all, c)
	}
	return all, nil
}

// Silent lists the channels that do not answer: the publish gate refuses a text
// that prints one of them.
func (s *Service) Silent(ctx context.Context) ([]string, error) {
	all, err := s.Channels(ctx)
	var silent []string
	for _, c := range all {
		if c.Silent {
			silent = append(silent, c.ID)
		}
	}
	return silent, err
}

// SilentPrinted counts the channels that a policy prints, and those of them that
// do not answer. A channel whose adapter was not tried yet has ten minutes from
// when this process began.
func (s *Service) SilentPrinted(ctx context.Context) (examined, found int64, err error) {
	all, err := s.Channels(ctx)
	for _, c := range all {
		if !c.Printed {
			continue
		}
		examined++
		if c.Silent && (c.Adapter == "" || !c.TriedAt.IsZero() || s.d.Clock.Now().Sub(s.began) > silentAfter) {
			found++
		}
	}
	return examined, found, err
}

// alarm tells staff of channels that are silent: one line a run.
func (s *Service) alarm(ctx context.Context) error {
	_, found, err := s.SilentPrinted(ctx)
	if err == nil && found > 0 {
		s.d.Log.ErrorContext(ctx, "channels that a policy prints do not answer", "count", found)
	}
	return err
}

// fresh is a request that nothing is kept of yet.
func (s *Service) fresh(owner account.ID, subject id.Handle, in NewRequest) Request {
	return begin(Request{Account: owner, Subject: subject, Kind: in.Kind, Channel: in.Channel, Addressed: in.To, ReceivedAt: s.d.Clock.Now()})
}

// clocksOf computes a fresh request's clocks and puts the earliest into it.
func (s *Service) clocksOf(r *Request, profile string) []Clock {
	all := clocks(s.d.Calendar, profile, r.Kind, r.ReceivedAt, r.ReceivedAt)
	first := due(all)
	r.Due, r.Provisional = first.Due, first.Provisional
	return all
}
