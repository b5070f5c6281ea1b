package consent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Age answers what a person's age asks for before anything that rests on an act
// is open. The module age, which stands after this one, fills it.
type Age interface {
	// Gate returns nil if nothing is missing; an unknown age is not nil.
	Gate(ctx context.Context, subject id.Handle) error
	// StatedTx judges the statement inside an act: ErrAdult if neither an adult
	// states it nor a minor's band is known.
	StatedTx(ctx context.Context, tx *db.Tx, subject id.Handle, adult bool) error
}

// Deps are what the service stands on; all are needed.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Queue *job.Queue
	Log   *slog.Logger
	Audit *audit.Service
	Vault *vault.Vault // system secrets only
	Age   Age
	Facts Facts // operator, profile and the tables that the texts print

	Channels Channels // nil: what texts print is not asked for

	Clauses []clause.Clause // what texts are held to; nil = the registry of this build
}

// Service is the module. It is safe for concurrent use. Call Seed before the
// first prompt.
type Service struct {
	d        Deps
	purposes []Purpose

	mu  sync.Mutex
	key []byte

	html sync.Map // sha256 of a text -> HTML
}

// New checks the operator's facts and registers the periodic purge.
func New(d Deps) (*Service, error) {
	if err := d.Facts.validate(); err != nil {
		return nil, err
	}
	if d.Clauses == nil {
		all, err := clause.Load()
		if err != nil {
			return nil, err
		}
		d.Clauses = all
	}
	s := &Service{d: d, purposes: Purposes(d.Facts.Profile)}
	d.Queue.Every("consent.purge", time.Hour, s.purge)
	return s, nil
}

// Profile returns Mainland or HongKong.
func (s *Service) Profile() string { return s.d.Facts.Profile }

// Prompt returns what a person is to be shown for a purpose, in the version in
// force, and a one-time token for the act. session is the login session's id,
// empty before sign-in, where only purposes of registration are prompted.
func (s *Service) Prompt(ctx context.Context, session, purpose, locale string) (Prompt, error) {
	p, err := s.purpose(purpose)
	if err != nil || !p.Act || (session == "" && !p.Signup) {
		return Prompt{}, ErrNotFound
	}
	t, err := s.Text(ctx, p.Document, "", locale)
	if err != nil {
		return Prompt{}, err
	}
	notice, err := s.notice(p, t.Locale)
	if err != nil {
		return Prompt{}, err
	}
	html, err := toHTML(notice)
	if err != nil {
		return Prompt{}, err
	}
	expires := s.d.Clock.Now().Add(TokenLife)
	sha := shownHash(t.Version.TextSHA256[t.Locale], notice)
	token, err := s.issue(ctx, claim{
		session: sessionHash(session), purpose: purpose, document: p.Document, number: t.Version.Number,
		textSHA256: sha, locale: t.Locale, expires: expires,
	})
	if err != nil {
		return Prompt{}, err
	}
	return Prompt{
		Purpose: purpose, Kind: p.Kind, Document: p.Document, Version: t.Version.Number, Title: t.Title, Notice: html, NoticeText: notice,
		TextSHA256: sha, Locale: t.Locale, Token: token, ExpiresAt: expires, Adult: p.Adult,
	}, nil
}

// shownHash covers the document's text and the notice before the act.
func shownHash(text, notice string) string { return hashText(text + "\n" + notice + "\n") }

func (s *Service) notice(p Purpose, locale string) (string, error) {
	text := p.Chinese
	if locale == "en" {
		text = p.English
	}
	now := s.d.Clock.Now()
	return fill(text, s.d.Facts.values(locale, now, now, "-"))
}

// GrantTx records an act, Grant or Refused, in the caller's transaction. The
// token must be of a prompt for the same session and purpose, unused, and name
// the version that is in force: else ErrToken.
func (s *Service) GrantTx(ctx context.Context, tx *db.Tx, a Act) error {
	_, err := s.actTx(ctx, tx, a)
	return err
}

// Decide is GrantTx in a transaction of its own and returns the receipt. An
// empty purpose is the token's.
func (s *Service) Decide(ctx context.Context, a Act) (Record, error) {
	c, err := s.verify(a.Token)
	if err != nil {
		return Record{}, err
	}
	if a.Purpose == "" {
		a.Purpose = c.purpose
	}
	var r Record
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		r, err = s.actTx(ctx, tx, a)
		return err
	})
	return r, err
}

func (s *Service) actTx(ctx context.Context, tx *db.Tx, a Act) (Record, error) {
	c, err := s.verify(a.Token)
	if err != nil {
		return Record{}, err
	}
	p, err := s.admit(a, c)
	if err != nil {
		return Record{}, err
	}
	if p.Adult && a.Decision == Grant {
		if err := s.d.Age.StatedTx(ctx, tx, a.Subject, a.Adult); err != nil {
			return Record{}, err
		}
	}
	now := s.d.Clock.Now()
	v, err := versionInForce(ctx, tx, c.document, db.Micros(now))
	if err != nil {
		return Record{}, err
	}
	if v.Number != c.number {
		return Record{}, ErrToken // another text came into force since the prompt
	}
	if err := consumeTx(ctx, tx, c); err != nil {
		return Record{}, err
	}
	channel := a.Channel
	if channel == "" {
		channel = "console"
	}
	r := Record{
		Subject: a.Subject, Purpose: p.ID, Kind: p.Kind, Decision: a.Decision, Document: c.document, Version: c.number,
		TextSHA256: c.textSHA256, Locale: c.locale, Channel: channel, Adult: a.Adult && p.Adult && a.Decision == Grant,
	}
	by := audit.Actor{Class: "self", Handle: r.Subject, Session: a.Session}
	if a.Guardian != "" {
		by.Handle = a.Guardian
	}
	return s.appendTx(ctx, tx, r, v.rank, by)
}

// admit holds an act to what its token binds.
func (s *Service) admit(a Act, c claim) (Purpose, error) {
	p, err := s.purpose(c.purpose)
	if err != nil {
		return p, err
	}
	differs := func(given, bound string) bool { return given != "" && given != bound }
	switch {
	case mutant.Off("SUP-8"):
	case a.Subject == "" || c.session != sessionHash(a.Session),
		a.Purpose != c.purpose, differs(a.Document, c.document), differs(a.Version, c.number), differs(a.TextSHA256, c.textSHA256), differs(a.Kind, p.Kind):
		return p, ErrToken
	case a.Decision != Grant && a.Decision != Refused:
		return p, errs.New(errs.Invalid, "consent.decision_invalid")
	}
	return p, nil
}

// appendTx adds an event to its series, with its leaf and its news.
func (s *Service) appendTx(ctx context.Context, tx *db.Tx, r Record, rank int64, by audit.Actor) (Record, error) {
	last, err := lastEvent(ctx, tx, r.Subject, r.Purpose)
	if err != nil && !errs.IsNotFound(err) {
		return r, err
	}
	r.ID, r.At = id.New("cev"), s.d.Clock.Now()
	r.Receipt = receipt(r)
	if err := insertEvent(ctx, tx, r, last.seq+1, rank, "click"); err != nil {
		return r, err
	}
	err = s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "consent." + r.Decision, Subject: r.Subject, Actor: by,
		Detail: map[string]string{"event": r.ID, "purpose": r.Purpose, "kind": r.Kind, "document": r.Document, "version": r.Version, "receipt": r.Receipt},
	})
	if err != nil {
		return r, err
	}
	return r, s.d.Queue.PublishTx(ctx, tx, TopicChanged, Changed{Event: r.ID, Subject: r.Subject, Purpose: r.Purpose, Decision: r.Decision})
}
