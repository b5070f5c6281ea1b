package notify

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "notify", Files: sub}
}

// Deps are what the service stands on; all are needed.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Account *account.Service
	Sender  Sender
	Contact *contact.Service
	Carrier Carrier // nil: no SMS is sent
	SMSADay int64   // the most SMS that are sent in 24 hours, as each costs money; 0: no such limit
	URL     string  // base address of the console for links, "https://console.example.org"
	Brand   string
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d Deps

	mu    sync.RWMutex
	texts map[string]Text
}

// States of a message's mail, and of its SMS.
const (
	mailNone    = "none"
	MailPending = "pending"
	MailSent    = "sent"
	MailFailed  = "failed"
	MailSkipped = "skipped"
)

// DeliverJob is the kind of the job that delivers.
const DeliverJob = "notify.deliver"

// ErrNotFound is for notices that are absent or somebody else's.
var ErrNotFound = errs.New(errs.NotFound, "notify.not_found")

// New makes the service, registers its job and subscribes to what it tells of.
func New(d Deps) (*Service, error) {
	if d.Sender == nil || d.URL == "" || d.Brand == "" {
		return nil, errors.New("notify needs a sender, the console's address and the brand")
	}
	d.URL = strings.TrimSuffix(d.URL, "/")
	s := &Service{d: d, texts: map[string]Text{}}
	if d.Carrier != nil && d.Contact == nil {
		return nil, errors.New("notify needs the numbers to send SMS")
	}
	job.On(d.Queue, DeliverJob, s.deliver)
	job.On(d.Queue, SMSJob, s.deliverSMS)
	s.subscribe()
	return s, nil
}

// Texts has the bodies of an event's messages, {{.Text}} of its template, written
// by t when they are mailed or shown.
func (s *Service) Texts(event string, t Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[event] = t
}

// data is what the templates of a message may name.
func (s *Service) data(ctx context.Context, m row, locale string) (data, error) {
	d := data{Brand: s.d.Brand}
	var err error
	if d.P, err = m.decoded(); err != nil {
		return d, err
	}
	s.mu.RLock()
	t := s.texts[m.event]
	s.mu.RUnlock()
	if t == nil {
		return d, nil
	}
	d.Text, err = t(ctx, d.P, locale)
	return d, err
}

// SendTx writes a message in the caller's transaction; a second one with the
// same dedupe key is left out. It refuses an unknown event and parameters that
// are not those of the event's templates.
func (s *Service) SendTx(ctx context.Context, tx *db.Tx, m Message) error {
	k, ok := kinds()[m.Event]
	if !ok || m.Dedupe == "" || m.Subject == "" {
		return fmt.Errorf("message of event %q without template, key or person", m.Event)
	}
	if err := checkParams(k, m.Params); err != nil {
		return err
	}
	params, err := json.Marshal(m.Params)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	row := id.New("msg")
	inbox, mail, sms, err := s.waysTx(ctx, tx, m.Subject, k)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO notify_message (id, event, account, subject, params, dedupe, inbox, mail, at, read_at, batch, sms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11) ON CONFLICT (dedupe) DO NOTHING`,
		row, m.Event, string(m.Account), string(m.Subject), string(params), m.Dedupe, db.Bool(inbox), mail, db.Micros(s.d.Clock.Now()), m.Batch, sms)
	if err != nil || n == 0 {
		return err
	}
	for kind, state := range map[string]string{DeliverJob: mail, SMSJob: sms} {
		if state != MailPending {
			continue
		}
		if err := s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: kind, Payload: delivery{row}}); err != nil {
			return err
		}
	}
	return nil
}

func checkParams(k kind, given map[string]string) error {
	want := k.params()
	for _, name := range want {
		if given[name] == "" {
			return fmt.Errorf("message of event %s lacks parameter %s", k.Event, name)
		}
	}
	for name := range given {
		if !slices.Contains(want, name) {
			return fmt.Errorf("message of event %s has a parameter %s that no template names", k.Event, name)
		}
	}
	return nil
}

// Send is SendTx in a transaction of its own.
func (s *Service) Send(ctx context.Context, m Message) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.SendTx(ctx, tx, m) })
}

type row struct {
	id, event, mail, params string
	batch, sms              string
	account                 account.ID
	subject                 id.Handle
	at, readAt              int64
}

func scanRow(r db.Row) (m row, err error) {
	return m, r.Scan(&m.id, &m.event, &m.account, &m.subject, &m.params, &m.mail, &m.at, &m.readAt, &m.batch, &m.sms)
}

func (r row) decoded() (map[string]string, error) {
	var params map[string]string
	if err := json.Unmarshal([]byte(r.params), &params); err != nil {
		return nil, fmt.Errorf("decoding message %s: %w", r.id, err)
	}
	return params, nil
}

const rowColumns = "id, event, account, subject, params, mail, at, read_at, batch, sms"

// Notices lists a person's inbox in a language, newest first, from after
// cursor on; the second result is the cursor of the next page.
func (s *Service) Notices(ctx context.Context, subject id.Handle, locale, cursor string, limit int) ([]Notice, string, error) {
	limit = min(max(limit, 1), 500)
	rows, err := db.Select(ctx, s.d.DB, scanRow, "SELECT "+rowColumns+` FROM notify_message
		WHERE subject = $1 AND inbox = 1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`, string(subject), cursor, limit+1)
	if err != nil {
		return nil, "", err
	}
	all := []Notice{}
	for _, r := range rows[:min(limit, len(rows))] {
		n, err := s.notice(ctx, r, locale)
		if err != nil {
			return nil, "", err
		}
		all = append(all, n)
	}
	next := ""
	if len(rows) > limit {
		next = all[limit-1].ID
	}
	return all, next, nil
}

func (s *Service) notice(ctx context.Context, r row, locale string) (Notice, error) {
	n := Notice{ID: r.id, Event: r.event, At: db.FromMicros(r.at), ReadAt: db.FromMicros(r.readAt)}
	k := kinds()[r.event]
	d, err := s.data(ctx, r, locale)
	if err != nil {
		return n, err
	}
	w := k.words(locale)
	if n.Title, err = fill(w.Title, d); err != nil {
		return n, err
	}
	if n.Body, err = fill(w.Body, d); err != nil {
		return n, err
	}
	n.Link, err = fill(k.Link, d)
	return n, err
}

// MarkRead notes that a person has seen a notice.
func (s *Service) MarkRead(ctx context.Context, subject id.Handle, notice string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNotFound, "UPDATE notify_message SET read_at = CASE WHEN read_at = 0 THEN $1 ELSE read_at END WHERE id = $2 AND subject = $3 AND inbox = 1",
			db.Micros(s.d.Clock.Now()), notice, string(subject))
	})
}

// Out reports whether the message of a dedupe key is written and its mail waits
// for nothing.
func (s *Service) Out(ctx context.Context, dedupe string) (bool, error) {
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM notify_message WHERE dedupe = $1 AND mail <> 'pending'", dedupe)
	return n > 0, err
}
