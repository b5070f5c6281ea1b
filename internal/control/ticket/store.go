package ticket

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

const columns = `SELECT id, account, subject, department, priority, resource, title, state, assignee, follows, request,
	opened_at, changed_at, due_at, left_micros, reminded_at, closed_at, version FROM ticket_ticket`

func scan(r db.Row) (t Ticket, err error) {
	var opened, changed, due, left, reminded, closed int64
	err = r.Scan(&t.ID, &t.Account, &t.Subject, &t.Department, &t.Priority, &t.Resource, &t.title, &t.State, &t.Assignee, &t.Follows, &t.Request,
		&opened, &changed, &due, &left, &reminded, &closed, &t.Version)
	t.OpenedAt, t.ChangedAt, t.Due, t.ClosedAt = db.FromMicros(opened), db.FromMicros(changed), db.FromMicros(due), db.FromMicros(closed)
	t.left, t.reminded = time.Duration(left)*time.Microsecond, db.FromMicros(reminded)
	return t, err
}

// byID is a ticket, whoever asks.
func byID(ctx context.Context, q db.Q, ticket string) (Ticket, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE id = $1", ticket)
}

// owned is a ticket of an account.
func owned(ctx context.Context, q db.Q, p account.Principal, ticket string) (Ticket, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE id = $1 AND account = $2 AND subject = $3", ticket, string(p.Account), string(p.Subject))
}

func insertTx(ctx context.Context, tx *db.Tx, t Ticket) error {
	_, err := tx.Exec(ctx, `INSERT INTO ticket_ticket (id, account, subject, department, priority, resource, title, state, assignee, follows, request,
		opened_at, changed_at, due_at, left_micros, reminded_at, closed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 0, 1)`,
		t.ID, string(t.Account), string(t.Subject), string(t.Department), string(t.Priority), t.Resource, t.title, string(t.State), string(t.Assignee),
		t.Follows, t.Request, db.Micros(t.OpenedAt), db.Micros(t.ChangedAt), db.Micros(t.Due), t.left.Microseconds())
	return err
}

// updateTx compares and sets: of two who act at once one does it again.
func updateTx(ctx context.Context, tx *db.Tx, t Ticket) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE ticket_ticket SET department = $1, priority = $2, state = $3, assignee = $4, request = $5, changed_at = $6,
		due_at = $7, left_micros = $8, reminded_at = $9, closed_at = $10, version = version + 1 WHERE id = $11 AND version = $12`,
		string(t.Department), string(t.Priority), string(t.State), string(t.Assignee), t.Request, db.Micros(t.ChangedAt), db.Micros(t.Due),
		t.left.Microseconds(), db.Micros(t.reminded), db.Micros(t.ClosedAt), t.ID, t.Version)
}

// moveTx moves a ticket, keeps it and tells the log.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, p account.Principal, t Ticket, m Move) (Ticket, error) {
	was := t.State
	t, err := t.on(m, s.d.Clock.Now())
	if err != nil {
		return t, err
	}
	if err := updateTx(ctx, tx, t); err != nil {
		return t, err
	}
	return t, s.leaf(ctx, tx, "ticket.moved", p, t, map[string]string{"event": string(m), "was": string(was), "state": string(t.State)})
}

func (s *Service) publishTx(ctx context.Context, tx *db.Tx, topic string, t Ticket) error {
	return s.d.Queue.PublishTx(ctx, tx, topic, Event{ID: id.New("evt"), Ticket: t.ID, Account: t.Account, Subject: t.Subject})
}

// roomTx holds a ticket to as many entries as a person can read.
func roomTx(ctx context.Context, tx *db.Tx, ticket string, files int64) error {
	n, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT (SELECT count(*) FROM ticket_message WHERE ticket = $1) + (SELECT count(*) FROM ticket_note WHERE ticket = $1)
		+ (SELECT count(*) FROM ticket_file WHERE ticket = $1)`, ticket)
	if err != nil {
		return err
	}
	has, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM ticket_file WHERE ticket = $1", ticket)
	if err == nil && (n >= maxEntries || has+files > maxFiles) {
		err = ErrFull
	}
	return err
}

// message is a message whose words are sealed.
type message struct {
	id    string
	staff id.Handle
	words []byte
	at    int64
}

func scanMessage(r db.Row) (m message, err error) {
	return m, r.Scan(&m.id, &m.staff, &m.words, &m.at)
}

func (s *Service) sayTx(ctx context.Context, tx *db.Tx, t Ticket, staff id.Handle, words string) error {
	row := id.New("tkm")
	sealed, err := s.d.Vault.Seal(ctx, t.ref("ticket_message", "words", row), []byte(words))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO ticket_message (id, ticket, subject, staff, words, at) VALUES ($1, $2, $3, $4, $5, $6)",
		row, t.ID, string(t.Subject), string(staff), sealed, db.Micros(s.d.Clock.Now()))
	return err
}

// file is a file whose name and bytes are sealed.
type file struct {
	File
	name []byte
}

func scanFile(r db.Row) (f file, err error) {
	var staff string
	var quarantined, at int64
	err = r.Scan(&f.ID, &staff, &f.name, &f.Media, &f.Size, &quarantined, &at)
	f.Staff, f.Quarantined, f.At = staff != "", quarantined == 1, db.FromMicros(at)
	return f, err
}

const fileColumns = "SELECT id, staff, name, media, size, quarantined, at FROM ticket_file"

// thread opens a ticket: one reading for everything that was said.
func (s *Service) thread(ctx context.Context, t Ticket, by vault.Reader, reason string) (Thread, error) {
	th := Thread{Ticket: t}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: by, Subject: t.Subject, Purpose: purpose, Reason: reason,
		Fields: []string{"ticket_ticket.title", "ticket_message.words", "ticket_file.name"},
	})
	if err != nil {
		return th, err
	}
	title, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_ticket", "title", t.ID), t.title)
	if err != nil {
		return th, err
	}
	th.Title = string(title)
	said, err := db.Select(ctx, s.d.DB, scanMessage, "SELECT id, staff, words, at FROM ticket_message WHERE ticket = $1 ORDER BY at, id", t.ID)
	if err != nil {
		return th, err
	}
	for _, m := range said {
		words, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_message", "words", m.id), m.words)
		if err != nil {
			return th, err
		}
		th.Messages = append(th.Messages, Message{ID: m.id, Staff: m.staff != "", By: m.staff, Words: string(words), At: db.FromMicros(m.at)})
	}
	kept, err := db.Select(ctx, s.d.DB, scanFile, fileColumns+" WHERE ticket = $1 ORDER BY at, id", t.ID)
	if err != nil {
		return th, err
	}
	for _, f := range kept {
		name, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_file", "name", f.ID), f.name)
		if err != nil {
			return th, err
		}
		f.Name = string(name)
		th.Files = append(th.Files, f.File)
	}
	return th, nil
}

// purpose is what words of tickets are read for.
const purpose = "aftersales"
