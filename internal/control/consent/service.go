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

// Gate returns nil if processing for a purpose is open for a person. It reads
// the database each time. ErrGateClosed: no act, a refusal, a withdrawal, or a
// purpose outside the closed list. ErrRenewalNeeded: a new major version, or
// another handler, waits for an act. Errors of Age: something is missing at this
// age. Any other error keeps the gate shut too.
func (s *Service) Gate(ctx context.Context, subject id.Handle, purpose string) error {
	p, err := s.purpose(purpose)
	if err != nil {
		return err
	}
	if subject == "" {
		return ErrGateClosed.With("purpose", purpose)
	}
	if !p.Act {
		return nil
	}
	if err := s.d.Age.Gate(ctx, subject); err != nil {
		return err
	}
	if mutant.Off("LT-0c") {
		return nil
	}
	st, err := db.Get(ctx, s.d.DB, ErrGateClosed.With("purpose", purpose).ByClause(p.Clause), scanState, `SELECT e.decision, e.rank,
		COALESCE((SELECT MAX(v.rank) FROM consent_version v WHERE v.document = e.document AND v.change = 'major' AND v.effective_at <= $3
			AND (v.affects = '' OR v.affects LIKE $4)), 0),
		e.epoch, (SELECT count(*) FROM consent_renewal n WHERE n.document = e.document)
		FROM consent_event e WHERE e.subject = $1 AND e.purpose = $2 ORDER BY e.seq DESC LIMIT 1`,
		string(subject), purpose, db.Micros(s.d.Clock.Now()), "% "+purpose+" %")
	switch {
	case err != nil:
		return err
	case st.decision != Grant && !mutant.Off("LT-4.6"):
		return ErrGateClosed.With("purpose", purpose).ByClause(p.Clause)
	case st.renewal():
		return ErrRenewalNeeded.With("purpose", purpose)
	}
	return nil
}

type gateState struct {
	decision    string
	rank, major int64 // of the accepted version; of the last major one in force

	epoch, epochs int64 // renewals that the act came after; all of the document
}

func scanState(r db.Row) (st gateState, err error) {
	return st, r.Scan(&st.decision, &st.rank, &st.major, &st.epoch, &st.epochs)
}

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

// Refuse is Decide with the decision Refused. A refusal is remembered for the
// version that was shown.
func (s *Service) Refuse(ctx context.Context, a Act) (Record, error) {
	a.Decision = Refused
	return s.Decide(ctx, a)
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

// Withdraw takes a consent back. From the commit on, the gate is shut.
func (s *Service) Withdraw(ctx context.Context, subject id.Handle, purpose string) error {
	_, err := s.WithdrawIn(ctx, subject, purpose, "", "console")
	return err
}

// WithdrawIn is Withdraw that names session and channel and returns the
// receipt. It takes no token: taking back is no harder than giving.
func (s *Service) WithdrawIn(ctx context.Context, subject id.Handle, purpose, session, channel string) (Record, error) {
	var r Record
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		r, err = s.WithdrawTx(ctx, tx, Act{Subject: subject, Purpose: purpose, Session: session, Channel: channel})
		return err
	})
	return r, err
}

// WithdrawTx is WithdrawIn in the caller's transaction. Guardian names who takes a
// consent back for a child; what else an act has is not asked.
func (s *Service) WithdrawTx(ctx context.Context, tx *db.Tx, a Act) (Record, error) {
	p, err := s.purpose(a.Purpose)
	if err != nil || !p.Act {
		return Record{}, ErrNotFound
	}
	last, err := lastEvent(ctx, tx, a.Subject, a.Purpose)
	if err != nil {
		return Record{}, err
	}
	if last.decision != Grant {
		return Record{}, errs.New(errs.Conflict, "consent.nothing_to_withdraw")
	}
	by := audit.Actor{Class: "self", Handle: a.Subject, Session: a.Session}
	if a.Guardian != "" {
		by.Handle = a.Guardian
	}
	return s.appendTx(ctx, tx, Record{
		Subject: a.Subject, Purpose: a.Purpose, Kind: p.Kind, Decision: Withdrew, Document: last.document,
		Version: last.number, TextSHA256: last.textSHA256, Locale: last.locale, Channel: a.Channel,
	}, last.rank, by)
}
