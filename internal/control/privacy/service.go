package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// NewRequest is what a person asks for.
type NewRequest struct {
	Kind    Kind
	Words   string // at most 4000 characters; some kinds need them
	Channel string
	To      string // ToDPO, or empty for the desk
}

// ToDPO addresses a request to the person in charge of personal data: staff of
// the desk do not see it (clause TY-9.1).
const ToDPO = "dpo"

// wordless are the kinds that say enough by themselves.
var wordless = []Kind{Access, Copy, Port, Delete, Restrict, Explain, Withdraw, Cancel, Misuse}

func (in NewRequest) check() error {
	switch words := strings.TrimSpace(in.Words); {
	case !slices.Contains(kinds, in.Kind), in.To != "" && in.To != ToDPO:
		return ErrKind
	case utf8.RuneCountInString(words) > maxWords:
		return ErrWordsLong
	case words == "" && !slices.Contains(wordless, in.Kind):
		return ErrWords
	}
	return nil
}

// Open takes a request of a signed-in person and starts its clocks. One of
// Misuse ends all of the person's sessions in the same transaction. Errors:
// ErrKind, ErrWords, ErrWordsLong, ErrTooMany.
func (s *Service) Open(ctx context.Context, p account.Principal, in NewRequest) (Request, error) {
	if err := in.check(); err != nil {
		return Request{}, err
	}
	if isUser(p) && slices.Contains(notForUsers, in.Kind) {
		return Request{}, ErrKind
	}
	r := s.fresh(p.Account, p.Subject, in)
	var err error
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte(strings.TrimSpace(in.Words))); err != nil {
		return Request{}, err
	}
	all := s.clocksOf(&r, s.profileOf(p))
	if !r.Kind.copied() {
		return r, s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.openTx(ctx, tx, p, r, all) })
	}
	return s.openCopy(ctx, p, r, all)
}

// openCopy takes a request that needs no look of the desk and grants it at once,
// or has the desk ask who the person is.
func (s *Service) openCopy(ctx context.Context, p account.Principal, r Request, all []Clock) (Request, error) {
	known, err := s.proven(ctx, p, r.Kind)
	if err != nil {
		return Request{}, err
	}
	granted := r
	if err := s.write(ctx, &granted, Answer{Decision: Granted}); err != nil {
		return Request{}, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := s.openTx(ctx, tx, p, r, all); err != nil {
			return err
		}
		if known {
			return s.answerTx(ctx, tx, account.Principal{}, granted)
		}
		asked := r
		asked.Identity = IdentityAsked
		return s.moveTx(ctx, tx, account.Principal{}, asked, EventAsk, "privacy.identity_asked", nil)
	})
	if err != nil {
		return Request{}, err
	}
	return ofPerson(ctx, s.d.DB, p.Subject, r.ID)
}

func (s *Service) openTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request, all []Clock) error {
	// Misuse is never refused: who reports it may be reporting a flood.
	if n, err := countOpen(ctx, tx, r.Subject); err != nil || (n >= maxOpen && r.Kind != Misuse) {
		if err == nil {
			err = ErrTooMany
		}
		return err
	}
	return s.receiveTx(ctx, tx, p, r, all)
}

// receiveTx writes a request that nothing keeps from being taken.
func (s *Service) receiveTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request, all []Clock) error {
	if err := insert(ctx, tx, r, all); err != nil {
		return err
	}
	if r.Kind == Misuse {
		if err := s.lockOutTx(ctx, tx, p); err != nil {
			return err
		}
	}
	if err := s.recordTx(ctx, tx, p, "privacy.request_received", r, map[string]string{"kind": string(r.Kind), "due": lastDay(r.Due)}); err != nil {
		return err
	}
	switch {
	case r.Kind == Copy && r.Channel == ChannelConsole:
		return nil // it is there in a moment, and that is told
	case r.byMail():
		return nil // where it came from is written to
	}
	return s.d.Queue.PublishTx(ctx, tx, TopicReceived, s.event(r))
}

// Mine lists a person's requests, newest first.
func (s *Service) Mine(ctx context.Context, p account.Principal) ([]Request, error) {
	return db.Select(ctx, s.d.DB, scan, columns+" WHERE r.subject = $1 ORDER BY r.received_at DESC, r.id DESC LIMIT 200", string(p.Subject))
}

// Opened is a request with what is sealed of it.
type Opened struct {
	Request
	Words  string
	Letter Letter // nil until it is answered
	Clocks []Clock
	Mails  []MailWords // oldest first
}

// Show opens a person's own request; the reading is recorded.
func (s *Service) Show(ctx context.Context, p account.Principal, request string) (Opened, error) {
	r, err := ofPerson(ctx, s.d.DB, p.Subject, request)
	if err != nil {
		return Opened{}, err
	}
	return s.unseal(ctx, r, vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session})
}

// unseal opens words and letter, with one read event.
func (s *Service) unseal(ctx context.Context, r Request, by vault.Reader) (o Opened, err error) {
	fields := []string{r.ref("words").Field()}
	if r.letter != nil {
		fields = append(fields, r.ref("letter").Field())
	}
	mails, err := s.mailsOf(ctx, r.ID)
	if err != nil {
		return Opened{}, err
	}
	if len(mails) > 0 {
		fields = append(fields, mailRef("", "", "").Field())
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{Reader: by, Subject: r.Subject, Fields: fields, Purpose: "rights", Reason: r.ID})
	if err != nil {
		return Opened{}, err
	}
	words, err := s.d.Vault.Open(ctx, ticket, r.ref("words"), r.words)
	if err != nil {
		return Opened{}, fmt.Errorf("opening request %s: %w", r.ID, err)
	}
	o = Opened{Request: r, Words: string(words)}
	if r.letter != nil {
		raw, err := s.d.Vault.Open(ctx, ticket, r.ref("letter"), r.letter)
		if err != nil {
			return Opened{}, fmt.Errorf("opening the letter of %s: %w", r.ID, err)
		}
		if err := json.Unmarshal(raw, &o.Letter); err != nil {
			return Opened{}, fmt.Errorf("reading the letter of %s: %w", r.ID, err)
		}
	}
	for _, m := range mails {
		w, err := s.openSealed(ctx, ticket, m)
		if err != nil {
			return Opened{}, err
		}
		o.Mails = append(o.Mails, w)
	}
	o.Clocks, err = clocksKept(ctx, s.d.DB, r.ID)
	return o, err
}

// Withdraw takes back a request that is not answered.
func (s *Service) Withdraw(ctx context.Context, p account.Principal, request string) (Request, error) {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := ofPerson(ctx, tx, p.Subject, request)
		if err != nil {
			return err
		}
		return s.moveTx(ctx, tx, p, r, EventWithdraw, "privacy.request_withdrawn", nil)
	})
	if err != nil {
		return Request{}, err
	}
	return ofPerson(ctx, s.d.DB, p.Subject, request)
}

// moveTx takes a request through an event, stops the clocks that are met by it,
// and writes the leaf.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request, e Event, leaf string, detail map[string]string) error {
	var err error
	if r.State, err = r.State.On(e); err != nil {
		return err
	}
	now := s.d.Clock.Now()
	if !r.State.open() {
		r.ClosedAt = now
	}
	if err := update(ctx, tx, r); err != nil {
		return err
	}
	// A copy that is promised is no answer yet: its clocks run until it is there.
	if !r.State.open() || (r.State == Carrying && !r.Kind.copied()) {
		if err := meet(ctx, tx, r.ID, r.State != Carrying, now); err != nil {
			return err
		}
	}
	return s.recordTx(ctx, tx, p, leaf, r, detail)
}

// recordTx writes what was done with a request into the log, as an act of p.
func (s *Service) recordTx(ctx context.Context, tx *db.Tx, p account.Principal, leaf string, r Request, detail map[string]string) error {
	actor := audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session}
	if p.Subject != r.Subject {
		actor.Class = vault.Staff
	}
	if p.Subject == "" {
		actor.Class = vault.Job
	}
	all := map[string]string{"request": r.ID}
	for k, v := range detail {
		all[k] = v
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: leaf, Subject: r.Subject, Account: string(r.Account), Actor: actor, Object: r.ID, Detail: all})
}
